"""What a printed loss gives away: which simple outputs score exactly that on the data.

A network whose output no longer depends on its input, or depends on it only linearly, has a loss
that follows from the data alone. This file works such losses out and holds the printed number
against them. Where the number and the data come from is the caller's business.

When a loss is the same number: an epoch's loss is the mean of the float32 losses of its batches.
Summed in a tree and averaged in double precision it comes out right to 1e-7; a running total that
is itself float32 drifts by some 2e-6 over thousands of batches. `SAME`, 32 float32 epsilons,
allows for both, and still tells an output of 1 from one of 0 where they differ by 1e-5.

When the loss comes from random rows of the data: its sampling standard deviation is that of one
row's squared error over the square root of the rows. Three of them are allowed, which a normal
law leaves once in 370 samples. A fitted function also bends to its own sample: that lowers the
loss by some `gain` on average and, the gain being a chi-square at worst, hardly ever by 9 gains.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jaxlab.explanation import LARGEST, Candidate, Explanation, Printed

SAME = 32 * float(np.finfo(np.float32).eps)
NEAR = 0.01
MOST_DEVIATIONS = 3


def explain(
    loss: str | float,
    inputs: ArrayLike,
    targets: ArrayLike,
    *,
    digits: int | None = None,
    rows: int | None = None,
    root: bool = False,
) -> Explanation:
    """Hold a printed mean squared error (or its root) against outputs that know nothing.

    `inputs` is (rows,) or (rows, inputs), `targets` (rows,) or (rows, 1). A text's digits all
    count, so write 7e9 for "about seven billion", or say how many count with `digits`. With `rows`
    the loss comes from so many independent random rows of these data, else from all of them.

    >>> x = np.arange(1, 80_000)
    >>> explain("8533120007.8465", x, 2 * x).matching[0].name
    'always 1 (softmax, sigmoid)'
    """
    printed = Printed.read(loss, digits, root=root)
    if rows is not None and rows < 1:
        raise ValueError(f"rows is {rows}; it must be at least 1")
    x, y = _checked(inputs, targets)
    mean = float(y.mean())
    ones = np.full(len(y), 1 / len(y))
    linear, linear_leverage = _fit(x, y, np.abs(x).max(axis=0))
    affine, leverage = _fit(x - x.mean(axis=0), y - mean, np.abs(x).max(axis=0))
    softmax = "a constant output 1 (a one-unit softmax or a saturated sigmoid)"
    outputs = [
        ("always 0 (dead ReLU)", "a constant output 0 (a dead ReLU)", y, None),
        ("always 1 (softmax, sigmoid)", softmax, y - 1, None),
        ("always -1 (tanh)", "a constant output -1 (a saturated tanh)", y + 1, None),
        (f"best constant, {mean:,.6g}", "the best constant output", y - mean, ones),
        ("best linear, no intercept", "the best linear function", linear, linear_leverage),
        ("best affine function", "the best affine function", affine, ones + leverage),
    ]
    size = float(np.mean(y**2))
    judged = [
        _judge(printed, name, phrase, _score(errors, size, rows, leverages), rows)
        for name, phrase, errors, leverages in outputs
    ]
    ranked = sorted(judged, key=lambda candidate: _farness(printed, candidate, rows))
    variance = float(np.mean((y - mean) ** 2))
    constants = _constants(printed, y, rows)
    return Explanation(printed, len(y), rows, variance, tuple(ranked), constants)


def _checked(inputs: ArrayLike, targets: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(inputs, np.float64), np.asarray(targets, np.float64)
    x, y = (x[:, None] if x.ndim == 1 else x), (y[:, 0] if y.shape[1:] == (1,) else y)
    if x.ndim != 2 or y.ndim != 1 or len(x) != len(y) or not x.size:
        raise ValueError(
            f"inputs are {np.shape(inputs)} and targets {np.shape(targets)}; "
            "they must be (rows, inputs) and (rows,), with as many rows and at least one"
        )
    for name, array in (("inputs", x), ("targets", y)):
        if not np.all(np.abs(array) < LARGEST):
            raise ValueError(f"{name} must be finite and below {LARGEST:g} in size")
    return x, y


def _fit(x: np.ndarray, y: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the errors of the least-squares fit of y on x and every row's leverage."""
    # Columns that hold nothing but the rounding of their mean, or repeat others, are left out.
    basis, weights, _ = np.linalg.svd(x / np.where(sizes > 0, sizes, 1), full_matrices=False)
    basis = basis[:, weights > 1e-12 * math.sqrt(len(y))]
    return y - basis @ (basis.T @ y), np.sum(basis**2, axis=1)


