"""A checksum of what a user's own module and optimiser do, beside the names a specification has.

It is made of what they do in some examples, so that what differs elsewhere only, such as a rate
that drops after a million steps, is not noticed: give another meaning another name.
"""

import hashlib

import jax
import jax.numpy as jnp
import numpy as np

from jaxlab import keys, modules, optimisers, surroundings, tasks
from jaxlab.spec import Setting

ROWS = 32  # at which a module is looked at
STEPS = 1000  # of an optimiser that are looked at
SIZES = (1e-4, 1.0, 1e4)  # of gradients


@surroundings.pinned()
def checksum(setting: Setting) -> str:
    """Return a checksum that begins with "-", or "" where module and optimiser are jaxlab's own."""
    own = optimisers.definition(setting.training.optimiser)
    if not setting.network.module and own is None:
        return ""
    found = hashlib.sha256()
    if setting.network.module:
        _add_module(found, setting)
    if own is not None:
        _add_optimiser(found, own)
    return "-" + found.hexdigest()[:16]


def _add_module(found, setting: Setting) -> None:
    weights = modules.draw(setting.network, keys.root_key())
    found.update(np.asarray(weights).tobytes())
    inputs = tasks.example(setting.task)[0][:ROWS]
    # As drawn, a last layer of zeros would hide all before it.
    noise = jax.random.normal(keys.root_key(), weights.shape)
    for moved in (weights, weights + noise, 10 * noise):
        found.update(np.asarray(modules.predict(setting.network, moved, inputs)).tobytes())


def _add_optimiser(found, own) -> None:
    transform, count = own(jnp.float32(0.1)), 4
    for size in SIZES:
        weights = jnp.linspace(-2.0, 3.0, count)  # not zero, so that decay is seen

        def step(carry, key, size=size):
            weights, state = carry
            gradient = size * jax.random.normal(key, (count,))
            moves, state = transform.update(gradient, state, weights)
            return (weights + moves, state), moves

        start = weights, transform.init(weights)
        _, moves = jax.lax.scan(step, start, jax.random.split(keys.root_key(), STEPS))
        found.update(np.asarray(moves).tobytes())
