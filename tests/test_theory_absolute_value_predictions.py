"""Predictions for |x|: which are made, which are withheld and why. Exact tests."""

import pytest
from scipy import stats

from jaxlab.theory import flow_predictions
from jaxlab.theory.absolute_value import training_fails
from jaxlab.theory.absolute_value_predictions import (
    folk_training_fails,
    pattern_predictions,
    predictions,
)
from jaxlab.theory.decoupling import Conditions
from jaxlab.theory.laws import PointMass
from jaxlab.theory.prediction import Prediction

USUAL = Conditions(steps=13_000)
TRAINED = ("training_fails", "one_side_fitted", "neither_fitted")


def value(prediction: Prediction) -> float:
    assert prediction.probability is not None
    return prediction.probability


def uniform(limit):
    return stats.uniform(-limit, 2 * limit)


def truncated(scale):
    return stats.truncnorm(-2, 2, scale=scale / 0.8796)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 6, 8])
def test_glorot_gets_its_six_predictions(k):
    law = uniform((6 / (k + 1)) ** 0.5)
    signs, fails, one, none, folk, momentum = predictions(k, law, law, USUAL)
    assert (signs.event, signs.kind, signs.probability) == (
        "one_sided_at_init",
        "exact",
        2 ** (1 - k),
    )
    assert tuple(p.event for p in (fails, one, none)) == TRAINED
    assert {p.kind for p in (fails, one, none)} == {"empirical"}
    assert {p.tolerance for p in (fails, one, none)} == {0.015}
    assert fails.probability == pytest.approx(2 * (5 / 8) ** k - (1 / 4) ** k)
    assert fails.probability == pytest.approx(value(one) + value(none))
    assert (folk.event, folk.kind) == ("training_fails", "lower bound")
    assert folk.probability == 2 ** (1 - k)
    assert value(folk) <= value(fails)
    # The weights are large beside the learning rate: momentum changes next to nothing.
    assert (momentum.name, momentum.event) == ("momentum law", "training_fails")
    assert momentum.probability == pytest.approx(value(fails), abs=0.001)
    assert momentum.tolerance == pytest.approx(0.015, abs=0.001)


@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize(
    ("laws", "slack"),
    [
        (lambda k: (uniform(6**0.5), uniform((6 / k) ** 0.5)), 0.019),
        (lambda k: (truncated(2**0.5), truncated((2 / k) ** 0.5)), 0.019),
        (lambda k: (uniform(3**0.5), uniform((3 / k) ** 0.5)), 0.015),
        (lambda k: (truncated(1.0), truncated(k**-0.5)), 0.015),
        (lambda k: (uniform(1.0), uniform(k**-0.5)), 0.015),
    ],
)
def test_other_initialisers_get_theirs_with_room_for_crossing(laws, slack, k):
    w_law, a_law = laws(k)
    fails = predictions(k, w_law, a_law, USUAL)[1]
    assert value(fails) < training_fails(k, 0.75)  # these output weights are the smaller ones
    assert fails.tolerance == pytest.approx(slack if k == 2 else 0.015, abs=0.0015)


def test_whatever_speaks_of_training_is_silent_where_biases_cross_the_inputs():
    # |x| on +-100, 10,000 epochs: the formula says 0.719, counted were 0.50 of 4,000.
    law, crossing = uniform(2**0.5), Conditions(steps=130_000, input_limit=100.0)
    w, a = stats.uniform(-1.4, 2.8).rvs((2, 2, 10_000), random_state=0)
    signs, *trained = predictions(2, law, law, crossing)
    pattern, *of_pattern = pattern_predictions([1.0, 1.0], law, crossing)
    assert (signs.probability, pattern.probability) == (0.5, 1.0)
    for one in (*trained, *of_pattern, flow_predictions.prediction(w, a, crossing)):
        assert one.probability is None
        assert "biases may travel 1.3 of the largest input" in one.reason
    # A tenth of the way all speak again.
    near = Conditions(steps=13_000, input_limit=100.0)
    assert {p.probability is None for p in predictions(2, law, law, near)[:-1]} == {False}


