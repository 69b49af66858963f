"""Learn |x| with k ReLU units: what becomes of a 1-k-1 network with given or random weights.

f(x) = sum of a_i relu(w_i x), kernels w_i, output weights a_i, inputs symmetric about 0 and up to
about 1000. Biases hardly move on that scale, so each half-line is learnt by the units whose
kernel has its sign, apart from the other. Two events must be kept apart:

- *at initialisation*: all kernels have one sign (`one_sided_at_init`), a matter of signs alone;
- *after training*: a side is not fitted (`training_fails` and its parts), which also counts the
  units that die on the way.

The formulas live here; when they may be applied to a trained network is `decoupling`'s business,
what they leave out is `crossing`'s, and `absolute_value_predictions` puts the three together.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from jaxlab.theory.laws import Law, is_symmetric, probability_smaller


def one_sided_at_init(k: int) -> float:
    """Return P(all k kernels have one sign) before any training.

    Formula: 2^(1-k). Assumptions: independent kernels, symmetric about 0, never exactly 0.
    Kind: exact. Source: 2 of the 2^k equally likely sign patterns.

    >>> one_sided_at_init(3)
    0.25
    """
    return 2.0 ** (1 - _units(k))


def unit_survival(w: ArrayLike, a_law: Law) -> np.ndarray:
    """Return P(a unit with kernel w ends alive), elementwise in w, over random output weights.

    Formula: P(a > -|w|), which for symmetric a is 1/2 + P(|a| < |w|)/2; 0 where w = 0, because
    a unit that outputs 0 everywhere gets no gradient. Assumptions: bias-free gradient flow on a
    side whose slope starts below its target. Kind: exact. Source: w^2 - a^2 is conserved, so
    when a < 0 the smaller magnitude reaches 0 first: a changes sign and the unit lives, or w
    reaches 0 and the unit dies.

    >>> from scipy.stats import uniform
    >>> unit_survival([1.0, -1.0, 0.0], uniform(-2, 4)).tolist()
    [0.75, 0.75, 0.0]
    """
    size = np.abs(np.asarray(w, dtype=float))
    return np.where(size > 0, 1 - a_law.cdf(-size), 0.0)


def survival_probability(w_law: Law, a_law: Law) -> float:
    """Return r, the probability that a unit with random kernel and output weight ends alive.

    Formula: 1/2 + P(|a| < |w|)/2. Assumptions: as `unit_survival`, w independent of a, a
    symmetric about 0 (ValueError otherwise). Kind: exact. Source: `unit_survival` averaged.

    >>> from scipy.stats import uniform
    >>> survival_probability(uniform(-1, 2), uniform(-1, 2))
    0.75
    """
    if not is_symmetric(a_law):
        raise ValueError("a_law is not symmetric about 0; it must be, a > 0 needs probability 1/2")
    return 0.5 + probability_smaller(a_law, w_law) / 2


def training_fails(k: int, r: float) -> float:
    """Return P(at least one side of |x| is not fitted after training).

    Formula: 2(1 - r/2)^k - (1 - r)^k. Assumptions: k independent units, each on either side with
    probability 1/2 and alive with probability r whatever its side; a side is fitted if and only
    if it has a living unit. Kind: an upper bound under bias-free gradient flow, exact where no
    unit changes sides (`crossing`); an empirical rule under Adam. Source: inclusion and
    exclusion over the sides.

    >>> training_fails(2, 0.75)
    0.71875
    """
    k, r = _units(k), _share(r)
    return 2 * (1 - r / 2) ** k - (1 - r) ** k


def one_side_fitted(k: int, r: float) -> float:
    """Return P(exactly one side of |x| is fitted after training).

    Formula: 2[(1 - r/2)^k - (1 - r)^k]. Assumptions, kind and source: as `training_fails`.

    >>> one_side_fitted(2, 0.75)
    0.65625
    """
    k, r = _units(k), _share(r)
    return 2 * ((1 - r / 2) ** k - (1 - r) ** k)


def no_side_fitted(k: int, r: float) -> float:
    """Return P(neither side of |x| is fitted after training).

    Formula: (1 - r)^k. Assumptions and source: as `training_fails`. Kind: exact under bias-free
    gradient flow (a unit that changes sides comes from a side that is fitted); an empirical rule
    under Adam.

    >>> no_side_fitted(2, 0.75)
    0.0625
    """
    return (1 - _share(r)) ** _units(k)


def sides_fitted(w: Sequence[float], survival: ArrayLike) -> tuple[float, float]:
    """Return (P(right side fitted), P(left side fitted)) for fixed kernels w.

    `survival` holds each unit's probability of living. Formula: 1 - product of (1 - survival)
    over the side's units; right is w > 0, left is w < 0, and no units means 0. Assumptions:
    independent output weights. Kind and source: as `training_fails`.

    >>> sides_fitted([1.0, 1.0, -1.0], [0.5, 0.5, 0.75])
    (0.75, 0.75)
    """
    kernel, alive = np.asarray(w, dtype=float), np.asarray(survival, dtype=float)
    _units(kernel.size)
    if alive.shape != kernel.shape:
        raise ValueError(
            f"survival has shape {alive.shape}; it must be that of the kernels, {kernel.shape}"
        )
    right, left = (1 - float(np.prod(1 - alive[side])) for side in (kernel > 0, kernel < 0))
    return right, left


def fate(w: ArrayLike, a: ArrayLike) -> np.ndarray:
    """Return the outcome theory expects of every member from its initial weights.

    `w` (kernels) and `a` (output weights) have shape (k, members) or (k,); the answer has one
    entry per member: 'solved', 'right_only' (x > 0 alone is fitted), 'left_only', or 'dead'
    (neither side). Formula: a unit is alive iff a > 0 or |a| < |w|; it works on the side of w's
    sign; a side is fitted iff it has a living unit. Assumptions: as `unit_survival`. Kind: exact
    under bias-free gradient flow but for `crossing`, where the member is solved instead; an
    empirical rule under Adam. Source: as `unit_survival`.

    >>> fate([[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]], [[0.5, 2, -2], [-0.5, -2, -2]]).tolist()
    ['solved', 'right_only', 'dead']
    """
    w, a = np.asarray(w, dtype=float), np.asarray(a, dtype=float)
    if w.shape != a.shape or w.ndim == 0 or w.shape[0] == 0:
        raise ValueError(
            f"w and a have shapes {w.shape} and {a.shape}; both must be the same (k, members)"
        )
    alive = a > -np.abs(w)
    right, left = (np.any(alive & side, axis=0) for side in (w > 0, w < 0))
    names = np.array(["dead", "left_only", "right_only", "solved"])
    return names[2 * right + left]


def _units(k: int) -> int:
    if k != int(k) or k < 1:
        raise ValueError(f"k is {k!r}; it must be a whole number of hidden units, at least 1")
    return int(k)


def _share(r: float) -> float:
    if not 0 <= r <= 1:
        raise ValueError(f"r is {r!r}; it must be a probability in [0, 1]")
    return r
