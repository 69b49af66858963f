"""How each JAX operation that computes is written for a vector of members.

What is missing here is no error: a training step that needs it runs as an XLA program instead.
"""

from collections.abc import Callable, Iterable
from functools import partial, reduce
from typing import Any

import numpy as np
from llvmlite import ir

from jaxlab.native import elementary
from jaxlab.native.elementary import CONTRACT, call
from jaxlab.native.lanes import (
    FLOAT,
    UnsupportedError,
    Vectors,
    each,
    element_type,
    splat,
    vector,
)
from jaxlab.native.movement import MOVEMENTS

CHAINED = 8  # terms of a sum that are added one after the other

RULES: dict[str, Callable[..., list[Vectors]]] = dict(MOVEMENTS)


def _number(name: str):
    """Enter a function of (builder, dtype, vector, ...) as the rule of an elementwise operation."""

    def enter(function: Callable) -> Callable:
        def rule(builder, equation, *operands):
            dtype = np.dtype(equation.invars[0].aval.dtype)
            return [each(partial(function, builder, dtype), *operands)]

        RULES[name] = rule
        return function

    return enter


def _need_floats(name: str, dtype: Any) -> None:
    if np.dtype(dtype).kind != "f":
        raise UnsupportedError(f"{name} of {dtype}")


def _arithmetic(name: str, for_floats: str, for_ints: str | None = None) -> None:
    @_number(name)
    def write(builder, dtype, *operands):
        if dtype.kind == "f":
            return getattr(builder, for_floats)(*operands, flags=CONTRACT)
        if for_ints is None or dtype.kind == "b":
            raise UnsupportedError(f"{name} of {dtype}")
        return getattr(builder, for_ints)(*operands)


_arithmetic("add", "fadd", "add")
_arithmetic("add_any", "fadd", "add")
_arithmetic("sub", "fsub", "sub")
_arithmetic("mul", "fmul", "mul")
_arithmetic("div", "fdiv")
_arithmetic("neg", "fneg", "neg")


def _comparison(name: str, sign: str) -> None:
    @_number(name)
    def write(builder, dtype, a, b):
        if dtype.kind == "f":
            ordered = builder.fcmp_unordered if name == "ne" else builder.fcmp_ordered
            return ordered(sign, a, b)
        return (builder.icmp_signed if dtype.kind == "i" else builder.icmp_unsigned)(sign, a, b)


_comparison("eq", "==")
_comparison("ne", "!=")
_comparison("lt", "<")
_comparison("le", "<=")
_comparison("gt", ">")
_comparison("ge", ">=")


def _bitwise(name: str, method: str) -> None:
    @_number(name)
    def write(builder, dtype, *operands):
        del dtype
        return getattr(builder, method)(*operands)


_bitwise("and", "and_")
_bitwise("or", "or_")
_bitwise("xor", "xor")
_bitwise("not", "not_")
_bitwise("shift_left", "shl")
_bitwise("shift_right_logical", "lshr")


def _extreme(name: str, sign: str) -> None:
    @_number(name)
    def write(builder, dtype, a, b):
        if dtype.kind != "f":
            signed = builder.icmp_signed if dtype.kind == "i" else builder.icmp_unsigned
            return builder.select(signed(sign, a, b), a, b)
        # A NaN in either is passed on: in a because it compares false with any b ...
        chosen = builder.select(builder.fcmp_ordered(sign, b, a), b, a)
        if isinstance(b, ir.Constant):
            return chosen
        return builder.select(builder.fcmp_unordered("uno", b, b), b, chosen)  # ... and in b


_extreme("max", ">")
_extreme("min", "<")


def _function(name: str, how: Callable, what: Any) -> None:
    @_number(name)
    def write(builder, dtype, a):
        _need_floats(name, dtype)
        return how(builder, what, a)


_function("sqrt", call, "sqrt")
_function("abs", call, "fabs")
_function("floor", call, "floor")
_function("exp", elementary.in_double, elementary.exp)
_function("expm1", elementary.in_double, elementary.expm1)
_function("log", elementary.in_double, elementary.log)
_function("log1p", elementary.in_double, elementary.log1p)
_function("tanh", elementary.in_double, elementary.tanh)
_function("logistic", elementary.in_double, elementary.logistic)


@_number("rem")
def _remainder(builder, dtype, a, b):
    if dtype.kind != "u":
        raise UnsupportedError(f"a remainder of {dtype}")
    return builder.urem(a, b)


@_number("square")
def _square(builder, dtype, a):
    return builder.fmul(a, a, flags=CONTRACT) if dtype.kind == "f" else builder.mul(a, a)


@_number("rsqrt")
def _rsqrt(builder, dtype, a):
    del dtype
    return builder.fdiv(splat(1.0, FLOAT), call(builder, "sqrt", a))


