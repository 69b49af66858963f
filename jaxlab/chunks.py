"""Chunks of members on disk: up to `CHUNK` neighbouring seeds of one setting to a file.

All of a file was made on one machine. It is written under a temporary name and renamed, with a
checksum of what it holds and a text that says what its members depend on, so that a killed run
leaves no half file and neither a flipped bit nor a file of something else goes unnoticed.
"""

import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np

from jaxlab import outcomes, sealed
from jaxlab.keys import MAX_SEED
from jaxlab.provenance import short
from jaxlab.result import Members
from jaxlab.sealed import ResultsError, damaged
from jaxlab.spec import Setting

CHUNK = 4096
FORMAT = 3  # of the files; 1 had no checksums, 2 called all that was still improving unfinished
# What follows the part of a file's name that stands for the setting: chunk and fingerprint.
NAME = re.compile(r"([0-9]{7}|[1-9][0-9]{7,9})\.[0-9a-f]{8}\.npz")
COLUMNS = {field.name for field in fields(Members) if field.default is MISSING}
# What each array is a list of: as NumPy writes it, without the order of bytes.
TRUTHS, REALS = ("b1",), ("f4", "f8")
KINDS = {"seeds": ("i8",), "outcome": ("i1",), "first_solved": ("i4",)}
KINDS |= dict.fromkeys(("improving", "born_dead", "certified"), TRUTHS)

Fingerprint = Mapping[str, str]
Arrays = dict[str, np.ndarray]


def _stem(setting: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9+-]+", "_", setting)[:60]
    return f"{plain}.{zlib.crc32(setting.encode()):08x}."


def _number(path: Path) -> int:
    return int(path.name.split(".")[2])


def check_arrays(arrays: Arrays, setting: Setting) -> None:
    """Raise ValueError unless arrays by name are members of a setting, and there are some."""
    lacking, more = COLUMNS - arrays.keys(), arrays.keys() - {f.name for f in fields(Members)}
    if lacking or more:
        how = "it lacks" if lacking else "it has besides"
        raise ValueError(f"{how} {', '.join(sorted(lacking or more))}")
    for name, values in arrays.items():
        if values.dtype.str[1:] not in KINDS.get(name, REALS):
            raise ValueError(f"{name} are of the type {values.dtype}")
        if values.shape[:1] != arrays["seeds"].shape or not values.size:
            raise ValueError("arrays of different lengths")
        if values.shape[1:] != _shape(name, values, setting):
            raise ValueError(f"{name} have the shape {values.shape}")
    for name, low, high in _limits(setting):
        if arrays[name].min() < low or arrays[name].max() > high:
            raise ValueError(f"{name} are not all from {low} to {high}")


def _shape(name: str, values: np.ndarray, setting: Setting) -> tuple[int, ...]:
    """Return the shape that an array must have beside its axis of members."""
    network = setting.network
    if name == "errors":  # a column for each region, which a task of one's own may not name here
        return values.shape[1:2]
    return {
        "entering": (2,),
        "initial_weights": (network.parameters,),
        "final_weights": (network.parameters,),
        "seen": (*values.shape[1:2], network.widths[0] + network.widths[-1]),
    }.get(name, ())


def _limits(setting: Setting) -> list[tuple[str, int, int]]:
    return [
        ("seeds", 0, MAX_SEED),
        ("outcome", 0, len(outcomes.OUTCOMES) - 1),
        ("first_solved", -1, setting.steps),
    ]


