"""What jaxlab shares with the program that calls it: JAX's settings, held where bits need them.

JAX takes its settings from the environment, from `jax.config` and from contexts. Those that change
what is drawn or computed, or forbid what jaxlab does inside, are held at JAX's own defaults while
jaxlab works; `tests/test_surroundings.py` tries all that JAX has.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import jax
import jax.numpy as jnp
from jax._src import xla_bridge  # says if a backend runs, without starting one
from jax.core import Tracer

P = ParamSpec("P")
R = TypeVar("R")
# By these JAX computes nothing, or raises errors of its own in what jaxlab is made of.
REFUSED = {
    "jax_error_checking_behavior_nan": "ignore",
    "jax_error_checking_behavior_oob": "ignore",
    "jax_error_checking_behavior_divide": "ignore",
    "jax_disable_jit": False,
    "jax_no_tracing": False,
    "jax_no_execution": False,
}
_forked = False  # while a backend ran, whose threads a child does not have


@contextmanager
def pinned() -> Iterator[None]:
    """Hold JAX's settings, in this thread, as every result was and will be made; a decorator, too.

    The offset of seeds has no context of its own: `keys.root_key` is made without it.
    """
    with ExitStack() as held:
        for context in (
            jax.threefry_partitionable(True),
            jax.default_prng_impl("threefry2x32"),
            jax.default_matmul_precision(None),
            jax.softmax_custom_jvp(False),
            jax.numpy_rank_promotion("allow"),
            jax.numpy_dtype_promotion("standard"),
            jax.transfer_guard("allow"),
        ):
            held.enter_context(context)
        yield


def front_door(entry: Callable[P, R]) -> Callable[P, R]:
    """Return an entry of jaxlab that works whatever its caller has set, with settings `pinned`.

    It raises ValueError where it could not work at all: within a program that JAX is tracing, in a
    child that was forked while JAX ran, under a setting that is `REFUSED`, or where the platform
    that JAX_PLATFORMS names is missing.
    """

    @wraps(entry)
    def entered(*arguments: P.args, **named: P.kwargs) -> R:
        _check_process()
        with pinned():
            _check_untraced(entry.__name__)
            return entry(*arguments, **named)

    return entered


def _check_process() -> None:
    if _forked:
        text = "JAX ran in the process that this one was forked from, and cannot run in both"
        raise ValueError(f'{text}; start processes by multiprocessing.get_context("spawn")')
    now = jax.config.values
    for name, usual in REFUSED.items():
        if now[name] != usual:
            raise ValueError(f"{name} is {now[name]!r}; for jaxlab it must be {usual!r}")
    missing = missing_platform()
    if missing:
        raise ValueError(missing)


def _check_untraced(name: str) -> None:
    if isinstance(jnp.zeros(()), Tracer):
        text = "trains by compiled programs of its own; call it outside jit"
        raise ValueError(f"jaxlab.{name} {text}")


def missing_platform() -> str:
    """Return in a line what is wrong where JAX has not the platform it is told to use, else ""."""
    asked = jax.config.values["jax_platforms"]
    try:
        jax.devices()
    except (RuntimeError, AssertionError):  # the latter for CUDA without a GPU
        if not asked:
            raise
        return f"JAX_PLATFORMS is {asked!r}, which is not to be had here; leave it unset or say cpu"
    return ""


def _remember_fork() -> None:
    global _forked
    _forked = xla_bridge.backends_are_initialized()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_remember_fork)
