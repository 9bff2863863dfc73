#!/usr/bin/env python3
"""Measures esteira against the shell doing the same work, side by side. README.md says what and why.

    python3 bench/run.py --esteira target/release/esteira [--only cat,startup] [--size small] [--json out/bench.json]
"""
import sys

sys.dont_write_bytecode = True  # no __pycache__ beside the sources

import argparse  # noqa: E402
import os  # noqa: E402
import shutil  # noqa: E402
import signal  # noqa: E402
import tempfile  # noqa: E402

import belts  # noqa: E402
import databases  # noqa: E402
import in_process  # noqa: E402
import packed  # noqa: E402
import peers  # noqa: E402
import pools  # noqa: E402
import reports  # noqa: E402
from measure import Failed, in_turn  # noqa: E402
from sides import HERE, PYTHON, SIZES, Bench, own_cpu, ratios  # noqa: E402
from table import Table, machine  # noqa: E402

STARTUP_ROUNDS = 40


def pass_through(bench):
    """A child that does nothing, and nothing asked of the lines: what the pumping alone costs."""
    whole = bench.whole()
    shell = bench.yardstick("cat in | cat > out", 'cat "$1" | cat > "$2"', whole)
    safe = bench.yardstick("the same && sync out", 'cat "$1" | cat > "$2" && sync "$2"', whole)
    ours = bench.esteira(whole, ["cat"], checked=False)
    runs = in_turn([shell, safe, ours], bench.rounds, copies=True)
    bench.compare("cat", runs, shell.name, target=1.08)
    bench.table.row("cat", "wall, ratio to the shell with sync", ratios(runs, safe.name, "wall"))
    bench.controller_cpu("cat", runs, "s/GB", os.path.getsize(whole) / 1e9, target=0.95)
    # Seconds of CPU mean little on a machine whose speed drifts; the two cats drift along.
    bench.table.row("cat", "controller CPU over that of both cats", [
        own_cpu(ours) and own_cpu(ours) / cats.cpu for ours, cats in zip(runs["esteira"], runs[shell.name])])


def checked_pass_through(bench):
    """The same with each line proved to be JSON on the way in and on the way out."""
    whole = bench.whole()
    shell = bench.yardstick("cat in | cat > out", 'cat "$1" | cat > "$2"', whole)
    runs = in_turn([shell, bench.esteira(whole, ["cat"])], bench.rounds, copies=True)
    bench.compare("cat-checked", runs, shell.name, target=1.7)
    bench.controller_cpu("cat-checked", runs, "s/GB", os.path.getsize(whole) / 1e9)


def python_buffered(bench):
    """A real child: JSON and a regular expression, output buffered."""
    validator(bench, "python", [], cpu_target=None)


def python_flushing(bench):
    """The same child answering line by line: wake-ups are the cost here, not bytes."""
    validator(bench, "python-flush", ["flush"], cpu_target=1.0)


def validator(bench, workload, mode, cpu_target):
    part = bench.part()
    child = [PYTHON, os.path.join(HERE, "filter.py")] + mode
    alone = bench.yardstick_program("filter.py < in > out", child, part)
    unchecked = bench.esteira(part, child, checked=False, name="unchecked")
    runs = in_turn([alone, bench.esteira(part, child), unchecked], bench.rounds, copies=False)
    bench.compare(workload, runs, alone.name, target=1.00)
    bench.controller_cpu(workload, runs, "us a line", bench.lines["part"] / 1e6)
    bench.controller_cpu(workload, runs, "us a line", bench.lines["part"] / 1e6, cpu_target, side="unchecked")


def echo_flush(bench):
    """The cheapest child that answers line by line: a million small writes."""
    block, program = bench.block(), bench.compiled("echo_flush")
    alone = bench.yardstick_program("echo_flush < in > out", [program], block)
    runs = in_turn([alone, bench.esteira(block, [program], checked=False)], bench.rounds, copies=True)
    bench.compare("echo-flush", runs, alone.name, target=0.60)
    bench.controller_cpu("echo-flush", runs, "us a line", bench.lines["block"] / 1e6)


def memory(bench):
    """What the belt alone holds, whatever the length of the input."""
    few, many = (bench.esteira(given, ["cat"], name=given) for given in (bench.part(), bench.whole()))
    bench.peaks("memory", few, many, copies=True, most=24)


