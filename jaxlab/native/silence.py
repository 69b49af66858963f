"""The question whether a member is silent on all rows, as one function."""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from jax.extend.core import ClosedJaxpr

from jaxlab.native.elementary import LONG
from jaxlab.native.flow import Variables, all_members, for_all, loop
from jaxlab.native.lanes import BIT, FLOAT, Writer, array_of, constants, each, vector
from jaxlab.native.program import BYTE, Call
from jaxlab.native.rules import RULES


@dataclass(frozen=True)
class Silence:
    """One member's silence at one row, as a jaxpr of flat arguments."""

    at_row: ClosedJaxpr  # weights (p,), row (d,), *numbers -> ways (w,) in which it is silent there
    own_rows: bool  # a member has rows of its own


def write(builder: Any, silence: Silence, call: Call) -> None:
    """Write a call that says of each member if it is silent, in one way, at all rows.

    Its arrays are the rows, of shape (rows, d) or, of the members' own, (rows, d, members), and
    then, with the member axis last, weights and numbers; its result is a byte a member.
    """
    weights, row, *numbers = silence.at_row.in_avals
    rows, weights_at = call.given(0), call.given(1)
    numbers_at = [call.given(2 + i) for i in range(len(numbers))]
    (ways,) = silence.at_row.out_avals[0].shape
    silent, own = Variables(builder, (ways,), BIT), Variables(builder, weights.shape, FLOAT)
    apply, result, size = Writer(builder, RULES), call.result(0), row.shape[0]
    with all_members(builder, call.size(1, 1)) as members:
        silent.set(constants(np.ones(ways, bool)))
        given = [members.load(place, (), FLOAT) for place in numbers_at]
        own.read(members, weights_at)
        with loop(builder, LONG(0), call.size(0, 0)) as i:
            values = np.empty(size, object)
            for j in range(size):
                entry = builder.add(builder.mul(i, LONG(size)), LONG(j))
                if silence.own_rows:
                    place = members.at(rows, entry, FLOAT)
                    values[j] = builder.load(place, typ=vector(FLOAT), align=1)
                else:
                    place = builder.gep(rows, [entry], source_etype=FLOAT)
                    values[j] = for_all(builder, builder.load(place, typ=FLOAT))
            (here,) = apply(silence.at_row, own.get(), values, *given)
            silent.set(each(builder.and_, silent.get(), here))
        anyhow = reduce(builder.or_, silent.get())
        members.store(result, array_of(builder.zext(anyhow, vector(BYTE))))
