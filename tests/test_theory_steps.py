"""Exact: steps of Adam against Adam itself, limits against optimisers run on a quadratic.

Every limit is held against two runs, one per cent below it and above it; nothing is random but
the gradients that search for a larger step (two root seeds), which only could refute the bound.
"""

from itertools import product

import numpy as np
import pytest

from jaxlab.theory.negation import LARGEST_STEP
from jaxlab.theory.steps import (
    averaged_gradient_limit,
    exceeds_stated_bound,
    gradient_descent_limit,
    heavy_ball_limit,
    largest_step,
    nesterov_limit,
    stated_bound,
)

DECAYS = [(0.9, 0.999), (0.5, 0.9), (0.95, 0.99), (0.0, 0.9), (0.9, 0.9)]


def adam_steps(gradients, b1=0.9, b2=0.999):
    """Return the steps of Adam, in learning rates and with eps 0, along the first axis."""
    first = second = np.zeros(np.shape(gradients)[1:])
    steps = []
    for t, gradient in enumerate(gradients, 1):
        first = b1 * first + (1 - b1) * gradient
        second = b2 * second + (1 - b2) * gradient**2
        steps.append(first / (1 - b1**t) / np.sqrt(second / (1 - b2**t)))
    return np.array(steps)


@pytest.mark.parametrize(("b1", "b2"), DECAYS[:3])
def test_the_largest_step_is_reached(b1, b2):
    time = np.arange(1, 501)
    steps = adam_steps((b2 / b1) ** time, b1, b2)
    assert steps == pytest.approx(largest_step(time, b1, b2), rel=1e-9)
    # The negative control: other growths reach less.
    for other in (0.97, 1.03):
        less = adam_steps((1 + (b2 / b1 - 1) * other) ** time, b1, b2)
        assert np.all(less[20:] < (1 - 1e-6) * largest_step(time, b1, b2)[20:])


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("b1", "b2"), DECAYS)
def test_no_gradients_step_further(b1, b2, seed):
    generator = np.random.default_rng(seed)
    time = np.arange(1, 301)[:, None]
    growth = np.exp(generator.uniform(-0.2, 0.3, 2000))
    noise = generator.standard_cauchy((time.size, growth.size)) ** generator.integers(1, 3, 2000)
    steps = np.abs(adam_steps(growth**time * noise, b1, b2))
    assert np.all(steps <= largest_step(time, b1, b2) * (1 + 1e-9))


@pytest.mark.parametrize(("b1", "b2"), DECAYS)
def test_the_largest_step_only_grows_up_to_its_limit(b1, b2):
    sizes = largest_step(np.arange(1, 30_000), b1, b2)
    assert np.all(np.diff(sizes) >= -1e-12)
    assert sizes[0] == pytest.approx(1)
    assert sizes[-1] == pytest.approx(float(largest_step(np.inf, b1, b2)))


def test_the_limit_is_the_one_that_negation_uses():
    assert 0 <= LARGEST_STEP - float(largest_step(np.inf)) < 1e-4


def test_kingma_and_ba_state_less_than_adam_can_do():
    assert stated_bound() == pytest.approx(10**0.5)
    assert exceeds_stated_bound() == 210
    steps = adam_steps((0.999 / 0.9) ** np.arange(1, 1201))
    assert np.flatnonzero(steps > stated_bound())[0] + 1 == 210
    assert exceeds_stated_bound(0.9, 0.99) == 2  # their second case, which states 1
    assert exceeds_stated_bound(0.9, 0.9) is None
    assert exceeds_stated_bound(0.0, 0.999) is None
    # What they had in mind, one gradient after very many that are 0, does obey it.
    alone = adam_steps(np.append(np.full(9000, 1e-100), 1.0))
    assert alone[-1] == pytest.approx(stated_bound(), rel=2e-3)


def gradient_descent(x, gradient, rate):
    while True:
        x = x - rate * gradient(x)
        yield x


def heavy_ball(x, gradient, rate, decay):
    velocity = 0 * x
    while True:
        velocity = decay * velocity - rate * gradient(x)
        x = x + velocity
        yield x


def nesterov(x, gradient, rate, decay):
    velocity = 0 * x
    while True:
        velocity = decay * velocity - rate * gradient(x + decay * velocity)
        x = x + velocity
        yield x


def averaged(x, gradient, rate, b1):
    average, t = 0 * x, 0
    while True:
        t += 1
        average = b1 * average + (1 - b1) * gradient(x)
        x = x - rate * average / (1 - b1**t)
        yield x


def fate(path):
    """Return what becomes of a path; on the way it may grow much, by Adam's correction at first."""
    for _, x in zip(range(20_000), path, strict=False):
        size = np.max(np.abs(x))
        if not 1e-9 < size < 1e60:
            return "converges" if size < 1 else "diverges"
    return "neither"


OPTIMISERS = [
    (gradient_descent, gradient_descent_limit, ()),
    *[
        (run, limit, (decay,))
        for (run, limit), decay in product(
            [
                (heavy_ball, heavy_ball_limit),
                (nesterov, nesterov_limit),
                (averaged, averaged_gradient_limit),
            ],
            [0.0, 0.5, 0.9],
        )
    ],
]


@pytest.mark.parametrize("curvature", [0.2, 30.0])
@pytest.mark.parametrize(("optimiser", "limit", "decay"), OPTIMISERS)
def test_an_optimiser_converges_below_its_limit_and_diverges_above(
    optimiser, limit, decay, curvature
):
    curvatures = curvature * np.array([1.0, 0.5, 0.1])
    fates = []
    for share in (0.99, 1.01):
        rate = share * limit(curvature, *decay)
        path = optimiser(np.array([1.0, -2.0, 3.0]), lambda x: curvatures * x, rate, *decay)
        fates.append(fate(path))
    assert fates == ["converges", "diverges"]


def test_all_limits_agree_without_momentum_and_a_common_one_would_not_do():
    limits = [heavy_ball_limit, nesterov_limit, averaged_gradient_limit]
    assert [limit(4.0, 0.0) for limit in limits] == [gradient_descent_limit(4.0)] * 3
    assert len({limit(4.0, 0.9) for limit in limits}) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: largest_step(0), "steps are 0; each must be at least 1"),
        (lambda: largest_step(1, 0.9, 0.8), "b1 and b2 are 0.9 and 0.8"),
        (lambda: stated_bound(1.0), "b1 and b2 are 1.0"),
        (lambda: gradient_descent_limit(0.0), "curvature is 0.0; it must be a number above 0"),
        (lambda: heavy_ball_limit(1.0, 1.0), r"decay is 1.0; it must lie in \[0, 1\)"),
        (lambda: averaged_gradient_limit(1.0, -0.1), "b1 is -0.1"),
    ],
)
def test_impossible_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
