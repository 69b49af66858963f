"""Run a grid: all cells that differ in numbers only by one program, counted as they come.

Members are trained in a fixed order, seed by seed through all cells, and the counts so far are kept
in one file, grid.npz: after every call, or as often as a large grid can be written without losing
time. The same command goes on where it stopped, and more seeds later are added to what is there.
"""

import dataclasses
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from jaxlab import (
    engine,
    grouping,
    manifests,
    outcomes,
    sealed,
    shards,
    store,
    surroundings,
    waiting,
)
from jaxlab.chunks import FORMAT
from jaxlab.grid import Grid, GridResult, grid_from_json
from jaxlab.grouping import Columns, Group, Schedule
from jaxlab.provenance import short
from jaxlab.sealed import ResultsError
from jaxlab.spec import Sweep
from jaxlab.validation import check

FILE, MANIFEST = "grid.npz", manifests.FILE
QUIET_SECONDS = 2.0  # shorter runs say nothing
WRITING_SHARE = 0.05  # of the time may go into writing


@dataclass(frozen=True)
class Part:
    """Rows of a grid that share a program; `cells` are its columns of numbers, row by row."""

    group: Group
    rows: tuple[int, ...]
    cells: Columns

    @property
    def size(self) -> int:
        """Number of cells."""
        return len(self.cells["scales"])


def parts(grid: Grid) -> list[Part]:
    """Sort a grid's rows by program.

    ValueError where a column would need a program of its own, or both axes change one number.
    """
    _check_apart(grid)
    found: dict[tuple[Any, ...], list[int]] = {}
    settings = [grid.rows.at(grid.base, i) for i in range(grid.shape[0])]
    for i, setting in enumerate(settings):
        found.setdefault(_key(setting), []).append(i)
    return [_part(grid, key, settings, rows) for key, rows in found.items()]


def _check_apart(grid: Grid) -> None:
    rows, columns, base = grid.rows, grid.columns, grid.base
    for i, j in itertools.product((0, -1), (0, -1)):
        if rows.at(columns.at(base, j), i) != columns.at(rows.at(base, i), j):
            both = f"{rows.label} and {columns.label} change the same number"
            raise ValueError(f"grid {grid.name!r}: {both}; the axes must not meet")


def _key(setting) -> tuple[Any, ...]:
    grouping.tasks.check_fit(setting)
    law = grouping.laws(setting)
    return grouping.skeleton(setting), Schedule.of(setting), grouping.lane_width(setting), law


def _part(grid: Grid, key: tuple[Any, ...], settings, rows: list[int]) -> Part:
    first = settings[rows[0]]
    along = [grid.columns.at(first, j) for j in range(grid.shape[1])]
    if any(_key(setting) != key for setting in along):
        text = f"{grid.columns.label} changes the program; it must be the axis of the rows"
        raise ValueError(f"grid {grid.name!r}: {text}")
    own, of_rows, of_columns = (
        grouping.columns(chosen) for chosen in ([first], [settings[i] for i in rows], along)
    )
    cells = {}
    for name, base in own.items():
        by_row, by_column = of_rows[name][:, None], of_columns[name][None]
        both = np.where(by_column != base, by_column, by_row)
        cells[name] = both.reshape(-1, *both.shape[2:])
    return Part(Group(*key[:3], settings=(first,)), tuple(rows), cells)


