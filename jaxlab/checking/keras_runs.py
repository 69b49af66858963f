"""Keras's own `fit`, layers and optimisers; its JAX backend, unless KERAS_BACKEND names another.

One model is compiled and serves all seeds: its weights and its optimiser's state are set anew.
"""

import importlib
import os
from collections.abc import Iterator
from importlib.metadata import version
from itertools import islice
from typing import Any

import numpy as np

from jaxlab.checking.frameworks import Layers, refusal
from jaxlab.spec import ACTIVATIONS, LOSSES, OPTIMISERS, SCHEDULES, Network, Optimiser, Setting
from jaxlab.validation import unknown

os.environ.setdefault("KERAS_BACKEND", "jax")  # read when Keras is imported, not later


class Trainer:
    """See `frameworks.Trainer`.

    Where Keras shuffles itself, an epoch begins anew after half of the steps, where the error is
    looked at; that is in the middle of an epoch only if their number is odd.
    """

    def __init__(self, setting: Setting):
        _check(setting)
        self.keras = keras = importlib.import_module("keras")
        self.versions = {"keras": version("keras"), "keras backend": keras.backend.backend()}
        self.training, self.use_bias = setting.training, setting.network.use_bias
        self.model = _model(keras, setting.network)
        optimizer = _optimizer(keras, setting.training.optimiser)
        self.model.compile(optimizer, _loss(keras, setting.training.loss))
        optimizer.build(self.model.trainable_variables)
        self.state = optimizer.variables
        self.fresh = [np.array(keras.ops.convert_to_numpy(value)) for value in self.state]

    def begin(self, layers: Layers, rows: np.ndarray, seed: int) -> None:
        """See `frameworks.Trainer`; the seed sets NumPy's and Python's global generators too."""
        self.keras.utils.set_random_seed(seed)
        self.model.set_weights([part for layer in layers for part in layer if part is not None])
        for variable, value in zip(self.state, self.fresh, strict=True):
            variable.assign(value)
        inputs = self.model.input_shape[1]
        self.x, self.y = rows[:, :inputs], rows[:, inputs:]

    def train(self, steps: int, batches: Iterator[np.ndarray] | None) -> None:
        """See `frameworks.Trainer`."""
        if batches is not None:
            pairs = ((self.x[some], self.y[some]) for some in islice(batches, steps))
            self._fit(pairs, steps_per_epoch=steps, shuffle=False)
            return
        size = self.training.batch_size or len(self.x)
        epochs, rest = divmod(steps, -(-len(self.x) // size))
        if epochs:
            self._fit(self.x, self.y, batch_size=size, epochs=epochs)
        if rest:
            self._fit(self.x, self.y, batch_size=size, steps_per_epoch=rest)

    def _fit(self, *data: Any, **how: Any) -> None:
        self.model.fit(*data, verbose=0, **how)  # pyright: ignore[reportArgumentType]

    def weights(self) -> Layers:
        """See `frameworks.Trainer`."""
        arrays = [np.array(array) for array in self.model.get_weights()]
        if not self.use_bias:
            return [(kernel, None) for kernel in arrays]
        return list(zip(arrays[::2], arrays[1::2], strict=True))

    def outputs(self) -> np.ndarray:
        """See `frameworks.Trainer`."""
        return np.array(self.model.predict(self.x, batch_size=len(self.x), verbose=0))  # pyright: ignore


def _check(setting: Setting) -> None:
    """Raise ValueError where Keras has no such training."""
    optimiser, plain = setting.training.optimiser, setting.training.optimiser.schedule == "constant"
    if optimiser.name in ("adam", "adamw"):
        what = f"{optimiser.name} has epsilon inside the bias correction, that of Keras outside"
        raise refusal("keras", setting, f"{what} (keras_adam)")
    if optimiser.name in ("momentum", "nesterov") and not plain:
        what = "its momentum holds steps, not gradients, so that a schedule acts later"
        raise refusal("keras", setting, what)
    if setting.training.layer_rates:
        raise refusal("keras", setting, "its optimisers have no layer rates")


def _model(keras: Any, network: Network) -> Any:
    inputs, *widths = network.widths
    pairs = zip(widths, network.activations, strict=True)
    layers = [
        keras.layers.Dense(width, _activation(keras, name, network.slope), network.use_bias)
        for width, name in pairs
    ]
    return keras.Sequential([keras.Input((inputs,)), *layers])


def _activation(keras: Any, name: str, slope: float) -> Any:
    if name == "leaky_relu":
        return keras.layers.LeakyReLU(negative_slope=slope)
    if name not in ("linear", "relu", "tanh", "sigmoid", "elu", "gelu", "softplus"):
        raise unknown("activation", name, ACTIVATIONS)
    return name


def _loss(keras: Any, name: str) -> Any:
    if name == "huber":
        return keras.losses.Huber()
    if name not in ("mse", "mae"):
        raise unknown("loss", name, LOSSES)
    return name


def _optimizer(keras: Any, optimiser: Optimiser) -> Any:
    rate, clip = _rate(keras, optimiser), {"global_clipnorm": optimiser.clip_norm or None}
    match optimiser.name:
        case "keras_adam":
            betas = {"beta_1": optimiser.b1, "beta_2": optimiser.b2}
            return keras.optimizers.Adam(rate, **betas, epsilon=optimiser.eps, **clip)
        case "rmsprop":
            own = {"rho": optimiser.rho, "epsilon": optimiser.eps}
            return keras.optimizers.RMSprop(rate, **own, **clip)
        case "momentum" | "nesterov":
            nesterov = optimiser.name == "nesterov"
            return keras.optimizers.SGD(rate, optimiser.momentum, nesterov, **clip)
        case "sgd":
            return keras.optimizers.SGD(rate, **clip)
    raise unknown("optimiser", optimiser.name, OPTIMISERS)


def _rate(keras: Any, optimiser: Optimiser) -> Any:
    """Return the rate or the schedule, which counts steps from 0 as jaxlab's do."""
    schedules, rate = keras.optimizers.schedules, optimiser.learning_rate
    steps = optimiser.schedule_steps
    match optimiser.schedule:
        case "constant":
            return rate
        case "inverse_time":
            return schedules.InverseTimeDecay(rate, 1, optimiser.decay)
        case "cosine":
            return schedules.CosineDecay(rate, steps)
        case "warm_up" if steps > 1:
            return schedules.PolynomialDecay(rate / steps, steps - 1, rate, power=1.0)
        case "warm_up":
            return rate
    raise unknown("schedule", optimiser.schedule, SCHEDULES)
