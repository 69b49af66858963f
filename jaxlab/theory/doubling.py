"""Learn y = 2x, x > 0, with ReLU units and a ReLU output by plain gradient descent: 1-h-1.

f(x) = relu(s x), s = the sum of a_i w_i over the units with w_i > 0. A network is dead at birth
where s <= 0, and dies later where a step is too large; `kappa` measures the step. Limits and
tolerances of the predictions were chosen on simulated networks of 1 to 128 units.
"""

from fractions import Fraction
from math import isfinite, sqrt

import numpy as np
from numpy.typing import ArrayLike

from jaxlab.theory.laws import Law, PointMass, is_symmetric
from jaxlab.theory.prediction import Prediction
from jaxlab.theory.sums import sum_above

STABLE = 0.5
"""Below this kappa the balanced map converges to s = 2; above it no solution is stable."""

DEATH = (sqrt(27) / 2 - 1) / 2
"""Above this kappa (0.79904) the balanced map steps over the edge where all units die."""

MARGIN = 0.9
"""Share of the stability limit up to which networks are taken to behave as below it."""

UNSTABLE = 1.0
"""Kappa from which on failure is certain: no solution is stable and oscillations are large."""

OVERSHOOT = 100.0
"""Kappa from which on two steps decide everything."""

TOLERANCE = 0.015
"""How far from the formulas simulated networks may be."""

_SETTING = (
    "y = 2x on x > 0; independent symmetric weights, zero biases at the start; ReLU; gradient "
    "descent at a constant rate on full batches or large ones"
)


def born_dead(units: int) -> Fraction:
    """Return P(the output is 0 on all x > 0 before any training).

    Formula: 1/2 + 2^-(h + 1). Assumptions: independent kernels and output weights, symmetric
    about 0 and continuous; zero biases; x > 0. Kind: exact. Source: with probability 2^-h no unit
    is active, otherwise s is positive or negative with equal probability. (With a linear output
    only the first of these is dead.)

    >>> born_dead(1), born_dead(2)
    (Fraction(3, 4), Fraction(5, 8))
    """
    return Fraction(1, 2) + Fraction(1, 2 ** (_units(units) + 1))


def kappa(learning_rate: float, mean_square: float) -> float:
    """Return the step of gradient descent relative to the problem.

    Formula: 2 lr X, X the mean of x^2. Assumptions: mean squared error, full batches. Kind:
    exact. Source: each pair (w, a) moves by kappa (2 - s) times the other one.

    >>> round(kappa(0.01, 20.0), 12)
    0.4
    """
    return 2 * learning_rate * mean_square


def stability_limit(mean_square: float, mean: float | None = None) -> float:
    """Return the learning rate above which the balanced solution of y = 2x is unstable.

    `mean` is the mean of x, for networks with biases; None for networks without. Formula:
    2/lambda with lambda = 8 X, that is 1/(4 X); with biases
    lambda = 4 X + 3 + sqrt((4 X - 3)^2 + 48 mean^2). Assumptions: full batches, squared weights
    of either layer sum to 2 over the active units, zero biases. Kind: exact for that solution;
    1/(4 X) bounds the limit of every solution from above, since a^2 + w^2 >= 2 a w. Source: twice
    the largest eigenvalue of the mean outer product of the output's gradients, whose kernel is
    4 x x', and 4 x x' + 3 with biases.

    >>> stability_limit(20.0), round(stability_limit(20.0, 4.0), 5)
    (0.0125, 0.01213)
    """
    if mean is None:
        return 1 / (4 * mean_square)
    slope = 4 * mean_square
    return 2 / (slope + 3 + sqrt((slope - 3) ** 2 + 48 * mean**2))


def balanced_step(s: ArrayLike, kappa: float) -> np.ndarray:
    """Return s after one step of gradient descent, elementwise in s.

    Formula: s (1 + kappa (2 - s))^2. Assumptions: no biases, full batches, a = w > 0 for every
    active unit; it applies while 1 + kappa (2 - s) > 0, below that the units are dead. Kind:
    exact. Source: a and w are both multiplied by 1 + kappa (2 - s).

    >>> balanced_step([1.0, 2.0], 0.25).tolist()
    [1.5625, 2.0]
    """
    s = np.asarray(s, dtype=float)
    return s * (1 + kappa * (2 - s)) ** 2


def fate_of_map(s0: ArrayLike, kappa: float, steps: int, tolerance: float = 0.01) -> np.ndarray:
    """Return what becomes of s under the balanced map, elementwise in s0.

    'dead' where s is not positive or 1 + kappa (2 - s) stops being positive, for then every
    kernel turns negative; 'solved' where the last ten values (or all, if fewer) are within
    2 * tolerance of 2; otherwise 'oscillates', or 'unfinished' where kappa < 1/2. Formula:
    `balanced_step` iterated in float64. Assumptions and source: as `balanced_step`. Kind: exact
    for the map, asymptotic for networks of many units without biases.

    >>> fate_of_map([0.1, 1.0, -1.0], 0.4, 100).tolist()
    ['solved', 'solved', 'dead']
    >>> [fate_of_map(0.1, kappa, 2_000).item() for kappa in (0.51, 0.799, 0.81)]
    ['oscillates', 'oscillates', 'dead']
    """
    s = np.asarray(s0, dtype=float)
    alive, close = s > 0, np.zeros(s.shape, dtype=int)
    for _ in range(steps):
        alive = alive & (1 + kappa * (2 - s) > 0)
        if not alive.any():
            break
        s = np.where(alive, balanced_step(np.where(alive, s, 0.0), kappa), 0.0)
        close = np.where(np.abs(s - 2) <= 2 * tolerance, close + 1, 0)
    rest = "unfinished" if kappa < STABLE else "oscillates"
    return np.where(alive, np.where(close >= min(10, max(steps, 1)), "solved", rest), "dead")