class GridFile:
    """The counts of a grid on disk, with how many members of each part are in them."""

    def __init__(self, folder: Path, grid: Grid, todo: Sequence[Part], double: bool = False):
        self.saved, self.cost = time.perf_counter(), 0.0
        self.folder, self.path, self.grid, self.parts = folder, folder / FILE, grid, todo
        self.identity: dict[str, Any] = {"format": FORMAT} | _identity(grid, double)
        self.mark = json.dumps([json.loads(grid.to_json()), self.identity], sort_keys=True)
        self.counts = np.zeros((*grid.shape, len(outcomes.OUTCOMES)), np.int32)
        self.done = self.counted()

    def counted(self) -> np.ndarray:
        """Return how many members of each part are in the counts."""
        sums = [self.counts[list(part.rows)].sum() for part in self.parts]
        return np.array(sums, np.int64)

    def load(self) -> None:
        """Take over the counts of earlier runs; ResultsError if the folder holds another grid."""
        manifest = self.folder / MANIFEST
        if self.path.exists():
            _, arrays = _read(self.path)
            if arrays.pop("mark") != self.mark:
                raise ResultsError(
                    f"{self.path} holds another grid, or was made elsewhere; choose another --out"
                )
            self.counts = arrays["counts"]
            self.done = self.counted()
            if not np.array_equal(arrays["done"], self.done):
                raise sealed.damaged(self.path, "other numbers of networks than are counted")
        if manifest.exists():
            planned = sealed.read_json(manifest).get("grid")
            if planned != json.loads(self.grid.to_json()):
                raise ResultsError(f"{self.folder} holds something else; choose another --out")

    def write_manifest(self) -> None:
        """Write what the folder is to hold, and the runs recorded so far."""
        content = {"grid": json.loads(self.grid.to_json())} | self.identity
        content["runs"] = shards.records(self.folder)
        sealed.write_result(self.folder / MANIFEST, sealed.json_as_bytes(content))

    def save_now_and_then(self) -> None:
        """Write the counts, unless writing them has just taken its share of the time."""
        if (time.perf_counter() - self.saved) * WRITING_SHARE >= self.cost:
            self.save()

    def save(self) -> None:
        """Write the counts; nothing is lost of what an earlier file held."""
        start = time.perf_counter()
        names, grid = np.array(outcomes.OUTCOMES), self.grid
        axes = {"rows": np.array(grid.rows.values), "columns": np.array(grid.columns.values)}
        arrays = {"counts": self.counts, "done": self.done, "outcomes": names} | axes
        sealed.write_result(self.path, sealed.arrays_as_bytes(self.mark, arrays, compressed=True))
        self.saved = time.perf_counter()
        self.cost = self.saved - start


def _identity(grid: Grid, double: bool) -> dict[str, Any]:
    # Rows of the grid stand for their cells: columns change numbers only.
    settings = [grid.rows.at(grid.base, i) for i in range(grid.shape[0])]
    named = [dataclasses.replace(s, name=str(i)) for i, s in enumerate(settings)]
    lanes = {setting.name: grouping.lane_width(setting) for setting in named}
    dtype = "float64" if double else "float32"
    return store.identity_of(Sweep(grid.name, tuple(named), paired=True), lanes, dtype)


def _read(path: Path) -> tuple[Grid, dict[str, Any]]:
    mark, arrays = sealed.read_arrays(path)
    with sealed.reading(path):
        content, identity = json.loads(mark)
        grid = grid_from_json(json.dumps(content))
        manifests.check_format(path, identity["format"])
        _check_counts(grid, arrays["counts"])
        names = arrays["outcomes"].tolist()
        check(names == list(outcomes.OUTCOMES), "outcomes", names, "those of this version")
    return grid, arrays | {"mark": mark}


def _check_counts(grid: Grid, counts: np.ndarray) -> None:
    shape = (*grid.shape, len(outcomes.OUTCOMES))
    if counts.shape != shape or counts.dtype != np.int32 or (counts < 0).any():
        raise ValueError(f"counts are no whole numbers of the shape {shape}, none of them below 0")


def read_manifest(path: Path) -> dict[str, Any]:
    """Return what a map's manifest says; ResultsError where it is damaged."""
    content = manifests.read(path, "grid")
    with sealed.reading(path):
        grid_from_json(json.dumps(content["grid"]))
        manifests.check_identity(content)
        manifests.check_fingerprint("fingerprint", content["fingerprint"])
    return content


