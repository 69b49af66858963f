"""Functions of one member, compiled by the rules of `jaxlab.native`, to be called with arrays."""

import ctypes
from collections.abc import Callable

import jax
import numpy as np
from llvmlite import ir

from jaxlab.native import program
from jaxlab.native.elementary import LONG
from jaxlab.native.lanes import BIT, WIDTH, Vectors, Writer, element_type, vector
from jaxlab.native.rules import RULES

BYTE, POINTER = ir.IntType(8), ir.PointerType()


class Compiled:
    """A function of one member as machine code for WIDTH members.

    All arrays have the member axis last. `names` are the operations that were written.
    """

    def __init__(self, function: Callable, *examples):
        """Trace the function for examples of one member's arguments; may raise UnsupportedError."""
        jaxpr = jax.make_jaxpr(function)(*examples)
        self.results, self.names = jaxpr.out_avals, set[str]()
        module = ir.Module()
        count = len(jaxpr.in_avals) + len(jaxpr.out_avals)
        written = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER] * count), "test")
        self._write(ir.IRBuilder(written.append_basic_block()), jaxpr, written.args)
        self.engine = program._machine_code(str(module))  # holds the memory of the code
        address = self.engine.get_function_address("test")
        self.call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * count)(address)

    def _write(self, builder, jaxpr, pointers) -> None:
        def noted(name):
            def rule(*arguments):
                self.names.add(name)
                return RULES[name](*arguments)

            return rule

        arguments = [
            _load(builder, pointer, aval)
            for pointer, aval in zip(pointers, jaxpr.in_avals, strict=False)
        ]
        results = Writer(builder, {name: noted(name) for name in RULES})(jaxpr, *arguments)
        for pointer, values in zip(pointers[len(arguments) :], results, strict=True):
            for i, value in enumerate(values.flat):
                whole = value.type.element == BIT
                stored = builder.zext(value, vector(BYTE)) if whole else value
                builder.store(stored, _place(builder, pointer, i, stored.type.element), align=1)
        builder.ret_void()

    def __call__(self, *arguments: np.ndarray) -> list[np.ndarray]:
        """Return the results for arrays of any number of members."""
        members = np.shape(arguments[0])[-1]
        pad = -members % WIDTH
        padded = [np.pad(a, [(0, 0)] * (a.ndim - 1) + [(0, pad)], "edge") for a in arguments]
        results = [np.empty((*r.shape, members + pad), r.dtype) for r in self.results]
        for first in range(0, members, WIDTH):
            given = [np.ascontiguousarray(a[..., first : first + WIDTH]) for a in padded]
            made = [np.empty((*r.shape, WIDTH), r.dtype) for r in self.results]
            self.call(*[array.ctypes.data for array in (*given, *made)])
            for result, part in zip(results, made, strict=True):
                result[..., first : first + WIDTH] = part
        return [result[..., :members] for result in results]


def _place(builder, pointer, i: int, element: ir.Type):
    return builder.gep(pointer, [LONG(i)], source_etype=vector(element))


def _load(builder, pointer, aval) -> Vectors:
    element = element_type(aval.dtype)
    array = np.empty(aval.shape, object)
    for i in range(array.size):
        if element == BIT:
            place = _place(builder, pointer, i, BYTE)
            whole = builder.load(place, typ=vector(BYTE), align=1)
            array.flat[i] = builder.trunc(whole, vector(BIT))
        else:
            place = _place(builder, pointer, i, element)
            array.flat[i] = builder.load(place, typ=vector(element), align=1)
    return array
