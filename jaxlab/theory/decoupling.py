"""When the half-lines of |x| are learnt apart: the conditions of the survival formulas.

Answers one question, may the formulas of `absolute_value` be applied to this training, and
answers it with sentences: a list of objections is empty, or says what stands against it. Where
they may, `tolerance` says how closely. Weights that are small beside the learning rate are the
business of `momentum`, which shares the other conditions.
"""

from dataclasses import dataclass
from math import isfinite

import numpy as np

from jaxlab.theory.laws import Law, PointMass, is_symmetric, probability_within

SHIFT_ALLOWED = 0.005
"""Largest change of P(fail) by momentum, as bounded below, that still passes as none."""

CROSSING_ALLOWED = 0.02
"""Largest share of members saved by crossing for which the formulas are still offered."""

DRIFT_ALLOWED = 0.15
"""Largest `Conditions.drift` for which the formulas are still offered.

A side without a living unit lets the output's bias drift, and the other side's units, bent at
the height of that bias, miss the target there: by drift^(3/2) of its size, 0.06 at 0.15, the
tolerance of a tenth at 0.215. Measured on 2026-11-29 with two and four units, rates 1e-3 and 3e-3,
inputs up to 100, 300 and 1000, 4,000 networks each: sides count as fitted as predicted up to 0.2,
not at 0.3; failures are the formula's up to 0.8, and 50 instead of 72 % from 0.9 on (two units),
where biases have crossed the inputs and cure three in ten of those that should fail.
"""


@dataclass(frozen=True)
class Conditions:
    """Say how a 1-k-1 network is trained on |x|, as far as theory asks.

    `first_moment_decay` is Adam's b1, `steps` the number of updates, `input_limit` the largest
    |x|, `bias_limit` the largest |bias| at the start (0 for zero biases).

    >>> Conditions(steps=13_000).learning_rate
    0.001
    """

    steps: int
    learning_rate: float = 0.001
    first_moment_decay: float = 0.9
    optimiser: str = "adam"
    activation: str = "relu"
    input_limit: float = 1000.0
    bias_limit: float = 0.0

    def __post_init__(self) -> None:
        """Refuse numbers that describe no training."""
        for field in ("steps", "learning_rate", "input_limit"):
            value = getattr(self, field)
            if not (isfinite(value) and value > 0):
                raise ValueError(f"{field} is {value!r}; it must be a number above 0")
        if not 0 <= self.first_moment_decay < 1:
            raise ValueError(
                f"first_moment_decay is {self.first_moment_decay!r}; it must lie in [0, 1)"
            )
        if not (isfinite(self.bias_limit) and self.bias_limit >= 0):
            raise ValueError(f"bias_limit is {self.bias_limit!r}; it must be 0 or above")

    @property
    def drift(self) -> float:
        """Return how far a bias may travel within training, relative to the largest input.

        Formula: lr T/X, X the largest |x|. Assumptions: Adam at a constant rate, gradients of
        constant sign. Kind: empirical. Source: such steps have the size lr; single ones may be
        larger (`steps.largest_step`).

        >>> round(Conditions(steps=13_000).drift, 6)
        0.013
        """
        return self.learning_rate * self.steps / self.input_limit

    @property
    def carried(self) -> float:
        """Return l, the way that Adam's momentum carries a weight on.

        Formula: lr/(1 - b1). Assumptions: Adam at a constant rate. Kind: exact. Source: the sum
        of lr b1^t over all steps t from 0 on.

        >>> round(Conditions(steps=13_000).carried, 6)
        0.01
        """
        return self.learning_rate / (1 - self.first_moment_decay)

    @property
    def coasting(self) -> float:
        """Return the magnitude below which Adam's momentum decides a unit's fate.

        Formula: 3 lr/(1 - b1). Assumptions: Adam from rest, gradients of constant sign. Kind:
        empirical. Source: a single unit under Adam, solved numerically in `momentum`: it lives
        when |a| < max(|w|, about 3 lr/(1 - b1)).

        >>> round(Conditions(steps=13_000).coasting, 6)
        0.03
        """
        return 3 * self.carried


def objections(
    conditions: Conditions, largest_weight: float, bias_share: float = 1e-3
) -> list[str]:
    """Return what stands against the survival formulas, whatever the weights' laws.

    `largest_weight` is a magnitude that few initial weights exceed. Formula: Adam, ReLU, inputs up
    to 100 or more, biases at most a thousandth of that, and a way lr * steps of at least 3 max(1,
    largest_weight) and at most `DRIFT_ALLOWED` of the inputs. Assumptions: b2 near 0.999. A
    positive bias keeps a unit active while its kernel passes 0 and could revive it; but Adam lowers
    the bias by lr a step, while the output weight, whose second moment remembers gradients larger
    by the inputs' size, hardly moves, so small random biases may pass for zero. With a short memory
    they may not. Kind: empirical. Source: chosen here from the scales in play.

    >>> objections(Conditions(steps=13_000, activation="leaky_relu"), 1.4)
    ['the activation is leaky_relu, not relu: its two slopes are tied and a unit serves both sides']
    """
    way = conditions.learning_rate * conditions.steps
    needed = 3 * max(1.0, largest_weight)
    found = []
    if conditions.activation != "relu":
        found.append(
            f"the activation is {conditions.activation}, not relu: "
            "its two slopes are tied and a unit serves both sides"
        )
    if conditions.optimiser not in ("adam", "keras_adam"):
        found.append(f"the optimiser is {conditions.optimiser}, the rule is stated for Adam")
    if conditions.input_limit < 100:
        found.append(f"inputs end at {conditions.input_limit:g}, below 100: biases move the kinks")
    if conditions.bias_limit > conditions.input_limit * bias_share:
        found.append(
            f"initial biases reach {conditions.bias_limit:g}, "
            f"more than {bias_share:g} of the inputs"
        )
    if way < needed:
        found.append(
            f"training is too short: learning rate times steps is {way:g}, "
            f"below {needed:.3g} a failure may be a network still on its way"
        )
    if conditions.drift > DRIFT_ALLOWED:
        found.append(
            f"training is so long that biases may travel {conditions.drift:.3g} of the largest "
            f"input (learning rate times steps over it), above {DRIFT_ALLOWED:g}: they bend what "
            "is fitted and may cure what is not"
        )
    return found


