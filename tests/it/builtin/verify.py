#!/usr/bin/env python3
"""Verifies Argon2 hashes with the reference implementation, libargon2.

    verify.py IN OUT FIELD

For each line the hash in OUT must be one of the text in IN, and of no other text.
"""

import ctypes
import json
import sys

MISMATCH = -35


def main():
    verify = ctypes.CDLL("libargon2.so.1").argon2id_verify
    verify.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t]
    before, after, field = sys.argv[1:]
    with open(before, "rb") as texts, open(after, "rb") as hashes:
        pairs = list(zip(texts, hashes))
    for number, (text, made) in enumerate(pairs, 1):
        text = json.loads(text)[field].encode("utf-8")
        made = json.loads(made)[field].encode("ascii")
        other = text + b"x"
        codes = verify(made, text, len(text)), verify(made, other, len(other))
        if codes != (0, MISMATCH):
            sys.exit(f"line {number}: libargon2 says {codes}")
    print(len(pairs))


main()
