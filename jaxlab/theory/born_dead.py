"""How often a network of ReLU and linear layers is dead before it is trained at all.

Dead at birth: no gradient before the output's bias on any of the inputs, which is, for a ReLU
output, that no output is positive anywhere, and for a linear output that the last hidden layer is
0 everywhere. Biases start at 0, but `monte_carlo` takes random ones, too. Bounds by counting
signs, and a Monte Carlo estimate with its standard error. `widths` include the input's;
`activations` has one name per layer of weights.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
from numpy.typing import ArrayLike

from jaxlab.theory.laws import Law, PointMass, is_symmetric
from jaxlab.theory.prediction import Prediction

_CHUNK = 2**20  # numbers of one layer held at a time: larger chunks are no faster
_MOST_UNITS = 18  # whose sign patterns are enumerated
_SETTING = (
    "zero biases; independent weights with continuous laws symmetric about 0; every layer ReLU "
    "or linear"
)


def one_direction(widths: Sequence[int], activations: Sequence[str]) -> float:
    """Return P(alive at birth) where all inputs are positive multiples of one vector.

    Formula: the product of 1 - 2^-n_l over the ReLU layers; linear layers are skipped, a scalar
    ReLU output counts with n = 1. Assumptions: zero biases, independent weights with continuous
    laws symmetric about 0. Kind: exact. Source: given a non-zero input to layer l, each of its
    units is active with probability 1/2, independently.

    >>> 1 - one_direction((1, 4, 2, 1), ("relu", "relu", "relu"))
    0.6484375
    """
    layers = _layers(widths, activations)
    return float(np.prod([1 - 2.0**-n for (_, n), name in layers if name == "relu"]))


def enumerated(widths: Sequence[int], activations: Sequence[str]) -> Fraction:
    """Return P(alive at birth) where all inputs are positive multiples of one vector.

    Formula: the share of alive networks among all sign patterns of the ReLU layers' units.
    Assumptions: as `one_direction`; at most 18 units in ReLU layers (ValueError otherwise). Kind:
    exact. Source: brute force, to hold `one_direction` against.

    >>> 1 - enumerated((1, 4, 2, 1), ("relu", "relu", "relu"))
    Fraction(83, 128)
    """
    units = [n for (_, n), name in _layers(widths, activations) if name == "relu"]
    if sum(units) > _MOST_UNITS:
        raise ValueError(
            f"widths have {sum(units)} units in ReLU layers; there must be at most {_MOST_UNITS}"
        )
    ends = np.cumsum([0, *units])
    patterns = product((False, True), repeat=sum(units))
    # Below a dead layer all patterns are counted as if it lived: they share out its probability.
    alive = sum(all(any(signs[a:b]) for a, b in pairwise(ends)) for signs in patterns)
    return Fraction(alive, 2 ** sum(units))


def upper_bound(widths: Sequence[int], activations: Sequence[str]) -> float:
    """Return an upper bound on P(born dead) for any inputs with one that is not zero.

    Formula: 1 - `one_direction`. Assumptions: as there. Kind: upper bound, reached where all
    inputs lie on one ray. Source: a network that is dead on all inputs is dead on that one.

    >>> round(upper_bound((2, 3, 5, 3, 5, 1), ("linear", *["relu"] * 4)), 5)
    0.58942
    """
    return 1 - one_direction(widths, activations)


def lower_bound(widths: Sequence[int], activations: Sequence[str], quadrant: bool = False) -> float:
    """Return a lower bound on P(born dead) for any inputs.

    `quadrant` says that no input is negative. Formula: 1 - product of (1 - 2^-(n_l n_(l-1))) over
    the ReLU layers whose inputs are never negative. Assumptions: as `one_direction`. Kind: lower
    bound. Source: a layer whose weights are all negative is dead on all such inputs.

    >>> lower_bound((2, 3, 5, 3, 5, 1), ("linear", *["relu"] * 4)) > 1 / 32
    True
    """
    alive, positive = 1.0, quadrant
    for (before, after), name in _layers(widths, activations):
        if name == "relu" and positive:
            alive *= 1 - 2.0 ** -(before * after)
        positive = name == "relu"
    return 1 - alive


def quadrant_directions(count: int = 65) -> np.ndarray:
    """Return (count, 2) unit vectors evenly spread over the non-negative quadrant, ends included.

    With zero biases only directions matter, so they stand for all non-negative inputs in the
    plane.

    >>> quadrant_directions(2).round(12).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    angle = np.linspace(0, np.pi / 2, count)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def inputs_on_both_sides() -> np.ndarray:
    """Return (2, 1) inputs, 1 and -1.

    With zero biases only directions matter, so they stand for all one-dimensional inputs.

    >>> inputs_on_both_sides().tolist()
    [[1.0], [-1.0]]
    """
    return np.array([[1.0], [-1.0]])


