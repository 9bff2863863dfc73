"""The commands that workloads compare, the data they read, and the rows they have in common."""
import json
import os
import subprocess
import sys

import data
from measure import OUT, Failed, Side, in_turn

HERE = os.path.dirname(os.path.realpath(__file__))
# The interpreter itself: a version manager's stand-in costs more to start than some of what is measured.
PYTHON = os.path.realpath(sys.executable)
MIB = 1 << 20

SIZES = {  # lines of the two files; the third is the block four times over. Targets are meant for `full`.
    "full": {"block": 1_000_000, "part": 100_000, "rounds": 7},
    "small": {"block": 100_000, "part": 20_000, "rounds": 3},
}
BLOCKS_IN_WHOLE = 4
MEMORY_ROUNDS = 3


class Bench:
    """The esteira under test, the data, and where the figures go. The working folder is the temporary one."""

    def __init__(self, esteira, size, rounds, table):
        self.program = esteira
        self.lines = SIZES[size]
        self.rounds = rounds
        self.table = table
        self.pages = []  # what peers.py has measured

    # The data: each file is made when the first workload asks for it, and serves all.

    def part(self):
        return self.made("part.ndjson", lambda path: data.users(path, self.lines["part"]))

    def block(self):
        return self.made("block.ndjson", lambda path: data.users(path, self.lines["block"]))

    def whole(self):
        return self.made("whole.ndjson", lambda path: data.repeat(self.block(), BLOCKS_IN_WHOLE, path))

    def made(self, name, make):
        if not os.path.exists(name):
            make("unfinished")
            os.rename("unfinished", name)
        return name

    # The two kinds of command that are compared.

    def yardstick(self, name, script, given):
        """A line of shell; `$1` is the input, `$2` the output."""
        return Side(name, ["sh", "-c", script, "sh", given, OUT], given)

    def yardstick_program(self, name, argv, given):
        """`PROGRAM < IN > OUT` with no shell to start."""
        return Side(name, argv, given, stdin=given, stdout=OUT)

    def esteira(self, given, child, checked=True, report="report.json", name="esteira", options=()):
        """`esteira pipe` from file to file."""
        argv = [self.program, "pipe", "--progress", "none", "-i", given, "-o", OUT, *options]
        argv += [] if checked else ["--check", "none"]
        argv += ["--report", "json=" + report] if report else []
        return Side(name, argv + ["--"] + child, given, report=report)

    def esteira_run(self, given, child, source, stage, name):
        """`esteira run`, from file to file, of a child with these keys: for what has no option of `pipe`."""
        # A list of strings in JSON is one in TOML as well.
        return self.pipeline(given, "[stages.child]\nrun = %s\n%s\n" % (json.dumps(child), stage), name, source)

    def pipeline(self, given, stages, name="esteira", source="", writes=None):
        """`esteira run`, from file to file, of any stages, or of none."""
        pipeline = "%s.toml" % name.replace(" ", "-")
        with open(pipeline, "w", encoding="utf-8") as out:
            out.write('[sources.users]\ntype = "file"\npath = %s\n%s\n' % (json.dumps(given), source))
            out.write(stages)
            out.write('[sinks.file]\ntype = "file"\npath = %s\n' % json.dumps(OUT))
        argv = [self.program, "run", pipeline, "--progress", "none", "--report", "json=report.json"]
        return Side(name, argv, given, report="report.json", writes=writes)

    def compiled(self, name):
        """The program made of `name.c`."""
        program = os.path.abspath(name)
        compiler = os.environ.get("CC", "cc").split()
        try:
            subprocess.run(compiler + ["-O2", "-o", program, os.path.join(HERE, name + ".c")], check=True)
        except (OSError, subprocess.CalledProcessError) as problem:
            raise Failed("cannot compile %s.c: %s" % (name, problem))
        return program

    # The rows that workloads have in common.

    def peaks(self, workload, few, many, copies, most):
        """Peak memory of the controller: small, and the same for forty times the data."""
        runs = in_turn([behind_sh(few), behind_sh(many)], min(self.rounds, MEMORY_ROUNDS), copies)
        peaks = {name: [run.controller and run.controller["peak_rss"] / MIB for run in side]
                 for name, side in runs.items()}
        for side in (few, many):
            self.table.row(workload, "peak, MiB, %d MB" % (os.path.getsize(side.given) / 1e6), peaks[side.name], most)
        pairs = [(a, b) for a, b in zip(peaks[few.name], peaks[many.name]) if a and b]
        allowed = max(1.0, 0.1 * min(a for a, _ in pairs)) if pairs else 1.0
        self.table.row(workload, "growth between the two, MiB", [b - a for a, b in pairs], allowed)

    def compare(self, workload, runs, yardstick, target):
        """Wall and CPU of the yardstick and of esteira, and their ratios round by round."""
        row = self.table.row
        row(workload, yardstick + ", s", [run.wall for run in runs[yardstick]])
        row(workload, "esteira, s", [run.wall for run in runs["esteira"]])
        row(workload, "CPU of all processes, ratio", ratios(runs, yardstick, "cpu"))
        row(workload, "wall, ratio", ratios(runs, yardstick, "wall"), target)

    def controller_cpu(self, workload, runs, unit, amount, target=None, side="esteira"):
        """CPU of the controller alone, for a unit of the input."""
        name = "controller CPU, " if side == "esteira" else "controller CPU, --check none, "
        self.table.row(workload, name + unit,
                       [spent and spent / amount for spent in map(own_cpu, runs[side])], target)


def own_cpu(run):
    """CPU of the controller of a run, its children left out."""
    return run.controller and run.controller["user_s"] + run.controller["system_s"]


def ratios(runs, yardstick, what):
    """Esteira's figure over the yardstick's of the same round."""
    return [getattr(ours, what) / getattr(theirs, what) for ours, theirs in zip(runs["esteira"], runs[yardstick])]


def rates(runs, lines):
    """Thousands of records a second, start and end of the program included."""
    return [lines / run.wall / 1e3 for run in runs]


def more_cpu(dear, cheap, amount):
    """What the controller spent more than in the other run of the same round, for a unit."""
    spent = zip(map(own_cpu, dear), map(own_cpu, cheap))
    return [(more - less) / amount for more, less in spent if more is not None and less is not None]


def behind_sh(side):
    """The same command forked by a small shell.

    Linux passes the peak memory of the process that calls exec on to the program it becomes: started by us, the
    controller would be told the size of this interpreter.
    """
    side.argv = ["sh", "-c", '"$@"; exit $?', "sh"] + side.argv
    return side
