"""A network adds but does not multiply: how many are born dead, and what the others lack.

The forum program: 10,000 rows of integers from 0 to 499, layers of 3, 5, 3, 5 and 1 units (the
first without an activation, ReLU in all others and at the output), Adam, batches of 10, 10 epochs.
Each seed draws its own rows. Beside the sum and the product: one integer squared, multiplied and
shifted; the product scaled in every way; and a linear output.
"""

from functools import lru_cache

import numpy as np

from jaxlab import Network, Result, Setting, Sweep, Training, tasks
from jaxlab.compare import Comparison
from jaxlab.compared import table as compared_table
from jaxlab.initialisers import kernel_distribution
from jaxlab.spec import Scaling
from jaxlab.theory import Prediction
from jaxlab.theory import born_dead as theory

SEEDS = 10_000
QUICK_SEEDS = 64

ROWS, LOW, HIGH = 10_000, 0, 499
SCALED = ("unit", "symmetric", "standard", "log")
CONSTANTS = {
    "times 3": ("multiple", 3),
    "plus 100": ("shifted", 100),
    "minus 10": ("shifted", -10),
    "minus 100": ("shifted", -100),
}


def build() -> Sweep:
    """Return the sweep: what is computed, and how the product is scaled."""
    settings = [setting("sum"), setting("product"), setting("square")]
    settings += [setting(name, *given) for name, given in CONSTANTS.items()]
    for output, suffix in (("relu", ""), ("linear", ", linear output")):
        settings += [
            setting(f"product, {scaled}{suffix}", "product", scaled=scaled, output=output)
            for scaled in SCALED
        ]
    settings.append(setting("product, linear output", "product", output="linear"))
    return Sweep("arithmetic", tuple(settings))


def setting(
    name: str,
    task: str = "",
    constant: float | None = None,
    *,
    scaled: str = "raw",
    output: str = "relu",
) -> Setting:
    """Return the posted network on a task, named like it by default, inputs and targets scaled."""
    scaling = Scaling(scaled, scaled)
    made = tasks.of_integers(task or name, ROWS, LOW, HIGH, constant=constant, scaling=scaling)
    inputs = 2 if made.name in ("sum", "product") else 1
    network = Network((inputs, 3, 5, 3, 5, 1), ("linear", "relu", "relu", "relu", output))
    return Setting(name, made, network, training=Training(batch_size=10, epochs=10))


def comparisons(result: Result) -> list[tuple[str, int, int, Prediction]]:
    """Return (setting, count, n, prediction) of networks that are dead at birth."""
    rows = []
    for setting in result.sweep.settings:
        dead = result.members[setting.name].born_dead
        rows += [(setting.name, int(dead.sum()), len(dead), p) for p in predictions(setting)]
    return rows


def predictions(setting: Setting) -> tuple[Prediction, ...]:
    """Return theory's predictions, from the signs that scaled inputs can have."""
    scaling = setting.task.scaling or Scaling()
    # Of the task only the inputs' signs matter: settings of one network share what was simulated.
    bare = Setting("network", tasks.negation(), setting.network, setting.initialisers)
    return _of_signs(bare, scaling.inputs in ("raw", "unit", "log"))


@lru_cache
def _of_signs(setting: Setting, positive: bool) -> tuple[Prediction, ...]:
    network = setting.network
    laws = [kernel_distribution(setting, layer) for layer in range(len(network.activations))]
    return theory.predictions(network.widths, network.activations, laws, quadrant=positive)


def report(result: Result, compared: list[Comparison]) -> str:
    """Return predictions against counts, and the answer to the thread's question."""
    total, product = (result.members[name] for name in ("sum", "product"))
    failed = total.names != "solved"
    born, dead = (failed & total.born_dead).sum(), product.names == "dead"
    score = np.mean(product.loss[dead]) if dead.any() else np.nan
    return (
        f"{compared_table(compared)}\n\n"
        f"The sum fails for {100 * failed.mean():.1f} % of seeds; {born} of these {failed.sum()} "
        "were dead at birth.\nThe product fails for "
        f"{100 * (1 - product.tally.rate('solved')):.1f} %; "
        f"{100 * product.tally.rate('dead'):.1f} % are dead, and score {score:.2g}."
    )
