"""Exact: a question is kept and read again; what is no table is refused."""

import json
import warnings

import numpy as np
import pytest

from jaxlab import ResultsError, Scaling, question, tables
from jaxlab.question import Question

FORMULA = Question(
    "a*b", 0, 9, whole_numbers=True, regions={"big": "a*b > 9"}, scaling=Scaling("unit")
)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (FORMULA, "a*b on all whole numbers from 0 to 9"),
        (Question("x", rows=50, per_seed=True), "x on 50 points drawn for each seed from -1 to 1"),
    ],
)
def test_a_question_is_read_as_it_was_written(tmp_path, asked, words):
    assert str(asked) == words
    assert question.read(tmp_path) is None
    asked.write(tmp_path)
    assert question.read(tmp_path) == asked
    assert json.loads((tmp_path / question.FILE).read_text())["question"] == words


def test_a_table_is_kept_with_every_bit(tmp_path):
    values = np.array([0.1, 1 / 3, 1e-30, -7.0])
    asked = Question("y", source="my.csv", table={"x": values, "y": values**2})
    asked.write(tmp_path)
    again = question.read(tmp_path)
    assert again is not None
    assert again.task() == asked.task()
    assert again.table["x"].tobytes() == values.tobytes()
    assert str(again) == "y from x, on the 4 rows of my.csv"
    (tmp_path / question.DATA).unlink()
    with pytest.raises(ResultsError, match="not those that were asked about"):
        question.read(tmp_path)
    (tmp_path / question.FILE).write_text("{}")
    with pytest.raises(ResultsError, match="checksum"):
        question.read(tmp_path)


def test_columns_too_fine_for_float32_are_spoken_of_in_words(tmp_path):
    steps = np.arange(41.0)
    table = {"a": steps, "t": 1_700_000_000 + steps, "y": 1e7 + np.sin(steps)}
    asked = Question("y", source="my.csv", table=table)
    remarks = asked.remarks()
    assert [line.split(" is too fine for float32: ")[0] for line in remarks] == [
        "column 't'",
        "column 'y'",
    ]
    assert "41 values become 1" in remarks[0]
    scaled = Question("y", source="my.csv", table=table, scaling=Scaling("standard", "unit"))
    assert scaled.remarks() == []
    words = "y less 10,000,000 from a, t less 1,700,000,020, on the 41 rows of my.csv"
    assert str(scaled) == words
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asked.task()
        scaled.write(tmp_path)
        again = question.read(tmp_path)
    assert again is not None
    assert again.task() == scaled.task()
    assert str(Question("x", 1e9, 1e9 + 100)).endswith("from 1000000000 to 1000000100")


def test_a_table_has_its_regions_and_inputs(tmp_path):
    path = tmp_path / "my.csv"
    path.write_text("\ufeffa, b ,who,y\n1,2,Ann,3\n\n-4,5e0,Bob,6\n", encoding="utf-8")
    table, left_out = question.read_table(path)
    assert left_out == ["who"]
    assert {n: v.tolist() for n, v in table.items()} == {"a": [1, -4], "b": [2, 5], "y": [3, 6]}
    asked = Question("y", regions={"left": "a < 0"}, table=table)
    assert asked.inputs == ["a", "b"]
    assert asked.task().rows == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it must name two columns"),
        ("x,y\n", "no rows"),
        ("x\n1\n", "it must name two columns"),
        ("x,x\n1,2\n", "it must name two columns"),
        ("x,y\n1\n", "line 2 of .* has 1 cells; the first has 2"),
        ("x,y\n1,2\n1,a\n", "column 'y' of .* holds no number in row 2 below the names, but 'a'"),
        ("x,y\n1,2\n,3\n2,2\n", "column 'x' of .* holds no number in row 2 .*, but ''"),
        ("x,y\n1,3\n1,3_3\n", "column 'y' of .* holds no number in row 2 .*, but '3_3'"),
        ("x,y\n1,3\n1,\u0663\n", "column 'y' of .* holds no number in row 2 .*, but '\u0663'"),
        ("x,y\n1,1\n2,infinity\n", "column 'y' of .* holds no number in row 2 .*, but 'inf"),
        ("x,y\n1,True\n2,False\n", "'y' of .* holds text such as 'True'; labels must be numbers"),
        ("x,y\n1,yes\n2,no\n", "'y' of .* such as 'yes'; labels must be numbers, such as 0 and 1"),
        ('x,y\n"1,5",2\n', "column 'x' of .* holds '1,5'; .*with a decimal point, such as 1.5"),
        ("x;y\n1,5;2\n", "the first line of .* is 'x;y', parted by semicolons; .*by commas"),
        ("x\ty\n1\t2\n", "parted by tabs; names and numbers must be parted by commas"),
        ("\ufeff\n", "it must name two columns"),
        ("x,y\n1,inf\n2,3\n", "column 'y' of .* holds no number in row 1"),
        ("x,y\n1,\n2,3\n", "column 'y' of .* holds no number in row 1"),
        ("x,\n1,2\n", "column of"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, text, message):
    path = tmp_path / "my.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        question.read_table(path, "y")


def test_a_table_too_wide_is_refused_by_its_first_line(tmp_path, monkeypatch):
    path, columns = tmp_path / "wide.csv", 100_000
    path.write_text(",".join(f"c{i}" for i in range(columns)) + "\n" + "1," * columns)
    monkeypatch.setattr(tables, "_number", None)  # no cell is looked at
    with pytest.raises(ValueError, match="has 100,000 columns; at most 1,000 are read"):
        tables.read(path)
