"""Where does training diverge? Two learning rates, one for each layer: the edge is rough.

One network of 16 tanh units, one draw of its weights and of 16 random points; plain gradient
descent on all of them. Only the two learning rates vary from cell to cell. `--window` zooms.
"""

import numpy as np

from jaxlab import Initialiser, Network, Optimiser, Setting, Training, paper_tasks
from jaxlab.grid import Axis, Grid

SEEDS = 1
QUICK_SEEDS = 1
CELLS = 256
UNITS = 16
HIDDEN, OUTPUT = (10.0, 40.0), (0.17, 0.27)  # a piece of the edge; from afar it is smooth


def build() -> Grid:
    """Return the grid: the output layer's learning rate over the hidden layer's."""
    # The paper has sqrt(2/16) and 1/16 as factors in the network; here they are in the weights.
    laws = (
        Initialiser("random_normal", scale=float(np.sqrt(2 / UNITS))),
        Initialiser("random_normal", scale=1 / UNITS),
    )
    training = Training(
        Optimiser("sgd", learning_rate=1.0), batch_size=0, epochs=500, layer_rates=(1.0, 1.0)
    )
    network = Network((UNITS, UNITS, 1), ("tanh", "linear"), use_bias=False)
    base = Setting("boundary", paper_tasks.random_points(16), network, laws, training)
    return Grid(
        "boundary",
        base,
        rows=axis("learning rate of the output layer", 1, OUTPUT),
        columns=axis("learning rate of the hidden layer", 0, HIDDEN),
    )


def axis(label: str, layer: int, span: tuple[float, float]) -> Axis:
    """Return the learning rates of a layer, in equal ratios."""
    return Axis(label, (f"training.layer_rates.{layer}",), tuple(np.geomspace(*span, CELLS)))
