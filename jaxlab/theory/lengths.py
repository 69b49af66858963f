"""How long the activations of a random ReLU network are, layer by layer.

The length of a layer is the sum of its squared activations divided by its width; what is followed
is its ratio to the input's length. `widths` include the input's, every layer is ReLU and has no
bias. The mean says nothing about one network: deep narrow ones are far below it but for a few.
"""

from collections.abc import Sequence

import numpy as np


def mean_ratio(widths: Sequence[int], gain: float = 2.0) -> float:
    """Return the mean ratio of the last layer's length to the input's.

    `gain` times 1/(number of inputs) is the variance of a layer's weights. Formula: (gain/2) to
    the number of layers, so 1 for He's gain of 2. Assumptions: zero biases, centred Gaussian
    weights, independent; an input that is not 0. Kind: exact. Source: given the layer before, a
    unit's sum is N(0, gain length), of whose square the ReLU keeps half.

    >>> mean_ratio((1, 4, 4, 4)), mean_ratio((1, 4, 4, 4), gain=1.0)
    (1.0, 0.125)
    """
    return float((_gain(gain) / 2) ** (len(_widths(widths)) - 1))


def mean_squared_ratio(widths: Sequence[int], gain: float = 2.0) -> float:
    """Return the mean of the squared ratio of the last layer's length to the input's.

    Formula: the product over the layers of (gain/2)^2 (1 + 5/n_l). Assumptions: as `mean_ratio`.
    Kind: exact. Source: the mean of the fourth power of relu(N(0, 2 q)) is 6 q^2, so each of n_l
    independent units has the variance 5 q^2 about the mean q.

    >>> mean_squared_ratio((1, 5, 10))
    3.0
    """
    wide = np.asarray(_widths(widths)[1:], dtype=float)
    return float(np.prod((_gain(gain) / 2) ** 2 * (1 + 5 / wide)))


def _widths(widths: Sequence[int]) -> Sequence[int]:
    if len(widths) < 2 or any(n != int(n) or n < 1 for n in widths):
        raise ValueError(
            f"widths are {tuple(widths)}; there must be at least two, whole numbers of at least 1"
        )
    return widths


def _gain(gain: float) -> float:
    if not (np.isfinite(gain) and gain > 0):
        raise ValueError(f"gain is {gain!r}; it must be a number above 0")
    return gain
