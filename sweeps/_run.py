"""What happens when a sweep or a grid is run by name: train, keep, count, compare, draw."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np

import sweeps
from jaxlab import commandline, compare, files, keys, runs, store
from jaxlab.census import Census, Counts, run_census
from jaxlab.compare import Comparison
from jaxlab.grid import Grid
from jaxlab.grid_runs import run_grid
from jaxlab.result import Result
from jaxlab.spec import Setting, Sweep
from jaxlab.theory.prediction import Prediction
from sweeps._report import comparison_table


class Asked(NamedTuple):
    """Which seeds are asked for: how many (None: the sweep's own number), from which on.

    `scale_wide` says if a given number is meant for wide networks too, which by default have a
    smaller one of their own.
    """

    seeds: int | None = None
    first_seed: int = 0
    shard: tuple[int, int] | None = None
    quick: bool = False
    scale_wide: bool = True


def _count(asked: Asked, module: ModuleType, setting: Setting) -> int:
    wide = hasattr(module, "is_wide") and module.is_wide(setting)
    if asked.seeds and (asked.scale_wide or not wide):
        return asked.seeds
    if wide:
        return module.WIDE_QUICK_SEEDS if asked.quick else module.WIDE_SEEDS
    return module.QUICK_SEEDS if asked.quick else module.SEEDS


def chosen_seeds(asked: Asked, module: ModuleType, sweep: Sweep) -> dict[str, np.ndarray]:
    """Return each setting's seeds; ValueError if they leave the range or the shard is empty."""
    return {s.name: _seeds(asked, _count(asked, module, s)) for s in sweep.settings}


def _seeds(asked: Asked, count: int) -> np.ndarray:
    last = asked.first_seed + count - 1
    if last > keys.MAX_SEED:
        raise ValueError(f"the last seed would be {last}; it must be at most {keys.MAX_SEED}")
    seeds = np.arange(asked.first_seed, last + 1)
    if asked.shard:
        index, shards = asked.shard
        seeds = seeds[(seeds // store.CHUNK) % shards == index - 1]
        if not len(seeds):
            raise ValueError(
                f"shard {index}/{shards} has no seeds: shards are whole chunks of {store.CHUNK}; "
                "ask for more seeds or fewer shards"
            )
    return seeds


def counted(
    name: str, asked: Asked, out: Path, *, lane_width: int | None = None, progress: bool = True
) -> tuple[Result, list[Comparison]]:
    """Train what is missing of a sweep, write its tables and return what its folder holds now.

    That is also what earlier runs and other shards have left there.
    """
    module = commandline.script(sweeps, name)
    sweep = module.build()
    seeds = chosen_seeds(asked, module, sweep)
    command = f"python -m sweeps {name}"
    how = {"lane_width": lane_width, "progress": progress, "command": command}
    runs.run(sweep, seeds, out=out / name, **how)
    found = store.read_sweep(out / name)
    compared = compare.compare_all(module.comparisons(found))
    save(out / name, found, compared)
    return found, compared


def run_sweep(name: str, asked: Asked, out: Path, **how) -> None:
    """Run a sweep, write its tables, print what the counts say and draw its figure."""
    module, folder = commandline.script(sweeps, name), out / name
    found, compared = counted(name, asked, out, **how)
    print(found, module.report(found, compared), sep="\n\n")
    print(look(folder, asked, found), end="")
    print(f"\nwritten: {folder}/summary.csv, predictions.csv, manifest.json, chunks/")
    draw(name, out)


def _from_zero(name: str, asked: Asked, lane_width: int | None, why: str) -> int:
    """Return how many seeds are asked for; ValueError for what only sweeps have."""
    if asked.first_seed or asked.shard or lane_width:
        raise ValueError(f"{name} has no --first-seed, --shard or --lane-width; it {why}")
    module = commandline.script(sweeps, name)
    return asked.seeds or (module.QUICK_SEEDS if asked.quick else module.SEEDS)


def run_map(
    name: str,
    grid: Grid,
    asked: Asked,
    out: Path,
    *,
    lane_width: int | None,
    progress: bool,
    window: Sequence[float] | None = None,
    cells: int | None = None,
    double: bool = False,
) -> None:
    """Run a grid, print its map in letters and draw it; ValueError for what only sweeps have."""
    seeds = _from_zero(name, asked, lane_width, "is a grid: all cells share their seeds, from 0 on")
    folder, command = out / name, f"python -m sweeps {name} --seeds {seeds}"
    if window or cells:
        grid = grid.zoomed(window, cells)
        command += f" --cells {cells}" if cells else ""
        command += f" --window {' '.join(map(repr, window))}" if window else ""
    command += " --float64" if double else ""
    found = run_grid(grid, seeds, out=folder, progress=progress, command=command, double=double)
    members = int(found.n.sum())
    print(found, f"\n{members:,} networks in {found.n.size:,} cells", sep="\n")
    print(f"\nwritten: {folder}/grid.npz, manifest.json")
    draw(name, out)


def run_survey(
    name: str, census: Census, asked: Asked, out: Path, *, lane_width: int | None, progress: bool
) -> None:
    """Count a census, hold it against theory, print and write that; ValueError as `run_map`."""
    seeds = _from_zero(name, asked, lane_width, "trains nothing: it counts seeds from 0 on")
    folder, command = out / name, f"python -m sweeps {name} --seeds {seeds}"
    counts = run_census(census, seeds, out=folder, progress=progress, command=command)
    compared = compare.compare_all(comparisons(census, counts))
    write_predictions(folder, name, compared)
    print(comparison_table(compared))
    print(f"\nwritten: {folder}/counts.csv, predictions.csv, manifest.json")


def comparisons(census: Census, counts: Counts) -> list[tuple[str, int, int, Prediction]]:
    """Return (setting, count, n, prediction) for all that theory says of a census."""
    rows = []
    for case in census.cases:
        for prediction in case.predictions:
            n, count = counts[case.setting.name, prediction.event]
            rows.append((case.setting.name, count, n, prediction))
    return rows


def draw(name: str, out: Path) -> None:
    """Draw the figure of a sweep's name, if there is one, and say where it is."""
    import figures.__main__ as drawing  # matplotlib takes a second, which listing need not wait for

    if name in drawing.names():
        drawn = drawing.draw(name, out, out / "figures")
        pictures = [str(path) for path in drawn if path.suffix == ".png"]
        print("drawn, with PDF and JSON beside:", *pictures, sep="\n  ")


def save(folder: Path, found: Result, compared: list[Comparison]) -> None:
    """Write summary.csv and predictions.csv."""
    found.to_csv(folder / "summary.csv")
    write_predictions(folder, found.sweep.name, compared)


def write_predictions(folder: Path, name: str, compared: list[Comparison]) -> None:
    """Write predictions.csv."""
    rows = [{"sweep": name} | dataclasses.asdict(row) for row in compared]
    columns = ["sweep", *(field.name for field in dataclasses.fields(Comparison))]
    files.write_csv(folder / "predictions.csv", rows, columns)


def look(folder: Path, asked: Asked, found: Result) -> str:
    """Record that results were looked at; return what to say of it, for going on changes chances.

    Who runs more seeds until a verdict appears must say so: looks.json lists every request.
    """
    path = folder / "looks.json"
    looks = json.loads(path.read_text()) if path.exists() else []
    most = max(len(members.seeds) for members in found.members.values())
    new = {"first_seed": asked.first_seed, "seeds": most, "shard": asked.shard}
    if json.loads(json.dumps(new)) not in looks:
        looks.append(new)
        files.write_atomically(path, (json.dumps(looks) + "\n").encode())
    if len(looks) == 1:
        return ""
    counts = ", ".join(str(entry["seeds"]) for entry in looks)
    return f"\nlooked at {len(looks)} times, with {counts} seeds: verdicts allow for one look"
