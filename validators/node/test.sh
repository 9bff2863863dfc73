#!/bin/sh
# Tests validate_user.js with the `node` on PATH: sh validators/node/test.sh
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=validators/cases/contract.sh
. "$here/../cases/contract.sh"

validate() { node "$here/validate_user.js"; }
# shellcheck disable=SC2034 # read by check_utf8
not_utf8='not UTF-8'
check_contract

# Strings are compared decoded.
rest='"name":"Ana","email":"ana\u0040example.com","created_at":"2024-02-2\u0039"'
passes 'escapes in keys and values' '%s\n' "{\"\\u0069d\":1,$rest}"
refuses 'escaped keys are the same keys' '/id is not an integer from 1' '%s\n' \
    "{\"id\":1,\"\\u0069d\":1.0,$rest}"
refuses 'escaped tags are the same tags' '/tags is not an array of unique strings' '%s\n' \
    "{\"id\":1,\"tags\":[\"a\",\"\\u0061\"],$rest}"
passes 'a key that objects have of themselves' '%s\n' "{\"id\":1,\"__proto__\":{\"age\":-1},$rest}"
refuses 'a key that only objects have' '/id is missing' '%s\n' "{\"__proto__\":{\"id\":1},$rest}"

for value in 01 1. .5 +1 NaN Infinity "'a'" '[1,]' '"\x41"'; do
    refuses "broken: $value" 'not a JSON object' '%s,"y":%s}\n' "${user%?}"
done
for value in 1e400 -0.0E-0 '"\ud800"' '"\u0000"'; do
    printf '%s,"y":%s}\n' "${user%?}" "$value" >"$scratch/in"
    cp "$scratch/in" "$scratch/out"
    : >"$scratch/err"
    check "odd but right: $value"
done
refuses 'a byte order mark' 'not a JSON object' '\357\273\277%s\n' "$user"

node "$here/validate_user.js" <"$records/users.ndjson" 2>"$scratch/stderr" | head -n 1 >/dev/null
! grep -v '^line ' "$scratch/stderr" >&2
verdict 'a broken pipe is a quiet end' $?

report
