"""A worker of a pool that keeps its protocol, but for what it is told to do wrong, and when.

    worker.py records|lines|command [--reject N] [--drop N] [--replace N] [--with TEXT]
              [--do ACT …] [--at K | --id N] [--once FILE] …

It refuses, drops or replaces records whose number in --field can be divided by N, and keeps all
others. What it does besides is an ACT, `NAME` or `NAME:VALUE`, one of the methods `do_NAME` below:
at the K-th record that this process reads (0: before the first), or at each record whose number
is N; with --once only the first process that comes to it does it.

In texts, `\\n` and `\\xff` are what Python takes them for, @id is the id of the request, @record the
record as it came, @n the number in its field, @key what stands under "key", and @worker the
number of this worker.
"""

import argparse
import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import time

REQUEST = re.compile(rb'\{"id":(\d+),"record":(.*)\}', re.DOTALL)
# As spelt by somebody who cares for every byte.
REPLACED = rb'{"id":@n, "x":1.50e1,"x":[ ] ,"big":12345678901234567890123,"s":"\u00e9\/"}'


def options():
    """Reads the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("protocol", choices=["records", "lines", "command"])
    parser.add_argument("--field", default="id")
    for verdict in ("reject", "drop", "replace"):
        parser.add_argument(f"--{verdict}", type=int, metavar="N")
    parser.add_argument("--with", dest="text", help="what a record is replaced with")
    parser.add_argument("--echo", action="store_true", help="what is kept is sent back, too")
    parser.add_argument("--do", metavar="ACT")
    parser.add_argument("--at", type=int, metavar="K")
    parser.add_argument("--id", type=int, metavar="N")
    parser.add_argument("--once", metavar="FILE")
    parser.add_argument("--ready", choices=["first", "late", "twice"])
    parser.add_argument("--order", choices=["reverse", "shuffle"])
    parser.add_argument("--window", type=int, default=16, help="in which order is changed")
    parser.add_argument("--buffer", action="store_true", help="answers nothing before the end")
    parser.add_argument("--deaf", action="store_true", help="ignores SIGTERM")
    parser.add_argument("--end", type=int, default=0, metavar="CODE")
    parser.add_argument("--tell", metavar="FILE", help="collects `WORKER PID NUMBER` of answers")
    return parser.parse_args()


def until(holds):
    """Waits for a condition."""
    while not holds():
        select.select([], [], [], 0.002)


def write(fd, data):
    """Writes all of it."""
    while data:
        data = data[os.write(fd, data) :]


class Record:
    """A record and what is known of it."""

    def __init__(self, worker, line):
        self.id, self.text = b"", line
        if worker.o.protocol == "records" and line:
            self.id, self.text = REQUEST.fullmatch(line).groups()
        try:
            value = json.loads(self.text)
        except ValueError:
            value = None
        fields = value if isinstance(value, dict) else {}
        number = fields.get(worker.o.field)
        self.number = number if type(number) is int else None
        self.key = json.dumps(fields.get("key")).encode()

    def fill(self, text):
        """Puts what is known of the record into a text."""
        known = {b"@id": self.id, b"@record": self.text, b"@n": str(self.number).encode()}
        known |= {b"@key": self.key, b"@worker": os.environ.get("ESTEIRA_WORKER", "").encode()}
        return re.sub(rb"@(id|record|n|key|worker)\b", lambda found: known[found[0]], text)


class Worker:
    """A process that reads records and answers them."""

    def __init__(self, o):
        self.o = o
        self.read = 0
        # Answers not yet written, each with the record it is for; those to come later; how many.
        self.answers, self.held = [], []
        self.drips = self.mute = False
        self.tell = o.tell and os.open(o.tell, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def work(self):
        """Does all of it."""
        if self.o.deaf:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if self.o.ready == "late":
            self.do_log(None, b"", "1")
            self.do_think(None, b"", "0.3")
        if self.o.ready:
            write(1, b'{"ready":true}\n' * (2 if self.o.ready == "twice" else 1))
        nothing = Record(self, b"")
        if self.o.at == 0 and self.is_due(nothing):
            self.answers.append((nothing, self.act(nothing, b"")))
            self.flush()
        for lines in self.windows():
            for line in lines:
                self.take(line)
            if not self.o.buffer:
                self.flush()
        self.answers += [(record, answer) for _, record, answer in self.held]
        self.flush()
        os._exit(self.o.end)

    def windows(self):
        """Reads to the end: the lines that are there, at most so many at a time."""
        rest = b""
        while chunk := os.read(0, 1 << 16):
            *lines, rest = (rest + chunk).split(b"\n")
            for start in range(0, len(lines), self.o.window):
                yield lines[start : start + self.o.window]

    def take(self, line):
        """Finds the answer for a line."""
        self.read += 1
        record = Record(self, line)
        answer = self.honest(record)
        if self.is_due(record):
            answer = self.act(record, answer)
        self.answers.append((record, answer))
        due = [held for held in self.held if held[0] <= self.read]
        self.held = [held for held in self.held if held[0] > self.read]
        self.answers += [(record, answer) for _, record, answer in due]

    def is_due(self, record):
        """Tells whether something is to be done wrong at a record."""
        if not self.o.do or (self.read != self.o.at and self.o.at is not None):
            return False
        if self.o.id is not None and self.o.id != record.number:
            return False
        if self.o.once:
            try:
                os.close(os.open(self.o.once, os.O_CREAT | os.O_EXCL, 0o600))
            except FileExistsError:
                return False
        return True

    def verdict(self, record):
        """Tells what is to become of a record."""
        for verdict in ("reject", "drop", "replace"):
            by = getattr(self.o, verdict)
            if by and record.number is not None and record.number % by == 0:
                return verdict
        return "keep"

    def honest(self, record):
        """Says what the protocol wants to hear about a record."""
        verdict = self.verdict(record)
        text = self.text(record, self.o.text) if self.o.text else record.fill(REPLACED)
        if verdict == "keep" and self.o.echo:
            verdict, text = "replace", record.text
        if self.o.protocol == "records":
            error = b'{"path":"/id","code":"number","message":"@n is refused"}'
            says = {
                "keep": b'"ok":true',
                "drop": b'"drop":true',
                "replace": b'"ok":true,"record":' + text,
                "reject": b'"ok":false,"errors":[' + record.fill(error) + b"]",
            }
            return b'{"id":' + record.id + b"," + says[verdict] + b"}\n"
        says = {"keep": record.text, "drop": b"null", "replace": text, "reject": b"null"}
        return says[verdict] + b"\n"

    def text(self, record, text):
        """Reads a text of the command line."""
        return record.fill(text.encode().decode("unicode_escape").encode("latin-1"))

    def flush(self):
        """Writes the answers that are due."""
        if self.o.order == "reverse":
            self.answers.reverse()
        elif self.o.order == "shuffle":
            random.shuffle(self.answers)
        answers, self.answers = self.answers, []
        self.say(b"".join(answer for _, answer in answers))
        if self.tell:
            name = f"{os.environ.get('ESTEIRA_WORKER')} {os.getpid()}"
            silent = self.o.protocol == "command"
            told = (f"{name} {record.number}\n" for record, answer in answers if answer or silent)
            write(self.tell, "".join(told).encode())

    def say(self, text):
        """Writes to stdout."""
        size = 1 if self.drips else len(text) or 1
        for start in range(0, 0 if self.mute else len(text), size):
            write(1, text[start : start + size])

    def act(self, record, honest):
        """Does what it was told to; returns the answer for the record."""
        name, _, value = self.o.do.partition(":")
        return getattr(self, "do_" + name.replace("-", "_"))(record, honest, value)

    # What ends or stops it. All that came before is answered.

    def do_exit(self, _record, _honest, code):
        self.flush()
        print("this one is too much", file=sys.stderr, flush=True)
        os._exit(int(code))

    def do_kill(self, _record, honest, name):
        self.flush()
        print("this one is too much", file=sys.stderr, flush=True)
        os.kill(os.getpid(), getattr(signal, "SIG" + name))
        return honest

    def do_hang(self, *_):
        self.flush()
        while True:
            signal.pause()

    def do_torn(self, record, honest, how):
        self.flush()
        write(1, honest[: len(honest) // 2])
        name, _, value = how.partition(":")
        getattr(self, "do_" + name)(record, b"", value)

    def do_close_stdin(self, record, honest, how):
        self.flush()
        os.close(0)
        write(1, honest)
        if how == "exit":
            os._exit(0)
        self.do_hang()

    def do_close_stdout(self, record, honest, how):
        self.flush()
        os.close(1)
        self.mute = True
        if how == "hang":
            self.do_hang()
        return b""

    # What makes it late.

    def do_mute(self, *_):
        self.flush()
        self.mute = True
        return b""

    def do_late(self, record, honest, records):
        self.held.append((self.read + int(records), record, honest))
        return b""

    def do_await(self, _record, honest, name):
        self.flush()
        until(lambda: os.path.exists(name))
        return honest

    def do_meet(self, _record, honest, value):
        """Waits until so many processes have come to a folder."""
        self.flush()
        count, _, folder = value.partition(":")
        os.makedirs(folder, exist_ok=True)
        os.close(os.open(os.path.join(folder, str(os.getpid())), os.O_CREAT, 0o600))
        until(lambda: len(os.listdir(folder)) >= int(count))
        return honest

    def do_think(self, _record, honest, seconds):
        while time.process_time() < float(seconds):
            pass
        return honest

    def do_drip(self, _record, honest, _value):
        self.drips = True
        return honest

    # What it should not say.

    def do_skip(self, *_):
        return b""

    def do_say(self, record, _honest, text):
        return self.text(record, text) + b"\n"

    def do_print(self, record, honest, text):
        return self.text(record, text) + b"\n" + honest

    def do_long(self, _record, _honest, size):
        """A line without end, of so many bytes; 0 is for ever."""
        self.flush()
        left = int(size) or sys.maxsize
        while left > 0:
            write(1, b"x" * min(left, 1 << 16))
            left -= 1 << 16
        self.do_hang()

    def do_log(self, _record, honest, count):
        for number in range(int(count)):
            write(1, b'{"log":"warn","message":"line %d of\\nmany"}\n' % number)
        return honest

    def do_stderr(self, _record, honest, size):
        for _ in range(int(size) >> 16):
            write(2, b"all is well" + b"!" * ((1 << 16) - 12) + b"\n")
        return honest

    # Whom it leaves behind.

    def do_family(self, _record, honest, how):
        closed = None if how == "holds" else subprocess.DEVNULL
        streams = {"stdin": closed, "stdout": closed, "stderr": closed}
        subprocess.Popen(["sleep", "1000000"], start_new_session=True, **streams)
        return honest


class Command(Worker):
    """A process for one record, whose exit code is its answer."""

    def work(self):
        record = Record(self, sys.stdin.buffer.read().removesuffix(b"\n"))
        self.read = 1
        verdict = self.verdict(record)
        answer = self.honest(record) if verdict == "replace" or self.o.echo else b""
        if self.is_due(record):
            answer = self.act(record, answer)
        if verdict == "reject":
            print(f"{record.number} is refused", file=sys.stderr, flush=True)
        self.answers.append((record, answer))
        self.flush()
        os._exit(1 if verdict == "reject" else self.o.end)


if __name__ == "__main__":
    o = options()
    (Command if o.protocol == "command" else Worker)(o).work()
