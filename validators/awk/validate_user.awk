# Passes valid user records (NDJSON on stdin) to stdout, byte for byte; each bad record gets one
# stderr line instead, `line N: /json/pointer message`, several problems joined by `; `.
#
#   LC_ALL=C awk -f validate_user.awk
#   LC_ALL=C gawk -v records=1 -f validate_user.awk                   a worker of a stage with
#   LC_ALL=C mawk -W interactive -v records=1 -f validate_user.awk    `protocol = "records"`
#
# The second form answers requests (../PROTOCOL.md), each at once; mawk must be told to read line
# by line. LC_ALL=C, because the patterns are of bytes: they know UTF-8 themselves. Needs a POSIX
# awk (tried: gawk, mawk, BWK awk, busybox).
#
# A line is cut at its quotes once, so that no token copies the rest of it. Limits: nesting deeper
# than 128 levels is refused; long arrays of numbers are slow; busybox awk takes a NUL byte, which
# no JSON text holds, for the end of a line.

# `between` is what is left to read before the quote behind part[at].

function take_mark(mark) {
    sub(/^[ \t\r]+/, "", between)
    if (substr(between, 1, 1) != mark) return 0
    between = substr(between, 2)
    return 1
}

function take_pattern(what, pattern) {
    if (!match(between, pattern)) return 0
    kind = what
    text = substr(between, 1, RLENGTH)
    between = substr(between, RLENGTH + 1)
    return 1
}

