"""Exact: what counts are called, and what the initial weights tell, on members made by hand."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
import samples
from samples import members

from jaxlab import Network, Result, Setting, Sweep, answer, chunks, tasks, tolerances
from jaxlab.answer import Kind, kind_of
from jaxlab.outcomes import OUTCOMES
from jaxlab.stored import Stored
from jaxlab.tally import Tally

SETTING = Setting("two", tasks.absolute_value(rows=5), Network((1, 2, 1), ("relu", "linear")))


def counted(improving: int = 0, **counts: int) -> Tally:
    return Tally(dict.fromkeys(OUTCOMES, 0) | counts, improving)


@pytest.mark.parametrize(
    ("counts", "kind"),
    [
        ({"solved": 964, "dead": 36}, Kind.LEARNS),  # the borders of verdicts.works and .never
        ({"solved": 963, "dead": 37}, Kind.UNDECIDED),
        ({"solved": 935, "dead": 65}, Kind.LUCK),
        ({"solved": 65, "dead": 935}, Kind.LUCK),
        ({"solved": 37, "dead": 963}, Kind.UNDECIDED),
        ({"solved": 36, "dead": 964}, Kind.IMPOSSIBLE),
        ({"solved": 36, "dead": 963, "other": 1, "improving": 1}, Kind.UNDECIDED),  # not many
        ({"solved": 500, "other": 500, "improving": 500}, Kind.TOO_SHORT),
        ({"solved": 500, "dead": 100, "right_only": 400, "improving": 400}, Kind.LUCK),
        ({"unfinished": 36, "dead": 964, "improving": 36}, Kind.IMPOSSIBLE),
        ({"unfinished": 37, "dead": 963, "improving": 37}, Kind.UNDECIDED),
        ({"dead": 292, "other": 8, "improving": 8}, Kind.UNDECIDED),  # 8 of 300: hardly any
        ({"dead": 500, "linear": 500, "improving": 500}, Kind.TOO_SHORT),
        ({"dead": 501, "linear": 499, "improving": 499}, Kind.UNDECIDED),
        ({"solved": 8, "unfinished": 192, "improving": 192}, Kind.TOO_SHORT),  # from undecided
        ({"solved": 964, "unfinished": 36, "improving": 36}, Kind.LEARNS),
        ({"solved": 1}, Kind.UNDECIDED),
        ({}, Kind.UNDECIDED),
    ],
)
def test_the_kind_follows_the_fixed_rules(counts, kind):
    assert kind_of(counted(**counts)) is kind


def sample(weights: Sequence[Sequence[float]], names: list[str]) -> Result:
    ends = {"rmse": np.linspace(0.1, 0.5, len(names)), "spread": np.ones(len(names))}
    initial = np.array([[*w, 0.0, 0.0, 1.0, 1.0, 0.0] for w in weights], np.float32)
    return Result(
        Sweep("sweep", (SETTING,)), {"two": members(names, initial_weights=initial, **ends)}
    )


def test_it_tells_which_members_started_without_a_unit_on_a_side():
    weights = [[1, 1], [1, -1], [-1, -2], [2, 1], [0, 1]]
    names = ["right_only", "solved", "left_only", "solved", "dead"]
    start = answer.answer(sample(weights, names), "two").start
    assert start == answer.Start("on one side (right or left)", 3, 3, 1, 2)


def test_the_sentence_holds_every_number():
    weights = [[1, 1], [1, -1], [-1, -2], [1, 2]]
    (text,) = answer.sentences(sample(weights, ["right_only", "solved", "diverged", "right_only"]))
    assert text == (
        "two: fails for 75.0 % of 4 seeds [19.4, 99.4]: too few seeds to tell. Of those that fail "
        "67 % fit the right side only, 33 % diverged. All of those that fail, and none of those "
        "that learnt, started without a unit of the first layer active on one side (right or "
        "left). Errors end at 10 % of the targets' standard deviation for the best seed, 30 % for "
        "half of them."
    )


def test_it_tells_of_those_that_lost_what_they_had_learnt():
    result = sample([[1, -1]] * 4, ["other", "other", "solved", "dead"])
    found = dataclasses.replace(result.members["two"], first_solved=np.array([5, -1, 5, -1]))
    text = str(answer.answer(dataclasses.replace(result, members={"two": found}), "two"))
    assert "33 % of those that fail had fitted it at an earlier check" in text


@pytest.mark.parametrize(
    ("solved", "words"), [(963, "perhaps not 95 %"), (37, "few seeds learn it, if any")]
)
def test_what_is_undecided_is_so_between_two(solved, words):
    found = answer.Answer("s", Kind.UNDECIDED, counted(solved=solved, dead=1000 - solved))
    assert words in found.meaning


def ending(errors: Sequence[float], names: list[str] | None = None, **facts) -> answer.Answer:
    """Return the answer about members with these errors at the end, on both sides."""
    errors_by_side = np.repeat(np.array(errors, np.float32)[:, None], 2, axis=1)
    named = names or ["solved" if error <= 0.1 else "other" for error in errors]
    found = members(named, errors=errors_by_side, spread=np.ones(len(named)), **facts)
    return answer.answer(Result(Sweep("sweep", (SETTING,)), {"two": found}), "two")


def test_where_errors_crowd_near_the_criterion_the_answer_says_where_it_changes():
    text = str(ending([0.11, 0.12, 0.18, 0.3] * 100))
    assert "impossible, or nearly, at a tolerance of 10 %" in text
    assert (
        "The answer hangs on the tolerance: all seeds fail at 5 %, all seeds at 10 %, 50 % "
        "at 15 %, 25 % at 20 % of the targets' size. At 11 % it would be: luck of the seed."
    ) in text


@pytest.mark.parametrize("errors", [[0.3, 0.5] * 100, [0.01, 0.5] * 100, [0.01] * 200])
def test_where_they_do_not_nothing_is_said_of_the_tolerance(errors):
    text = str(ending(errors))
    assert "tolerance" not in text


def test_tolerances_at_which_a_constant_learns_are_no_answer():
    errors = np.array([0.3, 1.0] * 100)
    found = tolerances.sensitivity(errors, 0.5)
    assert found.failed == ((0.25, 200), (0.5, 100), (0.75, 100))
    assert [tolerance for tolerance, _ in found.turns] == [0.275]  # and not 1.0 as well
    assert tolerances.sensitivity(errors, 2.0).failed == ()


def test_an_answer_that_only_just_learns_says_so_too():
    assert "At 8.5 % it would be: impossible, or nearly." in str(ending([0.09] * 200))


def test_few_that_still_improve_do_not_make_it_too_short():
    moving = np.arange(300) < 8
    found = ending([0.5] * 300, improving=moving)
    assert found.kind is Kind.UNDECIDED
    assert "too short" not in str(found)
    assert "few seeds learn it, if any" in str(found)
    assert "3 % of those that fail were still improving." in str(found)
    assert "Even if all of these learnt it, at least 94.8 % of seeds would fail." in str(found)


def test_many_that_still_improve_make_it_too_short_whatever_they_are_called():
    found = ending([0.5] * 300, ["right_only"] * 300, improving=np.arange(300) < 240)
    assert found.kind is Kind.TOO_SHORT
    assert "too short to tell, for 80 % of those that fail were still improving" in str(found)
    assert "at least 15.6 % of seeds would fail" in str(found)


def test_after_a_few_steps_only_the_dead_and_the_diverged_have_settled():
    names = ["other"] * 100 + ["dead"] * 10
    short = dataclasses.replace(
        SETTING, training=dataclasses.replace(SETTING.training, epochs=1, batch_size=0)
    )
    found = members(names, errors=np.ones((110, 2), np.float32), spread=np.ones(110))
    result = Result(Sweep("sweep", (short,)), {"two": found})
    assert answer.answer(result, "two").kind is Kind.TOO_SHORT
    assert "too short to tell, for it made only 1 step" in str(answer.answer(result, "two"))
    dead = Result(result.sweep, {"two": members(["dead"] * 110, spread=np.ones(110))})
    assert answer.answer(dead, "two").kind is Kind.IMPOSSIBLE


def test_a_plateau_is_told_from_errors_that_are_spread_out():
    def rmse(values) -> str:
        return str(ending([0.5] * 8, rmse=np.array(values)))

    text = rmse([0.414] * 7 + [0.3])
    assert "Of those that settled on something else 88 % share one error, 41 %" in text
    assert "plateau" not in rmse(np.linspace(0.2, 0.9, 8))
    assert "plateau" not in rmse([np.inf] * 8)


def test_the_dead_may_not_yet_learn_though_an_output_bias_moves():
    moving = members(["dead", "right_only", "solved"], improving=np.ones(3, bool))
    assert moving.tally.improving == 1


def test_deaths_at_birth_are_named():
    born = np.arange(4) < 1
    text = str(ending([0.5, 0.5, 0.0, 0.0], ["dead", "dead", "solved", "solved"], born_dead=born))
    assert "50 % of them were dead at birth." in text


def test_no_seeds_are_no_answer():
    nobody = members([], improving=np.zeros(0, bool))
    result = Result(Sweep("sweep", (SETTING,)), {"two": nobody})
    assert answer.sentences(result) == ["two: no seeds were trained."]
    assert answer.most_telling(result) == "two"


def test_of_many_settings_the_first_unlucky_one_stands_for_all():
    luck, dead = ["solved", "dead"] * 50, ["dead"] * 100
    settings = [dataclasses.replace(SETTING, name=f"s{i}") for i in range(6)]
    found = {
        s.name: sample([[1, 1]] * 100, luck if i in (2, 4) else dead).members["two"]
        for i, s in enumerate(settings)
    }
    result = Result(Sweep("sweep", tuple(settings)), found)
    assert answer.most_telling(result) == "s2"
    first, second, third = answer.sentences(result)
    assert first.endswith(": s2; s4.")
    assert second.endswith(": s0; s1; s3; s5.")
    assert third.startswith("s2: fails for 50.0 %")
    with pytest.raises(ValueError, match="it must be one of s0, s1"):
        answer.answer(result, "s9")


def test_the_answer_is_the_same_from_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 20)
    found = samples.trained(tmp_path / "small")
    whole = answer.sentences(found)
    monkeypatch.setattr(Stored, "PIECE", 1)
    assert len(list(found.parts())) > 1
    assert answer.sentences(found) == whole
