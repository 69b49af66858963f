"""Learn y = 2x, x > 0, with a ReLU output: what becomes of a network with given initial weights.

`doubling` says how often networks fail; here each one is followed from its own weights, by the map
that full-batch gradient descent is where there are no biases.
"""

from math import isfinite

import numpy as np
from numpy.typing import ArrayLike

TOLERANCE, DIVERGED, FLAT = 0.1, 10.0, 0.1
"""Relative errors of a solved and of a diverged output; the relative slope of a constant one."""
FALLING, FLATTENING, VISIBLE = 0.9, 0.5, 1e-5
"""How the squared error must fall to be improving: see `jaxlab.outcomes.improving`."""


def fate(w: ArrayLike, a: ArrayLike, kappa: float, steps: int) -> np.ndarray:
    """Return the outcome expected of every member from its initial weights, by name.

    `w` (kernels) and `a` (output weights) have shape (h, members) or (h,); `kappa` is
    `doubling.kappa`. Formula: with s = sum of a relu(w), every unit with w > 0 goes to
    w + kappa (2 - s) a, a + kappa (2 - s) w, for so many steps; 'dead' from the first s <= 0 on,
    else by |s - 2|/2 'solved' (at most 0.1) or 'diverged' (above 10), 'constant' (s/2 at most
    0.1), 'unfinished' (its square is below 0.9 of that after half of the steps, or fell by half as
    much in the second half as in the first) or 'other'. Assumptions: no biases, full batches,
    gradient descent at a constant rate, a ReLU output. Kind: exact for that map, 'dead' at the
    start also with biases that start at 0; an empirical rule for networks whose biases learn, and
    where the map oscillates (kappa above 1/2) no guide to the phase, hence to 'unfinished' or
    'other'. Source: the gradient of the squared error in w and a; a unit with w <= 0 has none, nor
    has any where the output is 0.

    >>> fate([[1.0, 1.0, 1.0, -1.0]], [[0.5, -1.0, 3.0, 1.0]], 0.4, 20).tolist()
    ['solved', 'dead', 'dead', 'dead']
    >>> [fate([1.0], [0.5], 2400.0, steps).item() for steps in (1, 2)]
    ['diverged', 'dead']
    """
    w, a = np.asarray(w, dtype=float), np.asarray(a, dtype=float)
    if w.shape != a.shape or w.ndim == 0 or w.shape[0] == 0:
        raise ValueError(
            f"w and a have shapes {w.shape} and {a.shape}; both must be the same (h, members)"
        )
    if not (isfinite(kappa) and kappa > 0 and steps >= 1):
        raise ValueError(f"kappa and steps are {kappa!r} and {steps!r}; both must be above 0")
    # Weights that overflow are judged as what they are: diverged.
    with np.errstate(over="ignore", invalid="ignore"):
        s = begun = halfway = _slope(w, a)
        dead = s <= 0
        for step in range(1, steps + 1):
            move = np.where((w > 0) & ~dead, kappa * (2 - s), 0)
            w, a = w + move * a, a + move * w
            s = _slope(w, a)
            dead = dead | (s <= 0)
            halfway = s if step == steps // 2 else halfway
        error = np.abs(s - 2) / 2
        falling = _falling(*((slope - 2) ** 2 for slope in (begun, halfway, s)))
        cases = [dead, ~(error <= DIVERGED), error <= TOLERANCE, s / 2 <= FLAT, falling]
    return np.select(cases, ["dead", "diverged", "solved", "constant", "unfinished"], "other")


def _falling(start: np.ndarray, halfway: np.ndarray, end: np.ndarray) -> np.ndarray:
    first, second = start - halfway, halfway - end
    steady = (first >= 0) & (second >= FLATTENING * first) & (second > VISIBLE * halfway)
    return (end < FALLING * halfway) | steady


def _slope(w: np.ndarray, a: np.ndarray) -> np.ndarray:
    return np.sum(a * np.maximum(w, 0), axis=0)
