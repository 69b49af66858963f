"""Rounding: Keras itself (extra `check`), where installed, trains the same weights and rows.

The recorded trajectories tie jaxlab to one Keras version; this ties it to the one at hand.
"""

import os

import jax.numpy as jnp
import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
keras = pytest.importorskip("keras", reason="the extra `check` is not installed")

from jaxlab import networks, tasks, training  # noqa: E402
from jaxlab.spec import Network, Optimiser, Setting, Training  # noqa: E402

# Keras 3.15 converts its variables in a way that numpy 2.4 calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
EPOCHS = 5
TOLERANCE = 1e-4  # float32, 65 steps of two programs


def keras_optimiser(name: str):
    made = {
        "keras_adam": lambda: keras.optimizers.Adam(1e-3),
        "rmsprop": lambda: keras.optimizers.RMSprop(1e-3),
        "momentum": lambda: keras.optimizers.SGD(1e-7, momentum=0.9),
    }
    return made[name]()


def in_keras(name: str, data: np.ndarray, weights: list[np.ndarray]) -> list[np.ndarray]:
    layers = [keras.layers.Input((1,)), keras.layers.Dense(3, "relu"), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.set_weights(weights)
    model.compile(keras_optimiser(name), "mse")
    model.fit(data[:, :1], data[:, 1:], batch_size=32, epochs=EPOCHS, shuffle=False, verbose=0)
    return model.get_weights()


def in_jaxlab(name: str, data: np.ndarray, weights: list[np.ndarray], eps: float):
    rate = 1e-7 if name == "momentum" else 1e-3
    network, optimiser = Network((1, 3, 1), ("relu", "linear")), Optimiser(name, rate, eps=eps)
    model = training.Model(network, Training(optimiser, epochs=EPOCHS))
    setting = Setting("k=3", tasks.absolute_value(), network, training=model.training)
    numbers = {k: jnp.float32(v) for k, v in training.numbers_of(setting).items()}
    given = [jnp.asarray(w) for w in weights]
    packed = networks.pack(list(zip(given[::2], given[1::2], strict=True)))
    start = training.start(model, packed, numbers)
    rows = jnp.asarray(data)
    steps = EPOCHS * model.training.steps_per_epoch(len(data))
    state = training.train(model, start, lambda _: rows, steps, numbers)
    return [np.asarray(a) for layer in networks.unpack(network, state.weights) for a in layer]


def largest_difference(name: str, eps: float = 1e-7) -> float:
    random = np.random.default_rng(5)
    x = random.permutation(np.linspace(-1000, 1000, 400)).astype(np.float32)[:, None]
    data = np.concatenate([x, np.abs(x)], axis=1)
    kernels = [random.uniform(-1, 1, shape).astype(np.float32) for shape in ((1, 3), (3, 1))]
    weights = [kernels[0], np.zeros(3, np.float32), kernels[1], np.zeros(1, np.float32)]
    pairs = zip(in_keras(name, data, weights), in_jaxlab(name, data, weights, eps), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


@pytest.mark.parametrize("name", ["keras_adam", "rmsprop", "momentum"])
def test_keras_trains_the_same_network(name):
    assert largest_difference(name) < TOLERANCE


def test_another_epsilon_is_told_apart():
    assert largest_difference("keras_adam", eps=1e3) > TOLERANCE
