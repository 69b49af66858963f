"""Members of a folder, read from its chunks when they are asked for."""

from collections.abc import Iterator, Mapping

import numpy as np

from jaxlab.chunks import Chunks
from jaxlab.result import Members, Pieces
from jaxlab.sealed import ResultsError
from jaxlab.spec import Sweep


class Stored(Pieces):
    """The members in a folder by setting, read when they are asked for.

    `chosen` seeds of each setting; without, all. Of what was read last, `KEPT` bytes are kept.
    """

    KEPT = 2**28
    PIECE = 16  # chunks

    def __init__(
        self,
        sweep: Sweep,
        chunks: Chunks,
        chosen: Mapping[str, np.ndarray] | None = None,
        between: tuple[int, int | None] = (0, None),
        present: Mapping[str, list[int]] | None = None,
    ):
        self.sweep, self.chunks = sweep, chunks
        self.chosen, self.between = chosen, between
        # Looked up once, for all pieces: a folder of many settings takes long to search.
        self.present = present or {s.name: list(chunks.paths(s)) for s in sweep.settings}
        self.names = [name for name, found in self.present.items() if found]
        self.read: dict[str, Members] = {}

    def __getitem__(self, name: str) -> Members:
        if name not in self.read:
            self._keep(name, self._load(name))
        return self.read[name]

    def _load(self, name: str) -> Members:
        setting = self.sweep[name]
        members = self.chunks.load(setting, *self.between) if name in self.names else None
        if members is None:
            text = f"holds no members of setting {name!r} yet; run its sweep to the end"
            raise ResultsError(f"{self.chunks.path.parent} {text}")
        return members if self.chosen is None else members.of(self.chosen[name])

    def _keep(self, name: str, members: Members) -> None:
        self.read[name] = members
        while len(self.read) > 1 and sum(m.nbytes for m in self.read.values()) > self.KEPT:
            del self.read[next(iter(self.read))]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __len__(self) -> int:
        return len(self.names)

    def pieces(self) -> Iterator[Mapping[str, Members]]:
        """Yield the members of all settings, some chunks at a time."""
        for piece in sorted({i // self.PIECE for found in self.present.values() for i in found}):
            between = piece * self.PIECE, (piece + 1) * self.PIECE
            yield Stored(self.sweep, self.chunks, self.chosen, between, self.present)
