"""Predictions of the momentum law: what is said, how closely, and what is withheld.

Exact tests, and one of accuracy: the tolerance is held against the map on a grid of quantiles.
"""

import numpy as np
import pytest
from scipy import stats

from jaxlab.theory import momentum
from jaxlab.theory.absolute_value import training_fails
from jaxlab.theory.decoupling import Conditions
from jaxlab.theory.laws import PointMass
from jaxlab.theory.momentum import survives
from jaxlab.theory.momentum_predictions import predictions, spread
from jaxlab.theory.prediction import Prediction

USUAL = Conditions(steps=13_000)


def uniform(limit):
    return stats.uniform(-limit, 2 * limit)


def value(prediction: Prediction) -> float:
    assert prediction.probability is not None
    return prediction.probability


@pytest.mark.parametrize("k", [2, 8])
@pytest.mark.parametrize("scale", [1.0, 2.0, 3.0, 4.0, 8.0])
def test_the_tolerance_covers_what_separates_law_and_map(scale, k):
    quantiles = (np.arange(100) + 0.5) / 100
    for w_law, a_law in [(uniform(scale),) * 2, (stats.norm(0, scale), stats.norm(0, 2 * scale))]:
        w, a = np.meshgrid(w_law.ppf(quantiles), a_law.ppf(quantiles))
        said = training_fails(k, momentum.survival_with_momentum(w_law, a_law, 1.0))
        on_map = training_fails(k, float(np.mean(survives(w, a, 0.1))))
        assert abs(said - on_map) <= 0.015 + spread(k, w_law, a_law, 1.0)


def test_between_the_folk_formula_and_the_survival_formula():
    scales = np.geomspace(0.002, 1.2, 12)
    said = [value(predictions(2, uniform(s), uniform(s), USUAL)[0]) for s in scales]
    assert said == sorted(said)
    assert said[0] == 0.5
    assert said[-1] == pytest.approx(0.71875, abs=0.0005)
    assert value(predictions(4, stats.norm(0, 0.003), stats.norm(0, 0.003), USUAL)[0]) == (
        pytest.approx(0.125, abs=1e-4)
    )


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"optimiser": "sgd"}, "sgd"),
        ({"activation": "leaky_relu"}, "leaky_relu"),
        ({"bias_limit": 0.1}, "initial biases reach 0.1"),
        ({"input_limit": 200.0}, "below 300"),
        ({"steps": 1_300}, "too short"),
        ({"learning_rate": 0.02}, "learn their sides"),
        ({"first_moment_decay": 0.0}, "b1 is 0"),
        ({"first_moment_decay": 0.99}, "b1 is 0.99"),
    ],
)
def test_outside_its_conditions_the_law_is_withheld(change, word):
    conditions = Conditions(**({"steps": 13_000} | change))
    (said,) = predictions(2, uniform(0.05), uniform(0.05), conditions)
    assert said.probability is None
    assert word in said.reason


@pytest.mark.parametrize(
    ("w_law", "a_law", "word"),
    [
        (stats.uniform(0, 1), uniform(1), "kernels is not symmetric"),
        (uniform(1), stats.uniform(0, 1), "output weights is not symmetric"),
        (PointMass(1.0), uniform(1), "fixed values"),
        (None, uniform(1), "independent"),
        (uniform(4), uniform(4), "change sides"),
    ],
)
def test_laws_the_momentum_law_cannot_take(w_law, a_law, word):
    (said,) = predictions(2, w_law, a_law, USUAL)
    assert said.probability is None
    assert word in said.reason