def kernel_objections(w_law: Law | None) -> list[str]:
    """Return what stands against a law of kernels, None where they have none in common.

    Formula: symmetric about 0, and not a single value. Assumptions: none. Kind: exact. Source:
    the formulas give both sides the same chances.

    >>> kernel_objections(None)
    ['hidden kernels are not independent draws from one known law']
    """
    if w_law is None:
        return ["hidden kernels are not independent draws from one known law"]
    if isinstance(w_law, PointMass):
        return ["hidden kernels are fixed values, for which pattern_predictions is made"]
    return [] if is_symmetric(w_law) else ["the law of hidden kernels is not symmetric about 0"]


def output_objections(a_law: Law | None) -> list[str]:
    """Return what stands against a law of output weights, None where they have none in common.

    Formula: symmetric about 0. Assumptions: none. Kind: exact. Source: a > 0 needs probability
    1/2.

    >>> output_objections(PointMass(1.0))
    ['the law of output weights is not symmetric about 0']
    """
    if a_law is None:
        return ["output weights are not independent draws from one known law"]
    return [] if is_symmetric(a_law) else ["the law of output weights is not symmetric about 0"]


def momentum_gain(conditions: Conditions, w: Law | float, a_law: Law) -> float:
    """Return by how much Adam's momentum can raise a unit's survival beyond |a| < |w|.

    Formula: half of P(|w| < |a| < c), c = `coasting`, for one kernel w; for a law of kernels
    its bound P(|w| < c) P(|a| < c)/2. Assumptions: symmetric a. Kind: upper bound, given c.
    Source: the rule of `coasting`.

    >>> from scipy.stats import uniform
    >>> round(momentum_gain(Conditions(steps=13_000), uniform(-1, 2), uniform(-1, 2)), 6)
    0.00045
    """
    reach = conditions.coasting
    within = float(probability_within(a_law, reach))
    if isinstance(w, (int, float)):
        return max(0.0, within - float(probability_within(a_law, abs(w)))) / 2 if w else 0.0
    return within * float(probability_within(w, reach)) / 2


def weight_objections(conditions: Conditions, shift: float, crossing: float) -> list[str]:
    """Return what stands against weights that are too small or too large.

    `shift` is the change of P(fail) when every unit's survival is raised by `momentum_gain`,
    `crossing` the share of members saved by units that change sides. Formula: at most
    `SHIFT_ALLOWED` and `CROSSING_ALLOWED`. Assumptions: those of the two numbers. Kind: empirical.
    Source: limits chosen here, below the tolerance of the predictions they guard.

    >>> weight_objections(Conditions(steps=13_000), 0.001, 0.003)
    []
    """
    found = []
    if abs(shift) > SHIFT_ALLOWED:
        found.append(
            f"initial weights are small beside the learning rate {conditions.learning_rate:g}: "
            "Adam's momentum carries units through 0 and may change P(fail) by "
            f"{100 * abs(shift):.1f} points, which the momentum law counts in"
        )
    if crossing > CROSSING_ALLOWED:
        found.append(
            f"initial weights are so large that units change sides: {100 * crossing:.1f} points "
            "of the failures heal under gradient flow"
        )
    return found


def tolerance(crossing: float) -> float:
    """Return how far from the survival formula Adam may be and still agree with it.

    Formula: the larger of 0.015 and 0.01 + crossing. Assumptions: Adam differs from gradient
    flow, whose own distance from the formula is `crossing`, by at most a point. Kind:
    empirical. Source: chosen here before any training, from `crossing_probability` at k = 2:
    about 0.0025 for glorot_uniform and lecun, 0.009 for he_uniform, 0 for PyTorch's weights.

    >>> round(tolerance(0.0025), 4), round(tolerance(0.009), 4)
    (0.015, 0.019)
    """
    return max(0.015, 0.01 + crossing)


def largest_weight(*laws: Law) -> float:
    """Return the largest of the laws' magnitudes that one weight in a hundred exceeds.

    >>> from scipy.stats import uniform
    >>> largest_weight(uniform(-1, 2), uniform(-2, 4))
    1.98
    """
    return float(np.max([np.abs(law.ppf([0.005, 0.995])) for law in laws]))