@_number("sign")
def _sign(builder, dtype, a):
    _need_floats("sign", dtype)
    zero, one = splat(0.0, FLOAT), splat(1.0, FLOAT)
    signed = call(builder, "copysign", one, a)
    nothing = builder.fcmp_unordered("ueq", a, zero)  # a zero, or not a number, is its own sign
    return builder.select(nothing, a, signed)


@_number("pow")
def _power(builder, dtype, a, b):
    _need_floats("pow", dtype)
    exponent = b if b.type.element is FLOAT else builder.sitofp(b, vector(FLOAT))
    return elementary.in_double(builder, elementary.power, a, exponent)


def _integer_power(builder, equation, a):
    _need_floats("integer_pow", equation.invars[0].aval.dtype)
    exponent = equation.params["y"]
    if not 1 <= exponent <= 8:
        raise UnsupportedError(f"the power {exponent}")

    def power(value):
        product = value
        for _ in range(exponent - 1):
            product = builder.fmul(product, value, flags=CONTRACT)
        return product

    return [each(power, a)]


RULES["integer_pow"] = _integer_power


def _select(builder, equation, which, *cases):
    if len(cases) != 2 or equation.invars[0].aval.dtype != np.bool_:
        raise UnsupportedError("a choice among more than two")
    return [each(lambda w, no, yes: builder.select(w, yes, no), which, *cases)]


RULES["select_n"] = _select


def _convert(builder, equation, a):
    source = np.dtype(equation.invars[0].aval.dtype)
    target = np.dtype(equation.params["new_dtype"])
    element = vector(element_type(target))

    def convert(value):
        if source == target or {source.kind, target.kind} == {"i", "u"}:
            return value
        match source.kind + target.kind:
            case "if":
                return builder.sitofp(value, element)
            case "uf" | "bf":
                return builder.uitofp(value, element)
            case "bi" | "bu":
                return builder.zext(value, element)
        raise UnsupportedError(f"a conversion of {source} to {target}")

    return [each(convert, a)]


RULES["convert_element_type"] = _convert


def _fold(builder, operation: Callable, array: Vectors, axes: Iterable[int]) -> Vectors:
    for axis in sorted(axes, reverse=True):
        entries = np.moveaxis(array, axis, 0)
        total = entries[0:1]
        for i in range(1, len(entries)):
            total = each(partial(operation, builder), total, entries[i : i + 1])
        array = total[0:1].reshape(entries.shape[1:])
    return array


def _reduction(name: str, operation: Callable) -> None:
    def rule(builder, equation, array):
        if operation is _plus:
            _need_floats(name, equation.invars[0].aval.dtype)
        return [_fold(builder, operation, array, equation.params["axes"])]

    RULES[name] = rule


def _plus(builder, a, b):
    return builder.fadd(a, b, flags=CONTRACT)


_reduction("reduce_sum", _plus)
_reduction("reduce_and", lambda builder, a, b: builder.and_(a, b))
_reduction("reduce_or", lambda builder, a, b: builder.or_(a, b))


def _sum_of_products(builder, products):
    def chain(some):
        total = builder.fmul(*some[0], flags=CONTRACT)
        for pair in some[1:]:
            total = _plus(builder, total, builder.fmul(*pair, flags=CONTRACT))
        return total

    # Several chains side by side: an addition in one need not wait for those in the others.
    chains = max(1, len(products) // CHAINED)
    return reduce(partial(_plus, builder), [chain(products[i::chains]) for i in range(chains)])


def _dot(builder, equation, a, b):
    _need_floats("dot_general", equation.invars[0].aval.dtype)
    (of_a, of_b), batch = equation.params["dimension_numbers"]
    if batch != ((), ()):
        raise UnsupportedError("a product with batch axes")
    terms = np.prod([a.shape[i] for i in of_a], dtype=int)
    a = np.moveaxis(a, of_a, range(len(of_a)))
    b = np.moveaxis(b, of_b, range(len(of_b)))
    outer = (*a.shape[len(of_a) :], *b.shape[len(of_b) :])
    rows, columns = a.reshape(terms, -1), b.reshape(terms, -1)
    total = np.empty((rows.shape[1], columns.shape[1]), object)
    for i, j in np.ndindex(*total.shape):
        products = [(rows[k, i], columns[k, j]) for k in range(terms)]
        total[i, j] = _sum_of_products(builder, products)
    return [total.reshape(outer)]


RULES["dot_general"] = _dot


def _threefry(builder, equation, *operands):
    del equation

    def hashed(k1, k2, x1, x2):
        return elementary.threefry(builder, k1, k2, x1, x2)

    first, second = np.frompyfunc(hashed, 4, 2)(*(operand.ravel() for operand in operands))
    shape = operands[2].shape
    return [first.reshape(shape), second.reshape(shape)]


RULES["threefry2x32"] = _threefry
