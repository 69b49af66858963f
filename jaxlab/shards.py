"""Who fills a folder: shards of a sweep, a lock for each, and the record each keeps of its runs.

A shard is the I-th of N parts of a sweep's chunks. Every process that writes holds the lock of its
shard, which the system takes back when the process dies, however it dies.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from filelock import FileLock, Timeout

from jaxlab import sealed
from jaxlab.files import make_folder
from jaxlab.records import Record, check_record
from jaxlab.sealed import ResultsError
from jaxlab.validation import items

FOLDER = "shards"
FILES = re.compile(r"[1-9][0-9]*-of-[1-9][0-9]*")


class Shard(NamedTuple):
    """The `number`-th of `of` parts of a sweep, counted from 1; a whole sweep is 1/1."""

    number: int = 1
    of: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def file(self) -> str:
        """The name of its files, without ending."""
        return f"{self.number}-of-{self.of}"

    def has(self, setting: int, chunks: np.ndarray) -> np.ndarray:
        """Say which chunks of the setting at this position belong to the shard.

        Chunks are dealt out like cards, so that all shards get some of every size of network; more
        seeds later change nothing of it.
        """
        return (setting + chunks) % self.of == self.number - 1


WHOLE = Shard()


def shard_from(text: str) -> Shard:
    """Return the shard that "I/N" means; ValueError unless 1 <= I <= N.

    >>> shard_from("2/4")
    Shard(number=2, of=4)
    """
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if match and 1 <= int(match[1]) <= int(match[2]):
        return Shard(int(match[1]), int(match[2]))
    raise ValueError(f"{text!r} is not I/N with 1 <= I <= N, such as 1/4")


def _lock(folder: Path, name: str) -> FileLock:
    try:
        make_folder(folder / FOLDER)
    except OSError as error:
        raise sealed.unwritable(folder, error) from error
    path = folder / FOLDER / f"{name}.lock"
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise sealed.damaged(path, "it is no regular file")
    return FileLock(path, fallback_to_soft=False)


@contextmanager
def _held(folder: Path, name: str, seconds: float, otherwise: Callable[[], str]) -> Iterator[None]:
    lock = _lock(folder, name)
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        raise ResultsError(otherwise()) from None
    except (OSError, NotImplementedError) as error:
        reason = error if isinstance(error, OSError) else OSError(0, str(error))
        raise sealed.unwritable(folder, reason) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def briefly(folder: Path) -> Iterator[None]:
    """Keep other processes from writing what all shards share: the manifest, the tables.

    One waits for them as long as it takes: a lock never outlives its process.
    """
    with _held(folder, "tables", -1, lambda: ""):
        yield


@contextmanager
def writing(folder: Path, shard: Shard = WHOLE) -> Iterator[None]:
    """Hold the lock of a shard; ResultsError if another process is filling these chunks.

    That is one at the same shard, or at any shard where the folder is divided otherwise. Enter it
    under `briefly`: asking for locks takes them for a moment.
    """
    for other in _shards(folder, "lock"):
        if other.of != shard.of and _is_held(folder, other):
            raise ResultsError(_busy(folder, other))
    with _held(folder, shard.file, 0, partial(_busy, folder, shard)):
        yield


def others_write(folder: Path, shard: Shard) -> bool:
    """Say whether other shards are being filled; ask under `briefly`."""
    others = [other for other in _shards(folder, "lock") if other != shard]
    return any(_is_held(folder, other) for other in others)


def _is_held(folder: Path, shard: Shard) -> bool:
    try:
        with _held(folder, shard.file, 0, lambda: ""):
            return False
    except ResultsError:
        return True


def _busy(folder: Path, shard: Shard) -> str:
    part = "" if shard == WHOLE else f" (shard {shard})"
    known = [run for run in records(folder, shard) if run["how"] == "running"]
    who = f" (last known: pid {known[-1]['pid']} on {known[-1]['host']})" if known else ""
    text = f"by another process{who}; wait, end it, or choose another --out"
    return f"{folder} is being filled{part} {text}"


def _shards(folder: Path, ending: str) -> list[Shard]:
    found = []
    for path in (folder / FOLDER).glob(f"*-of-*.{ending}"):
        if FILES.fullmatch(path.stem):
            with suppress(ValueError):  # a file of somebody else's, as any other name
                found.append(shard_from(path.stem.replace("-of-", "/")))
    return sorted(found, key=lambda shard: (shard.of, shard.number))


def recorded_shards(folder: Path) -> list[Shard]:
    """Return the shards that have been run in a folder."""
    return _shards(folder, "json")


def records(folder: Path, shard: Shard | None = None) -> list[dict[str, Any]]:
    """Return the records of all runs in a folder, or of one shard's, oldest first."""
    chosen = recorded_shards(folder) if shard is None else [shard]
    paths = [_record_path(folder, one) for one in chosen]
    found = [run for path in paths if path.exists() for run in _runs_in(path)]
    return sorted(found, key=lambda run: run["started"])


def _runs_in(path: Path) -> list[dict[str, Any]]:
    content = sealed.read_json(path)
    with sealed.reading(path):
        runs = items("runs", content["runs"], "the runs of a shard")
        for run in runs:
            check_record(run)
    return list(runs)


def _record_path(folder: Path, shard: Shard) -> Path:
    return folder / FOLDER / f"{shard.file}.json"


def _write_records(folder: Path, shard: Shard, runs: list[dict[str, Any]]) -> None:
    sealed.write_result(_record_path(folder, shard), sealed.json_as_bytes({"runs": runs}))


def take_over(folder: Path, other: Path) -> None:
    """Add the records of another folder's runs."""
    for shard in recorded_shards(other):
        known = records(folder, shard)
        new = [run for run in records(other, shard) if run not in known]
        if new:
            _write_records(folder, shard, [*known, *new])


@contextmanager
def recorded(folder: Path, command: str, shard: Shard, fingerprint: str) -> Iterator[Record]:
    """Keep a record of a run from its beginning on, so that a killed run leaves one too."""
    record, before = Record(command, str(shard), fingerprint), records(folder, shard)

    def write() -> None:
        _write_records(folder, shard, [*before, record.as_dict()])

    write()
    try:
        yield record
    except BaseException:
        record.end("stopped")
        with suppress(ResultsError):  # a full disk must not hide why the run ended
            write()
        raise
    record.end("finished")
    write()
