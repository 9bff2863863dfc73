# What every validator promises in plain mode, whatever it is written in: read by the test of a
# validator, which defines `validate` (runs the real program) and calls `check_contract`, then
# checks of its own, then `report`.
#
#   good.ndjson    passes whole, byte for byte
#   bad.ndjson     every line is refused, with that line of bad.messages
#
# Bytes an editor would spoil (CR, no LF at the end, what is not UTF-8) are made by printf here.

# Set in many containers: a validator must do without.
unset PYTHONUNBUFFERED

cases=$here/../cases
records=$here/../../fixtures/records
user='{"id":7,"name":"Ana","email":"ana@example.com","created_at":"2024-02-29"'
user=$user',"x":"é \u00e9 \" 1e2"}'
passed=0
failed=0
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

# verdict NAME CODE: counts a check; CODE is the exit code of what decided it.
verdict() {
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $1" >&2
    fi
}

# check NAME: runs `validate` on $scratch/in; stdout must equal $scratch/out, stderr $scratch/err.
check() {
    validate <"$scratch/in" >"$scratch/stdout" 2>"$scratch/stderr"
    code=$?
    [ "$code" -eq 0 ] || echo "exit code $code" >&2
    cmp "$scratch/out" "$scratch/stdout" >&2 && diff "$scratch/err" "$scratch/stderr" >&2 &&
        [ "$code" -eq 0 ]
    verdict "$1" $?
}

# passes NAME FORMAT [TEXT]: what printf makes of it comes out as it went in.
passes() {
    # shellcheck disable=SC2059 # the format is the point
    printf "$2" "${3-}" >"$scratch/in"
    cp "$scratch/in" "$scratch/out"
    : >"$scratch/err"
    check "$1"
}

# refuses NAME MESSAGE FORMAT [TEXT]: nothing comes out but the message, for line 1.
refuses() {
    # shellcheck disable=SC2059
    printf "$3" "${4-}" >"$scratch/in"
    : >"$scratch/out"
    echo "line 1: $2" >"$scratch/err"
    check "$1"
}

# with JSON: the user with another field.
with() { printf '%s,"y":%s}' "${user%?}" "$1"; }

check_cases() {
    passes 'good.ndjson passes' '%s\n' "$(cat "$cases/good.ndjson")"

    cp "$cases/bad.ndjson" "$scratch/in"
    : >"$scratch/out"
    awk '{ print "line " NR ": " $0 }' "$cases/bad.messages" >"$scratch/err"
    check 'bad.ndjson is refused'
}

check_bytes() {
    passes 'empty input' ''
    passes 'a CR before the LF' '%s\r\n' "$user"
    passes 'a CR between tokens' '{\r%s\n' "${user#?}"

    printf '%s' "$user" >"$scratch/in"
    printf '%s\n' "$user" >"$scratch/out"
    : >"$scratch/err"
    check 'a last line without LF gets one'

    printf '%s\n\n{}\r\n\r\n%s\nnot json' "$user" "$user" >"$scratch/in"
    printf '%s\n%s\n' "$user" "$user" >"$scratch/out"
    {
        echo 'line 2: not a JSON object'
        echo 'line 3: /id is missing; /name is missing; /email is missing; /created_at is missing'
        echo 'line 4: not a JSON object'
        echo 'line 6: not a JSON object'
    } >"$scratch/err"
    check 'bad lines among good ones, the last without LF'
}

# $not_utf8: the validator's own words.
check_utf8() {
    for bytes in '\377' '\351' '\200' '\303' '\342\202' '\360\237\232' '\300\257' '\300\242' \
        '\340\200\257' '\360\200\200\257' '\355\240\200' '\355\240\275\355\272\200' \
        '\364\220\200\200' '\303\050'; do
        # $bytes stands in the format, where printf reads its escapes.
        refuses "invalid UTF-8 $bytes" "$not_utf8" '%s,"y":"'"$bytes"'"}\n' "${user%?}"
    done
}

# Deeper than any of them reads; what is meant is that it does not stop the rest.
check_depth() {
    deep=$(awk 'BEGIN { while (i++ < 20000) printf "[" }')
    printf '%s\n{"x":%s\n%s\n' "$user" "$deep" "$user" >"$scratch/in"
    printf '%s\n%s\n' "$user" "$user" >"$scratch/out"
    echo 'line 2: not a JSON object' >"$scratch/err"
    check 'deep nesting'
}

# users.expect.json was not made by reading users.ndjson: it is a judge that shares no code.
check_users() {
    sed -n 's/^ *"\([0-9]*\)": \[\(.*\)\],*$/\1 \2/p' "$records/users.expect.json" >"$scratch/bad"
    awk 'NR == FNR { bad[$1]; next } !(FNR in bad)' "$scratch/bad" "$records/users.ndjson" \
        >"$scratch/out"
    validate <"$records/users.ndjson" >"$scratch/stdout" 2>"$scratch/stderr"
    verdict 'users.ndjson: exit code' $?
    cmp "$scratch/out" "$scratch/stdout" >&2
    verdict 'users.ndjson: the lines expected, unchanged' $?
    # "line 8: /id is …; /age is …" -> 8 "/id", "/age"
    sed 's/^line \([0-9]*\): /\1 /; s/\(\/[a-z_]*\) [^;]*/"\1"/g; s/;/,/g' "$scratch/stderr" |
        diff "$scratch/bad" - >&2
    verdict 'users.ndjson: the fields expected' $?
}

