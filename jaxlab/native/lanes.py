"""Writes a function of one member, given as a jaxpr, as straight-line code for WIDTH members.

Every number of the function becomes one LLVM vector, a lane for each member; an array of numbers
becomes a numpy array of such vectors, so that what only moves numbers about costs no instruction.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from llvmlite import ir

from jaxlab.native.calls import WIDTH

FLOAT, DOUBLE, INT, BIT = ir.FloatType(), ir.DoubleType(), ir.IntType(32), ir.IntType(1)

Value = Any  # an llvmlite value; the annotations of its builder are not complete
Vectors = np.ndarray  # of such values


class UnsupportedError(ValueError):
    """The function uses an operation for which there is no rule."""


def vector(element: ir.Type) -> ir.VectorType:
    """Return the type of one number of every member."""
    return ir.VectorType(element, WIDTH)


def element_type(dtype: Any) -> ir.Type:
    """Return the LLVM type of a JAX dtype; UnsupportedError if there is none."""
    types = {"float32": FLOAT, "int32": INT, "uint32": INT, "bool": BIT}
    name = np.dtype(dtype).name
    if name not in types:
        raise UnsupportedError(f"numbers of type {name}")
    return types[name]


def splat(value: Any, element: ir.Type) -> ir.Constant:
    """Return the constant that is the same number for every member."""
    if element in (FLOAT, DOUBLE):
        number = float(np.float32(value)) if element is FLOAT else float(value)
    else:
        number = int(value)
    return ir.Constant(vector(element), [ir.Constant(element, number)] * WIDTH)


def array_of(value: Value) -> Vectors:
    """Return an array without axes that holds a vector."""
    array = np.empty((), object)
    array[()] = value
    return array


def constants(values: Any) -> Vectors:
    """Return numbers that are the same for every member."""
    numbers = np.asarray(values)
    element = element_type(numbers.dtype)
    array = np.empty(numbers.shape, object)
    for index in np.ndindex(numbers.shape):
        array[index] = splat(numbers[index], element)
    return array


def each(operation: Callable, *arrays: Vectors) -> Vectors:
    """Apply an operation on single vectors to every entry of arrays, which are broadcast."""
    applied = np.frompyfunc(operation, len(arrays), 1)(*arrays)
    return applied if isinstance(applied, np.ndarray) else array_of(applied)


class Writer:
    """Writes where `builder` stands, looking up how an operation is written in `rules`.

    A rule is a function of the builder, the equation and its operands (arrays of vectors); it
    returns its results, as many as the equation has.
    """

    def __init__(self, builder: Any, rules: dict[str, Callable]):
        self.builder = builder
        self.rules = rules

    def __call__(self, function: ClosedJaxpr, *arguments: Vectors) -> list[Vectors]:
        """Write a function for these arguments; return its results. May raise UnsupportedError."""
        return self._write(function.jaxpr, function.consts, arguments)

    def _write(self, jaxpr: Jaxpr, consts, arguments) -> list[Vectors]:
        known = dict(zip(jaxpr.constvars, map(constants, consts), strict=True))
        known |= dict(zip(jaxpr.invars, arguments, strict=True))

        def read(atom: Any):
            if isinstance(atom, Literal):  # its value may be a plain Python number
                kind: Any = atom.aval
                return constants(np.asarray(atom.val, kind.dtype))
            return known[atom]

        for equation in jaxpr.eqns:
            operands = [read(atom) for atom in equation.invars]
            known |= dict(zip(equation.outvars, self._apply(equation, operands), strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def _apply(self, equation, operands: list[Vectors]) -> list[Vectors]:
        name, params = equation.primitive.name, equation.params
        if name in ("jit", "pjit", "custom_jvp_call", "custom_vjp_call", "closed_call"):
            inner = params["call_jaxpr"] if "call_jaxpr" in params else params["jaxpr"]
            return self(inner, *operands)
        if name not in self.rules:
            raise UnsupportedError(f"the operation {name}")
        return self.rules[name](self.builder, equation, *operands)
