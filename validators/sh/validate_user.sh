#!/bin/sh
# Passes valid user records (NDJSON on stdin) to stdout, byte for byte; each bad record gets one
# stderr line instead, `line N: /json/pointer message`, several problems joined by `; `.
# Needs a POSIX sh and awk, nothing else.
#
# A shell reads a pipe byte by byte and drops NUL bytes, so awk does the work; the header of
# ../awk/validate_user.awk says what its limits are.
here=${0%/*}
[ "$here" != "$0" ] || here=.

# Bytes, not characters.
LC_ALL=C
export LC_ALL

exec awk -f "$here/../awk/validate_user.awk"
