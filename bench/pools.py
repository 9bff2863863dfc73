"""The workloads with several workers: the protocols `records` and `lines`. What one has is in run.py."""
import os
import shutil
import subprocess

from measure import OUT, Side, in_turn
from sides import HERE, MEMORY_ROUNDS, MIB, PYTHON, behind_sh, more_cpu, own_cpu, rates, ratios

TWO_WORKERS = ("--protocol", "lines", "-j", "2")

# The two halves side by side, each by a child of its own; `$1` is the output, the child is what follows.
HALVES = """
out=$1; shift
"$@" < half.0 > answers.0 & first=$!
"$@" < half.1 > answers.1 || exit
wait "$first" || exit
cat answers.0 answers.1 > "$out"
"""


def records(bench):
    """A request and a reply for each record, by the cheapest worker there is."""
    reply = bench.compiled("reply")
    many_in_flight(bench, reply)
    one_in_flight(bench, reply)
    against_cluster(bench, reply)


def many_in_flight(bench, reply):
    """The default window. What the proof costs that a record is JSON is measured by itself, on a stream."""
    block, lines = bench.block(), bench.lines["block"]
    ours = bench.esteira(block, [reply], options=("--protocol", "records", "-j", "2"))
    proved, unproved = (bench.esteira_run(block, ["cat"], 'check = "%s"' % check, 'check_output = "none"', name)
                        for name, check in (("proved", "json"), ("unproved", "none")))
    runs = in_turn([ours, proved, unproved], bench.rounds, copies=True)
    bench.table.row("records", "2 workers, k records/s", rates(runs[ours.name], lines), 700, at_least=True)
    bench.controller_cpu("records", runs, "us a record", lines / 1e6)
    check = more_cpu(runs[proved.name], runs[unproved.name], lines / 1e6)
    bench.table.row("records", "of which the JSON check, us a record", check)
    rest = [own_cpu(run) / (lines / 1e6) - part for run, part in zip(runs[ours.name], check)]
    bench.table.row("records", "and all else, us a record", rest, 0.7)


def one_in_flight(bench, reply):
    """One worker that gets a record when it has answered the one before: two wake-ups a record, nothing else.

    Where a wake-up has to wake a core as well, that is all there is to see (on the virtual machine this was written on,
    40 us each, for anybody): so it is compared with the least that can be done there, and run on one core besides.
    """
    part, lines = bench.part(), bench.lines["part"]
    stage = 'protocol = "records"\nworkers = 1\nin_flight = { records = 1 }'
    ours = bench.esteira_run(part, [reply], "", stage, "one in flight")
    least = Side("pingpong", [bench.compiled("pingpong"), part, OUT], part)
    one_core = Side("one core", ["taskset", "-c", "0", *ours.argv], part, report="report.json")
    runs = in_turn([least, ours, one_core], bench.rounds, copies=True)
    against = [theirs.wall / mine.wall for mine, theirs in zip(runs[ours.name], runs[least.name])]
    bench.table.row("records", "window 1, k records/s", rates(runs[ours.name], lines))
    bench.table.row("records", "window 1, rate, ratio to pingpong.c", against, 0.9, at_least=True)
    bench.table.row("records", "window 1, one core, k records/s", rates(runs[one_core.name], lines), 90, at_least=True)


def against_cluster(bench, reply):
    """Node's cluster with two workers that do as little."""
    part, lines = bench.part(), bench.lines["part"]
    node = shutil.which("node")
    if node is None:
        bench.table.skip("records", "rate, ratio to cluster.js", "node is not installed")
        return
    script = [node, os.path.join(HERE, "cluster.js"), part, OUT, "2"]
    cluster, usual = Side("cluster.js", script, part), Side("no window", script + ["none"], part)
    ours = bench.esteira(part, [reply], options=("--protocol", "records", "-j", "2"))
    runs = in_turn([cluster, usual, ours], bench.rounds, copies=True)
    bench.table.row("records", "cluster.js, 2 workers, k records/s", rates(runs[cluster.name], lines))
    bench.table.row("records", "rate, ratio to cluster.js",
                    [1 / ratio for ratio in ratios(runs, cluster.name, "wall")])
    bench.table.row("records", "rate, ratio to it without a window",
                    [1 / ratio for ratio in ratios(runs, usual.name, "wall")], 15, at_least=True)


