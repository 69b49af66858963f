"""Small weights under Adam: which units its momentum carries through 0, and how often |x| fails.

While every |a w| is far below 1 no unit feels the others, and a unit's drive is constant but for
its sign. Its fate then depends on |w|/l and |a|/l alone, l = lr/(1 - b1) being the way that
momentum carries a weight. A unit with a < 0 shrinks until its kernel w reaches 0, where both sides
push it back. Momentum makes w swing through 0, the longer the smaller both weights are, and during
the swings a goes on rising; once a > 0 the unit is saved, on whichever side it then is. What ends
the swings for good is the hidden bias, which falls by lr a step: as soon as |w| is below about a
thousandth of it (inputs up to 1000) no input activates the unit. Without biases Adam's last small
oscillation would revive such units within thousands of steps.

So there is a curve C: a unit lives if and only if a > 0 or |a| < l C(|w|/l). `survives` computes
the unit step by step, `threshold_of_map` reads C off it and `threshold` is a formula for C.
"""

import numpy as np
from numpy.typing import ArrayLike

from jaxlab.theory.absolute_value import fate
from jaxlab.theory.flow import OUTCOMES
from jaxlab.theory.laws import Law, probability_within

LIMIT = ((0.5, 2.980), (1.0, 3.094), (2.0, 3.386), (3.0, 3.809), (4.0, 4.386), (5.0, 5.134))
"""C in the limit of `threshold_in_the_limit`, from its differential equation, good to 0.001."""


def survives(
    w: ArrayLike,
    a: ArrayLike,
    learning_rate: float,
    b1: float = 0.9,
    b2: float = 0.999,
    *,
    input_limit: float = 1000.0,
) -> np.ndarray:
    """Return P(a single unit ends alive), which is certain: True or False, elementwise.

    `w` (kernels) and `a` (output weights) are broadcast together. Formula: Adam's map of w, a and
    the hidden bias, followed for (3 max(|w|, |a|)/l + 20)/(1 - b1) steps; alive is a > 0 with some
    input active. Assumptions: Adam from rest in Keras's convention with eps = 0, bias 0 at the
    start, full batches of inputs uniform on [-input_limit, input_limit], target |x|, residual |x|
    throughout. Kind: exact. Source: the definition of Adam; at twice as many steps no unit of
    20,000 with weights up to 20 l was judged otherwise.

    >>> survives([0.01, 0.01, 0.2, 0.0], [-0.01, -0.05, -0.1, 1.0], learning_rate=0.001).tolist()
    [True, False, True, False]
    """
    _check_adam(learning_rate, b1, b2)
    kernel, output = np.broadcast_arrays(np.asarray(w, dtype=float), np.asarray(a, dtype=float))
    return _follow(kernel, output, (learning_rate, b1, b2), input_limit) != 0


def _follow(
    w: np.ndarray, a: np.ndarray, adam: tuple[float, float, float], input_limit: float
) -> np.ndarray:
    """Return the side that each unit lives on in the end, 1 or -1, and 0 where it is dead."""
    if not (np.all(np.isfinite(w)) and np.all(np.isfinite(a))):
        raise ValueError("w and a hold infinite or undefined values; all must be finite")
    weights = np.stack([w, a, np.zeros_like(w)])
    state = np.zeros((2, *weights.shape))
    for step in range(1, _steps(weights, adam) + 1):
        weights += _move(state, _force(weights, input_limit), step, adam)
    w, a, bias = weights
    return np.sign(w) * ((a > 0) & (np.abs(w) * input_limit + bias > 0))


def _steps(weights: np.ndarray, adam: tuple[float, float, float]) -> int:
    learning_rate, b1, _ = adam
    largest = float(np.max(np.abs(weights), initial=0)) * (1 - b1) / learning_rate
    return int((3 * largest + 20) / (1 - b1))


def _move(
    state: np.ndarray, force: np.ndarray, step: int, adam: tuple[float, float, float]
) -> np.ndarray:
    """Return by how much Adam moves the weights, and keep the forces' means in `state`."""
    learning_rate, b1, b2 = adam
    state[0] += (1 - b1) * (force - state[0])
    state[1] += (1 - b2) * (force**2 - state[1])
    size = np.sqrt(state[1] / (1 - b2**step))
    return learning_rate * state[0] / (1 - b1**step) / np.where(size > 0, size, 1)


