"""Gradient flow of a bias-free 1-k-1 network on |x|, from one event to the next and without steps.

Works out what `absolute_value.fate` and `crossing` take shortcuts around: where a network ends when
units die, change sides and meet others there, for any k. Between events a side is one Riccati
equation, solved in closed form; at an event a kernel has reached 0. Adam follows this flow in most
members only, and how often is counted elsewhere.

Notation: a unit has the kernel w, the size u = |w| and the output weight a; a side's slope is the
sum of a u over its units, its target 1. In a side's own time tau, which runs forwards while the
slope is below 1 and backwards while it is above, u + a grows as e^tau and u - a as e^-tau.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

OUTCOMES = np.array(["dead", "left_only", "right_only", "solved"])
"""Indexed by 2 (right side fitted) + (left side fitted)."""


@dataclass
class _Units:
    """Hold (k, members): sides (1, -1, or 0 for a unit that has stopped), u + a and u - a."""

    side: np.ndarray
    plus: np.ndarray
    minus: np.ndarray

    def of(self, members: np.ndarray) -> "_Units":
        """Return a copy of some members."""
        return _Units(self.side[:, members], self.plus[:, members], self.minus[:, members])

    def put(self, members: np.ndarray, units: "_Units") -> None:
        """Replace some members."""
        for name in ("side", "plus", "minus"):
            getattr(self, name)[:, members] = getattr(units, name)

    def sums(self, side: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the sums of (u + a)^2 and of (u - a)^2 over the units of a side."""
        on = self.side == side
        return (
            np.sum(np.where(on, self.plus**2, 0), axis=0),
            np.sum(np.where(on, self.minus**2, 0), axis=0),
        )

    def slope(self, side: float) -> np.ndarray:
        """Return the side's slope."""
        rising, falling = self.sums(side)
        return (rising - falling) / 4


def outcome_of_flow(w: ArrayLike, a: ArrayLike) -> np.ndarray:
    """Return the outcome that gradient flow has for every member, by name.

    `w` (kernels) and `a` (output weights) have shape (k, members) or (k,); names as in
    `absolute_value.fate`. Formula: a side is fitted if and only if its slope ends at 1 in
    `end_of_flow`. Assumptions: those of `end_of_flow`. Kind: exact. Source: derived here.

    >>> outcome_of_flow([[3.0, 1.0], [0.1, -1.0]], [[3.0, 0.5], [2.0, -2.0]]).tolist()
    ['solved', 'right_only']
    """
    kernels, outputs = end_of_flow(w, a)
    # A side that is not fitted has no unit left that works, and its slope is 0.
    right, left = (
        np.sum(np.maximum(side * kernels, 0) * outputs, axis=0) > 0.5 for side in (1, -1)
    )
    return OUTCOMES[2 * right + left]


def end_of_flow(w: ArrayLike, a: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights (kernels, output weights) that gradient flow ends at, after infinite time.

    Formula: from event to event. A unit's kernel reaches 0 where e^(2 tau) = (a - u)/(a + u), in
    the future only if |a| > u and a has the sign of slope - 1. There the other side takes the unit
    over if it drives it on, that is if a (1 - its slope) > 0; else both sides push it back, its
    kernel stays 0 and it is dead. A slope reaches its target at infinite time only, from the side
    where it started. Assumptions: bias-free gradient flow, inputs symmetric about 0, target |x|,
    derivative 0 at 0, so that a kernel of 0 never moves. Kind: exact. Source: derived here; the
    sides share the moment E[x^2; side] and no variable, hence run on clocks of their own, which
    only order their events.

    >>> [weights.round(3).tolist() for weights in end_of_flow([1.0, -1.0], [1.0, -2.0])]
    [[1.0, 0.0], [1.0, -1.732]]
    """
    w, a = np.asarray(w, dtype=float), np.asarray(a, dtype=float)
    if w.shape != a.shape or w.ndim == 0 or w.shape[0] == 0:
        raise ValueError(
            f"w and a have shapes {w.shape} and {a.shape}; both must be the same (k, members)"
        )
    if not (np.all(np.isfinite(w)) and np.all(np.isfinite(a))):
        raise ValueError("w and a hold infinite or undefined values; all must be finite")
    shape = w.shape
    w, a = w.reshape(len(w), -1), a.reshape(len(a), -1)
    units = _Units(np.sign(w), np.abs(w) + a, np.abs(w) - a)
    left = np.arange(w.shape[1])
    # Every unit meets one event at most: where it goes it grows for ever.
    while left.size:
        now = units.of(left)
        time = _time_to_event(now)
        first = np.argmin(time, axis=0)
        until = np.take_along_axis(time, first[None], axis=0)[0]
        _advance(now, until)
        met = np.flatnonzero(np.isfinite(until))
        _hand_over(now, first[met], met)
        units.put(left, now)
        left = left[met]  # the others have no event ahead and are where the flow ends,
    _advance(units, np.full(w.shape[1], np.inf))  # but for rounding
    kernels, outputs = units.side * (units.plus + units.minus) / 2, (units.plus - units.minus) / 2
    return kernels.reshape(shape), outputs.reshape(shape)


def _time_to_event(units: _Units) -> np.ndarray:
    """Return the time until each unit's kernel is 0, infinite where it never is."""
    time = np.full(units.side.shape, np.inf)
    for side in (1.0, -1.0):
        rising, falling = units.sums(side)
        rate = np.sqrt(1 + rising * falling / 4)
        shrinks = (units.side == side) & (units.plus * units.minus < 0)
        # z is e^(2 tau); the kernel u is 0 where (u + a) z = a - u.
        z = np.where(shrinks, -units.minus / np.where(shrinks, units.plus, 1), 1)
        denominator = 1 + falling / 2 - z * (rising / 2 - 1)
        tangent = (z - 1) * rate / np.where(denominator == 0, np.nan, denominator)
        # What lies beyond the end of the flow, or behind, has no such tangent.
        ahead = shrinks & (tangent > 0) & (tangent < 1)
        time = np.where(ahead, np.arctanh(np.where(ahead, tangent, 0)) / rate, time)
    return time


def _advance(units: _Units, time: np.ndarray) -> None:
    """Move both sides on by a time for each member, infinite where nothing more happens."""
    for side in (1.0, -1.0):
        rising, falling = units.sums(side)
        rate = np.sqrt(1 + rising * falling / 4)
        # z' = 2 z (1 - slope), slope = (rising z - falling/z)/4, starting from z = 1.
        tangent = np.tanh(rate * time) / rate
        below = 1 + tangent * (rising / 2 - 1)
        forever = below <= 0  # no unit here can raise the slope: all shrink to 0
        root = np.sqrt((1 + tangent * (1 + falling / 2)) / np.where(forever, 1, below))
        on = units.side == side
        units.plus = np.where(on, np.where(forever, 0, units.plus * root), units.plus)
        units.minus = np.where(on, np.where(forever, 0, units.minus / root), units.minus)


def _hand_over(units: _Units, unit: np.ndarray, member: np.ndarray) -> None:
    """Let the units whose kernels are 0 go over to the other side, or stop."""
    output = (units.plus[unit, member] - units.minus[unit, member]) / 2
    other = -units.side[unit, member]
    slope = np.where(other > 0, units.slope(1.0)[member], units.slope(-1.0)[member])
    units.side[unit, member] = np.where(output * (1 - slope) > 0, other, 0)
    # Exactly 0, so that rounding makes no second event of the first.
    units.plus[unit, member], units.minus[unit, member] = output, -output
