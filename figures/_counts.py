"""What several figures read off results: shares with exact intervals, and what is missing."""

from typing import Any

import numpy as np

from jaxlab.result import Members, Result
from jaxlab.tally import clopper_pearson

Numbers = dict[str, Any]


def require(result: Result, *settings: str) -> None:
    """Raise ValueError, with the command that helps, where a figure lacks settings it draws."""
    missing = [name for name in settings if name not in result.members]
    if missing:
        sweep = result.sweep.name
        raise ValueError(f"no members of {missing[0]} yet; python -m sweeps {sweep} trains them")


def share(mask: np.ndarray) -> Numbers:
    """Return how many members are true, of how many, and the rate with its exact interval.

    The rate of no members is None.
    """
    return proportion(int(np.sum(mask)), len(mask))


def proportion(count: int, n: int) -> Numbers:
    """Return a count, of how many, and the rate with its exact interval; None as rate of none."""
    interval = clopper_pearson(count, n)
    limits = {"ci_low": interval.low, "ci_high": interval.high}
    return {"n": n, "count": count, "rate": count / n if n else None, **limits}


def failed(members: Members) -> np.ndarray:
    """Say of each member if it was not solved at the end."""
    return members.names != "solved"


def rates(rows: list[Numbers]) -> list[np.ndarray]:
    """Return rate, lower and upper limit of rows as arrays, for drawing."""
    return [np.array([row[name] for row in rows], float) for name in ("rate", "ci_low", "ci_high")]


def sizes(rows: list[Numbers]) -> str:
    """Return how many networks a rate is of: "10,000" or "16 to 10,000"."""
    counts = sorted({row["n"] for row in rows})
    return " to ".join(f"{n:,}" for n in dict.fromkeys((counts[0], counts[-1])))


def percent(row: Numbers) -> str:
    """Return a rate in per cent, "0" and "100" only where it is exactly that."""
    return f"{100 * row['rate']:.{0 if row['count'] in (0, row['n']) else 1}f} %"
