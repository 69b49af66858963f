"""What theory needs to know about the law of one weight: symmetry and magnitudes.

A law is a frozen continuous distribution of scipy.stats (uniform, norm, truncnorm, ...) or a
`PointMass`. Nothing is drawn here, and which initialiser has which law is not known here.
"""

from dataclasses import dataclass
from math import atan2, pi
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import quad


class Law(Protocol):
    """The part of a frozen scipy.stats distribution that theory reads."""

    def cdf(self, x: Any, /) -> Any:
        """Return P(value <= x)."""
        ...

    def ppf(self, q: Any, /) -> Any:
        """Return the quantile at q."""
        ...

    def support(self) -> tuple[Any, Any]:
        """Return the smallest and largest value."""
        ...


@dataclass(frozen=True)
class PointMass:
    """Describe a weight that is always the same number.

    >>> PointMass(-1.0).ppf([0.2, 0.8]).tolist()
    [-1.0, -1.0]
    """

    value: float

    def __post_init__(self) -> None:
        """Refuse values that are no weight."""
        if not np.isfinite(self.value):
            raise ValueError(f"value is {self.value!r}; it must be a finite number")

    def cdf(self, x: ArrayLike, /) -> np.ndarray:
        """Return 1 where x has reached the value, else 0."""
        return np.asarray(np.asarray(x) >= self.value, dtype=float)

    def ppf(self, q: ArrayLike, /) -> np.ndarray:
        """Return the value for every q."""
        return np.full(np.shape(q), float(self.value))

    def support(self) -> tuple[float, float]:
        """Return the value twice."""
        return self.value, self.value


def is_symmetric(law: Law) -> bool:
    """Tell whether a law is symmetric about 0.

    Formula: q-quantile = -(1 - q)-quantile, checked at 64 values of q to 1e-9 of the law's
    width. Assumptions: one interval of support, no atoms but a `PointMass`. Kind: exact up to
    that check. Source: the definition.

    >>> from scipy.stats import uniform
    >>> is_symmetric(uniform(-1, 2)), is_symmetric(uniform(0, 1))
    (True, False)
    """
    q = np.arange(1, 65) / 130
    low, high = law.ppf(q), law.ppf(1 - q)
    width = np.max(np.abs([low, high]))
    return bool(np.all(np.abs(low + high) <= 1e-9 * width))


def probability_within(law: Law, x: ArrayLike) -> np.ndarray:
    """Return P(|value| < x), elementwise in x.

    Formula: cdf(x) - cdf(-x). Assumptions: a continuous law or a point mass. Kind: exact.
    Source: the definition.

    >>> from scipy.stats import uniform
    >>> probability_within(uniform(-2, 4), [0.5, 3]).tolist()
    [0.25, 1.0]
    """
    x = np.asarray(x, dtype=float)
    if isinstance(law, PointMass):
        return np.asarray(abs(law.value) < x, dtype=float)
    return np.where(x > 0, law.cdf(np.abs(x)) - law.cdf(-np.abs(x)), 0.0)


def probability_smaller(a_law: Law, w_law: Law) -> float:
    """Return P(|a| < |w|) for independent a and w.

    Formula: 1/2 for the same law; ratio = a's scale over w's: 1 - ratio/2 or 1/(2 ratio) for
    two centred uniforms, (2/pi) arctan(1/ratio) for two centred Gaussians; else the integral
    of P(|a| < |w's u-quantile|) over u in (0, 1). Assumptions: each law continuous or a point
    mass; independence. Kind: exact (the integral to 1e-8). Source: elementary, derived here.

    >>> from scipy.stats import uniform
    >>> probability_smaller(uniform(-1, 2), uniform(-2, 4))
    0.75
    """
    if isinstance(w_law, PointMass):
        return float(probability_within(a_law, abs(w_law.value)))
    if isinstance(a_law, PointMass):
        return float(1 - probability_within(w_law, abs(a_law.value)))
    closed = _closed_form(a_law, w_law)
    return integrate_smaller(a_law, w_law) if closed is None else closed


def integrate_smaller(a_law: Law, w_law: Law) -> float:
    """Return P(|a| < |w|) for continuous laws by quadrature alone.

    Formula, assumptions, kind and source as in `probability_smaller`, which prefers a closed
    form where there is one.

    >>> from scipy.stats import norm
    >>> round(integrate_smaller(norm(0, 1), norm(0, 1)), 8)
    0.5
    """
    # The integrand has kinks where |w| passes 0 or an end of a's support; quad needs to know.
    edges = [edge for edge in map(abs, a_law.support()) if np.isfinite(edge)]
    kinks = {float(w_law.cdf(x)) for edge in [0.0, *edges] for x in (edge, -edge)}
    value, _ = quad(
        lambda u: float(probability_within(a_law, abs(w_law.ppf(u)))),
        0,
        1,
        points=sorted(kink for kink in kinks if 0 < kink < 1) or None,
        epsabs=1e-9,
        epsrel=1e-9,
        limit=200,
    )
    return float(min(max(value, 0.0), 1.0))


def _closed_form(a_law: Law, w_law: Law) -> float | None:
    grid = np.arange(1, 64) / 64
    if np.allclose(w_law.cdf(a_law.ppf(grid)), grid, rtol=0, atol=1e-10):
        return 0.5
    if not (is_symmetric(a_law) and is_symmetric(w_law)):
        return None
    a_scale, w_scale = float(a_law.ppf(0.75)), float(w_law.ppf(0.75))
    families = {_family(a_law), _family(w_law)}
    if families == {"uniform"}:
        ratio = a_scale / w_scale
        return 1 - ratio / 2 if ratio <= 1 else 1 / (2 * ratio)
    if families == {"norm"}:
        return 2 / pi * atan2(w_scale, a_scale)
    return None


def _family(law: Law) -> str:
    return getattr(getattr(law, "dist", None), "name", "")
