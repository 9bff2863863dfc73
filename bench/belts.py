"""Workloads of belts: programs one behind the other, and one source for several sinks."""
import json

from measure import Side, in_turn
from sides import ratios

BRANCHES = 4


def chain(bench):
    """Three children that do nothing, one behind the other: what each edge between two children costs."""
    whole = bench.whole()
    shell = bench.yardstick("cat in | cat | cat | cat > out", 'cat "$1" | cat | cat | cat > "$2"', whole)
    stage = '[stages.%s]\nrun = ["cat"]\ncheck_output = "none"\n'
    ours = bench.pipeline(whole, "".join(stage % name for name in "abc"), source='check = "none"')
    runs = in_turn([shell, ours], bench.rounds, copies=True)
    bench.compare("chain", runs, shell.name, target=1.6)


def fan_out(bench):
    """One source for four sinks: reading and checking are done once, writing four times."""
    block = bench.block()
    others = ["other-%d.ndjson" % number for number in range(1, BRANCHES)]
    sink = '[sinks.%s]\ntype = "file"\ninputs = ["users"]\npath = %s\n'
    branches = "".join(sink % (path.split(".")[0], json.dumps(path)) for path in others)
    four = bench.pipeline(block, branches, name="esteira", source="")
    one = bench.pipeline(block, "", name="one")
    # Writing makes whole and durable, as a sink does.
    script = '"$@" && for path in %s; do cat "$0" > "$path" && sync "$path" || exit; done' % " ".join(others)
    extra = Side("one, then cat in > out and sync, thrice", ["sh", "-c", script, block, *one.argv], block,
                 report=one.report)
    runs = in_turn([extra, four], bench.rounds, copies=True)
    bench.table.row("fan-out", "esteira, s", [run.wall for run in runs["esteira"]])
    bench.table.row("fan-out", "wall, ratio to one and three copies", ratios(runs, extra.name, "wall"), 1.3)
    bench.table.row("fan-out", "CPU of all processes, ratio", ratios(runs, extra.name, "cpu"))


def checkpoint(bench):
    """The same pipeline keeping its state, and with a folder for it that cannot be: what `--resume` costs."""
    whole, reply = bench.whole(), bench.compiled("reply")
    kept = bench.esteira_run(whole, [reply], "", 'protocol = "records"\nworkers = 2', "esteira")
    unkept = Side("no state", [*kept.argv, "--state-dir", "/dev/null"], whole, report=kept.report)
    runs = in_turn([unkept, kept], bench.rounds, copies=True)
    bench.table.row("checkpoint", "esteira, s", [run.wall for run in runs["esteira"]])
    bench.table.row("checkpoint", "wall, ratio to it without state", ratios(runs, unkept.name, "wall"), 1.02)
    bench.table.row("checkpoint", "CPU of all processes, ratio", ratios(runs, unkept.name, "cpu"))


WORKLOADS = {"chain": chain, "fan-out": fan_out, "checkpoint": checkpoint}
