"""The learning rate by the initial weight of one unit that is to turn -1 into 1."""

from benchmarks.swept import small
from jaxlab.grid import Axis, Grid

SEEDS = QUICK_SEEDS = 2000  # a dozen calls


def build() -> Grid:
    """Return the grid."""
    return Grid(
        "small_map",
        small.build().settings[0],
        Axis("learning rate", ("training.optimiser.learning_rate",), (0.001, 0.01, 0.1)),
        Axis("scale", ("initialisers.0.scale",), (0.1, 0.3, 1.0, 3.0)),
    )
