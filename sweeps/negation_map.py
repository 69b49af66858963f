"""-1 to 1 over slope and initial weight: the sign turns in time, or it does not.

One epoch of the posted program of the thread on -1, 1,000 steps, from given initial weights.
Nothing is random here, so that one seed says all.
"""

import dataclasses

import numpy as np

from jaxlab import Initialiser
from jaxlab.grid import Axis, Grid
from sweeps import negation

SEEDS = 1
QUICK_SEEDS = 1


def build() -> Grid:
    """Return the grid: slopes by initial weights."""
    posted = negation.one_unit("normal", negation.SLOPES[0])
    given = dataclasses.replace(
        posted, initialisers=(Initialiser("constant"),), training=negation.training(1)
    )
    return Grid(
        "negation_map",
        given,
        Axis("slope", ("network.slope",), np.geomspace(1e-9, 1, 55).tolist()),
        Axis("initial weight", ("initialisers.0.scale",), np.linspace(-0.25, 2.5, 111).tolist()),
    )
