"""Whether the last layer of a network can answer what scaled targets ask of it."""

import math

import jax.numpy as jnp

from jaxlab import networks, scaling, tasks
from jaxlab.spec import SCALINGS, Network, Setting

ROUNDING = 1e-5  # of scaled targets, by which they may lie outside


def of(network: Network) -> tuple[float, float]:
    """Return between which values the outputs of a network lie, the ends among them.

    What a user's own module can answer is not known: all values count as within its reach.
    """
    if network.module:
        return -math.inf, math.inf
    last = network.activations[-1]
    if last == "leaky_relu" and network.slope <= 0:
        return networks.OUTPUT_RANGE["relu"]
    return networks.OUTPUT_RANGE[last]


def is_bounded(network: Network) -> bool:
    """Say whether there are values that no weights make a network answer."""
    return of(network) != (-math.inf, math.inf)


def check(setting: Setting) -> None:
    """Raise ValueError where targets are scaled to values that the output cannot give."""
    asked = setting.task.scaling
    if asked is None or (asked.targets, asked.target_factor) == ("raw", 1.0):
        return
    (low, high), (least, most) = _scaled_ends(setting, asked.targets), of(setting.network)
    if not (low < least - ROUNDING or high > most + ROUNDING):
        return  # so are logarithms of what has none, which tasks.check_fit refuses
    right = "".join(f"{how}, " for how in SCALINGS[1:] if _fits(setting, how))
    raise ValueError(
        f"scaling of targets is {asked.targets!r}, which takes them to {low:.3g} and {high:.3g}, "
        f"but the output activation {setting.network.activations[-1]!r} answers from {least:g} to "
        f"{most:g}; right are {right}a linear output or targets as they are"
    )


def _fits(setting: Setting, how: str) -> bool:
    low, high = _scaled_ends(setting, how)
    least, most = of(setting.network)
    return least - ROUNDING <= low and high <= most + ROUNDING


def _scaled_ends(setting: Setting, how: str) -> tuple[float, float]:
    """Return the least and the greatest target of a member, scaled."""
    targets, asked = tasks.example(setting.task)[1], setting.task.scaling
    factor = jnp.float32(1.0 if asked is None else asked.target_factor)
    units = scaling.fit(targets, jnp.float32(SCALINGS.index(how)), factor)
    scaled = scaling.apply(units, targets)
    return float(scaled.min()), float(scaled.max())
