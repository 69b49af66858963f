"""y = 2x with a ReLU output: signs (exact), the balanced map (rounding), networks (statistical).

Networks: 4,000 per case (2,000 at small steps) and two root seeds. A count within the stated
tolerance is refused with probability below 2e-6 (exact binomial); one that is 0.08 (0.11) beyond
the tolerance is refused with probability above 1 - 1e-6. Each has a negative control.
"""

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from jaxlab.theory.doubling import (
    DEATH,
    STABLE,
    TOLERANCE,
    above_target,
    balanced_step,
    born_dead,
    fate_of_map,
    kappa,
    predictions,
    stability_limit,
)
from jaxlab.theory.doubling_fate import fate
from jaxlab.theory.laws import PointMass

MEMBERS = 4_000
FALSE_FAIL = 1e-6
STARTS = np.random.default_rng(0).uniform(0.01, 2, 500)


def uniform(limit):
    return stats.uniform(-limit, 2 * limit)


def truncated(scale):
    return stats.truncnorm(-2, 2, scale=scale / 0.8796)


def glorot(h) -> dict[str, Any]:
    limit = (6 / (h + 1)) ** 0.5
    return {name: stats.uniform(-limit, 2 * limit) for name in ("w_law", "a_law")}


def train(h, x, rate, steps, seed, biases=True, members=MEMBERS):
    """Return (dead after every step, failed) of 1-h-1 networks under full-batch descent."""
    generator = np.random.default_rng(seed)
    w, a = (law.ppf(generator.random((h, members))) for law in glorot(h).values())
    b, c = np.zeros((h, members)), np.zeros(members)
    x, dead, output = x[:, None, None], [], np.zeros((len(x), members))
    for _ in range(steps + 1):
        hidden = np.maximum(w * x + b, 0)
        output = np.maximum(np.sum(a * hidden, axis=1) + c, 0)
        dead.append(~(output > 0).any(axis=0))
        miss = 2 * (output - 2 * x[:, 0]) * (output > 0) / len(x)
        signal = miss[:, None] * (hidden > 0) * a
        a = a - rate * np.sum(miss[:, None] * hidden, axis=0)
        w = w - rate * np.sum(signal * x, axis=0)
        if biases:
            b, c = b - rate * np.sum(signal, axis=0), c - rate * np.sum(miss, axis=0)
    error = np.mean((output - 2 * x[:, 0]) ** 2, axis=0) / np.mean(4 * x**2)
    return np.array(dead), ~(error <= 0.1**2)


def agrees(events, p, tolerance):
    """Tell whether the share of true events may be within the tolerance of p."""
    count, n = int(np.sum(events)), len(events)
    low, high = max(0.0, p - tolerance), min(1.0, p + tolerance)
    return (
        stats.binom.sf(count - 1, n, high) > FALSE_FAIL
        and stats.binom.cdf(count, n, low) > FALSE_FAIL
    )


@pytest.mark.parametrize("units", [1, 2, 3, 5])
def test_born_dead_by_counting_signs(units):
    # Given which kernels are positive, the sign of s is a fair coin unless none is.
    dead = [Fraction(1, 2) if any(signs) else 1 for signs in product((0, 1), repeat=units)]
    assert born_dead(units) == sum(dead, Fraction(0)) / 2**units


def test_a_step_of_the_map_is_a_step_of_a_balanced_network():
    x = np.array([0.5, 1.0, 3.0])
    rate, size = 0.01, kappa(0.01, float(np.mean(x**2)))
    a = w = np.array([0.3, 0.8, 0.1])
    s = a @ w
    miss = 2 * np.mean((s - 2) * x * x)
    a, w = a - rate * miss * w, w - rate * miss * a
    assert a @ w == pytest.approx(balanced_step(s, size))


@pytest.mark.parametrize(
    ("value", "fate"),
    [
        (0.05, "solved"),
        (0.25, "solved"),
        (STABLE - 0.01, "solved"),
        (STABLE + 0.01, "oscillates"),
        (0.7, "oscillates"),
        (DEATH - 1e-4, "oscillates"),
        (DEATH + 1e-3, "dead"),
        (1.5, "dead"),
    ],
)
def test_the_map_changes_its_fate_at_both_thresholds(value, fate):
    assert set(fate_of_map(STARTS, value, 4_000)) == {fate}


