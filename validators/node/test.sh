#!/bin/sh
# Tests validate_user.js with the `node` on PATH: sh validators/node/test.sh
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=validators/cases/contract.sh
. "$here/../cases/contract.sh"

validate() { node "$here/validate_user.js"; }
# shellcheck disable=SC2034 # read by check_utf8
not_utf8='not UTF-8'
check_contract
check_strict
check_decoded

passes 'a key that objects have of themselves' '%s\n' "{\"id\":1,\"__proto__\":{\"age\":-1},$rest}"
refuses 'a key that only objects have' '/id is missing' '%s\n' "{\"__proto__\":{\"id\":1},$rest}"
refuses 'a byte order mark' 'not a JSON object' '\357\273\277%s\n' "$user"

node "$here/validate_user.js" <"$records/users.ndjson" 2>"$scratch/stderr" | head -n 1 >/dev/null
! grep -v '^line ' "$scratch/stderr" >&2
verdict 'a broken pipe is a quiet end' $?

report
