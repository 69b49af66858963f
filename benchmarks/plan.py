"""How much is measured: the whole, and with --quick a first look."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """A network to compare on: (members, epochs) for the engine and the idiomatic program.

    The latter slows down when its members leave the cache, so it may choose of several numbers.
    """

    widths: tuple[int, ...]
    batch_size: int
    engine: tuple[int, int]
    idiomatic: tuple[tuple[int, int], ...]

    @property
    def name(self) -> str:
        """The widths as they are usually written."""
        return "-".join(map(str, self.widths))


UNITS = Shape((1, 128, 1), 32, engine=(1024, 100), idiomatic=((128, 100), (4096, 2)))
DEEP = Shape((2, 3, 5, 3, 5, 1), 10, engine=(1024, 100), idiomatic=((256, 40), (4096, 4)))
WIDE = Shape(
    (1, 20, 100, 1000, 100, 20, 1), 100, engine=(8, 100), idiomatic=((2, 100), (8, 25), (32, 5))
)
SHAPES = (UNITS, DEEP, WIDE)


@dataclass(frozen=True)
class Plan:
    """Numbers of repetitions, members and epochs; the engine is timed over whole trainings."""

    repetitions: int = 5
    members: int = 4096
    epochs: int = 1000
    idiomatic_epochs: int = 20
    keras_epochs: int = 100
    torch_epochs: int = 4
    shapes: tuple[Shape, ...] = SHAPES
    scaling_repetitions: int = 3
    scaling_epochs: int = 100
    scaling_members: int = 1024
    member_counts: tuple[int, ...] = (100, 1000, 4096, 10_000, 100_000, 1_000_000)
    hidden_units: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128)
    depths: tuple[int, ...] = tuple(range(1, 11))
    batch_sizes: tuple[int, ...] = (1, 8, 32, 128, 400)
    memory_members: tuple[int, ...] = (10_000, 1_000_000)


FULL = Plan()
QUICK = Plan(
    repetitions=3,
    idiomatic_epochs=5,
    keras_epochs=20,
    torch_epochs=1,
    shapes=(),
    scaling_repetitions=1,
    member_counts=(100, 1000, 4096, 10_000),
    hidden_units=(8, 64),
    depths=(4,),
    batch_sizes=(8,),
    memory_members=(10_000, 100_000),
)
