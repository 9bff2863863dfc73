"""Runs a program on a new terminal, shows what comes there, and leaves as it did."""

import os
import pty
import sys

status = pty.spawn(sys.argv[1:], stdin_read=lambda _: b"")
sys.exit(os.waitstatus_to_exitcode(status))
