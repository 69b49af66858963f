"""Exact: a results folder that cannot be used is named in one line and left as it is.

`content` holds every path and byte of a folder, before and after.
"""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import samples
from samples import LANES, content

from jaxlab import ResultsError, Sweep, engine, run, store, tasks

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


def array_as_chunk(folder: Path) -> None:
    with open(sorted(folder.glob("chunks/*.npz"))[1], "wb") as file:
        np.save(file, np.zeros(3))


def chunk_without_weights(folder: Path) -> None:
    path = sorted(folder.glob("chunks/*.npz"))[1]
    with np.load(path) as file:
        kept = {name: file[name] for name in file.files if name != "final_weights"}
    np.savez(path, **kept)


def a_seed_twice(folder: Path) -> None:
    path = sorted(folder.glob("chunks/*.npz"))[1]
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["seeds"][1] = arrays["seeds"][0]
    np.savez(path, **arrays)


def damaged_manifest(folder: Path) -> None:
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text[: len(text) // 2])


def wrong_manifest(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sweep"]["settings"][0]["task"]["numbers"] = [1, 2]
    (folder / "manifest.json").write_text(json.dumps(manifest))


def other_versions(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["fingerprint"]["jax"] = "0.0.1"
    (folder / "manifest.json").write_text(json.dumps(manifest))


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
    (chunk_without_weights, r"\.npz is damaged"),
    (a_seed_twice, r"\.npz is damaged"),
    (damaged_manifest, r"manifest\.json is damaged"),
    (wrong_manifest, r"manifest\.json is damaged"),
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
            found = folder.load(sweep["k=2"])
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
        with pytest.raises(ResultsError, match=r"cannot write to .*file.*; choose another --out"):
            run(samples.sweep(), 3, out=path)
    assert (tmp_path / "file").read_text() == "precious"


def test_a_folder_without_permission_is_refused(tmp_path, monkeypatch):
    # Who runs as root may write anywhere, so the answer of the system is put in its place.
    monkeypatch.setattr(store.os, "access", lambda path, mode: False)
    with pytest.raises(ResultsError, match="not writable; choose another --out"):
        run(samples.sweep(), 3, out=tmp_path / "small")


def test_reading_a_folder_without_results_is_an_error(tmp_path):
    with pytest.raises(ResultsError, match="holds no results"):
        store.read_sweep(tmp_path)
