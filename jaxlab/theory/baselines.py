"""What functions that need no network score: zero, the best constant, line and affine function.

A trained network at one of these scores has learnt that function and no more. Scores are mean
squared errors: exact fractions for the integer tasks, float64 for any data. Nothing is random.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

Number = TypeVar("Number", float, Fraction)


@dataclass(frozen=True)
class Scores(Generic[Number]):
    """Hold the mean squared errors of four simple functions.

    `zero` always says 0, `mean` the best constant, `linear` is the best linear function of the
    inputs without an intercept, `affine` the best one with an intercept.

    >>> Scores(zero=4.0, mean=1.0, linear=2.0, affine=0.5).affine
    0.5
    """

    zero: Number
    mean: Number
    linear: Number
    affine: Number


def scores(inputs: ArrayLike, targets: ArrayLike) -> Scores[float]:
    """Return what the four functions score on inputs (rows, d) and targets (rows,).

    Formula: least squares, inputs scaled to 1 first. Assumptions: none; inputs may be collinear.
    Kind: exact up to rounding. Source: the definition.

    >>> found = scores([[1.0], [2.0], [3.0]], [1.0, 4.0, 9.0])
    >>> round(found.affine, 12), round(found.zero, 12)
    (0.222222222222, 32.666666666667)
    """
    x, y = np.asarray(inputs, dtype=float), np.asarray(targets, dtype=float)
    if x.ndim != 2 or y.shape != x.shape[:1] or not y.size:
        raise ValueError(
            f"inputs and targets have shapes {x.shape} and {y.shape}; they must be (rows, d) "
            "and (rows,), with at least one row"
        )
    return Scores(
        zero=constant_loss(0.0, y),
        mean=constant_loss(float(np.mean(y)), y),
        linear=_residual(x, y),
        affine=_residual(x - x.mean(axis=0), y - y.mean()),
    )


def constant_loss(c: float, targets: ArrayLike) -> float:
    """Return the mean squared error of always predicting c.

    Formula: mean of (target - c)^2. Assumptions: none. Kind: exact. Source: the definition.

    >>> constant_loss(1.0, [2.0, 4.0])
    5.0
    """
    return float(np.mean((np.asarray(targets, dtype=float) - c) ** 2))


def doubling_constant(c: float | Fraction, rows: int) -> Fraction:
    """Return the mean squared error of the constant c for 2x on x = 1..rows.

    Formula: 2 (n + 1)(2n + 1)/3 - 2 c (n + 1) + c^2. Assumptions: c is taken at its exact value.
    Kind: exact. Source: sums of x and x^2.

    >>> doubling_constant(1, 79_999), doubling_constant(0, 79_999)
    (Fraction(8533120001, 1), Fraction(8533280000, 1))
    """
    n, c = _count("rows", rows), Fraction(c)
    return Fraction(2 * (n + 1) * (2 * n + 1), 3) - 2 * c * (n + 1) + c**2


def squares_line(rows: int) -> tuple[Fraction, Fraction]:
    """Return (slope, intercept) of the best affine function for x^2 on x = 1..rows.

    Formula: N + 1 and -(N + 1)(N + 2)/6. Assumptions: rows >= 2, else every slope is as good.
    Kind: exact. Source: the normal equations.

    >>> squares_line(1000)
    (Fraction(1001, 1), Fraction(-167167, 1))
    """
    n = _count("rows", rows, 2)
    return Fraction(n + 1), Fraction(-(n + 1) * (n + 2), 6)


def squares(rows: int) -> Scores[Fraction]:
    """Return what the four functions score on x^2, x = 1..rows.

    Formula: with s_p the mean of x^p, zero s_4, mean s_4 - s_2^2, linear s_4 - s_3^2/s_2, affine
    (N^2 - 1)(N^2 - 4)/180. Assumptions: none. Kind: exact. Source: the normal equations; a
    network without activations computes an affine function and cannot score less.

    >>> round(float(squares(1000).affine) ** 0.5, 2)
    74535.41
    """
    n = _count("rows", rows)
    second = Fraction((n + 1) * (2 * n + 1), 6)
    third = Fraction(n * (n + 1) ** 2, 4)
    fourth = second * (3 * n**2 + 3 * n - 1) / 5
    return Scores(
        zero=fourth,
        mean=fourth - second**2,
        linear=fourth - third**2 / second,
        affine=Fraction((n**2 - 1) * (n**2 - 4), 180),
    )


def sums(m: int) -> Scores[Fraction]:
    """Return what the four functions score on a + b, all pairs of integers in 0..m-1.

    Formula: zero 2 v + 4 u^2, mean 2 v, where u = (m - 1)/2 and v = (m^2 - 1)/12; linear and
    affine 0. Assumptions: a and b independent and uniform. Kind: exact. Source: moments.

    >>> sums(500).zero, sums(500).mean
    (Fraction(581335, 2), Fraction(83333, 2))
    """
    u, v = _moments(m)
    return Scores(zero=2 * v + 4 * u**2, mean=2 * v, linear=Fraction(0), affine=Fraction(0))


def products(m: int) -> Scores[Fraction]:
    """Return what the four functions score on a b, all pairs of integers in 0..m-1.

    Formula: with u and v as in `sums` and q = v + u^2: zero q^2, mean q^2 - u^4, linear
    q^2 - 2 q^2 u^2/(q + u^2), affine v^2. Assumptions: as `sums`. Kind: exact. Source: the normal
    equations; the best affine function leaves (a - u)(b - u).

    >>> found = products(500)
    >>> round(float(found.affine / found.mean), 4), round(float(found.linear / found.mean), 3)
    (0.1433, 0.327)
    """
    u, v = _moments(m)
    q = v + u**2
    share = 2 * u**2 / (q + u**2) if m > 1 else Fraction(0)
    return Scores(zero=q**2, mean=q**2 - u**4, linear=q**2 * (1 - share), affine=v**2)


def _moments(m: int) -> tuple[Fraction, Fraction]:
    """Return mean and variance of an integer uniform on 0..m-1."""
    m = _count("m", m)
    return Fraction(m - 1, 2), Fraction(m**2 - 1, 12)


def _residual(x: np.ndarray, y: np.ndarray) -> float:
    size = np.max(np.abs(x), axis=0)
    x = x / np.where(size > 0, size, 1.0)
    return float(np.mean((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2))


def _count(field: str, value: int, least: int = 1) -> int:
    if value != int(value) or value < least:
        raise ValueError(f"{field} is {value!r}; it must be a whole number, at least {least}")
    return int(value)
