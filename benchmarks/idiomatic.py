"""What a good user of JAX and Flax writes: one jit of a vmap over seeds of a whole training.

Nothing of jaxlab is in it but the task's rows, and nothing of it is used by jaxlab.
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax.sharding import AxisType, PartitionSpec

from benchmarks.timing import Contestant
from jaxlab import Setting, tasks


class MLP(nnx.Module):
    """A multilayer perceptron with ReLU between its layers."""

    def __init__(self, widths: tuple[int, ...], rngs: nnx.Rngs):
        kernels = nnx.initializers.glorot_uniform()
        sizes = pairwise(widths)
        self.layers = nnx.List([nnx.Linear(a, b, kernel_init=kernels, rngs=rngs) for a, b in sizes])

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map inputs (rows, in) to outputs (rows, out)."""
        for layer in list(self.layers)[:-1]:
            x = nnx.relu(layer(x))
        return self.layers[-1](x)


def fit(setting: Setting, x: jax.Array, y: jax.Array, key: jax.Array) -> tuple[Any, jax.Array]:
    """Train one network; return its parameters and the loss before every step (epochs, steps)."""
    size, whole = setting.training.batch_size, len(x) // setting.training.batch_size
    optimiser = optax.adam(setting.training.optimiser.learning_rate)
    init_key, order_key = jax.random.split(key)
    graph, params = nnx.split(MLP(setting.network.widths, nnx.Rngs(init_key)))

    def loss(params, x, y):
        return jnp.mean((nnx.merge(graph, params)(x) - y) ** 2)

    def step(carry, batch):
        params, state = carry
        value, gradient = jax.value_and_grad(loss)(params, *batch)
        updates, state = optimiser.update(gradient, state, params)
        return (optax.apply_updates(params, updates), state), value

    def epoch(carry, key):
        order = jax.random.permutation(key, len(x))
        batches = (a[order[: whole * size]].reshape(whole, size, -1) for a in (x, y))
        carry, losses = jax.lax.scan(step, carry, tuple(batches))
        if len(x) % size:
            rest = order[whole * size :]
            carry, last = step(carry, (x[rest], y[rest]))
            losses = jnp.append(losses, last)
        return carry, losses

    keys = jax.random.split(order_key, setting.training.epochs)
    (params, _), losses = jax.lax.scan(epoch, (params, optimiser.init(params)), keys)
    return params, losses


def program(setting: Setting, devices: int) -> Callable[[jax.Array], tuple[Any, jax.Array]]:
    """Return the compiled program from keys (members,) to parameters and each last epoch's loss."""
    x, y, _ = tasks.example(setting.task)

    def one(key):
        params, losses = fit(setting, x, y, key)
        return params, jnp.mean(losses[-1])

    many = jax.vmap(one)
    if devices > 1:
        mesh = jax.make_mesh((devices,), ("members",), (AxisType.Auto,))
        members = PartitionSpec("members")
        sharded = partial(jax.shard_map, mesh=mesh, in_specs=members, out_specs=members)
        many = sharded(many, check_vma=False)
    return jax.jit(many)


def divisible(members: int, devices: int) -> int:
    """Return the nearest number that the devices can share equally, one each at least."""
    return max(1, round(members / devices)) * devices


def contestant(name: str, setting: Setting, members: int, devices: int) -> Contestant:
    """Return the training of so many members, on one device or sharded equally over several."""
    keys = jax.random.split(jax.random.key(0), members)
    train = program(setting, devices)
    facts = {"members": members, "epochs": setting.training.epochs, "devices": devices}

    def run():
        return jax.device_get(train(keys))

    return Contestant(name, run, run, members * setting.steps, facts)
