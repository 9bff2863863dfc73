"""Copies lines, and ends at one: `die_at.py LINE exit CODE` or `die_at.py LINE kill SIGNAL`."""

import os
import signal
import sys

at, (how, what) = int(sys.argv[1]), sys.argv[2:]
for number, line in enumerate(sys.stdin, 1):
    if number == at:
        sys.stdout.flush()
        print(f"line {at} is too much", file=sys.stderr, flush=True)
        if how == "exit":
            os._exit(int(what))
        os.kill(os.getpid(), getattr(signal, what))
    sys.stdout.write(line)
