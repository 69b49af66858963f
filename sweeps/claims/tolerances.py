"""Tell whether a verdict would be another one if another error counted as learnt.

What is solved is decided by a tolerance, a tenth of the targets' size. Every statement is judged at
half and at twice of it as well, and says so where its verdict hangs on it. Times of success are
those at the tolerance itself, for nobody looked for others while training.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from jaxlab import claims, outcomes
from jaxlab.claims import Claim, Statement
from jaxlab.result import Members, Result
from jaxlab.tolerances import deciding_errors

TOLERANCES = (0.05, 0.1, 0.2)
_SOLVED, _OTHER = (outcomes.OUTCOMES.index(name) for name in ("solved", "other"))


def failure_share(members: Members, tolerance: float) -> float:
    """Return the share of members with a region whose relative error is above a tolerance."""
    return float(np.mean(~_fitted(members, tolerance)))


def at_tolerance(members: Members, tolerance: float) -> Members:
    """Return the members with those solved that are within a tolerance, in all regions.

    Who is no longer solved is "other"; all other outcomes stay.
    """
    fitted = _fitted(members, tolerance)
    lost = (members.outcome == _SOLVED) & ~fitted
    code = np.where(fitted, _SOLVED, np.where(lost, _OTHER, members.outcome))
    return dataclasses.replace(members, outcome=code.astype(members.outcome.dtype))


def _fitted(members: Members, tolerance: float) -> np.ndarray:
    return deciding_errors(members) <= tolerance


@dataclasses.dataclass(frozen=True)
class Rejudged(Mapping[str, Members]):
    """The members of a result at another tolerance, setting by setting when asked for."""

    members: Mapping[str, Members]
    tolerance: float

    def __getitem__(self, setting: str) -> Members:
        """Return a setting's members."""
        return at_tolerance(self.members[setting], self.tolerance)

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the settings."""
        return iter(self.members)

    def __len__(self) -> int:
        """Return how many settings there are."""
        return len(self.members)


def restated(state: Callable[[Result], list[Statement]], found: Result) -> list[list[Statement]]:
    """Return the statements on a result at every one of `TOLERANCES`."""
    return [state(Result(found.sweep, Rejudged(found.members, t))) for t in TOLERANCES]


def noted(judged: Sequence[Claim], others: Sequence[Sequence[Statement]]) -> list[Claim]:
    """Return claims whose evidence says where the verdict is another one at other tolerances.

    `others` are all statements at every one of `TOLERANCES`, in the order of the claims.
    """
    tables = [claims.decided(statements) for statements in others]
    return [
        dataclasses.replace(claim, evidence=_with_note(claim, at))
        for claim, *at in zip(judged, *tables, strict=True)
    ]


def _with_note(claim: Claim, at: Sequence[Claim]) -> str:
    if all(other.verdict == claim.verdict for other in at):
        return claim.evidence
    said = [
        f"at {100 * t:g} % {other.verdict}{_rate(other)}"
        for t, other in zip(TOLERANCES, at, strict=True)
    ]
    note = f"the verdict hangs on the error that counts as learnt: {', '.join(said)}"
    return f"{claim.evidence.removesuffix('.')}; {note}"


def _rate(claim: Claim) -> str:
    """Return the rate that was judged, or the difference, in brackets; nothing without one."""
    if claim.observed is None:
        return ""
    return f" ({100 * claim.observed:{'' if claim.count is not None else '+'}.1f} %)"
