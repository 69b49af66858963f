"""What one random ReLU unit does on a set of inputs: nothing, everything, or bend.

A unit is relu(w x + b). It is dead, or inactive, where that is 0 on all inputs; it is linear where
w x + b is nowhere negative. Dead units get no gradient, so how many live at birth bounds what a
network with one hidden layer can learn at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom, norm, t

from jaxlab.theory.laws import Law, PointMass, is_symmetric, probability_smaller
from jaxlab.theory.prediction import Prediction

_ZERO = PointMass(0.0)


@dataclass(frozen=True)
class _Scaled:
    """Stand for the law of `factor` times a number of the given law."""

    law: Law
    factor: float

    @property
    def dist(self) -> Any:
        return getattr(self.law, "dist", None)

    def cdf(self, x: ArrayLike, /) -> Any:
        return self.law.cdf(np.asarray(x, dtype=float) / self.factor)

    def ppf(self, q: ArrayLike, /) -> Any:
        return self.factor * np.asarray(self.law.ppf(q))

    def support(self) -> tuple[Any, Any]:
        low, high = self.law.support()
        return self.factor * low, self.factor * high


def dead_on_ball(dimensions: int, radius: float, kernel: float, bias: float) -> float:
    """Return P(a unit is dead on the ball |x| <= radius) for Gaussian weights.

    `kernel` and `bias` are standard deviations. Formula: Student's distribution function with d
    degrees of freedom at -R sqrt(d) kernel/bias; arctan(bias/(R kernel))/pi for d = 1.
    Assumptions: independent centred Gaussians. Kind: exact. Source: dead means b <= -R |w|, and b
    over the root mean square of w is Student's t but for its scale.

    >>> round(dead_on_ball(1, 1.0, 1.0, 1.0), 12), round(dead_on_ball(2, 1.0, 1.0, 1.0), 6)
    (0.25, 0.146447)
    """
    d = _count("dimensions", dimensions)
    if bias == 0:
        return 0.0
    scale = _positive("radius", radius) * _positive("kernel", kernel) / _positive("bias", bias)
    return float(t.cdf(-(d**0.5) * scale, d))


def dead_on_interval(radius: float, kernel_law: Law, bias_law: Law) -> float:
    """Return P(a unit is dead on all of -radius <= x <= radius), or on its two ends.

    Formula: P(R |w| < |b|)/2; with r = R A/B for uniform laws on (-A, A) and (-B, B) this is
    1/2 - r/4 up to r = 1 and 1/(4 r) beyond, so 1/4 for PyTorch's defaults and R = 1.
    Assumptions: w independent of b, b symmetric about 0, laws continuous or b always 0. Kind:
    exact (other laws than uniform and Gaussian by quadrature, to 1e-8). Source: dead means
    b <= -R |w|, and b < 0 has probability 1/2 given |b|.

    >>> from scipy.stats import uniform
    >>> dead_on_interval(1.0, uniform(-1, 2), uniform(-1, 2))
    0.25
    """
    if not is_symmetric(bias_law):
        raise ValueError("bias_law is not symmetric about 0; it must be, b < 0 needs P = 1/2")
    scaled = _Scaled(kernel_law, _positive("radius", radius))
    return 0.5 * (1 - probability_smaller(bias_law, scaled))


def fewer_live(units: int, dead: float, least: int) -> float:
    """Return P(fewer than `least` of the units are not dead).

    `dead` is the probability that one is. Formula: the binomial distribution function of `units`
    trials and success 1 - dead, at least - 1. Assumptions: independent units of one law. Kind:
    exact. Source: counting.

    >>> fewer_live(2, 0.25, 2)
    0.4375
    """
    if not 0 <= dead <= 1:
        raise ValueError(f"dead is {dead!r}; it must be a probability in [0, 1]")
    return float(binom.cdf(least - 1, _count("units", units), 1 - dead))


def learns_absolute_value(units: int, dead: float) -> float:
    """Return an upper bound on P(a 1-n-1 network learns |x|).

    Formula: P(at least two units live) = 1 - `fewer_live`(units, dead, 2). Assumptions: as there;
    `dead` refers to the training inputs; a step is a function of past gradients that is 0 where
    all of them are (no weight decay); learning means to err less than every function with one kink
    (on uniform inputs these err by at least (3 - 2 sqrt 2) E[x^2]). Kind: upper bound. Source: a
    dead unit never moves, so with one live unit the function is constant up to a kink and straight
    beyond. On which side the others start is not used: while training, kinks move.

    >>> learns_absolute_value(2, 0.25)
    0.5625
    """
    return 1 - fewer_live(units, dead, 2)


def inactive_on_cube(dimensions: int) -> Fraction:
    """Return P(a unit without bias is 0 on all of the cube [0, 1]^d).

    Also P(it is linear there); what is left is P(it bends). Formula: 2^-d. Assumptions: bias 0,
    independent weights with continuous laws symmetric about 0. Kind: exact. Source: the corners on
    the axes show the sign of each weight; all must be negative (linear: positive).

    >>> inactive_on_cube(3)
    Fraction(1, 8)
    """
    return Fraction(1, 2 ** _count("dimensions", dimensions))


def second_layer_inactive(inputs: int, units: int) -> Fraction:
    """Return P(a unit of the second layer is 0 for all inputs), with `units` in the first.

    Formula: 2^-(n+1) for n <= inputs, (2^(n-1) + 1)/4^n for n = inputs + 1. Assumptions: random
    biases in both layers; all weights and biases independent, continuous and symmetric about 0;
    inputs from the whole space. Kind: exact. Source: Brownlowe et al. 2024, derived here. For
    n <= inputs the first layer reaches every vector that is not negative, so all n weights v and
    the bias c must be negative. For one unit more what enters its ReLU fills a hyperplane u z = s,
    s > 0, where all signs of u, v and c are equally likely. Negative v and c still suffice. Two of
    the 2^(2n+1) cases are inactive with one of them positive, whatever the magnitudes: the one
    with the smallest of |v_i|/|u_i| and |c|/s, where u_i alone is positive (for c: all are), and
    the one with the smallest |v_i|/|u_i|, where u_i alone is negative.

    >>> second_layer_inactive(2, 2), second_layer_inactive(1, 2), second_layer_inactive(2, 3)
    (Fraction(1, 8), Fraction(3, 16), Fraction(5, 64))
    """
    d, n = _count("inputs", inputs), _count("units", units)
    if n > d + 1:
        raise ValueError(f"units is {units!r}; it must be at most inputs + 1, {d + 1}")
    return Fraction(1, 2 ** (n + 1)) if n <= d else Fraction(2 ** (n - 1) + 1, 4**n)


def predictions(
    units: int, dimensions: int, radius: float, kernel_law: Law | None, bias_law: Law | None
) -> tuple[Prediction, ...]:
    """Return what theory says about a layer of units on inputs that fill a ball.

    In this order: 'unit_dead', 'fewer_than_two_live' and, in one dimension, where it is enough
    that -radius and radius are the outermost inputs, 'learns_absolute_value'. A law is None where
    weights are not independent draws of one law; zero biases are `PointMass(0.0)`. Formula:
    `dead_on_interval` or `dead_on_ball`, `fewer_live`, `learns_absolute_value`. Assumptions:
    checked; where one fails the probability is None and the reason says which. Kind: exact,
    exact, upper bound. Source: those functions.

    >>> from scipy.stats import uniform
    >>> [p.probability for p in predictions(2, 1, 1.0, uniform(-1, 2), uniform(-1, 2))]
    [0.25, 0.4375, 0.5625]
    """
    events = ["unit_dead", "fewer_than_two_live", "learns_absolute_value"][: 2 + (dimensions == 1)]
    reason = _objection([kernel_law], [] if bias_law == _ZERO else [bias_law])
    easy = dimensions == 1 or bias_law == _ZERO
    if not reason and not easy and not (_is_gaussian(kernel_law) and _is_gaussian(bias_law)):
        reason = "inputs have more than one dimension and the weights and biases are not Gaussian"
    values = [None] * 3
    if not reason and kernel_law is not None and bias_law is not None:
        if easy:
            dead = dead_on_interval(radius, kernel_law, bias_law)
        else:
            kernel, bias = (float(law.ppf(0.75) / norm.ppf(0.75)) for law in (kernel_law, bias_law))
            dead = dead_on_ball(dimensions, radius, kernel, bias)
        values = [dead, fewer_live(units, dead, 2), learns_absolute_value(units, dead)]
    said = [_record(event, v, reason) for event, v in zip(events, values, strict=False)]
    return (replace(said[0], name="unit on an interval") if easy else said[0], *said[1:])


def cube_predictions(
    dimensions: int, kernel_law: Law | None, bias_law: Law | None
) -> tuple[Prediction, ...]:
    """Return what theory says about a unit on the cube [0, 1]^d: 'unit_inactive', 'unit_linear'.

    Formula: `inactive_on_cube` for both. Assumptions: checked; where one fails the probability is
    None and the reason says which. Kind: exact. Source: that function.

    >>> [p.probability for p in cube_predictions(2, norm(0, 1), PointMass(0.0))]
    [0.25, 0.25]
    """
    reason = _objection([kernel_law], [])
    if not reason and bias_law != _ZERO:
        reason = "the bias is not 0 at the start"
    value = None if reason else float(inactive_on_cube(dimensions))
    return tuple(_record(event, value, reason) for event in ("unit_inactive", "unit_linear"))


def second_layer_predictions(
    inputs: int, units: int, laws: Sequence[Law | None], bias_laws: Sequence[Law | None]
) -> tuple[Prediction, ...]:
    """Return what theory says about a unit of the second layer: 'second_layer_inactive'.

    Formula: `second_layer_inactive`. Assumptions: checked; where one fails the probability is None
    and the reason says which. Kind: exact. Source: that function.

    >>> second_layer_predictions(1, 2, [norm(0, 1)] * 2, [norm(0, 1)] * 2)[0].probability
    0.1875
    """
    reason = _objection(laws, bias_laws)
    if not reason and units > inputs + 1:
        reason = f"there are {units} units for {inputs} inputs; known up to one more than inputs"
    value = None if reason else float(second_layer_inactive(inputs, units))
    return (_record("second_layer_inactive", value, reason),)


def _objection(laws: Sequence[Law | None], bias_laws: Sequence[Law | None]) -> str:
    for name, group in (("weights", laws), ("biases", bias_laws)):
        for law in group:
            if law is None or isinstance(law, PointMass) or not is_symmetric(law):
                return f"the {name} are not independent draws from a continuous symmetric law"
    return ""


def _is_gaussian(law: Law | None) -> bool:
    return getattr(getattr(law, "dist", None), "name", "") == "norm"


def _count(field: str, value: int) -> int:
    if value != int(value) or value < 1:
        raise ValueError(f"{field} is {value!r}; it must be a whole number, at least 1")
    return int(value)


def _positive(field: str, value: float) -> float:
    if not (isfinite(value) and value > 0):
        raise ValueError(f"{field} is {value!r}; it must be a number above 0")
    return value


def _record(event: str, probability: float | None, reason: str) -> Prediction:
    return Prediction(
        name="single units",
        event=event,
        kind="upper bound" if event == "learns_absolute_value" else "exact",
        probability=probability,
        source="signs and sizes of one unit's weights",
        assumptions="independent weights and biases with continuous laws symmetric about 0",
        reason=reason,
    )
