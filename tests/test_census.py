"""Exact, rounding and statistical: what a census draws, counts and keeps.

Initial weights are those of trained members to `ROUNDING`; those that are no sum are the same bits.
Counts of the sweep `initialisation` agree with its exact predictions: all together are wrong with
less than `FALSE_FAIL` though nothing is (Bonferroni; bounds fail on the wrong side only). False
pass: a rate that is off by 0.08 anywhere is missed with less than 1e-6 (`false_pass`). Negative
controls: the predictions of a network with another number of units are rejected.
"""

import dataclasses
from functools import cache

import numpy as np
import pytest
import samples
from acceptance import FALSE_FAIL, agrees, assert_rounding, false_pass
from samples import LANES

from jaxlab import (
    Initialiser,
    Network,
    ResultsError,
    Setting,
    census,
    chunks,
    engine,
    provenance,
    run,
    sealed,
    tasks,
)
from jaxlab.census import Case, Census, count, read_census, run_census
from jaxlab.result import Members
from jaxlab.theory.prediction import Prediction
from sweeps import initialisation
from sweeps._run import comparisons

LAW = Initialiser("pytorch", scale=1.5)
BORN = Setting(  # a ReLU output: a quarter of the networks, and more, are born dead
    "born",
    tasks.absolute_value(6, -1.0, 1.0),
    Network((1, 2, 1), ("relu", "relu")),
    (LAW,),
    samples.setting(epochs=2).training,
)
SEEDS = 300  # more than one lane block of `silence`, and no multiple of it


@cache
def trained() -> Members:
    return run(samples.sweep(BORN), SEEDS, lane_width=LANES).members["born"]


@cache
def drawn() -> list:
    return engine.initial_weights(BORN, np.arange(SEEDS))


def packed(layers) -> np.ndarray:
    """Return (members, parameters)."""
    return np.concatenate([part.reshape(-1, part.shape[-1]) for w in layers for part in w]).T


def test_weights_are_those_that_members_of_sweeps_start_from():
    assert [part.shape for w in drawn() for part in w] == [
        *((1, 2, SEEDS), (2, SEEDS)),
        *((2, 1, SEEDS), (1, SEEDS)),
    ]
    assert_rounding(packed(drawn()), np.asarray(trained().initial_weights))
    other = dataclasses.replace(BORN, name="another")
    found = packed(engine.initial_weights(other, np.arange(9)))
    assert not np.isclose(found, packed(drawn())[:9]).all(axis=1).any()


@pytest.mark.parametrize("seeds", [[0], [299, 3], range(120, 290), [2**32 - 1, 7]])
def test_a_seeds_weights_do_not_depend_on_how_many_are_asked(seeds):
    found = packed(engine.initial_weights(BORN, np.array(seeds)))
    known = [i for i, seed in enumerate(seeds) if seed < SEEDS]
    assert np.array_equal(found[known], packed(drawn())[[seeds[i] for i in known]])
    assert len(np.unique(found, axis=0)) == len(seeds)


def test_without_biases_there_are_none():
    network = dataclasses.replace(BORN.network, use_bias=False)
    found = engine.initial_weights(dataclasses.replace(BORN, network=network), np.arange(3))
    assert [bias for _, bias in found] == [None, None]
    assert np.array_equal(found[0][0], drawn()[0][0][..., :3])


def test_born_dead_is_that_of_trained_members_one_by_one():
    found = census.born_dead(BORN)(drawn())["born_dead"]
    assert np.array_equal(found, trained().born_dead)
    assert 0.2 < found.mean() < 0.8


def test_rows_that_are_drawn_have_no_look():
    task = tasks.doubling_normal(5)
    with pytest.raises(ValueError, match="rows of task 'doubling_normal' are drawn; they must be"):
        census.born_dead(dataclasses.replace(BORN, task=task))


def first_positive(layers):
    return {"positive": layers[0][0][0, 0] > 0, "all": np.ones(layers[0][0].shape[-1], bool)}


def test_counting_in_pieces_is_counting_at_once(monkeypatch):
    at_once = count(BORN, first_positive, np.arange(SEEDS))
    assert at_once == {"positive": int((drawn()[0][0][0, 0] > 0).sum()), "all": SEEDS}
    monkeypatch.setattr(census, "TOGETHER", 77)
    assert count(BORN, first_positive, np.arange(SEEDS)) == at_once


