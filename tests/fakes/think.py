"""Uses so many seconds of CPU time before it copies its input: `think.py SECONDS`."""

import shutil
import sys
import time

while time.process_time() < float(sys.argv[1]):
    pass
shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)
