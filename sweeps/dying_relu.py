"""How often do deep narrow ReLU networks die? The targets of the papers on the dying ReLU.

Networks of 3 to 20 layers and 2 to 5 units, of which many end as a constant: |x|, x sin 5x, a
step plus a sine, and (|x1 + x2|, |x1 - x2|), on 3,000 points, Adam at 1e-3 in batches of 64; the
initial weights of He, PyTorch and RAI (randomised asymmetric initialisation).
"""

import dataclasses

import numpy as np

from jaxlab import Initialiser, Network, Result, Setting, Sweep, Training, paper_tasks
from jaxlab.compare import Comparison
from jaxlab.compared import table as compared_table
from jaxlab.initialisers import bias_distribution, kernel_distribution
from jaxlab.result import Members
from jaxlab.theory import deep_narrow
from jaxlab.theory.laws import PointMass
from jaxlab.theory.prediction import Prediction

SEEDS = 4096
QUICK_SEEDS = 16

LAWS = {
    "He": Initialiser("he_normal"),
    "PyTorch": Initialiser("pytorch"),
    "RAI": Initialiser("rai"),
}
TARGETS = {
    "absolute_value": "|x|",
    "sine": "x sin 5x",
    "step_and_sine": "step + sine",
    "folded_plane": "plane",
}
WIDTH = {name: 4 if name == "folded_plane" else 2 for name in TARGETS}
LAYERS = 10  # of weights: nine hidden layers and the output's
DEPTHS = (3, 5, 20)
WIDTHS = (3, 5)
EPOCHS = 100
LONGER, NARROWER = "five times as long", "up to sqrt 3"


def build() -> Sweep:
    """Return the sweep: the papers' networks, and others of |x| that are deeper or wider."""
    settings = [setting(target, law) for target in TARGETS for law in LAWS]
    settings += [setting("absolute_value", law, layers=n) for n in DEPTHS for law in LAWS]
    settings += [setting("absolute_value", "He", width=n) for n in WIDTHS]
    return Sweep("dying_relu", (*settings, *other_set_ups()))


def other_set_ups() -> list[Setting]:
    """Return what was tried where the papers counted otherwise: width, length, span of inputs."""
    settings = [setting("folded_plane", law, width=n) for n in (2, 3) for law in ("He", "RAI")]
    base = setting("sine", "RAI")
    longer = dataclasses.replace(base.training, epochs=5 * EPOCHS)
    settings.append(dataclasses.replace(base, name=f"{base.name}, {LONGER}", training=longer))
    narrow = dataclasses.replace(base.task, numbers={"low": -(3**0.5), "high": 3**0.5})
    settings.append(dataclasses.replace(base, name=f"{base.name}, {NARROWER}", task=narrow))
    return settings


def name_of(target: str, law: str, layers: int = LAYERS, width: int | None = None) -> str:
    """Return the name of a setting; the width is the target's own unless given."""
    return f"{TARGETS[target]} {law} {layers}x{width or WIDTH[target]}"


def setting(target: str, law: str, layers: int = LAYERS, width: int | None = None) -> Setting:
    """Return a network of so many layers on a target."""
    ends = (2, 2) if target == "folded_plane" else (1, 1)
    hidden = (width or WIDTH[target],) * (layers - 1)
    network = Network((ends[0], *hidden, ends[1]), ("relu",) * (layers - 1) + ("linear",))
    name, task = name_of(target, law, layers, width), paper_tasks.on_span(target)
    return Setting(name, task, network, (LAWS[law],), Training(batch_size=64, epochs=EPOCHS))


def collapsed(members: Members) -> np.ndarray:
    """Say of each member if it ended as a constant, dead or not."""
    return np.isin(members.names, ("dead", "constant"))


def comparisons(result: Result) -> list[tuple[str, int, int, Prediction]]:
    """Return (setting, count, n, prediction) for being born dead, where theory speaks of it."""
    rows = []
    for setting in result.sweep.settings:
        members = result.members[setting.name]
        for prediction in predictions(setting):
            hits = members.born_dead
            rows.append((setting.name, int(hits.sum()), len(hits), prediction))
    return rows


def predictions(setting: Setting) -> tuple[Prediction, ...]:
    """Return theory's predictions of being born dead."""
    layers = range(len(setting.initialisers))
    laws = [kernel_distribution(setting, layer) for layer in layers]
    biases = any(bias_distribution(setting, layer) != PointMass(0.0) for layer in layers)
    widths, activations = setting.network.widths, setting.network.activations
    return deep_narrow.predictions(widths, activations, laws, biases=biases)


def report(result: Result, compared: list[Comparison]) -> str:
    """Return how many are born dead and how many end as a constant, and what theory says."""
    lines = [f"{'target, weights, layers x width':<40} {'born dead':>10} {'collapsed':>10}"]
    for name, members in result.members.items():
        shares = [100 * np.mean(mask) for mask in (members.born_dead, collapsed(members))]
        lines.append(f"{name:<40} {shares[0]:8.2f} % {shares[1]:8.2f} %")
    return "\n".join([*lines, "", compared_table(compared)])