def monte_carlo(
    widths: Sequence[int],
    activations: Sequence[str],
    laws: Sequence[Law],
    inputs: ArrayLike,
    n: int,
    seed: int,
    bias_laws: Sequence[Law] | None = None,
) -> tuple[float, float]:
    """Return (rate, standard error) of networks born dead on inputs (rows, d) among n draws.

    `bias_laws` has one law per layer, None means zero biases. Formula: the share p of dead
    networks and sqrt(p (1 - p)/n). Assumptions: independent weights, one law per layer. Kind:
    exact in the mean, with that sampling error. Source: the definition.

    >>> from scipy.stats import uniform
    >>> rate, error = monte_carlo((1, 1), ("relu",), [uniform(-1, 2)], [[1.0]], 10_000, 1)
    >>> abs(rate - 0.5) < 5 * error < 0.03
    True
    """
    layers, x = _layers(widths, activations), np.asarray(inputs, dtype=float)
    if x.ndim != 2 or x.shape[1] != widths[0] or not x.size:
        raise ValueError(f"inputs have shape {x.shape}; they must be (rows, {widths[0]})")
    if len(laws) != len(layers):
        raise ValueError(f"there are {len(laws)} laws; there must be one per layer, {len(layers)}")
    if bias_laws is not None and len(bias_laws) != len(layers):
        raise ValueError(
            f"there are {len(bias_laws)} bias_laws; there must be one per layer, {len(layers)}"
        )
    if n < 1:
        raise ValueError(f"n is {n!r}; it must be a number of networks, at least 1")
    generator, chunk, dead = np.random.default_rng(seed), _chunk(widths, len(x)), 0
    # A linear output is dead where what comes into it is, so its own weights are not drawn.
    used = layers if layers[-1][1] == "relu" else layers[:-1]
    for first in range(0, n, chunk):
        size = min(chunk, n - first)
        values = np.broadcast_to(x, (size, *x.shape))
        for i, (shape, name) in enumerate(used):
            values = values @ _draw(laws[i], (size, *shape), generator)
            if bias_laws is not None:
                values = values + _draw(bias_laws[i], (size, 1, shape[1]), generator)
            values = np.maximum(values, 0) if name == "relu" else values
        dead += int(np.sum(~np.any(values != 0, axis=(1, 2))))
    rate = dead / n
    return rate, (rate * (1 - rate) / n) ** 0.5


def predictions(
    widths: Sequence[int],
    activations: Sequence[str],
    laws: Sequence[Law | None],
    quadrant: bool = True,
) -> tuple[Prediction, ...]:
    """Return what theory says about the event 'born_dead'.

    `quadrant` says that the inputs fill the non-negative quadrant; without it they may be
    anywhere. Formula: for one non-negative input the exact 1 - `one_direction`; else
    `lower_bound`, `upper_bound` and, on the quadrant of the plane and up to 500 weights,
    `monte_carlo` with 40,000 networks as an empirical value. Assumptions: checked; where one
    fails the probability is None and the reason says which. Kind: as listed. Source: those
    functions.

    >>> from scipy.stats import uniform
    >>> (exact,) = predictions((1, 4, 2, 1), ["relu"] * 3, [uniform(-1, 2)] * 3)
    >>> exact.kind, exact.probability
    ('exact', 0.6484375)
    """
    reason = _objection(activations, laws)
    if reason:
        return (_record("exact", None, reason),)
    if quadrant and widths[0] == 1:
        return (_record("exact", upper_bound(widths, activations)),)
    bounds = (
        _record("lower bound", lower_bound(widths, activations, quadrant)),
        _record("upper bound", upper_bound(widths, activations)),
    )
    if not quadrant or widths[0] != 2 or sum(a * b for a, b in pairwise(widths)) > 500:
        return bounds  # more weights would take longer to draw than a prediction may
    known = [law for law in laws if law is not None]
    rate, _ = monte_carlo(widths, activations, known, quadrant_directions(), 40_000, 0)
    return (*bounds, _record("empirical", rate))


def _objection(activations: Sequence[str], laws: Sequence[Law | None]) -> str:
    other = sorted({*activations} - {"relu", "linear"})
    if other:
        return f"activations include {', '.join(other)}; signs decide for relu and linear alone"
    for i, law in enumerate(laws):
        if law is None or isinstance(law, PointMass) or not is_symmetric(law):
            return f"the weights of layer {i} are not independent draws from a symmetric law"
    return ""


def _layers(widths: Sequence[int], activations: Sequence[str]) -> list[tuple[tuple[int, int], str]]:
    if len(widths) != len(activations) + 1 or not activations or min(widths) < 1:
        raise ValueError(
            f"widths are {tuple(widths)} and activations {tuple(activations)}; there must be one "
            "more width than activations, all at least 1"
        )
    other = sorted({*activations} - {"relu", "linear"})
    if other:
        raise ValueError(f"activations include {other[0]!r}; they must be 'relu' or 'linear'")
    return list(zip(pairwise(widths), activations, strict=True))


def _chunk(widths: Sequence[int], rows: int) -> int:
    largest = max(a * b for a, b in pairwise(widths))
    return max(1, _CHUNK // max(rows * max(widths), largest))


def _draw(law: Law, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    """Return independent draws: by the law's own sampler, some ten times faster than quantiles."""
    sampler = getattr(law, "rvs", None)
    if sampler is None:
        return law.ppf(generator.random(shape))
    return sampler(size=shape, random_state=generator)


def _record(kind: str, probability: float | None, reason: str = "") -> Prediction:
    sampled = kind == "empirical"
    return Prediction(
        name="dead at birth",
        event="born_dead",
        kind=kind,
        probability=probability,
        source="40,000 networks drawn on 65 directions" if sampled else "counting signs",
        assumptions=_SETTING + ("; inputs that fill the quadrant" if sampled else ""),
        tolerance=0.01 if sampled else None,
        reason=reason,
    )
