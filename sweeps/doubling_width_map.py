"""2x over width and learning rate: the limit stays, narrow networks are born dead more often.

The posted program of the thread on 2x with other widths. A width is a program of its own; all
learning rates share it.
"""

import numpy as np

from jaxlab.grid import Axis, Grid
from sweeps import doubling

SEEDS = 128
QUICK_SEEDS = 4

WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128)


def build() -> Grid:
    """Return the grid: hidden units by learning rates."""
    return Grid(
        "doubling_width_map",
        doubling.setting(doubling.POSTED),
        Axis("hidden units", ("network.widths.1",), WIDTHS),
        Axis(
            "learning rate",
            ("training.optimiser.learning_rate",),
            np.geomspace(1e-8, 1e-4, 73).tolist(),
        ),
    )
