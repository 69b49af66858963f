"""Can one unit turn -1 into 1? It only needs time, unless a plain ReLU starts out dead.

The forum program: the input -1, the target 1, one unit with a kernel drawn from N(0, 0.05) and a
leaky ReLU of slope 0.001, Adam at 1e-3, 10,000 equal rows in batches of 10 for 10 epochs. Beside it
other slopes and initialisers, ten times the epochs, and more units or layers. All rows being equal,
a batch is computed as one row, and an epoch of 1,000 batches as 1,000 epochs of that row.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np

from jaxlab import Initialiser, Network, Result, Setting, Sweep, Training, tasks
from jaxlab.compare import Comparison
from jaxlab.compared import table as compared_table
from jaxlab.initialisers import kernel_distribution, kernel_values
from jaxlab.theory import PointMass, Prediction
from jaxlab.theory import negation as theory

SEEDS = 10_000
QUICK_SEEDS = 256

BATCHES = 1000  # in an epoch of the posted program
SLOPES = (0.001, 0.01, 0.1, 0.3)
LAWS = {
    "normal": Initialiser("random_normal", 0.05),
    "uniform": Initialiser("random_uniform", 0.05),
    "minus one": Initialiser("constant", -1.0),
}
POSTED = "normal, slope 0.001"
SIGN = 0.99999  # of the error of the answer 0: what is below has the right sign
EARLY = (10, 20, 50)  # steps after which some signs have flipped and others have not


def build() -> Sweep:
    """Return the sweep: initialisers by slopes, more epochs, the sign alone, other networks."""
    settings = [one_unit(law, slope) for law in LAWS for slope in (0.0, *SLOPES)]
    for slope in (0.0, SLOPES[0]):
        base = one_unit("normal", slope)
        settings.append(variant(base, "100 epochs", training=training(100)))
        task = dataclasses.replace(base.task, tolerance=SIGN, margin=1.0)
        settings.append(variant(base, "sign", task=task))
        for units in (2, 8):
            settings.append(variant(base, f"{units} units", network=network((1, units, 1), slope)))
        for layers in (2, 3):
            widths = (1,) * (layers + 1)
            settings.append(variant(base, f"{layers} layers", network=network(widths, slope)))
    relu = one_unit("normal", 0.0)
    freed = Network((1, 8, 1), ("relu", "linear"))
    settings.append(variant(relu, "8 units, linear output", network=freed))
    return Sweep("negation", tuple(settings))


def one_unit(law: str, slope: float) -> Setting:
    """Return the posted program with an initialiser and a slope, 0 for a plain ReLU."""
    name = f"{law}, slope {slope:g}" if slope else f"{law}, ReLU"
    task, one = tasks.negation(), network((1, 1), slope)
    return Setting(name, task, one, (LAWS[law],), training(10))


def network(widths: tuple[int, ...], slope: float) -> Network:
    """Return a network with the same activation in all layers."""
    activation = "leaky_relu" if slope else "relu"
    return Network(widths, (activation,) * (len(widths) - 1), slope=slope)


def training(epochs: int) -> Training:
    """Return the posted training; checked at every step up to 200, then half a per cent apart."""
    return Training(batch_size=1, epochs=epochs * BATCHES, check_growth=0.005)


def variant(base: Setting, name: str, **changes) -> Setting:
    """Return the base with another part, named after both."""
    if "network" in changes:
        changes["initialisers"] = (base.initialisers[0],)
    return dataclasses.replace(base, name=f"{base.name}, {name}", **changes)


def comparisons(result: Result) -> list[tuple[str, int, int, Prediction]]:
    """Return (setting, count, n, prediction) for all networks of one unit."""
    rows = []
    for setting in result.sweep.settings:
        for prediction, failed in _events(result, setting):
            rows.append((setting.name, int(failed.sum()), len(failed), prediction))
    return rows


def _events(result: Result, setting: Setting) -> Iterator[tuple[Prediction, np.ndarray]]:
    """Yield predictions with who had the event: training fails, or the sign has not flipped."""
    members = result.members[setting.name]
    if setting.task.tolerance != SIGN:
        for prediction in predictions(setting):
            if prediction.event == "training_fails":
                yield prediction, members.names != "solved"
        return
    for steps in (*EARLY, setting.steps):
        never = (members.first_solved < 0) | (members.first_solved > steps)
        for prediction in predictions(setting, steps):
            if prediction.event == "not_flipped":
                event = f"not_flipped_in_{steps}"
                yield dataclasses.replace(prediction, event=event), never


def predictions(setting: Setting, steps: int | None = None) -> tuple[Prediction, ...]:
    """Return theory's predictions after so many steps, all by default; none for larger networks."""
    if setting.network.widths != (1, 1):
        return ()
    fixed = kernel_values(setting, 0)
    law = kernel_distribution(setting, 0) if fixed is None else PointMass(float(fixed[0, 0]))
    plain = setting.network.activations == ("relu",)
    rate, tolerance = setting.training.optimiser.learning_rate, setting.task.tolerance
    slope = 0.0 if plain else setting.network.slope
    return theory.predictions(law, slope, rate, steps or setting.steps, tolerance=tolerance)


def report(result: Result, compared: list[Comparison]) -> str:
    """Return predictions against counts, and the answer to the thread's question."""
    leaky, relu = (result.members[name] for name in (POSTED, "normal, ReLU"))
    steps, total = leaky.first_solved.max(), result.sweep[POSTED].steps
    dead, lost = relu.names == "dead", relu.names != "solved"
    return (
        f"{compared_table(compared)}\n\n"
        f"The posted program (leaky ReLU) fails for {leaky.tally.failed} of {leaky.tally.n} "
        f"seeds; the last of the\nsolved needs {steps:,} of its {total:,} steps. With a plain "
        f"ReLU {lost.sum()} of {len(lost)} fail:\n{(dead & relu.born_dead).sum()} of them were "
        "dead from the start and are certified to stay so."
    )
