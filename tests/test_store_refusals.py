"""Exact: a results folder that cannot be used is named in one line and left as it is.

`content` holds every path and byte of a folder, before and after.
"""

import dataclasses
import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import samples
from samples import LANES, content

from jaxlab import ResultsError, Sweep, chunks, engine, run, sealed, store, tasks

OTHER_RATE = dataclasses.replace(samples.setting(rate=0.03), name="fast")
OTHERS = [
    (samples.sweep(samples.setting(), OTHER_RATE), LANES, "'fast' of another specification"),
    (dataclasses.replace(samples.sweep(), name="other"), LANES, "sweep 'small', not 'other'"),
    (samples.sweep(paired=True), LANES, "members that were not paired"),
    (samples.sweep(), 2 * LANES, f"at lane width {LANES}, not {2 * LANES}"),
]


def refused(folder: Path, said: str, sweep: Sweep | None = None, lanes: int = LANES) -> None:
    """Hold that a run is refused, in one line that names the folder, and changes nothing."""
    before = content(folder)
    with pytest.raises(ResultsError, match=said) as error:
        run(sweep or samples.sweep(), 90, out=folder, lane_width=lanes, command="another")
    assert str(folder) in str(error.value)
    assert "\n" not in str(error.value)
    assert content(folder) == before


@pytest.fixture(autouse=True)
def nothing_is_trained(copy, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 20)
    monkeypatch.setattr(engine, "Runner", None)


@pytest.mark.parametrize(("sweep", "lanes", "said"), OTHERS)
def test_a_folder_of_something_else_is_refused(sweep, lanes, said, copy):
    refused(copy, said, sweep, lanes)


def damaged_chunk(folder: Path) -> None:
    path = sorted(folder.glob("chunks/*.npz"))[1]
    path.write_bytes(path.read_bytes()[:-100])


