"""The training loop around the arithmetic: members, epochs, batches and rows, as one function.

WIDTH members are trained from the first step to the last before the next WIDTH are looked at, so
that their weights and the optimiser's state stay in the processor's registers and first cache.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jax.extend.core import ClosedJaxpr
from llvmlite import ir

from jaxlab.native.elementary import LONG
from jaxlab.native.flow import Members, Variables, all_members, for_all, least, loop
from jaxlab.native.lanes import (
    FLOAT,
    INT,
    WIDTH,
    Value,
    Vectors,
    Writer,
    array_of,
    constants,
    each,
    element_type,
)
from jaxlab.native.program import Call
from jaxlab.native.rows import Rows
from jaxlab.native.rules import RULES


@dataclass(frozen=True)
class Steps:
    """One member's training as jaxprs of flat arguments, and how its rows are walked through.

    The state is the weights and then the arrays of the optimiser's state; `numbers` are all numbers
    of a member, each (). The jaxpr `update` is for all weights, or for a single one where each is
    updated without a look at the others; it is then written once, in a loop over them.
    """

    gradient: ClosedJaxpr  # weights (p,), row (d,), *numbers -> gradient (p,) of the loss there
    update: ClosedJaxpr  # gradient, *state, *numbers -> state; all for p weights or for one
    order: ClosedJaxpr  # key (2,), epoch () -> row of the bank at which the epoch begins ()
    rows: int
    batch: int
    own_rows: bool  # a member has rows of its own, and the bank holds numbers of rows

    @property
    def numbers(self) -> int:
        """How many numbers a member has."""
        return len(self.gradient.in_avals) - 2

    @property
    def row_size(self) -> int:
        """How many inputs and targets a row has."""
        return self.gradient.in_avals[1].shape[0]

    @property
    def one_by_one(self) -> bool:
        """Whether the update is written for a single weight."""
        return self.update.in_avals[0].shape != self.gradient.in_avals[0].shape

    @property
    def state(self) -> list[tuple[tuple[int, ...], ir.Type]]:
        """Shape and type of each array of the state."""
        weights = self.gradient.in_avals[0].shape
        return [(weights if a.shape else (), element_type(a.dtype)) for a in self.update.out_avals]


class Loops:
    """Writes the body of a call; one instance for one.

    The call's arrays are the steps' first and end (2,), the bank, and then with the member axis
    last: keys, own rows if there are any, numbers, state. Its results are the state.
    """

    def __init__(self, builder: Any, steps: Steps, call: Call):
        self.builder, self.steps, self.call = builder, steps, call
        self.apply = Writer(builder, RULES)
        self.state = [Variables(builder, *kind) for kind in steps.state]
        self.totals = Variables(builder, *steps.state[0])
        self.next = [Variables(builder, shape, kind) for shape, kind in steps.state if not shape]
        span, bank, self.keys = (call.given(i) for i in range(3))
        self.first, self.end = (call.whole_number(span, i) for i in range(2))
        own = call.given(3) if steps.own_rows else None
        self.rows = Rows(builder, bank, steps.row_size, own)

    def write(self) -> None:
        """Write the loop over members."""
        before = 3 + self.steps.own_rows
        given = [self.call.given(before + i) for i in range(self.steps.numbers + len(self.state))]
        numbers_at, state_at = given[: self.steps.numbers], given[self.steps.numbers :]
        results = [self.call.result(i) for i in range(len(self.state))]
        with all_members(self.builder, self.call.size(2, 1)) as members:
            for variables, place in zip(self.state, state_at, strict=True):
                variables.read(members, place)
            self._epochs(members, [members.load(place, (), FLOAT) for place in numbers_at])
            for variables, place in zip(self.state, results, strict=True):
                variables.write(members, place)

    def _epochs(self, members: Members, numbers: list[Vectors]) -> None:
        builder = self.builder
        key = members.load(self.keys, (2,), INT)
        per_epoch = LONG(-(-self.steps.rows // self.steps.batch))
        epochs = builder.sdiv(builder.add(self.end, builder.sub(per_epoch, LONG(1))), per_epoch)
        with loop(builder, builder.sdiv(self.first, per_epoch), epochs) as epoch:
            number = for_all(builder, builder.trunc(epoch, INT))
            (places,) = self.apply(self.steps.order, key, array_of(number))
            self.rows.begin(places[()])
            begun = builder.mul(epoch, per_epoch)
            first = builder.sub(self.first, begun)
            first = builder.select(builder.icmp_signed("<", first, LONG(0)), LONG(0), first)
            end = least(builder, builder.sub(self.end, begun), per_epoch)
            with loop(builder, first, end) as batch:
                self._batch(members, builder.mul(batch, LONG(self.steps.batch)), numbers)

    def _batch(self, members: Members, first: Value, numbers: list[Vectors]) -> None:
        """Write one step, on the batch that begins at the epoch's row `first`."""
        builder, steps = self.builder, self.steps
        count = least(builder, LONG(steps.batch), builder.sub(LONG(steps.rows), first))
        nothing = np.zeros(self.totals.places.shape, np.float32)
        self.totals.set(constants(nothing))
        with loop(builder, LONG(0), count, WIDTH) as done:
            self.rows.fetch(builder.add(first, done))
            here = least(builder, builder.sub(count, done), LONG(WIDTH))
            with loop(builder, LONG(0), here) as i:
                row = self.rows.row(i, members)
                (gradient,) = self.apply(steps.gradient, self.state[0].get(), row, *numbers)
                self.totals.increase(gradient)
        share = builder.fdiv(FLOAT(1.0), builder.sitofp(count, FLOAT))
        self._update(for_all(builder, share), numbers)

    def _update(self, share: Value, numbers: list[Vectors]) -> None:
        builder, steps = self.builder, self.steps
        if not steps.one_by_one:
            gradient = each(lambda total: builder.fmul(total, share), self.totals.get())
            given = [variables.get() for variables in self.state]
            for variables, new in zip(
                self.state, self.apply(steps.update, gradient, *given, *numbers), strict=True
            ):
                variables.set(new)
            return
        common = [variables for variables in self.state if not variables.places.shape]
        with loop(builder, LONG(0), LONG(self.totals.places.size)) as weight:
            gradient = each(lambda total: builder.fmul(total, share), self.totals.get_one(weight))
            given = [v.get() if v in common else v.get_one(weight) for v in self.state]
            results = self.apply(steps.update, gradient, *given, *numbers)
            after = iter(self.next)  # what the weights have in common waits until all are done
            for variables, new in zip(self.state, results, strict=True):
                if variables in common:
                    next(after).set(new)
                else:
                    variables.set_one(weight, new)
        for variables, waiting in zip(common, self.next, strict=True):
            variables.set(waiting.get())
