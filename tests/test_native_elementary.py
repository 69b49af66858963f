"""Rounding: elementary functions of members side by side are within 1 ulp of numpy's in float64.

At the edges of their domains they are exact. Results below the smallest normal number may be off by
1 ulp of that number: XLA runs the code in a mode that makes them 0.
"""

from collections.abc import Callable
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax import lax
from vectors import Compiled

INF, NAN = np.inf, np.nan
TINY, LARGE = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
DRAWS = 100_000


def logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


# Name: what is written, the same in float64, where it is defined.
FUNCTIONS: dict[str, tuple[Callable, Callable, tuple[float, float]]] = {
    "exp": (lax.exp, np.exp, (-INF, INF)),
    "expm1": (lax.expm1, np.expm1, (-INF, INF)),
    "log": (lax.log, np.log, (0, INF)),
    "log1p": (lax.log1p, np.log1p, (-1, INF)),
    "tanh": (lax.tanh, np.tanh, (-INF, INF)),
    "logistic": (lax.logistic, logistic, (-INF, INF)),
    # Two roundings: that of the root counts up to once more where the quotient is near 2^n.
    "rsqrt": (lax.rsqrt, lambda x: 1 / np.sqrt(x), (0, INF)),
}
ULPS = dict.fromkeys(FUNCTIONS, 1.0) | {"rsqrt": 1.5}


@cache
def compiled(name: str) -> Compiled:
    return Compiled(FUNCTIONS[name][0], jnp.float32(0))


@cache
def power(kind: type) -> Compiled:
    """Return base^exponent for exponents of a kind; the base, a decay rate, is at least 0."""
    return Compiled(jnp.power, jnp.float32(0), kind(0))


def ulps(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return how far float32 results are from those in float64, in units in the last place."""
    with np.errstate(over="ignore"):
        rounded = wanted.astype(np.float32)
    unit = np.maximum(np.spacing(np.abs(rounded)), np.spacing(np.float32(TINY))).astype(float)
    exact = (found == rounded) | (np.isnan(found) & np.isnan(wanted))  # infinities among them
    with np.errstate(invalid="ignore"):
        return np.where(exact, 0, np.abs(found.astype(float) - wanted) / unit)


def error(name: str, x: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        wanted = FUNCTIONS[name][1](x.astype(float))
    return float(ulps(compiled(name)(x)[0], wanted).max())


def draws(low: float, high: float) -> np.ndarray:
    """Return numbers of every size, with many near 0, 1 and where exponentials overflow."""
    random = np.random.default_rng(1)
    sizes = np.exp(random.uniform(np.log(TINY), np.log(LARGE), DRAWS))
    near = np.exp(random.uniform(np.log(1e-7), np.log(200), DRAWS))
    x = np.concatenate([sizes, -sizes, near, -near, 1 + 1e-3 * random.normal(size=DRAWS)])
    x = x.astype(np.float32)
    return x[(x >= low) & (x <= high) & (abs(x) >= TINY)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_random_numbers(name):
    x = draws(*FUNCTIONS[name][2])
    assert len(x) > DRAWS
    assert error(name, x) <= ULPS[name]


@pytest.mark.parametrize("name", FUNCTIONS)
@given(data=st.data())
def test_any_numbers(name, data):
    low, high = FUNCTIONS[name][2]
    number = st.floats(low, high, width=32, allow_subnormal=False)
    x = np.array(data.draw(st.lists(number, min_size=1, max_size=40)), np.float32)
    assert error(name, x) <= ULPS[name]


EDGES = {
    "exp": [(0, 1), (-0.0, 1), (INF, INF), (-INF, 0), (89, INF), (-200, 0), (LARGE, INF)],
    "expm1": [(0, 0), (-0.0, -0.0), (INF, INF), (-INF, -1), (89, INF), (-LARGE, -1)],
    "log": [(0, -INF), (-0.0, -INF), (1, 0), (INF, INF), (-1, NAN), (-INF, NAN)],
    "log1p": [(0, 0), (-0.0, -0.0), (-1, -INF), (INF, INF), (-2, NAN), (-INF, NAN)],
    "tanh": [(0, 0), (-0.0, -0.0), (INF, 1), (-INF, -1), (LARGE, 1), (-50, -1)],
    "logistic": [(0, 0.5), (-0.0, 0.5), (INF, 1), (-INF, 0), (LARGE, 1), (-LARGE, 0)],
    "rsqrt": [(0, INF), (-0.0, -INF), (1, 1), (4, 0.5), (INF, 0), (-1, NAN), (-INF, NAN)],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_edges_are_exact_and_those_of_jax(name):
    given_, wanted = np.array([*EDGES[name], (NAN, NAN)], np.float32).T
    found = compiled(name)(given_)[0]
    in_jax = np.asarray(jax.vmap(FUNCTIONS[name][0])(given_))
    for values in (found, in_jax):
        np.testing.assert_array_equal(values, wanted)
    numbers = ~np.isnan(wanted)
    assert np.array_equal(np.signbit(found[numbers]), np.signbit(wanted[numbers]))


def power_error(base: np.ndarray, exponent: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        wanted = np.power(base.astype(float), exponent.astype(float))
    return float(ulps(power(exponent.dtype.type)(base, exponent)[0], wanted).max())


def test_powers_of_random_numbers():
    random = np.random.default_rng(2)
    base = draws(TINY, LARGE)
    size = np.exp(random.uniform(np.log(1e-3), np.log(200), len(base)))  # of exponent x log(base)
    exponent = random.choice([-1, 1], len(base)) * size / np.maximum(abs(np.log(base)), 1e-3)
    assert power_error(base, exponent.astype(np.float32)) <= 1


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_powers_of_decay_rates(kind):
    # The bias corrections of Adam: rates below 1, and all steps that a float can count.
    rates = np.array([0, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1 - 2**-24], np.float32)
    steps = np.concatenate([np.arange(0, 2000), np.geomspace(2000, 2**24, 500).astype(int)])
    base, exponent = (a.ravel() for a in np.meshgrid(rates, steps))
    assert power_error(base, exponent.astype(kind)) <= 1


def test_edges_of_powers_are_exact():
    edges = [(0, 0, 1), (0, 2, 0), (0, -1, INF), (1, 1e6, 1), (1, -3, 1), (INF, 2, INF)]
    edges += [(INF, -1, 0), (INF, 0, 1), (NAN, 1, NAN), (NAN, 0, 1), (2, NAN, NAN), (2, 200, INF)]
    base, exponent, wanted = np.array(edges, np.float32).T
    np.testing.assert_array_equal(power(np.float32)(base, exponent)[0], wanted)
    np.testing.assert_array_equal(jax.vmap(jnp.power)(base, exponent), wanted)


def test_a_less_exact_function_is_noticed():
    # The same formula of tanh, but computed in float32 and without its series near 0.
    x = draws(-9, 9)
    plain = Compiled(lambda x: 1 - 2 / (jnp.exp(2 * x) + 1), jnp.float32(0))
    wanted = np.tanh(x.astype(float))
    assert ulps(plain(x)[0], wanted).max() > 10
