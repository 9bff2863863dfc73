#!/usr/bin/env python3
"""What every validator promises as a worker of a stage with `protocol = "records"`.

    python3 validators/cases/records.py PROGRAM ARGUMENT…

Starts PROGRAM, sends it the records of good.ndjson, bad.ndjson and fixtures/records as esteira
would, and holds its replies against bad.messages, bad.codes and users.expect.json. Lines that
are no JSON are left out: esteira refuses those itself.
"""

import collections
import fcntl
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

CASES = Path(__file__).resolve().parent
RECORDS = CASES.parent.parent / "fixtures" / "records"

# Set in many containers: a worker must do without.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}

# As long as a slow machine may take for any one check.
LIMIT = 60

ANA = b'{"id":7,"name":"Ana","email":"ana@example.com","created_at":"2024-02-29"}'


class Worker:
    """A child, with a thread that reads its replies as they come."""

    def __init__(self, command, pipe_size=None, stderr=None):
        self.child = subprocess.Popen(
            command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=stderr, bufsize=0,
        )
        if pipe_size and hasattr(fcntl, "F_SETPIPE_SZ"):
            for pipe in (self.child.stdin, self.child.stdout):
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, pipe_size)
        self.replies = collections.deque()
        self.ended = False
        self.news = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        with open(self.child.stdout.fileno(), "rb", closefd=False) as lines:
            for line in lines:
                if line != b'{"ready":true}\n' and not line.startswith(b'{"log":'):
                    with self.news:
                        self.replies.append(line)
                        self.news.notify()
        with self.news:
            self.ended = True
            self.news.notify()

    def send(self, number, record):
        # A raw CR is white space in JSON, and many line readers split there.
        record = record.replace(b"\r", b" ")
        self.child.stdin.write(b'{"id":%d,"record":%s}\n' % (number, record))

    def reply(self):
        with self.news:
            assert self.news.wait_for(lambda: self.replies or self.ended, LIMIT), "no reply"
            assert self.replies, "stdout ended early"
            line = self.replies.popleft()
        assert line.endswith(b"\n"), f"a torn line: {line!r}"
        return json.loads(line)

    def close(self):
        """EOF means finish and exit: what is left must be nothing, and the exit code 0."""
        self.child.stdin.close()
        code = self.child.wait(LIMIT)
        with self.news:
            assert self.news.wait_for(lambda: self.ended, LIMIT), "stdout stays open"
            assert not self.replies, f"too many replies: {self.replies[0]!r}"
        assert code == 0, f"exit code {code}"


def well_formed(line):
    """Tells whether esteira would send this line: one JSON text, nested 128 levels at most."""
    def refuse(name):
        raise ValueError(name)

    try:
        text = line.decode("utf-8").strip(" \t\r\n")
        json.loads(text, parse_constant=refuse, parse_int=len)
        depths, depth = [0], 0
        for bracket in re.findall(r"[][{}]", re.sub(r'"(?:[^"\\]|\\.)*"', "", text)):
            depth += 1 if bracket in "[{" else -1
            depths.append(depth)
        return text != "" and max(depths) <= 128
    except (ValueError, RecursionError):
        return False


def records_of(path):
    """The records of a file by line number, from 1."""
    lines = path.read_bytes().split(b"\n")
    return {number: line for number, line in enumerate(lines, 1) if well_formed(line)}


def answers(command, records, window=256, pipe_size=None):
    """The replies to records by id, with so many of them on the way at most."""
    worker = Worker(command, pipe_size)
    open_ids = set()
    found = {}

    def take():
        reply = worker.reply()
        number = reply.pop("id")
        assert number in open_ids, f"a reply to {number}, which waits for none"
        open_ids.remove(number)
        found[number] = reply

    for number, record in records.items():
        while len(open_ids) >= window:
            take()
        open_ids.add(number)
        worker.send(number, record)
    while open_ids:
        take()
    worker.close()
    return found


