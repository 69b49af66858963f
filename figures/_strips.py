"""Strips of points: one measured number per network, spread sideways so that all are seen."""

import numpy as np
from numpy.typing import ArrayLike

GOLDEN = (5**0.5 - 1) / 2  # the multiples of no number fill (0, 1) more evenly


def spread(values: ArrayLike, bins: int = 40) -> np.ndarray:
    """Return offsets (points,) in [-1/2, 1/2] that make a strip as wide as its points are dense.

    The order of the finite `values` decides them, so that equal data are drawn equally.
    """
    values = np.asarray(values, float)
    if values.size == 0:
        return values
    counts, edges = np.histogram(values, bins)
    density = np.interp(values, (edges[:-1] + edges[1:]) / 2, counts)
    rank = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return ((0.5 + GOLDEN * rank) % 1 - 0.5) * density / density.max()
