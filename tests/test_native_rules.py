"""Exact: how each operation is written for members side by side, held against JAX itself.

All bits are compared, but for what a NaN carries and for the sign of a zero that is the larger or
smaller of two. Sums of products are of whole numbers, which no order and no fused product rounds.
"""

import itertools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from jax import lax
from jax.extend.random import threefry_2x32
from vectors import Compiled

from jaxlab.native.lanes import UnsupportedError
from jaxlab.native.rules import RULES

TINY, LARGE = np.finfo(np.float32).tiny, np.finfo(np.float32).max
SPECIAL = [0.0, -0.0, 1.0, -1.0, 1.5, -2.5, 3.0, TINY, -TINY, LARGE, -LARGE, 1e-7, -3e7]
SPECIAL = np.array([*SPECIAL, np.inf, -np.inf, np.nan], np.float32)
RANDOM = np.random.default_rng(0)
INTS = np.array([0, 1, -1, 2, 5, -7, 31, 2**31 - 1, -(2**31)], np.int32)

Arguments = tuple[np.ndarray, ...]


def pairs(values: np.ndarray) -> Arguments:
    """Return all pairs of values, a member each."""
    return tuple(np.array(list(itertools.product(values, values)), values.dtype).T)


def floats(*shape: int, members: int = 40) -> np.ndarray:
    """Return numbers of all sizes whose sums, products and ratios are normal numbers."""
    size = np.exp(RANDOM.uniform(-30, 30, (*shape, members)))
    return (RANDOM.choice([-1, 1], size.shape) * size).astype(np.float32)


def whole(*shape: int) -> np.ndarray:
    return RANDOM.integers(-9, 10, (*shape, 20)).astype(np.float32)


def bits(*shape: int) -> np.ndarray:
    return RANDOM.integers(0, 2, (*shape, 20)).astype(bool)


FLOATS = (np.concatenate([SPECIAL, floats()]),)
BOTH = tuple(np.concatenate([s, floats()]) for s in pairs(SPECIAL))
ALL_BITS = pairs(np.array([False, True]))
WORDS = RANDOM.integers(0, 2**32, (2, 50), np.uint32)
SHIFTS = (WORDS[0], RANDOM.integers(0, 32, 50).astype(np.uint32))  # by 32 and more is undefined
TURNED = (((1,), (0,)), ((), ()))
HASH = (WORDS[:, :20], RANDOM.integers(0, 2**32, (6, 20), np.uint32))