def _force(weights: np.ndarray, limit: float) -> np.ndarray:
    """Return minus half the loss's gradient with respect to w, a and b for the residual |x|."""
    w, a, b = weights
    # On the unit's own side inputs count from the kink at -b/|w| on, which may lie across 0.
    ratio = np.where(w == 0, np.sign(-b) * limit, -b / np.where(w == 0, 1, np.abs(w)))
    kink = np.clip(ratio, -limit, limit)
    second = (limit**3 - np.abs(kink) ** 3) / (6 * limit)
    first = (limit**2 - kink * np.abs(kink)) / (4 * limit)
    return np.stack([a * np.sign(w) * second, np.abs(w) * second + b * first, a * first])


def threshold(kernel: ArrayLike) -> np.ndarray:
    """Return C(|w|/l), below which |a|/l saves a unit with a < 0, elementwise in |w|/l.

    Formula: 2.75 + x^2/11 for x up to 5.5, x beyond. Assumptions: those of `survives`, b1 from 0.8
    to 0.95, b2 near 0.999, inputs up to 300 or more. Kind: empirical, off by at most 0.45 for x
    from 1 on and 1.5 below, where |w| is but a few steps and may be stepped on exactly. Source:
    fitted to `threshold_of_map`; `threshold_in_the_limit` with l smaller by a twelfth, which is
    what the hidden bias and steps of finite size take away.

    >>> threshold([0.0, 3.0, 8.0]).round(3).tolist()
    [2.75, 3.568, 8.0]
    """
    x = np.asarray(kernel, dtype=float)
    return np.where(x < 5.5, 2.75 + x**2 / 11, x)


def threshold_in_the_limit(kernel: ArrayLike) -> np.ndarray:
    """Return C(|w|/l) of the continuous limit, which no parameter enters, elementwise in |w|/l.

    Formula: 3 + x^2/12 for x up to 6, x beyond. Assumptions: b1 and b2 near 1, b2 much nearer, and
    no hidden bias: with l as unit of length and 1/(1 - b1) steps as unit of time, weights move by
    their forces' lagged mean over the root of the squares' mean since the start. Kind: empirical,
    within 0.06 for x from 0.5 on; below C falls to 2.8 at 0.1 and 2.2 at 0. Source: fitted to the
    solution of that differential equation, of which `LIMIT` holds some values.

    >>> threshold_in_the_limit([1.0, 3.0, 7.0]).round(3).tolist()
    [3.083, 3.75, 7.0]
    """
    x = np.asarray(kernel, dtype=float)
    return np.where(x < 6, 3 + x**2 / 12, x)


def threshold_of_map(
    kernel: ArrayLike, b1: float = 0.9, b2: float = 0.999, *, input_limit: float = 1000.0
) -> np.ndarray:
    """Return C(|w|/l) by bisection of `survives`, elementwise in |w|/l, to 0.001.

    Formula: the |a|/l at which survival ends, sought from 0 to 4 + 1.5 |w|/l. Assumptions: those
    of `survives`, and one such point, which holds but for |w| of a few steps. Kind: exact. Source:
    the definition of C. Without momentum (b1 = 0, l = lr) a step still leaps over 0: C is up to
    4.5 for |w| < lr, falls to 2.1 at 2.1 lr, and is |w|/lr beyond.

    >>> threshold_of_map([1.0, 3.0, 8.0]).round(1).tolist()
    [3.1, 3.6, 8.0]
    """
    x = np.asarray(kernel, dtype=float)
    low, high = np.zeros_like(x), 4 + 1.5 * x
    for _ in range(int(np.ceil(np.log2(1000 * np.max(high, initial=1))))):
        middle = (low + high) / 2
        alive = survives(x, -middle, 1 - b1, b1, b2, input_limit=input_limit)
        low, high = np.where(alive, middle, low), np.where(alive, high, middle)
    return (low + high) / 2


def survival_with_momentum(w_law: Law, a_law: Law, carried: float) -> float:
    """Return r, the probability that a unit ends alive, momentum carrying weights by l = carried.

    Formula: 1/2 + P(|a| < l C(|w|/l))/2, C being `threshold`, by the midpoint rule over 2^14
    quantiles of w. Assumptions: those of `threshold`; w and a independent, a symmetric about 0.
    Kind: empirical. Source: `threshold` averaged; for large weights r is `survival_probability`.

    >>> from scipy.stats import norm
    >>> round(survival_with_momentum(norm(0, 0.03), norm(0, 0.03), 0.01), 3)
    0.869
    """
    quantiles = (np.arange(2**14) + 0.5) / 2**14
    reach = carried * threshold(np.abs(w_law.ppf(quantiles)) / carried)
    return 0.5 + float(np.mean(probability_within(a_law, reach))) / 2


