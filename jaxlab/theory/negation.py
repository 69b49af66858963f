"""Turn -1 into 1 with one unit: how long the sign takes under Adam, and when it never comes.

z = b - w is what the unit, with kernel w and bias b = 0 at the start, makes of the input -1; its
output is z where z > 0 and s z elsewhere, s the slope. Only the sign of w at the start is bad
luck, so everything here is a statement about one random number. Learning the rest, from 0 up to
the target 1, has no closed form: bounds and one empirical rule.
"""

from math import isfinite

import numpy as np
from numpy.typing import ArrayLike

from jaxlab.theory.laws import Law, PointMass
from jaxlab.theory.prediction import Prediction

LARGEST_STEP = 7.2703
"""No Adam step exceeds this many learning rates, whatever the gradients (b1 0.9, b2 0.999)."""

EXACT_TO = 1e-4
"""Bounds on a probability that are no further apart than this are given as one exact value."""

FLATTEST, FASTEST, FARTHEST = 1e-4, 0.01, 4.0
"""Slope, learning rate and |w0| up to which units were followed until they arrived."""

_SETTING = "one unit, input -1, target 1, bias 0 at the start; Adam from rest at a constant rate"
_SPEED = "Adam moves a weight by at most the learning rate while its gradient only shrinks"


def step_size(step: ArrayLike, slope: float, learning_rate: float, eps: float = 1e-7) -> np.ndarray:
    """Return how far the kernel moves in a given step (1 is the first), elementwise in step.

    Formula: lr/(1 + eps/(2 s sqrt(1 - b2^t))). Assumptions: Adam from rest in Keras's convention,
    b2 = 0.999, a constant gradient 2 s, that is s |z| << 1. Kind: exact for that gradient. Source:
    both of Adam's corrected means are then the gradient itself, so only eps is left. The step is
    the learning rate but for slopes below about 1e-5.

    >>> float(step_size(1000, 1e-3, 0.001).round(8)), float(step_size(1, 1e-6, 0.001).round(6))
    (0.00099994, 0.000387)
    """
    memory = np.sqrt(1 - 0.999 ** np.asarray(step, dtype=float))
    return learning_rate / (1 + eps / (2 * slope * memory)) if slope else 0.0 * memory


def flip_step(w0: ArrayLike, learning_rate: float) -> np.ndarray:
    """Return the step at which z stops being negative, elementwise in the initial kernel w0.

    Formula: ceil(w0/(2 lr)), 0 where w0 <= 0. Assumptions: s > 0, Adam from rest. Kind: exact to
    one step while s w0^2/(8 lr) is below 1 and 2 s sqrt(1 - b2^t) is far above eps; a lower bound
    always. Source: while z < 0 the gradients of w and b keep their signs and shrink, from
    2 s (1 + s w0) to 2 s, so each weight moves by lr and no more.

    >>> flip_step([0.0101, -0.3], 0.001).tolist()
    [6.0, 0.0]
    """
    return np.ceil(np.maximum(np.asarray(w0, dtype=float), 0) / (2 * learning_rate))


def reach(slope: float, learning_rate: float, steps: int, eps: float = 1e-7) -> tuple[float, float]:
    """Return bounds on the largest initial kernel whose sign is flipped within the steps.

    Formula: 2 R/(1 + sqrt(1 + 4 s R)) with R twice the sum of `step_size`, and 2 lr T.
    Assumptions: s > 0, Adam from rest in Keras's convention, b1 <= b2 = 0.999. Kind: a lower and
    an upper bound, both rigorous. Source: gradients of one sign shrink from 2 s (1 + s w0) to
    2 s, so no step exceeds lr and none is below its `step_size` divided by 1 + s w0; the lower
    bound solves w (1 + s w) = R.

    >>> [round(bound, 4) for bound in reach(0.3, 0.001, 100)]
    [0.1893, 0.2]
    """
    moved = 2 * float(np.sum(step_size(np.arange(1, steps + 1), slope, learning_rate, eps)))
    return 2 * moved / (1 + (1 + 4 * slope * moved) ** 0.5), 2 * learning_rate * steps


