"""2x over learning rate and input scale: the stability limit divides learning from death.

The posted program of the thread on 2x, its numbers multiplied by a factor before training and
judged in their original units.
"""

import dataclasses

import numpy as np

from jaxlab.grid import Axis, Grid
from jaxlab.spec import Scaling
from sweeps import doubling

SEEDS = 24
QUICK_SEEDS = 1

FACTORS = ("task.scaling.input_factor", "task.scaling.target_factor")


def build() -> Grid:
    """Return the grid: learning rates by scales of inputs and targets."""
    posted = doubling.setting(doubling.POSTED)
    scaled = dataclasses.replace(posted.task, scaling=Scaling())
    return Grid(
        "doubling_scale_map",
        dataclasses.replace(posted, task=scaled),
        Axis(
            "learning rate",
            ("training.optimiser.learning_rate",),
            np.geomspace(1e-7, 1, 43).tolist(),
        ),
        Axis("input scale", FACTORS, np.geomspace(1e-3, 1, 61).tolist()),
    )
