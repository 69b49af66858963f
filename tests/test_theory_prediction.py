"""The record of a prediction: exact tests, no randomness."""

from typing import Any

import pytest

from jaxlab.theory.prediction import KINDS, Prediction

GOOD: dict[str, Any] = {
    "name": "a law",
    "event": "an_event",
    "kind": "exact",
    "probability": 0.5,
    "source": "a book",
    "assumptions": "fair coins",
}


def test_every_kind_can_be_built():
    for kind in KINDS:
        slack = 0.01 if kind in ("asymptotic", "empirical") else None
        assert Prediction(**{**GOOD, "kind": kind, "tolerance": slack}).kind == kind


@pytest.mark.parametrize("probability", [0, 1, 0.0, 1.0])
def test_certainty_is_a_probability(probability):
    assert Prediction(**{**GOOD, "probability": probability}).probability == probability


def test_a_withheld_prediction_needs_a_reason_and_no_tolerance():
    withheld = {**GOOD, "kind": "empirical", "probability": None}
    assert Prediction(**withheld, reason="outside its assumptions").tolerance is None
    with pytest.raises(ValueError, match=r"reason is ''.*when probability is None"):
        Prediction(**withheld)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "guess"}, "kind is 'guess'; it must be one of exact, lower bound"),
        ({"probability": 1.5}, r"probability is 1.5; it must lie in \[0, 1\]"),
        ({"probability": -0.1}, "probability is -0.1"),
        ({"probability": float("nan")}, "probability is nan"),
        ({"kind": "empirical"}, "tolerance is None; kind 'empirical' needs"),
        ({"kind": "asymptotic"}, "tolerance is None; kind 'asymptotic' needs"),
        ({"kind": "empirical", "tolerance": 0.0}, "tolerance is 0.0; it must be above 0"),
        ({"kind": "empirical", "tolerance": float("nan")}, "tolerance is nan"),
        ({"tolerance": 0.01}, "tolerance is 0.01; it must be None"),
        ({"reason": "none"}, "reason is 'none'; it must be empty"),
        ({"name": " "}, "name is ' '"),
        ({"event": ""}, "event is ''"),
        ({"source": ""}, "source is ''"),
        ({"assumptions": ""}, "assumptions is ''"),
    ],
)
def test_bad_fields_are_named_with_their_value(change, message):
    with pytest.raises(ValueError, match=message):
        Prediction(**{**GOOD, **change})
