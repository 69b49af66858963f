"""What the fates read off initial weights add up to: probabilities at birth, not after training.

`absolute_value.fate` names the outcome that each network should have. How often it says so is a
fact about the weights' laws alone; whether training agrees is another question, which
`absolute_value_predictions` and `momentum_predictions` answer. Events: 'fate_fails',
'fate_one_side', 'fate_neither'.
"""

from jaxlab.theory.absolute_value import (
    no_side_fitted,
    one_side_fitted,
    survival_probability,
    training_fails,
)
from jaxlab.theory.laws import Law, PointMass, is_symmetric
from jaxlab.theory.prediction import Prediction

EVENTS = ("fate_fails", "fate_one_side", "fate_neither")


def predictions(k: int, w_law: Law | None, a_law: Law | None) -> tuple[Prediction, ...]:
    """Return how often the fate rule expects k units to fail, to fit one side, to fit none.

    A law is None where a layer's weights are not independent draws of one law. Formula:
    `training_fails`, `one_side_fitted` and `no_side_fitted` at r = `survival_probability`.
    Assumptions: checked; where one fails the probability is None and the reason says which. Kind:
    exact. Source: the rule treats units apart, and the two signs of a kernel are equally likely.

    >>> from scipy.stats import uniform
    >>> [p.probability for p in predictions(2, uniform(-1, 2), uniform(-1, 2))]
    [0.71875, 0.65625, 0.0625]
    """
    reason = _objection(w_law, a_law)
    if reason or w_law is None or a_law is None:
        return tuple(_record(event, None, reason) for event in EVENTS)
    r = survival_probability(w_law, a_law)
    values = training_fails(k, r), one_side_fitted(k, r), no_side_fitted(k, r)
    return tuple(_record(event, v, "") for event, v in zip(EVENTS, values, strict=True))


def _objection(w_law: Law | None, a_law: Law | None) -> str:
    for name, law in (("kernels", w_law), ("output weights", a_law)):
        if law is None:
            return f"the {name} are not independent draws from one law"
        if isinstance(law, PointMass) or not is_symmetric(law):
            return f"the law of the {name} is not continuous and symmetric about 0"
    return ""


def _record(event: str, probability: float | None, reason: str) -> Prediction:
    return Prediction(
        name="fates at birth",
        event=event,
        kind="exact",
        probability=probability,
        source="the survival formula, of the fate rule itself",
        assumptions="independent weights; kernels and output weights symmetric about 0",
        reason=reason,
    )
