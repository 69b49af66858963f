"""Exact: nothing that the calling program has set changes a bit of a result without a word."""

import dataclasses
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext

import jax
import jax.numpy as jnp
import jax_settings
import pytest
import samples
from flax import nnx
from jax_settings import PINNED, REFUSED, WITHOUT_EFFECT

from jaxlab import (
    Network,
    Result,
    Setting,
    Sweep,
    engine,
    keys,
    modules,
    provenance,
    replay,
    run,
    surroundings,
    tasks,
)
from jaxlab.native import choice
from jaxlab.store import identity_of


class Soft(nnx.Module):
    """A network whose derivative JAX has in two ways."""

    def __init__(self, rngs: nnx.Rngs):
        self.first, self.last = nnx.Linear(1, 3, rngs=rngs), nnx.Linear(3, 1, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Map x (rows, 1) to (rows, 1)."""
        return self.last(jax.nn.softmax(self.first(x), axis=-1))


@contextmanager
def set_to(name: str, value: object) -> Iterator[None]:
    """Change one of JAX's settings for a while, as the environment or a program does for good."""
    before = jax.config.values[name]
    jax.config.update(name, value)
    try:
        yield
    finally:
        jax.config.update(name, before)


def sweep() -> Sweep:
    """Return a sweep of every path: machine code, rows of a member's own, a module, plain XLA."""
    plain = samples.setting(epochs=4)
    product = tasks.of_integers("product", samples.ROWS, 1, 20)
    own = dataclasses.replace(plain, name="own rows", task=product)
    own = dataclasses.replace(own, network=Network((2, 2, 1), ("relu", "linear")))
    module = Setting("module", plain.task, modules.define("soft", Soft), training=plain.training)
    wide = dataclasses.replace(plain, name="wide", network=Network((1, 200, 1), ("tanh", "linear")))
    return Sweep("surroundings", (plain, own, module, wide))


def trained() -> Result:
    return run(sweep(), 10, lane_width=samples.LANES)


@pytest.fixture(scope="module")
def usual() -> Result:
    return trained()


def forget_programs() -> None:
    """Let all programs be traced and compiled anew."""
    jax.clear_caches()
    for kept in (engine._draw_program, engine._train_program, choice._made):
        kept.cache_clear()


def same(one: Result, other: Result) -> bool:
    return all(samples.equal_bits(one.members[n], other.members[n]) for n in one.members)


# All at once; which of them it would be, each alone tells.
ALONE = [pytest.param([name], id=name, marks=pytest.mark.slow) for name in PINNED]
CHANGED = [pytest.param(list(PINNED), id="all"), *ALONE]


@contextmanager
def otherwise(names: list[str]) -> Iterator[None]:
    """Give settings of JAX their other values."""
    with ExitStack() as held:
        for name in names:
            held.enter_context(set_to(name, PINNED[name]))
        yield


@pytest.mark.parametrize("names", CHANGED)
def test_no_setting_of_jax_changes_a_network_or_an_identity(usual, names):
    lanes = {s.name: samples.LANES for s in usual.sweep.settings}
    identity = identity_of(usual.sweep, lanes)
    with otherwise(names):
        assert same(trained(), usual)
        assert identity_of(sweep(), lanes) == identity


@pytest.mark.parametrize("names", CHANGED)
def test_a_member_is_replayed_whatever_is_set(usual, names):
    with otherwise(names):
        found = replay(usual.sweep, "k=2", 3, lane_width=samples.LANES, moments=3)
    assert found.same
    assert found.weights is not None
    member = usual.members["k=2"]
    assert member.final_weights is not None
    assert found.weights[-1].tobytes() == member.final_weights[3].tobytes()


def test_the_root_key_is_that_of_seed_0_even_where_jax_offsets_seeds():
    with set_to("jax_random_seed_offset", 7):
        offset = jax.random.key_data(jax.random.key(0, impl=keys.IMPLEMENTATION)).tolist()
        found = jax.random.key_data(keys.root_key()).tolist()
    assert offset != found  # without which this would test nothing
    assert found == jax.random.key_data(jax.random.key(0, impl=keys.IMPLEMENTATION)).tolist()
    assert found == [0, 0]


def test_what_compiles_otherwise_and_cannot_be_pinned_is_in_the_fingerprint():
    usual = provenance.fingerprint()
    other = {
        bool: lambda value: not value,
        float: lambda value: value + 0.5,
        str: lambda value: "O1",
    }
    for name, value in provenance.COMPILING.items():
        assert name not in usual
        with set_to(name, other[type(value)](value)):
            assert provenance.differences(usual, provenance.fingerprint()).startswith(name)
    assert provenance.fingerprint() == usual


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_stops_jax_is_refused_in_one_line(name):
    before = jax.config.values[name]
    value, asked = True if before is False else "raise", sweep()
    with set_to(name, value), pytest.raises(ValueError, match=f"^{name} is .*must be {before!r}$"):
        run(asked, 10, lane_width=samples.LANES)


@pytest.mark.skipif(jax.__version__ != jax_settings.VERSION, reason="settings of another JAX")
def test_there_is_an_answer_to_every_setting_of_jax():
    kinds = PINNED, jax_settings.NAMED, REFUSED, WITHOUT_EFFECT, jax_settings.ELSEWHERE
    answered = [name for kind in kinds for name in kind]
    assert sorted(answered) == sorted(jax.config.values)


@pytest.mark.slow
@pytest.mark.parametrize("name", WITHOUT_EFFECT)
def test_a_setting_that_is_left_alone_changes_no_bit(usual, name):
    with set_to(name, WITHOUT_EFFECT[name]):
        forget_programs()
        found = trained()
    forget_programs()
    assert same(found, usual)


@pytest.mark.slow
def test_a_change_would_be_noticed(usual, monkeypatch):
    monkeypatch.setattr(surroundings, "pinned", nullcontext)
    with jax.threefry_partitionable(False):
        forget_programs()
        found = trained()
    forget_programs()
    assert not same(found, usual)


def test_the_context_of_the_caller_is_as_it_was(usual):
    del usual
    with jax.numpy_rank_promotion("raise"):
        trained()
        with pytest.raises(ValueError, match="rank_promotion"):
            _ = jnp.ones((2, 2)) + jnp.ones(2)


def test_within_a_program_being_traced_one_line_says_where_to_call_it():
    line = r"jaxlab\.run trains by compiled programs of its own; call it outside jit"

    def inside(x):
        trained()
        return x

    with pytest.raises(ValueError, match=line):
        jax.jit(inside)(1.0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_forked_while_jax_ran_is_refused_in_one_line(usual):
    del usual
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # JAX's own, of what is tried here
        child = os.fork()
    if not child:
        try:
            trained()
        except ValueError as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as pipe:
        assert 'multiprocessing.get_context("spawn")' in pipe.read()


@pytest.mark.parametrize("platform", ["cuda", "nonsense"])
def test_a_platform_that_is_not_there_ends_a_command_in_one_line(platform):
    if platform == jax.default_backend():
        pytest.skip("it is there")
    line = ["ask", "--target", "abs(x)", "--range", "-1", "1", "--hidden", "2", "--seeds", "5"]
    done = subprocess.run(
        [sys.executable, "-m", "jaxlab", *line],
        env=os.environ | {"JAX_PLATFORMS": platform},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"JAX_PLATFORMS is '{platform}', which is not to be had here; leave it unset or say cpu"
    ]
