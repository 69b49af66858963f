"""When a measured number counts as agreeing: within rounding, or within sampling error.

The one place of tolerances. A statistical test takes `FALSE_FAIL` as the probability that it fails
though nothing is wrong, and states with `false_pass` how likely it misses a named wrong value.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

FALSE_FAIL = 1e-6
# float32: unit roundoff 6e-8, and in the tests that use it chains of at most some 150 operations
# on numbers of about size 1. Relative to the larger of the number and 1.
ROUNDING = 1e-5


def assert_rounding(found: ArrayLike, wanted: ArrayLike) -> None:
    """Hold that two arrays of one shape differ by no more than rounding in float32."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=ROUNDING, atol=ROUNDING)


def accepted_counts(n: int, p: float, error: float = FALSE_FAIL) -> tuple[int, int]:
    """Return the lowest and highest count of n that agree with a rate p, each tail error/2."""
    law = stats.binom(n, p)
    low, high = int(law.ppf(error / 2)), int(law.isf(error / 2))
    return low, high


def agrees(count: int, n: int, p: float, error: float = FALSE_FAIL) -> bool:
    """Say whether a count of n is one that a rate p makes likely enough."""
    low, high = accepted_counts(n, p, error)
    return low <= count <= high


def false_pass(n: int, p: float, truth: float, error: float = FALSE_FAIL) -> float:
    """Return the probability that p is accepted though the rate is `truth`."""
    low, high = accepted_counts(n, p, error)
    law = stats.binom(n, truth)
    return float(law.cdf(high) - law.cdf(low - 1))


def uniform_p_value(counts: np.ndarray) -> float:
    """Return the chi-square p-value of counts that should all be equally likely."""
    return float(stats.chisquare(np.asarray(counts).ravel()).pvalue)
