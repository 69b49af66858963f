"""What all generated tables share."""


def percent(value: float | None, digits: int = 2) -> str:
    """Return a share as per cent, a dash for none."""
    return "-" if value is None else f"{100 * value:.{digits}f}"


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table whose first column is left aligned, the others right."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in [head, *rows]]
    lines = [cells[0], [":--", *["--:"] * (len(head) - 1)], *cells[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
