"""Useful arithmetic of training: what the matrix products of a dense network need, no more.

A kernel entry costs a multiplication and an addition per row in the forward pass, for its own
gradient and, but in the first layer, for the gradient of the layer's inputs:
6 x entries - 2 x entries of the first kernel, per row. Bias gradients, activations, loss, optimiser
and shuffling are left out.
"""

from itertools import pairwise

from jaxlab.spec import Network, Setting

FORMULA = (
    "useful FLOP of a network-step = rows per step * (6 * kernel entries - 2 * entries of the "
    "first kernel); a multiplication and an addition are 2; forward pass, weight gradients and "
    "input gradients only, without bias gradients, activations, loss, optimiser and shuffling"
)


def per_row(network: Network) -> int:
    """Return the useful FLOP of one row's forward and backward pass.

    >>> per_row(Network((1, 2, 1), ("relu", "linear")))
    20
    """
    kernels = [a * b for a, b in pairwise(network.widths)]
    return 6 * sum(kernels) - 2 * kernels[0]


def per_step(setting: Setting) -> float:
    """Return the useful FLOP of one network-step, on average over an epoch's batches."""
    steps = setting.training.steps_per_epoch(setting.task.rows)
    return per_row(setting.network) * setting.task.rows / steps
