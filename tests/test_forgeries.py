"""Exact: a file with a valid checksum and wrong content is read, or refused in one line.

A stranger can compute checksums too. Every field of every file that a folder holds is left out, and
replaced at each depth by every `NASTY` value; every array of a chunk is replaced by `ARRAYS`.
"""

import copy as copying
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import samples

from jaxlab import (
    OUTCOMES,
    ResultsError,
    census,
    chunks,
    grid_runs,
    looks,
    manifests,
    merging,
    question,
    sealed,
    shards,
    store,
)
from jaxlab.question import Question
from jaxlab.reporting import facts, maps

NASTY = [3, -1, 1e400, None, "x" * 10**5, [], {}, True, [[{}]], 10**30, "\u202e1", "0-9999999999"]
SECONDS = 20  # for the reading of one file, on a busy machine
GONE = object()


def forgeries(content: Any) -> Iterator[Any]:
    """Yield the content with each field left out, and with each part replaced, at every depth."""
    for path in paths(content):
        for value in [GONE, *NASTY]:
            forged = copying.deepcopy(content)
            part = forged
            for key in path[:-1]:
                part = part[key]
            if value is GONE:
                del part[path[-1]]
            else:
                part[path[-1]] = value
            yield forged


def paths(content: Any, above: tuple = ()) -> Iterator[tuple]:
    parts = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in parts:
        yield (*above, key)
        if isinstance(value, dict | list):
            yield from paths(value, (*above, key))


def refusals(path: Path, write: Callable[[Any], None], forged: Iterator[Any], read) -> int:
    """Return how many forgeries are refused, each in one line and soon; the others are read."""
    good, count = path.read_bytes(), 0
    for content in forged:
        write(content)
        start, said = time.perf_counter(), ""
        try:
            read()
        except ResultsError as error:
            said = str(error)
        count += bool(said)
        assert not said or str(path.parent) in said  # a chunk may be at odds with its neighbour
        assert "\n" not in said
        assert len(said) < len(str(path)) + 400
        assert time.perf_counter() - start < SECONDS
    path.write_bytes(good)
    read()  # negative control
    return count


def refused(path: Path, read: Callable[[], object]) -> int:
    def write(content):
        path.write_bytes(sealed.json_as_bytes(content))

    return refusals(path, write, forgeries(sealed.read_json(path)), read)


@pytest.fixture
def folder(copy, monkeypatch) -> Path:
    monkeypatch.setattr(chunks, "CHUNK", 20)
    return copy


def test_a_forged_manifest(folder):
    def read():
        merging.asked_for(store.read_folder(folder))
        store.read_sweep(folder)
        content = manifests.read_sweep(folder / "manifest.json")
        facts.made_by(content)
        facts.reproduce(folder, content, None)

    assert refused(folder / "manifest.json", read) > 500


def test_forged_records(folder):
    def read():
        shards.records(folder)
        shards._busy(folder, shards.WHOLE)

    assert refused(folder / "shards" / "1-of-1.json", read) > 100


def test_forged_looks(folder):
    first = {"first_seed": 0, "seeds": 50}
    (folder / looks.FILE).write_bytes(sealed.json_as_bytes({"looks": [first, first]}))
    assert refused(folder / looks.FILE, lambda: facts.looks(folder)) > 40


@pytest.mark.parametrize(
    "asked",
    [
        Question("a*b", 0, 9, whole_numbers=True, regions={"big": "a*b > 9"}),
        Question("y", source="my.csv", table={"x": np.arange(4.0), "y": np.arange(4.0) ** 2}),
    ],
    ids=["formula", "table"],
)
def test_a_forged_question(asked, tmp_path):
    asked.write(tmp_path)
    assert refused(tmp_path / question.FILE, lambda: question.read(tmp_path)) > 80


@pytest.fixture
def grid(tmp_path) -> Path:
    file = grid_runs.GridFile(tmp_path, samples.GRID, grid_runs.parts(samples.GRID))
    file.counts[..., OUTCOMES.index("solved")] = 1
    file.done[:] = file.counted()
    file.save()
    file.write_manifest()
    return tmp_path


def test_a_forged_manifest_of_a_map(grid):
    read = lambda: facts.made_by(grid_runs.read_manifest(grid / "manifest.json"))  # noqa: E731
    assert refused(grid / "manifest.json", read) > 300


def test_a_forged_mark_of_a_map(grid):
    path = grid / grid_runs.FILE
    mark, arrays = sealed.read_arrays(path)

    def write(content):
        path.write_bytes(sealed.arrays_as_bytes(json.dumps(content), arrays, compressed=True))

    forged = forgeries(json.loads(mark))
    assert refusals(path, write, forged, lambda: grid_runs.read_grid(grid)) > 200


def test_a_forged_census(tmp_path):
    digest = samples.setting().digest
    row = ["k=2", digest, "born_dead", 100, 3]
    content = {"format": chunks.FORMAT, "counts": [row, row]}
    (tmp_path / census.FILE).write_bytes(sealed.json_as_bytes(content))
    read_counts = lambda: census.read_counts(tmp_path / census.FILE)  # noqa: E731
    assert refused(tmp_path / census.FILE, read_counts) > 80
    made = {"fingerprint": {"jax": "1"}, "runs": []}
    content = {"format": chunks.FORMAT, "census": "small", "digests": {"k=2": digest}} | made
    (tmp_path / "manifest.json").write_bytes(sealed.json_as_bytes(content))
    assert refused(tmp_path / "manifest.json", lambda: maps.of_folder(tmp_path)) > 50


