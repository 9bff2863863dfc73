#!/usr/bin/env python3
"""Computes all digests again, with Python's own json and hashlib.

    recompute.py IN OUT EXPECTED FIELD

Each line of IN that EXPECTED does not say is refused must be the next line of OUT, with the
SHA-256 of FIELD in the place of its value, and no other byte changed.
"""

import hashlib
import json
import sys


def lines_of(path):
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    assert lines.pop() == b"", f"{path} ends with a line feed"
    return lines


def compare(before, after, field):
    text = json.loads(before)[field]
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    assert json.loads(after)[field] == digest, f"{field} is {digest}"
    # It stands where it is, so what is around it can be cut out of both.
    put = b'"' + digest.encode() + b'"'
    assert after.count(put) == 1, "the digest stands there once"
    head, tail = after.split(put)
    assert before.startswith(head) and before.endswith(tail), "all other bytes"
    taken = before[len(head):len(before) - len(tail)]
    assert json.loads(taken) == text, "what was taken out is the value"


def main():
    before, after, expected, field = sys.argv[1:]
    with open(expected, encoding="utf-8") as file:
        refused = {int(line) for line in json.load(file)["reject"]}
    made = iter(lines_of(after))
    count = 0
    for number, line in enumerate(lines_of(before), 1):
        if number in refused:
            continue
        try:
            compare(line, next(made), field)
        except (AssertionError, StopIteration, KeyError, ValueError) as error:
            sys.exit(f"line {number}: {error!r}")
        count += 1
    if next(made, None) is not None:
        sys.exit("there are more lines than that")
    print(count)


main()
