"""Tables of numbers that people bring: CSV files whose first line names the columns."""

import csv
import io
import math
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from jaxlab.files import opened
from jaxlab.validation import shown

MOST_NUMBERS = 10_000_000
MOST_COLUMNS = 1000
LONGEST_LINE = 2**20  # characters
DECIMAL_COMMA = re.compile(r"\s*[+-]?[0-9]+,[0-9]+\s*")
SEPARATORS = {";": "semicolons", "\t": "tabs"}  # of tables that are none of commas


@dataclass(frozen=True)
class Column:
    """A column of a table: its name, and its numbers (rows,), float64, nan where a cell holds none.

    `text` is the first cell that holds no number; None where all hold one.
    """

    name: str
    numbers: np.ndarray
    text: str | None

    @property
    def fault(self) -> str:
        """Return which cell holds no number, and what it holds."""
        row = int(np.flatnonzero(~np.isfinite(self.numbers))[0]) + 1
        return f"no number in row {row} below the names, but {shown(self.text)}"


def check_size(rows: int, columns: int) -> None:
    """Raise ValueError for more numbers than are ever needed."""
    if rows * columns > MOST_NUMBERS:
        raise ValueError(
            f"{rows:,} rows of {columns} columns are too large; at most {MOST_NUMBERS:,} numbers "
            "are read"
        )


def read(path: Path) -> list[Column]:
    """Return the columns of a table.

    ValueError where the file is no table, OSError where it cannot be read.
    """
    rows = _lines(path)
    names = [name.strip() for name in next(rows, [])]
    if len(names) > MOST_COLUMNS:
        raise ValueError(f"{path} has {len(names):,} columns; at most {MOST_COLUMNS:,} are read")
    columns, texts = [array("d") for _ in names], dict[int, str]()
    for row in rows:
        for place, cell in enumerate(row):
            number = _number(cell)
            columns[place].append(number)
            if math.isnan(number):
                texts.setdefault(place, cell)
        check_size(len(columns[0]), len(columns))
    for place, text in texts.items():
        if DECIMAL_COMMA.fullmatch(text):
            raise ValueError(
                f"column {names[place]!r} of {path} holds {text.strip()!r}; a number is written "
                "without commas, and with a decimal point, such as 1.5"
            )
    numbers = map(np.asarray, columns)
    return [Column(names[i], values, texts.get(i)) for i, values in enumerate(numbers)]


def _number(text: str) -> float:
    """Return the finite number that a cell holds; nan where it holds none."""
    if "_" in text or not text.isascii():  # of which Python would make numbers, 33 of 3_3
        return math.nan
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _pieces(path: Path, file: TextIO) -> Iterator[str]:
    """Yield the lines of a file; ValueError for a long one, so that none fills the memory."""
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise ValueError(f"{path} has a line of {LONGEST_LINE:,} characters; it is no table")
        yield line


def _lines(path: Path) -> Iterator[list[str]]:
    """Yield the rows of a table, each as long as the first; ValueError says where it is none."""
    with opened(path) as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as file:
        reader, width = csv.reader(_pieces(path, file)), 0
        try:
            for row in reader:
                if not row:
                    continue  # an empty line, most often the last
                if not width:
                    width = len(row)
                    _check_separators(path, row)
                if len(row) != width:
                    raise ValueError(
                        f"line {reader.line_num} of {path} has {len(row)} cells; "
                        f"the first has {width}"
                    )
                yield row
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is not a table of comma-separated text: {error}") from None


def _check_separators(path: Path, first: list[str]) -> None:
    """Raise ValueError where other characters than commas lie between the names of a table."""
    for character, word in SEPARATORS.items():
        if len(first) == 1 and character in first[0]:
            raise ValueError(
                f"the first line of {path} is {shown(first[0])}, parted by {word}; names and "
                "numbers must be parted by commas, and a number has a decimal point"
            )
