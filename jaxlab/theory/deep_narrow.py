"""How often a deep narrow ReLU network is dead before training, on inputs of both signs.

One input, `layers` layers of weights, all but the last of `width` ReLU units, a linear output, no
biases. Only the images of x = 1 and x = -1 matter, and of these only how many live on and their
angle. Dead means that the last hidden layer is 0 everywhere: the function is constant.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import pi

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.polynomial.legendre import leggauss

from jaxlab.theory.laws import Law, PointMass, is_symmetric
from jaxlab.theory.prediction import Prediction

_SETTING = (
    "one input of both signs; ReLU layers of one width and a linear output; zero biases; "
    "independent weights with continuous laws symmetric about 0"
)
_NODES = 48  # angles at which P(alive) is followed
_POINTS = 100  # of the quadrature over each quarter turn before the ReLU


def upper_bound(width: int, layers: int) -> Fraction:
    """Return an upper bound on P(born dead) by following one ray of inputs.

    Formula: 1 - (1 - 2^-N)^(L - 2). Assumptions: zero biases, independent weights with continuous
    laws symmetric about 0, linear output. Kind: upper bound, reached for N = 1. Source: the first
    layer keeps at least one of the two rays, each later one lets it die with probability 2^-N.

    >>> upper_bound(2, 3), upper_bound(1, 4)
    (Fraction(1, 4), Fraction(3, 4))
    """
    width, layers = _shape(width, layers)
    return 1 - _ray(width) ** (layers - 2)


def three_layers(width: int) -> Fraction:
    """Return P(born dead) for two hidden layers.

    Formula: 2^(1-2N) + (1 - 2^(1-N)) 4^-N. Assumptions: as `upper_bound`. Kind: exact. Source: the
    first layer keeps one ray with probability 2^(1-N), else both; these excite disjoint units, so
    a unit of the second layer is inactive on both with probability 1/4.

    >>> three_layers(2)
    Fraction(5, 32)
    """
    width, _ = _shape(width, 3)
    one = Fraction(2, 2**width)
    return one / 2**width + (1 - one) / 4**width


def sharper_upper_bound(width: int, layers: int) -> Fraction:
    """Return an upper bound on P(born dead) that is exact up to the second hidden layer.

    Formula: 1 - (1 - D)(1 - 2^-N)^(L - 3) with D of `three_layers`; 0 for L = 2. Assumptions: as
    `upper_bound`. Kind: upper bound, reached for L = 2, L = 3 and N = 1. Source: of what is alive
    after two hidden layers one ray is followed on.

    >>> sharper_upper_bound(2, 4), upper_bound(2, 4)
    (Fraction(47, 128), Fraction(7, 16))
    """
    width, layers = _shape(width, layers)
    if layers == 2:
        return Fraction(0)
    return 1 - (1 - three_layers(width)) * _ray(width) ** (layers - 3)


def lower_bound(width: int, layers: int) -> Fraction:
    """Return a lower bound on P(born dead).

    Formula: with p = 2^-N, a = 1 - p and c = 1 - 2 p - (N - 1) p^2, 1 - a^(L-2) minus
    (1 - 2 p) a (a^(L-2) - c^(L-2))/(1 + (N - 1) p). Assumptions: as `upper_bound`. Kind: lower
    bound, reached for L = 2, L = 3 and N = 1. Source: Lu, Shin, Su and Karniadakis 2019, proved
    here for every such law: both images are non-negative, so by Harris's inequality a unit is
    inactive on both (and, by symmetry, active on both) with probability q >= 1/4. Two rays then
    both die with probability q^N, and stay two that are not multiples of each other with
    probability 1 - 2 p - (N - 1) q^N; both err on the side of life at q = 1/4.

    >>> lower_bound(2, 3), float(lower_bound(2, 5)) < 0.4975 < float(sharper_upper_bound(2, 5))
    (Fraction(5, 32), True)
    """
    width, layers = _shape(width, layers)
    one, p = _ray(width), Fraction(1, 2**width)
    two = 1 - 2 * p - (width - 1) * p**2
    saved = (1 - 2 * p) * one / (1 + (width - 1) * p)
    survived = one ** (layers - 2)
    return 1 - survived - saved * (survived - two ** (layers - 2))


def two_units(layers: int) -> float:
    """Return P(born dead) for width 2 and Gaussian weights.

    Formula: 1 - (A(0) + A(pi/2))/2 with A(t) = P(alive L - 2 layers after the two images were at
    the angle t); A(0) = (3/4)^(L-2), and A(t) of one layer more is the mean of `_after_relu` over
    the law in `_turned`. Assumptions: as `upper_bound`, and from the second layer on one centred
    Gaussian law per layer. Kind: exact (quadrature, to 1e-12). Source: derived here; the angle is a
    Markov chain, and of two vectors in the plane the direction of one is uniform and independent
    of the angle between them. (For L = 4 it is 1045/3072, and so for any law that the second and
    the third layer share: only the order of four ratios of weights matters.)

    >>> [round(two_units(layers), 4) for layers in (3, 5, 10)]
    [0.1562, 0.4977, 0.8798]
    """
    _, layers = _shape(2, layers)
    # A has a term t^2 log t at angle 0; in x, t = pi/2 x^2, polynomials follow it well.
    x = (1 - np.cos(pi * np.arange(_NODES) / (_NODES - 1))) / 2
    turn, weight = _turned(pi / 2 * x[1:] ** 2)
    alive = np.ones(_NODES)
    for _ in range(layers - 2):
        curve = Chebyshev.fit(x, alive, _NODES - 1, domain=[0, 1])
        two = np.sum(weight * _after_relu(turn, curve), axis=1)
        alive = np.append(0.75 * alive[0], two)
    # The first layer leaves one ray or two at a right angle, each with probability 1/2.
    return 1 - float(alive[0] + alive[-1]) / 2


def predictions(
    widths: Sequence[int],
    activations: Sequence[str],
    laws: Sequence[Law | None],
    *,
    biases: bool = False,
) -> tuple[Prediction, ...]:
    """Return what theory says about the event 'born_dead' on inputs of both signs.

    `widths` include the input's and the output's, `laws` has one per layer of weights (None where
    they are not independent draws of one law), `biases` says that some are not 0 at the start.
    Formula: one exact value where `lower_bound` and `sharper_upper_bound` meet or `two_units`
    applies, else these two. Assumptions: checked; where one fails the probability is None and the
    reason says which. Kind: as listed. Source: those functions.

    >>> from scipy.stats import uniform
    >>> names, laws = ["relu", "relu", "relu", "linear"], [uniform(-1, 2)] * 4
    >>> [p.kind for p in predictions((1, 3, 3, 3, 1), names, laws)]
    ['lower bound', 'upper bound']
    """
    reason = _objection(widths, activations, laws, biases)
    if reason:
        return (_record("exact", None, reason),)
    width, layers = widths[1], len(activations)
    low, high = lower_bound(width, layers), sharper_upper_bound(width, layers)
    if low == high:
        return (replace(_record("exact", float(low)), name="two hidden layers"),)
    # The first layer's law only has to be symmetric, and the output's does not matter.
    if width == 2 and all(_is_gaussian(law) for law in laws[1:-1]):
        return (_record("exact", two_units(layers)),)
    return _record("lower bound", float(low)), _record("upper bound", float(high))


def _turned(angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return angles d in (0, pi) between W u and W v, and their weights, a row per angle of u, v.

    With y = cos(angle) cos(d) the density of d is that of the phase between two complex Gaussians,
    sin(angle)^2/pi (1/(1 - y^2) + y (pi/2 + arcsin y)/(1 - y^2)^(3/2)).
    """
    sine, cosine = np.sin(angle)[:, None], np.cos(angle)[:, None]
    point, weight = leggauss(_POINTS)
    # The density peaks at 0, as narrowly as the sine: d = sine sinh(s) stretches that. What is
    # averaged has a kink at a right angle, so each quarter turn is integrated by itself.
    middle, end = np.arcsinh(pi / 2 / sine), np.arcsinh(pi / sine)
    s = np.hstack([middle * (point + 1) / 2, middle + (end - middle) * (point + 1) / 2])
    weights = np.hstack([middle * weight / 2, (end - middle) * weight / 2]) * sine * np.cosh(s)
    d = sine * np.sinh(s)
    y = cosine * np.cos(d)
    rest = sine**2 + (cosine * np.sin(d)) ** 2  # 1 - y^2, without its cancellation
    density = sine**2 / pi * (1 / rest + y * (pi / 2 + np.arcsin(y)) / rest**1.5)
    return d, density * weights


