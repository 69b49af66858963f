"""Plateaus against direct minimisation and evaluation on rows: rounding of one tolerance, 1e-9."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize

from jaxlab.theory import plateaus
from jaxlab.theory.absolute_value_predictions import pattern_predictions
from jaxlab.theory.decoupling import Conditions
from jaxlab.theory.laws import PointMass

CLOSE = 1e-9
ROWS = np.linspace(-1000, 1000, 400)
MEAN, SQUARE = plateaus.moments(1000, 400)


@pytest.mark.parametrize(("limit", "rows"), [(1000, 400), (1.0, 401), (3.0, 2), (0.5, 3)])
def test_moments_of_rows(limit, rows):
    x = np.linspace(-limit, limit, rows)
    expected = np.mean(np.abs(x)), np.mean(x**2)
    assert plateaus.moments(limit, rows) == pytest.approx(expected, rel=CLOSE)


@pytest.mark.parametrize("bias", [0.0, 1.0, 13.0, 40.0])
def test_fitting_one_side_leaves_the_other_whatever_the_bias(bias):
    def loss(unit):
        slope, kink = unit
        output = bias + slope * np.maximum(ROWS - kink, 0)
        return np.mean((output - np.abs(ROWS)) ** 2)

    found = minimize(loss, [0.9, 0.5 * bias], method="Nelder-Mead", options={"fatol": 1e-10})
    said = plateaus.one_side_fitted(MEAN, SQUARE, bias)
    # The stretch from 0 to the bias, as coarse as the rows are.
    assert said - 1e-6 <= found.fun <= said + (bias + 5) ** 3 / 6000
    assert plateaus.no_side_fitted(MEAN, SQUARE, bias) == pytest.approx(
        np.mean((bias - np.abs(ROWS)) ** 2), rel=CLOSE
    )


def test_plateaus_of_the_posted_program():
    assert plateaus.one_side_fitted(MEAN, SQUARE) == pytest.approx(167_502.09, abs=0.01)
    assert plateaus.no_side_fitted(MEAN, SQUARE) == pytest.approx(335_004.18, abs=0.01)
    c = 13.0
    one = 167_502.09 - 501.2531 * c + c**2 / 2
    assert plateaus.one_side_fitted(MEAN, SQUARE, c) == pytest.approx(one, abs=0.01)


@pytest.mark.parametrize("slope", [0.0, 0.001, 0.1, 0.3, 1.0])
def test_leaky_units_of_one_sign_come_to_rest_on_their_plateau(slope):
    generator = np.random.default_rng(61)
    # With every |a| below its w no kernel can change its sign.
    w, a = generator.uniform(1, 1.5, 3), generator.uniform(0.1, 0.5, 3)
    for _ in range(20_000):
        q = np.sum(w * a)
        force = (1 - q) - slope * (1 + slope * q)
        w, a = w + 0.01 * force * a, a + 0.01 * force * w
    x = ROWS / 1000
    output = np.sum(a[:, None] * np.where(x > 0, 1, slope) * w[:, None] * x, axis=0)
    found = np.mean((output - np.abs(x)) ** 2)
    said = plateaus.tied_slopes(SQUARE / 1e6, slope)
    assert found == pytest.approx(said, rel=1e-6)
    assert np.sum(w * a) == pytest.approx((1 - slope) / (1 + slope**2), abs=1e-6)
    assert np.all(w > 0)


def test_leaking_costs_more_the_more_it_leaks():
    losses = [plateaus.tied_slopes(SQUARE, s) for s in (0, 0.1, 0.3, 1)]
    assert losses[0] == plateaus.one_side_fitted(MEAN, SQUARE)
    assert losses[-1] == plateaus.no_side_fitted(MEAN, SQUARE)
    assert losses == sorted(losses)


def test_one_kink_and_none_against_least_squares_over_all_kinks():
    x = (np.arange(4000) + 0.5) / 2000 - 1
    target = np.abs(x)
    square = float(np.mean(x**2))

    def loss(*columns):
        parts = np.stack([np.ones_like(x), *columns], axis=1)
        return np.mean((parts @ np.linalg.lstsq(parts, target, rcond=None)[0] - target) ** 2)

    kinks = np.linspace(-0.99, 0.99, 199)
    best = min(loss(np.maximum(x - kink, 0)) for kink in kinks)
    exactly = loss(np.maximum(x - (2**0.5 - 1), 0))
    assert exactly == pytest.approx(plateaus.one_kink(square), rel=1e-5)
    assert exactly <= best <= exactly * 1.001
    assert loss() == pytest.approx(plateaus.constant(square), rel=1e-5)
    assert loss(x) == pytest.approx(plateaus.constant(square), rel=1e-5)


def learn(kernel, contraction, steps=100):
    """Return kernels of relu(w x) after gradient descent on relu(x)."""
    x = ROWS / 1000
    rate = contraction / (2 * np.mean(x**2 * (x > 0)))
    w = np.array(kernel)
    for _ in range(steps):
        active = w[:, None] * x > 0
        error = active * w[:, None] * x - np.maximum(x, 0)
        w = w - rate * 2 * np.mean(error * active * x, axis=1)
    return w


@pytest.mark.parametrize("contraction", [0.1, 0.5, 0.9, 1.1, 1.5, 1.8])
def test_a_lone_unit_under_gradient_descent(contraction):
    kernel = np.random.default_rng(62).normal(0, 1, 1000)
    fails = np.abs(learn(kernel, contraction) - 1) > 0.01
    square = float(np.mean((ROWS / 1000) ** 2)) / 2
    rate = contraction / (2 * square)
    for value in (-0.7, 0.7):
        (failed,) = np.abs(learn([value], contraction) - 1) > 0.01
        assert plateaus.lone_unit_fails(PointMass(value), rate, square) == failed
    assert np.array_equal(fails, kernel <= 0) == (contraction < 1)
    assert np.any(fails) == (contraction < 1)
    said = plateaus.lone_unit_fails(stats.norm(0.5, 1), rate, square)
    assert said == (stats.norm.cdf(-0.5) if contraction < 1 else 0)


def test_given_kernels_of_both_signs_fail_as_often_as_two_lone_units_do():
    law = stats.uniform(-(2**0.5), 2 * 2**0.5)
    fails = pattern_predictions([-1.0, 1.0], law, Conditions(steps=13_000))[1]
    assert fails.probability == pytest.approx(1 - 0.7285534, abs=1e-7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plateaus.moments(0, 400), "limit is 0; it must be a number above 0"),
        (lambda: plateaus.moments(1, 1), "rows is 1; it must be a whole number, at least 2"),
        (lambda: plateaus.one_side_fitted(1.0, -1.0), "square is -1.0; it must be a number above"),
        (lambda: plateaus.tied_slopes(1.0, 1.5), r"slope is 1.5; it must lie in \[0, 1\]"),
        (lambda: plateaus.lone_unit_fails(PointMass(1.0), 2.0, 1.0), "it must be below 1, from"),
        (lambda: plateaus.lone_unit_fails(PointMass(1.0), np.nan, 1.0), "learning_rate is nan"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
