"""Every member as a row of one table, for tools that know nothing of jaxlab: CSV or Parquet.

Rows come setting by setting in the sweep's order, and by ascending seed within each. Columns:

setting, seed; outcome, a name out of `outcomes.OUTCOMES`; loss; error_<region> for every region
that any setting is judged in; first_solved, in steps; born_dead and certified; entering_before and
entering_after training; rmse, rounded_rmse, line_rmse, mean_output, mean_target and spread, in the
targets' units; constant, which constant a constant output is; initial_weights and final_weights,
layer by layer, the kernel (input by input) before the biases. `Members` says more of each. What a
member does not have is null in Parquet, and an empty cell in CSV. Left out is `Members.seen`, which
only large networks have.

In CSV (UTF-8, as RFC 4180 but for lines that end in a mere newline) a number is the shortest text
that gives back its float32, bit for bit; infinities are inf and -inf, and nan is nan, whose bits
alone are not kept. Blanks separate the weights in their cell, and truth is true or false; a text
that a spreadsheet would run begins with an apostrophe. In Parquet numbers are float32, weights are
lists, texts are dictionaries, and the schema's metadata hold the sweep's JSON under `jaxlab.sweep`
and its digest under `jaxlab.digest`.

Equal results give equal bytes; Parquet's hang on the version of pyarrow too.
"""

import importlib
import re
from collections.abc import Iterator, Mapping
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from jaxlab import files, tasks
from jaxlab.result import Members, Result
from jaxlab.sealed import unwritable
from jaxlab.spec import Task

KINDS = ("csv", "parquet")
# Seeds written at once. Both divide the windows of a stored result, so that one in memory is cut
# at the same seeds; text takes much more memory than numbers do.
ROWS_OF_TEXT = 2**11
ROW_GROUP = 2**16

Columns = dict[str, np.ndarray]


def check(kind: str) -> None:
    """Raise ValueError unless files of this kind can be written here: Parquet needs pyarrow."""
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; it must be one of {', '.join(KINDS)}")
    if kind == "parquet":
        _pyarrow()


def write(result: Result, folder: Path, kind: str) -> Path:
    """Write members.csv or members.parquet into a folder, in place of an old one; return its path.

    No more than some ten thousand members are in memory at once, and nobody sees half a file.
    ValueError for a kind that cannot be written here (see `check`) or a result without members,
    ResultsError if the folder cannot be written to.
    """
    check(kind)
    path = folder / f"members.{kind}"
    fill = {"csv": _fill_csv, "parquet": _fill_parquet}[kind]
    try:
        files.make_folder(folder)
        with files.replaced(path) as file:
            fill(file, result)
    except OSError as error:
        raise unwritable(folder, error) from error
    return path


def _tables(result: Result, together: int) -> tuple[Columns, Iterator[Columns]]:
    """Return the first rows as columns by name, and all, some at a time; ValueError without any."""
    by_task = {task: _regions(task) for task in {s.task for s in result.sweep.settings}}
    regions = {s.name: by_task[s.task] for s in result.sweep.settings}
    found = (_columns(name, members, regions) for name, members in _lots(result, together))
    first = next(found, None)
    if first is None:
        raise ValueError(f"the result of sweep {result.sweep.name!r} has no members to export")
    return first, chain([first], found)


def _regions(task: Task) -> tuple[str, ...]:
    """Return a task's regions in the order of its own function, which is that of `errors`."""
    return tuple(tasks.example(task)[2])


