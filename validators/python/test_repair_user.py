#!/usr/bin/env python3
"""Tests repair_user.py as a child process: python3 validators/python/test_repair_user.py"""

import json
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cases"))

from records import ANA, RECORDS, Worker, answers, records_of  # noqa: E402
from test_validate_user import main  # noqa: E402

PROGRAM = [sys.executable, str(HERE / "repair_user.py")]
USER = json.loads(ANA)


class Repair(unittest.TestCase):
    def reply_to(self, letter):
        worker = Worker(PROGRAM)
        worker.send(1, json.dumps(letter).encode())
        reply = worker.reply()
        worker.close()
        return reply

    def becomes(self, field, before, after):
        """What a field becomes that is at fault; None: it is left out."""
        errors = [{"path": f"/{field}", "code": "type", "message": "is wrong"}]
        reply = self.reply_to({"record": {**USER, field: before}, "errors": errors, "line": 7})
        wanted = {key: value for key, value in {**USER, field: after}.items() if value is not None}
        self.assertEqual(reply, {"id": 1, "ok": True, "record": wanted}, (field, before))

    def test_what_can_be_meant_in_one_way_only(self):
        for field, before, after in (
            ("id", "1042", 1042), ("id", 12.0, 12), ("id", 1e3, 1000),
            ("age", "34", 34), ("age", 18.0, 18), ("age", None, None),
            ("active", "yes", True), ("active", "FALSE", False), ("active", 1, True),
            ("active", 0, False), ("active", None, None),
            ("tags", "admin", ["admin"]), ("tags", ["a", "b", "a"], ["a", "b"]),
            ("tags", None, None),
            ("email", " ana@example.com\n", "ana@example.com"),
            ("created_at", "2024-01-01 10:00:00Z", "2024-01-01T10:00:00Z"),
        ):
            self.becomes(field, before, after)

    def test_what_nobody_can_know_is_rejected_with_what_is_still_wrong(self):
        letter = {
            "record": {**USER, "id": "7", "age": 151, "name": ""},
            "errors": [{"path": path} for path in ("/id", "/age", "/name")],
        }
        reply = self.reply_to(letter)
        found = [(error["path"], error["code"]) for error in reply["errors"]]
        self.assertEqual((reply["ok"], found), (False, [("/name", "empty"), ("/age", "range")]))

    def test_fields_that_are_not_at_fault_stay(self):
        record = {**USER, "age": "34", "x": "5"}
        reply = self.reply_to({"record": record, "errors": [{"path": "/age"}]})
        self.assertEqual(reply["record"], {**USER, "age": 34, "x": "5"})

    def test_letters_of_no_json_and_of_no_object(self):
        errors = [{"path": "", "code": "json.syntax", "message": "expected value"}]
        for letter in ({"raw": "bm90IGpzb24=", "errors": errors}, {"record": [], "errors": errors}):
            self.assertEqual(self.reply_to(letter), {"id": 1, "ok": False, "errors": errors})

    def test_the_fixture(self):
        expected = json.loads((RECORDS / "users.expect.json").read_text())["reject"]
        users = records_of(RECORDS / "users.ndjson")
        letters = {
            int(number): b'{"record":%s,"errors":%s}'
            % (users[int(number)], json.dumps([{"path": path} for path in paths]).encode())
            for number, paths in expected.items()
        }
        replies = answers(PROGRAM, letters).values()
        repaired = sum(reply["ok"] for reply in replies)
        self.assertEqual(len(letters), 150)
        self.assertTrue(20 < repaired < 100, repaired)


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
