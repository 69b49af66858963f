"""Loops and variables, the few things that LLVM's language does not have a word for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir

from jaxlab.native.elementary import CONTRACT, LONG
from jaxlab.native.lanes import INT, WIDTH, Value, Vectors, each, splat, vector

WRITTEN_OUT = 64  # entries of an array; larger ones are gone through in loops, and stay in memory


@contextmanager
def loop(builder: Any, first: Value, end: Value, stride: int = 1) -> Iterator[Value]:
    """Write what is written inside as the body of a loop over first, first + stride, ... < end."""
    before = builder.block
    head, body, after = (builder.append_basic_block() for _ in range(3))
    builder.branch(head)
    builder.position_at_end(head)
    counter = builder.phi(LONG)
    counter.add_incoming(first, before)
    builder.cbranch(builder.icmp_signed("<", counter, end), body, after)
    builder.position_at_end(body)
    yield counter
    counter.add_incoming(builder.add(counter, LONG(stride)), builder.block)
    builder.branch(head)
    builder.position_at_end(after)


def least(builder: Any, a: Value, b: Value) -> Value:
    """Return the smaller of two whole numbers."""
    return builder.select(builder.icmp_signed("<", a, b), a, b)


def for_all(builder: Any, number: Value) -> Value:
    """Return a vector that holds one number for every member."""
    empty = ir.Constant(vector(number.type), ir.Undefined)
    return builder.shuffle_vector(
        builder.insert_element(empty, number, INT(0)), empty, splat(0, INT)
    )


@dataclass(frozen=True)
class Members:
    """WIDTH members, from `first` on, of arrays in memory whose last axis is `lanes` members."""

    builder: Any
    first: Value
    lanes: Value

    def at(self, place: Value, entry: Value, element: ir.Type) -> Value:
        """Return where the entry of that number, of the array at `place`, is for these members."""
        offset = self.builder.add(self.builder.mul(self.lanes, entry), self.first)
        return self.builder.gep(place, [offset], source_etype=element)

    def load(self, place: Value, shape: tuple[int, ...], element: ir.Type) -> Vectors:
        """Return an array from memory."""
        array = np.empty(shape, object)
        for i in range(array.size):
            pointer = self.at(place, LONG(i), element)
            array.flat[i] = self.builder.load(pointer, typ=vector(element), align=1)
        return array

    def store(self, place: Value, array: Vectors) -> None:
        """Put an array into memory."""
        for i, value in enumerate(array.flat):
            self.builder.store(value, self.at(place, LONG(i), value.type.element), align=1)


@contextmanager
def all_members(builder: Any, lanes: Value) -> Iterator[Members]:
    """Write a loop over all members, WIDTH at a time."""
    with loop(builder, LONG(0), lanes, WIDTH) as first:
        yield Members(builder, first, lanes)


class Variables:
    """An array of vectors that can be written again; LLVM keeps a small one in registers."""

    def __init__(self, builder: Any, shape: tuple[int, ...], element: ir.Type):
        self.builder, self.type = builder, vector(element)
        with builder.goto_entry_block():
            self.place = builder.alloca(self.type, size=int(np.prod(shape)))
        self.places = np.empty(shape, object)
        for i in range(self.places.size):
            self.places.flat[i] = self._at(LONG(i))

    def _at(self, entry: Value) -> Value:
        return self.builder.gep(self.place, [entry], source_etype=self.type)

    def get(self) -> Vectors:
        """Return all entries."""
        return each(lambda place: self.builder.load(place, typ=self.type), self.places)

    def set(self, values: Vectors) -> None:
        """Replace all entries."""
        each(self.builder.store, values, self.places)

    def increase(self, values: Vectors) -> None:
        """Add to all entries; one after the other, so that few of many need a register at once."""
        for place, value in zip(self.places.flat, values.flat, strict=True):
            before = self.builder.load(place, typ=self.type)
            self.builder.store(self.builder.fadd(before, value, flags=CONTRACT), place)

    def read(self, members: Members, place: Value) -> None:
        """Replace all entries by those of an array in memory."""
        if self.places.size <= WRITTEN_OUT:
            self.set(members.load(place, self.places.shape, self.type.element))
            return
        with loop(self.builder, LONG(0), LONG(self.places.size)) as i:
            at = members.at(place, i, self.type.element)
            self.builder.store(self.builder.load(at, typ=self.type, align=1), self._at(i))

    def write(self, members: Members, place: Value) -> None:
        """Put all entries into an array in memory."""
        if self.places.size <= WRITTEN_OUT:
            members.store(place, self.get())
            return
        with loop(self.builder, LONG(0), LONG(self.places.size)) as i:
            value = self.builder.load(self._at(i), typ=self.type)
            self.builder.store(value, members.at(place, i, self.type.element), align=1)

    def get_one(self, entry: Value) -> Vectors:
        """Return the entry of that number, which need not be known here, as an array of one."""
        array = np.empty(1, object)
        array[0] = self.builder.load(self._at(entry), typ=self.type)
        return array

    def set_one(self, entry: Value, values: Vectors) -> None:
        """Replace the entry of that number by the only one of an array."""
        self.builder.store(values[0], self._at(entry))
