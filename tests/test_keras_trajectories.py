"""Rounding: runs recorded with Keras 3.15 are repeated from their initial weights.

The files beside this one hold the data in the order it was fed, the initial weights, the loss
before each update and the final weights. Two programs in float32 differ in the last bits, and Adam
turns a gradient that is nothing but rounding into steps of full size, so the three files with such
units have a wider bound on the layers named.
"""

import json
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxlab import networks, training
from jaxlab.spec import Initialiser, Network, Optimiser, Setting, Task, Training

FILES = sorted((Path(__file__).parent / "keras_trajectories").glob("*.json"))
LOSS = 1e-3  # relative to the recorded loss, or to a millionth of the largest one
WEIGHTS = 1e-4
# Kernel and bias positions whose gradients are at rounding level, with the bound for them.
LOOSE = {
    "add_2_3_5_3_5_1": ({6, 7, 8, 9}, 0.03),
    "multiply_2_3_5_3_5_1": (set(range(10)), 0.03),
    "square_relu_deep": ({2, 3, 4, 5}, 0.05),
}


def optimiser(record: dict) -> Optimiser:
    given = dict(record["optimizer_arguments"])
    name = str(record["optimizer"]).replace("adam", "keras_adam")
    if name == "sgd" and "momentum" in given:
        name = "nesterov" if given.pop("nesterov", False) else "momentum"
    return Optimiser(name, **given)


def repeat(record: dict, optimiser: Optimiser):
    """Return (losses before each step, final weights) of the recorded program in JAX."""
    pairs = [a if isinstance(a, list) else [a, 0.0] for a in record["activations"]]
    slope = max(slope for _, slope in pairs)
    network = Network(tuple(record["widths"]), tuple(name for name, _ in pairs), slope=slope)
    model = training.Model(network, Training(optimiser, batch_size=record["batch_size"]))
    setting = Setting("k", Task("any", 1), network, (Initialiser(),), model.training)
    numbers = {k: jnp.float32(v) for k, v in training.numbers_of(setting).items()}
    columns = [np.array(record[k], np.float32) for k in ("inputs", "targets")]
    data = jnp.concatenate([c.reshape(c.shape[0], -1) for c in columns], axis=1)
    given = [jnp.float32(w) for w in record["initial_weights"]]
    weights = networks.pack(list(zip(given[::2], given[1::2], strict=True)))
    state, size, losses = training.start(model, weights, numbers), record["batch_size"], []
    one = jax.jit(partial(training.step, model))
    starts = list(range(0, len(data), size))
    for i in range(record["steps"]):
        first = starts[i % len(starts)]
        state, loss = one(state, data[first : first + size], numbers)
        losses.append(loss)
    final = [a for layer in networks.unpack(network, state.weights) for a in layer]
    return np.array(losses), final


def deviations(record: dict, losses: np.ndarray, final: list) -> tuple[float, list[float]]:
    """Return the largest relative loss deviation and each array's largest weight deviation."""
    wanted = np.array(record["loss_before_each_step"])
    scale = np.maximum(wanted, 1e-6 * wanted.max())
    differences = [
        float(np.abs(np.asarray(a) - np.array(b)).max())
        for a, b in zip(final, record["final_weights"], strict=True)
    ]
    return float((np.abs(losses - wanted) / scale).max()), differences


def test_thirteen_runs_are_recorded():
    assert len(FILES) == 13


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_trajectory_is_repeated(file):
    record = json.loads(file.read_text())
    loss, weights = deviations(record, *repeat(record, optimiser(record)))
    loose, bound = LOOSE.get(file.stem, (set(), WEIGHTS))
    assert loss <= LOSS
    for i, difference in enumerate(weights):
        assert difference <= (bound if i in loose else WEIGHTS), f"array {i}"


def test_another_epsilon_convention_is_told_apart():
    # Negative control: with epsilon inside the bias correction the comparison must fail somewhere.
    file = next(f for f in FILES if f.stem == "negate_one_leaky_unit")
    record = json.loads(file.read_text())
    loss, _ = deviations(record, *repeat(record, Optimiser("adam", learning_rate=1e-3, eps=1e-4)))
    assert loss > LOSS
