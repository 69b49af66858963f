"""What is decided before any training? A million networks for each law, nothing trained.

Signs of kernels, fates on |x|, networks born dead (one direction, the plane's quadrant, deep and
narrow), single units on a ball and on the cube, units of the second layer: counted over the
initialisers' own draws and held against exact values and bounds.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from jaxlab import Initialiser, Network, Setting, Task, paper_tasks, tasks
from jaxlab.census import Case, Census, Layers, born_dead
from jaxlab.initialisers import bias_distribution, kernel_distribution
from jaxlab.theory import (
    absolute_value,
    deep_narrow,
    doubling,
    fate_predictions,
    negation,
    units,
)
from jaxlab.theory import born_dead as theory_of_birth
from jaxlab.theory.joint_laws import asymmetric_predictions, orthogonal_predictions
from jaxlab.theory.laws import PointMass
from jaxlab.theory.prediction import Prediction
from sweeps import absolute_value as sweep_of_absolute_value
from sweeps.default_initialisers import LAWS

SEEDS = 1_000_000
QUICK_SEEDS = 4096

GAUSSIAN = Initialiser("random_normal", bias="random_normal")
DEEP = ((3, 2), (5, 2), (10, 2), (20, 2), (3, 3), (5, 3), (10, 3), (5, 5), (10, 5), (10, 10))
ADDER = (2, 3, 5, 3, 5, 1)
UNITS = (2, 3, 4, 8)


def build() -> Census:
    """Return all cases."""
    cases = [
        *(of_default(law, k) for law in LAWS for k in UNITS),
        *(of_line(h) for h in (2, 16)),
        forum(),
        adder(),
        *(of_deep("He", layers, width) for layers, width in DEEP),
        *(of_deep(law, 10, 2) for law in ("PyTorch", "RAI")),
        *(of_ball(d, radius) for d, radius in ((1, 1.0), (1, 3**0.5), (2, 1.0), (5, 1.0))),
        of_ball(1, 1.0, "PyTorch", Initialiser("pytorch")),
        *(of_cube(d) for d in (2, 3)),
        *(of_second_layer(n, h) for n, h in ((1, 1), (1, 2), (2, 2), (2, 3))),
        one_unit(),
    ]
    return Census("initialisation", tuple(cases))


def drawn(
    name: str,
    widths: Sequence[int],
    law: Initialiser,
    task: Task | None = None,
    output: str = "linear",
) -> Setting:
    """Return a setting of ReLU units that is only drawn."""
    network = Network(tuple(widths), ("relu",) * (len(widths) - 2) + (output,))
    return Setting(name, task or tasks.absolute_value(2, -1.0, 1.0), network, (law,))


def laws_of(setting: Setting) -> list:
    """Return the law of every layer's kernel."""
    return [kernel_distribution(setting, layer) for layer in range(len(setting.initialisers))]


def bias_laws_of(setting: Setting) -> list:
    """Return the law of every layer's bias."""
    return [bias_distribution(setting, layer) for layer in range(len(setting.initialisers))]


def of_default(law: str, k: int) -> Case:
    """Return signs and fates on |x| of k units with a library's default."""
    setting = drawn(f"{law} k={k}", (1, k, 1), LAWS[law], tasks.absolute_value())

    def look(layers: Layers):
        w, a = layers[0][0][0], layers[1][0][:, 0]
        fate = absolute_value.fate(w, a)
        return {
            "one_sided_at_init": ~((w > 0).any(axis=0) & (w < 0).any(axis=0)),
            "fate_fails": fate != "solved",
            "fate_one_side": (fate == "left_only") | (fate == "right_only"),
            "fate_neither": fate == "dead",
        }

    special = {"orthogonal": orthogonal_predictions, "RAI": asymmetric_predictions}
    if law in special:
        return Case(setting, look, special[law](k))
    signs = sweep_of_absolute_value.setting_predictions(setting)[0]
    return Case(setting, look, (signs, *fate_predictions.predictions(k, *laws_of(setting))))


def of_line(h: int) -> Case:
    """Return the death at birth of h units before a ReLU, on y = 2x, x > 0."""
    task = tasks.doubling(1, 1.0, 1.0)
    setting = drawn(f"1-{h}-1, ReLU output, x > 0", (1, h, 1), LAWS["Keras"], task, "relu")
    w_law, a_law = laws_of(setting)
    said = doubling.predictions(h, 1.0, w_law=w_law, a_law=a_law, steps=1)
    return Case(setting, born_dead(setting), tuple(p for p in said if p.event == "born_dead"))


def forum() -> Case:
    """Return the death at birth of the forum's 1-4-2-1 network of ReLUs on x > 0."""
    task = tasks.doubling(1, 1.0, 1.0)
    setting = drawn("1-4-2-1, ReLU output, x > 0", (1, 4, 2, 1), LAWS["Keras"], task, "relu")
    return Case(setting, born_dead(setting), of_signs(setting))