@pytest.mark.parametrize(
    ("conditions", "word"),
    [
        (Conditions(steps=13_000, activation="leaky_relu"), "leaky_relu"),
        (Conditions(steps=13_000, input_limit=1.0), "inputs"),
        (Conditions(steps=13_000, bias_limit=5.0), "biases"),
        (Conditions(steps=13_000, learning_rate=0.02), "small beside the learning rate"),
        (Conditions(steps=1_300), "too short"),
    ],
)
def test_outside_the_conditions_only_the_signs_are_predicted(conditions, word):
    signs, *rest, momentum = predictions(2, uniform(2**0.5), uniform(2**0.5), conditions)
    assert signs.probability == 0.5
    for prediction in rest:
        assert prediction.probability is None
        assert word in prediction.reason
    assert momentum.probability is None
    assert word in momentum.reason or conditions.learning_rate == 0.02


@pytest.mark.parametrize(
    ("law", "word", "with_momentum"),
    [
        (uniform(0.05), "small beside", 0.638),
        (stats.norm(0, 0.01), "small", 0.502),
        (uniform(4), "large", None),
    ],
)
def test_weights_too_small_or_too_large_get_no_survival_prediction(law, word, with_momentum):
    *said, momentum = predictions(2, law, law, USUAL)
    for prediction in said[1:]:
        assert prediction.probability is None
        assert word in prediction.reason
    if with_momentum is None:
        assert momentum.probability is None
        assert word in momentum.reason
    else:
        assert momentum.probability == pytest.approx(with_momentum, abs=0.001)


@pytest.mark.parametrize(
    ("w_law", "word"),
    [(stats.uniform(0, 1), "symmetric"), (PointMass(1.0), "fixed values"), (None, "independent")],
)
def test_kernels_without_a_symmetric_law_get_nothing(w_law, word):
    for prediction in predictions(2, w_law, uniform(1), USUAL):
        assert prediction.probability is None
        assert word in prediction.reason


@pytest.mark.parametrize("a_law", [stats.uniform(0, 1), PointMass(1.0), None])
def test_output_weights_matter_after_training_only(a_law):
    signs, *rest = predictions(2, uniform(1), a_law, USUAL)
    assert signs.probability == 0.5
    assert all(p.probability is None and "output weights" in p.reason for p in rest)
    signs, *rest = pattern_predictions([-1.0, 1.0], a_law, USUAL)
    assert signs.probability == 0
    assert all(p.probability is None and "output weights" in p.reason for p in rest)


def test_both_signs_given_succeed_less_than_three_times_in_four():
    signs, fails, one, none = pattern_predictions([-1.0, 1.0], uniform(2**0.5), USUAL)
    r = 0.5 + 1 / 8**0.5
    assert signs.probability == 0
    assert fails.probability == pytest.approx(1 - r**2)
    assert one.probability == pytest.approx(2 * r * (1 - r))
    assert none.probability == pytest.approx((1 - r) ** 2)
    assert fails.tolerance == 0.015


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_one_sign_given_fails_surely(side):
    signs, fails, one, none = pattern_predictions([side, side], uniform(2**0.5), USUAL)
    assert (signs.probability, fails.probability) == (1, 1)
    assert one.probability == pytest.approx(1 - value(none))
    assert none.probability == pytest.approx((0.5 - 1 / 8**0.5) ** 2)


def test_patterns_are_held_to_the_same_conditions():
    law = uniform(2**0.5)
    for conditions, word in [
        (Conditions(steps=1_300), "too short"),
        (Conditions(steps=13_000, activation="leaky_relu"), "leaky_relu"),
    ]:
        signs, *rest = pattern_predictions([-1.0, 1.0], law, conditions)
        assert signs.probability == 0
        assert all(p.probability is None and word in p.reason for p in rest)
    tiny = pattern_predictions([-0.01, 0.01], uniform(0.05), USUAL)[1]
    assert "small beside" in tiny.reason


def test_a_kernel_of_zero_is_dead_only_without_biases():
    law, pattern = uniform(1.0), [-1.0, 0.0, 1.0]
    with_zero = pattern_predictions(pattern, law, USUAL)[1]
    assert with_zero.probability == pattern_predictions([-1.0, 1.0], law, USUAL)[1].probability
    biased = pattern_predictions(pattern, law, Conditions(steps=13_000, bias_limit=1.0))[1]
    assert "kernel is 0" in biased.reason


def test_the_folk_bound_can_be_withheld():
    assert folk_training_fails(4).probability == 0.125
    assert folk_training_fails(4, ["no such thing"]).reason == "no such thing"
