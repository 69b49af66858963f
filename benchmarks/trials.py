"""What a fault does to results: the judge, which holds a folder against an unbroken run's."""

import itertools
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.processes import Arrange, Ended, Process, Processes, nothing
from jaxlab import files, grid_runs, store

KEPT = ("chunks/*.npz", "grid.npz", "counts.json", "summary.csv", "predictions.csv")
SHOWN = 3  # different lines of what was said

Words = tuple[str, ...]

SMALL: Words = ("small", "--lane-width", "1")
MAP: Words = ("small_map",)
CENSUS: Words = ("small_census",)


@dataclass
class Tried:
    """How often a fault was tried, what the user saw, what was lost, and what should not be.

    `lost` counts networks (of a map, cells; of a census, counts) that are not those of an unbroken
    run, or that were on disk and are there no more.
    """

    fault: str
    sees: str
    times: int = 0
    lost: int = 0
    defects: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def hear(self, line: str) -> None:
        """Keep a line that was said, if it is another than those before."""
        if line and line not in self.said and len(self.said) < SHOWN:
            self.said.append(line)

    def check(self, right: bool, defect: str) -> None:
        """Note a defect unless something is as it should be."""
        if not right and defect not in self.defects:
            self.defects.append(defect)

    def expect(self, ended: Ended, code: int, *parts: str) -> None:
        """Hold that a command ended with a code and, if that is not 0, one line with these words.

        A signal that ends it comes without a line.
        """
        short = f"{self.fault}: exit code {ended.code}, not {code}: {ended.said[-300:]}"
        self.check(ended.code == code, short)
        lines = ended.said.strip().splitlines()
        if code > 0:
            self.check(len(lines) == 1, f"{self.fault}: {len(lines)} lines: {ended.said[-300:]}")
            for part in parts:
                self.check(part in ended.said, f"{self.fault}: without {part!r}: {ended.said}")
        elif code == 0:
            self.check(not lines, f"{self.fault}: succeeds, but says {ended.said[-300:]}")
        self.hear(ended.line)

    def to_json(self) -> dict[str, Any]:
        """Return what faults.json holds of it."""
        return asdict(self)


def kept(folder: Path) -> dict[str, bytes]:
    """Return the files that must be the same bytes after any fault, by their names."""
    found = sorted(path for pattern in KEPT for path in folder.glob(pattern))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def differences(wanted: Path, found: Path) -> list[str]:
    """Return the names of files that only one of two folders holds, or that differ."""
    one, other = kept(wanted), kept(found)
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def networks(folder: Path) -> dict[tuple[str, int], bytes]:
    """Return all that is known of every network in chunks, cell of a map, or count of a census."""
    found: dict[tuple[str, int], bytes] = {}
    for path in folder.glob("chunks/*.npz"):
        with np.load(path) as file:
            columns = {name: file[name] for name in sorted(file.files) if file[name].ndim}
        for i, seed in enumerate(columns["seeds"].tolist()):
            found[path.name.split(".")[0], seed] = b"".join(
                c[i].tobytes() for c in columns.values()
            )
    for path in folder.glob("grid.npz"):
        with np.load(path) as file:
            cells = file["counts"].reshape(-1, file["counts"].shape[-1])
        found |= {("cell", i): counts.tobytes() for i, counts in enumerate(cells)}
    for path in folder.glob("counts.json"):
        rows = json.loads(path.read_text())["counts"]
        found |= {("count", i): json.dumps(row).encode() for i, row in enumerate(rows)}
    return found


def lost(wanted: Path, found: Path) -> int:
    """Count the networks that are not as in the wanted folder."""
    there = networks(found)
    return sum(there.get(name) != known for name, known in networks(wanted).items())


def readable(folder: Path) -> int:
    """Count the networks that a folder of a sweep or a map holds, having read and checked them.

    ResultsError if a file is damaged, or there are chunks that no manifest tells of.
    """
    if (folder / grid_runs.FILE).exists():
        return int(grid_runs.read_grid(folder).n.sum())
    if not any(folder.glob("chunks/*.npz")):
        return 0
    return sum(tally.n for tally in store.read_sweep(folder).tally().values())


def temporaries(folder: Path) -> list[str]:
    """Return the names of files that were not finished."""
    return [path.name for path in folder.rglob("*") if files.is_temporary(path)]


class Workshop:
    """Folders for trials, processes, and the results of the same commands unbroken."""

    def __init__(self, folder: Path):
        self.base, self.numbers = folder, itertools.count()
        self.processes = Processes(folder)
        self.seconds: dict[Words, float] = {}
        self.known: dict[Words, Path] = {}

    def folder(self) -> Path:
        """Return the path of a new folder, which is not made yet."""
        return self.base / f"trial{next(self.numbers)}"

    def run(self, words: Words, out: Path, arrange: Arrange = nothing) -> Ended:
        """Run a command of the sweeps into a folder, and wait for its end."""
        return self.processes.run(in_folder(words, out), arrange)

    def start(self, words: Words, out: Path, arrange: Arrange = nothing) -> Process:
        """Start a command of the sweeps into a folder."""
        return self.processes.start(in_folder(words, out), arrange)

    def start_anew(self, words: Words, out: Path) -> Process:
        """Start a command of the sweeps into a folder as from a shell."""
        return self.processes.start_anew(in_folder(words, out))

    def unbroken(self, words: Words, *, anew: bool = False) -> Path:
        """Return the results folder of a command that ran from beginning to end."""
        if words not in self.known:
            out, start = self.folder(), time.perf_counter()
            if anew:
                ended = self.start_anew(words, out).end()
            else:
                ended = self.processes.run(in_folder(words, out), save=True)
            if ended.code:
                raise RuntimeError(f"{' '.join(words)} fails without any fault: {ended.said}")
            self.seconds[words] = time.perf_counter() - start
            self.known[words] = out / words[0]
        return self.known[words]

    def copy(self, words: Words) -> Path:
        """Return a copy of an unbroken run's results, to be spoilt."""
        wanted = self.unbroken(words)
        return Path(shutil.copytree(wanted, self.folder() / words[0]))

    def finish(self, tried: Tried, words: Words, out: Path, ended: Ended | None = None) -> None:
        """Run a command to its end after a fault and hold what it leaves against an unbroken run.

        `ended` is that end, if it has come already.
        """
        tried.expect(ended or self.run(words, out), 0)
        self.compare(tried, words, out / words[0])

    def compare(self, tried: Tried, words: Words, found: Path) -> None:
        """Hold a results folder against an unbroken run, byte by byte."""
        wanted = self.unbroken(words)
        names = differences(wanted, found)
        tried.lost += lost(wanted, found)
        tried.check(not names, f"{tried.fault}: other bytes than unbroken: {', '.join(names)}")


def in_folder(words: Sequence[str], out: Path) -> list[str]:
    """Return the words of a command of the sweeps that writes into a folder."""
    return ["sweeps", *words, "--quiet", "--out", str(out)]
