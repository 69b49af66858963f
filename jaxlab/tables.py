"""Tables of numbers that people bring: CSV files whose first line names the columns."""

import csv
import math
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

MOST_NUMBERS = 10_000_000
LONGEST_LINE = 2**20  # characters


def check_size(rows: int, columns: int) -> None:
    """Raise ValueError for more numbers than are ever needed."""
    if rows * columns > MOST_NUMBERS:
        raise ValueError(
            f"{rows:,} rows of {columns} columns are too large; at most {MOST_NUMBERS:,} numbers "
            "are read"
        )


def read(path: Path) -> tuple[list[str], list[np.ndarray]]:
    """Return the columns' names and numbers (rows,), float64; nan where a cell holds none.

    ValueError where the file is no table, OSError where it cannot be read.
    """
    rows = _lines(path)
    names = [name.strip() for name in next(rows, [])]
    columns = [array("d") for _ in names]
    for row in rows:
        for column, cell in zip(columns, row, strict=True):
            column.append(_number(cell))
        check_size(len(columns[0]), len(columns))
    return names, [np.asarray(column) for column in columns]


def _number(text: str) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def _pieces(path: Path, file: TextIO) -> Iterator[str]:
    """Yield the lines of a file; ValueError for a long one, so that none fills the memory."""
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise ValueError(f"{path} has a line of {LONGEST_LINE:,} characters; it is no table")
        yield line


def _lines(path: Path) -> Iterator[list[str]]:
    """Yield the rows of a table, each as long as the first; ValueError says where it is none."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader, width = csv.reader(_pieces(path, file)), 0
        try:
            for row in reader:
                if not row:
                    continue  # an empty line, most often the last
                width = width or len(row)
                if len(row) != width:
                    raise ValueError(
                        f"line {reader.line_num} of {path} has {len(row)} cells; "
                        f"the first has {width}"
                    )
                yield row
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is not a table of comma-separated text: {error}") from None
