"""What happens when a sweep or a grid is run by name: train, keep, count, compare, draw."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np

import sweeps
from jaxlab import (
    advice,
    answer,
    commandline,
    compare,
    distributed,
    export,
    keys,
    looks,
    merging,
    runs,
    shards,
    store,
)
from jaxlab import compared as compared_as
from jaxlab.census import Census, Counts, run_census
from jaxlab.compare import Comparison
from jaxlab.grid import Grid
from jaxlab.grid_runs import run_grid
from jaxlab.result import Result
from jaxlab.shards import WHOLE, Shard
from jaxlab.spec import Setting, Sweep
from jaxlab.theory.prediction import Prediction


class Asked(NamedTuple):
    """Which seeds are asked for: how many (None: the sweep's own number), from which on.

    `shard` says which part of them is to be trained here. `scale_wide` says if a given number is
    meant for wide networks too, which by default have a smaller one of their own.
    """

    seeds: int | None = None
    first_seed: int = 0
    shard: Shard = WHOLE
    quick: bool = False
    scale_wide: bool = True


class How(NamedTuple):
    """How members are trained and kept: see `jaxlab.run`. `command` is what was typed."""

    command: str
    lane_width: int | None = None
    mix: bool = False
    progress: bool = True


def _count(asked: Asked, module: ModuleType, setting: Setting) -> int:
    wide = hasattr(module, "is_wide") and module.is_wide(setting)
    if asked.seeds and (asked.scale_wide or not wide):
        return asked.seeds
    if wide:
        return module.WIDE_QUICK_SEEDS if asked.quick else module.WIDE_SEEDS
    return module.QUICK_SEEDS if asked.quick else module.SEEDS


def chosen_seeds(asked: Asked, module: ModuleType, sweep: Sweep) -> dict[str, np.ndarray]:
    """Return each setting's seeds, of all shards; ValueError if they leave the range."""
    counts = {s.name: _count(asked, module, s) for s in sweep.settings}
    last = asked.first_seed + max(counts.values()) - 1
    if last > keys.MAX_SEED:
        raise ValueError(f"the last seed would be {last}; it must be at most {keys.MAX_SEED}")
    ranges = {n: np.arange(asked.first_seed, asked.first_seed + n) for n in set(counts.values())}
    return {name: ranges[count] for name, count in counts.items()}


def train(name: str, asked: Asked, out: Path, how: How) -> dict[str, np.ndarray]:
    """Train what is missing of a sweep; return the seeds of all its shards by setting."""
    module = commandline.script(sweeps, name)
    sweep = module.build()
    seeds = chosen_seeds(asked, module, sweep)
    runs.run(sweep, seeds, out=out / name, shard=asked.shard, **how._asdict())
    return seeds


def tables(name: str, folder: Path) -> tuple[Result, list[Comparison]]:
    """Write summary.csv and predictions.csv from what a folder holds, and return both.

    That is also what earlier runs and other shards have left there.
    """
    module, found = commandline.script(sweeps, name), store.read_sweep(folder)
    compared = compare.compare_all(compared_as.counted(module.comparisons, found))
    found.to_csv(folder / "summary.csv")
    compared_as.write(folder, name, compared)
    return found, compared


def counted(name: str, asked: Asked, out: Path, how: How) -> tuple[Result, list[Comparison]]:
    """Train what is missing of a sweep, write its tables and return what its folder holds now."""
    train(name, asked, out, how)
    with shards.briefly(out / name):
        return tables(name, out / name)


def run_sweep(
    name: str,
    asked: Asked,
    out: Path,
    how: How,
    export_as: str | None = None,
    advised: bool = False,
) -> None:
    """Run a sweep, write its tables, print what the counts say and draw its figure.

    A shard does all but train only if it is the last to be finished. `advised` trains variants of
    the setting that tells most, too.
    """
    module, folder = commandline.script(sweeps, name), out / name
    seeds = train(name, asked, out, how)
    if not distributed.is_first():
        return
    with shards.briefly(folder):
        held = store.read_folder(folder)
        lacking = {} if asked.shard == WHOLE else merging.missing(held, seeds)
        if lacking:
            words = merging.in_words(held, lacking)
            print(f"shard {asked.shard} is finished; missing in {folder}: {words}")
            if export_as:
                print(f"members.{export_as} is left to the last shard, which must ask for it too")
            return
        found, compared = tables(name, folder)
        looked = looks.record(folder, asked.first_seed, found)
    print(found, module.report(found, compared), sep="\n\n")
    print("\nBug, luck or impossible?", answer.as_text(found), sep="\n")
    print(looked, end="")
    for line in held.mixture():
        print(f"\n{line}")
    print(f"\nwritten: {folder}/summary.csv, predictions.csv, manifest.json, chunks/")
    if export_as:
        print(f"exported: {export.write(found, folder, export_as)}")
    draw(name, out)
    if advised:
        given = advice.given(found, folder, progress=how.progress, command=how.command)
        print(f"\n{given}\n\nwritten: {folder / advice.FILE}")


def _from_zero(name: str, asked: Asked, how: How, why: str) -> int:
    """Return how many seeds are asked for; ValueError for what only sweeps have."""
    if asked.first_seed or asked.shard != WHOLE or how.lane_width or how.mix:
        raise ValueError(f"{name} has no --first-seed, --shard, --lane-width or --mix; it {why}")
    module = commandline.script(sweeps, name)
    return asked.seeds or (module.QUICK_SEEDS if asked.quick else module.SEEDS)


def run_map(
    name: str,
    grid: Grid,
    asked: Asked,
    out: Path,
    how: How,
    *,
    window: Sequence[float] | None = None,
    cells: int | None = None,
    double: bool = False,
) -> None:
    """Run a grid, print its map in letters and draw it; ValueError for what only sweeps have."""
    seeds = _from_zero(name, asked, how, "is a grid: all cells share their seeds, from 0 on")
    folder, told = out / name, {"progress": how.progress, "command": how.command}
    grid = grid.zoomed(window, cells) if window or cells else grid
    found = run_grid(grid, seeds, out=folder, double=double, **told)
    members = int(found.n.sum())
    print(found, f"\n{members:,} networks in {found.n.size:,} cells", sep="\n")
    print(f"\nwritten: {folder}/grid.npz, manifest.json")
    draw(name, out)


def run_survey(name: str, census: Census, asked: Asked, out: Path, how: How) -> None:
    """Count a census, hold it against theory, print and write that; ValueError as `run_map`."""
    seeds = _from_zero(name, asked, how, "trains nothing: it counts seeds from 0 on")
    folder, told = out / name, {"progress": how.progress, "command": how.command}
    counts = run_census(census, seeds, out=folder, **told)
    compared = compare.compare_all(comparisons(census, counts))
    compared_as.write(folder, name, compared)
    print(compared_as.table(compared))
    print(f"\nwritten: {folder}/counts.json, predictions.csv, manifest.json")


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
    if commandline.beside("figures", name) is not None:
        # Matplotlib takes a second, which listing need not wait for.
        drawing = importlib.import_module("figures.__main__")
        drawn = drawing.draw(name, out, out / "figures")
        pictures = [str(path) for path in drawn if path.suffix == ".png"]
        print("drawn, with PDF and JSON beside:", *pictures, sep="\n  ")
