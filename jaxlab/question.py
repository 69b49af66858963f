"""A question asked from the command line: what is to be learnt, from a formula or a CSV file.

It is kept beside the results, so that they can be replayed and reported without being asked again.
"""

import dataclasses
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from jaxlab import files, own_tasks, sealed, tables, validation
from jaxlab.rounding import RoundingWarning
from jaxlab.spec import MOST_ROWS, Scaling, Task

FILE = "question.json"
DATA = "data.csv"


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
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RoundingWarning)  # `remarks` are for that
            return self._task()

    def remarks(self) -> list[str]:
        """Return what float32 does to columns that it is too coarse for, a line for each."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", RoundingWarning)
            self._task()
        return [str(one.message) for one in caught if one.category is RoundingWarning]

    def _task(self) -> Task:
        told = {"tolerance": self.tolerance, "scaling": self.scaling, "regions": self.regions}
        if self.table:
            return own_tasks.from_table(self.target, self.table, **told)
        told |= {"whole_numbers": self.whole_numbers, "per_seed": self.per_seed}
        ends = self.low, self.high
        return own_tasks.from_formula(self.target, *ends, rows=self.rows, **told)

    def __str__(self) -> str:
        """Return what is asked, in words."""
        task = self.task()
        if self.table:
            names = [
                f"{name} less {task.numbers[number]:,.15g}" if number in task.numbers else name
                for number, name in self._numbered()
            ]
            *inputs, target = names
            several = ", ".join(inputs[:5]) + (", ..." if len(inputs) > 5 else "")
            return f"{target} from {several}, on the {task.rows:,} rows of {self.source}"
        kind = "whole numbers" if self.whole_numbers else "points"
        all_of_them = self.whole_numbers and not self.per_seed
        # A grid may have fewer rows than were asked for.
        count = "all" if all_of_them else f"{task.rows:,}"
        drawn = " drawn for each seed" * self.per_seed
        return f"{self.target} on {count} {kind}{drawn} from {self.low:.15g} to {self.high:.15g}"

    def _numbered(self) -> list[tuple[str, str]]:
        """Return what a task calls the shift of each column, and the column; the target is last."""
        inputs = [(f"input {i + 1} less", name) for i, name in enumerate(self.inputs)]
        return [*inputs, ("target 1 less", self.target)]

    def write(self, folder: Path) -> None:
        """Keep the question in a folder."""
        content = dataclasses.asdict(dataclasses.replace(self, table={}))
        content |= {"question": str(self), "task": self.task().name}
        files.write_atomically(folder / FILE, sealed.json_as_bytes(content))
        if self.table:
            columns = (map(float, column) for column in self.table.values())
            rows = (dict(zip(self.table, row, strict=True)) for row in zip(*columns, strict=True))
            files.write_csv(folder / DATA, list(rows))


def read(folder: Path) -> Question | None:
    """Return the question whose results a folder holds; None if it holds others."""
    if not (folder / FILE).exists():
        return None
    content = sealed.read_json(folder / FILE)
    with sealed.reading(folder / FILE):
        del content["question"]
        task = content.pop("task")
        _check(content)
        scaling = content["scaling"]
        content["scaling"] = scaling and Scaling(**validation.fields(Scaling, scaling))
        content["table"] = _read_data(folder / DATA) if (folder / DATA).exists() else {}
        found = Question(**content)
        if found.task().name != task:
            raise ValueError("the rows are not those that were asked about")
        return found


def _check(content: Mapping[str, Any]) -> None:
    """Raise ValueError unless a question's parts, but its scaling, are such as it can have."""
    validation.fields(Question, content)
    for name in ("target", "source"):
        validation.text(name, content[name])
    for name in ("low", "high", "tolerance"):
        validation.number(name, content[name], -math.inf, "a finite number")
    validation.whole("rows", content["rows"], 1, MOST_ROWS)
    for name in ("whole_numbers", "per_seed"):
        validation.check(isinstance(content[name], bool), name, content[name], "true or false")
    regions = content["regions"]
    validation.check(isinstance(regions, Mapping), "regions", regions, "conditions by name")
    for name, condition in regions.items():
        validation.name("region", name)
        validation.text(f"condition of {name}", condition)


def _read_data(path: Path) -> dict[str, np.ndarray]:
    table, _ = read_table(path)
    return {files.text_of_cell(name): column for name, column in table.items()}


def read_table(path: Path, target: str | None = None) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the columns of a CSV file by name, and the names of those without a single number.

    ValueError where a column has numbers in some rows only, or the `target` in none, or the first
    line does not name all.
    """
    columns = tables.read(path)
    names = [column.name for column in columns]
    for name in names:
        validation.name(f"column of {path}", name)
    if len(set(names)) != len(names) or len(names) < 2:
        told = validation.shown(", ".join(names))
        right = "two columns or more, each another"
        raise ValueError(f"the first line of {path} is {told}; it must name {right}")
    if not len(columns[0].numbers):
        raise ValueError(f"{path} has no rows; below the names it must have numbers")
    found, left_out = {}, []
    for column in columns:
        what = f"column {column.name!r} of {path}"
        if column.text is None:
            found[column.name] = column.numbers
        elif np.isfinite(column.numbers).any():
            raise ValueError(f"{what} holds {column.fault}; mend or remove it")
        elif column.name == target:
            text = validation.shown(column.text)
            raise ValueError(
                f"{what} holds text such as {text}; labels must be numbers, such as 0 and 1"
            )
        else:
            left_out.append(column.name)
    return found, left_out
