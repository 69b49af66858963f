"""A user's own Flax modules: registered by name, as tasks are, and trained member by member.

A specification names the module; here is what the name means. Members run under plain `jax.vmap`,
slower than networks of jaxlab's own, but are drawn, counted, kept and compared in the same way.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from jaxlab import definitions, surroundings
from jaxlab.spec import Network

Make = Callable[[nnx.Rngs], nnx.Module]


@dataclass(frozen=True)
class Definition:
    """What a module's name means: how one is made, and how its parameters lie one after another."""

    make: Make
    graph: Any = field(hash=False, compare=False)
    tree: Any = field(hash=False, compare=False)
    shapes: tuple[tuple[int, ...], ...]


_DEFINITIONS: dict[str, Definition] = {}


@surroundings.pinned()
def define(name: str, make: Make, inputs: int = 1, outputs: int = 1) -> Network:
    """Register a Flax module and return the network to put into a `Setting`.

    `make(rngs)` returns a new `nnx.Module` whose call maps (rows, inputs) to (rows, outputs) and
    whose only state is float32 parameters: ValueError for others (BatchNorm, Dropout). A name can
    be defined again with a new meaning; no sweep may hold networks from before and after that.
    """
    abstract = nnx.eval_shape(lambda: make(nnx.Rngs(0)))
    graph, parameters, rest = nnx.split(abstract, nnx.Param, ...)
    leaves, tree = jax.tree.flatten(parameters)
    if jax.tree.leaves(rest):
        kinds = ", ".join(sorted({type(v).__name__ for _, v in nnx.to_flat_state(rest)}))
        raise ValueError(
            f"module {name!r} has state of the kind {kinds}; it may have parameters only"
        )
    others = {str(leaf.dtype) for leaf in leaves if leaf.dtype != jnp.float32}
    if others or not leaves:
        found = f"parameters of {', '.join(sorted(others))}" if others else "no parameters"
        raise ValueError(f"module {name!r} has {found}; they must be float32")
    shapes = tuple(leaf.shape for leaf in leaves)
    definitions.register("module", name, Definition(make, graph, tree, shapes), _DEFINITIONS)
    network = Network((inputs, outputs), module=name, size=sum(map(math.prod, shapes)))
    _check_answers(network)
    return network


def _check_answers(network: Network) -> None:
    inputs, outputs = network.widths
    weights = jax.ShapeDtypeStruct((network.size,), jnp.float32)
    rows = jax.ShapeDtypeStruct((7, inputs), jnp.float32)
    found = jax.eval_shape(lambda w, x: predict(network, w, x), weights, rows)
    if (found.shape, found.dtype) != ((7, outputs), jnp.float32):
        told = f"{found.shape} of {found.dtype}"
        raise ValueError(
            f"module {network.module!r} maps (7, {inputs}) to {told}; it must be (7, {outputs}) "
            "of float32"
        )


def definition(network: Network) -> Definition:
    """Return what the network's module means; ValueError where no such one is registered here."""
    found = _DEFINITIONS.get(network.module)
    if found is None:
        known = ", ".join(sorted(_DEFINITIONS)) or "none"
        raise ValueError(
            f"module {network.module!r} is not defined here; jaxlab.modules.define does that "
            f"(defined: {known})"
        )
    size = sum(map(math.prod, found.shapes))
    if size != network.size:
        raise ValueError(
            f"module {network.module!r} has {size} parameters now; the specification's has "
            f"{network.size}"
        )
    return found


def draw(network: Network, key: jax.Array) -> jax.Array:
    """Return the packed parameters (parameters,) of one new module."""
    made = definition(network).make(nnx.Rngs(key))
    return jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(nnx.state(made, nnx.Param))])


def predict(network: Network, weights: jax.Array, inputs: jax.Array) -> jax.Array:
    """Return the outputs (rows, out, ...) of modules with weights packed (parameters, ...)."""
    if weights.ndim > 1:
        # Rows may be shared: their member axis then has one entry, or is not there.
        shared = inputs.ndim == 2 or inputs.shape[2:] != weights.shape[1:]
        rows = inputs if inputs.ndim == 2 else inputs[..., 0] if shared else inputs
        each = jax.vmap(lambda w, x: predict(network, w, x), (-1, None if shared else -1), -1)
        return each(weights, rows)
    meaning = definition(network)
    sizes = [math.prod(shape) for shape in meaning.shapes]
    pieces = jax.lax.split(weights, sizes)
    leaves = [p.reshape(shape) for p, shape in zip(pieces, meaning.shapes, strict=True)]
    return nnx.merge(meaning.graph, jax.tree.unflatten(meaning.tree, leaves))(inputs)
