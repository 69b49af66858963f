"""What became of a network: one class of one list for all tasks, by rules fixed beforehand.

The rules look at what the network does on the task's rows, region by region, and never at which
numbers would be convenient. They are exhaustive and exclusive: the first that applies decides.
"""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

SENTENCES = {
    "solved": "every region is fitted",
    "right_only": "the right side is fitted, the left side is missed",
    "left_only": "the left side is fitted, the right side is missed",
    "partial": "some regions are fitted, the others are missed",
    "constant": "the output does not depend on the input, though gradients still flow",
    "linear": "the output is the best straight line (affine function) and no better",
    "dead": "no gradient reaches any weight before the output's bias, and none ever will",
    "diverged": "weights or outputs are not finite, or errors exceed ten times the target",
    "unfinished": "none of the other names describes it, and its error was still falling",
    "other": "none of the other names describes it, and its error had settled",
}
OUTCOMES = tuple(SENTENCES)
IMPROVING = "beside the outcome: its error was still falling at the end, so that it may yet learn"
# The first of these that applies is the outcome: what a network does before whether it moves.
ORDER = ("diverged", "solved", "dead", "constant", "right_only", "left_only", "partial", "linear")
ORDER += ("unfinished", "other")

DIVERGED_ERROR = 10.0  # a region's error relative to its target; the zero function scores 1
STILL_FALLING = 0.9  # mean squared error now, relative to that after half of the steps
FLATTENING = 0.5  # fall of that error over the second half of training, relative to the first half
VISIBLE = 1e-5  # share of that error which is no rounding of float32
SAME = 1e-8  # share of an input's square that others must leave for it to be another input
FLAT = 0.1  # distance from a constant or a line, relative to the targets' standard deviation


class Errors(NamedTuple):
    """How far outputs are from the targets, on all rows.

    regions (regions, ...): root-mean-square error relative to the size of the region's targets;
    populated (regions, ...): has the region any row; square (...): mean squared error over all
    rows and outputs.
    """

    regions: jax.Array
    populated: jax.Array
    square: jax.Array


def errors(
    outputs: jax.Array, targets: jax.Array, masks: jax.Array, *, spread: bool = False
) -> Errors:
    """Measure outputs and targets (rows, out, ...) over region masks (regions, rows, ...).

    The size of targets is their root mean square in the region; if `spread`, their standard
    deviation on all rows. A region without rows has error 0 and counts for nothing. Targets whose
    size is 0 are measured absolutely.
    """
    square = jnp.mean((outputs - targets) ** 2, axis=1)

    def over(values, masks=masks):
        return jnp.sum(jnp.where(masks, values, 0.0), axis=1) / jnp.maximum(masks.sum(axis=1), 1)

    if spread:
        whole = jnp.ones_like(masks)
        middle = jax.vmap(partial(over, masks=whole), 1, 1)(targets)[:, None]  # (regions, 1, out)
        scale = over(jnp.mean((targets - middle) ** 2, axis=2), whole)
    else:
        scale = over(jnp.mean(targets**2, axis=1))
    relative = jnp.sqrt(over(square) / jnp.where(scale > 0, scale, 1.0))
    return Errors(relative, masks.any(axis=1), jnp.mean(square, axis=0))


def solved(found: Errors, tolerance: float) -> jax.Array:
    """Say of each member (...) if every region's error is at most the tolerance; NaN is not."""
    return jnp.all(found.regions <= tolerance, axis=0)


def improving(start: jax.Array, halfway: jax.Array, end: jax.Array) -> jax.Array:
    """Say of each member (...) if its error was still falling when training ended.

    The arguments are mean squared errors (...) over all rows before training, after half of the
    steps and after all. True where the second half lowered it by more than a tenth; or by at least
    half as much as the first half did, for what does not flatten has not settled: a training of few
    or of tiny steps lowers it by little and yet by the same again. False for what is not finite.
    """
    first, second = start - halfway, halfway - end
    steady = (first >= 0) & (second >= FLATTENING * first) & (second > VISIBLE * halfway)
    return (end < STILL_FALLING * halfway) | (steady & jnp.isfinite(start))


