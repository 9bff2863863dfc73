"""What was measured, as a table, as JSON, and the machine it was measured on."""
import json
import os
import platform
import subprocess
from statistics import median

HEAD = "%-14s %-42s %9s %9s %9s  %-9s %s"


class Table:
    """Prints each row when it is known, so that a run that is cut short has still told what it saw."""

    def __init__(self):
        self.rows = []
        self.failed = []
        self.skipped = []

    def head(self):
        print((HEAD % ("workload", "figure", "min", "median", "max", "target", "")).rstrip(), flush=True)

    def row(self, workload, figure, values, target=None, at_least=False):
        """A figure over all rounds. With a target its median is judged; without, it is there to read.

        A target is the most that is allowed, or with `at_least` the least.
        """
        values = [value for value in values if value is not None]
        middle = median(values) if values else None
        verdict = "" if target is None else "?" if middle is None else judged(middle, target, at_least)
        numbers = ["%.3f" % pick(values) for pick in (min, median, max)] if values else ["-"] * 3
        wanted = "" if target is None else "%s %.2f" % (">=" if at_least else "<=", target)
        print((HEAD % (workload, figure, *numbers, wanted, verdict)).rstrip(), flush=True)
        self.rows.append({"workload": workload, "figure": figure, "values": values, "median": middle,
                          "target": target, "at_least": at_least, "verdict": verdict or None})

    def skip(self, workload, figure, why):
        """A figure that cannot be had on this machine. That is no failure."""
        print("%-14s %-42s skipped: %s" % (workload, figure, why), flush=True)
        self.skipped.append({"workload": workload, "figure": figure, "why": why})

    def failure(self, workload, why):
        """A workload that could not be measured."""
        print("%-14s FAILED: %s" % (workload, why.rstrip()), flush=True)
        self.failed.append({"workload": workload, "why": why})

    def has(self, *verdicts):
        return any(row["verdict"] in verdicts for row in self.rows)

    def write(self, path, about):
        """Writes all of it as JSON."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            json.dump({"schema": "esteira.bench/1", **about, "rows": self.rows, "skipped": self.skipped,
                       "failed": self.failed}, out, indent=2)
            out.write("\n")


def judged(middle, target, at_least):
    """The verdict on a median."""
    if at_least:
        return "ok" if middle >= target else "UNDER"
    return "ok" if middle <= target else "OVER"


def machine(folder):
    """What the figures depend on, in a line. `cat` is in it because newer ones splice, which moves the yardstick."""
    cat = subprocess.run(["cat", "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    first = cat.stdout.decode(errors="replace").splitlines()[:1]
    return ", ".join(filter(None, [
        "%d cores" % (os.cpu_count() or 0), "%s %s" % (platform.system(), platform.release()), platform.machine(),
        "Python " + platform.python_version(), *first, filesystem(folder), "load %.1f %.1f %.1f" % os.getloadavg()]))


def filesystem(folder):
    """The kind of file system a folder is on, where the system tells."""
    try:
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            found = [line.split()[1:3] for line in mounts]
    except OSError:
        return ""
    above = [(len(point), kind) for point, kind in found
             if os.path.commonpath([point, os.path.realpath(folder)]) == point]
    return max(above)[1] if above else ""
