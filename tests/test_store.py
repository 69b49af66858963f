"""Invariance and exact: results on disk are the same bytes however they came about.

Whether in one run or in parts, killed or not.
"""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest
import samples
from samples import LANES, SEEDS, content, equal_bits, lasting, trained

from jaxlab import chunks, engine, run, sealed, shards, store


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 20)


def test_a_run_leaves_chunks_a_manifest_and_no_temporary_file(whole):
    names = list(content(whole))
    assert sum(name.endswith(".npz") for name in names) == 2 * 3  # 50 seeds in chunks of 20
    others = [name for name in names if not name.endswith(".npz")]
    own = [f"shards/{name}" for name in ("1-of-1.json", "1-of-1.lock", "tables.lock")]
    assert others == ["chunks", "manifest.json", "shards", *own, "summary.csv"]


def test_the_manifest_says_what_was_made_and_by_whom(whole):
    manifest = json.loads((whole / "manifest.json").read_text())
    assert manifest["format"] == chunks.FORMAT
    assert manifest["lane_widths"] == {"k=2": LANES, "fast": LANES}
    assert manifest["dtype"] == "float32"
    assert manifest["digest"] == samples.sweep().digest
    assert manifest["asked"] == {"k=2": "0-49", "fast": "0-49"}
    ((name, fingerprint),) = manifest["fingerprints"].items()
    assert set(fingerprint) >= {"jax", "jaxlab", "backend", "cpu_features", "xla_flags"}
    (ran,) = manifest["runs"]
    assert (ran["command"], ran["shard"], ran["fingerprint"]) == ("test", "1/1", name)
    assert (ran["how"], ran["members"]) == ("finished", 2 * SEEDS)
    assert ran["started"] <= ran["ended"]
    assert ran["seconds"] > 0
    assert ran["members_per_second"] == pytest.approx(ran["members"] / ran["seconds"], rel=0.05)
    assert ran["compile_seconds"] > 0
    assert ran["peak_memory_mib"] > 50
    assert shards.records(whole) == manifest["runs"]


def test_every_chunk_says_by_whom_it_was_made(whole):
    manifest = sealed.read_json(whole / "manifest.json")
    for path in (whole / "chunks").glob("*.npz"):
        mark, _ = sealed.read_arrays(path)
        assert json.loads(mark)["fingerprint"] == manifest["fingerprints"][path.name.split(".")[3]]


@pytest.mark.parametrize(
    "parts",
    [[10, SEEDS], [[0], 17, SEEDS], [range(49, 29, -1), SEEDS], [range(1, 50, 2), SEEDS]],
    ids=["short first", "one", "from behind", "every other"],
)
def test_a_run_in_parts_writes_the_same_bytes(parts, whole, tmp_path):
    found = [trained(tmp_path / "small", seeds) for seeds in parts][-1]
    assert lasting(tmp_path / "small") == lasting(whole)
    assert [len(m.seeds) for m in found.members.values()] == [SEEDS, SEEDS]


def test_the_order_of_the_settings_changes_no_chunk(whole, tmp_path):
    trained(tmp_path / "small", given=samples.sweep(*samples.sweep().settings[::-1]))
    chunks, wanted = content(tmp_path / "small" / "chunks"), content(whole / "chunks")
    assert chunks == wanted


def test_a_complete_folder_is_not_trained_again(copy, monkeypatch):
    monkeypatch.setattr(engine, "Runner", None)
    before = content(copy)
    found = trained(copy)
    assert content(copy) == before
    fewer = run(samples.sweep(), [3, 40], out=copy, lane_width=LANES, command="test")
    assert fewer.members["fast"].seeds.tolist() == [3, 40]
    assert equal_bits(fewer.members["fast"], found.members["fast"])


class KilledError(Exception):
    """What a test raises in the middle of a run."""


@pytest.mark.parametrize("survived", [0, 1, 2, 5])
def test_a_killed_run_loses_the_call_in_flight_only(survived, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "MAX_BLOCKS", 1)  # and two devices: calls of 16 members
    monkeypatch.setattr(engine, "devices_mesh", lambda: samples.mesh(2))
    original = engine.Runner.__call__
    calls = []

    def dying(self, which, seeds, schedule=None):
        if schedule is None:  # not one of the short calls that only compile
            if len(calls) == survived:
                raise KilledError
            calls.append(seeds)
        return original(self, which, seeds, schedule)

    with monkeypatch.context() as patch:
        patch.setattr(engine.Runner, "__call__", dying)
        with pytest.raises(KilledError):
            trained(tmp_path / "small")
    kept = [len(np.load(p)["seeds"]) for p in (tmp_path / "small" / "chunks").glob("*.npz")]
    assert sum(kept) == sum(map(len, calls)) == 2 * LANES * survived
    trained(tmp_path / "small")
    assert lasting(tmp_path / "small") == lasting(whole)


@pytest.mark.parametrize(("owner", "method"), [(os, "fsync"), (Path, "replace")])
@pytest.mark.parametrize("survived", [2, 7, 8])
def test_a_run_stopped_while_writing_leaves_no_half_file(
    owner, method, survived, whole, tmp_path, monkeypatch
):
    original, seen = getattr(owner, method), []

    def dying(*args):
        seen.append(args)
        if len(seen) == survived:
            raise KilledError
        return original(*args)

    with monkeypatch.context() as patch:
        patch.setattr(owner, method, dying)
        with pytest.raises(KilledError):
            trained(tmp_path / "small")
    assert not list(tmp_path.rglob("*.tmp"))
    trained(tmp_path / "small")
    assert lasting(tmp_path / "small") == lasting(whole)


def test_a_temporary_file_left_by_a_killed_process_is_in_nobodys_way(tmp_path):
    (tmp_path / "small" / "chunks").mkdir(parents=True)
    (tmp_path / "small" / ".manifest.json.1.tmp").write_text("{")
    (tmp_path / "small" / "chunks" / ".k_2.x.000000.npz.1.tmp").write_text("PK")
    assert trained(tmp_path / "small", 3).members["k=2"].tally.n == 3


def test_reading_gives_back_what_was_trained(whole, small_result):
    found = store.read_sweep(whole)
    assert found.sweep == samples.sweep()
    for name, members in found.members.items():
        assert len(members.seeds) == SEEDS
        assert equal_bits(members, small_result.members[name])


def test_a_setting_added_later_leaves_the_chunks_of_others(copy):
    before = content(copy / "chunks")
    other = dataclasses.replace(samples.setting(rate=0.5), name="other")
    found = trained(copy, given=samples.sweep(*samples.sweep().settings, other))
    after = content(copy / "chunks")
    assert len(found.members) == 3
    assert {name: digest for name, digest in after.items() if name in before} == before
    assert len(after) == len(before) + 3
