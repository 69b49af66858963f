"""Files that are damaged, exchanged or forged, and what reading them then gives.

Everything is trained, so that whoever reads the folder has nothing to do: it is read to the last
bit as it was, or refused in one line and left as it is.
"""

import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np

from benchmarks.swept import small, small_census, small_map
from benchmarks.trials import CENSUS, MAP, SMALL, Tried, Words, Workshop
from jaxlab import ResultsError, census, engine, provenance, run, sealed, store
from jaxlab.census import run_census
from jaxlab.grid_runs import run_grid

SEALED = ("manifest.json", "shards/*.json", "chunks/*.npz", "grid.npz", "counts.json")

Bits = dict[str, bytes]


# What is the same every time, and slower than all the rest.
_machine = cache(provenance.fingerprint)
_SAME = (
    (store, "_data_checksum", cache(store._data_checksum)),
    *((module, "fingerprint", _machine) for module in (store, census)),
)


def read(words: Words, folder: Path) -> Bits:
    """Return all that a command finds in a folder where there is nothing left to do."""
    with ExitStack() as stack:
        for trained in ("Runner", "initial_weights"):
            stack.enter_context(mock.patch.object(engine, trained, None))
        for module, name, function in _SAME:
            stack.enter_context(mock.patch.object(module, name, function))
        if words == MAP:
            found = run_grid(small_map.build(), small_map.SEEDS, out=folder)
            return {"counts": found.counts.tobytes()}
        if words == CENSUS:
            told = {"out": folder, "progress": False, "command": ""}
            counts = run_census(small_census.build(), small_census.SEEDS, **told)
            return {"counts": repr(sorted(counts.items())).encode()}
        run(small.build(), small.SEEDS, out=folder, lane_width=1)
        return {
            f"{name} {column}": values.tobytes()
            for name, members in store.read_sweep(folder).members.items()
            for column, values in members.arrays.items()
        }


class Spoilt:
    """A complete folder in which files are spoilt, tried and put right again."""

    def __init__(self, shop: Workshop, words: Words):
        self.words, self.folder = words, shop.copy(words)
        self.good, self.bits = self._content(), read(words, self.folder)
        self.good = self._content()  # reading writes down that a run has ended since

    def _content(self) -> dict[Path, bytes]:
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {path: path.read_bytes() for path in files if path.suffix != ".lock"}

    def files(self, pattern: str) -> list[Path]:
        """Return the files of a kind."""
        return sorted(self.folder.glob(pattern))

    def restore(self) -> None:
        """Put all files right."""
        for path in self._content().keys() - self.good.keys():
            path.unlink()
        for path, content in self.good.items():
            path.write_bytes(content)

    def attempt(self, tried: Tried, what: str) -> bool:
        """Read the folder as it is now, then put it right; say whether it was refused."""
        spoilt, refused = self._content(), False
        tried.times += 1
        try:
            found = read(self.words, self.folder)
        except ResultsError as error:
            line, refused = str(error), True
            tried.check("\n" not in line, f"{what}: refused in several lines: {line}")
            tried.check(str(self.folder) in line, f"{what}: refused without its name: {line}")
            tried.check(self._content() == spoilt, f"{what}: refused, but written to")
            tried.hear(line.replace(str(self.folder.parent), "…"))
        except Exception as error:
            tried.check(False, f"{what}: a traceback: {type(error).__name__}: {error}")
        else:
            wrong = sum(found.get(name) != bits for name, bits in self.bits.items())
            tried.lost += wrong
            tried.check(found == self.bits, f"{what}: misread")
        self.restore()
        return refused


def flipped(shop: Workshop, flips: int, seed: int = 0) -> Tried:
    """Flip bits at random places of files of every kind, one at a time."""
    tried = Tried("a flipped bit in a file", "one line that names the file; or the same is read")
    rng, refusals = np.random.default_rng(seed), 0
    kinds = [(spoilt, path) for spoilt in _each(shop) for path in _sealed(spoilt)]
    for _ in range(flips):
        spoilt, path = kinds[int(rng.integers(len(kinds)))]
        content = bytearray(spoilt.good[path])
        place, bit = int(rng.integers(len(content))), int(rng.integers(8))
        content[place] ^= 1 << bit
        path.write_bytes(content)
        refusals += spoilt.attempt(tried, f"bit {bit} of byte {place} of {path.name}")
    tried.facts = {"refused": refusals}
    return tried


def _each(shop: Workshop) -> list[Spoilt]:
    return [Spoilt(shop, words) for words in (SMALL, MAP, CENSUS)]


