"""Can training succeed at all? XOR with two units, |x| with a few, a line that dies at birth.

XOR: two ReLU units, their sum as output (its weights stay 1), Adam at 0.01, 800 full batches; the
initial weights and activations of a public repository of 2025, and library defaults. |x| on a
narrow interval with Gaussian kernels and biases, where a unit may be dead on all inputs. And the
forum's 1-4-2-1 network of ReLUs on y = 2x - 1.
"""

import math

import numpy as np

from jaxlab import (
    Initialiser,
    Network,
    Optimiser,
    Result,
    Setting,
    Sweep,
    Training,
    paper_tasks,
    tasks,
)
from jaxlab.compare import Comparison
from jaxlab.compared import table as compared_table
from jaxlab.initialisers import bias_distribution, kernel_distribution
from jaxlab.theory import born_dead, units
from jaxlab.theory.prediction import Prediction

SEEDS = 50_000
QUICK_SEEDS = 64

XOR_LAWS = {
    "N(0, 1/2)": Initialiser("random_normal", scale=0.5),
    "Kaiming normal": Initialiser("he_normal"),
    "PyTorch default": Initialiser("pytorch"),
    "glorot_uniform": Initialiser("glorot_uniform"),
    "RAI": Initialiser("rai"),
}
XOR_SLOPES = (0.01, 0.1, 0.8)
ELU = "XOR ELU"
RADII = {"1": 1.0, "sqrt 3": math.sqrt(3.0)}
UNITS = (2, 3, 4, 6, 8)
FORUM, POSITIVE = "forum 1-4-2-1", "forum 1-4-2-1, x = 1..5"


def build() -> Sweep:
    """Return the sweep: XOR, |x| on two intervals, and the forum's line."""
    settings = [xor(xor_name(law), "relu", initial) for law, initial in XOR_LAWS.items()]
    for slope in XOR_SLOPES:
        initial = XOR_LAWS["Kaiming normal"]
        settings.append(xor(leaky_name(slope), "leaky_relu", initial, slope))
    settings.append(xor(ELU, "elu", XOR_LAWS["Kaiming normal"]))
    settings += [interval(radius, n) for radius in RADII for n in UNITS]
    settings += [line(FORUM, -1.0), line(POSITIVE, 1.0)]
    return Sweep("trainability", tuple(settings))


def xor_name(law: str) -> str:
    """Return the name of the setting of XOR with that initialiser."""
    return f"XOR {law}"


def leaky_name(slope: float) -> str:
    """Return the name of the setting of XOR with leaky ReLUs."""
    return f"XOR leaky ReLU {slope:g}"


def xor(name: str, activation: str, initial: Initialiser, slope: float = 0.3) -> Setting:
    """Return two units on XOR whose sum is the output."""
    network = Network((2, 2, 1), (activation, "linear"), slope=slope)
    adam = Optimiser("adam", learning_rate=0.01, b2=0.99, eps=1e-8)
    training = Training(adam, batch_size=0, epochs=800, layer_rates=(1.0, 0.0))
    return Setting(name, paper_tasks.xor(), network, (initial, Initialiser("constant")), training)


def interval_name(radius: str, n: int) -> str:
    """Return the name of the setting of |x| with n units."""
    return f"|x| up to {radius}, {n} units"


def interval(radius: str, n: int) -> Setting:
    """Return n units with Gaussian kernels and biases on |x| for |x| up to the radius."""
    task = tasks.absolute_value(64, -RADII[radius], RADII[radius])
    gaussian = Initialiser("random_normal", bias="random_normal")
    training = Training(Optimiser(learning_rate=0.01), batch_size=32, epochs=3000)
    network = Network((1, n, 1), ("relu", "linear"))
    return Setting(interval_name(radius, n), task, network, (gaussian,), training)


def line(name: str, low: float) -> Setting:
    """Return the forum's network on y = 2x - 1 from x = low to 5."""
    task = paper_tasks.affine(round(6 - low), low, 5.0, 2.0, -1.0)
    network = Network((1, 4, 2, 1), ("relu", "relu", "relu"))
    return Setting(name, task, network, training=Training(epochs=500))


def comparisons(result: Result) -> list[tuple[str, int, int, Prediction]]:
    """Return (setting, count, n, prediction) for what is true at the start and bounds the end."""
    rows = []
    for setting in result.sweep.settings:
        members, said = result.members[setting.name], predictions(setting)
        counted = {
            "born_dead": members.born_dead,
            "learns_absolute_value": members.names == "solved",
        }
        for prediction in said:
            hits = counted[prediction.event]
            rows.append((setting.name, int(hits.sum()), len(hits), prediction))
    return rows


def predictions(setting: Setting) -> tuple[Prediction, ...]:
    """Return theory's predictions for one setting, those that training leaves standing."""
    if setting.task.name == "absolute_value":
        n, radius = setting.network.widths[1], setting.task.numbers["high"]
        laws = kernel_distribution(setting, 0), bias_distribution(setting, 0)
        said = units.predictions(n, 1, radius, *laws)
        return tuple(p for p in said if p.event == "learns_absolute_value")
    if setting.task.name == "affine":
        laws = [kernel_distribution(setting, i) for i in range(3)]
        positive = setting.task.numbers["low"] > 0
        widths, activations = setting.network.widths, setting.network.activations
        return born_dead.predictions(widths, activations, laws, quadrant=positive)
    return ()


def report(result: Result, compared: list[Comparison]) -> str:
    """Return predictions against counts, and the forum's question."""
    members = result.members[FORUM]
    dead, born = (100 * np.mean(mask) for mask in (members.names == "dead", members.born_dead))
    return (
        f"{compared_table(compared)}\n\n"
        f"The forum's 1-4-2-1 network on x = -1..5: {dead:.1f} % end dead, {born:.1f} % were born "
        "so."
    )