HALF = Prediction("signs", "positive", "exact", 0.5, "symmetry", "none")
SMALL = Census("small", (Case(BORN, first_positive, (HALF,)),))


def counted(folder, seeds: int, given: Census = SMALL) -> census.Counts:
    return run_census(given, seeds, out=folder, progress=False, command="test")


def test_more_seeds_are_added_and_none_is_counted_twice(tmp_path, monkeypatch):
    whole = counted(tmp_path / "whole", SEEDS)
    n, positive = whole["born", "positive"]
    assert (n, positive) == (SEEDS, int((drawn()[0][0][0, 0] > 0).sum()))
    asked, original = [], census.count
    monkeypatch.setattr(
        census, "count", lambda s, look, seeds: asked.append(seeds) or original(s, look, seeds)
    )
    for seeds in (100, SEEDS, SEEDS, 50):
        found = counted(tmp_path / "grown", seeds)
    assert found == whole == read_census(SMALL, tmp_path / "grown")
    assert np.array_equal(np.concatenate(asked), np.arange(SEEDS))
    files = [(tmp_path / name / "counts.json").read_bytes() for name in ("whole", "grown")]
    assert files[0] == files[1]
    assert comparisons(SMALL, whole) == [("born", positive, SEEDS, HALF)]


def test_a_census_killed_between_cases_keeps_those_that_are_done(tmp_path, monkeypatch):
    two = Census("small", (*SMALL.cases, renamed("second")))
    original = census.count

    def dying(setting, look, seeds):
        if setting.name == "second":
            raise KeyboardInterrupt
        return original(setting, look, seeds)

    with monkeypatch.context() as patch:
        patch.setattr(census, "count", dying)
        with pytest.raises(KeyboardInterrupt):
            counted(tmp_path, 40, two)
    with pytest.raises(ResultsError, match="lacks the setting 'second'; run its sweep again"):
        read_census(two, tmp_path)
    assert read_census(SMALL, tmp_path) == counted(tmp_path / "other", 40)


def renamed(name: str) -> Case:
    return Case(dataclasses.replace(BORN, name=name), first_positive, (HALF,))


def test_counts_of_other_digests_are_kept_and_not_mixed(tmp_path):
    first = counted(tmp_path, 40)
    narrow = dataclasses.replace(BORN, initialisers=(Initialiser("he_normal"),))
    other = Census("small", (Case(narrow, first_positive, (HALF,)),))
    counted(tmp_path, 60, other)
    rows = sealed.read_json(tmp_path / "counts.json")["counts"]
    assert {(row[1], row[3]) for row in rows} == {(BORN.digest, 40), (narrow.digest, 60)}
    assert read_census(SMALL, tmp_path) == first


def test_an_event_that_is_new_is_counted_from_the_first_seed_on(tmp_path):
    counted(tmp_path, 40)

    def look(layers):
        return first_positive(layers) | {"large": abs(layers[0][0][0, 0]) > 1}

    large = Prediction("size", "large", "exact", 1 / 3, "a uniform law", "none")
    for predictions in ((HALF, large), (HALF,)):
        case = dataclasses.replace(SMALL.cases[0], look=look, predictions=predictions)
        found = counted(tmp_path, 40 if len(predictions) == 2 else 60, Census("small", (case,)))
        n = found["born", "positive"][0]
        large_ones = int((abs(drawn()[0][0][0, 0, :n]) > 1).sum())
        assert found["born", "large"] == (n, large_ones)


