"""The printed loss, the outputs held against it, and how all that reads as text.

Responsible for records and wording. Which output scores what is worked out in `forensics`.
"""

import math
import re
import textwrap
from dataclasses import dataclass
from decimal import Decimal

LARGEST = 1e70
"""Inputs and targets stay below it: the square of a squared error must be finite."""

WIDTH = 80


@dataclass(frozen=True)
class Printed:
    """A loss as somebody printed it: as a mean squared error, and half a unit of its last digit.

    >>> Printed.read("7e9")
    Printed(text='7e9', root=False, loss=7000000000.0, half_unit=500000000.0)
    """

    text: str
    root: bool
    loss: float
    half_unit: float

    @classmethod
    def read(
        cls, given: str | float, digits: int | None = None, *, root: bool = False
    ) -> "Printed":
        """Read a mean squared error, or its root; without `digits` all that are there count."""
        text = given.strip() if isinstance(given, str) else repr(float(given))
        pattern = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
        if len(text) > 60 or not re.fullmatch(pattern, text):
            raise ValueError(
                f"the loss is {text!r}; right are, for example, 8533120007.8465 or 7e9"
            )
        exact = Decimal(text)
        if not 0 <= exact < LARGEST**2:
            raise ValueError(f"the loss is {text}; it must be at least 0 and below {LARGEST**2:g}")
        if digits is not None and digits < 1:
            raise ValueError(f"digits is {digits}; it must be at least 1")
        last = int(exact.as_tuple().exponent) if digits is None else exact.adjusted() - digits + 1
        # A zero has no leading digit: as a number, 0e9 says no less than 0.
        value, half_unit = float(exact), 0.5 * 10.0 ** (last if exact else min(last, 0))
        if root:
            # The widest the square can be off, which is upwards.
            value, half_unit = value**2, 2 * value * half_unit + half_unit**2
        return cls(text, root, value, half_unit)

    def scale(self, loss: float) -> float:
        """Return a mean squared error as what was printed: itself or its root."""
        return math.sqrt(loss) if self.root else loss


@dataclass(frozen=True)
class Candidate:
    """An output that might explain the loss, with its own score.

    `score` is its mean squared error, `difference` its relative distance from the printed number
    (for a root, the root's), `match` one of "same", "compatible" (as far as samples go), "near"
    and "". Of random rows, `deviation` is the standard deviation of the mean squared error,
    `distance` how many of them the printed number is away and `gain` what fitting to the sample
    lowers it by on average.
    """

    name: str
    phrase: str
    score: float
    difference: float
    match: str
    deviation: float = 0.0
    gain: float = 0.0
    distance: float = 0.0

    @property
    def matches(self) -> bool:
        """Say whether this output explains the loss."""
        return self.match in ("same", "compatible")


@dataclass(frozen=True)
class Explanation:
    """What explains a printed loss; str() is a table and a sentence.

    `candidates` begin with the closest; `constants` are the constant outputs that score the loss,
    each with its uncertainty; `rows` is None unless the loss comes from so many random rows.
    """

    printed: Printed
    size: int
    rows: int | None
    variance: float
    candidates: tuple[Candidate, ...]
    constants: tuple[tuple[float, float], ...]

    @property
    def matching(self) -> tuple[Candidate, ...]:
        """Return the candidates that explain the loss, the closest first."""
        return tuple(candidate for candidate in self.candidates if candidate.matches)

    @property
    def verdict(self) -> str:
        """Say in one sentence what the loss gives away."""
        found = self.matching
        if found:
            said = ", or ".join(candidate.phrase for candidate in found)
            end = ": this loss cannot tell them apart" if len(found) > 1 else ""
            return f"The best explanation: {said}{end}."
        first = self.candidates[0]
        if first.match == "near":
            off = f"the nearest, {first.phrase}, is {_percent(abs(first.difference))} off"
            why = "chance and rounding explain" if self.rows else "rounding explains"
            return f"None of these scores exactly this: {off}, more than {why}."
        best = min(candidate.score for candidate in self.candidates)
        if self.printed.loss < best:
            known = f"no affine function scores below {number(self.printed.scale(best))}"
            return f"None of these explains it: {known}, so the network has learnt more than that."
        score = number(self.printed.scale(first.score))
        return f"None of these explains it: the nearest, {first.phrase}, would score {score}."

    def __str__(self) -> str:
        """Return the table and the verdict, at most 80 columns wide."""
        kind = "root mean squared error" if self.printed.root else "mean squared error"
        on = (
            f"{self.rows:,} random rows out of {self.size:,}"
            if self.rows
            else f"{self.size:,} rows"
        )
        lines = [*_wrapped(f"{kind} {self.printed.text}, on {on}"), ""]
        lines += [self._head(), *map(self._line, self.candidates), ""]
        ends = " or ".join(_with_uncertainty(*constant) for constant in self.constants)
        variance = number(self.printed.scale(self.variance))
        none = f"No constant output scores that: the best one scores {variance}."
        solved = f"Constant outputs that score that: {ends}." if ends else none
        return "\n".join([*lines, *_wrapped(solved), *_wrapped(self.verdict)])

    def _head(self) -> str:
        more = f"{'sd':>14}{'away':>10}" if self.rows else f"{'off by':>12}"
        return f"{'output':<28}{'would score':>16}{more}"

    def _line(self, candidate: Candidate) -> str:
        score = self.printed.scale(candidate.score)
        more = f"{_percent(candidate.difference, '+'):>12}"
        if self.rows:
            # The first-order change of a root is the change over twice the root.
            slope = 2 * score if self.printed.root else 1
            deviation = candidate.deviation / slope if slope else 0.0
            more = f"{number(deviation, 4):>14}{_deviations(candidate.distance):>10}"
        line = f"{candidate.name:<28}{number(score):>16}{more}"
        return f"{line}  {candidate.match}".rstrip()


def _wrapped(text: str) -> list[str]:
    # Hyphens are minus signs here, too.
    return textwrap.wrap(text, WIDTH, break_on_hyphens=False)


def number(value: float, digits: int = 10) -> str:
    """Return a number to so many digits, with thousands separated."""
    size = math.floor(math.log10(abs(value))) if value else 0
    if not -5 < size < 12:
        return f"{value:.{digits - 1}e}"
    written = f"{value:,.{max(0, digits - 1 - size)}f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def _with_uncertainty(value: float, half_width: float) -> str:
    if not half_width or abs(value) >= 1e12:
        return number(value)
    decimals = min(max(0, 1 - math.floor(math.log10(half_width))), 10)
    return f"{value:,.{decimals}f} +- {half_width:,.{decimals}f}"


def _percent(relative: float, sign: str = "") -> str:
    if 0 < abs(relative) < 1e-3:
        return f"{relative:{sign}.1e}"
    if abs(relative) < 10:
        return f"{100 * relative:{sign}.1f} %"
    if abs(relative) == math.inf:
        return "-"
    form = ",.0f" if abs(relative) < 1e4 else ".0e"
    return f"{100 * relative:{sign}{form}} %"


def _deviations(distance: float) -> str:
    if distance == math.inf:
        return "-"
    return f"{distance:.1f} sd" if distance < 1e4 else f"{distance:.0e} sd"
