#!/usr/bin/env python3
"""Tests validate_user.py as a child process: python3 validators/python/test_validate_user.py"""

import io
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
CASES = HERE.parent / "cases"
RECORDS = HERE.parent.parent / "fixtures" / "records"
PROGRAM = [sys.executable, str(HERE / "validate_user.py")]

# Set in many containers: the validator must do without.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}

USER = (
    b'{"id":7,"name":"Ana","email":"ana@example.com","created_at":"2024-02-29"'
    + ',"x":"é \\u00e9 \\" 1e2"}'.encode()
)


def user_with(field):
    """The valid user with one more field, given as bytes."""
    return USER[:-1] + b"," + field + b"}"


def start(*options, **pipes):
    return subprocess.Popen([*PROGRAM, *options], env=ENVIRONMENT, **pipes)


class Contract(unittest.TestCase):
    """What goes in, and what comes out where."""

    def run_on(self, content):
        """Returns stdout and the lines of stderr; the exit code must be 0."""
        child = subprocess.run(
            PROGRAM, input=content, env=ENVIRONMENT, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        self.assertEqual(child.returncode, 0, child.stderr)
        return child.stdout, child.stderr.decode("ascii").splitlines()

    def assert_passes(self, content):
        self.assertEqual(self.run_on(content), (content, []))

    def assert_refuses(self, line, message):
        # Between two good lines, which it must not touch.
        output = self.run_on(USER + b"\n" + line + b"\n" + USER + b"\n")
        self.assertEqual(output, ((USER + b"\n") * 2, [f"line 2: {message}"]))

    def test_good_cases_pass(self):
        self.assert_passes((CASES / "good.ndjson").read_bytes())

    def test_bad_cases_are_refused(self):
        messages = (CASES / "bad.messages").read_text().splitlines()
        output, complaints = self.run_on((CASES / "bad.ndjson").read_bytes())
        self.assertEqual(output, b"")
        self.assertEqual(
            complaints, [f"line {number}: {message}" for number, message in enumerate(messages, 1)]
        )

    def test_users_get_the_verdicts_they_were_made_for(self):
        expected = json.loads((RECORDS / "users.expect.json").read_text())["reject"]
        lines = (RECORDS / "users.ndjson").read_bytes().splitlines(keepends=True)
        good = [line for number, line in enumerate(lines, 1) if str(number) not in expected]
        output, complaints = self.run_on(b"".join(lines))
        self.assertEqual(output.splitlines(keepends=True), good)
        found = {}
        for complaint in complaints:
            number, problems = re.fullmatch(r"line (\d+): (.*)", complaint).groups()
            found[number] = [problem.split(" ")[0] for problem in problems.split("; ")]
        self.assertEqual(found, expected)

    def test_each_dirty_line_passes_or_is_complained_of_once(self):
        content = (RECORDS / "dirty.ndjson").read_bytes()
        lines = content.split(b"\n")
        output, complaints = self.run_on(content)
        passed = output.split(b"\n")[:-1]
        self.assertTrue(passed)
        self.assertEqual(len(passed) + len(complaints), len(lines))
        refused = {int(re.match(r"line (\d+): ", complaint)[1]) for complaint in complaints}
        self.assertEqual(
            passed, [line for number, line in enumerate(lines, 1) if number not in refused]
        )

    def test_empty_input(self):
        self.assert_passes(b"")

    def test_carriage_returns_stay(self):
        self.assert_passes(USER + b"\r\n" + b"{\r" + USER[1:] + b"\n")

    def test_last_line_without_line_feed_gets_one(self):
        self.assertEqual(self.run_on(USER), (USER + b"\n", []))
        self.assertEqual(self.run_on(USER + b"\r"), (USER + b"\r\n", []))
        self.assertEqual(
            self.run_on(USER + b"\nnot json"), (USER + b"\n", ["line 2: not a JSON object"])
        )

    def test_blank_lines_are_no_records(self):
        for line in (b"", b" ", b"\t", b"\r"):
            with self.subTest(line=line):
                self.assert_refuses(line, "not a JSON object")

    def test_invalid_utf8(self):
        for bad in (
            b"\xff", b"\xe9", b"\x80", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x9a", b"\xc0\xaf",
            b"\xc0\xa2", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xed\xa0\x80",
            b"\xed\xa0\xbd\xed\xba\x80", b"\xf4\x90\x80\x80",
        ):
            with self.subTest(bytes=bad):
                self.assert_refuses(user_with(b'"y":"' + bad + b'"'), "not UTF-8")

    def test_other_encodings_are_not_guessed(self):
        self.assert_refuses(b"\xff\xfe{\0}\0", "not UTF-8")
        self.assert_refuses(b"{\0}\0", "not a JSON object")
        self.assert_refuses(b"\xef\xbb\xbf" + USER, "not a JSON object")

    def test_what_python_reads_and_json_is_not(self):
        for value in (b"NaN", b"Infinity", b"-Infinity", b"01", b"1.", b".5", b"+1", b"'a'",
                      b'"\t"', b'"\x00"', b'"\x1f"', b"[1,]", b'"\\x41"'):
            with self.subTest(value=value):
                self.assert_refuses(user_with(b'"y":' + value), "not a JSON object")
        for space in (b"\x0b", b"\x0c", "\u00a0".encode(), "\u2028".encode()):
            with self.subTest(space=space):
                self.assert_refuses(USER + space, "not a JSON object")

    def test_odd_but_right(self):
        for value in (b'"\\ud800"', b'"\\u0000"', b'"\x7f"', b"1e400", b"-0.0E-0", b"9" * 6000,
                      "\"\ufffd\ufeff\U0010ffff\"".encode()):
            with self.subTest(value=value[:20]):
                self.assert_passes(user_with(b'"y":' + value) + b"\n")

    def test_integers_too_long_for_python_are_integers(self):
        long_id = USER.replace(b'"id":7', b'"id":' + b"7" * 6000)
        self.assert_passes(long_id + b"\n")
        self.assert_refuses(
            long_id.replace(b'"id":7', b'"id":-7'), "/id is not an integer from 1"
        )
        self.assert_refuses(long_id[:-1] + b',"y":NaN}', "not a JSON object")

    def test_strings_are_compared_decoded(self):
        rest = b'"name":"Ana","email":"ana\\u0040example.com","created_at":"2024-02-2\\u0039"}'
        self.assert_passes(b'{"\\u0069d":1,' + rest + b"\n")
        self.assert_refuses(b'{"id":1,"\\u0069d":0,' + rest, "/id is not an integer from 1")
        self.assert_refuses(
            b'{"id":1,"tags":["a","\\u0061"],' + rest, "/tags is not an array of unique strings"
        )

    def test_deep_nesting_is_refused_not_fatal(self):
        self.assert_refuses(user_with(b'"y":' + b"[" * 100_000), "not a JSON object")


class Streams(unittest.TestCase):
    """When output is written, and what happens when nobody wants it."""

    def writes(self, python_options=(), options=()):
        """The writes that ten good lines lead to: a datagram socket keeps them apart."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with ours, theirs:
            command = [PROGRAM[0], *python_options, PROGRAM[1], *options]
            subprocess.run(
                command, input=(USER + b"\n") * 10, stdout=theirs, env=ENVIRONMENT, timeout=60,
                check=True,
            )
            ours.setblocking(False)
            found = []
            try:
                while True:
                    found.append(ours.recv(1 << 16))
            except BlockingIOError:
                return found

    def test_output_is_written_in_blocks(self):
        self.assertEqual(self.writes(), [(USER + b"\n") * 10])

    def test_flush_writes_each_line(self):
        self.assertEqual(self.writes(options=["--flush"]), [USER + b"\n"] * 10)

    def test_python_u_writes_each_line(self):
        self.assertEqual(self.writes(python_options=["-u"]), [USER + b"\n"] * 10)

    def test_output_before_the_end_of_input(self):
        with tempfile.NamedTemporaryFile() as output:
            with start(stdin=subprocess.PIPE, stdout=output) as child:
                child.stdin.write((USER + b"\n") * 5000)
                child.stdin.flush()
                deadline = time.monotonic() + 10
                while not os.path.getsize(output.name) and time.monotonic() < deadline:
                    time.sleep(0.01)
                seen = os.path.getsize(output.name)
                child.stdin.close()
            self.assertGreater(seen, 0)
            self.assertEqual(Path(output.name).read_bytes(), (USER + b"\n") * 5000)

    def test_broken_pipe_is_a_quiet_end(self):
        for options, lines in (((), 1), ((), 5000), (("--flush",), 5000)):
            with self.subTest(options=options, lines=lines), tempfile.TemporaryFile() as users:
                users.write((USER + b"\n") * lines)
                users.seek(0)
                reader, writer = os.pipe()
                os.close(reader)
                with start(*options, stdin=users, stdout=writer, stderr=subprocess.PIPE) as child:
                    os.close(writer)
                    self.assertEqual(child.stderr.read(), b"")
                self.assertEqual(child.returncode, 1)


def main(tests):
    log = io.StringIO()
    suite = unittest.defaultTestLoader.loadTestsFromModule(tests)
    result = unittest.TextTestRunner(stream=log).run(suite)
    if not result.wasSuccessful():
        sys.stderr.write(log.getvalue())
    broken = {test.id().split(" ")[0] for test, _ in result.failures + result.errors}
    print(f"{result.testsRun - len(broken)} passed, {len(broken)} failed")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
