"""Turn the momentum law of |x| into a prediction, or into the reason why there is none.

Brings together `momentum` (how many units live) and `absolute_value` (what follows for k of them),
fixes where the law may speak and how far it may be off. Both were fixed on the map of a single
unit, not on trainings of networks.
"""

from jaxlab.theory.absolute_value import training_fails
from jaxlab.theory.crossing import crossing_probability
from jaxlab.theory.decoupling import (
    CROSSING_ALLOWED,
    Conditions,
    kernel_objections,
    largest_weight,
    objections,
    output_objections,
    tolerance,
)
from jaxlab.theory.laws import Law
from jaxlab.theory.momentum import survival_with_momentum
from jaxlab.theory.prediction import Prediction

DECAYS = (0.8, 0.95)
"""Adam's b1 for which `threshold` was compared with the map; 0.9 lies between."""

MISJUDGED = 0.1
"""By what share of l the momentum law may be off, as a tolerance: see `spread`."""

DRIVE = 0.5
"""Largest k (10 l)^2, the slope that k units reach while fates are decided, that passes as small.

Fates are decided while weights move by 10 l or so; a side is learnt when its slope is 1.
"""


def spread(k: int, w_law: Law, a_law: Law, carried: float) -> float:
    """Return how much P(training fails) may owe to the momentum law's own inaccuracy.

    Formula: the larger change of P when l is multiplied by 1 - `MISJUDGED` or 1 + `MISJUDGED`.
    Assumptions: those of `survival_with_momentum`. Kind: empirical. Source: for uniform and
    Gaussian laws of all scales, and layers of unequal scale, this and half a point cover the
    difference between `threshold` and the map at b1 = 0.8, 0.9 and 0.95, with noisy batches too.

    >>> from scipy.stats import norm
    >>> round(spread(2, norm(0, 0.02), norm(0, 0.02), 0.01), 3)
    0.016
    """
    at = [
        training_fails(k, survival_with_momentum(w_law, a_law, factor * carried))
        for factor in (1 - MISJUDGED, 1, 1 + MISJUDGED)
    ]
    return max(abs(at[0] - at[1]), abs(at[2] - at[1]))


def predictions(
    k: int, w_law: Law | None, a_law: Law | None, conditions: Conditions
) -> tuple[Prediction, ...]:
    """Return P(training fails) for k units with random weights, small ones or large, as a record.

    The only event is 'training_fails'. A law is None where a layer's weights are not independent
    draws from one law. Formula: `absolute_value.training_fails` at r = `survival_with_momentum`:
    the survival formula for large weights, 2^(1-k), the folk formula, for tiny ones. Assumptions:
    checked; where one fails the probability is None and the reason says which. Kind: empirical;
    the tolerance is that of the survival formula and `spread`. Source: a unit that swings through
    0 ends on either side, and a symmetric law makes both equally likely.

    >>> from scipy.stats import norm
    >>> (tiny,) = predictions(3, norm(0, 0.004), norm(0, 0.004), Conditions(steps=13_000))
    >>> round(tiny.probability, 4)
    0.25
    """
    reasons = kernel_objections(w_law) + output_objections(a_law)
    if reasons or w_law is None or a_law is None:
        return (_record(None, None, reasons),)
    crossing = crossing_probability(k, w_law, a_law)
    reasons = objections(conditions, largest_weight(w_law, a_law))
    reasons += _objections(k, conditions, crossing)
    if reasons:
        return (_record(None, None, reasons),)
    carried = conditions.carried
    fails = training_fails(k, survival_with_momentum(w_law, a_law, carried))
    return (_record(fails, tolerance(crossing) + spread(k, w_law, a_law, carried), []),)


def _objections(k: int, conditions: Conditions, crossing: float) -> list[str]:
    """Return what stands against the momentum law beyond what does against the survival formula."""
    b1, low, high = conditions.first_moment_decay, *DECAYS
    found = []
    if not low <= b1 <= high:
        found.append(f"Adam's b1 is {b1:g}, the momentum law was made for {low:g} to {high:g}")
    if conditions.input_limit < 300:
        found.append(
            f"inputs end at {conditions.input_limit:g}, below 300: biases end swings early"
        )
    if conditions.bias_limit > 0:
        found.append(f"initial biases reach {conditions.bias_limit:g}; they must be 0")
    if k * (10 * conditions.carried) ** 2 > DRIVE:
        found.append(
            f"momentum carries weights by {conditions.carried:g}, so far that {k} units learn "
            "their sides while fates are decided"
        )
    if crossing > CROSSING_ALLOWED:
        found.append(
            f"initial weights are so large that units change sides: {100 * crossing:.1f} points "
            "of the failures heal under gradient flow"
        )
    return found


def _record(probability: float | None, slack: float | None, reasons: list[str]) -> Prediction:
    return Prediction(
        name="momentum law",
        event="training_fails",
        kind="empirical",
        probability=probability,
        source="a single unit under Adam, computed step by step for this package",
        assumptions=(
            "independent weights of symmetric laws; ReLU; biases 0; Adam at a constant rate, b1 "
            "0.8 to 0.95, b2 from 0.99 on; inputs symmetric about 0 and of order 1000; lr/(1-b1) "
            "small beside 1; no units that change sides; training long enough, but lr times steps "
            "small beside the inputs"
        ),
        tolerance=slack,
        reason="; ".join(reasons),
    )
