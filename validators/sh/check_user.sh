#!/bin/sh
# Checks the one user record on stdin: a stage with `protocol = "command"` (../PROTOCOL.md) runs
# this once for each record. Exit code 0 says that it is valid; 1 that it is not, with what is
# wrong on stderr; 126 that nobody could tell. Nothing on stdout: the record stays as it is.
#
# The rules, and their limits, are those of validate_user.sh.
here=${0%/*}
[ "$here" != "$0" ] || here=.

problems=$(sh "$here/validate_user.sh" 2>&1 >/dev/null) || {
    echo "$problems" >&2
    exit 126
}
[ -n "$problems" ] || exit 0
echo "${problems#line 1: }" >&2
exit 1
