"""From 2^(1-k) to the survival formula: failing on |x| over weight scale / learning rate.

The forum program with 2, 3 and 4 units, all weights Gaussian of one scale, which goes through five
decades; Adam with four memories of its gradients (b1) at 1e-3, and SGD at 1e-7 with weights of the
same scale. Beside it single units with weights of a few learning rates / (1 - b1): who lives.
"""

import numpy as np

from jaxlab import Initialiser, Network, Optimiser, Result, Setting, Sweep, Training, tasks
from jaxlab.compare import Comparison
from jaxlab.theory.prediction import Prediction
from sweeps.absolute_value import setting_predictions

SEEDS = 4096
QUICK_SEEDS = 16

RATE = 1e-3
RATIOS = tuple(float(f"{ratio:.3g}") for ratio in np.geomspace(1e-2, 1e3, 21))
UNITS = (2, 3, 4)
MEMORIES = (0.0, 0.5, 0.9, 0.95)
SGD = "SGD"
CURVE_MEMORIES = (0.5, 0.9, 0.95)
CURVE_LIMIT = 8.0  # of the weights of single units, in learning rates / (1 - b1)


def optimisers() -> dict[str, Optimiser]:
    """Return the optimisers by the names that settings have."""
    adams = {memory(b1): Optimiser(learning_rate=RATE, b1=b1) for b1 in MEMORIES}
    return adams | {SGD: Optimiser("sgd", learning_rate=1e-7)}


def memory(b1: float) -> str:
    """Return the name of Adam with this b1."""
    return f"b1={b1:g}"


def name_of(k: int, optimiser: str, ratio: float) -> str:
    """Return the name of the setting with k units and weights of so many times 1e-3."""
    return f"k={k} {optimiser} ratio={ratio:g}"


def curve_of(b1: float) -> str:
    """Return the name of the setting of single units."""
    return f"one unit {memory(b1)}"


def build() -> Sweep:
    """Return the sweep: a setting per number of units, optimiser and scale, and single units."""
    settings = []
    for k in UNITS:
        for name, optimiser in optimisers().items():
            for ratio in RATIOS:
                law = Initialiser("random_normal", scale=ratio * RATE)
                settings.append(setting(name_of(k, name, ratio), k, law, optimiser))
    for b1 in CURVE_MEMORIES:
        law = Initialiser("random_uniform", scale=CURVE_LIMIT * RATE / (1 - b1))
        settings.append(setting(curve_of(b1), 1, law, Optimiser(learning_rate=RATE, b1=b1)))
    return Sweep("folk_to_survival", tuple(settings))


def setting(name: str, k: int, law: Initialiser, optimiser: Optimiser) -> Setting:
    """Return the forum program with other weights and another optimiser."""
    network = Network((1, k, 1), ("relu", "linear"))
    return Setting(name, tasks.absolute_value(), network, (law,), Training(optimiser))


def comparisons(result: Result) -> list[tuple[str, int, int, Prediction]]:
    """Return (setting, count, n, prediction) for the failures of all networks of several units."""
    rows = []
    for setting in result.sweep.settings:
        if setting.network.widths[1] == 1:
            continue
        tally = result.members[setting.name].tally
        said = [p for p in setting_predictions(setting) if p.event == "training_fails"]
        rows += [(setting.name, tally.failed, tally.n, p) for p in said]
    return rows


def report(result: Result, compared: list[Comparison]) -> str:
    """Return the share that fails by scale and optimiser, a table for each number of units."""
    names = list(optimisers())
    lines = []
    for k in UNITS:
        lines.append(f"k = {k}: share of networks that fail, %")
        lines.append(f"{'scale / rate':>14}" + "".join(f"{name:>9}" for name in names))
        for ratio in RATIOS:
            tallies = [result.members[name_of(k, name, ratio)].tally for name in names]
            cells = "".join(f"{100 * tally.failed / tally.n:9.1f}" for tally in tallies)
            lines.append(f"{ratio:>14g}{cells}")
        lines.append("")
    said = [c for c in compared if c.predicted is not None]
    return "\n".join([*lines, f"predictions held against counts: {len(said)}; see predictions.csv"])
