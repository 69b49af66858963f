"""Formulas typed by a user, such as abs(x) or a*b, as functions of arrays of numpy or JAX.

A formula is Python's syntax with few words, read by walking the syntax tree along a white list:
nothing is ever evaluated by Python itself. Whether the values are finite is for the caller to say.
"""

import ast
import functools
import keyword
import math
import re
import unicodedata
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Value = Any  # a float64 scalar or array: numpy's stubs tell the two apart, formulas do not
Evaluate = Callable[[Any, Mapping[str, Value]], Value]  # given numpy or jax.numpy

MOST_CHARACTERS = 300
MOST_LEVELS = 40

CONSTANTS = {"pi": math.pi, "e": math.e}
# What numpy and jax.numpy call them, and how many arguments they take.
FUNCTIONS: dict[str, tuple[str, int]] = {
    **{name: (name, 1) for name in ("abs", "sqrt", "exp", "log", "sin", "cos", "tan", "tanh")},
    **{name: (name, 1) for name in ("sign", "floor", "ceil", "round")},
    **{name: (name, 2) for name in ("minimum", "maximum")},
    "min": ("minimum", 2),
    "max": ("maximum", 2),
    "where": ("where", 3),
}
OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "true_divide",
    ast.Mod: "mod",
    ast.Pow: "power",
    ast.USub: "negative",
    ast.UAdd: "positive",
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
}
ALLOWED = f"numbers, + - * / % **, comparisons, {', '.join([*CONSTANTS, *FUNCTIONS])}"


@dataclass(frozen=True)
class Formula:
    """A formula and its variables, in the order in which they first appear.

    Calling it with an array for every variable gives float64 values of the arrays' common shape;
    a comparison is 1 where it holds and 0 elsewhere.

    >>> parse("a*b + (a > 1)")(a=[1, 2], b=[3, 4]).tolist()
    [3.0, 9.0]
    """

    text: str
    names: tuple[str, ...]
    evaluate: Evaluate = field(repr=False, compare=False)

    def __call__(self, /, **arrays: ArrayLike) -> np.ndarray:
        """Return the values; arrays the formula does not use are ignored but for their shape."""
        missing = [name for name in self.names if name not in arrays]
        if missing:
            known = ", ".join(arrays) or "none"
            raise ValueError(f"the formula {self.text!r} uses {missing[0]!r}; given are: {known}")
        known = {name: np.asarray(array, dtype=np.float64) for name, array in arrays.items()}
        shape = np.broadcast_shapes(*(array.shape for array in known.values()))
        with np.errstate(all="ignore"):
            return np.broadcast_to(np.asarray(self.evaluate(np, known), np.float64), shape)


