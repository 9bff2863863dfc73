#!/bin/sh
# Tests validate_user, which cargo builds first: sh validators/rust/test.sh
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=validators/cases/contract.sh
. "$here/../cases/contract.sh"

program=${1-}
if [ -z "$program" ]; then
    (cd "$here/../.." && cargo build --quiet --example validate_user) || exit 1
    program=$here/../../target/debug/examples/validate_user
fi

validate() { "$program"; }
# shellcheck disable=SC2034 # read by check_utf8
not_utf8='not UTF-8'
check_contract
check_strict
check_decoded
report