Case = tuple[str, Callable, Arguments]
SAME = [("add", lax.add), ("sub", lax.sub), ("mul", lax.mul), ("max", lax.max), ("min", lax.min)]
SIGNS = [(s, getattr(lax, s)) for s in ("eq", "ne", "lt", "le", "gt", "ge")]
LOGICAL = [("and", lax.bitwise_and), ("or", lax.bitwise_or), ("xor", lax.bitwise_xor)]
CASES: list[Case] = [
    *[(n, f, a) for n, f in SAME + SIGNS for a in (BOTH, pairs(INTS), tuple(WORDS))],
    *[(n, f, a) for n, f in LOGICAL for a in (ALL_BITS, tuple(WORDS), pairs(INTS))],
    *[(n, f, ALL_BITS) for n, f in SIGNS[:2]],
    ("div", lax.div, BOTH),
    ("add_any", jax.grad(lambda x: x * 2 + x * 3), (whole(),)),
    *[("neg", lax.neg, a) for a in (FLOATS, (INTS,))],
    *[("not", lax.bitwise_not, a) for a in (ALL_BITS[:1], (INTS,))],
    ("abs", lax.abs, FLOATS),
    ("floor", lax.floor, FLOATS),
    ("sign", lax.sign, FLOATS),
    ("sqrt", lax.sqrt, FLOATS),
    *[("square", lax.square, a) for a in (FLOATS, (INTS,))],
    *[("integer_pow", lambda x, y=y: lax.integer_pow(x, y), (whole(),)) for y in range(2, 8)],
    ("shift_left", lax.shift_left, SHIFTS),
    ("shift_right_logical", lax.shift_right_logical, SHIFTS),
    ("rem", lax.rem, (WORDS[0], WORDS[1] | 1)),
    ("select_n", jnp.where, (bits(3, 2), floats(3, 2, members=20), floats(3, 2, members=20))),
    *[
        ("convert_element_type", lambda x, k=kind: lax.convert_element_type(x, k), (values,))
        for kind, values in [
            *[(np.float32, v) for v in (INTS, WORDS[0], bits())],
            *[(np.int32, v) for v in (WORDS[0], bits())],
            *[(np.uint32, v) for v in (INTS, bits())],
        ]
    ],
    *[("reduce_sum", lambda x, a=a: jnp.sum(x, a), (whole(3, 2, 4),)) for a in (0, 1, (0, 2))],
    *[("reduce_sum", jnp.sum, (whole(*shape),)) for shape in ((1,), (3, 2, 4))],
    *[("reduce_and", lambda x, a=a: jnp.all(x, a), (bits(3, 2),)) for a in (0, 1, None)],
    *[("reduce_or", lambda x, a=a: jnp.any(x, a), (bits(3, 2),)) for a in (0, 1, None)],
    ("dot_general", jnp.dot, (whole(4), whole(4))),
    ("dot_general", jnp.matmul, (whole(2, 3), whole(3, 4))),
    ("dot_general", lambda a, b: jnp.einsum("ij,kji->k", a, b), (whole(2, 3), whole(4, 3, 2))),
    ("dot_general", lambda a, b: jnp.tensordot(a, b, 0), (whole(2), whole(3))),
    ("dot_general", lambda a, b: lax.dot_general(a, b, TURNED), (whole(2, 3), whole(3, 1, 2))),
    ("broadcast_in_dim", lambda x: jnp.broadcast_to(x, (4, 3)), (floats(3),)),
    ("broadcast_in_dim", lambda x: lax.broadcast_in_dim(x, (2, 3, 4), (0, 2)), (floats(2, 1),)),
    ("reshape", lambda x: x.reshape(3, 4), (floats(2, 6),)),
    ("squeeze", lambda x: lax.squeeze(x, (0, 2)), (floats(1, 3, 1, 1),)),
    ("transpose", lambda x: jnp.transpose(x, (2, 0, 1)), (floats(2, 3, 4),)),
    ("slice", lambda x: lax.slice(x, (1, 0), (4, 5), (2, 3)), (floats(4, 6),)),
    ("slice", lambda x: x[1:3], (floats(4, 2),)),
    *[
        ("pad", lambda x, y, c=config: lax.pad(x, y, c), (floats(2, 3), floats()))
        for config in (((0, 0, 0), (2, 1, 0)), ((1, 0, 2), (0, 3, 1)))
    ],
    ("pad", jax.grad(lambda x: jnp.sum(x[1:2, 2] * 3)), (whole(3, 4),)),
    ("split", lambda x: lax.split(x, (1, 3, 2), axis=1), (floats(2, 6),)),
    ("concatenate", lambda *x: lax.concatenate(x, 1), (floats(2, 1), floats(2, 3))),
    ("stack", lambda *x: jnp.stack(x, axis=1), (floats(2), floats(2))),
    ("unstack", lambda x: jnp.unstack(x, axis=1), (floats(2, 3),)),
    ("rev", lambda x: jnp.flip(x, (0, 2)), (floats(2, 3, 4),)),
    ("copy", jnp.copy, (floats(2, 3),)),
    ("stop_gradient", lax.stop_gradient, (floats(2, 3),)),
    ("threefry2x32", threefry_2x32, HASH),
    ("threefry2x32", lambda k: threefry_2x32(k, np.arange(2, dtype=np.uint32)), HASH[:1]),
]
ELEMENTARY = {"exp", "expm1", "log", "log1p", "tanh", "logistic", "pow", "rsqrt"}


def same(found: np.ndarray, wanted: np.ndarray, *, signed: bool = True) -> bool:
    """Compare all bits, but that every NaN is like every other; without `signed`, 0 is -0.

    Numbers below the smallest normal one are 0, which is what XLA makes of them.
    """
    if found.shape != wanted.shape or found.dtype != wanted.dtype:
        return False
    if found.dtype.kind != "f":
        return np.array_equal(found, wanted)
    found, wanted = (np.where(abs(a) < TINY, np.copysign(0, a), a) for a in (found, wanted))
    alike = np.signbit(found) == np.signbit(wanted) if signed else True
    nan = np.isnan(found) & np.isnan(wanted)
    return bool(np.all(nan | ((found == wanted) & alike)))


