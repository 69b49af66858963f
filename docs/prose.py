"""What generated chapters share: docstrings as Markdown, and one way to write a page."""

import re
from pathlib import Path

from jaxlab import files

DOCS = Path(__file__).parent
MADE = "<!-- Written by `{command}`; a change here is lost. -->"


def first_line(doc: str | None) -> str:
    """Return what a docstring says in its first line."""
    return (doc or "").split("\n", 1)[0].strip()


def rest(doc: str | None) -> str:
    """Return a docstring without its first line."""
    return (doc or "").partition("\n")[2].strip()


def prose(text: str) -> str:
    """Return text whose "<" a browser does not take for a tag; what stands in `code` is kept."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [re.sub(r"<(?=[A-Za-z/!])", "&lt;", part) for part in parts[::2]]
    return "".join(parts)


def anchor(heading: str) -> str:
    """Return the name by which GitHub links to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def page(title: str, command: str, parts: list[str]) -> str:
    """Return a whole page of Markdown: a title, who wrote it, and parts with a line between."""
    return "\n\n".join([f"# {title}", MADE.format(command=command), *parts]) + "\n"


def write(name: str, text: str) -> Path:
    """Write a page of docs/ and return its path."""
    path = DOCS / name
    files.write_atomically(path, text.encode())
    return path