def vary(values: jax.Array) -> jax.Array:
    """Say of each member (...) if not all of its rows of values (rows, columns, ...) are alike."""
    return jnp.any(values != values[:1], axis=(0, 1))


def spread_of(values: jax.Array) -> jax.Array:
    """Return the standard deviation (...) of values (rows, out, ...) about each output's mean."""
    return jnp.sqrt(jnp.mean((values - values.mean(axis=0)) ** 2, axis=(0, 1)))


def best_affine(inputs: jax.Array, targets: jax.Array) -> jax.Array:
    """Return the values (rows, out, ...) of the best affine function of the inputs."""
    x = inputs - inputs.mean(axis=0)
    x = x - x.mean(axis=0)  # far from 0 the first mean is rounded
    scale = jnp.max(jnp.abs(x), axis=0)
    x = x / jnp.where(scale > 0, scale, 1.0)
    before = jnp.sum(x * x, axis=0)

    # Least squares column by column (modified Gram and Schmidt). Not by LAPACK: its calls from
    # several CPU devices at once wait for each other for ever.
    def take_out(i, left):
        x, residual = left
        q, size = x[:, i], before[i]
        length = jnp.sum(q * q, axis=0)
        new = length > SAME * size  # else the input is constant, or made of those before it
        q = jnp.where(new, q / jnp.sqrt(jnp.where(new, length, 1.0)), 0.0)[:, None]
        return tuple(part - q * jnp.sum(q * part, axis=0) for part in (x, residual))

    start = x, targets - targets.mean(axis=0)
    _, residual = jax.lax.fori_loop(0, x.shape[1], take_out, start)
    return targets - residual


def which_constant(output: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Name the constants that networks answer: "mean" of the targets, "zero" or "other".

    `output`, `mean` and `spread` (members,) are the mean output and the targets' mean and standard
    deviation. Near is a tenth of the latter, as it is for being constant at all.
    """
    near_mean = np.abs(output - mean) <= FLAT * spread
    near_zero = np.abs(output) <= FLAT * spread
    return np.select([near_mean, near_zero], ["mean", "zero"], "other")


def classify(
    outputs: jax.Array,
    line: jax.Array,
    targets: jax.Array,
    found: Errors,
    *,
    regions: tuple[str, ...],
    tolerance: float,
    margin: float,
    certified: jax.Array,
    finite: jax.Array,
    still_improving: jax.Array,
    inputs_vary: jax.Array,
) -> jax.Array:
    """Return each member's outcome (...) as a position in `OUTCOMES`.

    `line` holds the values of the best affine function, as `best_affine` returns them; `certified`
    is the death certificate; `finite` says that all weights are finite; `still_improving` is what
    `improving` says. Where all inputs are the same, `inputs_vary` false, every network is constant
    and straight, so that neither name is given.
    """
    fitted = (found.regions <= tolerance) & found.populated
    missed = (found.regions >= margin) & found.populated
    decided = jnp.all(fitted | missed | ~found.populated, axis=0)
    bounded = jnp.all(found.regions <= DIVERGED_ERROR, axis=0)  # false for NaN
    spread = spread_of(targets)
    distance = jnp.sqrt(jnp.mean((outputs - line) ** 2, axis=(0, 1)))
    one_sided = {
        side + "_only": decided & fitted[regions.index(side)] & missed[regions.index(other)]
        for side, other in (("right", "left"), ("left", "right"))
        if set(regions) == {"right", "left"}
    }
    rules: Mapping[str, jax.Array] = {
        "diverged": ~(bounded & finite),
        "solved": solved(found, tolerance),
        "dead": certified,
        "constant": inputs_vary & (spread_of(outputs) <= FLAT * spread),
        **one_sided,
        "partial": decided & jnp.any(fitted, axis=0) & jnp.any(missed, axis=0),
        "linear": inputs_vary & (distance <= FLAT * spread),
        "unfinished": still_improving,
    }
    code = jnp.full(found.square.shape, OUTCOMES.index("other"), jnp.int32)
    for name in reversed(ORDER):
        if name in rules:
            code = jnp.where(rules[name], OUTCOMES.index(name), code)
    return code
