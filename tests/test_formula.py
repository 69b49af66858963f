"""Exact: formulas mean what numpy computes, and no text does anything else.

That nothing hangs or escapes is tried on texts that hypothesis makes of the words of formulas.
"""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jaxlab import formula

X = np.array([-2.0, -0.5, 0.0, 0.5, 3.0])
Y = np.array([1.0, 2.0, -1.0, 0.5, 0.0])

MEANINGS = {
    "2*x": 2 * X,
    " x ": X,
    "x**2": X**2,
    "-x**2": -(X**2),
    "+x - -y": X + Y,
    "x + 2*y/4": X + Y / 2,
    "(x + 2)*y": (X + 2) * Y,
    "2**-x": 2**-X,
    "2**3**x": 2 ** (3**X),
    "abs(x - y)": np.abs(X - Y),
    "x*sin(5*x)": X * np.sin(5 * X),
    "cos(pi*x) + e": np.cos(np.pi * X) + math.e,
    "tan(x) - tanh(x)": np.tan(X) - np.tanh(X),
    "sqrt(abs(x)) + exp(y)": np.sqrt(np.abs(X)) + np.exp(Y),
    "log(x + 3)": np.log(X + 3),
    "sign(x)*floor(y)": np.sign(X) * np.floor(Y),
    "maximum(x, minimum(y, 0.25))": np.maximum(X, np.minimum(Y, 0.25)),
    "(x > 0) + 0.2*sin(5*x)": (X > 0) + 0.2 * np.sin(5 * X),
    "(x > 0) - (y >= 0.5)": 1.0 * (X > 0) - (Y >= 0.5),
    "-1 < x <= 0.5": 1.0 * ((X > -1) & (X <= 0.5)),
    "(x == 0) + (y != 0)": 1.0 * (X == 0) + (Y != 0),
    "-(x < y)": -1.0 * (X < Y),
    "1.5e1 + .5": np.full(5, 15.5),
}


@pytest.mark.parametrize("text", MEANINGS)
def test_a_formula_means_what_numpy_computes(text):
    values = formula.parse(text)(x=X, y=Y)
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, MEANINGS[text])


def test_names_come_in_order_of_first_appearance():
    assert formula.parse("b*sin(a) + b - pi*c").names == ("b", "a", "c")
    assert formula.parse("a - b").names == ("a", "b")
    assert formula.parse("2*e").names == ()


def test_whole_numbers_are_not_cut_off():
    big = np.arange(2**31 - 2, 2**31 + 2)
    assert formula.parse("x*2")(x=big).tolist() == [2.0 * int(x) for x in big]
    assert formula.parse("x/2")(x=np.array([1])).tolist() == [0.5]


def test_what_has_no_value_is_not_finite_and_no_error():
    for text in ("1/x", "x/x", "log(x)", "sqrt(x - 1)", "x**-1", "9**9**9", "exp(1e9) + x"):
        assert not np.isfinite(formula.parse(text)(x=np.zeros(1))).all()


def test_a_missing_variable_is_named():
    with pytest.raises(ValueError, match="uses 'y'; given are: x, z"):
        formula.parse("x + y")(x=X, z=X)
    assert formula.parse("self")(self=X).tolist() == X.tolist()


WRONG = [
    ("", "cannot be read"),
    ("2x", r"such|example, 2\*x"),
    ("y = 2*x", "cannot be read"),
    ("x +", "cannot be read"),
    ("x\0", "cannot be read"),
    ("(" * 250 + "x" + ")" * 10, "cannot be read"),
    ("x^2", r"written \*\*"),
    ("a ^ b", r"a\*\*b, and exclusive or !=, such as a != b"),
    ("abs", r"abs\(x\)"),
    ("abs + 1", "without arguments"),
    ("abs(x, 2)", "2 arguments for abs; abs takes 1"),
    ("maximum(x)", "1 arguments for maximum; maximum takes 2"),
    ("abs(x=1)", "a formula may have"),
    ("abs(*x)", "a formula may have"),
    ("relu(x)", "unknown function relu; there are: abs"),
    ("__import__('os').system('true')", "a formula may have"),
    ("().__class__", "a formula may have"),
    ("x.real", "a formula may have"),
    ("x[0]", "a formula may have"),
    ("(lambda: 1)()", "a formula may have"),
    ("[x for x in y]", "a formula may have"),
    ("x if x > 0 else 1", "a formula may have"),
    ("x and y", "a formula may have"),
    ("not x", "a formula may have"),
    ("~x", "a formula may have"),
    ("x in y", "a formula may have"),
    ("x, y", "a formula may have"),
    ("'x'", "a formula may have"),
    ("f'{x}'", "a formula may have"),
    ("True", "a formula may have"),
    ("1j", "a formula may have"),
    ("(z := 3)", "a formula may have"),
    ("1e999", "too large"),
    ("0x" + "f" * 280, "too large"),
    ("x+" * 150 + "x", "301 characters; at most 300"),
    ("-" * 60 + "x", "too much nesting"),
    ("x**" * 60 + "x", "too much nesting"),
    ("abs(" * 45 + "x" + ")" * 45, "too much nesting"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_wrong_formula_is_refused_in_one_line(text, said):
    with pytest.raises(ValueError, match=said) as caught:
        formula.parse(text)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_a_variable_is_known():
    taken = ["pi", "e", "abs", "maximum", "if", "True", "", "a b", "1x", "x.y", "-x"]
    assert all(formula.is_taken(name) for name in taken)
    assert not any(formula.is_taken(name) for name in ("x", "a1", "E", "self", "_"))


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("e > 0", "e"),
        ("pi*x > 1", "pi"),
        ("min > 3", "min"),
        ("abs(x) > 3", "abs"),
        ("my col > 3", "my col"),
        ("my-col > 3", "my-col"),
        ("2x > 3", "2x"),
        ("if > 3", "if"),
        ("\u00b5 > 3", "\u00b5"),
    ],
)
def test_a_column_that_a_formula_cannot_name_is_refused_where_it_is_mentioned(text, column):
    with pytest.raises(ValueError, match="cannot use; give it another one") as caught:
        formula.parse(text, ["x", column])
    assert f"mentions the column {column!r}" in str(caught.value)


def test_columns_that_are_not_mentioned_are_no_hindrance():
    columns = ["x", "e", "abs", "my col", "2", "%", "if", "x 1"]
    read = formula.parse("x % 2 > exp(tan(x)) + differs", columns)
    assert read.names == ("x", "differs")
    assert formula.parse("e > 0").names == ()  # of no table


WORDS = [*formula.FUNCTIONS, *formula.CONSTANTS, *"xyb0179.,()[]+-*/%<>=!~^&|:'\"\\\n\t #;{}@"]
WORDS += [
    "**",
    "//",
    "==",
    "<=",
    " if ",
    " else ",
    " is ",
    " in ",
    "not ",
    "lambda ",
    "0x",
    "1e",
    "j",
]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=40).map("".join) | st.text(max_size=40)


@given(TEXTS)
@example("9**9**9**9**9")
@example("1if x")
@example("'\\d'")
def test_any_text_is_a_formula_or_one_line(text):
    said = ""
    try:
        read = formula.parse(text)
    except ValueError as error:
        said = str(error)
    else:
        values = read(**dict.fromkeys(read.names, X))
        assert values.shape == (X.shape if read.names else ())
    assert "\n" not in said
    assert not said or 20 < len(said) < 600