ARRAYS: list[Callable[[np.ndarray], np.ndarray]] = [
    lambda a: np.full(len(a), "x" * 10),
    lambda a: np.full(len(a), b"x"),
    lambda a: np.zeros(len(a), "V0"),
    lambda a: np.zeros(len(a), [("a", "f4")]),
    lambda a: np.zeros(len(a), complex),
    lambda a: a.astype(np.float64) + np.nan,
    lambda a: a.astype(np.uint64),
    lambda a: a[:, None, None],
    lambda a: a[:0],
    lambda a: a.ravel()[0],
    lambda a: np.full_like(a, 100),
    lambda a: -np.ones_like(a, np.int64),
    lambda a: a.astype(np.int64) + 2**32,
]


def test_forged_arrays_of_a_chunk(folder):
    path = sorted(folder.glob("chunks/*.npz"))[0]
    mark, arrays = sealed.read_arrays(path)
    forged = [arrays | {name: change(arrays[name])} for name in arrays for change in ARRAYS]
    forged += [{k: v for k, v in arrays.items() if k != name} for name in arrays]
    forged += [{name: v[:0] for name, v in arrays.items()}, arrays | {"more": arrays["loss"]}]

    def write(content):
        path.write_bytes(sealed.arrays_as_bytes(mark, content))

    def read():
        result = store.read_sweep(folder)
        assert repr(result)
        for members in result.members.values():
            assert members.names.shape == members.seeds.shape

    assert refusals(path, write, iter(forged), read) > 0.8 * len(forged)


def test_an_object_is_not_unpickled(folder):
    path = sorted(folder.glob("chunks/*.npz"))[0]
    _, arrays = sealed.read_arrays(path)
    np.savez(path, allow_pickle=True, **(arrays | {"loss": np.array([{}], object)}))
    with pytest.raises(ResultsError, match="Object arrays cannot be loaded"):
        repr(store.read_sweep(folder))


FILES = ["manifest.json", "chunks/*.npz", "shards/*.json", "looks.json", "question.json"]
FILES += ["data.csv", "summary.csv", "shards/*.lock"]


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(200 * 2**30)


@pytest.mark.parametrize("spoil", [pipe, device, sparse])
@pytest.mark.parametrize("pattern", FILES)
def test_no_file_is_waited_for_or_read_without_end(pattern, spoil, folder):
    if pattern == "shards/*.lock" and spoil is sparse:
        return  # whose content nobody reads
    asked = Question("y", source="my.csv", table={"x": np.arange(4.0), "y": np.arange(4.0) ** 2})
    asked.write(folder)
    (folder / looks.FILE).write_bytes(sealed.json_as_bytes({"looks": []}))
    path = sorted(folder.glob(pattern))[0]
    path.unlink()
    spoil(path)

    def read():
        with shards.briefly(folder), shards.writing(folder):
            shards.records(folder)
            repr(store.read_sweep(folder))
            looks.read(folder)
            question.read(folder)
            maps.counted._stale(folder, {})

    start = time.perf_counter()
    with pytest.raises((ResultsError, OSError), match=r"no regular file|larger than"):
        read()
    assert time.perf_counter() - start < SECONDS


def test_a_list_of_endless_arrays_is_not_made(tmp_path):
    path = tmp_path / "a.npz"
    entries = {f"a{i}": np.zeros(0) for i in range(1500)}
    path.write_bytes(sealed.arrays_as_bytes("m", entries))
    with pytest.raises(ResultsError, match="no file of arrays as jaxlab writes it"):
        sealed.read_arrays(path)


HOSTILE = "from pathlib import Path\nPath(r'{}').write_text('ran')\n"
TOOLS = [("report", "."), ("replay", "."), ("merge", "."), ("check", "."), ("replay", "nothing")]


@pytest.mark.parametrize("words", TOOLS, ids=" ".join)
def test_no_code_of_a_folder_is_run(words, folder, tmp_path):
    for name in ("sweeps", "figures"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(HOSTILE.format(tmp_path / "marker"))
    call([*["-m", "jaxlab"], *words], folder)
    assert not (tmp_path / "marker").exists()
    subprocess.run([sys.executable, "-c", "import sweeps"], cwd=folder, check=True)
    assert (tmp_path / "marker").exists(), "negative control: imported by name, it runs"


def call(words: list[str], folder: Path, shell: str = "") -> subprocess.CompletedProcess:
    root = str(Path(store.__file__).parents[1])
    command = [sys.executable, *words]
    if shell:
        command = ["sh", "-c", f'exec "$@" {shell}', "sh", *command]
    own = os.environ | {"PYTHONPATH": root}
    return subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("module", ["jaxlab", "sweeps", "figures"])
@pytest.mark.parametrize("shell", ["2>&-", ">&-", ">&- 2>&-"])
def test_an_error_ends_with_code_2_where_streams_are_closed(module, shell, tmp_path):
    ended = call(["-m", module, "nothing"], tmp_path, shell)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert bool(ended.stderr) == (shell == ">&-")
