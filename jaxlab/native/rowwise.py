"""What networks do at every row, as functions: their outputs, and whether they are silent."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from jax.extend.core import ClosedJaxpr

from jaxlab.native.elementary import LONG
from jaxlab.native.flow import Members, Variables, all_members, for_all, loop
from jaxlab.native.lanes import (
    BIT,
    FLOAT,
    Value,
    Vectors,
    Writer,
    array_of,
    constants,
    each,
    vector,
)
from jaxlab.native.program import BYTE, Call
from jaxlab.native.rules import RULES


@dataclass(frozen=True)
class AtRow:
    """What is asked of one member at one row, as a jaxpr of flat arguments."""

    function: ClosedJaxpr  # weights (p,), row (d,), *numbers -> an array
    own_rows: bool  # a member has rows of its own


class Rows:
    """The arrays of a call about members at rows, and the loops over them.

    They are the rows, of shape (rows, d) or, of the members' own, (rows, d, members), and then,
    with the member axis last, weights and numbers.
    """

    def __init__(self, builder: Any, asked: AtRow, call: Call):
        weights, row, *numbers = asked.function.in_avals
        self.builder, self.asked, self.call = builder, asked, call
        self.apply, self.size = Writer(builder, RULES), row.shape[0]
        self.own = Variables(builder, weights.shape, FLOAT)
        self.rows, self.weights_at = call.given(0), call.given(1)
        self.numbers_at = [call.given(2 + i) for i in range(len(numbers))]
        self.numbers: list[Vectors] = []

    @contextmanager
    def members(self) -> Iterator[Members]:
        """Write a loop over vectors of members, whose weights and numbers are read."""
        with all_members(self.builder, self.call.size(1, 1)) as members:
            self.numbers = [members.load(place, (), FLOAT) for place in self.numbers_at]
            self.own.read(members, self.weights_at)
            yield members

    @contextmanager
    def each(self, members: Members) -> Iterator[tuple[Value, Vectors]]:
        """Write a loop over rows; yields the row's number and what the function says there."""
        with loop(self.builder, LONG(0), self.call.size(0, 0)) as i:
            row = self._row(members, i)
            (answer,) = self.apply(self.asked.function, self.own.get(), row, *self.numbers)
            yield i, answer

    def _row(self, members: Members, i: Value) -> Vectors:
        builder, values = self.builder, np.empty(self.size, object)
        for j in range(self.size):
            entry = builder.add(builder.mul(i, LONG(self.size)), LONG(j))
            if self.asked.own_rows:
                place = members.at(self.rows, entry, FLOAT)
                values[j] = builder.load(place, typ=vector(FLOAT), align=1)
            else:
                place = builder.gep(self.rows, [entry], source_etype=FLOAT)
                values[j] = for_all(builder, builder.load(place, typ=FLOAT))
        return values


def write_silence(builder: Any, asked: AtRow, call: Call) -> None:
    """Write a call that says of each member, in a byte, if it is silent in one way at all rows.

    The function says in which ways (w,) a member is silent at a row.
    """
    rows, result = Rows(builder, asked, call), call.result(0)
    (ways,) = asked.function.out_avals[0].shape
    silent = Variables(builder, (ways,), BIT)
    with rows.members() as members:
        silent.set(constants(np.ones(ways, bool)))
        with rows.each(members) as (_, here):
            silent.set(each(builder.and_, silent.get(), here))
        anyhow = reduce(builder.or_, silent.get())
        members.store(result, array_of(builder.zext(anyhow, vector(BYTE))))


def write_outputs(builder: Any, asked: AtRow, call: Call) -> None:
    """Write a call that returns the outputs (rows, out, members); the function's are (out,)."""
    rows, result = Rows(builder, asked, call), call.result(0)
    (outputs,) = asked.function.out_avals[0].shape
    with rows.members() as members, rows.each(members) as (i, values):
        for j, value in enumerate(values):
            entry = builder.add(builder.mul(i, LONG(outputs)), LONG(j))
            builder.store(value, members.at(result, entry, FLOAT), align=1)
