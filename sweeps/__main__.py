"""Run a sweep by name: train, count, hold against theory, save, draw.

python -m sweeps                          list the sweeps
python -m sweeps absolute_value           the main job
python -m sweeps absolute_value --quick   few seeds; a later run adds to it
python -m sweeps absolute_value --seeds 20000 --out results
python -m sweeps absolute_value --seeds 20000 --shard 1/2   on one machine of two
python -m sweeps claims                   what all threads say, and what became of it
python -m sweeps boundary --window 1 10 1 10 --cells 256 --float64 --out results/zoom
"""

if __name__ == "__main__":
    import signal

    # Importing JAX takes seconds; until there is something to end cleanly, Ctrl-C just ends it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import shlex
import sys
from pathlib import Path

import sweeps
from jaxlab import advice, commandline, distributed, export, keys, shards
from jaxlab.census import Census
from jaxlab.chunks import CHUNK
from jaxlab.grid import MOST_CELLS, Grid
from jaxlab.spec import Sweep
from sweeps import _run, claims

CLAIMS = "claims"


def names() -> list[str]:
    """Return the names of all sweeps: the modules of this package."""
    return commandline.scripts(sweeps)


def shard(text: str) -> shards.Shard:
    """Parse "I/N" with 1 <= I <= N."""
    try:
        return shards.shard_from(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def parser() -> commandline.Parser:
    """Return the command line."""
    made = commandline.described("python -m sweeps", __doc__)
    count = commandline.whole(1, keys.MOST_SEEDS)
    made.add_argument("name", nargs="?", help="the sweep, or claims; without it, all are listed")
    text = "seeds per setting (default: the sweep's own number)"
    made.add_argument("--seeds", type=count, metavar="N", help=text)
    first = commandline.whole(0, keys.MAX_SEED)
    made.add_argument("--first-seed", type=first, default=0, metavar="K", help="default: 0")
    results = Path("results")
    made.add_argument(
        "--out", type=commandline.path, default=results, metavar="DIR", help="default: results"
    )
    text = f"only the I-th of N parts, dealt out in chunks of {CHUNK} seeds of a setting"
    made.add_argument("--shard", type=shard, default=shards.WHOLE, metavar="I/N", help=text)
    text = "accept a folder with networks of other versions or machines, and say so"
    made.add_argument("--mix", action="store_true", help=text)
    text = "also write a row for every network: members.csv, or members.parquet (needs pyarrow)"
    made.add_argument("--export", choices=export.KINDS, help=text)
    text = f"then train variants of the first unlucky setting, {advice.SEEDS:,} seeds each"
    made.add_argument("--advise", action="store_true", help=text)
    made.add_argument("--quick", action="store_true", help="few seeds, for a first look")
    made.add_argument("--quiet", action="store_true", help="no progress")
    text = "members trained side by side (default: fit for the cache); part of their identity"
    made.add_argument("--lane-width", type=commandline.whole(1, 2**20), metavar="N", help=text)
    several = made.add_argument_group("several processes that train as one")
    text = "join the others: of Slurm, Open MPI, Kubernetes or a TPU pod, or told by what follows"
    several.add_argument("--distributed", action="store_true", help=text)
    text = "where process 0 is found"
    several.add_argument("--coordinator", metavar="HOST:PORT", help=text)
    whole = commandline.whole(1, 2**16)
    several.add_argument("--processes", type=whole, metavar="N", help="how many there are")
    index = commandline.whole(0, 2**16)
    text = "which of them this is, from 0 on"
    several.add_argument("--process-index", type=index, metavar="I", help=text)
    maps = made.add_argument_group("maps only")
    cells = commandline.whole(2, MOST_CELLS)
    maps.add_argument("--cells", type=cells, metavar="N", help="cells along each side of the map")
    ends = ("LEFT", "RIGHT", "BOTTOM", "TOP")
    text = "zoom: draw this part of the map, with as many cells"
    maps.add_argument("--window", type=float, nargs=4, metavar=ends, help=text)
    text = "train in 64-bit numbers, which cells close together need"
    maps.add_argument("--float64", action="store_true", help=text)
    return made


def main() -> None:
    """List the sweeps, run one, or judge all claims."""
    options = parser().parse_args()
    if options.name is None:
        for name in names():
            print(f"{name:<26} {(commandline.script(sweeps, name).__doc__ or '').splitlines()[0]}")
        print(f"{CLAIMS:<26} What was said in the threads, each statement with its verdict.")
        return
    asked = _run.Asked(options.seeds, options.first_seed, options.shard, options.quick)
    command = shlex.join(["python", "-m", "sweeps", *sys.argv[1:]])
    how = _run.How(command, options.lane_width, options.mix, not options.quiet)
    if options.export:
        export.check(options.export)
    told = options.coordinator, options.processes, options.process_index
    if any(part is not None for part in told) and not options.distributed:
        raise ValueError("--coordinator, --processes and --process-index need --distributed")
    commandline.use_all_cores()  # before a census is built, which takes devices
    built = None if options.name == CLAIMS else commandline.script(sweeps, options.name).build()
    zoom = {"window": options.window, "cells": options.cells, "double": options.float64}
    if any(zoom.values()) and not isinstance(built, Grid):
        text = "--cells, --window and --float64 are for maps"
        raise ValueError(f"{options.name} is no map; {text}")
    if (options.export or options.distributed) and not isinstance(built, Sweep):
        text = "--export and --distributed are for these"
        raise ValueError(f"{options.name} is no single sweep of networks; {text}")
    if options.advise and (options.distributed or not isinstance(built, Sweep)):
        raise ValueError("--advise is for single sweeps of networks, in one process")
    if options.distributed:
        distributed.start(*told)
    if built is None:
        claims.run_claims(asked, options.out, how)
    elif isinstance(built, Census):
        _run.run_survey(options.name, built, asked, options.out, how)
    elif isinstance(built, Grid):
        _run.run_map(options.name, built, asked, options.out, how, **zoom)
    else:
        _run.run_sweep(options.name, asked, options.out, how, options.export, options.advise)


if __name__ == "__main__":
    commandline.run_cleanly(main)
