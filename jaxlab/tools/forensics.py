"""Say which constant, or which affine function, scores exactly a loss that was printed.

python -m jaxlab forensics --loss 8533120007.8465 --range 1 79999 --target "2*x"
python -m jaxlab forensics --loss 32532613324.8000 --range 80000 99999 --target "2*x"
python -m jaxlab forensics --loss 7e9 --rows 10000 --integers 0 499 --inputs a b --target "a*b"
python -m jaxlab forensics --rmse 75777.312879 --rows 1000 --range 1 1000 --target "x**2"
python -m jaxlab forensics --loss 0.0312 --data measured.csv --target-column y

All digits of the loss count: for "about seven billion" write 7e9. A formula that begins with a
minus sign is written --target="-x". With --rows N the loss is that of N random rows, drawn
independently and evenly from these data.
"""

import argparse
from pathlib import Path

import numpy as np

from jaxlab import commandline, forensics, formula, tables
from jaxlab.tables import check_size

LARGEST_INTEGER = 2**53  # from here on float64 leaves integers out


def parser() -> commandline.Parser:
    """Return the tool's command line."""
    made = commandline.described("python -m jaxlab forensics", __doc__)
    printed = made.add_mutually_exclusive_group(required=True)
    printed.add_argument("--loss", metavar="VALUE", help="the mean squared error, as printed")
    printed.add_argument("--rmse", metavar="VALUE", help="its root, as printed")
    data = made.add_mutually_exclusive_group(required=True)
    ends = ("LOW", "HIGH")
    whole = commandline.whole(-LARGEST_INTEGER, LARGEST_INTEGER)
    text = "the input x is every whole number from LOW to HIGH"
    data.add_argument("--range", type=whole, nargs=2, metavar=ends, help=text)
    text = "every combination of whole numbers from LOW to HIGH, for the --inputs"
    data.add_argument("--integers", type=whole, nargs=2, metavar=ends, help=text)
    text = "a table with a head; its numeric columns are the inputs"
    data.add_argument("--data", type=commandline.path, metavar="FILE.csv", help=text)
    made.add_argument("--inputs", nargs="+", metavar="NAME", help="the inputs' names")
    made.add_argument("--target", metavar="FORMULA", help="the target, such as 2*x or abs(a - b)")
    made.add_argument("--target-column", metavar="NAME", help="the target in FILE.csv")
    rows = commandline.whole(1, LARGEST_INTEGER)
    text = "the loss is that of N random rows of these data"
    made.add_argument("--rows", type=rows, metavar="N", help=text)
    return made


def check_options(options: argparse.Namespace) -> None:
    """Raise ValueError where options are missing or do not belong together."""
    uses = {
        "--range": ("--target",),
        "--integers": ("--inputs", "--target"),
        "--data": ("--target-column",),
    }

    def given(flag: str) -> bool:
        return getattr(options, flag[2:].replace("-", "_")) is not None

    source = next(flag for flag in uses if given(flag))
    for flag in ("--inputs", "--target", "--target-column"):
        if given(flag) != (flag in uses[source]):
            said = "does not take" if given(flag) else "also needs"
            raise ValueError(f"{source} {said} {flag} (see python -m jaxlab forensics --help)")


def integers(ends: list[int], names: list[str]) -> np.ndarray:
    """Return a row for every combination of whole numbers; the last input runs fastest."""
    low, high = ends
    if high < low:
        raise ValueError(f"LOW is {low} and HIGH is {high}; LOW must not be above HIGH")
    known: set[str] = set()
    for name in names:
        if formula.is_taken(name) or name in known:
            raise ValueError(
                f"the input {name!r} cannot be called that; "
                "right are different plain names that formulas leave free, such as a b"
            )
        known.add(name)
    side = high - low + 1
    rows = side ** len(names)
    check_size(rows, len(names))
    places = side ** np.arange(len(names))[::-1]
    return (low + np.arange(rows)[:, None] // places % side).astype(np.float64)


def values(text: str, inputs: np.ndarray, names: list[str]) -> np.ndarray:
    """Return the formula's value for every row; ValueError where one is not finite."""
    read = formula.parse(text)
    targets = read(**dict(zip(names, inputs.T, strict=True)))
    wrong = np.flatnonzero(~np.isfinite(targets))
    if len(wrong):
        row = inputs[wrong[0]]
        at = ", ".join(f"{name} = {value:.0f}" for name, value in zip(names, row, strict=True))
        raise ValueError(
            f"the formula {text!r} is not finite on {len(wrong)} of {len(targets)} rows, first "
            f"at {at}; it must be finite on all"
        )
    return targets


def table(path: Path, target: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return inputs, targets and the columns left out, for they are not numeric throughout."""
    columns = tables.read(path)
    names = [column.name for column in columns]
    if names.count(target) != 1:
        known = ", ".join(map(repr, names)) or "none"
        raise ValueError(f"{path} must have one column {target!r}; its columns are: {known}")
    aim = columns.pop(names.index(target))
    if aim.text is not None or not len(aim.numbers):
        fault = "no rows" if aim.text is None else aim.fault
        raise ValueError(
            f"the column {target!r} of {path} must hold finite numbers, in every row; "
            f"it holds {fault}"
        )
    kept = [column.numbers for column in columns if column.text is None]
    if not kept:
        raise ValueError(f"{path} has no numeric column besides {target!r}; there must be an input")
    left_out = [column.name for column in columns if column.text is not None]
    return np.stack(kept, axis=-1), aim.numbers, left_out


def main(argv: list[str]) -> None:
    """Print what explains the loss."""
    options = parser().parse_args(argv)
    check_options(options)
    root = options.loss is None
    printed, left_out = options.rmse if root else options.loss, []
    if options.data is not None:
        inputs, targets, left_out = table(options.data, options.target_column)
    else:
        names = options.inputs or ["x"]
        inputs = integers(options.range or options.integers, names)
        targets = values(options.target, inputs, names)
    explanation = forensics.explain(printed, inputs, targets, rows=options.rows, root=root)
    if left_out:
        print("not numeric, so not inputs:", *left_out)
    print(explanation)
