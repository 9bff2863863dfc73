#!/bin/sh
# Tests validate_user.awk with gawk and mawk, or with those named: sh validators/awk/test.sh awk…
here=$(cd "$(dirname "$0")" && pwd) || exit 1
# shellcheck source=validators/cases/contract.sh
. "$here/../cases/contract.sh"

validate() { LC_ALL=C $awk -f "$here/validate_user.awk"; }
# shellcheck disable=SC2034 # read by check_utf8
not_utf8='not UTF-8'

check_awk() {
    check_contract

    check_strict
    check_decoded
    nested=$(awk 'BEGIN { while (i++ < 128) { down = down "["; up = up "]" } print down up }')
    refuses '129 levels' 'not a JSON object' '%s\n' "$(with "$nested")"
}

[ $# -gt 0 ] || set -- gawk mawk
for awk; do check_awk; done
report