def survival_in_closed_form(law: Law, carried: float) -> float:
    """Return r for kernels and output weights of one law, momentum carrying by l = carried.

    Formula: 1 - Q/2 + Q^2/4, Q = P(|a| > 3 l). Assumptions: C(x) = max(x, 3), independent weights
    of one symmetric law. Kind: empirical, within 0.014 of `survival_with_momentum` for uniform
    weights of any scale and 0.005 for Gaussians. Source: of two weights beyond 3 l either is the
    larger with probability 1/2.

    >>> from scipy.stats import norm
    >>> round(survival_in_closed_form(norm(0, 0.03), 0.01), 3)
    0.867
    """
    beyond = 1 - float(probability_within(law, 3 * carried))
    return 1 - beyond / 2 + beyond**2 / 4


def outcome_under_adam(
    w: ArrayLike,
    a: ArrayLike,
    learning_rate: float,
    b1: float = 0.9,
    b2: float = 0.999,
    *,
    input_limit: float = 1000.0,
) -> np.ndarray:
    """Return the outcome that Adam should have for every member, by name.

    `w` (kernels) and `a` (output weights) have shape (k, members) or (k,); names as in
    `absolute_value.fate`. Formula: the fate rule; the map of `survives` decides on units in doubt,
    which have a < 0, |a| > 0.95 |w|, and |w| < 6 l or |a| < 1.05 |w|, and on their side; if one
    side only is left, the other is fitted as well if full-batch Adam on the first, without biases,
    takes a kernel with a > 0 to 0.
    Assumptions: those of `survives` for each unit apart; the crossing without biases. Kind:
    empirical. Source: made of two maps, with nothing fitted to trained networks.

    >>> outcome_under_adam([[0.02, 1.2], [0.0, 0.1]], [[-0.02, 1.2], [1.0, 0.3]], 0.001).tolist()
    ['left_only', 'solved']
    """
    _check_adam(learning_rate, b1, b2)
    adam = (learning_rate, b1, b2)
    expected = fate(w, a)  # also refuses shapes that do not fit
    w, a = np.asarray(w, dtype=float), np.asarray(a, dtype=float)
    shape, k = expected.shape, len(w)
    w, a = w.reshape(k, -1), a.reshape(k, -1)
    side, size = np.sign(w) * (a > -np.abs(w)), np.abs(w)
    near = (size < 6 * learning_rate / (1 - b1)) | (np.abs(a) < 1.05 * size)
    doubt = (a < 0) & (w != 0) & near & (np.abs(a) > 0.95 * size)
    side[doubt] = _follow(w[doubt], a[doubt], adam, input_limit)
    right, left = np.any(side > 0, axis=0), np.any(side < 0, axis=0)
    for own, other, sign in ((right, left, 1), (left, right, -1)):
        alone = np.flatnonzero(own & ~other)
        on = sign * w[:, alone] > 0
        sizes, outputs = np.where(on, size[:, alone], 0), np.where(on, a[:, alone], 0)
        crossed, kept = _reaches_zero(sizes, outputs, adam)
        other[alone], own[alone] = crossed, kept | ~crossed
    return OUTCOMES[2 * right + left].reshape(shape)


def _reaches_zero(
    size: np.ndarray, a: np.ndarray, adam: tuple[float, float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Tell in which members Adam takes a kernel with a > 0 on one side to 0, and where one stays.

    `size` and `a` have shape (k, members).
    """
    weights, there = np.stack([size, a]), size > 0
    state, crossed = np.zeros((2, *weights.shape)), np.zeros(size.shape[1:], dtype=bool)
    for step in range(1, _steps(weights, adam) + 1):
        size, a = weights
        rest = 1 - np.sum(np.where(there, size * a, 0), axis=0)
        weights = weights + _move(state, there * rest * np.stack([a, size]), step, adam)
        gone = there & (weights[0] <= 0)
        crossed |= np.any(gone & (weights[1] > 0), axis=0)
        there &= ~gone
    return crossed, np.any(there & (weights[1] > 0), axis=0)


def _check_adam(learning_rate: float, b1: float, b2: float) -> None:
    if not (np.isfinite(learning_rate) and learning_rate > 0):
        raise ValueError(f"learning_rate is {learning_rate!r}; it must be a number above 0")
    for name, value in (("b1", b1), ("b2", b2)):
        if not 0 <= value < 1:
            raise ValueError(f"{name} is {value!r}; it must lie in [0, 1)")
