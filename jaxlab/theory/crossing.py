"""Units that change sides: the one way in which the fate rule errs under gradient flow.

A side whose slope starts above its target shrinks its units. Where one of them reaches kernel 0
before the slope has come down to the target, the other side picks it up, and a network that was
to fit one side only fits both. Large weights do this; the rule itself is in `absolute_value`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import qmc

from jaxlab.theory.laws import Law, PointMass


def crosses(w: ArrayLike, a: ArrayLike) -> np.ndarray:
    """Tell which members a unit that changes sides saves from fitting one side only.

    `w` and `a` have shape (k, members). Formula: with u = |w| and a > u > 0 a unit reaches 0
    when e^(2 tau) = g = (a + u)/(a - u); the side's slope is then the sum over its units of
    [(u + a)^2/g - (u - a)^2 g]/4, and the unit crosses when the slope, above 1 at the start, is
    above 1 still at the first such time. Assumptions: bias-free gradient flow, inputs symmetric
    about 0, target |x|. Kind: exact for k <= 2; for more units an upper bound, since units
    coming in from the other side can end the overshoot sooner. Source: derived here from the
    flow's solution.

    >>> crosses([[3.0], [0.1]], [[3.0], [2.0]]).tolist()
    [True]
    """
    w, a = np.asarray(w, dtype=float), np.asarray(a, dtype=float)
    working = a > -np.abs(w)
    saved = np.zeros(w.shape[1:], dtype=bool)
    for side in (1.0, -1.0):
        other_works = np.any(working & (side * w < 0), axis=0)
        saved |= ~other_works & _hands_over(np.maximum(side * w, 0), np.where(side * w > 0, a, 0))
    return saved


def _hands_over(u: np.ndarray, a: np.ndarray) -> np.ndarray:
    """Tell for one side whether a unit gets to 0 while the slope is still above its target."""
    shrinks_first = (u > 0) & (a > u)
    growth = np.where(shrinks_first, (a + u) / np.where(shrinks_first, a - u, 1), np.inf)
    first = np.min(growth, axis=0)
    met = np.isfinite(first)
    g = np.where(met, first, 1)
    slope = np.sum((u + a) ** 2 / g - (u - a) ** 2 * g, axis=0) / 4
    return met & (np.sum(u * a, axis=0) > 1) & (slope > 1)


def crossing_probability(k: int, w_law: Law | Sequence[float], a_law: Law) -> float:
    """Return by how much crossing lowers the probability that training fails.

    `w_law` is the kernels' law or k explicit kernels. Formula: the mean of `crosses` over a
    fixed net of 2^14 low-discrepancy points, good to about 0.001. Assumptions, kind and source
    as in `crosses`, with independent weights.

    >>> from scipy.stats import uniform
    >>> round(crossing_probability(2, uniform(-4, 8), uniform(-4, 8)), 2)
    0.04
    """
    size = 2**14
    # Half a cell's shift keeps the net off 0, where quantiles may be infinite.
    points = qmc.Sobol(2 * k, scramble=False).random(size).T + 0.5 / size
    if isinstance(w_law, Sequence):
        w = np.stack([PointMass(value).ppf(points[0]) for value in w_law])
    else:
        w = w_law.ppf(points[:k])
    return float(np.mean(crosses(w, a_law.ppf(points[k:]))))
