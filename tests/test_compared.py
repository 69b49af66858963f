"""Exact: predictions beside counts, as text and as a file."""

import csv

from jaxlab import compare, compared
from jaxlab.theory.prediction import Prediction


def said(kind: str, probability: float | None, reason: str = "") -> Prediction:
    return Prediction("law", "born_dead", kind, probability, "source", "none", reason=reason)


def test_the_table_fits_and_the_file_holds_all(tmp_path):
    rows = compare.compare_all(
        [
            ("k=2", 500, 1000, said("exact", 0.5)),
            ("a name longer than the column is wide", 500, 1000, said("upper bound", 0.4)),
            ("k=3", 0, 1000, said("exact", None, "signs are not random")),
        ]
    )
    lines = compared.table(rows).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].split() == ["k=2", "born", "dead", "50.00", "=", "50.00", "undecided"]
    assert lines[2].split()[-5:] == ["dead", "50.00", "<=", "40.00", "rejected"]
    assert lines[-1].startswith("(1 predictions withheld;")
    compared.write(tmp_path, "small", rows)
    with (tmp_path / compared.FILE).open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["sweep"] for row in found] == ["small"] * 3
    assert [row["count"] for row in found] == ["500", "500", "0"]