def good_records_keep_their_bytes(command):
    # No `record` in the reply: esteira writes the bytes it has.
    records = records_of(CASES / "good.ndjson")
    assert len(records) > 20
    assert answers(command, records) == {number: {"ok": True} for number in records}


def bad_records_get_all_their_errors(command):
    records = records_of(CASES / "bad.ndjson")
    messages = (CASES / "bad.messages").read_text().splitlines()
    codes = (CASES / "bad.codes").read_text().splitlines()
    assert len(records) > 100
    for number, reply in answers(command, records).items():
        assert reply.keys() == {"ok", "errors"} and reply["ok"] is False, f"line {number}: {reply}"
        errors = reply["errors"]
        said = "; ".join(f"{error['path']} {error['message']}".lstrip() for error in errors)
        assert said == messages[number - 1], f"line {number}: {said}"
        said = " ".join(error["code"] for error in errors)
        assert said == codes[number - 1], f"line {number}: {said}"


def users_get_the_verdicts_they_were_made_for(command):
    expected = json.loads((RECORDS / "users.expect.json").read_text())["reject"]
    found = answers(command, records_of(RECORDS / "users.ndjson"))
    refused = {number: reply for number, reply in found.items() if not reply["ok"]}
    assert len(found) == 5000
    assert all(reply == {"ok": True} for reply in found.values() if reply["ok"])
    paths = {str(n): [error["path"] for error in refused[n]["errors"]] for n in sorted(refused)}
    assert paths == expected


def each_dirty_record_gets_one_reply(command):
    records = records_of(RECORDS / "dirty.ndjson")
    found = answers(command, records)
    assert found.keys() == records.keys()
    assert all(reply["ok"] or reply["errors"] for reply in found.values())


def a_reply_comes_before_the_next_request(command):
    records = {number: ANA for number in range(200)}
    assert len(answers(command, records, window=1)) == 200


def narrow_pipes_are_no_deadlock(command):
    records = records_of(RECORDS / "users.ndjson")
    assert len(answers(command, records, pipe_size=4096)) == 5000


def long_records_arrive_whole(command):
    pad = json.dumps({"bio": 'é日"\\ ' * 40_000}, ensure_ascii=False).encode()[1:]
    record = ANA[:-1] + b"," + pad
    assert len(record) > 400_000
    assert answers(command, {1: record, 2: ANA, 3: record}) == {n: {"ok": True} for n in (1, 2, 3)}


def ids_are_opaque(command):
    records = {number: ANA for number in (2**53 - 1, 0, 7, 3, 2**32)}
    assert answers(command, records) == {number: {"ok": True} for number in records}


def the_end_of_input_is_the_end(command):
    assert answers(command, {}) == {}
    worker = Worker(command)
    for number in range(100):
        worker.send(number, ANA)
    worker.child.stdin.close()
    assert {worker.reply()["id"] for _ in range(100)} == set(range(100))
    worker.close()


def a_closed_stdout_is_an_end(command):
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, bufsize=0,
    ) as child:
        child.stdout.close()
        deadline = time.monotonic() + LIMIT
        try:
            while child.poll() is None and time.monotonic() < deadline:
                child.stdin.write(b'{"id":1,"record":%s}\n' % ANA)
        except BrokenPipeError:
            pass
        child.stdin.close()
        assert child.wait(LIMIT) != 0, "exit code 0, though nobody reads"


CHECKS = (
    good_records_keep_their_bytes,
    bad_records_get_all_their_errors,
    users_get_the_verdicts_they_were_made_for,
    each_dirty_record_gets_one_reply,
    a_reply_comes_before_the_next_request,
    narrow_pipes_are_no_deadlock,
    long_records_arrive_whole,
    ids_are_opaque,
    the_end_of_input_is_the_end,
    a_closed_stdout_is_an_end,
)


def main():
    failed = 0
    for check in CHECKS:
        try:
            check(sys.argv[1:])
        except (AssertionError, ValueError, OSError, subprocess.TimeoutExpired) as problem:
            failed += 1
            print(f"FAILED: {check.__name__}: {problem}", file=sys.stderr)
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
