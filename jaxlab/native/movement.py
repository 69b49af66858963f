"""The JAX operations that only move numbers about: on arrays of vectors they write no code."""

from collections.abc import Callable

import numpy as np

from jaxlab.native.lanes import UnsupportedError, Vectors

MOVEMENTS: dict[str, Callable[..., list[Vectors]]] = {}


def _movement(name: str):
    """Enter a function of (params, array, ...) that only moves numbers about."""

    def enter(function: Callable) -> Callable:
        def rule(builder, equation, *operands):
            del builder
            results = function(equation.params, *operands)
            return list(results) if equation.primitive.multiple_results else [results]

        MOVEMENTS[name] = rule
        return function

    return enter


@_movement("broadcast_in_dim")
def _broadcast(params, array):
    shape = [1] * len(params["shape"])
    for axis, size in zip(params["broadcast_dimensions"], array.shape, strict=True):
        shape[axis] = size
    return np.broadcast_to(array.reshape(shape), params["shape"])


@_movement("reshape")
def _reshape(params, array):
    return array.reshape(params["new_sizes"])


@_movement("squeeze")
def _squeeze(params, array):
    return array.reshape(np.delete(array.shape, params["dimensions"]).astype(int))


@_movement("transpose")
def _transpose(params, array):
    return np.transpose(array, params["permutation"])


@_movement("slice")
def _slice(params, array):
    steps = params["strides"] or [1] * array.ndim
    bounds = zip(params["start_indices"], params["limit_indices"], steps, strict=True)
    return array[tuple(slice(*bound) for bound in bounds)]


@_movement("pad")
def _pad(params, array, value):
    config = params["padding_config"]
    if any(low < 0 or high < 0 for low, high, _ in config):
        raise UnsupportedError("a cut by padding")
    spread = [
        size + max(size - 1, 0) * inner
        for size, (_, _, inner) in zip(array.shape, config, strict=True)
    ]
    padded = np.empty(
        [low + size + high for size, (low, high, _) in zip(spread, config, strict=True)], object
    )
    padded[...] = value[()]
    places = zip(spread, config, strict=True)
    padded[tuple(slice(low, low + size, inner + 1) for size, (low, _, inner) in places)] = array
    return padded


@_movement("split")
def _split(params, array):
    return np.split(array, np.cumsum(params["sizes"])[:-1], axis=params["axis"])


@_movement("concatenate")
def _concatenate(params, *arrays):
    return np.concatenate(arrays, axis=params["dimension"])


@_movement("stack")
def _stack(params, *arrays):
    return np.stack(arrays, axis=params["axis"])


@_movement("unstack")
def _unstack(params, array):
    pieces = np.split(array, array.shape[params["axis"]], axis=params["axis"])
    return [piece.reshape(np.delete(array.shape, params["axis"]).astype(int)) for piece in pieces]


@_movement("rev")
def _reverse(params, array):
    return np.flip(array, params["dimensions"])


@_movement("copy")
def _copy(params, array):
    del params
    return array


MOVEMENTS["stop_gradient"] = MOVEMENTS["copy"]
