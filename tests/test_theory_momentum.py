"""Momentum on |x|: the map of one unit, its curve, and how often random units live.

Statistical: 10,000 units per law and two root seeds. The law's r is accepted where it lies within
`SLACK` and sampling error of the share that lives on the map; rejected by mistake with probability
below 1e-6, and rejected with probability above 1 - 1e-6 if it is wrong by `SLACK` and 0.05 more.
The survival formula without momentum is the negative control on the same counts. All else is exact,
or holds to the error that the docstrings state.
"""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad, solve_ivp

from jaxlab.theory import momentum
from jaxlab.theory.absolute_value import fate, survival_probability
from jaxlab.theory.momentum import (
    outcome_under_adam,
    survives,
    threshold,
    threshold_in_the_limit,
    threshold_of_map,
)

UNITS = 10_000
SLACK = 0.02


def uniform(limit):
    return stats.uniform(-limit, 2 * limit)


def test_large_weights_live_by_the_rule_without_momentum():
    w, a = [0.5, -0.5, 0.5, -0.5, 0.5, 0.0], [-0.48, -0.48, -0.52, -0.52, 0.9, 0.4]
    assert survives(w, a, 0.001).tolist() == [True, True, False, False, True, False]


def test_fates_depend_on_weights_relative_to_the_learning_rate_and_not_on_the_side():
    w, a = np.random.default_rng(71).uniform(-5, 5, (2, 300))
    alive = survives(0.01 * w, 0.01 * a, 0.001)
    assert np.array_equal(alive, survives(0.32 * w, 0.32 * a, 0.032))
    assert np.array_equal(alive, survives(-0.01 * w, 0.01 * a, 0.001))
    assert np.array_equal(alive, survives(0.01 * w, 0.01 * a, 0.001, input_limit=1000.0))
    assert 0.6 < np.mean(alive) < 0.95


def test_more_steps_decide_no_more():
    w, a = np.random.default_rng(72).uniform(-5, 5, (2, 2_000))
    alone = survives(w, a, 0.1)
    # A large unit in the same call keeps all of them going for longer.
    with_large = survives(np.append(w, 15.0), np.append(a, 1.0), 0.1)
    assert np.array_equal(with_large[:-1], alone)


def test_without_hidden_biases_the_last_oscillation_would_revive():
    # Inputs so large that no bias matters; momentum of 0.9 leaves the kernel oscillating for long.
    assert not survives(0.01, -0.045, 0.001)
    revived = survives([0.01, 0.6], [-0.045, 0.0], 0.001, input_limit=1e30)
    assert revived[0]


@pytest.mark.parametrize(("b1", "error"), [(0.8, 0.45), (0.9, 0.25), (0.95, 0.25)])
def test_the_formula_is_as_close_to_the_map_as_it_says(b1, error):
    x = np.append(np.linspace(0.5, 1, 6), np.linspace(1.05, 9, 30))
    off = np.abs(threshold(x) - threshold_of_map(x, b1))
    assert np.max(off[x > 1]) < error
    assert np.max(off[x <= 1]) < 1.5
    assert np.max(off[x > 6]) < 0.05
    # Without momentum the line would be |a| = |w|.
    assert np.max(np.abs(x - threshold_of_map(x, b1))) > 2


def test_without_momentum_only_a_step_leaps_over_zero():
    few, many = threshold_of_map([0.3, 0.7], 0.0), threshold_of_map([2.55, 3.3, 6.4], 0.0)
    assert np.all((few > 3.5) & (few < 4.6))
    assert many == pytest.approx([2.55, 3.3, 6.4], abs=0.02)


def decided_in_the_limit(x, c):
    """Tell if a unit of kernel x and output weight -c lives in the limit's differential equation.

    State: w, a, lagged means of their forces, and the integrals of a^2 and w^2.
    """
    s, side = 1e-7, 1.0
    state = np.array([x - s, s - c, -c * s, x * s, c * c * s, x * x * s])

    def slope(s, y, side):
        fresh = -np.expm1(-s)
        w_rate = y[2] / fresh / np.sqrt(y[4] / s)
        a_rate = y[3] / fresh / np.sqrt(y[5] / s)
        return [w_rate, a_rate, side * y[1] - y[2], side * y[0] - y[3], y[1] ** 2, y[0] ** 2]

    def crosses(s, y, side):
        return side * y[0]

    def lives(s, y, side):
        return y[1]

    setattr(crosses, "terminal", True)  # noqa: B010
    setattr(crosses, "direction", -1)  # noqa: B010
    setattr(lives, "terminal", True)  # noqa: B010
    while s < 40:
        events = (crosses, lives)
        solved = solve_ivp(
            slope, (s, 40), state, "DOP853", events=events, args=(side,), rtol=1e-9, atol=1e-13
        )
        s, state = solved.t[-1], solved.y[:, -1]
        if len(solved.t_events[1]):
            return True
        side = -side
        state[0] = side * 1e-300  # past 0, so that this crossing is not met again
        speed = abs(state[2]) / np.sqrt(state[4] / s)
        if s > 4 and speed < 0.004:
            # The swings left are as speed^2/3 high and last for 3/2 together.
            return state[1] + speed**2 / 2 / np.sqrt(state[5] / s) > 0
    return False


@pytest.mark.parametrize(("x", "c"), [momentum.LIMIT[1], momentum.LIMIT[3], momentum.LIMIT[5]])
def test_the_limit_is_where_its_differential_equation_has_it(x, c):
    assert decided_in_the_limit(x, c - 0.002)
    assert not decided_in_the_limit(x, c + 0.002)


