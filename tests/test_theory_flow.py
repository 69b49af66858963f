"""The flow from event to event against gradient descent in small steps, and against its own laws.

Kind: rounding. A step of 0.01 leaves an error of that order in the final weights; outcomes may
differ for at most 2 of 1,200 networks, those that such steps carry over the line, and the fate rule
without crossing, the negative control, must differ for more than ten times as many. The rest holds
exactly, or to float64 rounding times the weights' size.
"""

import numpy as np
import pytest

from jaxlab.theory.absolute_value import fate
from jaxlab.theory.crossing import crosses
from jaxlab.theory.flow import end_of_flow, outcome_of_flow

UNITS = 4


def draw(limit, seed, members=300):
    """Return networks of one to four units, `members` of each; those that lack have kernel 0."""
    generator = np.random.default_rng(seed)
    w, a = generator.uniform(-limit, limit, (2, UNITS, UNITS * members))
    present = np.arange(UNITS)[:, None] <= np.arange(UNITS * members) // members
    return w * present, a


def descend(w, a, fineness=0.01, time=14.0):
    """Return weights after small steps of gradient descent, each side's curvature being 1."""
    step = fineness / max(4.0, float(np.max(np.sum(w**2 + a**2, axis=0))) / 2)
    for _ in range(int(time / step)):
        right, left = np.maximum(w, 0), np.maximum(-w, 0)
        short = (1 - np.sum(a * right, axis=0), 1 - np.sum(a * left, axis=0))
        pull = (w > 0) * short[0] - (w < 0) * short[1]
        w, a = w + step * pull * a, a + step * (short[0] * right + short[1] * left)
    return w, a


def name(w, a):
    right, left = (
        np.abs(np.sum(a * np.maximum(side * w, 0), axis=0) - 1) < 0.05 for side in (1, -1)
    )
    return np.array(["dead", "left_only", "right_only", "solved"])[2 * right + left]


@pytest.mark.parametrize(("limit", "seed"), [(1.3, 51), (4.0, 52)])
def test_descent_in_small_steps_ends_where_the_flow_does(limit, seed):
    w, a = draw(limit, seed)
    found, said = descend(w, a), end_of_flow(w, a)
    outcomes = name(*found)
    same = outcomes == outcome_of_flow(w, a)
    assert np.sum(~same) <= 2
    # One in ten comes close to standing still on its way, and is not quite there yet.
    for one, other in zip(found, said, strict=True):
        assert np.mean(np.max(np.abs(one - other), axis=0) < 0.01) > 0.9
    if limit > 2:
        assert np.sum(outcomes != fate(w, a)) > 20
    assert np.sum(outcomes != fate(w, a / 1.2)) > 20


def test_finer_steps_come_closer_in_proportion():
    w, a = draw(1.3, 53, 25)
    said = end_of_flow(w, a)
    off = [
        np.median(np.max(np.abs(descend(w, a, fineness)[0] - said[0]), axis=0))
        for fineness in (0.04, 0.01)
    ]
    assert off[0] / off[1] == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("limit", [0.02, 1.3, 4.0, 30.0])
def test_two_units_meet_fate_or_cross(limit):
    w, a = np.random.default_rng(54).uniform(-limit, limit, (2, 2, 50_000))
    expected = np.where(crosses(w, a), "solved", fate(w, a))
    assert np.array_equal(outcome_of_flow(w, a), expected)
    assert np.mean(expected != fate(w, a)) > 0.005 or limit < 2


def test_with_more_units_crossing_alone_is_an_upper_bound():
    w, a = np.random.default_rng(55).uniform(-4, 4, (2, 3, 100_000))
    outcome, bound = outcome_of_flow(w, a), np.where(crosses(w, a), "solved", fate(w, a))
    differ = outcome != bound
    assert np.all(bound[differ] == "solved")
    assert 0 < np.mean(differ) < 0.002


@pytest.mark.parametrize("limit", [1.3, 30.0])
def test_what_the_flow_keeps_is_kept(limit):
    w, a = draw(limit, 56)
    kernels, outputs = end_of_flow(w, a)
    rounding = 1e-13 * limit**2
    slopes = np.array([np.sum(outputs * np.maximum(s * kernels, 0), axis=0) for s in (1, -1)])
    assert np.max(np.minimum(np.abs(slopes), np.abs(slopes - 1))) < rounding
    assert np.max(np.abs(kernels**2 - outputs**2 - (w**2 - a**2))) < 10 * rounding
    # A side with nothing left to move has a slope of 0; one that starts too steep gets down to 1.
    starts = np.array([np.sum(a * np.maximum(s * w, 0), axis=0) for s in (1, -1)])
    assert np.all(slopes[starts > 1] > 0.5)


def test_sides_and_units_may_be_exchanged():
    w, a = draw(4.0, 57)
    outcome = outcome_of_flow(w, a)
    mirror = {"left_only": "right_only", "right_only": "left_only"}
    assert outcome_of_flow(-w, a).tolist() == [mirror.get(o, o) for o in outcome.tolist()]
    assert np.array_equal(outcome_of_flow(w[::-1], a[::-1]), outcome)
    assert outcome_of_flow(w[:, 7], a[:, 7]) == outcome[7]


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ([(3, 3), (0.1, 2)], "solved"),  # the right side is too steep and drives a unit over
        ([(3, 3), (2, 0.1)], "right_only"),
        ([(3, 3), (0.1, 2), (-3, 3)], "solved"),  # both are too steep: it stays at 0, dead
        ([(1.6, 1.6), (0.75, 0.8)], "right_only"),
        ([(1.6, 1.6), (0.75, 0.8), (-0.1, -9)], "right_only"),
        ([(1, -2), (-3, 3)], "left_only"),  # the left takes the dying unit over and is fitted
        ([(0, 5), (1, 1)], "right_only"),
        ([(1, 1)], "right_only"),
    ],
)
def test_given_networks(units, expected):
    w, a = np.array(units, dtype=float).T
    assert outcome_of_flow(w, a) == expected


def test_a_dying_unit_goes_where_the_other_side_drives_it():
    kernels, outputs = end_of_flow([1.0, -3.0], [-2.0, 3.0])
    assert kernels[0] < 0
    assert outputs[0] < -(3**0.5)
    kernels, outputs = end_of_flow([1.0, -0.3], [-2.0, 0.3])
    assert (kernels[0], outputs[0]) == (0, pytest.approx(-(3**0.5)))


@pytest.mark.parametrize(
    ("w", "a", "message"),
    [
        (
            [[1.0]],
            [[1.0, 2.0]],
            "w and a have shapes .1, 1. and .1, 2.; both must be the same",
        ),
        (1.0, 1.0, "w and a have shapes"),
        ([], [], "w and a have shapes"),
        ([1.0], [np.nan], "w and a hold infinite or undefined values; all must be finite"),
    ],
)
def test_bad_arguments_are_named(w, a, message):
    with pytest.raises(ValueError, match=message):
        outcome_of_flow(w, a)
