"""The workloads that read packed files."""
import os
import subprocess

from measure import in_turn
from sides import ratios


def gzip_in(bench):
    """gzip in, plain out: what unpacking in the thread that reads costs."""
    packed = packed_block(bench, "gzip", ".gz")
    shell = bench.yardstick("zcat in | cat > out", 'zcat "$1" | cat > "$2"', packed)
    alone = bench.yardstick("zcat in > out", 'zcat "$1" > "$2"', packed)
    runs = in_turn([shell, alone, bench.esteira(packed, ["cat"], checked=False)], bench.rounds, copies=False)
    bench.compare("gzip-in", runs, shell.name, target=0.80)
    bench.table.row("gzip-in", "wall, ratio to zcat alone", ratios(runs, alone.name, "wall"), 0.80)
    bench.controller_cpu("gzip-in", runs, "s/GB", os.path.getsize(bench.block()) / 1e9)


def zstd_in(bench):
    """The same of zstd, unpacked so fast that what a run does besides, the sync above all, shows."""
    packed = packed_block(bench, "zstd", ".zst")
    shell = bench.yardstick("zstd -dc in | cat > out", 'zstd -qdc "$1" | cat > "$2"', packed)
    runs = in_turn([shell, bench.esteira(packed, ["cat"], checked=False)], bench.rounds, copies=False)
    bench.compare("zstd-in", runs, shell.name, target=1.60)
    bench.controller_cpu("zstd-in", runs, "s/GB", os.path.getsize(bench.block()) / 1e9)


def packed_block(bench, program, end):
    """The block as `gzip` or `zstd` packs it."""
    def make(path):
        with open(bench.block(), "rb") as given, open(path, "wb") as out:
            subprocess.run([program, "-c"], stdin=given, stdout=out, check=True)
    return bench.made("block.ndjson" + end, make)


WORKLOADS = {"gzip-in": gzip_in, "zstd-in": zstd_in}
