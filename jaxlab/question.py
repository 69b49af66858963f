"""A question asked from the command line: what is to be learnt, from a formula or a CSV file.

It is kept beside the results, so that they can be replayed and reported without being asked again.
"""

import csv
import dataclasses
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from jaxlab import files, own_tasks, sealed, validation
from jaxlab.spec import MOST_ROWS, Scaling, Task

FILE = "question.json"
DATA = "data.csv"
LARGEST = 2**30  # bytes of a CSV file: what is beyond is no table for a tiny network


@dataclass(frozen=True)
class Question:
    """What is to be learnt: a formula of variables between two ends, or a column of a table.

    `target` is the formula, or the column's name where there is a `table`, whose other columns are
    the inputs (values by column's name, all of one length). `regions` are conditions by name.
    """

    target: str
    low: float = -1.0
    high: float = 1.0
    rows: int = own_tasks.ROWS
    whole_numbers: bool = False
    per_seed: bool = False
    regions: Mapping[str, str] = field(default_factory=dict)
    tolerance: float = 0.1
    scaling: Scaling | None = None
    source: str = ""  # the table's file, for people
    table: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def inputs(self) -> list[str]:
        """Return the columns that a network sees."""
        return [name for name in self.table if name != self.target]

    def task(self) -> Task:
        """Return the task; ValueError where there is nothing to learn."""
        told = {"tolerance": self.tolerance, "scaling": self.scaling}
        if not self.table:
            kind = {"rows": self.rows, "whole_numbers": self.whole_numbers}
            kind |= {"per_seed": self.per_seed, "regions": self.regions}
            return own_tasks.from_formula(self.target, self.low, self.high, **kind, **told)
        columns = np.stack([self.table[name] for name in self.inputs], axis=1)
        named = dict(zip(self.inputs, columns.T, strict=True))
        regions = {name: own_tasks.mask(text, named) for name, text in self.regions.items()}
        targets = self.table[self.target]
        return own_tasks.from_arrays(self.target, columns, targets, regions=regions or None, **told)

    def __str__(self) -> str:
        """Return what is asked, in words."""
        if self.table:
            count = len(self.table[self.target])
            inputs = ", ".join(self.inputs[:5]) + (", ..." if len(self.inputs) > 5 else "")
            return f"{self.target} from {inputs}, on the {count:,} rows of {self.source}"
        kind = "whole numbers" if self.whole_numbers else "points"
        count = "all" if self.whole_numbers and not self.per_seed else f"{self.rows:,}"
        drawn = " drawn for each seed" * self.per_seed
        return f"{self.target} on {count} {kind}{drawn} from {self.low:g} to {self.high:g}"

    def write(self, folder: Path) -> None:
        """Keep the question in a folder."""
        content = dataclasses.asdict(dataclasses.replace(self, table={}))
        content["question"] = str(self)
        files.write_atomically(folder / FILE, sealed.json_as_bytes(content))
        if self.table:
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(self.table)
            writer.writerows(
                zip(*(map(repr, map(float, c)) for c in self.table.values()), strict=True)
            )
            files.write_atomically(folder / DATA, text.getvalue().encode())


def read(folder: Path) -> Question | None:
    """Return the question whose results a folder holds; None if it holds others."""
    if not (folder / FILE).exists():
        return None
    content = sealed.read_json(folder / FILE)
    try:
        content.pop("question")
        content["scaling"] = content["scaling"] and Scaling(**content["scaling"])
        content["table"] = read_table(folder / DATA) if (folder / DATA).exists() else {}
        return Question(**content)
    except (KeyError, TypeError, ValueError) as error:
        raise sealed.damaged(folder / FILE, error) from error


def read_table(path: Path) -> dict[str, np.ndarray]:
    """Return the columns of a CSV file by the names in its first line, float64.

    ValueError names the line and the column of what is no finite number.
    """
    try:
        if path.stat().st_size > LARGEST or not path.is_file():
            raise ValueError(f"{path} is no file of at most {LARGEST} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text in UTF-8; save the table as CSV") from None
    try:
        lines = [line for line in csv.reader(io.StringIO(text), strict=True) if line]
    except csv.Error as error:
        raise ValueError(f"{path} cannot be read as CSV: {error}") from None
    if len(lines) < 2 or len(lines) - 1 > MOST_ROWS:
        raise ValueError(
            f"{path} has {len(lines)} lines; it must have names, then 1 to {MOST_ROWS} rows"
        )
    names = [name.strip() for name in lines[0]]
    for name in names:
        validation.name(f"column of {path}", name)
    if len(set(names)) != len(names) or len(names) < 2 or all(map(_is_number, names)):
        told = ", ".join(map(repr, names[:5]))
        raise ValueError(f"the first line of {path} is {told}; it must name two columns or more")
    values = np.empty((len(lines) - 1, len(names)))
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(names):
            raise ValueError(
                f"row {number} of {path} has {len(line)} columns; the first has {len(names)}"
            )
        for i, cell in enumerate(line):
            if not _is_number(cell):
                told = validation.shown(cell)
                raise ValueError(
                    f"row {number} of {path} has {told} as {names[i]!r}; it must be a number"
                )
            values[number - 2, i] = float(cell)
    return {name: values[:, i] for i, name in enumerate(names)}


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
