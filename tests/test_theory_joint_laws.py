"""Initial weights that are not independent draws, against draws of them (statistical).

200,000 networks, two root seeds. A true formula is rejected with probability below 1e-6 (exact
binomial); one that is wrong by 0.02 is rejected with probability above 1 - 1e-6, which the negative
control on the same counts shows.
"""

import numpy as np
import pytest
from scipy import stats

from jaxlab.theory.absolute_value import fate
from jaxlab.theory.joint_laws import (
    asymmetric_predictions,
    fails_on_circle,
    one_sided_asymmetric,
    orthogonal_predictions,
)

NETWORKS, FALSE_FAIL = 200_000, 1e-6


def held(mask: np.ndarray, p: float) -> bool:
    return bool(stats.binomtest(int(mask.sum()), mask.size, p).pvalue > FALSE_FAIL)


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("seed", [1, 2])
def test_signs_of_asymmetric_weights(k, seed):
    generator = np.random.default_rng(seed)
    shape = (k, NETWORKS)
    is_kernel = generator.random(shape) < 0.5
    w = np.where(is_kernel, np.sqrt(generator.random(shape)), generator.normal(0, 0.6, shape))
    one_sided = np.all(w > 0, axis=0) | np.all(w < 0, axis=0)
    assert held(one_sided, one_sided_asymmetric(k)) or (k == 1 and one_sided.all())
    assert k == 1 or not held(one_sided, one_sided_asymmetric(k) - 0.02)
    assert asymmetric_predictions(k)[0].probability == one_sided_asymmetric(k)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("seed", [3, 4])
def test_fates_on_the_sphere(k, seed):
    w, a = np.random.default_rng(seed).normal(size=(2, k, NETWORKS))
    found = fate(w / np.linalg.norm(w, axis=0), a / np.linalg.norm(a, axis=0))
    said = {p.event: p.probability for p in orthogonal_predictions(k)}
    assert said["one_sided_at_init"] == 0.5 ** (k - 1)
    assert said["fate_neither"] == 0.0
    assert not np.any(found == "dead")
    assert held(np.all(w > 0, axis=0) | np.all(w < 0, axis=0), 0.5 ** (k - 1))
    if k == 2:
        assert said["fate_fails"] == fails_on_circle()
        assert held(found != "solved", fails_on_circle())
    assert not held(found != "solved", fails_on_circle() - 0.02)


def test_no_units_are_refused():
    with pytest.raises(ValueError, match="k is 0; it must be a whole number of hidden units"):
        one_sided_asymmetric(0)
