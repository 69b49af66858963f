"""How the rows of every member's batches come from the bank into vectors, in their own orders."""

from typing import Any

import numpy as np
from llvmlite import ir

from jaxlab.native.elementary import LONG
from jaxlab.native.flow import Members, loop
from jaxlab.native.lanes import FLOAT, INT, WIDTH, Value, Vectors, vector
from jaxlab.native.program import POINTER

_PAIRS = [(i // 2, i % 2) for i in range(WIDTH)]
LOW = ir.Constant(vector(INT), [INT(i + WIDTH * second) for i, second in _PAIRS])
HIGH = ir.Constant(vector(INT), [INT(i + WIDTH * second + WIDTH // 2) for i, second in _PAIRS])


class Rows:
    """The rows of WIDTH members' epochs, fetched WIDTH rows at a time into a tile.

    Members that share their rows find them in the bank, of `size` numbers each; for members that
    have rows of their own, at `own`, the bank holds their numbers.
    """

    def __init__(self, builder: Any, bank: Value, size: int, own: Value | None):
        self.builder, self.bank, self.size, self.own = builder, bank, size, own
        self.entry = size if own is None else 1
        with builder.goto_entry_block():
            self.starts = builder.alloca(POINTER, size=WIDTH)
            self.tile = builder.alloca(vector(INT), size=self.entry * WIDTH)

    def begin(self, places: Value) -> None:
        """Start an epoch of every member at these rows of the bank."""
        builder = self.builder
        for i in range(WIDTH):
            place = builder.zext(builder.extract_element(places, INT(i)), LONG)
            offset = builder.mul(place, LONG(self.entry))
            pointer = builder.gep(self.bank, [offset], source_etype=INT)
            builder.store(pointer, self._start(i))

    def _start(self, i: int) -> Value:
        return self.builder.gep(self.starts, [LONG(i)], source_etype=POINTER)

    def _in_tile(self, entry: Value) -> Value:
        return self.builder.gep(self.tile, [entry], source_etype=vector(INT))

    def fetch(self, first: Value) -> None:
        """Put the WIDTH rows from the epoch's row `first` on into the tile.

        A member's rows lie one after the other in the bank, and beside each other's in the tile:
        squares of WIDTH by WIDTH numbers are transposed, by interleaving halves again and again.
        """
        builder, half = self.builder, WIDTH // 2
        offset = builder.mul(first, LONG(self.entry))
        with loop(builder, LONG(0), LONG(self.entry)) as square:
            begun = builder.mul(square, LONG(WIDTH))
            place = builder.add(offset, begun)
            lines = []
            for i in range(WIDTH):
                start = builder.load(self._start(i), typ=POINTER)
                pointer = builder.gep(start, [place], source_etype=INT)
                lines.append(builder.load(pointer, typ=vector(INT), align=4))
            for _ in range(WIDTH.bit_length() - 1):
                pairs = [(lines[i], lines[i + half]) for i in range(half)]
                lines = [builder.shuffle_vector(a, b, m) for a, b in pairs for m in (LOW, HIGH)]
            for i, line in enumerate(lines):
                builder.store(line, self._in_tile(builder.add(begun, LONG(i))))

    def row(self, i: Value, members: Members) -> Vectors:
        """Return row i of the tile (size,)."""
        builder = self.builder
        row = np.empty(self.size, object)
        if self.own is None:
            first = builder.mul(i, LONG(self.size))
            for j in range(self.size):
                place = self._in_tile(builder.add(first, LONG(j)))
                row[j] = builder.load(place, typ=vector(FLOAT))
            return row
        numbers = builder.load(self._in_tile(i), typ=vector(INT))
        row[:] = [ir.Constant(vector(FLOAT), ir.Undefined) for _ in row]
        for lane in range(WIDTH):
            number = builder.sext(builder.extract_element(numbers, INT(lane)), LONG)
            for j in range(self.size):
                entry = builder.add(builder.mul(number, LONG(self.size)), LONG(j))
                vectors = members.at(self.own, entry, FLOAT)
                place = builder.gep(vectors, [LONG(lane)], source_etype=FLOAT)
                row[j] = builder.insert_element(row[j], builder.load(place, typ=FLOAT), INT(lane))
        return row
