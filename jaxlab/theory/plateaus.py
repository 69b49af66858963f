"""Losses at which training on |x| comes to rest without having learnt it, in closed form.

Mean squared errors over inputs symmetric about 0, half of them on each side, as functions of their
moments m = E[x^2] and E|x|. Which member ends on which plateau is the business of `absolute_value`;
the last function says how often a single unit without a bias ends on one when it is to learn
relu(x).
"""

from math import isfinite, sqrt

from jaxlab.theory.laws import Law, PointMass


def moments(limit: float, rows: int) -> tuple[float, float]:
    """Return (E|x|, E[x^2]) of evenly spaced inputs from -limit to limit.

    Formula: X rows/(2 (rows - 1)) for even rows and X (rows + 1)/(2 rows) for odd ones;
    X^2 (rows + 1)/(3 (rows - 1)). Assumptions: both ends among the rows. Kind: exact. Source: sums
    of whole numbers and their squares.

    >>> [round(moment, 2) for moment in moments(1000, 400)]
    [501.25, 335004.18]
    """
    _positive("limit", limit)
    if rows != int(rows) or rows < 2:
        raise ValueError(f"rows is {rows!r}; it must be a whole number, at least 2")
    mean = limit * ((rows + 1) / (2 * rows) if rows % 2 else rows / (2 * (rows - 1)))
    return mean, limit**2 * (rows + 1) / (3 * (rows - 1))


def one_side_fitted(mean: float, square: float, bias: float = 0.0) -> float:
    """Return the loss of a network that fits one side of |x| and outputs `bias` on the other.

    `mean` and `square` are E|x| and E[x^2]. Formula: m/2 - c E|x| + c^2/2, c = bias. Assumptions:
    the output's bias c, which Adam moves by lr a step, small beside the inputs, and undone by the
    units on the side that is fitted, but for a stretch of about c next to 0, which adds c^3/(6
    limit) or so. Kind: exact, at c = 0; a lower bound otherwise. Source: half the mean of (|x| -
    c)^2.

    >>> round(one_side_fitted(*moments(1000, 400)), 1)
    167502.1
    """
    _positive("square", square)
    return square / 2 - bias * mean + bias**2 / 2


def no_side_fitted(mean: float, square: float, bias: float = 0.0) -> float:
    """Return the loss of a network whose output is `bias` throughout.

    `mean` and `square` are E|x| and E[x^2]. Formula: m - 2 c E|x| + c^2, c = bias. Assumptions:
    none. Kind: exact. Source: the mean of (|x| - c)^2.

    >>> round(no_side_fitted(*moments(1000, 400)), 1)
    335004.2
    """
    _positive("square", square)
    return square - 2 * bias * mean + bias**2


def tied_slopes(square: float, slope: float) -> float:
    """Return the smallest loss of leaky units that are all active on one side.

    Formula: (m/2) (1 + s)^2/(1 + s^2), s = slope, at the slope (1 - s)/(1 + s^2) on the active
    side. Assumptions: no biases, all kernels of one sign. Kind: exact. Source: such units make q x
    of x on their own side and s q x on the other, whatever their number, and
    (1 - q)^2 + (1 + s q)^2 is least there. It is a true minimum while kernels keep their signs.

    >>> tied_slopes(2.0, 0.0), tied_slopes(2.0, 1.0)
    (1.0, 2.0)
    """
    _positive("square", square)
    if not (isfinite(slope) and 0 <= slope <= 1):
        raise ValueError(f"slope is {slope!r}; it must lie in [0, 1]")
    return square / 2 * (1 + slope) ** 2 / (1 + slope**2)


def one_kink(square: float) -> float:
    """Return the smallest loss of one ReLU unit with biases.

    Formula: m (3 - 2 sqrt 2). Assumptions: inputs uniform on [-X, X]; any kernel, both biases.
    Kind: exact. Source: the best such function is max(x, t X) or its mirror image, with
    t = sqrt 2 - 1 because its flat part must be the mean of |x| there; m t^2 is left.

    >>> round(one_kink(1 / 3), 6)
    0.057191
    """
    _positive("square", square)
    return square * (3 - 2 * sqrt(2))


def constant(square: float) -> float:
    """Return the smallest loss of a constant, which is also that of the best straight line.

    Formula: m/4. Assumptions: inputs uniform on [-X, X]. Kind: exact. Source: the variance of |x|;
    a line's slope has nothing to fit in an even function.

    >>> constant(1.0)
    0.25
    """
    _positive("square", square)
    return square / 4


def lone_unit_fails(law: Law, learning_rate: float, square: float) -> float:
    """Return P(gradient descent never learns relu(x) with the single unit relu(w x)).

    `law` is the initial kernel's, `square` is E[x^2; x > 0]. Formula: P(w <= 0) while
    K = 2 lr E[x^2; x > 0] is at most 1, as under gradient flow; P(w = 0) for K between 1 and 2.
    Assumptions: full batches of symmetric inputs, no bias, no momentum (which carries w through 0,
    as Adam does), no rounding (which may lift w over 0 when it is as small as numbers get). Kind:
    exact. Source: w becomes w (1 - K) where it is negative, for there the unit answers to x < 0,
    whose target is 0; and w - 1 becomes (w - 1)(1 - K) where it is positive.

    >>> from scipy.stats import norm
    >>> lone_unit_fails(norm(0, 1), 0.001, 400.0), lone_unit_fails(norm(0, 1), 0.001, 600.0)
    (0.5, 0.0)
    """
    _positive("learning_rate", learning_rate)
    _positive("square", square)
    contraction = 2 * learning_rate * square
    if contraction >= 2:
        raise ValueError(
            f"learning_rate is {learning_rate!r}; it must be below {1 / square:g}, from where on "
            "gradient descent diverges"
        )
    if isinstance(law, PointMass):
        return float(law.value <= 0 if contraction <= 1 else law.value == 0)
    return float(law.cdf(0.0)) if contraction <= 1 else 0.0


def _positive(name: str, value: float) -> None:
    if not (isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value!r}; it must be a number above 0")