def test_small_steps_and_no_bias_approach_the_limit_and_its_formula_fits():
    x, c = np.array(momentum.LIMIT).T
    assert np.max(np.abs(threshold_in_the_limit(x) - c)) < 0.06
    assert np.max(np.abs(threshold(x) - c)) > 0.1
    fine = threshold_of_map(x[1:4], 0.98, 1 - 1e-7, input_limit=1e6)
    assert np.max(np.abs(fine - c[1:4])) < 0.05
    coarse = threshold_of_map(x[1:4], 0.8, input_limit=1e6)
    assert np.max(np.abs(coarse - c[1:4])) > 0.1


LAWS = [
    (uniform(4.0), uniform(4.0)),
    (stats.norm(0, 2), stats.norm(0, 3)),
    (uniform(5), uniform(3)),
]


@pytest.mark.parametrize("seed", [73, 74])
@pytest.mark.parametrize("number", range(len(LAWS)))
def test_units_live_as_often_as_the_momentum_law_says(number, seed):
    w_law, a_law = LAWS[number]
    generator = np.random.default_rng((seed, number))
    w, a = w_law.ppf(generator.random(UNITS)), a_law.ppf(generator.random(UNITS))
    lives = int(np.sum(survives(w, a, 0.1)))
    r = momentum.survival_with_momentum(w_law, a_law, 1.0)

    def rejected(r):
        nearest = np.clip(lives / UNITS, r - SLACK, r + SLACK)
        return stats.binomtest(lives, UNITS, float(np.clip(nearest, 0, 1))).pvalue < 1e-6

    assert not rejected(r)
    assert rejected(survival_probability(w_law, a_law))


@pytest.mark.parametrize("law", [uniform(0.5), uniform(4), uniform(7), stats.norm(0, 3)])
def test_survival_is_the_integral_of_the_curve_and_near_its_closed_form(law):
    def lives(q):
        return 0.5 + (law.cdf(threshold(abs(law.ppf(q)))) - 0.5)

    expected, _ = quad(lives, 0, 1, points=[0.5], limit=200)
    r = momentum.survival_with_momentum(law, law, 1.0)
    assert r == pytest.approx(expected, abs=1e-5)
    assert momentum.survival_in_closed_form(law, 1.0) == pytest.approx(r, abs=0.014)


def train(w, a, rate, steps):
    """Return names of networks after full batches of Adam on |x| with all biases."""
    x = np.concatenate([np.arange(-975, 0, 50), np.arange(25, 1000, 50)]).astype(float)
    parts = [w.copy(), np.zeros_like(w), a.copy(), np.zeros(w.shape[1])]
    means, squares = ([np.zeros_like(part) for part in parts] for _ in range(2))
    error = np.zeros((w.shape[1], len(x)))
    for step in range(1, steps + 1):
        w, b, a, c = parts
        hidden = np.maximum(w[..., None] * x + b[..., None], 0)
        error = np.sum(a[..., None] * hidden, axis=0) + c[:, None] - np.abs(x)
        back = (hidden > 0) * error
        gradients = [a * (back @ x), a * back.sum(-1), (hidden * error).sum(-1), error.sum(-1)]
        for part, mean, square, g in zip(parts, means, squares, gradients, strict=True):
            mean += 0.1 * (g - mean)
            square += 0.001 * (g * g - square)
            size = np.sqrt(square / (1 - 0.999**step)) + 1e-30
            part -= rate * mean / (1 - 0.9**step) / size
    off = np.abs(error) / np.abs(x).max()
    left, right = off[:, x < 0].max(axis=1) < 0.1, off[:, x > 0].max(axis=1) < 0.1
    return np.array(["dead", "left_only", "right_only", "solved"])[2 * right + left]


def test_networks_end_as_the_two_maps_say():
    w, a = np.random.default_rng(75).uniform(-1.8, 1.8, (2, 2, 1_500))
    solved = train(w, a, 0.003, 2_500) == "solved"
    missed = [
        np.sum((rule != "solved") == solved)
        for rule in (outcome_under_adam(w, a, 0.003), fate(w, a), fate(w, a / 1.05))
    ]
    assert missed[0] <= 4
    assert min(missed[1:]) > 10


def test_outcomes_of_given_networks():
    assert outcome_under_adam([1.0, -1.0], [0.5, 0.5], 0.001) == "solved"
    assert outcome_under_adam([1.0, -1.0], [-1.5, 0.5], 0.001) == "left_only"
    assert outcome_under_adam([1.0, 0.0], [-1.5, 0.5], 0.001) == "dead"
    # Small beside the learning rate: the second unit swings over to the right.
    assert outcome_under_adam([-0.0839, -0.0208], [0.2371, -0.0239], 0.001) == "solved"
    assert outcome_under_adam([-0.0839, -0.0208], [0.2371, -0.0239], 0.0001) == "left_only"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: survives(1.0, 1.0, 0.0), "learning_rate is 0.0; it must be a number above 0"),
        (lambda: survives(1.0, 1.0, 0.1, 1.0), r"b1 is 1.0; it must lie in \[0, 1\)"),
        (lambda: survives(1.0, 1.0, 0.1, 0.9, -1), "b2 is -1; it must lie"),
        (lambda: outcome_under_adam([[1.0]], [1.0], 0.1), "w and a have shapes"),
        (lambda: survives(np.nan, 1.0, 0.1), "w and a hold infinite or undefined values"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
