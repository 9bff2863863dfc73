#!/bin/sh
# Tests validate_user.sh with the `sh` and `awk` on PATH: sh validators/sh/test.sh
here=$(cd "$(dirname "$0")" && pwd) || exit 1
shell=$(command -v sh)
# shellcheck source=validators/cases/contract.sh
. "$here/../cases/contract.sh"

validate() { sh "$here/validate_user.sh"; }
# shellcheck disable=SC2034 # read by check_utf8
not_utf8='not UTF-8'
check_contract

# with JSON: the user with another field.
with() { printf '%s,"y":%s}' "${user%?}" "$1"; }

# The reader is a strict one.
for value in 01 -01 1. .5 +1 1e 1e+ 0x10 NaN nan Infinity -Infinity True '"\x41"' '"\u+041"' \
    "'a'" '[1 2]' '{"a" 1}' '{1:2}' '[1,]' '[,1]' '{"a":1,}'; do
    refuses "broken: $value" 'not a JSON object' '%s\n' "$(with "$value")"
done
# busybox awk ends a line at a NUL byte, as the header says.
[ "$(printf 'a\000b\n' | awk 'END { print NR }')" -eq 2 ] || nul='\000'
for control in ${nul-} '\001' '\011' '\015' '\037'; do
    refuses "control character $control" 'not a JSON object' '%s,"y":"'"$control"'"}\n' "${user%?}"
done
for value in '"\ud800"' '"\u0000"' '"\b\f\n\r\t\"\\\/"' 1e400 -0.0E-0 '[ ]' '{ }' '[[],{"":[]}]'; do
    passes "odd but right: $value" '%s\n' "$(with "$value")"
done
passes 'DEL, U+FFFD and the last code point' '%s,"y":"\177\357\277\275\364\217\277\277"}\n' \
    "${user%?}"

# Limits that the header of validate_user.sh owns up to.
refuses 'an escaped key' '/id is missing' '%s\n' \
    '{"\u0069d":7,"name":"Ana","email":"ana@example.com","created_at":"2024-02-29"}'
refuses 'an escape in an address' '/email is not an e-mail address' '%s\n' \
    '{"id":7,"name":"Ana","email":"ana\u0040example.com","created_at":"2024-02-29"}'
passes 'tags spelled in two ways' '%s\n' \
    '{"id":7,"name":"Ana","email":"a@b.co","created_at":"2024-02-29","tags":["a","\u0061"]}'
nested=$(awk 'BEGIN { while (i++ < 128) { down = down "["; up = up "]" } print down up }')
refuses '129 levels' 'not a JSON object' '%s\n' "$(with "$nested")"

# check_user.sh: one record, judged by its exit code.
# checks NAME CODE MESSAGE: runs it on $scratch/in.
checks() {
    sh "$here/check_user.sh" <"$scratch/in" >"$scratch/stdout" 2>"$scratch/stderr"
    [ $? -eq "$2" ] && [ ! -s "$scratch/stdout" ] && [ "$(cat "$scratch/stderr")" = "$3" ]
    verdict "check_user.sh: $1" $?
}
printf '%s\n' "$user" >"$scratch/in"
checks 'a valid user' 0 ''
printf '%s' "$user" >"$scratch/in"
checks 'a valid user without LF' 0 ''
printf '{"id":0,"name":"","email":"ana@example.com","created_at":"2024-02-29"}\n' >"$scratch/in"
checks 'two problems' 1 '/id is not an integer from 1; /name is not a non-empty string'
(cd "$here" && sh check_user.sh <"$scratch/in" 2>/dev/null)
[ $? -eq 1 ]
verdict 'check_user.sh: from its own folder' $?
(
    # A PATH on which there is no awk.
    PATH=$scratch
    export PATH
    "$shell" "$here/check_user.sh" <"$scratch/in" >/dev/null 2>&1
)
[ $? -eq 126 ]
verdict 'check_user.sh: without awk there is no verdict' $?

report
