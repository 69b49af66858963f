"""Exact: folders filled apart are one run's bytes when put together; what is missing is named."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import samples
from hypothesis import given
from hypothesis import strategies as st
from samples import LANES, SEEDS, content, lasting

from jaxlab import (
    ResultsError,
    Sweep,
    chunks,
    merging,
    provenance,
    run,
    sealed,
    seed_ranges,
    shards,
    store,
)
from jaxlab.store import Folder
from jaxlab.tools import merge as tool


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 20)


def fill(
    folder: Path,
    seeds: int | np.ndarray = SEEDS,
    *,
    shard: tuple[int, int] = shards.WHOLE,
    mix: bool = False,
    sweep: Sweep | None = None,
) -> None:
    given = sweep or samples.sweep()
    run(given, seeds, out=folder, shard=shard, mix=mix, lane_width=LANES, command="test")


def missing(held: Folder) -> dict[str, np.ndarray]:
    return merging.missing(held, merging.asked_for(held))


def lacking(folder: Path) -> str:
    held = store.read_folder(folder)
    return merging.in_words(held, missing(held))


def merged(monkeypatch, *line: object) -> int:
    return samples.exit_code(
        monkeypatch, lambda: tool.main([str(word) for word in line]), "jaxlab", "merge"
    )


def only_chunks(folder: Path) -> dict[str, str]:
    return content(folder / "chunks")


@pytest.mark.parametrize("of", [2, 3, 5])
def test_shards_in_one_folder_are_one_run(of, whole, tmp_path):
    for i in range(1, of + 1):
        fill(tmp_path / "small", shard=(i, of))
    assert only_chunks(tmp_path / "small") == only_chunks(whole)
    held = store.read_folder(tmp_path / "small")
    assert missing(held) == {}


@pytest.mark.parametrize("of", [2, 5])
def test_shards_in_folders_of_their_own_are_one_run_when_merged(of, whole, tmp_path):
    parts = [tmp_path / str(i) for i in range(1, of + 1)]
    for i, part in enumerate(parts):
        fill(part, shard=(i + 1, of))
    before = [content(part) for part in parts]
    assert merging.merge(tmp_path / "small", parts) == {}
    assert only_chunks(tmp_path / "small") == only_chunks(whole)
    assert [content(part) for part in parts] == before
    manifest = sealed.read_json(tmp_path / "small" / "manifest.json")
    assert sorted(ran["shard"] for ran in manifest["runs"]) == [
        f"{i}/{of}"
        for i in range(1, min(of, 4) + 1)  # of five shards the last has no chunk
    ]
    assert manifest["asked"] == {"k=2": "0-49", "fast": "0-49"}


def test_missing_shards_are_named(tmp_path):
    fill(tmp_path / "small", shard=(2, 4))
    assert lacking(tmp_path / "small") == (
        "shard 1/4 (20 networks), shard 3/4 (30 networks), shard 4/4 (10 networks)"
    )
    fill(tmp_path / "small", shard=(3, 4))
    assert lacking(tmp_path / "small") == "shard 1/4 (20 networks), shard 4/4 (10 networks)"
    fill(tmp_path / "small", shard=(1, 5))  # now it is divided in two ways
    assert lacking(tmp_path / "small") == "setting 'fast' (10 networks)"


def test_what_is_asked_for_later_is_missing_too(tmp_path):
    fill(tmp_path / "small", 20)
    fill(tmp_path / "small", 50, shard=(1, 2))
    assert lacking(tmp_path / "small") == (
        "setting 'k=2' (20 networks), setting 'fast' (10 networks)"
    )


def test_folders_with_the_same_networks_are_merged_and_the_overlap_is_counted(whole, tmp_path):
    fill(tmp_path / "a", 30)
    fill(tmp_path / "b", np.arange(25, 50))
    assert merging.merge(tmp_path / "small", [tmp_path / "a", tmp_path / "b"]) == {
        "k=2": 5,
        "fast": 5,
    }
    assert only_chunks(tmp_path / "small") == only_chunks(whole)


def test_folders_that_hold_a_network_differently_are_refused(tmp_path):
    fill(tmp_path / "a", 30)
    fill(tmp_path / "b", np.arange(25, 50))
    path = sorted((tmp_path / "b" / "chunks").glob("k_2*"))[0]
    mark, arrays = sealed.read_arrays(path)
    arrays["loss"][2] = np.nextafter(arrays["loss"][2], 9)  # the last bit of seed 27
    path.write_bytes(sealed.arrays_as_bytes(mark, arrays))
    with pytest.raises(
        ResultsError, match=r"^[^\n]*hold different networks of the seeds 25-29[^\n]*$"
    ):
        merging.merge(tmp_path / "small", [tmp_path / "a", tmp_path / "b"])
    assert not (tmp_path / "small").exists()


def test_merging_into_a_folder_adds_to_it(whole, tmp_path):
    fill(tmp_path / "small", 30)
    fill(tmp_path / "b", np.arange(30, 50))
    for _ in range(2):  # the second time there is nothing to do
        merging.merge(tmp_path / "small", [tmp_path / "b"])
        assert only_chunks(tmp_path / "small") == only_chunks(whole)


def other_sweep(folder: Path) -> None:
    fill(folder, 20, sweep=dataclasses.replace(samples.sweep(), name="other"))


def other_setting(folder: Path) -> None:
    slow = dataclasses.replace(samples.setting(rate=0.01), name="fast")
    fill(folder, 20, sweep=samples.sweep(samples.setting(), slow))


def other_lanes(folder: Path) -> None:
    run(samples.sweep(), 20, out=folder, lane_width=2 * LANES)


def nothing(folder: Path) -> None:
    folder.mkdir()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (other_sweep, "hold different sweeps"),
        (other_setting, "hold different sweeps"),
        (other_lanes, "at lane width 8, not 16"),
        (nothing, "holds no results"),
    ],
)
def test_what_does_not_belong_together_is_refused(make, said, tmp_path):
    fill(tmp_path / "a", 20)
    make(tmp_path / "b")
    with pytest.raises(ResultsError, match=said):
        merging.merge(tmp_path / "small", [tmp_path / "a", tmp_path / "b"])
    assert not (tmp_path / "small").exists()


def test_a_folder_without_a_chunk_joins_nothing_that_does_not_belong_together(tmp_path):
    fill(tmp_path / "a", 20)
    shutil.rmtree(tmp_path / "a" / "chunks")  # as a shard leaves it that is killed early
    fill(tmp_path / "b", 20)
    other_lanes(tmp_path / "c")
    before = content(tmp_path)
    for order in ("abc", "acb", "bac"):
        with pytest.raises(ResultsError, match="at lane width"):
            merging.merge(tmp_path / "small", [tmp_path / name for name in order])
    assert content(tmp_path) == before


def test_what_was_ever_asked_for_is_still_missing_when_merged(tmp_path):
    fill(tmp_path / "a", 20)
    fill(tmp_path / "b", 40, shard=(1, 2))
    for i, order in enumerate(("ab", "ba")):
        merging.merge(tmp_path / str(i), [tmp_path / name for name in order])
        held = store.read_folder(tmp_path / str(i))
        assert merging.asked_for(held)["k=2"].tolist() == list(range(40))
        assert {name: len(seeds) for name, seeds in missing(held).items()} == {"k=2": 20}


def test_a_folder_given_twice_is_merged_once(whole, tmp_path):
    target = tmp_path / "small"
    assert merging.merge(target, [whole, whole, whole / "chunks" / ".."]) == {}
    assert merging.merge(target, [target]) == {}
    assert only_chunks(target) == only_chunks(whole)


def test_a_folder_of_something_else_is_not_merged_into(tmp_path):
    fill(tmp_path / "a", 20)
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "thesis.tex").write_text("precious")
    before = content(tmp_path)
    with pytest.raises(ResultsError, match="is not empty and holds no manifest"):
        merging.merge(tmp_path / "small", [tmp_path / "a"])
    assert content(tmp_path) == before


@pytest.fixture
def elsewhere(monkeypatch):
    """Let folders be filled as on a machine with another processor."""
    own = provenance.fingerprint()
    other = own | {"cpu_features": "0123456789abcdef"}
    return lambda there: monkeypatch.setattr(store, "fingerprint", lambda: other if there else own)


def test_shards_of_two_machines_are_refused_unless_told_to_mix(elsewhere, whole, tmp_path):
    fill(tmp_path / "small", shard=(1, 2))
    elsewhere(True)
    before = content(tmp_path)
    with pytest.raises(ResultsError, match=r"made elsewhere \(cpu_features \w+, now 0123456789abc"):
        fill(tmp_path / "small", shard=(2, 2))
    assert content(tmp_path) == before
    fill(tmp_path / "small", shard=(2, 2), mix=True)
    held = store.read_folder(tmp_path / "small")
    assert missing(held) == {}
    first, second = held.mixture()
    assert first.startswith("mixed: 50 networks made by ")
    assert first.endswith("(the first)")
    assert second.endswith("now 0123456789abcdef)")
    assert second.startswith("mixed: 50 networks made by ")
    found = store.read_sweep(tmp_path / "small")
    wanted = store.read_sweep(whole)
    for name in ("k=2", "fast"):
        assert samples.equal_bits(found.members[name], wanted.members[name])
        assert len(found.members[name].seeds) == SEEDS
    elsewhere(False)  # the first machine may go on: its fingerprint is known
    fill(tmp_path / "small", 60)
    assert len(store.read_sweep(tmp_path / "small").members["fast"].seeds) == 60


def test_a_chunk_that_two_machines_filled_is_two_files(elsewhere, tmp_path):
    fill(tmp_path / "small", 10)
    elsewhere(True)
    fill(tmp_path / "small", 15, mix=True)
    held = store.read_folder(tmp_path / "small")
    (files,) = held.chunks.paths(held.sweep["k=2"]).values()
    assert len(files) == 2
    assert held.chunks.seeds(held.sweep["k=2"]).tolist() == list(range(15))
    assert [line.split()[1] for line in held.mixture()] == ["20", "10"]


def test_folders_of_two_machines_are_merged_only_when_told_to(elsewhere, tmp_path):
    fill(tmp_path / "a", 30)
    elsewhere(True)
    fill(tmp_path / "b", np.arange(20, 50))
    parts = [tmp_path / "a", tmp_path / "b"]
    with pytest.raises(ResultsError, match="made elsewhere"):
        merging.merge(tmp_path / "small", parts)
    assert not (tmp_path / "small").exists()
    assert merging.merge(tmp_path / "small", parts, mix=True) == {"k=2": 10, "fast": 10}
    held = store.read_folder(tmp_path / "small")
    assert [line.split()[1] for line in held.mixture()] == ["60", "40"]  # the first one's are kept


def test_a_plan_is_binding_while_another_shard_is_at_work(elsewhere, tmp_path):
    """Two machines that begin at once, before there is a chunk, must not both write a manifest."""
    folder = tmp_path / "small"
    fill(folder, shard=(1, 2))
    shutil.rmtree(folder / "chunks")
    elsewhere(True)
    with shards.briefly(folder), shards.writing(folder, shards.Shard(1, 2)):
        pass
    # In one process locks of other shards are asked for as by another: they are other files.
    lock = shards.writing(folder, shards.Shard(1, 2))
    with shards.briefly(folder):
        lock.__enter__()
    try:
        with pytest.raises(ResultsError, match="made elsewhere"):
            fill(folder, shard=(2, 2))
    finally:
        lock.__exit__(None, None, None)
    fill(folder, shard=(2, 2))  # a plan that nobody carried out


def test_the_tool_writes_the_tables_of_a_complete_folder(whole, tmp_path, monkeypatch, capsys):
    for i in (1, 2):
        fill(tmp_path / str(i), shard=(i, 2))
    line = [tmp_path / "small", tmp_path / "1", tmp_path / "2"]
    assert merged(monkeypatch, *line) == 0
    said = capsys.readouterr().out
    assert "fails%" in said
    assert lasting(tmp_path / "small") == lasting(whole)
    assert merged(monkeypatch, tmp_path / "small") == 0


def test_the_tool_names_what_is_missing_and_writes_no_tables(tmp_path, monkeypatch, capsys):
    fill(tmp_path / "small", shard=(1, 2))
    assert merged(monkeypatch, tmp_path / "small") == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "is not complete; missing: shard 2/2 (50 networks); train them, or have" in said.err
    assert not (tmp_path / "small" / "summary.csv").exists()


def test_the_tool_writes_tables_of_a_part_when_told_to(tmp_path, monkeypatch, capsys):
    fill(tmp_path / "small", shard=(1, 2))
    line = [tmp_path / "small", "--partial", "--export", "csv"]
    assert merged(monkeypatch, *line) == 0
    said = capsys.readouterr().out
    assert "missing: shard 2/2 (50 networks)" in said
    rows = (tmp_path / "small" / "members.csv").read_text().splitlines()
    assert len(rows) == 1 + 50
    assert (tmp_path / "small" / "summary.csv").exists()


def test_the_tool_names_overlaps(tmp_path, monkeypatch, capsys):
    fill(tmp_path / "a", 30)
    fill(tmp_path / "b", np.arange(25, 50))
    assert merged(monkeypatch, tmp_path / "small", tmp_path / "a", tmp_path / "b") == 0
    assert "overlap: 5 networks of 'k=2' are in two folders, and are the same" in (
        capsys.readouterr().out
    )


def test_the_tool_writes_predictions_of_a_sweep_by_name(tmp_path, monkeypatch, capsys):
    from sweeps import negation

    built = negation.build()
    few = dataclasses.replace(built, settings=built.settings[:2])
    monkeypatch.setattr(negation, "build", lambda: few)
    run(few, 6, out=tmp_path / "negation")
    assert merged(monkeypatch, tmp_path / "negation") == 0
    assert "predictions.csv" in capsys.readouterr().out
    assert (tmp_path / "negation" / "predictions.csv").read_text().startswith("sweep,setting,")


@pytest.mark.parametrize(
    ("seeds", "text"),
    [
        ([], ""),
        ([5], "5"),
        ([0, 1, 2, 3], "0-3"),
        ([0, 2, 3, 9], "0,2-3,9"),
        ([2**32 - 1], "4294967295"),
    ],
)
def test_seeds_are_kept_as_ranges(seeds, text):
    assert seed_ranges.ranges(np.array(seeds, np.int64)) == text
    assert seed_ranges.seeds_in(text).tolist() == seeds
    assert json.loads(json.dumps(text)) == text


@given(
    *[st.lists(st.integers(0, 30), unique=True).map(sorted)] * 2,
)
def test_ranges_are_united_as_their_seeds_are(one, other):
    texts = [seed_ranges.ranges(np.array(seeds, np.int64)) for seeds in (one, other)]
    wanted = seed_ranges.ranges(np.union1d(one, other).astype(np.int64))
    assert seed_ranges.united(*texts) == seed_ranges.united(*texts[::-1]) == wanted
    assert seed_ranges.seeds_in(wanted).tolist() == sorted({*one, *other})
