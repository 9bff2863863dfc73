#!/usr/bin/env python3
"""Tests insert_users.py as child processes: python3 validators/python/test_insert_users.py"""

import json
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cases"))

from records import ANA, ENVIRONMENT, LIMIT, RECORDS, Worker, records_of  # noqa: E402
from test_validate_user import main  # noqa: E402

PROGRAM = [sys.executable, str(HERE / "insert_users.py")]


class Insert(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = str(Path(folder.name) / "new" / "app.db")

    def worker(self):
        return Worker([*PROGRAM, self.path])

    def rows(self, query="SELECT id FROM validated_user ORDER BY id"):
        database = sqlite3.connect(self.path)
        try:
            return database.execute(query).fetchall()
        finally:
            database.close()

    def run_on(self, *records):
        """The replies to records, in their order."""
        worker = self.worker()
        for number, record in enumerate(records):
            worker.send(number, record)
        replies = sorted((worker.reply() for _ in records), key=lambda reply: reply["id"])
        worker.close()
        return replies

    def test_what_is_accepted_is_committed_already(self):
        worker = self.worker()
        worker.send(1, ANA)
        self.assertEqual(worker.reply(), {"id": 1, "ok": True})
        worker.child.kill()
        worker.child.wait()
        self.assertEqual(self.rows(), [(7,)])

    def test_four_workers_at_once(self):
        users = list(records_of(RECORDS / "users.ndjson").items())
        expected = json.loads((RECORDS / "users.expect.json").read_text())["reject"]
        workers = [self.worker() for _ in range(4)]
        shares = [users[start::4] for start in range(4)]
        refused = {}
        # 200 at a time fit into a pipe, so no worker waits for us while we wait for another.
        while any(shares):
            sent = []
            for place, worker in enumerate(workers):
                now, shares[place] = shares[place][:200], shares[place][200:]
                for number, record in now:
                    worker.send(number, record)
                sent.append(len(now))
            for worker, count in zip(workers, sent):
                for reply in [worker.reply() for _ in range(count)]:
                    if not reply["ok"]:
                        paths = [error["path"] for error in reply["errors"]]
                        refused[str(reply["id"])] = paths
        for worker in workers:
            worker.close()
        self.assertEqual(refused, expected)
        good = [json.loads(user) for number, user in users if str(number) not in expected]
        self.assertEqual(self.rows(), sorted({(user["id"],) for user in good}))

    def test_doing_it_twice_comes_to_the_same(self):
        full = ANA[:-1] + ',"age":41,"active":true,"tags":["é"]}'.encode()
        for _ in range(2):
            self.assertEqual(self.run_on(full, full), [{"id": n, "ok": True} for n in (0, 1)])
        rows = [(7, "Ana", "ana@example.com", 41, 1, '["é"]', "2024-02-29")]
        self.assertEqual(self.rows("SELECT * FROM validated_user"), rows)

    def test_another_user_of_the_same_id_is_rejected(self):
        eva = ANA.replace(b"Ana", b"Eva")
        error = {"path": "/id", "code": "conflict", "message": "belongs to another user already"}
        refused = {"id": 1, "ok": False, "errors": [error]}
        self.assertEqual(self.run_on(ANA, eva), [{"id": 0, "ok": True}, refused])
        self.assertEqual(self.run_on(ANA, eva), [{"id": 0, "ok": True}, refused])
        self.assertEqual(self.rows("SELECT name FROM validated_user"), [("Ana",)])

    def test_what_the_table_cannot_hold_is_rejected_alone(self):
        replies = self.run_on(
            ANA, ANA.replace(b"7", b"9" * 19, 1), ANA.replace(b"Ana", b"\\ud800"), b"[]"
        )
        found = [[(e["path"], e["code"]) for e in reply.get("errors", [])] for reply in replies]
        self.assertEqual(found, [[], [("/id", "range")], [("/name", "format")], [("", "type")]])
        self.assertEqual(self.rows(), [(7,)])

    def test_a_table_of_another_shape_ends_the_worker(self):
        Path(self.path).parent.mkdir()
        database = sqlite3.connect(self.path)
        database.execute("CREATE TABLE validated_user (id INTEGER PRIMARY KEY)")
        database.close()
        child = subprocess.run(
            [*PROGRAM, self.path], input=b'{"id":1,"record":%s}\n' % ANA, env=ENVIRONMENT,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT,
        )
        self.assertEqual(child.returncode, 1)
        self.assertEqual(child.stdout, b'{"ready":true}\n')
        self.assertIn(b"cannot write to", child.stderr)
        self.assertNotIn(b"Traceback", child.stderr)

    def test_it_waits_for_others_that_write(self):
        self.run_on(ANA)
        other = sqlite3.connect(self.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        worker = self.worker()
        worker.send(1, ANA.replace(b"7", b"8", 1))
        with worker.news:
            self.assertFalse(worker.news.wait_for(lambda: worker.replies, 0.5))
        other.execute("COMMIT")
        other.close()
        self.assertEqual(worker.reply(), {"id": 1, "ok": True})
        worker.close()
        self.assertEqual(self.rows(), [(7,), (8,)])


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
