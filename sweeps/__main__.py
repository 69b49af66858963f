"""Run a sweep by name: train, count, hold against theory, save, draw.

python -m sweeps                          list the sweeps
python -m sweeps absolute_value           the main job
python -m sweeps absolute_value --quick   few seeds; a later run adds to it
python -m sweeps absolute_value --seeds 20000 --out results
python -m sweeps absolute_value --seeds 20000 --shard 1/2   on one machine of two
"""

import argparse
import dataclasses
import json
import shlex
from pathlib import Path
from types import ModuleType

import numpy as np

import sweeps
from jaxlab import commandline, compare, files, keys, result, runs, store
from jaxlab.compare import Comparison


def names() -> list[str]:
    """Return the names of all sweeps: the modules of this package."""
    return commandline.scripts(sweeps)


def shard(text: str) -> tuple[int, int]:
    """Parse "I/N" with 1 <= I <= N."""
    parts = text.split("/")
    if len(parts) == 2 and all(p.isdigit() for p in parts) and 1 <= int(parts[0]) <= int(parts[1]):
        return int(parts[0]), int(parts[1])
    raise argparse.ArgumentTypeError(f"{text!r} is not I/N with 1 <= I <= N, such as 1/4")


def parser() -> commandline.Parser:
    """Return the command line."""
    made = commandline.described("python -m sweeps", __doc__)
    count = commandline.whole(1, keys.MAX_SEED + 1)
    made.add_argument("name", nargs="?", help="the sweep; without it, all are listed")
    made.add_argument("--seeds", type=count, metavar="N", help="seeds per setting")
    first = commandline.whole(0, keys.MAX_SEED)
    made.add_argument("--first-seed", type=first, default=0, metavar="K", help="default: 0")
    results = Path("results")
    made.add_argument("--out", type=Path, default=results, metavar="DIR", help="default: results")
    text = f"only every N-th chunk of {store.CHUNK} seeds, beginning with the I-th"
    made.add_argument("--shard", type=shard, metavar="I/N", help=text)
    made.add_argument("--quick", action="store_true", help="few seeds, for a first look")
    made.add_argument("--quiet", action="store_true", help="no progress")
    text = "members trained side by side (default: fit for the cache); part of their identity"
    made.add_argument("--lane-width", type=commandline.whole(1, 2**20), metavar="N", help=text)
    return made


def chosen_seeds(options: argparse.Namespace, module: ModuleType) -> np.ndarray:
    """Return the seeds asked for; ValueError if they leave the range or the shard is empty."""
    count = options.seeds or (module.QUICK_SEEDS if options.quick else module.SEEDS)
    last = options.first_seed + count - 1
    if last > keys.MAX_SEED:
        raise ValueError(f"the last seed would be {last}; it must be at most {keys.MAX_SEED}")
    seeds = np.arange(options.first_seed, last + 1)
    if options.shard:
        index, shards = options.shard
        seeds = seeds[(seeds // store.CHUNK) % shards == index - 1]
        if not len(seeds):
            raise ValueError(
                f"shard {index}/{shards} has no seeds: shards are whole chunks of {store.CHUNK}; "
                "ask for more seeds or fewer shards"
            )
    return seeds


def save(folder: Path, found: result.Result, compared: list[Comparison]) -> None:
    """Write summary.csv and predictions.csv."""
    found.to_csv(folder / "summary.csv")
    rows = [{"sweep": found.sweep.name} | dataclasses.asdict(row) for row in compared]
    columns = ["sweep", *(field.name for field in dataclasses.fields(Comparison))]
    files.write_csv(folder / "predictions.csv", rows, columns)


def look(folder: Path, options: argparse.Namespace, seeds: np.ndarray) -> str:
    """Record that results were looked at; return what to say of it, for going on changes chances.

    Who runs more seeds until a verdict appears must say so: looks.json lists every request.
    """
    path = folder / "looks.json"
    looks = json.loads(path.read_text()) if path.exists() else []
    new = {"first_seed": int(seeds[0]), "seeds": len(seeds), "shard": options.shard}
    if json.loads(json.dumps(new)) not in looks:
        looks.append(new)
        files.write_atomically(path, (json.dumps(looks) + "\n").encode())
    if len(looks) == 1:
        return ""
    counts = ", ".join(str(entry["seeds"]) for entry in looks)
    return f"\nlooked at {len(looks)} times, with {counts} seeds: verdicts allow for one look"


def main() -> None:
    """List the sweeps or run one."""
    options = parser().parse_args()
    if options.name is None:
        for name in names():
            print(f"{name:<16} {(commandline.script(sweeps, name).__doc__ or '').splitlines()[0]}")
        return
    module = commandline.script(sweeps, options.name)
    seeds = chosen_seeds(options, module)
    commandline.use_all_cores()
    folder = options.out / options.name
    command = f"python -m sweeps {shlex.quote(options.name)}"
    runs.run(
        module.build(),
        seeds,
        out=folder,
        lane_width=options.lane_width,
        progress=not options.quiet,
        command=command,
    )
    found = store.read_sweep(folder)  # with what earlier runs and other shards have left there
    compared = compare.compare_all(module.comparisons(found))
    save(folder, found, compared)
    print(found, module.report(found, compared), sep="\n\n")
    print(look(folder, options, seeds), end="")
    print(f"\nwritten: {folder}/summary.csv, predictions.csv, manifest.json, chunks/")
    import figures.__main__ as drawing  # matplotlib takes a second, which listing need not wait for

    if options.name in drawing.names():
        drawn = drawing.draw(options.name, options.out, options.out / "figures")
        pictures = [str(path) for path in drawn if path.suffix == ".png"]
        print("drawn, with PDF and JSON beside:", *pictures, sep="\n  ")


if __name__ == "__main__":
    commandline.run_cleanly(main)
