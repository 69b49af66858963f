"""Predictions beside counts, as text and as predictions.csv."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from jaxlab import files
from jaxlab.compare import Comparison
from jaxlab.result import Result
from jaxlab.theory.prediction import Prediction

FILE = "predictions.csv"
Counted = list[tuple[str, int, int, Prediction]]  # setting, count, n, prediction
MARKS = {"lower bound": ">=", "upper bound": "<=", "exact": "= "}
MARKS |= dict.fromkeys(("asymptotic", "empirical"), "~ ")


def counted(of_part: Callable[[Result], Counted], result: Result) -> Counted:
    """Return what a function counts over a result, of which no more than a part is in memory."""
    parts = [of_part(part) for part in result.parts()]
    return [
        (rows[0][0], sum(row[1] for row in rows), sum(row[2] for row in rows), rows[0][3])
        for rows in zip(*parts, strict=True)
    ]


def table(compared: Sequence[Comparison]) -> str:
    """Return what theory says beside what was found; predictions that are withheld are counted."""
    said = [c for c in compared if c.predicted is not None]
    lines = [f"{'setting':<30} {'event':<21} {'found %':>7} {'':2}{'theory':>6} verdict"]
    for c in said:
        mark = MARKS[c.kind]
        name = c.setting if len(c.setting) <= 30 else c.setting[:29] + "…"
        numbers = f"{100 * c.observed:7.2f} {mark}{100 * (c.predicted or 0.0):6.2f}"
        lines.append(f"{name:<30} {c.event.replace('_', ' '):<21} {numbers} {c.verdict}")
    held = len(compared) - len(said)
    lines.append(f"({held} predictions withheld; sources and reasons: {FILE})")
    return "\n".join(lines)


def write(folder: Path, sweep: str, compared: Sequence[Comparison]) -> None:
    """Write predictions.csv into a folder."""
    rows = [{"sweep": sweep} | dataclasses.asdict(row) for row in compared]
    columns = ["sweep", *(field.name for field in dataclasses.fields(Comparison))]
    files.write_csv(folder / FILE, rows, columns)
