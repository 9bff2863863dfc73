"""The workloads of the stages that run in the process itself, on threads: `use = …`."""
import hashlib
import json
import os
import re
import shutil
import subprocess

from measure import OUT, Side, in_turn
from sides import HERE, MEMORY_ROUNDS, PYTHON, more_cpu, own_cpu, rates

HASH = 'use = "hash"\nfield = "/password"\nworkers = %d\n'

# Work next to which reading, checking and writing are little. Its salts are drawn anew for each record.
HEAVY = HASH + 'algorithm = "argon2id"\nmemory = "32KiB"\niterations = 1\nparallelism = 1\n'
SALTED = re.compile(rb'\$argon2id\$v=19\$m=32,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}"')

SCHEMA = os.path.join(HERE, "user.schema.json")

INSTALL_LIMIT_S = 60


def hashing(bench):
    """SHA-256 in the place of each password, the strict check in front: the tutorial's worker thread."""
    block, lines = bench.block(), bench.lines["block"]
    ours, bare, alone = stage(bench, block, HASH % 2), no_stage(bench, block), sha2_alone(bench, block)
    runs = in_turn([bare, ours] + ([alone] if alone else []), bench.rounds, copies=False)
    row = bench.table.row
    row("hash", "2 threads, k records/s", rates(runs[ours.name], lines), 2000, at_least=True)
    more = more_cpu(runs[ours.name], runs[bare.name], lines / 1e6)
    row("hash", "CPU of the stage, us a record", more)
    if alone:
        least = [own_cpu(run) / (lines / 1e6) for run in runs[alone.name]]
        row("hash", "sha2 alone, us a record", least)
        row("hash", "CPU of the stage over sha2 alone", [ours / theirs for ours, theirs in zip(more, least)], 3)
    hashing_in_node(bench)


def hashing_in_node(bench):
    """The same bytes by Node: in the loop that reads, and by a worker thread."""
    node = program(bench, "node", "hash", ("in process", "worker_threads"))
    if node is None:
        return
    block, part = bench.block(), bench.part()
    script = [node, os.path.join(HERE, "hash.js")]
    loop = Side("Node in process", script + [block, OUT], block)
    worker = Side("Node worker_threads", script + [part, OUT, "worker"], part)
    # That the part's are the same bytes as well is seen by a run on it, which counts for nothing.
    ours, same = stage(bench, block, HASH % 2), stage(bench, part, HASH % 2, "the part")
    runs = in_turn([ours, same, loop, worker], min(bench.rounds, MEMORY_ROUNDS), copies=False)
    for side, lines, target in ((loop, "block", 20), (worker, "part", 60)):
        against(bench, "hash", (runs[ours.name], "block"), (runs[side.name], lines), side.name, target)


def threads(bench):
    """What the second thread is worth where the stage is what all wait for."""
    part, lines = bench.part(), bench.lines["part"]
    one, two = (stage(bench, part, HEAVY % count, "%d thread%s" % (count, "s" * (count - 1))) for count in (1, 2))
    runs = in_turn([one, two], bench.rounds, copies=False, look=unsalted)
    for side in (one, two):
        bench.table.row("threads", "argon2id, %s, k records/s" % side.name, rates(runs[side.name], lines))
    extra = [both.cpu / alone.cpu for alone, both in zip(runs[one.name], runs[two.name])]
    bench.table.row("threads", "CPU of all, 2 threads over 1", extra)
    gain = [alone.wall / both.wall for alone, both in zip(runs[one.name], runs[two.name])]
    bench.table.row("threads", "rate, 2 threads over 1", gain, 1.7, at_least=True)


def json_schema(bench):
    """Eight properties, all records valid: what a check before all else costs."""
    block, lines = bench.block(), bench.lines["block"]
    keys = 'use = "json-schema"\nschema = "user.schema.json"\nworkers = 2\n'
    shutil.copy(SCHEMA, ".")  # it must lie in the pipeline's folder
    ours, bare = stage(bench, block, keys), no_stage(bench, block)
    runs = in_turn([bare, ours], bench.rounds, copies=True)
    row = bench.table.row
    row("json-schema", "2 threads, k records/s", rates(runs[ours.name], lines))
    more = more_cpu(runs[ours.name], runs[bare.name], lines / 1e6)
    row("json-schema", "CPU of the stage, us a record", more)
    row("json-schema", "k records/s a core", [1e3 / spent for spent in more], 400, at_least=True)

    peers, part = [], bench.part()
    node, modules = program(bench, "node", "json-schema", ["ajv"]), None
    if node:
        modules = installed(bench, "json-schema", "ajv", ["npm", "install", "--prefix", "npm", "ajv@8"])
    if modules:
        argv = ["env", "NODE_PATH=npm/node_modules", node, os.path.join(HERE, "valid_ajv.js"), SCHEMA, block, OUT]
        peers.append((Side("ajv", argv, block), "block", 8))
    packages = [PYTHON, "-m", "pip", "install", "--quiet", "--target", "pip", "jsonschema==4.*"]
    if installed(bench, "json-schema", "Python jsonschema", packages):
        argv = ["env", "PYTHONPATH=pip", PYTHON, os.path.join(HERE, "valid_jsonschema.py"), SCHEMA]
        peers.append((bench.yardstick_program("Python jsonschema", argv, part), "part", 30))
    if not peers:
        return
    runs = in_turn([ours] + [side for side, _, _ in peers], min(bench.rounds, MEMORY_ROUNDS), copies=True)
    for side, given, target in peers:
        against(bench, "json-schema", (runs[ours.name], "block"), (runs[side.name], given), side.name, target)