def example(argument: np.ndarray) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(argument.shape[:-1], argument.dtype)


@pytest.mark.parametrize(("name", "function", "arguments"), CASES, ids=[c[0] for c in CASES])
def test_an_operation_does_what_it_does_in_jax(name, function, arguments):
    written = Compiled(function, *map(example, arguments))
    assert name in written.names, "the case is about another operation"
    wanted = jax.tree.leaves(jax.vmap(function, -1, -1)(*arguments))
    found = written(*arguments)
    signed = name not in ("max", "min")
    for one, other in zip(found, wanted, strict=True):
        assert same(one, np.asarray(other), signed=signed)


def test_every_rule_has_a_case():
    assert {name for name, *_ in CASES} | ELEMENTARY == set(RULES)


@pytest.mark.parametrize("function", [lax.max, lax.min])
@pytest.mark.parametrize("side", [0, 1])
def test_a_number_beside_a_constant_may_be_nan(function, side):
    # Constants are written more simply; this is the shape of relu.
    both = (lambda x: function(x, 2.0)) if side == 0 else (lambda x: function(2.0, x))
    (values,) = FLOATS
    (found,) = Compiled(both, jnp.float32(0))(values)
    assert np.isnan(values).any()
    assert same(found, np.asarray(jax.vmap(both)(values)))


normal = arrays.arrays(np.float32, 16, elements=st.floats(width=32, allow_subnormal=False))
ARITHMETIC = {name: Compiled(function, 0.0, 0.0) for name, function in SAME}


@pytest.mark.parametrize("name", ARITHMETIC)
@settings(max_examples=40)
@given(a=normal, b=normal)
def test_arithmetic_of_any_numbers_is_that_of_jax(name, a, b):
    with np.errstate(all="ignore"):
        wanted = {
            "add": np.add,
            "sub": np.subtract,
            "mul": np.multiply,
            "max": np.maximum,
            "min": np.minimum,
        }[name](a, b)
    (found,) = ARITHMETIC[name](a, b)
    assert same(found, wanted, signed=name not in ("max", "min"))


def test_every_member_is_written_where_it_was_read():
    # 37 members, so that the last vector is only partly filled.
    given = np.arange(74, dtype=np.float32).reshape(2, 37)
    (found,) = Compiled(lambda x: x[::-1], jnp.zeros(2))(given)
    assert np.array_equal(found, given[::-1])


COUNT, WEIGHTS = jnp.zeros(3, jnp.int32), jnp.ones(3)
REFUSED = {
    "cos": (jnp.cos, WEIGHTS),
    "erf": (lax.erf, WEIGHTS),
    "sort": (jnp.sort, WEIGHTS),
    "while_loop": (lambda x: lax.fori_loop(0, x[0], lambda i, a: a + i, 0), COUNT),
    "float to int": (lambda x: x.astype(jnp.int32), WEIGHTS),
    "float to bool": (lambda x: x.astype(bool), WEIGHTS),
    "half precision": (lambda x: x.astype(jnp.bfloat16), WEIGHTS),
    "negative power": (lambda x: lax.integer_pow(x, -1), WEIGHTS),
    "high power": (lambda x: lax.integer_pow(x, 9), WEIGHTS),
    "batched product": (lambda x: jnp.einsum("ij,ij->i", x, x), jnp.ones((2, 3))),
    "cut by padding": (lambda x: lax.pad(x, 0.0, ((-1, 0, 0),)), WEIGHTS),
    "choice of three": (lambda i: lax.select_n(i, WEIGHTS, WEIGHTS, WEIGHTS), COUNT),
    "division of whole numbers": (lambda x: lax.div(x, x), COUNT),
    "signed remainder": (lambda x: lax.rem(x, x), COUNT),
    "float remainder": (lambda x: lax.rem(x, x), WEIGHTS),
    "size of whole numbers": (lax.abs, COUNT),
    "sign of whole numbers": (lax.sign, COUNT),
    "sum of whole numbers": (jnp.sum, COUNT),
    "product of whole numbers": (lambda x: jnp.dot(x, x), COUNT),
    "power of whole numbers": (lambda x: lax.integer_pow(x, 3), COUNT),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_written_is_refused(name):
    function, argument = REFUSED[name]
    with pytest.raises(UnsupportedError):
        Compiled(function, argument)
