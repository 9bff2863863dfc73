"""Rows: into SQLite and Postgres and out of them, beside better-sqlite3 and a forked cluster in Node."""
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess

from in_process import against, installed, program
from measure import OUT, Failed, Side, in_turn
from sides import HERE, rates

COLUMNS = ("{ id = \"integer\", name = \"text\", email = \"text\", age = \"integer\", company = \"text\", "
           "address = \"json\", tags = \"json\" }")
ROUNDS = 3


def rows_of(path):
    """How many rows a file of SQLite has, and what their keys sum up to; its size is nobody's business."""
    # One that stays open would hold on to files that the next run makes anew.
    with contextlib.closing(sqlite3.connect(path)) as db:
        return (None, *db.execute("SELECT count(*), sum(id) FROM users").fetchone())


def load(bench, given, name, keys):
    """A run from a file into SQLite."""
    pipeline = name.replace(" ", "-") + ".toml"
    with open(pipeline, "w", encoding="utf-8") as out:
        out.write('[sources.in]\ntype = "file"\npath = %s\n[sinks.db]\ntype = "sqlite"\n' % json.dumps(given))
        out.write('path = %s\ntable = "users"\nkey = "id"\ncolumns = %s\n%s\n' % (json.dumps(OUT), COLUMNS, keys))
    argv = [bench.program, "run", pipeline, "--progress", "none", "--report", "json=report.json"]
    return Side(name, argv, given, report="report.json", writes="rows")


def peers_of(bench, workload):
    """Node with better-sqlite3, if it is to be had; and where its modules are."""
    node = program(bench, "node", workload, ["better-sqlite3"])
    package = ["npm", "install", "--silent", "--prefix", "npm", "better-sqlite3@12"]
    # Where there is none for this machine, it is compiled.
    if node and installed(bench, workload, "better-sqlite3", package, limit=400):
        return ["env", "NODE_PATH=npm/node_modules", node]
    return None


def sqlite_sink(bench):
    """Users into a file of SQLite, a thousand to a transaction."""
    block, lines = bench.block(), bench.lines["block"]
    sides = {name: load(bench, block, "esteira, " + name, 'synchronous = "%s"' % name) for name in ("normal", "full")}
    runs = in_turn(list(sides.values()), ROUNDS, copies=False, look=rows_of)
    targets = {"normal": 220, "full": 180}
    for name, side in sides.items():
        bench.table.row("sqlite-sink", name + ", k rows/s", rates(runs[side.name], lines), targets[name], at_least=True)
    node = peers_of(bench, "sqlite-sink")
    if not node:
        return
    part = bench.part()
    script = os.path.join(HERE, "rows.js")
    ours = load(bench, part, "esteira, a tenth", 'synchronous = "normal"')
    theirs = [(Side(name, node + [script, how, part, OUT], part, writes="rows"), target)
              for name, how, target in (("better-sqlite3", "load", 3), ("a cluster with better-sqlite3", "cluster", 8))]
    runs = in_turn([ours] + [side for side, _ in theirs], ROUNDS, copies=False, look=rows_of)
    for side, target in theirs:
        against(bench, "sqlite-sink", (runs[ours.name], "part"), (runs[side.name], "part"), side.name, target)


def sqlite_source(bench):
    """The same users back, by pages."""
    lines = bench.lines["block"]

    def fill(path):
        side = load(bench, bench.block(), "fill", 'synchronous = "normal"')
        done = subprocess.run(side.argv + ["--set", "sinks.db.path=" + path], stderr=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Failed("the file of SQLite cannot be filled")

    given = bench.made("users.db", fill)
    sides = {}
    for page in (100, 10_000):
        pipeline = "pages-%d.toml" % page
        with open(pipeline, "w", encoding="utf-8") as out:
            out.write('[sources.db]\ntype = "sqlite"\npath = "%s"\ntable = "users"\nkey = "id"\npage = %d\n'
                      % (given, page))
            out.write('columns = ["id", "name", "email", "age"]\n[sinks.file]\ntype = "file"\npath = "%s"\n' % OUT)
        argv = [bench.program, "run", pipeline, "--progress", "none", "--report", "json=report.json"]
        sides[page] = Side("pages of %d" % page, argv, given, report="report.json", writes="rows")
    node = peers_of(bench, "sqlite-source")
    peer = node and Side("better-sqlite3", node + [os.path.join(HERE, "rows.js"), "pages", given, OUT], given,
                         writes="rows")
    runs = in_turn(list(sides.values()) + ([peer] if peer else []), ROUNDS, copies=False)
    for page, side in sides.items():
        target = 500 if page > 100 else None
        bench.table.row("sqlite-source", side.name + ", k rows/s", rates(runs[side.name], lines), target, at_least=True)
    if peer:
        against(bench, "sqlite-source", (runs[sides[100].name], "block"), (runs[peer.name], "block"), peer.name, 3)


def postgres(bench):
    """Users into a server of Postgres, and back."""
    script = os.path.join(HERE, "..", "scripts", "postgres")
    if not (shutil.which("psql") and os.path.exists(script)):
        bench.table.skip("postgres", "k rows/s", "psql is not installed")
        return
    server = subprocess.Popen([script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        url = json.loads(server.stdout.readline())["url"]
        rows_through(bench, url)
    finally:
        server.stdin.close()
        server.wait()


def rows_through(bench, url):
    """The workloads of one server."""
    lines, block = bench.lines["block"], bench.block()
    row, sides = bench.table.row, {}
    for name, keys in (("direct", ""), ("staged", 'on_conflict = "update"')):
        pipeline = "postgres-%s.toml" % name
        with open(pipeline, "w", encoding="utf-8") as out:
            # The copy in a file shows that all of it came.
            out.write('[sources.in]\ntype = "file"\npath = %s\noutput = "%s"\n' % (json.dumps(block), OUT))
            out.write('[sinks.db]\ntype = "postgres"\nurl = "%s"\ninputs = ["in"]\ntable = "users"\nkey = "id"\n' % url)
            out.write('batch = 10000\ncolumns = %s\n%s\n' % (COLUMNS, keys))
        run = "psql -q '%s' -c 'DROP TABLE IF EXISTS users' && exec '%s' run %s --progress none --report json=report.json"
        argv = ["sh", "-c", run % (url, bench.program, pipeline)]
        sides[name] = Side("postgres, " + name, argv, block, report="report.json")
    runs = in_turn(list(sides.values()), ROUNDS, copies=True)
    for name, target in (("direct", 120), ("staged", 60)):
        row("postgres", "sink, %s, k rows/s" % name, rates(runs[sides[name].name], lines), target, at_least=True)
    with open("postgres-pages.toml", "w", encoding="utf-8") as out:
        out.write('[sources.db]\ntype = "postgres"\nurl = "%s"\ntable = "users"\nkey = "id"\npage = 10000\n' % url)
        out.write('columns = ["id", "name", "email", "age"]\n[sinks.file]\ntype = "file"\npath = "%s"\n' % OUT)
    argv = [bench.program, "run", "postgres-pages.toml", "--progress", "none", "--report", "json=report.json"]
    side = Side("postgres, pages", argv, block, report="report.json", writes="rows")
    runs = in_turn([side], ROUNDS, copies=False)
    row("postgres", "source, pages of 10,000, k rows/s", rates(runs[side.name], lines), 200, at_least=True)


WORKLOADS = {
    "sqlite-sink": sqlite_sink,
    "sqlite-source": sqlite_source,
    "postgres": postgres,
}