def not_flipped(law: Law, learning_rate: float, steps: int) -> float:
    """Return P(the output was never positive within the steps).

    Formula: P(w0 > 2 lr T). Assumptions and source: as `flip_step`. Kind: exact to one step of
    the flip; a lower bound always.

    >>> from scipy.stats import uniform
    >>> round(not_flipped(uniform(-0.05, 0.1), 0.001, 10), 12)
    0.3
    """
    return 1 - float(law.cdf(2 * learning_rate * steps))


def stuck(law: Law) -> float:
    """Return P(a unit with a plain ReLU never moves).

    Formula: P(w0 >= 0). Assumptions: slope 0, derivative 0 at 0. Kind: exact. Source: where
    z <= 0 the gradient is exactly 0 and Adam from rest stays at rest, however long.

    >>> from scipy.stats import norm
    >>> stuck(norm(0, 0.05)), stuck(PointMass(-1.0))
    (0.5, 0.0)
    """
    return float(law.value >= 0) if isinstance(law, PointMass) else 1 - float(law.cdf(0.0))


def too_late(law: Law, learning_rate: float, steps: int, tolerance: float = 0.1) -> float:
    """Return a lower bound on P(the output is further than `tolerance` from 1 after the steps).

    Formula: P(w0 > max(0, 2 lr T - (1 - tolerance - 2 lr)/7.2703)). Assumptions: as `flip_step`,
    b1 0.9 and b2 0.999. Kind: lower bound. Source: the flip takes w0/(2 lr) steps at least and
    leaves z at most 2 lr; after it no step of either weight exceeds 7.2703 lr, the supremum over
    all sequences of gradients.

    >>> from scipy.stats import uniform
    >>> round(too_late(uniform(-1, 2), 0.001, 400), 3)
    0.162
    """
    return 1 - float(law.cdf(_latest(learning_rate, steps, tolerance)))


def _latest(learning_rate: float, steps: int, tolerance: float) -> float:
    climb = max(0.0, 1 - tolerance - 2 * learning_rate) / LARGEST_STEP
    return max(0.0, 2 * learning_rate * steps - climb)


def fate(w0: ArrayLike, slope: float, learning_rate: float, steps: int) -> np.ndarray:
    """Return the outcome expected of every unit from its initial kernel w0, by name, elementwise.

    Formula: 'dead' where s = 0 and w0 >= 0; else 'unfinished' where w0 is beyond `too_late`'s
    limit; else 'solved' if lr T >= 3 max(1, |w0|); else '', nothing being known. Assumptions: one
    unit, Adam from rest (b1 0.9, b2 0.999), tolerance 0.1; 'solved' only for |w0| <= 4, rates up
    to 0.01 and s = 0 or from 1e-4 to 1, '' outside. Kind: exact for 'dead' and, but for the
    name, for 'unfinished' (where the loss has not visibly moved a unit is called other); an
    empirical rule for 'solved'. Source: `stuck`, `too_late`, and single units followed in float64.

    >>> fate([0.2, 0.0, -0.2], 0.0, 0.001, 10_000).tolist()
    ['dead', 'dead', 'solved']
    >>> fate([0.2, -0.2, 3.0], 0.001, 0.001, 1_000).tolist()
    ['', '', 'unfinished']
    """
    _check(slope, learning_rate, steps)
    kernel = np.asarray(w0, dtype=float)
    largest = np.maximum(np.abs(kernel), 1)
    known = learning_rate <= FASTEST and (slope == 0 or slope >= FLATTEST)
    arrives = known & (largest <= FARTHEST) & (learning_rate * steps >= 3 * largest)
    late = kernel > _latest(learning_rate, steps, 0.1)
    cases = [(slope == 0) & (kernel >= 0), late, arrives]
    return np.select(cases, ["dead", "unfinished", "solved"], "")


