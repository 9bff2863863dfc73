#!/bin/sh
# Tests validate_user.rb with the `ruby` on PATH: sh validators/ruby/test.sh
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=validators/cases/contract.sh
. "$here/../cases/contract.sh"

validate() { ruby "$here/validate_user.rb"; }
# shellcheck disable=SC2034 # read by check_utf8
not_utf8='not UTF-8'
check_contract
check_strict
check_decoded

# Where SIGPIPE is ignored, it must not go on for ever.
(
    trap '' PIPE
    { ruby "$here/validate_user.rb" 2>/dev/null; echo $? >"$scratch/code"; } \
        <"$records/users.ndjson" | head -n 1 >/dev/null
)
[ "$(cat "$scratch/code")" -eq 1 ]
verdict 'a broken pipe is an end' $?

report
