"""Initial weights that are not independent draws: what is still exact about signs and fates on |x|.

Orthogonal matrices put the k kernels of a 1-k-1 network, and its k output weights, on the unit
sphere. Randomised asymmetric initialisation (RAI) draws one number per unit, a weight or the bias,
from a law of positive numbers.
"""

from jaxlab.theory.absolute_value import one_sided_at_init
from jaxlab.theory.prediction import Prediction

_SPHERE = "kernels and output weights of direction uniform on the unit sphere, independent"
_ASYMMETRIC = "RAI with one input: a kernel is from Beta(2, 1) or Gaussian, each half of the time"


def one_sided_asymmetric(k: int) -> float:
    """Return P(all k kernels have one sign) before any training, for RAI and one input.

    Formula: (3/4)^k + (1/4)^k. Assumptions: a unit's positive number is its kernel or its bias,
    each with probability 1/2; the other is symmetric about 0. Kind: exact. Source: a kernel is
    positive with probability 1/2 + 1/2 * 1/2.

    >>> one_sided_asymmetric(2)
    0.625
    """
    if k != int(k) or k < 1:
        raise ValueError(f"k is {k!r}; it must be a whole number of hidden units, at least 1")
    return 0.75**k + 0.25**k


def fails_on_circle() -> float:
    """Return P(the fate rule expects two units to fail), of orthogonal initial weights.

    Formula: 3/4. Assumptions: kernels and output weights each of direction uniform on the unit
    circle. Kind: exact. Source: both squares sum to 1, so exactly one unit has |a| < |w| and lives;
    the other lives if a > 0, and both sides are fitted if the kernels' signs differ as well.

    >>> fails_on_circle()
    0.75
    """
    return 1 - 0.5 * 0.5


def orthogonal_predictions(k: int) -> tuple[Prediction, ...]:
    """Return what theory says of orthogonal weights: signs, and of the fates what is known.

    Formula: `one_sided_at_init`; `fails_on_circle` for k = 2; a side is always fitted, for some
    |a| is below its |w|. Assumptions: checked by the caller. Kind: exact. Source: those functions.

    >>> [(p.event, p.probability) for p in orthogonal_predictions(3)]
    [('one_sided_at_init', 0.25), ('fate_neither', 0.0)]
    """
    chances = {"fate_fails": fails_on_circle(), "fate_one_side": fails_on_circle()}
    chances = {**(chances if k == 2 else {}), "fate_neither": 0.0}
    signs = _exact("initial signs", "one_sided_at_init", one_sided_at_init(k), _SPHERE)
    return (signs, *(_exact("fates on the sphere", e, p, _SPHERE) for e, p in chances.items()))


def asymmetric_predictions(k: int) -> tuple[Prediction, ...]:
    """Return what theory says of the signs of RAI's kernels.

    Formula: `one_sided_asymmetric`. Assumptions: checked by the caller. Kind: exact. Source: that
    function.

    >>> asymmetric_predictions(2)[0].probability
    0.625
    """
    p = one_sided_asymmetric(k)
    return (_exact("signs of asymmetric weights", "one_sided_at_init", p, _ASYMMETRIC),)


def _exact(name: str, event: str, probability: float, assumptions: str) -> Prediction:
    return Prediction(name, event, "exact", probability, "counting sign patterns", assumptions)