check_dirty() {
    validate <"$records/dirty.ndjson" >"$scratch/stdout" 2>"$scratch/stderr"
    verdict 'dirty.ndjson: exit code' $?
    # awk counts the last line, which has no LF, and wc does not.
    lines=$(awk 'END { print NR }' "$records/dirty.ndjson")
    [ "$(cat "$scratch/stdout" "$scratch/stderr" | wc -l)" -eq "$lines" ]
    verdict 'dirty.ndjson: each line passes or is complained of, once' $?
    grep -cq '^line [0-9]*: ' "$scratch/stderr" && ! grep -vq '^line [0-9]*: ' "$scratch/stderr"
    verdict 'dirty.ndjson: nothing else on stderr' $?
}

# wait_for FILE: until something stands in it, 10 seconds at most.
wait_for() {
    tries=0
    while [ ! -s "$1" ] && [ "$tries" -lt 10 ]; do
        sleep 1
        tries=$((tries + 1))
    done
    [ -s "$1" ]
}

# Output must appear while the input is still open: there may be no end to it.
check_streaming() {
    {
        cat "$records/users.ndjson"
        wait_for "$scratch/early" && : >"$scratch/streamed"
    } | validate 2>/dev/null >"$scratch/early"
    [ -e "$scratch/streamed" ]
    verdict 'output before the end of input' $?
}

# For those that let nothing pass but what RFC 8259 has, and all of that.
check_strict() {
    for value in 01 -01 1. .5 +1 1e 1e+ 0x10 NaN nan Infinity -Infinity True '"\x41"' '"\u+041"' \
        "'a'" '[1 2]' '{"a" 1}' '{1:2}' '[1,]' '[,1]' '{"a":1,}' '"\"' '"\' '"a"b"' '"\\\"' \
        '1/**/' '1//'; do
        refuses "broken: $value" 'not a JSON object' '%s\n' "$(with "$value")"
    done
    for control in '\000' '\001' '\011' '\015' '\037'; do
        refuses "control character $control" 'not a JSON object' '%s,"y":"'"$control"'"}\n' \
            "${user%?}"
    done
    for value in '"\ud800"' '"\udc00\ud800"' '"\u0000"' '"\b\f\n\r\t\"\\\/"' '"/*"' 1e400 -0.0E-0 \
        '[ ]' '{ }' '[[],{"":[]}]' '"\\"' '"\\\""' '"\"\\\\\""'; do
        passes "odd but right: $value" '%s\n' "$(with "$value")"
    done
    passes 'DEL, U+FFFD, U+FEFF, U+FFFF and the last code point' \
        '%s,"y":"\177\357\277\275\357\273\277\357\277\277\364\217\277\277"}\n' "${user%?}"
}

# For those that compare what strings mean.
check_decoded() {
    rest='"name":"Ana","email":"ana\u0040example.com","created_at":"2024-02-2\u0039"'
    passes 'escapes in keys and values' '%s\n' "{\"\\u0069d\":1,$rest}"
    refuses 'escaped keys are the same keys' '/id is not an integer from 1' '%s\n' \
        "{\"id\":1,\"\\u0069d\":1.0,$rest}"
    for tags in '"a","\u0061"' '"é","\u00e9"' '"日","\u65E5"' '"🚀","\ud83d\uDE80"' \
        '"\u0000","\u0000"' '"\n","\u000a"' '"\"","\u0022"' '"\/","/"' '"\ud800","\uD800"'; do
        refuses "one tag, spelled twice: $tags" '/tags is not an array of unique strings' '%s\n' \
            "{\"id\":1,\"tags\":[$tags],$rest}"
    done
    tags='"\ud800","\ud801","\udc00","\u0000","","\\u0061","a","A"'
    passes 'tags that are not the same' '%s\n' "{\"id\":1,\"tags\":[$tags],$rest}"
    refuses 'half a character in an address' '/email is not an e-mail address' '%s\n' \
        "{\"id\":1,\"tags\":[],$rest,\"email\":\"\\ud800a@b.co\"}"
    long=$(awk 'BEGIN { while (i++ < 6000) printf "7" }')
    passes 'a very long integer' '%s\n' "{\"id\":$long,$rest}"
    refuses 'a very long negative one' '/id is not an integer from 1' '%s\n' "{\"id\":-$long,$rest}"
}

check_contract() {
    check_cases
    check_bytes
    check_utf8
    check_depth
    check_users
    check_dirty
    check_streaming
}

report() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