def parse(text: str, columns: Collection[str] = ()) -> Formula:
    """Read a formula; ValueError says in one line what is wrong with it.

    Where one of the `columns` has a name that cannot be a variable, such as e, abs or "x 1", a text
    that mentions it is refused, whatever else it could mean.

    >>> parse("sin(5*x) + y").names
    ('x', 'y')
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(
            f"the formula has {len(text)} characters; at most {MOST_CHARACTERS} are read"
        )
    for column in columns:
        if is_taken(column) and _mentions(text, column):
            raise ValueError(
                f"the formula {text!r} mentions the column {column!r}, whose name formulas cannot "
                "use; give it another one, of letters and digits, such as x_1"
            )
    try:
        with warnings.catch_warnings():
            # Python remarks on odd texts, such as 1if, which are refused below anyway.
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ValueError(
            f"the formula {text!r} cannot be read; right are, for example, 2*x or abs(a - b)"
        ) from None
    reader = _Reader(text)
    evaluate = reader.read(tree.body, 1)
    return Formula(text, tuple(reader.names), evaluate)


def is_taken(name: str) -> bool:
    """Say whether a name cannot be a variable: formulas know it already, or it is none.

    >>> is_taken("e"), is_taken("2x"), is_taken("a")
    (True, True, False)
    """
    known = name in CONSTANTS or name in FUNCTIONS or keyword.iskeyword(name)
    # Python reads some letters as others, the sign of a micrometre as a Greek letter.
    return known or not name.isidentifier() or unicodedata.normalize("NFKC", name) != name


def _mentions(text: str, name: str) -> bool:
    """Say whether a name with a letter stands in a text, but not as a part of a longer one."""
    word = rf"(?<!\w){re.escape(name)}(?!\w)"
    return any(c.isalpha() for c in name) and re.search(word, text) is not None


class _Reader:
    """Turns the syntax tree of one formula into nested functions, refusing what is not listed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: dict[str, None] = {}

    def refuse(self, what: str, right: str) -> ValueError:
        return ValueError(f"the formula {self.text!r} has {what}; {right}")

    def read(self, node: ast.expr, level: int) -> Evaluate:
        """Return the function of a node that lies `level` deep."""
        if level > MOST_LEVELS:
            raise self.refuse("too much nesting", f"at most {MOST_LEVELS} levels are read")
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return self.number(number)
            case ast.Name(id=name):
                return self.name(name)
            case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
                return _applied(OPERATORS[type(op)], self.read(operand, level + 1))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                parts = [self.read(part, level + 1) for part in (left, right)]
                return _applied(OPERATORS[type(op)], *parts)
            case ast.Compare(left=left, ops=ops, comparators=others) if all(
                type(op) in OPERATORS for op in ops
            ):
                parts = [self.read(part, level + 1) for part in (left, *others)]
                return _chain([OPERATORS[type(op)] for op in ops], parts)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                return self.call(name, args, level)
            case ast.BinOp(op=ast.BitXor()):
                right = "a power is written **, such as a**b, and exclusive or !=, such as a != b"
                raise self.refuse("^", right)
        written = ast.get_source_segment(self.text.strip(), node) or "nothing"
        raise self.refuse(repr(written), f"a formula may have: {ALLOWED}")

    def number(self, number: int | float) -> Evaluate:
        # As float64 from the start: Python's own integers would take for ever over 9**9**9.
        try:
            value = np.float64(number)
        except OverflowError:
            value = np.float64(math.inf)
        if not np.isfinite(value):
            raise self.refuse("a number too large", "numbers must be below 1.8e308")
        return lambda _, arrays: value

    def name(self, name: str) -> Evaluate:
        if name in CONSTANTS:
            return self.number(CONSTANTS[name])
        if name in FUNCTIONS:
            raise self.refuse(f"{name} without arguments", f"right is, for example, {name}(x)")
        self.names[name] = None
        return lambda _, arrays: arrays[name]

    def call(self, name: str, args: list[ast.expr], level: int) -> Evaluate:
        if name not in FUNCTIONS:
            raise self.refuse(f"the unknown function {name}", f"there are: {', '.join(FUNCTIONS)}")
        function, wanted = FUNCTIONS[name]
        if len(args) != wanted:
            right = f"{name} takes {wanted}"
            raise self.refuse(f"{len(args)} arguments for {name}", right)
        return _applied(function, *[self.read(arg, level + 1) for arg in args])


def _applied(function: str, *parts: Evaluate) -> Evaluate:
    return lambda xp, arrays: getattr(xp, function)(*[part(xp, arrays) for part in parts])


def _chain(comparisons: list[str], parts: list[Evaluate]) -> Evaluate:
    def evaluate(xp: Any, arrays: Mapping[str, Value]) -> Value:
        values = [part(xp, arrays) for part in parts]
        pairs = zip(comparisons, values[:-1], values[1:], strict=True)
        held = [getattr(xp, compare)(left, right) for compare, left, right in pairs]
        # Truth values become numbers at once: numpy refuses to subtract or negate them.
        return functools.reduce(xp.logical_and, held) * np.float64(1)

    return evaluate