# Takes a string, which may be cut at escaped quotes, and leaves where it begins and ends.
function take_string(    piece, torn) {
    sub(/^[ \t\r]+/, "", between)
    if (between != "" || at == parts) return 0
    from = at + 1
    do {
        if (++at >= parts) return 0
        piece = part[at]
        torn = substr(piece, length(piece)) == "\\" && match(piece, /\\+$/) && RLENGTH % 2
        if (torn) piece = substr(piece, 1, length(piece) - 1)
        # Without escapes first: that is most strings, and far the cheaper pattern.
        if (piece !~ /^[] !#-[^-\377]*$/ && piece !~ characters) return 0
    } while (torn)
    to = at++
    between = part[at]
    kind = "string"
    return 1
}

# Returns what the string just taken means, in UTF-8.
function decoded(    spelled, i, meaning, escape, code, low) {
    spelled = part[from]
    for (i = from + 1; i <= to; i++) spelled = spelled "\"" part[i]
    meaning = ""
    while (i = index(spelled, "\\")) {
        meaning = meaning substr(spelled, 1, i - 1)
        escape = substr(spelled, i + 1, 1)
        spelled = substr(spelled, i + 2)
        if (escape != "u") {
            meaning = meaning (escape in short ? short[escape] : escape)
            continue
        }
        code = number_of(substr(spelled, 1, 4))
        spelled = substr(spelled, 5)
        if (code >= 55296 && code <= 56319 && substr(spelled, 1, 2) == "\\u") {
            low = number_of(substr(spelled, 3, 4))
            if (low >= 56320 && low <= 57343) {
                code = 65536 + (code - 55296) * 1024 + low - 56320
                spelled = substr(spelled, 7)
            }
        }
        meaning = meaning utf8(code)
    }
    return meaning spelled
}

function number_of(hex,    i, code) {
    for (i = 1; i <= 4; i++)
        code = code * 16 + index("0123456789abcdef", tolower(substr(hex, i, 1))) - 1
    return code
}

# Half a surrogate pair, and NUL, which ends a string in some awks, become bytes that no UTF-8 has.
function utf8(code) {
    if (code == 0) return "\300\200"
    if (code < 128) return sprintf("%c", code)
    if (code < 2048) return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
    if (code < 65536)
        return sprintf("%c%c%c", 224 + int(code / 4096), 128 + int(code / 64) % 64, 128 + code % 64)
    return sprintf("%c%c%c%c", 240 + int(code / 262144), 128 + int(code / 4096) % 64,
        128 + int(code / 64) % 64, 128 + code % 64)
}

# Takes one JSON value and leaves its kind and, for a scalar, its text. 0 means: no JSON.
# `wanted`: whether anybody asks what its strings mean.
function take_value(depth, wanted) {
    if (take_string()) {
        if (wanted) text = decoded()
        return 1
    }
    if (take_pattern("integer", number)) {
        if (text ~ /[.eE]/) kind = "float"
        return 1
    }
    if (take_pattern("boolean", "^(true|false)") || take_pattern("null", "^null")) return 1
    if (depth == 128) return 0
    if (take_mark("[")) return take_array(depth + 1, wanted)
    if (take_mark("{")) return take_object(depth + 1)
    return 0
}

function take_array(depth, wanted,    seen, found) {
    found = "unique strings"
    if (!take_mark("]")) {
        do {
            if (!take_value(depth, wanted)) return 0
            if (kind != "string") found = "array"
            else if (wanted && found == "unique strings" && text in seen) found = "strings"
            seen[text]
        } while (take_mark(","))
        if (!take_mark("]")) return 0
    }
    kind = found
    return 1
}

function take_object(depth,    key) {
    if (!take_mark("}")) {
        do {
            if (!take_string()) return 0
            key = depth == 1 ? decoded() : ""
            if (!take_mark(":") || !take_value(depth, depth == 1 && key in rules)) return 0
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

# Reads a record into `kinds` and `texts`, by field. 0 means: no JSON object.
function read_record(line) {
    split("", kinds)
    parts = split(line, part, "\"")
    at = 1
    between = part[1]
    return take_mark("{") && take_object(1) && at == parts && between ~ /^[ \t\r]*$/
}

function complain(path, code, message) {
    problems = problems (problems == "" ? "" : "; ") (path == "" ? "" : path " ") message
    errors = errors (errors == "" ? "" : ",") \
        "{\"path\":\"" path "\",\"code\":\"" code "\",\"message\":\"" message "\"}"
}

# `right`: what the kind of the field must be; `code`: what is wrong if it is that, but no match.
function check(field, required, right, pattern, code, message) {
    if (!(field in kinds)) {
        if (required) complain("/" field, "missing", "is missing")
    } else if (kinds[field] !~ right) complain("/" field, "type", message)
    else if (texts[field] !~ pattern) complain("/" field, code, message)
}

function judge(line) {
    problems = errors = ""
    if (line ~ /[\200-\377]/ && line !~ utf8_line) return complain("", "type", "not UTF-8")
    if (!read_record(line)) return complain("", "type", "not a JSON object")
    # The grammar has no leading zeros, so a first digit tells an integer from 1.
    check("id", 1, "^integer$", "^[1-9]", "range", "is not an integer from 1")
    check("name", 1, "^string$", ".", "empty", "is not a non-empty string")
    check("email", 1, "^string$", email, "format", "is not an e-mail address")
    check("age", 0, "^integer$", "^(-?0|[1-9][0-9]?|1[0-4][0-9]|150)$", "range", \
        "is not an integer from 0 to 150")
    check("active", 0, "^boolean$", "", "", "is not a boolean")
    if ("tags" in kinds) texts["tags"] = kinds["tags"]
    check("tags", 0, "strings$", "^unique", "duplicate", "is not an array of unique strings")
    check("created_at", 1, "^string$", date_or_date_time, "format", \
        "is not an ISO 8601 date or date-time")
}

# A request is {"id":17,"record":…}.
function answer(line,    id) {
    id = substr(line, 7, index(line, ",") - 7)
    line = substr(line, 17 + length(id))
    sub(/}[ \t\r]*$/, "", line)
    judge(line)
    if (errors == "") print "{\"id\":" id ",\"ok\":true}"
    else print "{\"id\":" id ",\"ok\":false,\"errors\":[" errors "]}"
    fflush()
}

BEGIN {
    split("id name email age active tags created_at", names, " ")
    for (i in names) rules[names[i]]
    short["b"] = "\b"; short["f"] = "\f"; short["n"] = "\n"; short["r"] = "\r"; short["t"] = "\t"

    # No {2,} and {4}: older mawk does not know them.
    hex = "[0-9A-Fa-f]"
    characters = "^([] !#-[^-\377]|\\\\[\\\\/bfnrt]|\\\\u" hex hex hex hex ")*$"

    number = "^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?"

    # One character by its first byte, with neither overlong spellings nor surrogates.
    utf8_line = "^([^\200-\377]" \
        "|[\302-\337][\200-\277]" \
        "|\340[\240-\277][\200-\277]" \
        "|[\341-\354\356\357][\200-\277][\200-\277]" \
        "|\355[\200-\237][\200-\277]" \
        "|\360[\220-\277][\200-\277][\200-\277]" \
        "|[\361-\363][\200-\277][\200-\277][\200-\277]" \
        "|\364[\200-\217][\200-\277][\200-\277])*$"

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

records { answer($0); next }

{
    judge($0)
    if (problems == "") print
    else print "line " NR ": " problems > "/dev/stderr"
}