def startup(bench):
    """One line through `cat`: what a run costs before and after the data. An absolute target: people feel seconds."""
    with open("line.ndjson", "w", encoding="utf-8") as out:
        out.write('{"a":1}\n')
    shell = bench.yardstick("sh -c 'cat < in > out'", 'cat < "$1" > "$2"', "line.ndjson")
    ours = bench.esteira("line.ndjson", ["cat"], report=None)
    runs = in_turn([shell, ours], STARTUP_ROUNDS, copies=True)
    bench.table.row("startup", shell.name + ", ms", [run.wall * 1e3 for run in runs[shell.name]])
    bench.table.row("startup", "wall, ratio", ratios(runs, shell.name, "wall"))
    bench.table.row("startup", "esteira, ms", [run.wall * 1e3 for run in runs["esteira"]], 12)


WORKLOADS = {
    "cat": pass_through,
    "cat-checked": checked_pass_through,
    "python": python_buffered,
    "python-flush": python_flushing,
    "echo-flush": echo_flush,
    "memory": memory,
    "startup": startup,
    **belts.WORKLOADS,
    **packed.WORKLOADS,
    **pools.WORKLOADS,
    **in_process.WORKLOADS,
    **databases.WORKLOADS,
    **reports.WORKLOADS,
    **peers.WORKLOADS,
}


def arguments():
    """The command line, with paths made absolute, since we work in a temporary folder."""
    parser = argparse.ArgumentParser(description="Measures esteira against the shell doing the same work.")
    parser.add_argument("--esteira", metavar="PATH", default="target/release/esteira", help="the program to measure")
    parser.add_argument("--only", metavar="NAME,…", default=",".join(WORKLOADS), help="of: %(default)s")
    parser.add_argument("--size", choices=SIZES, default="full", help="small is for trying the harness out")
    parser.add_argument("--rounds", metavar="N", type=int, help="counted rounds (7; 3 for small)")
    parser.add_argument("--json", metavar="PATH", help="write all figures there as well")
    parser.add_argument("--markdown", metavar="PATH", help="write what was measured against peers there as a page")
    parser.add_argument("--dir", metavar="PATH", help="make the temporary folder in there (needs 3 GB)")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a median misses its target")
    args = parser.parse_args()
    args.only = args.only.split(",")
    unknown = [name for name in args.only if name not in WORKLOADS]
    if unknown:
        parser.error("no workload %s; there are %s" % (", ".join(unknown), ", ".join(WORKLOADS)))
    args.rounds = SIZES[args.size]["rounds"] if args.rounds is None else args.rounds
    if args.rounds < 1:
        parser.error("--rounds must be at least 1")
    args.esteira = os.path.abspath(args.esteira)
    if not os.access(args.esteira, os.X_OK):
        parser.error("no program %s: build it first" % args.esteira)
    args.json = args.json and os.path.abspath(args.json)
    args.markdown = args.markdown and os.path.abspath(args.markdown)
    return args


def measure_all(args):
    """Runs the workloads in the present folder; gives the exit code."""
    table = Table()
    bench = Bench(args.esteira, args.size, args.rounds, table)
    about = {"machine": machine("."), "size": args.size, "rounds": args.rounds}
    print("%s\n%s, %d rounds\n" % (about["machine"], args.size, args.rounds))
    table.head()
    for name in args.only:
        try:
            WORKLOADS[name](bench)
        except (Failed, OSError) as problem:  # the latter: a full disk
            table.failure(name, str(problem))
        if args.json:
            table.write(args.json, about)
    if args.markdown:
        with open(args.markdown, "w", encoding="utf-8") as out:
            out.write(peers.page(bench, about["machine"], args.rounds))
    print("\nload %.1f %.1f %.1f" % os.getloadavg())
    if table.failed or table.has("?"):
        return 1
    return 1 if args.strict and table.has("OVER", "UNDER") else 0


def main():
    args = arguments()
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, _frame: sys.exit(128 + number))
    folder = tempfile.mkdtemp(prefix="esteira-bench-", dir=args.dir)
    try:
        os.chdir(folder)
        return measure_all(args)
    except KeyboardInterrupt:
        return 130
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave gigabytes behind
        os.chdir("/")
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