def test_the_edge_of_death_is_where_the_map_s_maximum_meets_it():
    s = np.linspace(0, 2 + 1 / DEATH, 1_000_001)
    assert np.max(balanced_step(s, DEATH)) == pytest.approx(2 + 1 / DEATH, rel=1e-9)
    slope = (balanced_step(2 + 1e-6, STABLE) - balanced_step(2 - 1e-6, STABLE)) / 2e-6
    assert slope == pytest.approx(-1, abs=1e-6)


def test_the_map_s_other_fates():
    assert fate_of_map([-0.1, 0.0, 5.0, 1e-9], 0.4, 3).tolist() == ["dead"] * 3 + ["unfinished"]
    assert fate_of_map(2.0, 0.6, 0).item() == "oscillates"  # no step, nothing seen


@pytest.mark.parametrize("high", [1.0, 7.0])
def test_the_stability_limit_is_that_of_the_gradients_outer_product(high):
    x = np.linspace(high / 7, high, 7)
    w = a = np.full(4, 2**0.5 / 2)
    row = np.stack([np.r_[w * value, a * value, a, 1.0] for value in x])
    for columns, mean in ((slice(8), None), (slice(None), float(x.mean()))):
        curvature = 2 * np.linalg.eigvalsh(row[:, columns].T @ row[:, columns] / len(x)).max()
        limit = stability_limit(float(np.mean(x**2)), mean)
        assert limit == pytest.approx(2 / curvature)
    assert kappa(stability_limit(3.0), 3.0) == STABLE


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("units", [1, 2, 12])
def test_large_steps_kill_in_two(units, seed):
    x = np.linspace(0.05, 1, 20)
    size = 300.0
    dead, failed = train(units, x, size / (2 * np.mean(x**2)), 4, seed)
    said = predictions(units, size, **glorot(units), steps=4)
    for events, prediction in zip((dead[0], dead[1], dead[2], failed, failed), said, strict=True):
        assert prediction.probability is not None
        slack = 1 if "bound" in prediction.kind else prediction.tolerance or 0.0
        assert agrees(events, prediction.probability, slack), prediction.event
    assert not agrees(dead[0], float(born_dead(units)) + 0.08, 0)
    assert not agrees(dead[2], float(born_dead(units)), TOLERANCE)


