"""How far an optimiser may step, and up to which learning rate it is stable on a quadratic.

A limit is a learning rate below which, and not above which, the optimiser converges from every
start on a quadratic loss whose largest curvature (second derivative) is given. Adam is named
after its averaged gradient alone there: dividing by the root of the second moment rescales the
curvature, which then means lambda/(root + eps).
"""

from math import isfinite

import numpy as np
from numpy.typing import ArrayLike


def largest_step(steps: ArrayLike, b1: float = 0.9, b2: float = 0.999) -> np.ndarray:
    """Return the largest possible t-th step of Adam, in learning rates, elementwise in t.

    Infinity stands for the supremum over all t. Formula: (1 - b1)/sqrt(1 - b2) times
    sqrt((1 - r^t)/(1 - r)), r = b1^2/b2, times sqrt(1 - b2^t)/(1 - b1^t). Assumptions: Adam from
    rest, any gradients not all 0, eps = 0 (an upper bound for eps > 0), b1^2 < b2. Kind: exact.
    Source: the inequality of Cauchy and Schwarz between the two averages, an equality where the
    i-th gradient is proportional to (b2/b1)^i.

    >>> largest_step([1, 10, 100, np.inf]).round(4).tolist()
    [1.0, 1.0431, 2.2434, 7.2703]
    """
    t = np.asarray(steps, dtype=float)
    if t.size and not np.all(t >= 1):
        raise ValueError(f"steps are {steps!r}; each must be at least 1, the first step")
    _decays(b1, b2)
    ratio = b1**2 / b2
    averages = (1 - b1) ** 2 / (1 - b2) * (1 - ratio**t) / (1 - ratio)
    return np.sqrt(averages * (1 - b2**t)) / (1 - b1**t)


def stated_bound(b1: float = 0.9, b2: float = 0.999) -> float:
    """Return what Adam's authors give as the largest step, in learning rates.

    Formula: (1 - b1)/sqrt(1 - b2) where that is above 1, else 1. Assumptions: meant for gradients
    that are 0 but for the last; others exceed it, see `exceeds_stated_bound`. Kind: empirical.
    Source: Kingma and Ba 2015, section 2.1.

    >>> round(stated_bound(), 4)
    3.1623
    """
    _decays(b1, b2)
    return max(1.0, (1 - b1) / (1 - b2) ** 0.5)


def exceeds_stated_bound(b1: float = 0.9, b2: float = 0.999) -> int | None:
    """Return the first step of Adam that may be larger than `stated_bound`, None if none may.

    Formula: the first t whose `largest_step` is above it. Assumptions: as `largest_step`. Kind:
    exact. Source: those two functions.

    >>> exceeds_stated_bound()
    210
    """
    bound = stated_bound(b1, b2) * (1 + 1e-9)  # for b1 = b2 both are 1 but for rounding
    if largest_step(np.inf, b1, b2) <= bound:
        return None
    end = 64
    while largest_step(end, b1, b2) <= bound:
        end *= 2
    return 1 + int(np.argmax(largest_step(np.arange(1, end + 1), b1, b2) > bound))


def gradient_descent_limit(curvature: float) -> float:
    """Return the largest stable learning rate of gradient descent.

    Formula: 2/lambda. Assumptions: full batches of a quadratic loss with largest curvature lambda,
    a constant rate. Kind: exact. Source: along its direction a step multiplies by 1 - lr lambda.

    >>> gradient_descent_limit(4.0)
    0.5
    """
    return 2 / _curvature(curvature)


def heavy_ball_limit(curvature: float, decay: float) -> float:
    """Return the largest stable learning rate of gradient descent with momentum.

    The velocity is decay times itself minus lr times the gradient. Formula: 2 (1 + decay)/lambda.
    Assumptions: as `gradient_descent_limit`, 0 <= decay < 1. Kind: exact. Source: at the limit -1
    solves z^2 - (1 + decay - lr lambda) z + decay = 0; below it both solutions lie inside the
    unit circle.

    >>> heavy_ball_limit(1.0, 0.9)
    3.8
    """
    return 2 * (1 + _decay("decay", decay)) / _curvature(curvature)


def nesterov_limit(curvature: float, decay: float) -> float:
    """Return the largest stable learning rate of Nesterov's momentum.

    As `heavy_ball_limit`, with the gradient taken at the point the velocity leads to. Formula:
    2 (1 + decay)/((1 + 2 decay) lambda). Assumptions: as there. Kind: exact. Source: at the limit
    -1 solves z^2 - (1 + decay)(1 - lr lambda) z + decay (1 - lr lambda) = 0.

    >>> round(nesterov_limit(1.0, 0.9), 6)
    1.357143
    """
    decay = _decay("decay", decay)
    return 2 * (1 + decay) / ((1 + 2 * decay) * _curvature(curvature))


def averaged_gradient_limit(curvature: float, b1: float = 0.9) -> float:
    """Return the largest stable learning rate along a running average of the gradient, as Adam's.

    Formula: 2 (1 + b1)/((1 - b1) lambda). Assumptions: as `gradient_descent_limit`, 0 <= b1 < 1;
    for Adam a second moment that no longer changes, lambda divided by its root plus eps. Kind:
    exact. Source: the heavy ball with the learning rate lr (1 - b1).

    >>> round(averaged_gradient_limit(1.0), 12)
    38.0
    """
    return heavy_ball_limit(curvature, _decay("b1", b1)) / (1 - b1)


def _decays(b1: float, b2: float) -> None:
    if not (0 <= b1 < 1 and 0 < b2 < 1 and b1**2 < b2):
        raise ValueError(
            f"b1 and b2 are {b1!r} and {b2!r}; they must lie in [0, 1) and (0, 1), and b1^2 below "
            "b2, for else steps have no bound"
        )


def _decay(field: str, value: float) -> float:
    if not 0 <= value < 1:
        raise ValueError(f"{field} is {value!r}; it must lie in [0, 1)")
    return value


def _curvature(curvature: float) -> float:
    if not (isfinite(curvature) and curvature > 0):
        raise ValueError(f"curvature is {curvature!r}; it must be a number above 0")
    return curvature
