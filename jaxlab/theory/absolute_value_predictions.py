"""Turn the formulas for |x| into predictions, or into the reason why there is none.

Brings together `absolute_value` (formulas), `decoupling` (when they apply, and how closely),
`crossing` (what they leave out) and `momentum_predictions` (weights small beside the learning
rate). Events: 'one_sided_at_init' (the initial kernels do not have both signs), 'training_fails' (a
side is not fitted), 'one_side_fitted' (exactly one is), 'neither_fitted'.
"""

from collections.abc import Sequence

import numpy as np

from jaxlab.theory import momentum_predictions
from jaxlab.theory.absolute_value import (
    no_side_fitted,
    one_side_fitted,
    one_sided_at_init,
    sides_fitted,
    survival_probability,
    training_fails,
    unit_survival,
)
from jaxlab.theory.crossing import crossing_probability
from jaxlab.theory.decoupling import (
    Conditions,
    kernel_objections,
    largest_weight,
    momentum_gain,
    objections,
    output_objections,
    tolerance,
    weight_objections,
)
from jaxlab.theory.laws import Law, PointMass
from jaxlab.theory.prediction import Prediction

_DERIVED = "conservation of w^2 - a^2 by gradient flow, derived for this package"
_TRAINED = (
    "independent weights; symmetric output weights; ReLU; Adam at a constant rate; inputs "
    "symmetric about 0 and of order 1000, biases at most a thousandth of that; weights neither "
    "small beside the learning rate nor so large that units change sides; training long enough, "
    "but lr times steps small beside the inputs"
)


def predictions(
    k: int, w_law: Law | None, a_law: Law | None, conditions: Conditions
) -> tuple[Prediction, ...]:
    """Return what theory says about k hidden units with random weights.

    In this order: 'one_sided_at_init' (exact), 'training_fails', 'one_side_fitted' and
    'neither_fitted' by the survival formula (empirical), the folk formula's lower bound on
    'training_fails', and 'training_fails' by the momentum law (empirical). Where weights are large
    beside the learning rate both laws speak and agree; where they are small the survival formula
    is withheld. A law is None where a layer's weights are not independent draws from one law.
    Formula: those of `absolute_value` and `momentum`. Assumptions: checked; where one fails the
    probability is None and the reason says which. Kind: as listed. Source: as the formulas.

    >>> from scipy.stats import uniform
    >>> law = uniform(-1, 2)
    >>> said = predictions(2, law, law, Conditions(steps=13_000))
    >>> [round(p.probability, 4) for p in said]
    [0.5, 0.7188, 0.6562, 0.0625, 0.5, 0.7186]
    """
    with_momentum = momentum_predictions.predictions(k, w_law, a_law, conditions)
    kernel = kernel_objections(w_law)
    signs = _signs(one_sided_at_init(k), kernel)
    reasons = kernel + output_objections(a_law)
    if reasons or w_law is None or a_law is None:
        trained = _after_training((), 0.0, reasons)
        return (signs, *trained, folk_training_fails(k, reasons), *with_momentum)
    r = survival_probability(w_law, a_law)
    gained = min(1.0, r + momentum_gain(conditions, w_law, a_law))
    values = (training_fails(k, r), one_side_fitted(k, r), no_side_fitted(k, r))
    crossing = crossing_probability(k, w_law, a_law)
    reasons = objections(conditions, largest_weight(w_law, a_law))
    reasons += weight_objections(conditions, values[0] - training_fails(k, gained), crossing)
    trained = _after_training(values, crossing, reasons)
    return (signs, *trained, folk_training_fails(k, reasons), *with_momentum)


def pattern_predictions(
    kernels: Sequence[float], a_law: Law | None, conditions: Conditions
) -> tuple[Prediction, ...]:
    """Return what theory says about given kernels with random output weights.

    In this order: 'one_sided_at_init' (exact, 0 or 1), 'training_fails', 'one_side_fitted' and
    'neither_fitted' (empirical); a side without units is never fitted. Formula: R and L, the
    probabilities of `sides_fitted` with `unit_survival`, are independent: 1 - RL,
    R(1 - L) + L(1 - R), (1 - R)(1 - L). Assumptions: checked, as in `predictions`. Kind: as
    listed. Source: as `absolute_value`.

    >>> from scipy.stats import uniform
    >>> good = pattern_predictions([-1.0, 1.0], uniform(-2, 4), Conditions(steps=13_000))
    >>> good[1].probability
    0.4375
    """
    w = [float(value) for value in kernels]
    signs = _signs(0.0 if min(w) < 0 < max(w) else 1.0, [])
    reasons = output_objections(a_law)
    if reasons or a_law is None:
        return (signs, *_after_training((), 0.0, reasons))
    alive = unit_survival(w, a_law)
    gained = alive + [momentum_gain(conditions, value, a_law) for value in w]
    values = _side_events(*sides_fitted(w, alive))
    crossing = crossing_probability(len(w), w, a_law)
    reasons = objections(conditions, largest_weight(a_law, *map(PointMass, w)))
    if 0.0 in w and conditions.bias_limit > 0:
        reasons.append("a kernel is 0: with a bias its unit is not dead and may serve either side")
    shift = values[0] - _side_events(*sides_fitted(w, np.minimum(gained, 1)))[0]
    return (
        signs,
        *_after_training(
            values, crossing, reasons + weight_objections(conditions, shift, crossing)
        ),
    )


def folk_training_fails(k: int, reasons: Sequence[str] = ()) -> Prediction:
    """Return the folk formula as what it is for trained networks, a lower bound.

    Formula: P(training fails) >= 2^(1-k). Assumptions: those of the survival formula; the bound
    is on the probability and says nothing about a single member: a network with kernels of both
    signs may fail, and a one-sided one may succeed: rarely when weights are large, often when
    training is so long that biases cross the inputs, where the bound is withheld. Kind: lower
    bound, reached as weights become small beside the learning rate. Source: `training_fails`
    falls in r and is 2^(1-k) at r = 1. With `reasons` against it the bound is withheld.

    >>> folk_training_fails(3).probability
    0.25
    """
    return Prediction(
        name="folk formula",
        event="training_fails",
        kind="lower bound",
        probability=None if reasons else training_fails(k, 1.0),
        source="a side without a kernel of its sign at initialisation is not fitted while biases "
        "stay small beside the inputs",
        assumptions=_TRAINED,
        reason="; ".join(reasons),
    )


def _side_events(right: float, left: float) -> tuple[float, float, float]:
    """Return P(some side not fitted), P(exactly one fitted), P(none fitted)."""
    one = right * (1 - left) + left * (1 - right)
    return 1 - right * left, one, (1 - right) * (1 - left)


def _signs(probability: float, reasons: Sequence[str]) -> Prediction:
    return Prediction(
        name="initial signs",
        event="one_sided_at_init",
        kind="exact",
        probability=None if reasons else probability,
        source="counting sign patterns",
        assumptions="kernels given, or independent, symmetric about 0 and never exactly 0",
        reason="; ".join(reasons),
    )


def _after_training(
    values: Sequence[float], crossing: float, reasons: Sequence[str]
) -> tuple[Prediction, ...]:
    events = ("training_fails", "one_side_fitted", "neither_fitted")
    known = [None] * len(events) if reasons else values
    return tuple(
        Prediction(
            name="survival formula",
            event=event,
            kind="empirical",
            probability=value,
            source=_DERIVED,
            assumptions=_TRAINED,
            tolerance=tolerance(crossing),
            reason="; ".join(reasons),
        )
        for event, value in zip(events, known, strict=True)
    )