SMALL = [
    (np.arange(1.0, 8.0), 0.01, True),  # kappa 0.40, limit with biases 0.485
    (np.linspace(0.05, 1, 20), 0.18, True),  # kappa 0.13, limit with biases 0.166
    (np.linspace(0.05, 1, 20), 0.62, False),  # kappa 0.445, limit without 0.5
]


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("units", [1, 2, 12])
@pytest.mark.parametrize(("x", "rate", "biases"), SMALL)
def test_small_steps_leave_the_born_dead_and_solve_the_rest(x, rate, biases, units, seed):
    size, moments = kappa(rate, float(np.mean(x**2))), (float(np.mean(x**2)), float(x.mean()))
    _, failed = train(units, x, rate, 100, seed, biases, members=MEMBERS // 2)
    laws = glorot(units)
    said = predictions(units, size, **laws, steps=100, moments=moments if biases else None)[-1]
    p = float(born_dead(units))
    assert said.probability == p
    assert agrees(failed, p, TOLERANCE)
    assert not agrees(failed, p + 0.15, TOLERANCE)


@pytest.mark.parametrize("units", [1, 12])
def test_from_kappa_one_on_everything_fails(units):
    x = np.linspace(0.05, 1, 20)
    for size, biases in product((1.0, 3.0), (True, False)):
        _, failed = train(units, x, size / (2 * np.mean(x**2)), 100, 5, biases, members=1_000)
        said = predictions(units, size, **glorot(units), steps=100)[-1]
        assert said.probability == 1
        assert agrees(failed, 1.0, TOLERANCE)


@pytest.mark.parametrize(("w_limit", "a_limit"), [(3**0.5, 3**0.5), (6**0.5, 6**0.5), (3, 0.7)])
def test_above_target_is_exact_for_one_uniform_unit(w_limit, a_limit):
    # P(w > 0, a > 0) = 1/4; for two uniform numbers in [0, 1] P(u v > q) = 1 - q + q log q.
    q = 2 / (w_limit * a_limit)
    found = above_target(1, uniform(w_limit), uniform(a_limit))
    assert found == pytest.approx((1 - q + q * np.log(q)) / 4, abs=3e-6)


@pytest.mark.parametrize(
    ("units", "law", "sampled"),
    [  # of 10^7 draws each, whose standard error is at most 9e-5
        *((k, "glorot", p) for k, p in ((2, 0.004492), (3, 0.002464), (4, 0.001030))),
        *((k, "glorot", p) for k, p in ((6, 0.000198), (8, 0.000036))),
        *((k, "he", p) for k, p in ((1, 0.075222), (2, 0.082604), (3, 0.080994))),
        *((k, "he", p) for k, p in ((4, 0.078489), (6, 0.076380), (8, 0.076254))),
        *((k, "lecun", p) for k, p in ((1, 0.017004), (2, 0.012869), (3, 0.010047))),
    ],
)
def test_above_target_agrees_with_ten_million_draws(units, law, sampled):
    laws = {
        "glorot": (uniform((6 / (units + 1)) ** 0.5),) * 2,
        "he": (uniform(6**0.5), uniform((6 / units) ** 0.5)),
        "lecun": (truncated(1.0), truncated(units**-0.5)),
    }
    slack = 4 * (sampled / 1e7) ** 0.5
    assert slack < 4e-4
    assert above_target(units, *laws[law]) == pytest.approx(sampled, abs=slack)


@pytest.mark.parametrize(
    ("size", "change", "word"),
    [
        (0.46, {}, "oscillate"),
        (0.9, {}, "oscillate"),
        (0.4, {"steps": 10}, "too short"),
        (0.4, {"moments": (0.35, 0.52)}, "0.15"),
        (0.4, {"w_law": None}, "kernels are not independent"),
        (0.4, {"a_law": PointMass(1.0)}, "output weights is not"),
        (0.4, {"linear_output": True}, "linear"),
    ],
)
def test_what_cannot_be_said_is_withheld_with_its_reason(size, change, word):
    said = predictions(2, size, **{**glorot(2), "steps": 100, **change})
    assert said[-1].probability is None
    assert word in said[-1].reason
    assert all(p.probability is None for p in said[1:3])


def test_a_linear_output_leaves_only_networks_without_active_units():
    said = predictions(3, 0.1, **glorot(3), steps=100, linear_output=True)
    assert (said[0].event, said[0].probability) == ("born_dead", 0.125)
    assert (said[3].kind, said[3].probability) == ("lower bound", 0.125)


def test_impossible_numbers_are_refused():
    with pytest.raises(ValueError, match="units is 0"):
        born_dead(0)
    with pytest.raises(ValueError, match="kappa is 0"):
        predictions(2, 0, **glorot(2), steps=1)


@pytest.mark.parametrize("size", [0.1, 0.4, 0.65, 0.9, 2_400.0])
@pytest.mark.parametrize("steps", [1, 2, 60])
def test_fates_are_what_networks_without_biases_meet(size, steps):
    units, x = 4, np.linspace(0.05, 1, 20)
    generator = np.random.default_rng(8)
    w, a = (law.ppf(generator.random((units, MEMBERS))) for law in glorot(units).values())
    rate = size / (2 * np.mean(x**2))
    dead, failed = train(units, x, rate, steps, 8, biases=False)
    expected = fate(w, a, size, steps)
    assert np.mean((expected == "dead") == dead[-1]) > 0.999  # of chaos rounding may decide
    assert np.mean((expected == "solved") == ~failed) > 0.999
    assert np.array_equal(fate(w[:, :3], a[:, :3], size, steps), expected[:3])


def test_a_balanced_network_has_the_fate_of_the_balanced_map():
    s = np.linspace(-1, 6, 71)
    root = np.sqrt(np.abs(s))
    for size in (0.1, 0.3, 0.45):
        expected = fate([root], [np.sign(s) * root], size, 400)
        assert np.array_equal(expected, fate_of_map(s, size, 400))
    assert fate([1.0], [1.0], 0.001, 100).item() == "unfinished"
    assert fate([1.0], [1.0], 1e-6, 100).item() == "unfinished"  # by little, and steadily
    assert fate([1.0], [1.0], 1e-9, 100).item() == "other"
    assert fate([0.1], [1.0], 1e-3, 10).item() == "constant"


def test_impossible_fates_are_refused():
    with pytest.raises(ValueError, match="same"):
        fate([1.0], [1.0, 2.0], 0.1, 1)
    with pytest.raises(ValueError, match="kappa and steps"):
        fate([1.0], [1.0], 0.0, 1)
