#!/bin/sh
# Tests validate_user and validate_user.jq with the `jq` on PATH: sh validators/jq/test.sh
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=validators/cases/contract.sh
. "$here/../cases/contract.sh"

if ! command -v jq >/dev/null; then
    echo "jq is not installed" >&2
    exit 1
fi

validate() { "$here/validate_user" "$@"; }
# shellcheck disable=SC2034 # read by check_utf8
not_utf8='not UTF-8, or holds U+FFFD'
check_contract

# Strings are compared decoded.
rest='"name":"Ana","email":"ana\u0040example.com","created_at":"2024-02-2\u0039"'
passes 'escapes in keys and values' '%s\n' "{\"\\u0069d\":1,$rest}"
refuses 'escaped keys are the same keys' '/id is not an integer from 1' '%s\n' \
    "{\"id\":1,\"\\u0069d\":1.0,$rest}"
refuses 'an escaped key and a float' '/age is not an integer from 0 to 150' '%s\n' \
    "{\"id\":1,\"\\u0061\\u0067e\":18.0,$rest}"
refuses 'escaped tags are the same tags' '/tags is not an array of unique strings' '%s\n' \
    "{\"id\":1,\"tags\":[\"a\",\"\\u0061\"],$rest}"
refuses 'a number only jq reads, beside a float' 'not a JSON object' '%s\n' \
    "{\"id\":1,\"x\":{\"age\":1.5},\"y\":+1.5,$rest}"
for text in '\ud800' '\udc00\ud800' '\ud83d\ude80' '\\ud800'; do
    passes "surrogates: $text" '%s\n' "${user%?},\"y\":\"$text\"}"
done

# Limits that the header of validate_user.jq owns up to.
passes 'a number only jq reads' '%s\n' "{\"id\":01,\"x\":NaN,$rest}"
refuses 'a fraction only jq reads' '/age is not an integer from 0 to 150' '%s\n' \
    "{\"id\":1,\"age\":.5,$rest}"
refuses 'U+FFFD' "$not_utf8" '%s,"y":"\357\277\275"}\n' "${user%?}"
refuses 'tags that are halves of pairs' '/tags is not an array of unique strings' '%s\n' \
    "{\"id\":1,\"tags\":[\"\\ud800\",\"\\ud801\"],$rest}"

# A character on the edge of jq's read buffer: passed on whole or refused, never changed.
for pad in '' x xx; do
    awk -v pad="$pad" 'BEGIN { while (i++ < 40000) pad = pad "日"; print pad }' >"$scratch/long"
    printf '%s,"y":"%s"}\n' "${user%?}" "$(cat "$scratch/long")" >"$scratch/in"
    validate <"$scratch/in" >"$scratch/stdout" 2>"$scratch/stderr"
    cmp -s "$scratch/in" "$scratch/stdout" ||
        { [ ! -s "$scratch/stdout" ] && grep -q "^line 1: $not_utf8" "$scratch/stderr"; }
    verdict "a long line of characters ($pad)" $?
done

# Without the wrapper: the same records, and complaints as jq's debug messages.
printf '{}\n%s\r\n[]' "$user" | jq -nMRr -f "$here/validate_user.jq" \
    >"$scratch/stdout" 2>"$scratch/stderr"
verdict 'validate_user.jq alone: exit code' $?
printf '%s\r\n' "$user" | cmp -s - "$scratch/stdout"
verdict 'validate_user.jq alone: stdout' $?
[ "$(sed -n '2p' "$scratch/stderr")" = '["DEBUG:","line 3: not a JSON object"]' ]
verdict 'validate_user.jq alone: stderr' $?

# The wrapper hands on its arguments and jq's exit code.
validate --no-such-option </dev/null 2>/dev/null
[ $? -eq 2 ]
verdict 'exit code of jq' $?
{
    printf '%s\n' "$user"
    wait_for "$scratch/reply" && : >"$scratch/unbuffered"
} | validate --unbuffered >"$scratch/reply"
[ -e "$scratch/unbuffered" ]
verdict '--unbuffered' $?

report
