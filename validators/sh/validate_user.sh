#!/bin/sh
# Passes valid user records (NDJSON on stdin) to stdout, byte for byte; each bad record gets one
# stderr line instead, `line N: /json/pointer message`, several problems joined by `; `.
# Needs a POSIX sh and awk, nothing else (tried: dash, busybox sh; mawk, gawk, BWK awk, busybox).
#
# awk, because a shell reads a pipe byte by byte and drops NUL bytes. The JSON reader is strict
# but decodes nothing. Hence the limits:
# - Strings are compared as they are spelled: a key written with escapes is an unknown key, an
#   e-mail address or date with an escape in it is refused, "a" and "\u0061" are different tags.
# - Nesting deeper than 128 levels is refused.
# - The rest of the line is copied for each token: fit for records of a few kB, slow for MBs.
# - busybox awk takes a NUL byte, which no JSON text holds, for the end of a line.

# Bytes, not characters: the patterns below know UTF-8 themselves.
LC_ALL=C
export LC_ALL

exec awk '
# Takes the matched head off `rest`, the part of the line not read yet.
function take(what) {
    kind = what
    text = substr(rest, 1, RLENGTH)
    rest = substr(rest, RLENGTH + 1)
    return 1
}

function take_mark(mark) {
    sub(/^[ \t\r]+/, "", rest)
    if (substr(rest, 1, 1) != mark) return 0
    rest = substr(rest, 2)
    return 1
}

function take_string() {
    sub(/^[ \t\r]+/, "", rest)
    # Without escapes first: that is most strings, and far the cheaper pattern.
    if (!match(rest, /^"[] !#-[^-\377]*"/) &&
        !match(rest, /^"([] !#-[^-\377]|\\["\\\/bfnrt]|\\u[0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f])*"/))
        return 0
    take("string")
    text = substr(text, 2, length(text) - 2)
    return 1
}

# Takes one JSON value and leaves its kind and, for a scalar, its text. 0 means: no JSON.
function take_value(depth) {
    if (take_string()) return 1
    if (match(rest, /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/)) {
        take("integer")
        if (text ~ /[.eE]/) kind = "float"
        return 1
    }
    if (match(rest, /^(true|false)/)) return take("boolean")
    if (match(rest, /^null/)) return take("null")
    if (depth == 128) return 0
    if (take_mark("[")) return take_array(depth + 1)
    if (take_mark("{")) return take_object(depth + 1)
    return 0
}

function take_array(depth,    seen, unique) {
    unique = 1
    if (!take_mark("]")) {
        do {
            if (!take_value(depth)) return 0
            if (kind != "string" || text in seen) unique = 0
            seen[text]
        } while (take_mark(","))
        if (!take_mark("]")) return 0
    }
    kind = unique ? "unique strings" : "array"
    return 1
}

function take_object(depth,    key) {
    if (!take_mark("}")) {
        do {
            if (!take_string()) return 0
            key = text
            if (!take_mark(":") || !take_value(depth)) return 0
            if (depth == 1) {
                kinds[key] = kind
                texts[key] = text
            }
        } while (take_mark(","))
        if (!take_mark("}")) return 0
    }
    kind = "object"
    return 1
}

function complain(message) {
    problems = problems (problems == "" ? "" : "; ") message
}

# True when `field` is there and left to be judged.
function has(field, required) {
    if (field in kinds) return 1
    if (required) complain("/" field " is missing")
    return 0
}

function is(field, wanted, pattern) {
    return kinds[field] == wanted && texts[field] ~ pattern
}

function judge(line) {
    problems = ""
    if (line ~ /[\200-\377]/ && line !~ utf8) return complain("not UTF-8")
    split("", kinds)
    rest = line
    if (!take_mark("{") || !take_object(1) || rest !~ /^[ \t\r]*$/)
        return complain("not a JSON object")

    # The grammar has no leading zeros, so a first digit tells an integer from 1.
    if (has("id", 1) && !is("id", "integer", "^[1-9]"))
        complain("/id is not an integer from 1")
    if (has("name", 1) && !is("name", "string", "."))
        complain("/name is not a non-empty string")
    if (has("email", 1) && !is("email", "string", email))
        complain("/email is not an e-mail address")
    if (has("age", 0) && !is("age", "integer", "^(-?0|[1-9][0-9]?|1[0-4][0-9]|150)$"))
        complain("/age is not an integer from 0 to 150")
    if (has("active", 0) && kinds["active"] != "boolean")
        complain("/active is not a boolean")
    if (has("tags", 0) && kinds["tags"] != "unique strings")
        complain("/tags is not an array of unique strings")
    if (has("created_at", 1) && !is("created_at", "string", date_or_date_time))
        complain("/created_at is not an ISO 8601 date or date-time")
}

BEGIN {
    # One character by its first byte, with neither overlong spellings nor surrogates.
    utf8 = "^([^\200-\377]" \
        "|[\302-\337][\200-\277]" \
        "|\340[\240-\277][\200-\277]" \
        "|[\341-\354\356\357][\200-\277][\200-\277]" \
        "|\355[\200-\237][\200-\277]" \
        "|\360[\220-\277][\200-\277][\200-\277]" \
        "|[\361-\363][\200-\277][\200-\277][\200-\277]" \
        "|\364[\200-\217][\200-\277][\200-\277])*$"

    # No {2,} and {4}: older mawk does not know them.
    email = "^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+[.][A-Za-z][A-Za-z]+$"

    # The calendar as a pattern: only a leap year has a 29th of February.
    leap_year = "([0-9][0-9](0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)"
    month_and_day = "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])" \
        "|(0[469]|11)-(0[1-9]|[12][0-9]|30)" \
        "|02-(0[1-9]|1[0-9]|2[0-8]))"
    hour_and_minute = "([01][0-9]|2[0-3]):[0-5][0-9]"
    date_or_date_time = "^([0-9][0-9][0-9][0-9]-" month_and_day "|" leap_year "-02-29)" \
        "(T" hour_and_minute ":[0-5][0-9]([.][0-9]+)?(Z|[+-]" hour_and_minute "))?$"
}

{
    judge($0)
    if (problems == "") print
    else print "line " NR ": " problems > "/dev/stderr"
}
'
