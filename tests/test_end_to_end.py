"""Statistical: the forum program fails as often as the survival formula says, and not 2^(1-k).

|x| on 400 points in [-1000, 1000], two ReLU units, Keras's defaults, 1000 epochs: no part of it is
shortened but the number of seeds. False fail: `FALSE_FAIL` per count. False pass: computed by
`false_pass` for the wrong rates that the tests name, and held to be below 1e-6.
"""

import numpy as np
import pytest
from acceptance import accepted_counts, agrees, false_pass

from jaxlab import Network, Result, Setting, Sweep, run, tasks
from jaxlab.initialisers import kernel_distribution
from jaxlab.theory import absolute_value as theory

N = 4096
SETTING = Setting("k=2", tasks.absolute_value(), Network((1, 2, 1), ("relu", "linear")))


def survival() -> float:
    """Return r for glorot_uniform kernels and zero biases, from the laws the engine draws from."""
    hidden, output = (kernel_distribution(SETTING, layer) for layer in (0, 1))
    assert hidden is not None
    assert output is not None
    return theory.survival_probability(hidden, output)


SURVIVAL = survival()


@pytest.fixture(scope="module", params=[0, 2**31], ids=["first seeds", "later seeds"])
def result(request) -> Result:
    return run(Sweep("absolute_value", (SETTING,)), np.arange(request.param, request.param + N))


RATES = {
    "fails": (theory.training_fails(2, SURVIVAL), theory.one_sided_at_init(2)),
    "right_only": (theory.one_side_fitted(2, SURVIVAL) / 2, theory.one_sided_at_init(2) / 2),
    "left_only": (theory.one_side_fitted(2, SURVIVAL) / 2, theory.one_sided_at_init(2) / 2),
    "dead": (theory.no_side_fitted(2, SURVIVAL), 0.0),
}


@pytest.mark.parametrize("event", RATES)
def test_the_counts_agree_with_survival_and_not_with_the_initial_signs(event, result):
    tally = result.tally()["k=2"]
    count = tally.failed if event == "fails" else tally.counts[event]
    survival, signs = RATES[event]
    assert agrees(count, N, survival)
    assert not agrees(count, N, signs)
    assert false_pass(N, survival, signs) < 1e-6
    assert false_pass(N, signs, survival) < 1e-6


def test_one_sided_starts_are_as_frequent_as_signs_say(result):
    kernels = np.asarray(result.members["k=2"].initial_weights)[:, :2]
    one_sided = int((np.sign(kernels[:, 0]) == np.sign(kernels[:, 1])).sum())
    assert agrees(one_sided, N, 0.5)
    assert not agrees(one_sided, N, 0.56)
    assert false_pass(N, 0.5, 0.56) < 0.01


def test_the_fate_read_off_the_initial_weights_comes_true(result):
    members = result.members["k=2"]
    weights = np.asarray(members.initial_weights)
    fates = theory.fate(weights[:, :2].T, weights[:, 4:6].T)
    # Read off the weights alone, it is right for 99 % of either class; of the fates of other
    # members, a third.
    assert {"solved", "right_only", "left_only", "dead"} == set(fates.tolist())
    for expected in (fates == "solved", fates != "solved"):
        hits = int((members.names == fates)[expected].sum())
        n = int(expected.sum())
        low, _ = accepted_counts(n, 0.99)
        assert hits >= low
    mixed = np.random.default_rng(0).permutation(fates)
    assert int((mixed == members.names).sum()) < accepted_counts(N, 0.5)[0]
