"""Exact: what counts are called, and what the initial weights tell, on members made by hand."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
import samples
from samples import members

from jaxlab import Network, Result, Setting, Sweep, answer, chunks, tasks
from jaxlab.answer import Kind, kind_of
from jaxlab.outcomes import OUTCOMES
from jaxlab.stored import Stored
from jaxlab.tally import Tally

SETTING = Setting("two", tasks.absolute_value(rows=5), Network((1, 2, 1), ("relu", "linear")))


def counted(**counts: int) -> Tally:
    return Tally(dict.fromkeys(OUTCOMES, 0) | counts)


@pytest.mark.parametrize(
    ("counts", "kind"),
    [
        ({"solved": 964, "dead": 36}, Kind.LEARNS),  # the borders of verdicts.works and .never
        ({"solved": 963, "dead": 37}, Kind.UNDECIDED),
        ({"solved": 935, "dead": 65}, Kind.LUCK),
        ({"solved": 65, "dead": 935}, Kind.LUCK),
        ({"solved": 37, "dead": 963}, Kind.UNDECIDED),
        ({"solved": 36, "dead": 964}, Kind.IMPOSSIBLE),
        ({"solved": 36, "dead": 963, "unfinished": 1}, Kind.TOO_SHORT),
        ({"solved": 500, "unfinished": 500}, Kind.TOO_SHORT),
        ({"solved": 500, "dead": 100, "unfinished": 400}, Kind.LUCK),
        ({"unfinished": 36, "dead": 964}, Kind.IMPOSSIBLE),
        ({"solved": 1}, Kind.UNDECIDED),
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
        "67 % fit the right side only, 33 % diverged. All of them, and none of those that learnt, "
        "started without a unit active on one side (right or left). Errors end at 10 % of the "
        "targets' standard deviation for the best seed, 30 % for half of them."
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
