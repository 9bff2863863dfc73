#!/usr/bin/env python3
"""Tests the helpers, esteira_worker.py, esteira_worker.js and esteira_fork.js, with small workers:

    python3 validators/cases/helpers.py
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from records import ENVIRONMENT, LIMIT, Worker

VALIDATORS = Path(__file__).resolve().parent.parent

# What a record asks for in "do".
PYTHON = """
import subprocess, sys
sys.path.insert(0, sys.argv[1])
from esteira_worker import Drop, Reject, Replace, serve

def judge(record):
    do = record["do"]
    if do == "accept": return True
    if do == "drop": return Drop
    if do == "raise drop": raise Drop
    if do == "reject": return Reject("why", {"path": "/do", "code": "so", "message": "because"})
    if do == "raise reject": raise Reject("why")
    if do == "reject without a word": return Reject()
    if do == "replace": return Replace(record["with"])
    if do == "print": print("stray"); sys.stdout.write("stray\\n")
    if do == "start": subprocess.run(["sh", "-c", "echo stray; cat"])
    if do == "fail": raise KeyError("a bug")
    if do == "no verdict": return {"ok": False}

serve(judge)
"""
NODE = """
const { serve, replace, reject, drop } = require(process.argv[2] + '/esteira_worker');
const later = (verdict, ms) => new Promise((resolve) => setTimeout(resolve, ms, verdict));

serve((record) => {
  switch (record.do) {
    case 'accept': return true;
    case 'drop': return drop;
    case 'raise drop': throw drop;
    case 'reject': return reject('why', { path: '/do', code: 'so', message: 'because' });
    case 'raise reject': throw reject('why');
    case 'reject without a word': return reject();
    case 'replace': return replace(record.with);
    case 'print': console.log('stray'); process.stdout.write('stray\\n'); return undefined;
    case 'wait': return later(undefined, record.ms);
    case 'fail later': return later().then(() => { throw new Error('a bug'); });
    case 'fail': throw new Error('a bug');
    case 'no verdict': return { ok: false };
    default: return undefined;
  }
});
"""
BATCHES = """
import sys
sys.path.insert(0, sys.argv[1])
from esteira_worker import Drop, Reject, serve_batches

def judge(records):
    print("batch of", len(records))
    return [Drop if record % 2 else Reject(str(record)) for record in records]