def lines_of_filters(bench):
    """Two validators as people write them, output buffered, the order kept: what the second core is worth."""
    part = bench.part()
    child = [PYTHON, os.path.join(HERE, "filter.py")]
    halve(part)
    peers = [
        (bench.yardstick_program("one child", child, part), 0.62),
        (Side("2 halves by hand", ["sh", "-c", HALVES, "sh", OUT] + child, part), 1.10),
        (Side("Pool.imap", [PYTHON, os.path.join(HERE, "pool_imap.py"), part, OUT, "2", "256"], part), 1 / 1.35),
    ]
    if is_gnu_parallel():
        argv = ["parallel", "--will-cite", "--pipe", "-k", "--block", "10M", "-j2", "-q"] + child
        peers.append((bench.yardstick_program("GNU parallel", argv, part), 1 / 1.3))
    else:
        bench.table.skip("lines", "wall, ratio to GNU parallel", "it is not installed")
    ours = bench.esteira(part, child, checked=False, options=TWO_WORKERS)
    runs = in_turn([side for side, _ in peers] + [ours], bench.rounds, copies=False)
    bench.table.row("lines", "one child, s", [run.wall for run in runs["one child"]])
    bench.table.row("lines", "esteira, s", [run.wall for run in runs[ours.name]])
    for side, target in peers:
        bench.table.row("lines", "wall, ratio to " + side.name, ratios(runs, side.name, "wall"), target)
    bench.controller_cpu("lines", runs, "us a line", bench.lines["part"] / 1e6)


def attribution(bench):
    """Which line out belongs to which line in, for every line: what knowing that costs above merely pumping."""
    block, lines = bench.block(), bench.lines["block"]
    pump = bench.esteira(block, ["cat"], checked=False, name="stream")
    ours = bench.esteira(block, ["cat"], checked=False, options=TWO_WORKERS)
    runs = in_turn([pump, ours], bench.rounds, copies=True)
    bench.controller_cpu("attribution", runs, "s/GB", os.path.getsize(block) / 1e9, target=1.2)
    bench.table.row("attribution", "controller CPU above a stream, ns a record",
                    more_cpu(runs[ours.name], runs[pump.name], lines / 1e9), 30)


def memory_of_pool(bench):
    """Peak memory of the controller with eight workers, each with a window of its own."""
    whole = bench.whole()
    ours = behind_sh(bench.esteira(whole, ["cat"], options=("--protocol", "lines", "-j", "8")))
    runs = in_turn([ours], min(bench.rounds, MEMORY_ROUNDS), copies=True)
    bench.table.row("memory-pool", "peak, MiB, 8 workers, %d MB" % (os.path.getsize(whole) / 1e6),
                    [run.controller and run.controller["peak_rss"] / MIB for run in runs[ours.name]], 32)


def halve(path):
    """Splits a file in two at a line end, as one would by hand; outside the clock."""
    with open(path, "rb") as given, open("half.0", "wb") as first, open("half.1", "wb") as second:
        middle = os.path.getsize(path) // 2
        first.write(given.read(middle))
        first.write(given.readline())
        shutil.copyfileobj(given, second)


def is_gnu_parallel():
    """There is another program of that name, in moreutils."""
    try:
        said = subprocess.run(["parallel", "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              stdin=subprocess.DEVNULL)
    except OSError:
        return False
    return said.stdout.startswith(b"GNU parallel")


WORKLOADS = {
    "records": records,
    "lines": lines_of_filters,
    "attribution": attribution,
    "memory-pool": memory_of_pool,
}
