"""A loop of Keras fits, as in the forum thread; one fit is measured, since all are alike."""

import os
from importlib.util import find_spec

import numpy as np

from benchmarks.timing import Contestant
from jaxlab import Setting, tasks


def contestant(name: str, setting: Setting) -> Contestant | None:
    """Return one fit; None where Keras is not installed.

    The model is made and compiled once, before anything is timed, to the loop's advantage: a real
    one does that for every seed.
    """
    if find_spec("keras") is None:
        return None
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

    x, y = (np.asarray(a) for a in tasks.example(setting.task)[:2])
    _, *hidden, outputs = setting.network.widths
    layers = [keras.layers.Dense(width, "relu") for width in hidden]
    model = keras.Sequential([keras.Input(x.shape[1:]), *layers, keras.layers.Dense(outputs)])
    training = setting.training
    model.compile(keras.optimizers.Adam(training.optimiser.learning_rate), "mse")

    def run():
        size, epochs = training.batch_size, training.epochs
        model.fit(x, y, size, epochs, verbose=0)  # pyright: ignore[reportArgumentType]

    facts = {"members": 1, "epochs": training.epochs, "backend": keras.backend.backend()}
    return Contestant(name, run, run, setting.steps, facts)
