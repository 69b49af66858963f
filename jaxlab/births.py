"""What theory says of any network of ReLUs before it is trained: how often it is dead at birth."""

import numpy as np

from jaxlab import initialisers, tasks
from jaxlab.result import Result
from jaxlab.spec import Setting
from jaxlab.theory import born_dead
from jaxlab.theory.prediction import Prediction


def comparisons(result: Result) -> list[tuple[str, int, int, Prediction]]:
    """Return (setting, count, n, prediction) of the members of networks that theory speaks of."""
    rows = []
    for setting in result.sweep.settings:
        if "relu" not in setting.network.activations:
            continue  # others cannot be dead
        dead = result.members[setting.name].born_dead
        rows += [(setting.name, int(dead.sum()), len(dead), p) for p in predictions(setting)]
    return rows


def predictions(setting: Setting) -> tuple[Prediction, ...]:
    """Return what theory says of the event born_dead, with a reason where it says nothing.

    Exact for one input that is never negative, else bounds that hold whatever the inputs are.
    """
    network, layers = setting.network, range(len(setting.network.activations))
    if any(initialisers.bias_limit(setting, layer) > 0 for layer in layers):
        return (_withheld("biases do not start at zero"),)
    if tasks.own_rows(setting.task):
        return (_withheld("rows are drawn, or scaled, for each seed"),)
    inputs = np.asarray(tasks.example(setting.task)[0])
    if not inputs.any():
        return (_withheld("all inputs are zero"),)
    one_sided = network.widths[0] == 1 and inputs.min() >= 0
    laws = [initialisers.kernel_distribution(setting, layer) for layer in layers]
    return born_dead.predictions(network.widths, network.activations, laws, quadrant=one_sided)


def _withheld(reason: str) -> Prediction:
    return Prediction(
        "dead at birth", "born_dead", "exact", None, "counting signs", "zero biases", reason=reason
    )
