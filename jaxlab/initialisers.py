"""Laws of the initial weights: how one layer's kernel and bias are drawn together.

`draw` makes one network's layer; the engine maps it over members. `kernel_distribution` states the
same law as a scipy distribution, which is all that theory needs to know about it.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from jaxlab.spec import BIAS_LAWS, KERNEL_LAWS, Initialiser, Network, Setting
from jaxlab.theory.laws import PointMass
from jaxlab.validation import unknown

# Standard deviation of a standard normal cut off at two: variance scaling divides by it.
TRUNCATED_SD = float(stats.truncnorm(-2, 2).std())


def _variance(law: str, fan_in: int, fan_out: int) -> float:
    match law.split("_")[0]:
        case "glorot":
            return 2.0 / (fan_in + fan_out)
        case "he":
            return 2.0 / fan_in
        case "lecun":
            return 1.0 / fan_in
    raise unknown("kernel initialiser", law, KERNEL_LAWS)


def _pattern(law: str, fan_in: int, fan_out: int) -> np.ndarray:
    line = np.linspace(-1.0, 1.0, fan_in * fan_out).reshape(fan_in, fan_out)
    return {"linspace": line, "all_positive": np.abs(line), "all_negative": -np.abs(line)}[law]


def _fixed_kernel(initialiser: Initialiser, fan_in: int, fan_out: int) -> np.ndarray | None:
    match initialiser.law:
        case "zeros":
            return np.zeros((fan_in, fan_out))
        case "constant":
            return np.ones((fan_in, fan_out))
        case "linspace" | "all_positive" | "all_negative":
            return _pattern(initialiser.law, fan_in, fan_out)
        case "values":
            return np.asarray(initialiser.values)
    return None


def _uniform(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    # The type is given everywhere: a user's 64-bit default would draw other numbers.
    return jax.random.uniform(key, shape, jnp.float32, -1.0, 1.0)


def _draw_kernel(law: str, key: jax.Array, fan_in: int, fan_out: int) -> jax.Array:
    shape = (fan_in, fan_out)
    if law == "random_normal":
        return jax.random.normal(key, shape, jnp.float32)
    if law == "random_uniform":
        return _uniform(key, shape)
    if law == "pytorch":
        return _uniform(key, shape) / math.sqrt(fan_in)
    if law == "orthogonal":
        return jax.nn.initializers.orthogonal()(key, shape, jnp.float32)
    sd = math.sqrt(_variance(law, fan_in, fan_out))
    if law.endswith("uniform"):
        return _uniform(key, shape) * (sd * math.sqrt(3.0))
    if law.endswith("truncated_normal"):
        return jax.random.truncated_normal(key, -2.0, 2.0, shape, jnp.float32) * (sd / TRUNCATED_SD)
    if law.endswith("normal"):
        return jax.random.normal(key, shape, jnp.float32) * sd
    raise unknown("kernel initialiser", law, KERNEL_LAWS)


def _draw_bias(initialiser: Initialiser, key: jax.Array, fan_in: int, fan_out: int) -> jax.Array:
    law = initialiser.bias
    if law == "default" and initialiser.law == "pytorch":
        return _uniform(key, (fan_out,)) / math.sqrt(fan_in)
    match law:
        case "random_normal":
            return jax.random.normal(key, (fan_out,), jnp.float32)
        case "random_uniform":
            return _uniform(key, (fan_out,))
        case "constant":
            return jnp.ones((fan_out,), jnp.float32)
        case "zeros" | "default":
            return jnp.zeros((fan_out,), jnp.float32)
    raise unknown("bias initialiser", law, BIAS_LAWS)


RAI_SD = 0.6007  # of a weight times the root of its number of inputs


def _draw_rai(key: jax.Array, fan_in: int, fan_out: int) -> tuple[jax.Array, jax.Array]:
    """Draw kernel and bias by randomised asymmetric initialisation.

    Gaussians; but of each unit one weight or its bias, chosen at random, is from Beta(2, 1).
    Source: Lu, Shin, Su and Karniadakis, Commun. Comput. Phys. 28 (2020) 1671.
    """
    gaussian_key, place_key, positive_key = jax.random.split(key, 3)
    values = jax.random.normal(gaussian_key, (fan_in + 1, fan_out), jnp.float32)
    place = jax.random.randint(place_key, (fan_out,), 0, fan_in + 1, jnp.int32)
    positive = jnp.sqrt(jax.random.uniform(positive_key, (fan_out,), jnp.float32))
    chosen = jnp.arange(fan_in + 1)[:, None] == place
    drawn = jnp.where(chosen, positive, values * (RAI_SD / math.sqrt(fan_in)))
    return drawn[:-1], drawn[-1]


def draw(
    initialiser: Initialiser,
    key_pair: tuple[jax.Array, jax.Array],
    shape: tuple[int, int],
    scale: jax.Array | float,
    bias_scale: jax.Array | float,
) -> tuple[jax.Array, jax.Array]:
    """Draw a kernel of `shape` (in, out) with the first key and its bias (out,) with the second.

    The law comes from `initialiser`; its two scales are arguments, so that they can be traced.
    ValueError where explicit values do not have the layer's shape.
    """
    fan_in, fan_out = shape
    kernel_key, bias_key = key_pair
    if initialiser.law == "rai":
        kernel, bias = _draw_rai(kernel_key, fan_in, fan_out)
        return kernel * scale, bias * bias_scale
    fixed = _fixed_kernel(initialiser, fan_in, fan_out)
    if fixed is None:
        kernel = _draw_kernel(initialiser.law, kernel_key, fan_in, fan_out)
    else:
        kernel = jnp.asarray(fixed, jnp.float32)
    bias = _draw_bias(initialiser, bias_key, fan_in, fan_out)
    return kernel * scale, bias * bias_scale


def draw_network(
    network: Network, initialisers: tuple[Initialiser, ...], key: jax.Array, scales: jax.Array
) -> list[tuple[jax.Array, jax.Array | None]]:
    """Draw (kernel, bias) for every layer; `scales` (layers, 2) holds kernel and bias scales."""
    shapes = zip(network.widths, network.widths[1:], strict=False)
    weights = []
    for i, (initialiser, shape) in enumerate(zip(initialisers, shapes, strict=True)):
        pair = jax.random.fold_in(key, 2 * i), jax.random.fold_in(key, 2 * i + 1)
        kernel, bias = draw(initialiser, pair, shape, scales[i, 0], scales[i, 1])
        weights.append((kernel, bias if network.use_bias else None))
    return weights


def kernel_distribution(setting: Setting, layer: int):
    """Return the law of one kernel entry of a layer as a frozen scipy distribution.

    None for laws whose entries are fixed or not independent (values, patterns, orthogonal, rai).
    """
    initialiser = setting.initialisers[layer]
    fan_in, fan_out = setting.network.widths[layer : layer + 2]
    law, scale = initialiser.law, abs(initialiser.scale)
    if (
        scale == 0
        or law in ("orthogonal", "rai")
        or _fixed_kernel(initialiser, fan_in, fan_out) is not None
    ):
        return None
    if law == "random_normal":
        return stats.norm(0.0, scale)
    if law in ("random_uniform", "pytorch"):
        limit = scale / (math.sqrt(fan_in) if law == "pytorch" else 1.0)
        return stats.uniform(-limit, 2 * limit)
    sd = scale * math.sqrt(_variance(law, fan_in, fan_out))
    if law.endswith("uniform"):
        return stats.uniform(-math.sqrt(3.0) * sd, 2 * math.sqrt(3.0) * sd)
    if law.endswith("truncated_normal"):
        return stats.truncnorm(-2.0, 2.0, loc=0.0, scale=sd / TRUNCATED_SD)
    if law.endswith("normal"):
        return stats.norm(0.0, sd)
    raise unknown("kernel initialiser", law, KERNEL_LAWS)


def bias_distribution(setting: Setting, layer: int):
    """Return the law of one bias: a scipy distribution, a `PointMass`, or None for rai."""
    initialiser, fan_in = setting.initialisers[layer], setting.network.widths[layer]
    scale, law = abs(initialiser.bias_scale), initialiser.bias
    if law == "default":
        law = {"pytorch": "random_uniform", "rai": "rai"}.get(initialiser.law, "zeros")
        scale /= math.sqrt(fan_in) if initialiser.law == "pytorch" else 1.0
    if not setting.network.use_bias or scale == 0 or law == "zeros":
        return PointMass(0.0)
    match law:
        case "constant":
            return PointMass(initialiser.bias_scale)
        case "random_normal":
            return stats.norm(0.0, scale)
        case "random_uniform":
            return stats.uniform(-scale, 2 * scale)
        case "rai":
            return None
    raise unknown("bias initialiser", law, BIAS_LAWS)


def kernel_values(setting: Setting, layer: int) -> np.ndarray | None:
    """Return a layer's kernel (in, out) where the law fixes it; None for random laws."""
    fan_in, fan_out = setting.network.widths[layer : layer + 2]
    initialiser = setting.initialisers[layer]
    fixed = _fixed_kernel(initialiser, fan_in, fan_out)
    return None if fixed is None else fixed * initialiser.scale


def bias_limit(setting: Setting, layer: int) -> float:
    """Return a size that no initial bias of a layer exceeds (five deviations for Gaussian ones)."""
    initialiser, fan_in = setting.initialisers[layer], setting.network.widths[layer]
    scale = abs(initialiser.bias_scale) * setting.network.use_bias
    match initialiser.bias:
        case "default" if initialiser.law == "rai":
            return scale * max(1.0, 5 * RAI_SD / math.sqrt(fan_in))
        case "default":
            return scale / math.sqrt(fan_in) if initialiser.law == "pytorch" else 0.0
        case "random_normal":
            return 5 * scale
        case "zeros":
            return 0.0
        case "constant" | "random_uniform":
            return scale
    raise unknown("bias initialiser", initialiser.bias, BIAS_LAWS)
