"""Small trainings that exercise every part a framework must map, and how far it ends from jaxlab's.

Numbers are chosen so that each matters within a few steps: another epsilon, slope, schedule or
limit of the gradient's norm ends elsewhere.
"""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxlab import Network, Optimiser, Setting, Training, tasks
from jaxlab import networks as packing
from jaxlab import training as arithmetic
from jaxlab.checking import crosscheck, frameworks

STEPS = 14
TOLERANCE = 2e-5  # float32, a few steps of two programs
TASK = tasks.absolute_value(10, -2.0, 3.0)


def setting(
    optimiser: Optimiser, activation: str, *, rates: tuple[float, ...] = (), **how
) -> Setting:
    """Return three hidden units in batches of 4, 4 and 2 rows."""
    network = Network((1, 3, 1), (activation, "linear"), how.pop("use_bias", True), slope=0.2)
    train = Training(optimiser, batch_size=4, epochs=5, layer_rates=rates, **how)
    return Setting("case", TASK, network, training=train)


def decaying(name: str, schedule: str, **numbers: float) -> Optimiser:
    """Return an optimiser whose rate changes much within a few steps."""
    return Optimiser(name, 0.05, schedule=schedule, decay=0.2, schedule_steps=9.5, **numbers)


BOTH = {
    "keras_adam": setting(Optimiser("keras_adam", 0.05, eps=0.01), "leaky_relu", loss="huber"),
    "clipped": setting(Optimiser("sgd", 0.3, clip_norm=0.1), "relu"),
    "momentum": setting(Optimiser("momentum", 0.01, momentum=0.8), "tanh", loss="mae"),
    "nesterov": setting(Optimiser("nesterov", 0.01, momentum=0.8), "elu", use_bias=False),
    "inverse_time": setting(decaying("sgd", "inverse_time"), "gelu"),
    "cosine": setting(decaying("keras_adam", "cosine"), "sigmoid"),
    "warm_up": setting(decaying("sgd", "warm_up"), "softplus"),
}
KERAS = BOTH | {"rmsprop": setting(Optimiser("rmsprop", 0.02, eps=0.01), "relu")}
TORCH = BOTH | {
    "adam": setting(Optimiser("adam", 0.05, eps=0.01), "relu"),
    "adamw": setting(Optimiser("adamw", 0.05, weight_decay=0.3), "relu"),
    "layer rates": setting(Optimiser("sgd", 0.05), "relu", rates=(0.5, 2.0)),
    "momentum, warm_up": setting(decaying("momentum", "warm_up", momentum=0.8), "relu"),
}


def altered(given: Setting) -> Setting:
    """Return a setting that differs in one number, by a fifth: its rate, or its schedule's."""
    optimiser = given.training.optimiser
    changed = dataclasses.replace(optimiser, learning_rate=1.2 * optimiser.learning_rate)
    if optimiser.schedule != "constant":
        shifted = {"decay": 1.2 * optimiser.decay, "schedule_steps": 1.2 * optimiser.schedule_steps}
        changed = dataclasses.replace(optimiser, **shifted)
    train = dataclasses.replace(given.training, optimiser=changed)
    return dataclasses.replace(given, training=train)


def difference(framework: str, given: Setting, other: Setting | None = None) -> float:
    """Return how far the framework's weights end from jaxlab's, trained as `other` if given.

    The framework trains another network first, of which nothing may be left.
    """
    random = np.random.default_rng(3)
    weights = random.normal(0, 0.7, given.network.parameters).astype(np.float32)
    rows = np.asarray(crosscheck.block.shared_rows(TASK))
    trainer = frameworks.opened(framework, given)

    def layers(flat):
        pairs = packing.unpack(given.network, jnp.asarray(flat))
        return [(np.array(k), None if b is None else np.array(b)) for k, b in pairs]

    def batches():
        return crosscheck.jaxlab_batches(given, np.array([1, 2], np.uint32))

    for start in (weights[::-1], weights):
        trainer.begin(layers(start), rows, 0)
        fed = batches()
        trainer.train(5, fed)
        trainer.train(STEPS - 5, fed)
    pairs = [(jnp.asarray(k), None if b is None else jnp.asarray(b)) for k, b in trainer.weights()]
    ended = np.asarray(packing.pack(pairs))

    model, numbers = crosscheck._model(other or given)
    state = arithmetic.start(model, jnp.asarray(weights), numbers)
    step, fed = jax.jit(partial(arithmetic.step, model)), batches()
    for _ in range(STEPS):
        state, _ = step(state, jnp.asarray(rows[next(fed)]), numbers)
    answers = arithmetic.predict(model, state.weights, jnp.asarray(rows[:, :1]), numbers)
    apart = np.abs(trainer.outputs() - np.asarray(answers)).max()
    return float(max(apart, np.abs(ended - np.asarray(state.weights)).max()))
