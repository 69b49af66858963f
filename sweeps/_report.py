"""Text that several sweeps print: predictions against counts, as a table of 80 columns."""

from collections.abc import Sequence

from jaxlab.compare import Comparison


def comparison_table(compared: Sequence[Comparison]) -> str:
    """Return what theory says beside what was found; predictions that are withheld are counted."""
    said = [c for c in compared if c.predicted is not None]
    lines = [f"{'setting':<31} {'event':<22} {'found %':>7} {'':2}{'theory':>6} verdict"]
    marks = {"lower bound": ">=", "upper bound": "<=", "exact": "= "}
    for c in said:
        mark = marks.get(c.kind, "~ ")
        name = c.setting if len(c.setting) <= 31 else c.setting[:30] + "…"
        numbers = f"{100 * c.observed:7.2f} {mark}{100 * (c.predicted or 0.0):6.2f}"
        lines.append(f"{name:<31} {c.event.replace('_', ' '):<22} {numbers} {c.verdict}")
    held = len(compared) - len(said)
    lines.append(f"({held} predictions withheld; sources and reasons: predictions.csv)")
    return "\n".join(lines)