def adder() -> Case:
    """Return the death at birth of the network that was to add, on the quadrant of the plane."""
    setting = drawn("2-3-5-3-5-1 on the quadrant", ADDER, LAWS["Keras"], paper_tasks.quadrant(65))
    network = Network(ADDER, ("linear", "relu", "relu", "relu", "relu"))
    setting = Setting(setting.name, setting.task, network, setting.initialisers)
    return Case(setting, born_dead(setting), of_signs(setting))


def of_signs(setting: Setting) -> tuple[Prediction, ...]:
    """Return what signs say about being born dead on inputs that are not negative."""
    network = setting.network
    return theory_of_birth.predictions(network.widths, network.activations, laws_of(setting))


def of_deep(law: str, layers: int, width: int) -> Case:
    """Return the death at birth of a deep narrow network on inputs of both signs."""
    widths = (1, *(width,) * (layers - 1), 1)
    setting = drawn(f"{law}, {layers} layers, width {width}", widths, LAWS[law])
    biases = any(law != PointMass(0.0) for law in bias_laws_of(setting))
    network = setting.network
    said = deep_narrow.predictions(
        network.widths, network.activations, laws_of(setting), biases=biases
    )
    return Case(setting, born_dead(setting), said)


def of_ball(
    d: int, radius: float, name: str = "Gaussian", law: Initialiser = GAUSSIAN, n: int = 4
) -> Case:
    """Return how many of n units are dead on a ball in d dimensions."""
    setting = drawn(f"{name} units, R = {radius:.3g}, d = {d}", (d, n, 1), law)

    def look(layers: Layers):
        kernel, bias = layers[0]
        dead = bias + radius * np.linalg.norm(kernel, axis=0) <= 0
        few = np.asarray(np.sum(~dead, axis=0) < 2)
        return {"unit_dead": np.asarray(dead[0]), "fewer_than_two_live": few}

    said = units.predictions(n, d, radius, laws_of(setting)[0], bias_laws_of(setting)[0])
    return Case(setting, look, tuple(p for p in said if p.event != "learns_absolute_value"))


def of_cube(d: int) -> Case:
    """Return whether a unit without bias is silent on the cube [0, 1]^d, or bends nowhere in it."""
    setting = drawn(f"unit on the {d}-d cube", (d, 1, 1), LAWS["He"])

    def look(layers: Layers):
        kernel = layers[0][0][:, 0]
        signs = {"unit_inactive": kernel <= 0, "unit_linear": kernel >= 0}
        return {event: np.asarray(mask.all(axis=0)) for event, mask in signs.items()}

    said = units.cube_predictions(d, laws_of(setting)[0], bias_laws_of(setting)[0])
    return Case(setting, look, said)


def of_second_layer(inputs: int, h: int) -> Case:
    """Return whether a unit after h units is silent wherever the inputs are."""
    setting = drawn(f"second layer, {inputs}-{h}-1", (inputs, h, 1), GAUSSIAN)

    def look(layers: Layers):
        return {"second_layer_inactive": silent_everywhere(*layers)}

    laws = laws_of(setting), bias_laws_of(setting)
    return Case(setting, look, units.second_layer_predictions(inputs, h, *laws))


def silent_everywhere(first, second) -> np.ndarray:
    """Say of each member if a unit of the second layer is 0 on all of the line or the plane.

    What enters it is linear between the kinks of the first layer: enough to look at the corners
    and along the edges that go to infinity.
    """
    (kernel, bias), (outer, shift) = first, second
    inputs, h, members = kernel.shape
    if h < inputs or inputs > 2:
        raise ValueError(f"{h} units see {inputs} inputs; there must be 1 or 2, and as many units")

    def enters(points, bias, shift):
        hidden = np.maximum(np.einsum("im,ihm->hm", points, kernel) + bias, 0)
        return np.einsum("hm,hm->m", hidden, outer[:, 0]) + shift

    silent = np.ones(members, bool)
    for unit in range(h):
        along = np.ones((1, members)) if inputs == 1 else kernel[::-1, unit] * [[-1.0], [1.0]]
        for side in (along, -along):  # far out only directions count
            silent &= enters(side, 0.0, 0.0) <= 0
    for corner in itertools.combinations(range(h), inputs):
        edges = np.moveaxis(kernel[:, list(corner)], -1, 0).swapaxes(1, 2)
        at = -np.linalg.solve(edges, np.moveaxis(bias[list(corner)], -1, 0)[..., None])[..., 0].T
        # Units whose kink the corner is are 0 there, whatever rounding says.
        hidden = np.maximum(np.einsum("im,ihm->hm", at, kernel) + bias, 0)
        hidden[list(corner)] = 0
        silent &= np.einsum("hm,hm->m", hidden, outer[:, 0]) + shift[0] <= 0
    return silent


def one_unit() -> Case:
    """Return whether one ReLU unit that is to turn -1 into 1 ever moves."""
    setting = drawn("one unit, -1 to 1", (1, 1), LAWS["Keras"], tasks.negation(), "relu")

    def look(layers: Layers):
        return {"not_flipped": layers[0][0][0, 0] >= 0}

    law = laws_of(setting)[0]
    return Case(setting, look, negation.predictions(law, 0.0, 1e-3, 10_000)[:1])
