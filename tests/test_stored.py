"""Exact: members of a folder are read when asked for, in pieces, and are the same as in memory."""

import dataclasses

import numpy as np
import pytest
import samples
from samples import LANES, SEEDS, equal_bits

from jaxlab import ResultsError, Setting, chunks, compared, run, store
from jaxlab.stored import Stored
from sweeps import negation


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 20)


def test_a_run_into_a_folder_returns_what_a_run_in_memory_does(whole, small_result):
    found = run(samples.sweep(), 40, out=whole, lane_width=LANES)
    assert isinstance(found.members, Stored)
    assert list(found.members) == list(small_result.members)
    for name, members in small_result.members.items():
        assert equal_bits(found.members[name], members)
        assert len(found.members[name].seeds) == 40
    assert found.tally() == small_result.tally()
    assert repr(found) == repr(small_result)


@pytest.mark.parametrize("piece", [1, 2, 16])
def test_pieces_are_all_members_once(piece, whole, monkeypatch):
    monkeypatch.setattr(Stored, "PIECE", piece)
    found = store.read_sweep(whole)
    parts = list(found.parts())
    assert len(parts) == -(-3 // piece)  # 50 seeds in chunks of 20
    for name, members in found.members.items():
        lots = [part.members[name] for part in parts]
        assert equal_bits(type(members).concatenated(lots), members)
        assert sum(len(lot.seeds) for lot in lots) == SEEDS
    assert found.tally() == {name: m.tally for name, m in found.members.items()}


def test_a_piece_without_members_of_a_setting_has_columns_without_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(Stored, "PIECE", 1)
    seeds = {"k=2": np.arange(50), "fast": np.arange(5)}
    found = run(samples.sweep(), seeds, out=tmp_path, lane_width=LANES)
    sizes = [[len(m.seeds) for m in part.members.values()] for part in found.parts()]
    assert sizes == [[20, 5], [20, 0], [10, 0]]
    assert found.tally()["fast"].n == 5


def test_counts_held_against_theory_in_pieces_are_those_of_all(tmp_path, monkeypatch):
    built = dataclasses.replace(negation.build(), settings=negation.build().settings[:4])
    found = run(built, 50, out=tmp_path)
    wanted = negation.comparisons(found)
    monkeypatch.setattr(Stored, "PIECE", 1)
    assert len(list(found.parts())) == 3
    assert compared.counted(negation.comparisons, found) == wanted
    assert any(count for _, count, _, _ in wanted)


def test_no_more_is_kept_in_memory_than_a_few_settings(whole, monkeypatch):
    found = store.read_sweep(whole).members
    assert isinstance(found, Stored)
    first = found["k=2"]
    assert found["k=2"] is first
    monkeypatch.setattr(Stored, "KEPT", first.nbytes + 1)
    assert found["fast"] is found["fast"]
    assert found["k=2"] is not first
    assert list(found.read) == ["k=2"]


def test_a_setting_that_is_not_there_yet_is_said_so(whole):
    held = store.read_folder(whole)
    more = samples.sweep(*samples.sweep().settings, dataclasses.replace(slow(), name="slow"))
    members = Stored(more, held.chunks)
    assert "slow" not in members
    assert len(members) == 2
    with pytest.raises(ResultsError, match="holds no members of setting 'slow' yet; run its sweep"):
        _ = members["slow"]


def slow() -> Setting:
    return samples.setting(rate=0.001)
