"""Fate and crossing against whole networks trained by finely stepped gradient flow.

Kind: rounding (the steps are small, not infinitesimal) over random networks: at most one member
in a thousand may differ. 2,000 networks per law and two root seeds; the negative controls, fate
without crossing where weights are large and two wrong fate rules, must differ in many more.
"""

import numpy as np
import pytest
from scipy import stats

from jaxlab.theory.absolute_value import fate
from jaxlab.theory.crossing import crosses, crossing_probability

MEMBERS = 2_000


def uniform(limit):
    return stats.uniform(-limit, 2 * limit)


def truncated(scale):
    return stats.truncnorm(-2, 2, scale=scale / 0.8796)


LAWS = {
    "glorot_uniform": lambda k: (uniform((6 / (k + 1)) ** 0.5),) * 2,
    "he_uniform": lambda k: (uniform(6**0.5), uniform((6 / k) ** 0.5)),
    "he_normal": lambda k: (truncated(2**0.5), truncated((2 / k) ** 0.5)),
    "pytorch": lambda k: (uniform(1), uniform(k**-0.5)),
    "large": lambda k: (uniform(4), uniform(4)),
}


def draw(name, k, members, seed):
    generator = np.random.default_rng(seed)
    return [law.ppf(generator.random((k, members))) for law in LAWS[name](k)]


def train(w, a, time=20.0):
    """Return the outcome of every bias-free 1-k-1 network under gradient descent on |x|."""
    w, a = w.copy(), a.copy()
    # Stability asks for steps small beside the largest curvature, about w^2 + a^2.
    step = 0.02 / max(4.0, float(np.max(np.sum(w**2 + a**2, axis=0))) / 2)
    x = np.array([-1.0, 1.0]).reshape(2, 1, 1)
    for _ in range(int(time / step)):
        hidden = np.maximum(w * x, 0)
        residual = np.abs(x[:, 0]) - np.sum(a * hidden, axis=1)
        # The mean over the two inputs, times 2, so that each side has unit curvature.
        w_force = np.sum(residual[:, None] * (hidden > 0) * x, axis=0) * a
        a_force = np.sum(residual[:, None] * hidden, axis=0)
        w, a = w + step * w_force, a + step * a_force
    left, right = np.abs(np.abs(x[:, 0]) - np.sum(a * np.maximum(w * x, 0), axis=1)) < 0.05
    return np.array(["dead", "left_only", "right_only", "solved"])[2 * right + left]


def expected(w, a):
    return np.where(crosses(w, a), "solved", fate(w, a))


@pytest.mark.parametrize("seed", [41, 42])
@pytest.mark.parametrize(
    ("name", "k"),
    [("glorot_uniform", 2), ("he_uniform", 2), ("pytorch", 2), ("glorot_uniform", 3)],
)
def test_trained_networks_meet_their_fate(name, k, seed):
    w, a = draw(name, k, MEMBERS, seed)
    outcomes = train(w, a)
    assert np.mean(outcomes != expected(w, a)) <= 0.001
    only_positive = fate(w, np.where(a > 0, 1, -np.inf))
    generous = fate(w, a / 1.2)
    for wrong in (only_positive, generous):
        assert np.mean(outcomes != wrong) > 0.02


def test_large_weights_cross_and_only_for_the_better():
    w, a = draw("large", 2, 1_000, 43)
    outcomes, fates = train(w, a), fate(w, a)
    healed = (outcomes == "solved") & (fates != "solved")
    assert np.mean(outcomes != expected(w, a)) <= 0.001
    assert np.mean(healed) > 0.02
    assert np.mean((outcomes != fates) & ~healed) <= 0.001


@pytest.mark.parametrize(
    ("units", "crossed"),
    [
        ([(3.0, 3.0), (0.1, 2.0)], True),
        ([(3.0, 3.0), (2.0, 0.1)], False),  # its output weight, not its kernel, goes to 0 first
        ([(0.9, 0.9), (0.1, 2.0)], False),  # the side starts just above 1 and is there too soon
        ([(3.0, 3.0), (0.1, 2.0), (-1.0, 1.0)], False),  # the other side needs no help
        ([(0.3, 5.0)], False),  # a unit alone reaches the target first
    ],
)
def test_crossing_of_given_networks(units, crossed):
    w, a = np.array(units).T[..., None]
    assert crosses(w, a).tolist() == [crossed]
    assert crosses(-w, a).tolist() == [crossed]
    assert (train(w, a)[0] == "solved") == (crossed or len(units) == 3)


@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize("name", LAWS)
def test_crossing_probability_agrees_with_sampling(name, k):
    sampled = float(np.mean(crosses(*draw(name, k, 200_000, 44))))
    # 0.001 for the fixed net, and 5 standard errors of the sample.
    slack = 0.001 + 5 * (sampled / 200_000) ** 0.5
    assert crossing_probability(k, *LAWS[name](k)) == pytest.approx(sampled, abs=slack)


def test_crossing_probability_takes_explicit_kernels():
    law = uniform(2**0.5)
    assert crossing_probability(2, [1.0, 1.0], law) == 0
    assert crossing_probability(2, [2.0, 0.1], uniform(3)) > 0.01