class Chunks:
    """The members of a sweep in a directory.

    `describe` says of a setting what its members depend on; `fingerprints`, by their short names,
    are those that may be there.
    """

    def __init__(
        self,
        path: Path,
        describe: Callable[[Setting], Mapping[str, Any]],
        fingerprints: dict[str, Fingerprint],
    ):
        self.path, self.describe, self.fingerprints = path, describe, fingerprints

    def exist(self) -> bool:
        """Say whether there is a chunk at all."""
        return any(self.path.glob("*.npz"))

    def _mark(self, setting: Setting, by: Fingerprint) -> str:
        told = {"format": FORMAT, "chunk": CHUNK, "setting": setting.name, "digest": setting.digest}
        return json.dumps(
            told | dict(self.describe(setting)) | {"fingerprint": dict(by)}, sort_keys=True
        )

    def paths(self, setting: Setting) -> dict[int, list[Path]]:
        """Return the files of a setting by their chunk, in order: one for each fingerprint."""
        found: dict[int, list[Path]] = {}
        for path in sorted(self.path.glob(f"{_stem(setting.name)}*.npz")):
            number = NAME.fullmatch(path.name.removeprefix(_stem(setting.name)))
            if number is None:
                raise ResultsError(f"{path} is no chunk of jaxlab's; move it away")
            found.setdefault(int(number[1]), []).append(path)
        return dict(sorted(found.items()))

    def read(self, path: Path, setting: Setting) -> Arrays:
        """Return a chunk's arrays by name; ResultsError if it is damaged or not this setting's."""
        try:
            mark, arrays = sealed.read_arrays(path)
        except ResultsError as error:
            again = "move it away to train its seeds again"
            raise ResultsError(str(error).replace("move it away", again)) from error
        if mark != self._mark(setting, self.made_by(path)):
            text = "belongs to another specification, lane width or machine"
            raise ResultsError(f"{path} {text}; move it away")
        with sealed.reading(path):
            check_arrays(arrays, setting)
        if (arrays["seeds"] // CHUNK != _number(path)).any():
            raise damaged(path, "seeds of another chunk")
        return arrays

    def load(self, setting: Setting, low: int = 0, high: int | None = None) -> Members | None:
        """Return the members in chunks from `low` to below `high`; None if the setting has none.

        Without `high`, to the last. Where there are none between these, the members are no more
        than columns without rows.
        """
        paths = self.paths(setting)
        if not paths:
            return None
        chosen = [i for i in paths if low <= i and (high is None or i < high)]
        some = [path for i in chosen for path in paths[i]]
        arrays = self._read_all(setting, some or next(iter(paths.values())))
        members = Members.concatenated([Members(**part) for part in arrays])
        return members if some else members.of(np.empty(0, np.int64))

    def seeds(self, setting: Setting, among: np.ndarray | None = None) -> np.ndarray:
        """Return the seeds of a setting that are on disk, having read and checked every chunk.

        `among` some seeds: only the chunks that these belong to are read.
        """
        chosen = None if among is None else set(np.unique(among // CHUNK).tolist())
        paths = [path for i, path in self.all(setting) if chosen is None or i in chosen]
        found = [arrays["seeds"] for arrays in self._read_all(setting, paths)]
        return np.sort(np.concatenate(found)) if found else np.empty(0, np.int64)

    def _read_all(self, setting: Setting, paths: Iterable[Path]) -> Iterator[Arrays]:
        columns, last, seeds = None, -1, np.empty(0, np.int64)
        for path in paths:
            arrays = self.read(path, setting)
            shapes = {name: (values.dtype, values.shape[1:]) for name, values in arrays.items()}
            columns = columns or shapes
            if shapes != columns:
                raise damaged(path, "other columns than its neighbours")
            number = _number(path)  # only files of one chunk can hold the same seeds
            seeds = arrays["seeds"] if number != last else np.append(seeds, arrays["seeds"])
            if len(np.unique(seeds)) != len(seeds):
                raise damaged(path, "a seed twice")
            last = number
            yield arrays

    def add(
        self,
        setting: Setting,
        seeds: np.ndarray,
        arrays: Arrays,
        by: Fingerprint,
    ) -> None:
        """Add new members of a setting, trained by `by`, to the chunks their seeds belong to."""
        for index in np.unique(seeds // CHUNK):
            mine = seeds // CHUNK == index
            new = {"seeds": seeds[mine], **{name: v[mine] for name, v in arrays.items()}}
            path = self.path / f"{_stem(setting.name)}{index:07d}.{short(by)}.npz"
            if path.exists():
                old = self.read(path, setting)
                new = {name: np.concatenate([old[name], v]) for name, v in new.items()}
            order = np.argsort(new["seeds"])
            in_order = {name: values[order] for name, values in new.items()}
            content = sealed.arrays_as_bytes(self._mark(setting, by), in_order)
            sealed.write_result(path, content)

    def clean(self) -> None:
        """Delete what killed processes left behind; only for who alone may write chunks."""
        for path in self.path.glob(".*.tmp"):
            path.unlink(missing_ok=True)

    def foreign(self, names: Iterable[str]) -> list[Path]:
        """Return the files that are chunks of none of these settings, given by name."""
        stems = tuple(_stem(name) for name in names)
        return [path for path in sorted(self.path.glob("*.npz")) if not path.name.startswith(stems)]

    def all(self, setting: Setting) -> Iterator[tuple[int, Path]]:
        """Yield the number and the file of every chunk of a setting."""
        for index, paths in self.paths(setting).items():
            for path in paths:
                yield index, path

    def made_by(self, path: Path) -> Fingerprint:
        """Return the fingerprint of who made a chunk; empty if that is none of those allowed."""
        return self.fingerprints.get(path.name.split(".")[3], {})
