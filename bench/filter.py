"""A validator as people write them: parse the line, look at one field, answer with one line.

    python3 filter.py [flush] < IN > OUT

A record with a sound e-mail is passed as it came, any other is wrapped, so that there is one line out for each line
in. Output is buffered; with `flush` each line is written at once, as an interactive validator must.
"""
import json
import re
import sys


def main(flush):
    sound = re.compile(r"[\w.%+-]+@(?:[\w-]+\.)+[A-Za-z]{2,}").fullmatch
    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        if sound(json.loads(line)["email"]):
            out.write(line)
        else:
            out.write(b'{"unsound":%s}\n' % line.rstrip(b"\n"))
        if flush:
            out.flush()


if __name__ == "__main__":
    main(sys.argv[1:] == ["flush"])
