"""What theory says about one event, with everything needed to hold a count against it.

Responsible for the record and its validity. How a prediction is tested against a count is not
decided here: the kind names the sort of statement, and whoever compares picks the test.
"""

from dataclasses import dataclass
from math import isfinite

KINDS = ("exact", "lower bound", "upper bound", "asymptotic", "empirical")
"""The five sorts of statement; the last two are approximations and carry a tolerance."""

_APPROXIMATE = ("asymptotic", "empirical")


@dataclass(frozen=True)
class Prediction:
    """State the probability of an event, or why theory has none to offer.

    `name` is the law that speaks, `event` what is counted, `tolerance` the largest distance
    between the true probability and `probability` that still counts as agreement. A prediction
    outside its assumptions has probability None and says why in `reason`.

    >>> Prediction("initial signs", "one_sided_at_init", "exact", 0.5, "signs", "k = 2").probability
    0.5
    """

    name: str
    event: str
    kind: str
    probability: float | None
    source: str
    assumptions: str
    tolerance: float | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse a record that could not be tested or explained."""
        for field in ("name", "event", "source", "assumptions"):
            _check_text(field, getattr(self, field))
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}; it must be one of {', '.join(KINDS)}")
        if self.probability is None:
            _check_text("reason", self.reason, " when probability is None")
        else:
            self._check_number(self.probability)
        self._check_tolerance()

    def _check_number(self, probability: float) -> None:
        if not 0 <= probability <= 1:
            raise ValueError(
                f"probability is {probability!r}; it must lie in [0, 1], or be None with a reason"
            )
        if self.reason:
            raise ValueError(
                f"reason is {self.reason!r}; it must be empty unless probability is None"
            )

    def _check_tolerance(self) -> None:
        tolerance, approximate = self.tolerance, self.kind in _APPROXIMATE
        if tolerance is None:
            # A withheld prediction is never tested, so it may go without.
            if approximate and self.probability is not None:
                raise ValueError(
                    f"tolerance is None; kind {self.kind!r} needs a number above 0 and below 1"
                )
        elif not approximate:
            raise ValueError(
                f"tolerance is {tolerance!r}; it must be None, kind {self.kind!r} allows no slack"
            )
        elif not (isfinite(tolerance) and 0 < tolerance < 1):
            raise ValueError(f"tolerance is {tolerance!r}; it must be above 0 and below 1")


def _check_text(field: str, value: object, when: str = "") -> None:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{field} is {value!r}; it must be a sentence or a name{when}")
