"""Reports: what they cost where every record is refused, and how large they become."""
import json
import os

from measure import in_turn
from sides import MIB, behind_sh

FORMATS = ("junit", "sarif", "html", "github", "gitlab", "markdown")
MOST = {"junit": 30, "html": 2}  # MB


def reports(bench):
    """A million rejects, but for one in a thousand, with several codes and paths each; with and without all reports."""
    block = bench.block()
    wrong = {"properties": {"id": {"type": "string"}, "age": {"maximum": -1}, "email": {"maxLength": 3},
                            "address": {"properties": {"city": {"const": "?"}}}}}
    with open("wrong.json", "w", encoding="utf-8") as out:
        json.dump({"if": {"properties": {"id": {"multipleOf": 1000}}}, "else": wrong}, out)
    stages = ('[stages.wrong]\nuse = "json-schema"\nschema = "wrong.json"\nrejects = "bad.ndjson"\n'
              'max_rejects = "100%"\n')
    plain = bench.pipeline(block, stages, name="none")
    # The esteira that is compared is the one that says more.
    told = bench.pipeline(block, stages)
    told.argv += [word for name in FORMATS for word in ("--report", "%s=report.%s" % (name, name))]
    runs = in_turn([behind_sh(plain), behind_sh(told)], bench.rounds, copies=False)
    bench.compare("reports", runs, plain.name, target=1.15)
    for name, side in ((plain.name, runs[plain.name]), ("all", runs[told.name])):
        peaks = [run.controller and run.controller["peak_rss"] / MIB for run in side]
        bench.table.row("reports", "peak, MiB, reports: " + name, peaks)
    for name in FORMATS:
        size = os.path.getsize("report." + name) / 1e6
        bench.table.row("reports", name + ", MB", [size], MOST.get(name))


WORKLOADS = {"reports": reports}
