"""Exact: what `jaxlab.run` accepts, returns and says."""

import contextlib
import csv
import doctest
import io
from typing import Any

import numpy as np
import pytest
import samples
from samples import LANES

import jaxlab
from jaxlab import OUTCOMES, Result, Task, grouping, runs

WRONG_SEEDS: list[tuple[Any, str]] = [
    (0, "seeds is 0; it must be at least 1 and at most 100000000 at once"),
    (-3, "seeds is -3; it must be at least 1"),
    (2**32 + 1, "at most 100000000"),
    ([], "at least one is needed"),
    ([1.5], "whole numbers"),
    (2.0, "whole numbers"),
    ("12", "whole numbers"),
    (None, "whole numbers"),
    ([-1, 2], "-1 to 2; they must lie between 0 and 4294967295"),
    ([2**32], "between 0 and"),
    ([1, 1], "given twice"),
    ([[1, 2], [3, 4]], "one list"),
]


@pytest.mark.parametrize(("seeds", "said"), WRONG_SEEDS)
def test_impossible_seeds_are_a_value_error(seeds, said):
    with pytest.raises(ValueError, match=said):
        jaxlab.run(samples.sweep(), seeds)


@pytest.mark.parametrize("seeds", [3, np.int64(3), [2, 0, 1], (0, 1, 2), range(3), np.arange(3)])
def test_seeds_are_a_number_or_a_list(seeds):
    assert sorted(grouping.check_seeds(seeds).tolist()) == [0, 1, 2]


def test_an_impossible_lane_width_is_a_value_error():
    with pytest.raises(ValueError, match="lane_width is 0; it must be at least 1"):
        jaxlab.run(samples.sweep(), 3, lane_width=0)


def test_an_unknown_task_is_a_value_error():
    setting = jaxlab.Setting("s", Task("absolute", 4), samples.setting().network)
    with pytest.raises(ValueError, match=r"'absolute'; it must be one of .*absolute_value"):
        jaxlab.run(samples.sweep(setting), 3)


def test_the_result_has_a_member_for_every_seed_of_every_setting(small_result):
    assert small_result.outcomes.shape == (2, 40)
    assert set(small_result.outcomes.ravel()) <= set(OUTCOMES)
    for name, members in small_result.members.items():
        assert members.seeds.tolist() == list(range(40))
        assert members.tally == small_result.tally()[name]
        assert members.tally.n == 40
        for outcome in OUTCOMES:
            seeds = small_result.seeds(name, outcome)
            assert len(seeds) == members.tally.counts[outcome]
            assert (members.names[seeds] == outcome).all()


def test_unknown_names_are_a_value_error(small_result):
    with pytest.raises(ValueError, match="'k=9'; it must be one of k=2, fast"):
        small_result.seeds("k=9", "dead")
    with pytest.raises(ValueError, match="'alive'; it must be one of solved"):
        small_result.seeds("k=2", "alive")


def test_settings_with_different_seeds_have_no_common_table(small_result):
    members = dict(small_result.members)
    members["fast"] = jaxlab.run(samples.sweep(), 3, lane_width=LANES).members["fast"]
    with pytest.raises(ValueError, match="different seeds"):
        _ = Result(small_result.sweep, members).outcomes


def test_solved_members_were_first_solved_at_a_check(small_result):
    for members in small_result.members.values():
        checks = small_result.sweep["k=2"].training.checks(samples.ROWS)
        assert set(members.first_solved.tolist()) <= {-1, *checks}
        solved = members.names == "solved"
        assert (members.first_solved[solved] > 0).all()
        assert (members.errors[solved] <= 0.1).all()
        assert not (members.errors[~solved] <= 0.1).all(axis=1).any()


def test_the_csv_has_the_contracts_columns(small_result, tmp_path):
    small_result.to_csv(tmp_path / "summary.csv")
    with open(tmp_path / "summary.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = ["sweep", "setting", "n", "failed", "failure_rate", "ci_low", "ci_high"]
    assert list(rows[0])[: len(wanted) + len(OUTCOMES)] == [*wanted, *OUTCOMES]
    assert {"hidden_units", "learning_rate", "initialiser"} <= set(rows[0])
    for row, tally in zip(rows, small_result.tally().values(), strict=True):
        assert int(row["n"]) == sum(int(row[name]) for name in OUTCOMES) == 40
        assert int(row["failed"]) == 40 - int(row["solved"]) == tally.failed
        assert float(row["ci_low"]) <= float(row["failure_rate"]) <= float(row["ci_high"])


def test_the_table_fits_80_columns(small_result):
    lines = repr(small_result).splitlines()
    assert len(lines) == 4
    assert max(map(len, lines)) <= 80


def test_a_run_is_silent_unless_asked():
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        jaxlab.run(samples.sweep(), 3, lane_width=LANES)
    assert said.getvalue() == ""


def test_the_examples_in_the_docstrings_are_right():
    assert doctest.testmod(runs).failed == 0
    assert doctest.testmod(runs).attempted >= 1