def _lots(result: Result, together: int) -> Iterator[tuple[str, Members]]:
    """Yield (setting, members), at most `together` neighbouring seeds at a time."""
    for name in (setting.name for setting in result.sweep.settings):
        parts = (part.members for part in result.parts())
        for members in (part[name] for part in parts if name in part):
            ends = np.flatnonzero(np.diff(members.seeds // together)) + 1
            for low, high in pairwise([0, *ends, len(members.seeds)]):
                if high > low:
                    yield name, Members(**{k: v[low:high] for k, v in members.arrays.items()})


def _columns(name: str, members: Members, regions: Mapping[str, tuple[str, ...]]) -> Columns:
    """Return members of a setting as columns, masked where they have no such thing."""
    n = len(members.seeds)
    errors = dict(zip(regions[name], members.errors.T, strict=True))
    before, after = members.entering.T
    constants, nothing = members.constants, np.ma.array(np.zeros(n, np.float32), mask=True)
    weights = {"initial_weights": members.initial_weights, "final_weights": members.final_weights}
    return {
        "setting": np.full(n, name),
        "seed": members.seeds,
        "outcome": members.names,
        "loss": members.loss,
        **{f"error_{r}": errors.get(r, nothing) for r in _all(regions)},
        "first_solved": np.ma.masked_where(members.first_solved < 0, members.first_solved),
        "born_dead": members.born_dead,
        "certified": members.certified,
        "entering_before": before,
        "entering_after": after,
        "rmse": members.rmse,
        "rounded_rmse": members.rounded_rmse,
        "line_rmse": members.line_rmse,
        "mean_output": members.mean_output,
        "mean_target": members.mean_target,
        "spread": members.spread,
        "constant": np.ma.masked_where(constants == "", constants),
        **{k: nothing[:, None] if kept is None else kept for k, kept in weights.items()},
    }


def _all(regions: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return each region once, in the order in which settings first have them."""
    return list(dict.fromkeys(chain.from_iterable(regions.values())))


def _absent(column: np.ndarray) -> np.ndarray:
    """Say of each row (rows,) of a column if it is masked."""
    return np.all(np.ma.getmaskarray(column).reshape(len(column), -1), axis=1)


def _fill_csv(file: BinaryIO, result: Result) -> None:
    first, tables = _tables(result, ROWS_OF_TEXT)
    file.write((",".join(map(_quoted, first)) + "\n").encode())
    for columns in tables:
        rows = zip(*map(_cells, columns.values()), strict=True)
        file.write("".join(",".join(row) + "\n" for row in rows).encode())


def _cells(column: np.ndarray) -> list[str]:
    """Return a column's cells as text, empty where it is masked."""
    texts = _texts(np.ma.getdata(column))
    absent = _absent(column)
    if absent.any():
        return ["" if gone else text for text, gone in zip(texts, absent, strict=True)]
    return texts


def _texts(values: np.ndarray) -> list[str]:
    if values.ndim > 1:
        return [" ".join(map(str, row)) for row in values]
    if values.dtype.kind == "b":
        return np.where(values, "true", "false").tolist()
    if values.dtype.kind == "U":
        return list(map(_quoted, values.tolist()))
    return list(map(str, values))  # of a float32 the shortest that gives it back


def _quoted(text: str) -> str:
    text = str(files.cell_of(text))
    # The csv module does not quote a lone carriage return, though it reads one as a line's end.
    return '"' + text.replace('"', '""') + '"' if re.search('[",\r\n]', text) else text


def _fill_parquet(file: BinaryIO, result: Result) -> None:
    arrow, parquet = _pyarrow()

    def table(columns: Columns) -> Any:
        return arrow.table({name: _array(arrow, column) for name, column in columns.items()})

    first, tables = _tables(result, ROW_GROUP)
    told = {"jaxlab.sweep": result.sweep.to_json(), "jaxlab.digest": result.sweep.digest}
    with parquet.ParquetWriter(file, table(first).schema.with_metadata(told)) as writer:
        for columns in tables:
            writer.write_table(table(columns))


def _array(arrow: Any, column: np.ndarray) -> Any:
    """Return a column as an array of pyarrow's, null where it is masked."""
    values, absent = np.ma.getdata(column), _absent(column)
    if values.ndim > 1:
        ends = np.arange(len(values) + 1, dtype=np.int32) * values.shape[1]
        numbers = arrow.array(values.ravel(), from_pandas=False)
        return arrow.ListArray.from_arrays(ends, numbers, mask=arrow.array(absent))
    made = arrow.array(values, mask=absent, from_pandas=False)  # else nan would become null
    return made.dictionary_encode() if values.dtype.kind == "U" else made


def _pyarrow() -> tuple[Any, Any]:
    """Import pyarrow, which only this needs; ValueError if it is not installed."""
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        text = "--export parquet needs pyarrow: pip install 'jaxlab[export]'"
        raise ValueError(text) from error