def flipped_bit(folder: Path) -> None:
    path = sorted(folder.glob("chunks/*.npz"))[1]
    found = bytearray(path.read_bytes())
    found[len(found) // 2] ^= 1
    path.write_bytes(found)


def empty_chunk(folder: Path) -> None:
    sorted(folder.glob("chunks/*.npz"))[1].write_bytes(b"")


def foreign_chunk(folder: Path) -> None:
    first, *_, last = sorted(folder.glob("chunks/*.npz"))
    shutil.copy(last, first)


def resealed(path: Path, change: Callable[[dict[str, np.ndarray]], object]) -> None:
    """Change a chunk's arrays and give it the checksum that goes with them."""
    mark, arrays = sealed.read_arrays(path)
    change(arrays)
    path.write_bytes(sealed.arrays_as_bytes(mark, arrays))


def resealed_manifest(folder: Path, change: Callable[[dict], object]) -> None:
    manifest = sealed.read_json(folder / "manifest.json")
    change(manifest)
    (folder / "manifest.json").write_bytes(sealed.json_as_bytes(manifest))


def second(folder: Path) -> Path:
    return sorted(folder.glob("chunks/*.npz"))[1]


def array_as_chunk(folder: Path) -> None:
    with open(sorted(folder.glob("chunks/*.npz"))[1], "wb") as file:
        np.save(file, np.zeros(3))


def chunk_without_weights(folder: Path) -> None:
    resealed(second(folder), lambda arrays: arrays.pop("final_weights"))


def chunk_without_outcomes(folder: Path) -> None:
    for path in folder.glob("chunks/*.npz"):
        resealed(path, lambda arrays: arrays.pop("outcome"))


def chunk_with_a_short_column(folder: Path) -> None:
    resealed(second(folder), lambda arrays: arrays.update(loss=arrays["loss"][:-1]))


def a_seed_twice(folder: Path) -> None:
    def repeat(arrays):
        arrays["seeds"][1] = arrays["seeds"][0]

    resealed(second(folder), repeat)


def changed_by_hand(folder: Path) -> None:
    """Write a chunk again with one number changed, as a program would that knows no checksum."""
    with np.load(second(folder)) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["loss"][3] *= 2
    np.savez(second(folder), **arrays)


def older_chunk(folder: Path) -> None:
    with np.load(second(folder)) as file:
        arrays = {name: file[name] for name in file.files if name != "checksum"}
    np.savez(second(folder), **arrays)


def pickled_chunk(folder: Path) -> None:
    with np.load(second(folder)) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["loss"] = np.array([{}], object)
    np.savez(second(folder), **arrays)


def chunk_of_another_number(folder: Path) -> None:
    path = second(folder)
    shutil.copy(path, path.with_name(path.name.replace(".0000001.", ".0000007.")))


def chunk_of_another_maker(folder: Path) -> None:
    path = second(folder)
    parts = path.name.split(".")
    path.rename(path.with_name(".".join([*parts[:3], "12345678", "npz"])))


def chunk_under_a_second_name(folder: Path) -> None:
    path = second(folder)
    shutil.copy(path, path.with_name(path.name.replace(".0000001.", ".1.")))


def chunk_of_nothing(folder: Path) -> None:
    shutil.copy(second(folder), folder / "chunks" / "other.npz")


def unnamed_chunk(folder: Path) -> None:
    path = second(folder)
    path.rename(path.with_name(path.name.replace(".00", ".copy.00")))


def damaged_manifest(folder: Path) -> None:
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text[: len(text) // 2])


def wrong_manifest(folder: Path) -> None:
    def change(manifest):
        manifest["sweep"]["settings"][0]["task"]["numbers"] = [1, 2]

    resealed_manifest(folder, change)


def another_network(folder: Path) -> None:
    def change(manifest):
        manifest["sweep"]["settings"][0]["training"]["epochs"] += 1

    resealed_manifest(folder, change)


def manifest_changed_by_hand(folder: Path) -> None:
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text.replace('"fast": "0-49"', '"fast": "0-48"'))


def manifest_without_a_part(folder: Path) -> None:
    resealed_manifest(folder, lambda manifest: manifest.pop("lane_widths"))


def older_manifest(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["checksum"], manifest["format"]
    (folder / "manifest.json").write_text(json.dumps(manifest))


def newer_manifest(folder: Path) -> None:
    resealed_manifest(folder, lambda manifest: manifest.update(format=4))


def other_versions(folder: Path) -> None:
    def change(manifest):
        (made_by,) = manifest["fingerprints"].values()
        manifest["fingerprints"] = {"12345678": made_by | {"jax": "0.0.1"}}

    resealed_manifest(folder, change)


def damaged_record(folder: Path) -> None:
    path = folder / "shards" / "1-of-1.json"
    path.write_text(path.read_text().replace('"members": 100', '"members": 101'))


def no_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def somebody_elses_folder(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "thesis.tex").write_text("precious")


REFUSED = [
    (damaged_chunk, r"\.npz is damaged"),
    (flipped_bit, r"\.npz is damaged"),
    (empty_chunk, r"\.npz is damaged"),
    (foreign_chunk, "another specification"),
    (array_as_chunk, r"\.npz is damaged"),
    (chunk_without_weights, r"\.npz is damaged \(other columns than its neighbours"),
    (chunk_without_outcomes, r"\.npz is damaged \(it lacks outcome"),
    (chunk_with_a_short_column, r"\.npz is damaged \(arrays of different lengths"),
    (a_seed_twice, r"\.npz is damaged \(a seed twice"),
    (changed_by_hand, r"\.npz is damaged \(checksum"),
    (older_chunk, r"\.npz has no checksum: it is of an older version"),
    (pickled_chunk, r"\.npz is damaged \(Object arrays cannot be loaded"),
    (chunk_of_another_number, r"\.npz is damaged \(seeds of another chunk"),
    (chunk_of_another_maker, "belongs to another specification, lane width or machine"),
    (chunk_under_a_second_name, r"\.npz is no chunk of jaxlab's; move it away"),
    (chunk_of_nothing, r"other\.npz is no chunk of this sweep; move it away"),
    (unnamed_chunk, r"\.npz is no chunk"),
    (damaged_manifest, r"manifest\.json is damaged"),
    (wrong_manifest, r"manifest\.json is damaged"),
    (another_network, "'k=2' of a version that trained another network"),
    (manifest_changed_by_hand, r"manifest\.json is damaged \(checksum"),
    (manifest_without_a_part, r"manifest\.json is damaged"),
    (older_manifest, r"manifest\.json has no checksum: it is of an older version"),
    (newer_manifest, r"is of format 4, this version of jaxlab reads format 3"),
    (damaged_record, r"1-of-1\.json is damaged \(checksum"),
    (other_versions, r"made elsewhere \(jax 0\.0\.1, now "),
    (no_manifest, "holds no manifest"),
    (somebody_elses_folder, "holds no manifest"),
]


@pytest.mark.parametrize(("spoil", "said"), REFUSED)
def test_a_spoilt_folder_is_refused(spoil, said, copy):
    spoil(copy)
    refused(copy, said)


def test_a_folder_of_a_task_that_meant_something_else_is_refused(copy, monkeypatch):
    meaning = tasks._DEFINITIONS["absolute_value"]

    def other(key, rows, numbers):
        inputs, targets = meaning.draw(key, rows, numbers)
        return inputs, targets + 1e-6

    changed = dataclasses.replace(meaning, draw=other)
    monkeypatch.setitem(tasks._DEFINITIONS, "absolute_value", changed)
    refused(copy, "task 'absolute_value' had other rows")


def test_no_flipped_bit_goes_unnoticed(whole, copy):
    # Every bit of a byte in fifty: refused, or in a place that carries no information.
    sweep = samples.sweep()
    identity = store.identity_of(sweep, dict.fromkeys(("k=2", "fast"), LANES))
    folder = store.Folder(copy, sweep, identity)
    wanted = store.read_sweep(whole).members["k=2"]
    path = sorted(copy.glob("chunks/k_2*.npz"))[0]
    good, refusals = path.read_bytes(), 0
    for place in range(0, len(good), 50):
        flipped = bytearray(good)
        flipped[place] ^= 1 << (place // 50 % 8)
        path.write_bytes(flipped)
        try:
            found = folder.chunks.load(sweep["k=2"])
        except ResultsError:
            refusals += 1
        else:
            assert found is not None
            assert samples.equal_bits(found, wanted)
            assert len(found.seeds) == len(wanted.seeds)
    assert refusals > len(good) / 50 / 2


def test_a_path_that_is_no_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("precious")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ResultsError, match=r"cannot write to .*file.* choose another --out"):
            run(samples.sweep(), 3, out=path)
    assert (tmp_path / "file").read_text() == "precious"


def test_a_folder_without_permission_is_refused(tmp_path, monkeypatch):
    # Who runs as root may write anywhere, so the answer of the system is put in its place.
    def refuse(*arguments, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(ResultsError, match=r"cannot write to .*: Permission denied; free space or"):
        run(samples.sweep(), 3, out=tmp_path / "small")


def test_reading_a_folder_without_results_is_an_error(tmp_path):
    with pytest.raises(ResultsError, match="holds no results"):
        store.read_sweep(tmp_path)
