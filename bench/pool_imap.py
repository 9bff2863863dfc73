"""filter.py's work on Python's own pool, its order kept: what one writes without a controller.

    python3 pool_imap.py IN OUT PROCESSES CHUNK [as-is]

`as-is` gives each line back as it is.
"""
import json
import re
import sys
from multiprocessing import Pool

SOUND = re.compile(r"[\w.%+-]+@(?:[\w-]+\.)+[A-Za-z]{2,}").fullmatch


def answer(line):
    if SOUND(json.loads(line)["email"]):
        return line
    return b'{"unsound":%s}\n' % line.rstrip(b"\n")


def same(line):
    return line


def main(given, out, processes, chunk, work):
    with open(given, "rb") as lines, open(out, "wb") as answers, Pool(processes) as pool:
        answers.writelines(pool.imap(work, lines, chunk))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), same if sys.argv[5:] == ["as-is"] else answer)
