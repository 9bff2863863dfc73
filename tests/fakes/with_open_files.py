"""Has a file open at some numbers and becomes a program: `FILE NUMBER… PROGRAM ARGUMENT…`."""

import itertools
import os
import sys

# Out of the way, so that it is none of the numbers itself.
file = os.dup2(os.open(sys.argv[1], os.O_RDONLY), 200, inheritable=False)
numbers = list(itertools.takewhile(str.isdecimal, sys.argv[2:]))
for number in numbers:
    os.dup2(file, int(number))
program = sys.argv[2 + len(numbers) :]
os.execv(program[0], program)