def read_grid(folder: str | Path) -> GridResult:
    """Return the result that a folder holds, without training; ResultsError if there is none."""
    path = Path(folder) / FILE
    if not path.exists():
        raise ResultsError(f"{folder} holds no results (no {FILE})")
    grid, arrays = _read(path)
    return GridResult(grid, arrays["counts"])


@surroundings.front_door
def run_grid(
    grid: Grid,
    seeds: int = 16,
    *,
    out: str | Path | None = None,
    progress: bool = False,
    command: str = "",
    double: bool = False,
) -> GridResult:
    """Train seeds 0, 1, ... in every cell and return what became of them.

    With `out`, the counts are kept in that folder, and members counted there are not trained again.
    With `double` members are trained in 64-bit numbers, which neighbouring cells of a narrow window
    need. ValueError for an impossible grid or number of seeds, `ResultsError` for a folder that
    holds something else or is being filled.
    """
    count = len(grouping.check_seeds(seeds))
    todo = parts(grid)
    file = GridFile(Path() if out is None else Path(out), grid, todo, double)
    totals = [part.size * count for part in todo]
    if out is None:
        _train(file, todo, totals, progress, double, lambda members, path: None)
        return GridResult(grid, file.counts)
    file.load()  # before anything is written
    with ExitStack() as stack:
        with shards.briefly(file.folder):
            stack.enter_context(shards.writing(file.folder))
            file.load()
            file.write_manifest()
        if all(done >= total for done, total in zip(file.done, totals, strict=True)):
            return GridResult(grid, file.counts)
        by = short(file.identity["fingerprint"])
        with shards.recorded(file.folder, command, shards.WHOLE, by) as record:

            def keep(members: int, path: str) -> None:
                record.trained(members)
                record.trains_by(path)
                file.save_now_and_then()

            try:
                _train(file, todo, totals, progress, double, keep)
            except KeyboardInterrupt as stop:
                text = f"{file.done.sum():,} of {sum(totals):,} networks are in {file.path}"
                stop.add_note(text)
                raise
            finally:
                # Ctrl-C may have come between a call's counts and their number.
                file.done[:] = file.counted()
                file.save()
        file.write_manifest()
    return GridResult(grid, file.counts)


def _train(
    file: GridFile,
    todo: list[Part],
    totals: list[int],
    progress: bool,
    double: bool,
    keep: Callable[[int, str], None],
) -> None:
    """Train what is missing and count it; tell `keep` of every call how many, and by what path."""
    left = sum(max(0, total - int(done)) for total, done in zip(totals, file.done, strict=True))
    hidden = None if progress else True  # None: shown on a terminal only
    look: dict[str, Any] = {"file": sys.stderr, "ncols": 79, "delay": QUIET_SECONDS}
    with tqdm(total=left, desc=file.grid.name, unit=" networks", disable=hidden, **look) as bar:
        for i, part in enumerate(todo):
            for cells, outcome, path in _trained(part, int(file.done[i]), totals[i], double):
                places = (*_places(part, cells, file.grid.shape[1]), outcome)
                np.add.at(file.counts, places, 1)
                file.done[i] += len(cells)
                keep(len(cells), path)
                bar.update(len(cells))


def _trained(
    part: Part, done: int, total: int, double: bool
) -> Iterator[tuple[np.ndarray, np.ndarray, str]]:
    """Train a part's members from the `done`-th on; yield (cells, outcomes, path) of every call."""
    if done >= total:
        return
    make = partial(engine.Runner, paired=True, cells=part.cells, double=double)
    runner = waiting.call(make, part.group)
    for first in range(done, total, runner.size):
        members = np.arange(first, min(first + runner.size, total))
        seeds, cells = np.divmod(members, part.size)
        yield cells, waiting.call(runner, cells, seeds)["outcome"], runner.path


def _places(part: Part, cells: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray]:
    return np.array(part.rows)[cells // columns], cells % columns
