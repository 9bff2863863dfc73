"""Becomes a program that has a file open at some numbers: `with_open_files.py FILE NUMBER… PROGRAM ARG…`."""

import itertools
import os
import sys

file = os.open(sys.argv[1], os.O_RDONLY)
numbers = list(itertools.takewhile(str.isdecimal, sys.argv[2:]))
# Moved out of the way, so that it is none of the numbers itself.
os.dup2(file, 200, inheritable=False)
for number in numbers:
    os.dup2(200, int(number))
program = sys.argv[2 + len(numbers) :]
os.execv(program[0], program)
