"""Scores of simple functions against brute force over all rows. Exact and rounding; nothing random.

Rounding: relative 1e-9 in float64, of the zero function's score.
"""

from fractions import Fraction
from itertools import product
from math import prod

import numpy as np
import pytest

from jaxlab.theory import baselines
from jaxlab.theory.baselines import Scores, constant_loss, doubling_constant, scores


def pairs(m):
    return np.array(list(product(range(m), repeat=2)))


def same(exact, brute):
    for field in ("zero", "mean", "linear", "affine"):
        closed = float(getattr(exact, field))
        assert getattr(brute, field) == pytest.approx(closed, abs=1e-9 * brute.zero), field


@pytest.mark.parametrize("m", [2, 3, 10, 100])
def test_pairs_of_integers(m):
    x = pairs(m)
    same(baselines.sums(m), scores(x, x.sum(axis=1)))
    same(baselines.products(m), scores(x, x.prod(axis=1)))


@pytest.mark.parametrize("m", [1, 2, 5])
@pytest.mark.parametrize(
    ("closed", "function"), [(baselines.sums, sum), (baselines.products, prod)]
)
def test_moments_of_pairs_as_fractions(closed, function, m):
    values = [Fraction(function(pair)) for pair in product(range(m), repeat=2)]
    mean = sum(values) / len(values)
    assert closed(m).zero == sum(v**2 for v in values) / len(values)
    assert closed(m).mean == sum((v - mean) ** 2 for v in values) / len(values)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 1000])
def test_squares(n):
    x = np.arange(1.0, n + 1)
    same(baselines.squares(n), scores(x[:, None], x**2))


@pytest.mark.parametrize("n", [2, 3, 10, 40])
def test_the_best_line_for_squares_as_fractions(n):
    slope, intercept = baselines.squares_line(n)
    left = [Fraction(x**2) - slope * x - intercept for x in range(1, n + 1)]
    assert sum(left) == 0 == sum(e * x for x, e in enumerate(left, 1))
    assert sum(e**2 for e in left) / n == baselines.squares(n).affine
    # The negative control: any other line is worse.
    assert sum((e - Fraction(1, 100)) ** 2 for e in left) / n > baselines.squares(n).affine


def test_the_thread_s_numbers():
    assert float(baselines.products(500).mean) == pytest.approx(3.02777e9, rel=1e-5)
    assert float(baselines.products(500).zero) == pytest.approx(6.90287e9, rel=1e-5)
    assert baselines.products(500).zero == Fraction(499 * 999, 6) ** 2
    assert float(baselines.squares(1000).affine) ** 0.5 == pytest.approx(74_535.41, abs=0.005)


@pytest.mark.parametrize("c", [0, 1, -3, 2.5, Fraction(1, 3)])
@pytest.mark.parametrize("n", [1, 2, 9, 50])
def test_constants_for_doubling(c, n):
    brute = sum((Fraction(2 * x) - Fraction(c)) ** 2 for x in range(1, n + 1)) / n
    assert doubling_constant(c, n) == brute
    targets = 2.0 * np.arange(1, n + 1)
    assert constant_loss(float(c), targets) == pytest.approx(float(brute), rel=1e-12)


def test_scores_are_ordered_and_survive_awkward_data():
    x = np.array([[1e-6, 1e6, 5.0], [2e-6, 2e6, 5.0], [4e-6, 4e6, 5.0], [3e-6, 3e6, 5.0]])
    y = np.array([1.0, 4.0, 16.0, 9.0])  # the columns are copies of another, or constant
    found = scores(x, y)
    assert found.affine <= found.mean <= found.zero
    assert found.affine == pytest.approx(float(baselines.squares(4).affine))
    assert found.linear == pytest.approx(found.affine)  # the constant column is an intercept
    same(Scores(zero=0.0, mean=0.0, linear=0.0, affine=0.0), scores(np.zeros((3, 2)), np.zeros(3)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scores([1.0, 2.0], [1.0, 2.0]), r"shapes \(2,\) and \(2,\)"),
        (lambda: scores(np.ones((2, 1)), [1.0]), "inputs and targets"),
        (lambda: scores(np.ones((0, 1)), np.ones(0)), "at least one row"),
        (lambda: baselines.squares(0), "rows is 0"),
        (lambda: baselines.squares_line(1), "rows is 1; it must be a whole number, at least 2"),
        (lambda: baselines.products(-1), "m is -1"),
        (lambda: doubling_constant(1, 0), "rows is 0"),
    ],
)
def test_impossible_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