@dataclass(frozen=True)
class _Score:
    """A mean squared error, its sampling standard deviation and what fitting to a sample gains."""

    mean: float
    deviation: float = 0.0
    gain: float = 0.0


def allowance(deviation: float, gain: float) -> float:
    """Return how far from its candidate's score chance may take the loss of random rows.

    >>> allowance(2.0, 1.0)
    15.0
    """
    return MOST_DEVIATIONS * deviation + MOST_DEVIATIONS**2 * gain


def _resolution(printed: Printed) -> float:
    return printed.half_unit + SAME * printed.loss


def _score(
    errors: np.ndarray, size: float, rows: int | None, leverages: np.ndarray | None = None
) -> _Score:
    squared = errors**2
    mean = float(squared.mean())
    if mean <= 1e-24 * size:
        return _Score(0.0)  # nothing but the rounding of the fit itself
    if rows is None:
        return _Score(mean)
    gain = 0.0 if leverages is None else float(squared @ leverages) / rows
    return _Score(mean, float(squared.std()) / math.sqrt(rows), gain)


def _judge(printed: Printed, name: str, phrase: str, score: _Score, rows: int | None) -> Candidate:
    shown, right = printed.scale(score.mean), printed.scale(printed.loss)
    difference = (shown - right) / right if right else (math.inf if shown else 0.0)
    off = abs(score.mean - printed.loss)
    if off <= _resolution(printed) + allowance(score.deviation, score.gain):
        match = "compatible" if rows else "same"
    else:
        match = "near" if abs(difference) <= NEAR else ""
    beyond = max(0.0, off - _resolution(printed))
    distance = beyond / score.deviation if score.deviation else (math.inf if beyond else 0.0)
    spread = (score.deviation, score.gain, distance)
    return Candidate(name, phrase, score.mean, difference, match, *spread)


def _farness(printed: Printed, candidate: Candidate, rows: int | None) -> tuple[bool, float]:
    """Return the key to rank by: equal where chance, or the digits printed, do not decide."""
    if rows:
        return not candidate.matches, round(candidate.distance, 1)
    beyond = abs(candidate.score - printed.loss) - printed.half_unit
    return not candidate.matches, max(0.0, beyond)


def _constants(
    printed: Printed, y: np.ndarray, rows: int | None
) -> tuple[tuple[float, float], ...]:
    """Solve (c - mean)^2 + variance = loss for c, each with the half-width of what is allowed.

    There are none below the variance, but the mean itself as long as it explains the loss.
    """
    mean = float(y.mean())
    variance = float(np.mean((y - mean) ** 2))
    excess = printed.loss - variance
    root = math.sqrt(max(0.0, excess))
    leverages = None if root else np.full(len(y), 1 / len(y))
    found = []
    for value in (mean - root, mean + root)[: 1 + (root > 0)]:
        score = _score(y - value, 0.0, rows, leverages)
        allowed = _resolution(printed) + allowance(score.deviation, score.gain)
        if excess < -allowed:
            return ()
        ends = [math.sqrt(max(0.0, excess + end)) for end in (-allowed, allowed)]
        found.append((value, max(root - ends[0], ends[1] - root)))
    return tuple(found)