def _sealed(spoilt: Spoilt) -> list[Path]:
    """Return a file of each kind that is there."""
    return [spoilt.files(pattern)[0] for pattern in SEALED if spoilt.files(pattern)]


def truncated(shop: Workshop, places: int, seed: int = 0) -> Tried:
    """Cut files of every kind: to nothing, by a byte, in the middle, and at random places."""
    tried = Tried("a truncated file", "one line that names the file")
    rng = np.random.default_rng(seed)
    for spoilt in _each(shop):
        for path in _sealed(spoilt):
            size = len(spoilt.good[path])
            for place in (0, 1, size // 2, size - 1, *rng.integers(size, size=places).tolist()):
                path.write_bytes(spoilt.good[path][:place])
                refused = spoilt.attempt(tried, f"{path.name} cut at {place} of {size}")
                only_newline = path.suffix == ".json" and place == size - 1
                tried.check(refused or only_newline, f"{path.name} cut at {place} is not refused")
    return tried


class Forgery(NamedTuple):
    """A file that is not what it should be; `spoil` puts it into a folder.

    `everywhere`: whoever reads the folder reads it, and not only the command.
    """

    name: str
    words: Words
    spoil: Callable[[Path], None]
    everywhere: bool = True


def _first(folder: Path, pattern: str = "chunks/*.npz") -> Path:
    return sorted(folder.glob(pattern))[0]


def _arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def _other_sweeps_chunk(folder: Path) -> None:
    first, *_, last = sorted(folder.glob("chunks/*.npz"))
    shutil.copy(last, first)


def _without_checksum(folder: Path) -> None:
    for path in folder.glob("chunks/*.npz"):
        arrays = _arrays(path)
        del arrays["checksum"]
        np.savez(path, **arrays)  # pyright: ignore[reportArgumentType]


def _json_without_checksum(pattern: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = _first(folder, pattern)
        content = json.loads(path.read_text())
        del content["checksum"]
        path.write_text(json.dumps(content))

    return spoil


def _newer(folder: Path) -> None:
    path = folder / "manifest.json"
    content = sealed.read_json(path) | {"format": 99}
    path.write_bytes(sealed.json_as_bytes(content))


def _newer_chunk(folder: Path) -> None:
    mark, arrays = sealed.read_arrays(_first(folder))
    told = json.dumps(json.loads(mark) | {"format": 99}, sort_keys=True)
    _first(folder).write_bytes(sealed.arrays_as_bytes(told, arrays))


class _Touch:
    """Is a file's creation when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def _pickle(pattern: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = _first(folder, pattern)
        proof = np.array([_Touch(folder / "executed")], object)
        arrays = _arrays(path) | {"mark": proof}
        np.savez(path, allow_pickle=True, **arrays)  # pyright: ignore[reportArgumentType]

    return spoil


def _array_header(shape: tuple[int, ...]) -> bytes:
    header = io.BytesIO()
    told = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, told)
    return header.getvalue()


@cache
def _zeros(size: int) -> bytes:
    """Return an npz of as many bytes of zeros, which are a thousandth when packed."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("seeds.npy", "w", force_zip64=True) as file,
    ):
        file.write(_array_header((size // 8,)))
        for _ in range(size // 2**24):
            file.write(bytes(2**24))
    return packed.getvalue()


def _bomb(pattern: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        _first(folder, pattern).write_bytes(_zeros(sealed.LARGEST))

    return spoil


def _liar(pattern: str) -> Callable[[Path], None]:
    """Return what puts in an npz of a few bytes that claims to hold 8 TiB."""

    def spoil(folder: Path) -> None:
        with zipfile.ZipFile(_first(folder, pattern), "w") as archive:
            archive.writestr("seeds.npy", _array_header((2**40,)))

    return spoil


def _deep(pattern: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        _first(folder, pattern).write_text("[" * 10**6)

    return spoil


def _changed(**parts: object) -> Callable[[Path], None]:
    """Return what changes a manifest and seals it again, which no accident does."""

    def spoil(folder: Path) -> None:
        path = folder / "manifest.json"
        path.write_bytes(sealed.json_as_bytes(sealed.read_json(path) | parts))

    return spoil


def _record(runs: object) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        _first(folder, "shards/*.json").write_bytes(sealed.json_as_bytes({"runs": runs}))

    return spoil


def _seed_twice(folder: Path) -> None:
    mark, arrays = sealed.read_arrays(_first(folder))
    arrays["seeds"][1] = arrays["seeds"][0]
    _first(folder).write_bytes(sealed.arrays_as_bytes(mark, arrays))


def change_a_network(folder: Path) -> None:
    """Change a bit of a network's loss, and seal the chunk again."""
    mark, arrays = sealed.read_arrays(_first(folder))
    arrays["loss"].view(np.uint32)[0] ^= 1
    _first(folder).write_bytes(sealed.arrays_as_bytes(mark, arrays))


def _looks(text: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / "looks.json").write_text(text)

    return spoil


def _manifest_of(shop: Workshop, words: Words) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        shutil.copy(shop.unbroken(words) / "manifest.json", folder)

    return spoil


def forgeries(shop: Workshop) -> list[Forgery]:
    """Return all files that are not what they should be."""
    chunk, grid, counts, manifest = "chunks/*.npz", "grid.npz", "counts.json", "manifest.json"
    shard = "shards/*.json"
    found = [
        Forgery("a chunk of another setting", SMALL, _other_sweeps_chunk),
        Forgery("chunks without checksum", SMALL, _without_checksum),
        Forgery("a manifest without checksum", SMALL, _json_without_checksum(manifest)),
        Forgery("a shard's record without checksum", SMALL, _json_without_checksum(shard)),
        Forgery("counts without checksum", CENSUS, _json_without_checksum(counts)),
        Forgery("a newer manifest", SMALL, _newer),
        Forgery("a newer census's manifest", CENSUS, _newer),
        Forgery("a newer chunk", SMALL, _newer_chunk),
        Forgery("a seed twice", SMALL, _seed_twice),
        Forgery("a map's manifest", SMALL, _manifest_of(shop, MAP)),
        Forgery("a census's manifest", SMALL, _manifest_of(shop, CENSUS)),
        Forgery("a sweep's manifest", CENSUS, _manifest_of(shop, SMALL)),
        Forgery("a manifest with a list", SMALL, _changed(fingerprints=[])),
        Forgery("a manifest without machines", SMALL, _changed(fingerprints={})),
        Forgery("a manifest with wrong machines", SMALL, _changed(fingerprints={"a": 1})),
        Forgery("a manifest with wrong seeds", SMALL, _changed(asked={"normal, slope 0.1": 3})),
        Forgery("a manifest with odd seeds", SMALL, _changed(asked={"normal, slope 0.1": "a-b"})),
        Forgery("a manifest with no digests", SMALL, _changed(digests={})),
        Forgery("a manifest with wrong rows", SMALL, _changed(data={"normal, slope 0.1": 3})),
        Forgery("a manifest with wrong type", SMALL, _changed(dtype=3)),
        Forgery("a manifest with another sweep", SMALL, _changed(sweep={})),
        Forgery("a record without runs", SMALL, _record(None)),
        Forgery("a record of a number", SMALL, _record([3])),
        Forgery("a record of nothing", SMALL, _record([{}])),
        Forgery("a damaged list of looks", SMALL, _looks("[{"), everywhere=False),
        Forgery("an empty list of looks", SMALL, _looks(""), everywhere=False),
        Forgery("looks of another kind", SMALL, _looks("[3]"), everywhere=False),
        Forgery("looks that are no list", SMALL, _looks("3"), everywhere=False),
    ]
    for words, pattern in ((SMALL, chunk), (MAP, grid)):
        found += [
            Forgery("a pickle", words, _pickle(pattern)),
            Forgery("a zip bomb", words, _bomb(pattern)),
            Forgery("8 TiB in 200 bytes", words, _liar(pattern)),
        ]
    for words, pattern in ((SMALL, manifest), (SMALL, shard), (CENSUS, counts)):
        found.append(Forgery("deep JSON", words, _deep(pattern)))
    return found


def forged(shop: Workshop) -> Tried:
    """Exchange and forge files; try each in this process and by the command."""
    tried = Tried(
        "a foreign, older, newer or forged file (pickle, zip bomb)", "one line that names the file"
    )
    spoilt = {words: Spoilt(shop, words) for words in (SMALL, MAP, CENSUS)}
    for name, words, spoil, everywhere in forgeries(shop):
        folder = spoilt[words].folder
        spoil(folder)
        ended = shop.run(words, folder.parent)
        tried.check(ended.code == 2, f"{name}: exit code {ended.code}: {ended.said[-300:]}")
        tried.check(str(folder) in ended.said, f"{name}: without its name: {ended.said[-300:]}")
        tried.check(ended.said.count("\n") == 1, f"{name}: several lines: {ended.said[-300:]}")
        tried.check(not (folder / "executed").exists(), f"{name}: executed")
        refused = spoilt[words].attempt(tried, name)
        tried.check(refused == everywhere, f"{name}: is not refused")
    return tried
