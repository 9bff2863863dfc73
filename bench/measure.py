"""One command measured, and several in turn. Knows nothing of the workloads.

Ratios are taken within a round: the two commands of a round ran seconds apart on the same machine in the same mood,
so what slows one slows the other. Everything that is not the command (removing the old output, writing back dirty
pages, comparing the output) happens outside the clock.
"""
import hashlib
import json
import os
import signal
import time

# All write to the same file, removed before each run. With a file each, the pages of the side that waits would be
# written to disk before the next run and that run would find the memory it needs given back to the host of the
# virtual machine: up to twice the time for whoever happens to go second.
OUT = "out.ndjson"

RUN_LIMIT_S = 300
KILL_AFTER_S = 10

# It turns each line of a "buffered" Python child into a write of its own: another workload than the one named.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


class Failed(Exception):
    """A command that could not be measured: it failed, hung, or wrote something else than it should."""


class Side:
    """One of the commands that are compared."""

    def __init__(self, name, argv, given, stdin=os.devnull, stdout=os.devnull, report=None, writes=None):
        self.name = name
        self.argv = argv
        self.given = given  # the file it reads, by whatever way
        self.stdin = stdin
        self.stdout = stdout
        self.report = report
        self.writes = writes or given  # sides that have this in common write the same


class Run:
    """What one run took: seconds on the wall, CPU seconds of all its processes, bytes of the largest of them,
    `controller` of its report."""

    def __init__(self, wall, cpu, peak, controller):
        self.wall = wall
        self.cpu = cpu
        self.peak = peak
        self.controller = controller


def in_turn(sides, rounds, copies, look=None):
    """Runs the sides in turn and gives each side's runs, by its name.

    A round before the first is not counted: page cache, and memory that a virtual machine has never touched, are
    paid there. Who goes first changes from round to round. `copies` says that the output must be the input; else it
    must be what the first side wrote that had the same input. `look` may judge it by less than all of its bytes.
    """
    look = look or fingerprint
    runs = {side.name: [] for side in sides}
    expected = {}
    try:
        for number in range(rounds + 1):
            first = number % len(sides)
            for side in sides[first:] + sides[:first]:
                clear(side)
                run = measure(side)
                if side.writes not in expected:
                    expected[side.writes] = look(side.given if copies else OUT)
                # Reading a gigabyte back costs more than writing it; the size is looked at each time.
                verify(side, expected[side.writes], look if number in (0, rounds) else None)
                if number > 0:
                    runs[side.name].append(run)
    finally:
        remove(OUT)
    return runs


def clear(side):
    """Makes room for a run, and leaves it nobody's dirty pages to write back."""
    remove(OUT)
    if side.report:
        remove(side.report)
    os.sync()


def measure(side):
    """Runs a side once."""
    began = time.perf_counter()
    status, usage = spawn_and_wait(side.argv, side.stdin, side.stdout)
    wall = time.perf_counter() - began
    if status != 0:
        raise Failed("%s: %s\n  %s\n%s" % (side.name, told(status), " ".join(side.argv), complaint()))
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10, controller_of(side.report))


def spawn_and_wait(argv, stdin, stdout):
    """Starts a program, waits for it, and gives its wait status and the usage of its whole tree.

    posix_spawn, because it opens the files in the child, as a shell does, and leaves the waiting, and with it the
    usage, to us. Nobody is left running if we are interrupted.
    """
    child = None

    def hung(_signal, _frame):
        raise Failed("still running after %d s: %s\n%s" % (RUN_LIMIT_S, " ".join(argv), complaint()))

    signal.signal(signal.SIGALRM, hung)
    signal.alarm(RUN_LIMIT_S)
    try:
        child = os.posix_spawnp(
            argv[0], argv, ENVIRONMENT,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
                (os.POSIX_SPAWN_OPEN, 2, "stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
            ],
            setpgroup=0,  # so that a pipeline can be ended as a whole
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # which Python ignores, and children would inherit that
        )
        _, status, usage = os.wait4(child, 0)
        child = None
        return status, usage
    except OSError as problem:
        raise Failed("%s: %s" % (argv[0], problem.strerror))
    finally:
        signal.alarm(0)
        if child is not None:
            end(child)


def end(child):
    """Ends a process group: politely, then not. A second Ctrl-C waits until that is done."""
    at_interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        os.killpg(child, signal.SIGTERM)
        for _ in range(KILL_AFTER_S * 100):
            if os.waitpid(child, os.WNOHANG)[0]:
                return
            time.sleep(0.01)
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
    except (ProcessLookupError, ChildProcessError):
        pass  # it was gone already
    finally:
        signal.signal(signal.SIGINT, at_interrupt)


def told(status):
    """A wait status in words."""
    if os.WIFSIGNALED(status):
        return "ended by signal %d" % os.WTERMSIG(status)
    return "exit code %d" % os.WEXITSTATUS(status)


def complaint():
    """The end of what the last command wrote to stderr."""
    with open("stderr", "rb") as said:
        return "".join("  | %s\n" % line for line in said.read()[-2000:].decode(errors="replace").splitlines())


def controller_of(report):
    """What the controller says of itself in its JSON report: `user_s`, `system_s`, `peak_rss`. None without."""
    if report is None:
        return None
    try:
        with open(report, encoding="utf-8") as text:
            return json.load(text).get("controller")
    except (OSError, ValueError):
        return None


def fingerprint(path):
    """Size and digest of a file."""
    digest = hashlib.blake2b(digest_size=16)
    window = memoryview(bytearray(1 << 20))
    try:
        with open(path, "rb", buffering=0) as file:
            for length in iter(lambda: file.readinto(window), 0):
                digest.update(window[:length])
            return file.tell(), digest.hexdigest()
    except FileNotFoundError:
        raise Failed("no output was written\n" + complaint())


def verify(side, expected, look=None):
    """Fails unless the output is what it should be: its size, if that is known, and with `look` what that sees."""
    try:
        size = os.stat(OUT).st_size
    except FileNotFoundError:
        raise Failed("%s: wrote no output\n%s" % (side.name, complaint()))
    if size == 0 or expected[0] not in (None, size):
        raise Failed("%s: wrote %d bytes, expected %d" % (side.name, size, expected[0]))
    if look and look(OUT) != expected:
        raise Failed("%s: the output has the right size and other bytes" % side.name)


def remove(path):
    """Removes a file that may not be there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