def _after_relu(d: np.ndarray, curve: Chebyshev) -> np.ndarray:
    """Return P(alive later) where two directions of the plane differ by d before the ReLU.

    `curve` gives it for the angle pi/2 x^2 after the ReLU. Turn both directions uniformly: inside
    the quadrant the angle stays d; where one leaves it, the angle is that of the other to an axis,
    uniform; where both do, they end on two axes, on one, or one of them or both at 0.
    """
    quarter = pi / 2
    area = (curve * Chebyshev([0.5, 0.5], domain=[0, 1]) * pi).integ(lbnd=0)  # dt = pi x dx
    beyond = np.clip(d - quarter, 0, None)
    near = (quarter - d) * curve(np.sqrt(np.minimum(d, quarter) / quarter))
    near = near + 2 * area(np.sqrt(np.minimum(d, quarter) / quarter))
    far = 2 * (area(1.0) - area(np.sqrt(beyond / quarter))) + 2 * beyond * curve(1.0)
    return (np.where(d <= quarter, near, far) + pi * curve(0.0)) / (2 * pi)


def _ray(width: int) -> Fraction:
    """Return P(one ray survives a layer)."""
    return 1 - Fraction(1, 2**width)


def _is_gaussian(law: Law | None) -> bool:
    return getattr(getattr(law, "dist", None), "name", "") == "norm"


