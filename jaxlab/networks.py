"""The network as a Flax module of jaxlab's own; a user's are in `modules`.

One module serves a single network and many side by side: whatever axes stand after (in, out) of a
kernel and (rows, in) of a batch are members, and a single network has none.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from jaxlab import modules, validation
from jaxlab.spec import ACTIVATIONS, Network

# A layer with at most so many kernel entries is written out unit by unit. That is what a CPU
# vectorises over members; for wider layers a dot product is faster and far quicker to compile.
EXPLICIT_ENTRIES = 64

# Between which values the answers of an activation lie, the ends among them: rounding reaches them.
OUTPUT_RANGE: Mapping[str, tuple[float, float]] = {
    "linear": (-math.inf, math.inf),
    "relu": (0.0, math.inf),
    "leaky_relu": (-math.inf, math.inf),  # of a positive slope
    "tanh": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "elu": (-1.0, math.inf),
    "gelu": (-0.17, math.inf),  # the least value is -0.169971
    "softplus": (0.0, math.inf),
}

Number = jax.Array | float
Weights = Any  # packed, or (kernel, bias) of every layer


def _activate(name: str, x: jax.Array, slope: jax.Array | float) -> jax.Array:
    match name:
        case "linear":
            return x
        case "leaky_relu":
            return jax.nn.leaky_relu(x, slope)
        case "relu" | "tanh" | "sigmoid" | "elu" | "softplus":
            return getattr(jax.nn, name)(x)
        case "gelu":
            return jax.nn.gelu(x, approximate=False)  # the exact one, as in Keras and PyTorch
    raise validation.unknown("activation", name, ACTIVATIONS)


def _unstack(x: jax.Array, axis: int) -> list[jax.Array]:
    # split, not indexing: its derivative is one concatenation instead of padded sums.
    pieces = jax.lax.split(x, [1] * x.shape[axis], axis=axis)
    return [jnp.squeeze(piece, axis) for piece in pieces]


class Dense(nnx.Module):
    """A fully connected layer: activation(x kernel + bias).

    `one` is 1. XLA copies cheap arithmetic into every consumer, which would repeat the forward pass
    for each gradient; it does not copy a division by a number that it is not told, and dividing by
    one changes no bit. A plain number, which the compiler sees, does nothing.
    """

    def __init__(
        self, kernel: jax.Array, bias: jax.Array | None, activation: str, slope: Number, one: Number
    ):
        self.kernel = nnx.Param(kernel)
        self.bias = None if bias is None else nnx.Param(bias)
        self.activation = activation
        self.slope = nnx.Variable(jnp.asarray(slope, kernel.dtype))
        self.one = nnx.Variable(jnp.asarray(one, kernel.dtype))

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map x (rows, in, ...) to (rows, out, ...)."""
        kernel = self.kernel[...]
        if kernel.shape[0] * kernel.shape[1] > EXPLICIT_ENTRIES:
            return self._activate(self._dot(x, kernel))
        units = self._units(x, kernel)
        return jnp.stack([self._activate(unit) / self.one[...] for unit in units], axis=1)

    def _activate(self, z: jax.Array) -> jax.Array:
        return _activate(self.activation, z, self.slope[...])

    def _units(self, x: jax.Array, kernel: jax.Array) -> list[jax.Array]:
        inputs = _unstack(x, 1)
        columns = [_unstack(column, 0) for column in _unstack(kernel, 1)]
        sums = []
        for column in columns:
            terms = [a * w for a, w in zip(inputs, column, strict=True)]
            total = terms[0]
            for term in terms[1:]:
                total = total + term
            sums.append(total)
        if self.bias is not None:
            biases = _unstack(self.bias[...], 0)
            sums = [total + b for total, b in zip(sums, biases, strict=True)]
        return sums

    def _dot(self, x: jax.Array, kernel: jax.Array) -> jax.Array:
        z = jnp.einsum("ri...,io...->ro...", x, kernel, precision="highest")
        return z if self.bias is None else z + self.bias[...]


class MLP(nnx.Module):
    """A multilayer perceptron with given weights: its call is the forward pass everywhere."""

    def __init__(
        self, network: Network, weights: Sequence[tuple], slope: Number, one: Number = 1.0
    ):
        layers = zip(weights, network.activations, strict=True)
        self.layers = nnx.List([Dense(k, b, name, slope, one) for (k, b), name in layers])

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map inputs (rows, in, ...) to outputs (rows, out, ...)."""
        for layer in self.layers:
            x = layer(x)
        return x


def meaning(network: Network) -> Any:
    """Return what makes the forward pass of a network what it is: programs are compiled for it."""
    return modules.definition(network) if network.module else MLP.__call__


def pack(weights: Sequence[tuple]) -> jax.Array:
    """Return all kernels and biases, layer by layer, as one array (parameters, ...)."""
    flat = []
    for kernel, bias in weights:
        flat.append(kernel.reshape(-1, *kernel.shape[2:]))
        if bias is not None:
            flat.append(bias)
    return jnp.concatenate(flat, axis=0)


def unpack(network: Network, flat: jax.Array) -> list[tuple]:
    """Return (kernel, bias) of every layer from (parameters, ...); bias None without biases."""
    shapes, sizes = [], []
    for fan_in, fan_out in zip(network.widths, network.widths[1:], strict=False):
        shapes += [(fan_in, fan_out)] + [(fan_out,)] * network.use_bias
        sizes += [fan_in * fan_out] + [fan_out] * network.use_bias
    pieces = jax.lax.split(flat, sizes, axis=0)
    arrays = [p.reshape(s + flat.shape[1:]) for p, s in zip(pieces, shapes, strict=True)]
    if not network.use_bias:
        return [(kernel, None) for kernel in arrays]
    return list(zip(arrays[::2], arrays[1::2], strict=True))


def predict(
    network: Network, weights: Weights, inputs: jax.Array, slope: Number, one: Number = 1.0
) -> jax.Array:
    """Return the outputs (rows, out, ...) of networks with weights packed (parameters, ...).

    A single network's weights may also be given layer by layer, as `unpack` returns them.
    """
    if network.module:
        return modules.predict(network, weights, inputs)
    if isinstance(weights, jax.Array) and weights.shape[1:] == (1,):
        # A stack of one is taken as single: products of matrices are faster than those of stacks.
        alone = predict(network, weights[:, 0], inputs[..., 0], jnp.ravel(slope)[0], one)
        return alone[..., None]
    layers = unpack(network, weights) if isinstance(weights, jax.Array) else weights
    return MLP(network, layers, slope, one)(inputs)
