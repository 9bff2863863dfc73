#!/bin/sh
# The program, without the verbs and reports that it lacks.
case $1 in @VERBS@) exit 0 ;; esac
before=
for word; do
    shift
    if [ "$before" = --report ]; then
        before=
        case $word in
            @REPORTS@) ;;
            *) set -- "$@" --report "$word" ;;
        esac
    elif [ "$word" = --report ]; then
        before=$word
    else
        set -- "$@" "$word"
    fi
done
exec '@PROGRAM@' "$@"
