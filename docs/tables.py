"""What all generated tables share."""

from jaxlab.tally import clopper_pearson


def percent(value: float | None, digits: int = 2) -> str:
    """Return a share as per cent, a dash for none."""
    return "-" if value is None else f"{100 * value:.{digits}f}"


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table whose first column is left aligned, the others right."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in [head, *rows]]
    lines = [cells[0], [":--", *["--:"] * (len(head) - 1)], *cells[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def bounds(count: int, n: int, digits: int = 2) -> str:
    """Return the exact 95 % interval of a share in per cent, as "[low, high]"."""
    interval = clopper_pearson(count, n)
    return f"[{percent(interval.low, digits)}, {percent(interval.high, digits)}]"


def share(count: int, n: int, digits: int = 2) -> str:
    """Return a share in per cent with its interval, "rate [low, high]"; a dash for none of none."""
    return f"{percent(count / n if n else None, digits)} {bounds(count, n, digits)}"