def _objection(
    widths: Sequence[int], activations: Sequence[str], laws: Sequence[Law | None], biases: bool
) -> str:
    if len(widths) != len(activations) + 1 or len(laws) != len(activations) or len(widths) < 3:
        raise ValueError(
            f"widths are {tuple(widths)}, with {len(activations)} activations and {len(laws)} "
            "laws; there must be at least 3 widths and one fewer of the other two"
        )
    if widths[0] != 1:
        return f"there are {widths[0]} inputs: more than two rays of them matter"
    if len({*widths[1:-1]}) > 1:
        return f"the hidden layers have unequal widths, {tuple(widths[1:-1])}"
    if {*activations[:-1]} != {"relu"} or activations[-1] != "linear":
        return f"activations are {', '.join(activations)}; the formulas are for relu, then linear"
    if biases:
        return "biases are not 0 at the start: there is no formula for random biases"
    for i, law in enumerate(laws[:-1]):
        if law is None or isinstance(law, PointMass) or not is_symmetric(law):
            return (
                f"the weights of layer {i} are not independent draws from a symmetric law: there "
                "is no formula for such weights, RAI's among them"
            )
    return ""


def _shape(width: int, layers: int) -> tuple[int, int]:
    if width != int(width) or width < 1:
        raise ValueError(f"width is {width!r}; it must be a whole number of units, at least 1")
    if layers != int(layers) or layers < 2:
        raise ValueError(f"layers is {layers!r}; it must be a whole number, at least 2")
    return int(width), int(layers)


def _record(kind: str, probability: float | None, reason: str = "") -> Prediction:
    return Prediction(
        name="deep and narrow",
        event="born_dead",
        kind=kind,
        probability=probability,
        source="the images of 1 and -1, followed from layer to layer",
        assumptions=_SETTING,
        reason=reason,
    )