def memory_of_hash(bench):
    """What the threads hold above the belt."""
    few, many = (stage(bench, given, HASH % 2, given) for given in (bench.part(), bench.whole()))
    bench.peaks("memory-hash", few, many, copies=False, most=24)


def making(bench):
    """Users from nothing: what a source costs that makes its records, beside one that reads the same from a file."""
    lines, pipeline = bench.lines["block"], "generate.toml"
    with open(pipeline, "w", encoding="utf-8") as out:
        out.write('[sources.users]\ntype = "generate"\ncount = %d\nlocale = "pt_BR"\n' % lines)
        out.write('[sinks.file]\ntype = "file"\npath = %s\n' % json.dumps(OUT))
    argv = [bench.program, "run", pipeline, "--progress", "none"]

    def once(path):
        subprocess.run(argv + ["--set", "sinks.file.path=" + path], stderr=subprocess.DEVNULL, check=True)

    given = bench.made("made.ndjson", once)
    ours = Side("esteira", argv + ["--report", "json=report.json"], given, report="report.json")
    read = bench.pipeline(given, "", "no stage")
    runs = in_turn([ours, read], bench.rounds, copies=True)
    row = bench.table.row
    row("generate", "k records/s", rates(runs[ours.name], lines))
    row("generate", "k records/s a core", [lines / 1e3 / own_cpu(run) for run in runs[ours.name]], 500, at_least=True)
    row("generate", "CPU above reading them, us a record", more_cpu(runs[ours.name], runs[read.name], lines / 1e6))


def stage(bench, given, keys, name="esteira"):
    """A run with one stage of these keys."""
    return bench.pipeline(given, "[stages.stage]\n" + keys, name)


def no_stage(bench, given):
    """The same belt without it: what source and sink cost."""
    return bench.pipeline(given, "", "no stage", writes="what was read")


def json_check(bench):
    """The strict check in memory, on one thread, beside serde_json and simdutf8 on the same lines in the same run."""
    path = example(bench, "json_check", "json-check", "ratio to serde_json with simdutf8")
    if path is None:
        return
    short = bench.made("short.ndjson", short_lines)
    for what, given, target in (("users", bench.part(), 0.5), ("20-byte lines", short, 0.3)):
        done = subprocess.run([path, given, str(bench.rounds)], stdout=subprocess.PIPE, check=True)
        rounds = [json.loads(line) for line in done.stdout.splitlines()]
        row = bench.table.row
        row("json-check", what + ", CPU s/GB", [each["own"] for each in rounds])
        row("json-check", what + ", ratio to serde_json with simdutf8", [each["ratio"] for each in rounds], target)


def short_lines(path):
    with open(path, "w", encoding="ascii") as file:
        for first in range(1000000, 2000000, 10000):
            file.write("".join('{"i":%d,"a":1}\n' % number for number in range(first, first + 10000)))


def example(bench, name, workload, figure):
    """A program that measures what no run can show; it lies near esteira where both were built."""
    path = os.path.join(os.path.dirname(bench.program), "examples", name)
    if os.access(path, os.X_OK):
        return path
    bench.table.skip(workload, figure, "no program %s: build it first" % path)
    return None


def sha2_alone(bench, given):
    """The program that measures what is not ours."""
    path = example(bench, "sha2_alone", "hash", "CPU of the stage over sha2 alone")
    if path is None:
        return None
    return Side("sha2 alone", [path, given, OUT, "sha2.json"], given, report="sha2.json")


def against(bench, workload, ours, theirs, name, target):
    """A peer's rate, and ours over it, round by round. The runs of each come with what they read."""
    (runs, lines), (peer, fewer) = ours, theirs
    lines, fewer = bench.lines[lines], bench.lines[fewer]
    row, pairs = bench.table.row, list(zip(runs, peer))
    row(workload, name + ", k records/s", rates(peer, fewer))
    row(workload, "CPU a record, ratio of " + name, [(b.cpu / fewer) / (a.cpu / lines) for a, b in pairs])
    row(workload, "rate, ratio to " + name, [(lines / a.wall) / (fewer / b.wall) for a, b in pairs], target,
        at_least=True)


def program(bench, name, workload, figures):
    """Where a program is; if nowhere, its figures are skipped."""
    path = shutil.which(name)
    if path is None:
        for figure in figures:
            bench.table.skip(workload, "rate, ratio to " + figure, name + " is not installed")
    return path


def installed(bench, workload, name, command, limit=INSTALL_LIMIT_S):
    """Installs a peer into the temporary folder; whether that could be done."""
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=limit)
        why = "" if done.returncode == 0 else "exit code %d" % done.returncode
    except (OSError, subprocess.TimeoutExpired) as problem:
        why = str(problem)
    if why:
        bench.table.skip(workload, "rate, ratio to " + name, "it cannot be installed: " + why)
    return not why


def unsalted(path):
    """Size and digest of a file whose salted hashes are left out of account, but for their shape."""
    with open(path, "rb") as file:
        text = file.read()
    return len(text), hashlib.blake2b(SALTED.sub(b'"', text), digest_size=16).hexdigest()


WORKLOADS = {
    "hash": hashing,
    "threads": threads,
    "json-schema": json_schema,
    "memory-hash": memory_of_hash,
    "json-check": json_check,
    "generate": making,
}