serve_batches(judge, limit=10)
"""
# The child of a fork(), which knows nothing of esteira, and whose timer would keep it alive.
FORK = """
setInterval(() => {}, 1000);
let busy = false;
process.on('message', async (user) => {
  if (busy) throw new Error('two at a time');
  busy = true;
  console.log('saving', user);
  await new Promise((resolve) => setTimeout(resolve, 1));
  busy = false;
  if (user.do === 'accept') process.send('done');
  else if (user.do === 'error') process.send({ error: new Error('it is taken') });
  else if (user.do === 'twice') { process.send('done'); process.send('done'); }
  else process.send(user.with);
});
"""


class Helper:
    """A worker in a language, written to a file of its own."""

    def __init__(self, folder, name, source, command):
        path = Path(folder) / name
        path.write_text(source)
        self.command = [*command, str(path)]
        if name != "fork.js":
            self.command.append(str(VALIDATORS / command[0].replace("python3", "python")))

    def replies_to(self, *records):
        """The replies to records sent in a row, by their place, from 0."""
        worker = Worker(self.command, stderr=subprocess.DEVNULL)
        for number, record in enumerate(records):
            worker.send(number, json.dumps(record).encode())
        worker.child.stdin.close()
        replies = {}
        for _ in records:
            reply = worker.reply()
            replies[reply.pop("id")] = reply
        worker.close()
        return [replies[number] for number in range(len(records))]

    def run(self, *requests):
        return subprocess.run(
            self.command, input=b"".join(line + b"\n" for line in requests), env=ENVIRONMENT,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LIMIT,
        )


def request(number, record):
    return json.dumps({"id": number, "record": record}).encode()


def verdicts(helper):
    why = {"path": "/do", "code": "so", "message": "because"}
    cases = {
        "accept": {"ok": True},
        "nothing": {"ok": True},
        "print": {"ok": True},
        "drop": {"drop": True},
        "raise drop": {"drop": True},
        "reject": {"ok": False, "errors": ["why", why]},
        "raise reject": {"ok": False, "errors": ["why"]},
        "reject without a word": {"ok": False, "errors": ["rejected"]},
    }
    found = helper.replies_to(*({"do": do} for do in cases))
    assert found == list(cases.values()), found


def replacements(helper):
    values = [None, True, [], "é日\n\u2028\ud800", 1.5, {"a": {"b": [1, "x"]}}, "x" * 300_000]
    found = helper.replies_to(*({"do": "replace", "with": value} for value in values))
    assert found == [{"ok": True, "record": value} for value in values], found


def stray_prints(helper):
    child = helper.run(request(1, {"do": "print"}))
    lines = child.stdout.splitlines()
    assert [json.loads(line) for line in lines] == [{"ready": True}, {"id": 1, "ok": True}], lines
    assert child.stderr.splitlines() == [b"stray"] * 2, child.stderr


def bugs_end_it(helper, *more):
    for do in ("fail", "no verdict", *more):
        # What came before is answered all the same.
        child = helper.run(request(1, {"do": "accept"}), request(2, {"do": do}))
        assert child.returncode == 1, f"{do}: exit code {child.returncode}"
        assert child.stdout.endswith(b'{"id":1,"ok":true}\n'), child.stdout
        assert b"a bug" in child.stderr or b"not a verdict" in child.stderr, child.stderr


def python_children_read_and_write_elsewhere(helper):
    records = [{"do": "start"}, {"do": "accept"}, {"do": "accept"}]
    assert helper.replies_to(*records) == [{"ok": True}] * 3


def numbers_as_python_reads_them(helper):
    long = b"7" * 6000
    child = helper.run(b'{"id":1,"record":{"do":"replace","with":[%s,1e2]}}' % long)
    assert child.stdout.endswith(b'{"id":1,"ok":true,"record":[%s,100.0]}\n' % long), child.stderr
    child = helper.run(b'{"id":1,"record":{"do":"replace","with":1e400}}')
    assert child.returncode == 1 and b"not JSON compliant" in child.stderr, child.stderr


def replies_of_node_overtake(helper):
    worker = Worker(helper.command, stderr=subprocess.DEVNULL)
    worker.send(1, b'{"do":"wait","ms":300}')
    worker.send(2, b'{"do":"wait","ms":1}')
    worker.child.stdin.close()
    assert [worker.reply()["id"] for _ in range(2)] == [2, 1]
    worker.close()


def batches(helper):
    assert helper.replies_to() == []
    child = helper.run(*(request(number, number) for number in range(100, 125)))
    replies = [json.loads(line) for line in child.stdout.splitlines()[1:]]
    assert replies == [
        {"id": n, "drop": True} if n % 2 else {"id": n, "ok": False, "errors": [str(n)]}
        for n in range(100, 125)
    ], replies
    assert child.stderr.splitlines() == [b"batch of 10", b"batch of 10", b"batch of 5"]


def no_batch_waits_for_more(helper):
    worker = Worker(helper.command, stderr=subprocess.DEVNULL)
    for number in range(30):
        worker.send(number, b"1")
        assert worker.reply() == {"id": number, "drop": True}
    # A request in two pieces is one.
    worker.child.stdin.write(b'{"id":99,"rec')
    threading.Event().wait(0.1)
    worker.child.stdin.write(b'ord":1}\n')
    assert worker.reply() == {"id": 99, "drop": True}
    worker.close()


def fork(helper):
    cases = [
        ({"do": "accept"}, {"ok": True}),
        ({"do": "error"}, {"ok": False, "errors": ["it is taken"]}),
        ({"with": {"ok": False, "errors": ["no"]}}, {"ok": False, "errors": ["no"]}),
        ({"with": {"ok": True, "record": 7}}, {"ok": True, "record": 7}),
        ({"with": {"drop": True}}, {"drop": True}),
        ({"with": {"id": 7}}, {"ok": True}),
    ]
    found = helper.replies_to(*(record for record, _ in cases))
    assert found == [reply for _, reply in cases], found
    child = helper.run(request(1, {"do": "twice"}))
    assert child.returncode == 1 and b"without a record" in child.stderr, child.stderr
    child = helper.run(request(1, {"do": "accept"}))
    assert child.stderr == b"saving { do: 'accept' }\n", child.stderr


def main():
    with tempfile.TemporaryDirectory() as folder:
        python = Helper(folder, "worker.py", PYTHON, ["python3"])
        node = Helper(folder, "worker.js", NODE, ["node"])
        grouped = Helper(folder, "batches.py", BATCHES, ["python3"])
        preload = ["node", "-r", str(VALIDATORS / "node" / "esteira_fork.js")]
        forked = Helper(folder, "fork.js", FORK, preload)
        checks = [
            (verdicts, python), (verdicts, node),
            (replacements, python), (replacements, node),
            (stray_prints, python), (stray_prints, node),
            (bugs_end_it, python), (bugs_end_it, node, "fail later"),
            (python_children_read_and_write_elsewhere, python),
            (numbers_as_python_reads_them, python),
            (replies_of_node_overtake, node),
            (batches, grouped), (no_batch_waits_for_more, grouped),
            (fork, forked),
        ]
        failed = 0
        for check, helper, *rest in checks:
            try:
                check(helper, *rest)
            except (AssertionError, ValueError, OSError, subprocess.TimeoutExpired) as problem:
                failed += 1
                name = os.path.basename(helper.command[-1])
                print(f"FAILED: {check.__name__} of {name}: {problem}", file=sys.stderr)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
