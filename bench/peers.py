"""The same work by other programs, side by side with esteira: the page docs/peers.md."""
import os
import resource
import shutil
import subprocess
from statistics import median

from measure import OUT, Side, in_turn
from pools import TWO_WORKERS, is_gnu_parallel
from sides import HERE, MIB, PYTHON

# What each program is, its package, and what its documentation says of what is asked here.
PEERS = {
    "parallel": ("GNU parallel", "parallel", ["parallel", "--version"]),
    "node": ("Node", "nodejs", ["node", "--version"]),
    "mlr": ("Miller", "miller", ["mlr", "--version"]),
    "jq": ("jq", "jq", ["jq", "--version"]),
}

HEAD = """# Beside other programs

Made by `make peers`, which runs `python3 bench/run.py --only peers-cat,peers-validator --markdown docs/peers.md`; nothing
here is written by hand but this text. All commands of a table ran in turn, in each round in another order, on the same
input, into the same file; each output was compared byte by byte with that of the shell (jq and Miller write JSON
their own way, so theirs only with themselves). **Wall** is the median of {rounds} rounds, the least in brackets, start of
the program included; **times** is how many times as long as esteira the peer took, the median over rounds; **CPU** is
that of all processes; **peak** is the largest
process, where it is larger than the harness. [bench/README.md](../bench/README.md) says how it is measured.

{machine}. {versions}.
"""

FOOT = """
## What is compared, and what is not

- The peers are not asked for what they do not do: esteira without checks (`--check none`) stands beside them, and, in
  a row of its own, with each line proved to be JSON on both sides of the child.
- esteira's output is made durable (fsync) and appears whole or not at all; the others' is neither.
- GNU parallel ends with the number of jobs that failed, up to 100 (its manual, EXIT STATUS); each job has a block of many
  records, and which of them failed is for the job to say. It starts a program for each block.
- Node's `writable.write()` takes what it is given although the pipe is full and keeps it in memory; its documentation asks
  to wait for `'drain'`. That is the second of its rows.
- `Pool.imap` of Python keeps the order and hands out chunks; it has no program in another language behind it.
- jq and Miller have no child: they read and write JSON themselves, so they stand for one program instead of two.
"""


def sides_of(given, child, bench):
    """Everyone who can take lines through a child and is there; None with a reason for those who are not."""
    node = [shutil.which("node") or "node", os.path.join(HERE, "spawn.js"), given, OUT]
    parallel = ["parallel", "--will-cite", "-k", "-j2", "--block", "10M"]
    found = {
        "GNU parallel --pipe": ("parallel", bench.yardstick_program("", [*parallel, "--pipe", "-q", *child], given)),
        "GNU parallel --pipepart": ("parallel", Side(
            "", [*parallel, "--pipepart", "-a", given, "-q", *child], given, stdout=OUT)),
        "Node, a line a write": ("node", Side("", [*node, "lines", *child], given)),
        "Node, waiting for drain": ("node", Side("", [*node, "drain", *child], given)),
        "Node, streams piped": ("node", Side("", [*node, "pipe", *child], given)),
    }
    for name, (program, side) in found.items():
        side.name = name
        there = is_gnu_parallel() if program == "parallel" else shutil.which(program)
        yield name, side if there else None, PEERS[program][1]


def cat(bench):
    """A child that does nothing: what it costs to bring lines to it and back."""
    given = bench.block()
    imap = [PYTHON, os.path.join(HERE, "pool_imap.py"), given, OUT, "2", "256", "as-is"]
    sides = [bench.yardstick("cat in | cat > out", 'cat "$1" | cat > "$2"', given),
             bench.esteira(given, ["cat"], checked=False),
             bench.esteira(given, ["cat"], name="esteira, each line checked"),
             Side("Python Pool.imap, no child", imap, given)]
    for name, argv in (("jq -c ., no child", ["jq", "-c", "."]), ("mlr cat, no child", ["mlr", "--ijsonl", "--ojsonl", "cat"])):
        if shutil.which(argv[0]):
            side = bench.yardstick_program(name, argv, given)
            side.writes = name
            sides.append(side)
        else:
            bench.table.skip("peers-cat", name, "not installed: " + PEERS[argv[0]][1])
    run(bench, "peers-cat", sides, given, ["cat"], {
        "Node, a line a write": 8, "GNU parallel --pipe": 3, "Python Pool.imap, no child": 8})


def validator(bench):
    """A Python program that parses each line and judges it, output buffered."""
    given = bench.part()
    child = [PYTHON, os.path.join(HERE, "filter.py")]
    imap = [PYTHON, os.path.join(HERE, "pool_imap.py"), given, OUT, "2", "256"]
    sides = [bench.yardstick_program("filter.py < in > out", child, given),
             bench.esteira(given, child, checked=False, options=TWO_WORKERS),
             bench.esteira(given, child, checked=False, name="esteira, one worker"),
             Side("Python Pool.imap", imap, given)]
    run(bench, "peers-validator", sides, given, child, {})


def run(bench, workload, sides, given, child, targets):
    """Measures all that are there, and keeps the figures for the page."""
    for name, side, package in sides_of(given, child, bench):
        if side:
            sides.append(side)
        else:
            bench.table.skip(workload, name, "not installed: " + package)
    runs = in_turn(sides, bench.rounds, copies=False)
    ours = runs["esteira"]
    rows = []
    for name, theirs in runs.items():
        times = [their.wall / our.wall for their, our in zip(theirs, ours)]
        bench.table.row(workload, name + ", s", [one.wall for one in theirs])
        if name != "esteira":
            bench.table.row(workload, name + ", times esteira's wall", times, targets.get(name), at_least=True)
        rows.append((name, theirs, times))
    bench.pages.append((workload, bench.lines["block" if child == ["cat"] else "part"], rows))


def page(bench, machine, rounds):
    """The measured tables as a page of Markdown."""
    versions = [first_line(*PEERS[peer][::2]) for peer in PEERS]
    text = HEAD.format(rounds=rounds, machine=machine, versions="; ".join(filter(None, versions)))
    titles = {"peers-cat": "`cat` as the child", "peers-validator": "`filter.py` as the child, a validator in Python"}
    for workload, lines, rows in bench.pages:
        text += "\n## %s, %s lines\n\n| | wall, s | times | CPU, s | peak, MiB |\n|---|---:|---:|---:|---:|\n" % (
            titles[workload], format(lines, ","))
        for name, theirs, times in rows:
            wall, cpu = [one.wall for one in theirs], median(one.cpu for one in theirs)
            peak = max(one.peak for one in theirs)
            text += "| %s | %.2f (%.2f) | %.2f | %.2f | %s |\n" % (
                name.replace("|", "\\|"), median(wall), min(wall), median(times), cpu, shown(peak))
    return text + FOOT


def shown(peak):
    """A peak in MiB. Linux hands the peak of who calls exec, which is us, on to the program."""
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    return "%.0f" % (peak / MIB) if peak > ours else "< %.0f" % (ours / MIB + 1)


def first_line(name, argv):
    """What a program says of its version; nothing if it is not there."""
    try:
        said = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    except OSError:
        return ""
    first = said.stdout.decode(errors="replace").splitlines()[:1]
    return "%s: %s" % (name, "".join(first)) if first else ""


WORKLOADS = {"peers-cat": cat, "peers-validator": validator}