def test_damaged_files_and_foreign_folders_are_refused_and_left_alone(tmp_path):
    counted(tmp_path, 40)
    path = tmp_path / "counts.json"
    good = path.read_bytes()
    wrong = [b"", b"\xff\xfe", good.replace(b"counts", b"county"), good[:-3] + b"x\n"]
    counts = [["born", BORN.digest, "positive", 4, 5]]
    more = sealed.json_as_bytes({"format": chunks.FORMAT, "counts": counts})
    for damaged in (*wrong, good[: good.rindex(b",")], good.replace(b" 40,", b" 4,"), more):
        assert damaged != good
        path.write_bytes(damaged)
        for attempt in (lambda: counted(tmp_path, 60), lambda: read_census(SMALL, tmp_path)):
            with pytest.raises(ResultsError, match=r"^[^\n]*counts.json is damaged[^\n]*$"):
                attempt()
        assert path.read_bytes() == damaged
    path.unlink()
    with pytest.raises(ResultsError, match=r"holds no results \(no counts.json\)"):
        read_census(SMALL, tmp_path)
    another = sealed.json_as_bytes({"format": chunks.FORMAT, "census": "another"})
    newer = sealed.json_as_bytes({"format": 4, "census": "small"})
    for content, said in (
        (another, "holds something else"),
        (newer, "is of format 4, this version of jaxlab reads format 3"),
        (b'{"census": "small"}', "has no checksum"),
        (b"precious", "is damaged"),
    ):
        (tmp_path / "manifest.json").write_bytes(content)
        with pytest.raises(ResultsError, match=rf"^[^\n]*{said}[^\n]*$"):
            counted(tmp_path, 40)
        assert (tmp_path / "manifest.json").read_bytes() == content
    (tmp_path / "file").write_text("precious")
    with pytest.raises(ResultsError, match=r"^cannot write to [^\n]*choose another --out$"):
        counted(tmp_path / "file", 40)


def test_the_manifest_says_what_was_counted(tmp_path):
    counted(tmp_path, 5)
    content = sealed.read_json(tmp_path / "manifest.json")
    (ran,) = content.pop("runs")
    assert content == {
        "format": chunks.FORMAT,
        "census": "small",
        "digests": {"born": BORN.digest},
        "fingerprint": provenance.fingerprint(),
    }
    assert (ran["command"], ran["how"], ran["members"]) == ("test", "finished", 5)


MANY = 8000


def cases() -> list[Case]:
    """Return one case of each kind."""
    return [
        initialisation.of_default("Keras", 2),
        initialisation.of_default("RAI", 3),
        initialisation.forum(),
        initialisation.of_deep("He", 3, 2),
        initialisation.of_ball(1, 1.0),
        initialisation.of_cube(2),
        initialisation.of_second_layer(2, 2),
        initialisation.one_unit(),
    ]


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> list:
    """(setting, count, n, prediction) of all exact predictions and bounds."""
    made = Census("some", tuple(cases()))
    found = counted(tmp_path_factory.mktemp("census"), MANY, made)
    return [row for row in comparisons(made, found) if row[3].probability is not None]


def accepted(count: int, n: int, said: Prediction, error: float) -> bool:
    assert said.probability is not None
    if said.kind == "exact":
        return agrees(count, n, said.probability, error)
    if said.kind == "lower bound":
        return count >= n * said.probability or agrees(count, n, said.probability, error)
    if said.kind == "upper bound":
        return count <= n * said.probability or agrees(count, n, said.probability, error)
    return True  # approximations are not held here


def test_counts_agree_with_what_signs_and_integrals_say(rows):
    error = FALSE_FAIL / len(rows)
    refused = [(name, c / n, p) for name, c, n, p in rows if not accepted(c, n, p, error)]
    assert refused == []
    exact = [p.probability for *_, p in rows if p.kind == "exact"]
    assert len(exact) >= 8
    off = [false_pass(MANY, p, p + d, error) for p in exact for d in (-0.08, 0.08) if 0 < p + d < 1]
    assert max(off) < 1e-6


def test_predictions_of_other_networks_are_rejected(rows):
    counts = {(name, p.event): c for name, c, _, p in rows}
    error = FALSE_FAIL / len(rows)
    for right, wrong in (
        (initialisation.of_default("Keras", 2), initialisation.of_default("Keras", 3)),
        (initialisation.of_default("RAI", 3), initialisation.of_default("Keras", 3)),
        (initialisation.of_deep("He", 3, 2), initialisation.of_deep("He", 5, 2)),
        (initialisation.of_cube(2), initialisation.of_cube(3)),
    ):
        claims = {p for p in wrong.predictions if p.kind == "exact" and p.probability is not None}
        found = [(counts.get((right.setting.name, p.event)), p) for p in claims]
        refused = [c is not None and not accepted(c, MANY, p, error) for c, p in found]
        assert any(refused), right.setting.name
