"""|x| over input scale and learning rate: small inputs let the kinks move, failures change.

The posted program of the thread on |x| with two units, its numbers multiplied by a factor before
training and judged in their original units.
"""

import dataclasses

import numpy as np

from jaxlab.grid import Axis, Grid
from jaxlab.spec import Scaling
from sweeps import absolute_value
from sweeps.doubling_scale_map import FACTORS

SEEDS = 64
QUICK_SEEDS = 1


def build() -> Grid:
    """Return the grid: scales of inputs and targets by learning rates."""
    posted = absolute_value.keras_default(2)
    scaled = dataclasses.replace(posted.task, scaling=Scaling())
    return Grid(
        "absolute_value_input_map",
        dataclasses.replace(posted, task=scaled),
        Axis("input scale", FACTORS, np.geomspace(1e-5, 1, 51).tolist()),
        Axis(
            "learning rate",
            ("training.optimiser.learning_rate",),
            np.geomspace(1e-5, 1, 51).tolist(),
        ),
    )
