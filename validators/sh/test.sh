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