def predictions(
    law: Law | None, slope: float, learning_rate: float, steps: int, *, tolerance: float = 0.1
) -> tuple[Prediction, ...]:
    """Return what theory says about the events 'not_flipped' and 'training_fails'.

    `law` is the initial kernel's (None: not known), `tolerance` the distance from 1 that still
    counts as solved. Formula: for slope 0 `stuck` for both events; else `not_flipped` between the
    bounds of `reach`, one exact value where they agree to `EXACT_TO`, and for 'training_fails'
    `too_late` as a lower bound and 0 where training is long. Assumptions: checked; where one
    fails the probability is None and the reason says which. Kind: exact, bounds, and an
    empirical rule for long training. Source: those functions.

    >>> from scipy.stats import norm
    >>> [p.probability for p in predictions(norm(0, 0.05), 0.001, 0.001, 10_000)]
    [0.0, 0.0, 0.0]
    >>> [p.probability for p in predictions(norm(0, 0.05), 0, 0.001, 10_000)]
    [0.5, 0.5]
    """
    _check(slope, learning_rate, steps)
    if law is None:
        reason = "the initial kernel has no known law"
        return tuple(_record(event, "exact", None, reason) for event in _EVENTS)
    if slope == 0:
        return _of_plain_relu(law, learning_rate, steps)
    near, far = reach(slope, learning_rate, steps)
    low, high = 1 - float(law.cdf(far)), 1 - float(law.cdf(near))
    bounds = [("exact", low)] if high - low <= EXACT_TO else _both(low, high)
    reason = _objection(law, slope, learning_rate, steps)
    return (
        *(_record(_EVENTS[0], kind, value) for kind, value in bounds),
        _record(_EVENTS[1], "lower bound", too_late(law, learning_rate, steps, tolerance)),
        _record(_EVENTS[1], "empirical", None if reason else 0.0, reason),
    )


def _check(slope: float, learning_rate: float, steps: int) -> None:
    if not 0 <= slope <= 1:
        raise ValueError(f"slope is {slope!r}; it must lie in [0, 1]")
    if not (isfinite(learning_rate) and learning_rate > 0 and steps >= 1):
        raise ValueError(
            f"learning_rate and steps are {learning_rate!r} and {steps!r}; both must be above 0"
        )


_EVENTS = ("not_flipped", "training_fails")


def _of_plain_relu(law: Law, learning_rate: float, steps: int) -> tuple[Prediction, ...]:
    # A unit that starts positive must have had the time to reach 1 without passing below 0.
    kind = "lower bound" if _objection(law, 1.0, learning_rate, steps) else "exact"
    value = stuck(law)
    return _record(_EVENTS[0], "exact", value), _record(_EVENTS[1], kind, value)


def _objection(law: Law, slope: float, learning_rate: float, steps: int) -> str:
    """Return why training may end before the target, or '' where it will have got there.

    The limits were chosen by following single units in float64, from |w0| <= 4 and at rates up
    to 0.01: all are within a tenth of 1 in time, and none falls back below 0.
    """
    largest = max(1.0, *np.abs(law.ppf(np.array([1e-4, 1 - 1e-4]))).tolist())
    if slope < FLATTEST:
        return f"the slope is {slope:g}, below 1e-4: gradients come near Adam's eps"
    if learning_rate > FASTEST:
        return f"the learning rate is {learning_rate:g}, above 0.01: Adam's momentum overshoots"
    if largest > FARTHEST:
        return f"initial kernels reach {largest:.3g}, beyond 4, from where units were not followed"
    if learning_rate * steps < 3 * largest:
        return (
            f"training is too short: learning rate times steps is {learning_rate * steps:g}, "
            f"below {3 * largest:.3g} the output may still be on its way to 1"
        )
    return ""


def _both(low: float, high: float) -> list[tuple[str, float]]:
    return [("lower bound", low), ("upper bound", high)]


def _record(event: str, kind: str, probability: float | None, reason: str = "") -> Prediction:
    return Prediction(
        name="sign of the weight",
        event=event,
        kind=kind,
        probability=probability,
        source="trajectories of single units" if kind == "empirical" else _SPEED,
        assumptions=_SETTING,
        tolerance=0.005 if kind == "empirical" else None,
        reason=reason,
    )
