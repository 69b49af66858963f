"""What is trained: the |x| program of the sweeps, and ReLU networks of other shapes."""

import dataclasses

import jax
import jax.numpy as jnp

from jaxlab import Network, Setting, Task, Training, tasks
from sweeps.absolute_value import keras_default


def _product(key, rows, numbers):
    del key, numbers
    inputs = jax.random.uniform(jax.random.key(0), (rows, 2), minval=-1.0)
    return inputs, jnp.prod(inputs, axis=1, keepdims=True)


tasks.define("benchmark_product", _product, tasks.whole, random=False)


def absolute_value(epochs: int, batch_size: int = 32) -> Setting:
    """Return the sweep's |x| with two ReLU units, trained for so many epochs."""
    training = Training(epochs=epochs, batch_size=batch_size)
    return dataclasses.replace(keras_default(2), training=training)


def relu_network(widths: tuple[int, ...], epochs: int, batch_size: int = 32) -> Setting:
    """Return |x| for one input, or the product for two, learnt from 400 rows by a ReLU network."""
    task = tasks.absolute_value() if widths[0] == 1 else Task("benchmark_product", rows=400)
    network = Network(widths, ("relu",) * (len(widths) - 2) + ("linear",))
    training = Training(epochs=epochs, batch_size=batch_size)
    return Setting("-".join(map(str, widths)), task, network, training=training)