def above_target(units: int, w_law: Law, a_law: Law) -> float:
    """Return P(s > 2 at initialisation): these networks die in a first step that is large.

    Formula: P(sum of a relu(w) > 2), by convolution of the units' laws on a grid, to 1e-5; for one
    unit and two uniform laws of limits W and A, with q = 2/(A W) < 1, it is (1 - q + q log q)/4.
    Assumptions: independent weights. Kind: exact. Source: at large kappa the step
    sends w to the sign of (2 - s) a and a to the sign of (2 - s), so for s > 2 no unit is left
    that is active and has a positive output weight.

    >>> from scipy.stats import uniform
    >>> from math import sqrt
    >>> one = uniform(-sqrt(3), 2 * sqrt(3))
    >>> round(above_target(1, one, one), 5)
    0.01576
    >>> above_target(128, uniform(-0.2, 0.4), uniform(-0.2, 0.4))
    0.0
    """
    return sum_above(2.0, _units(units), w_law, a_law)


def predictions(
    units: int,
    kappa: float,
    *,
    w_law: Law | None,
    a_law: Law | None,
    steps: int,
    moments: tuple[float, float] | None = None,
    linear_output: bool = False,
) -> tuple[Prediction, ...]:
    """Return what theory says about a 1-units-1 network on y = 2x.

    In this order: 'born_dead' (exact), 'dead_after_one_step', 'dead_after_two_steps',
    'training_fails' (a lower bound), 'training_fails' (the whole of it). A law is None where the
    weights are not independent draws; `moments` are the means of x^2 and x where the network has
    biases, None where it has none. Formula: `born_dead`; that plus `above_target` after one step
    and 1 after two where kappa >= 100; failure is born dead below the stability limit and
    certain above kappa = 1. Assumptions: checked; where one fails the probability is None and the
    reason says which. Kind: as listed, otherwise asymptotic. Source: the functions above.

    >>> from scipy.stats import uniform
    >>> laws = {name: uniform(-0.2, 0.4) for name in ("w_law", "a_law")}
    >>> [p.probability for p in predictions(128, 2400.0, **laws, steps=120)]
    [0.5, 0.5, 1.0, 0.5, 1.0]
    >>> [p.probability for p in predictions(2, 0.4, **laws, steps=200)]
    [0.625, None, None, 0.625, 0.625]
    """
    if not (isfinite(kappa) and kappa > 0):
        raise ValueError(f"kappa is {kappa!r}; it must be a number above 0")
    reason = "; ".join(_law_objections(w_law, a_law))
    dead = 0.5 ** _units(units) if linear_output else float(born_dead(units))
    floor = None if reason else dead
    if linear_output:
        reason = (
            reason
            or "the output is linear: signs at the start bound failures, but do not decide them"
        )
    small = reason or ("" if kappa >= OVERSHOOT else _too_small(kappa))
    one = None
    if not small and w_law is not None and a_law is not None:
        one = min(1.0, dead + above_target(units, w_law, a_law))
    end, reason = _in_the_end(kappa, dead, steps, moments) if not reason else (None, reason)
    return (
        _record("born_dead", "exact", floor, "" if floor is not None else reason),
        _record("dead_after_one_step", "asymptotic", one, small),
        _record("dead_after_two_steps", "asymptotic", None if small else 1.0, small),
        _record("training_fails", "lower bound", floor, "" if floor is not None else reason),
        _record("training_fails", "asymptotic", end, reason),
    )


def _in_the_end(
    kappa: float, dead: float, steps: int, moments: tuple[float, float] | None
) -> tuple[float | None, str]:
    limit = STABLE if moments is None else 2 * moments[0] * stability_limit(*moments)
    if steps * kappa < 8:
        return None, f"training is too short: kappa times steps is {steps * kappa:g}, below 8"
    if kappa >= OVERSHOOT or (kappa >= UNSTABLE and steps >= 100):
        return 1.0, ""
    if kappa <= MARGIN * limit:
        return dead, ""
    return None, (
        f"kappa is {kappa:g}, between {MARGIN * limit:.3g}, from where steps may be unstable, and "
        f"{UNSTABLE:g} with 100 steps, from where all fail: some networks oscillate, some die"
    )


def _too_small(kappa: float) -> str:
    return (
        f"kappa is {kappa:g}, below {OVERSHOOT:g}: the first steps do not overwhelm initial weights"
    )


def _law_objections(w_law: Law | None, a_law: Law | None) -> list[str]:
    found = []
    for name, law in (("kernels", w_law), ("output weights", a_law)):
        if law is None:
            found.append(f"the {name} are not independent draws from one law")
        elif isinstance(law, PointMass) or not is_symmetric(law):
            found.append(f"the law of the {name} is not continuous and symmetric about 0")
    return found


def _record(event: str, kind: str, probability: float | None, reason: str) -> Prediction:
    return Prediction(
        name="scalar ReLU output",
        event=event,
        kind=kind,
        probability=probability,
        source="signs at initialisation and the map s (1 + kappa (2 - s))^2, derived here",
        assumptions=_SETTING,
        tolerance=TOLERANCE if kind == "asymptotic" else None,
        reason=reason,
    )


def _units(units: int) -> int:
    if units != int(units) or units < 1:
        raise ValueError(
            f"units is {units!r}; it must be a whole number of hidden units, at least 1"
        )
    return int(units)
