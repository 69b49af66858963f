"""|x| over weight scale and learning rate: where momentum saves units, the folk formula holds.

The posted program of the thread on |x| with two units, its glorot_uniform kernels multiplied.
"""

import numpy as np

from jaxlab.grid import Axis, Grid
from sweeps import absolute_value

SEEDS = 256
QUICK_SEEDS = 2


def build() -> Grid:
    """Return the grid: scales of the initial weights by learning rates."""
    return Grid(
        "absolute_value_weight_map",
        absolute_value.keras_default(2),
        Axis("weight scale", ("initialisers.*.scale",), np.geomspace(1e-3, 10, 41).tolist()),
        Axis(
            "learning rate",
            ("training.optimiser.learning_rate",),
            np.geomspace(1e-5, 1, 51).tolist(),
        ),
    )
