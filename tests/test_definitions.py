"""Exact: no sweep takes one name for two meanings; a name may still be given another one."""

import copy
import dataclasses

import jax.numpy as jnp
import optax
import pytest
import samples
from flax import nnx

from jaxlab import Setting, Sweep, Task, Training, modules, optimisers, tasks
from jaxlab.spec import sweep_from_json

PLAIN = samples.setting()


def define_task(factor: float) -> Setting:
    def draw(key, rows, numbers):
        x = jnp.ones((rows, 1))
        return x, factor * x

    tasks.define("of two meanings", draw, tasks.whole, random=True)
    return dataclasses.replace(PLAIN, task=Task("of two meanings", 5))


def define_optimiser(eps: float) -> Setting:
    adam = optimisers.define("of two meanings", lambda rate: optax.adam(rate, eps=eps))
    return dataclasses.replace(PLAIN, training=Training(adam))


def define_module(units: int) -> Setting:
    network = modules.define(
        "of two meanings",
        lambda rngs: nnx.Sequential(
            nnx.Linear(1, units, rngs=rngs), nnx.relu, nnx.Linear(units, 1, rngs=rngs)
        ),
    )
    return Setting("own", PLAIN.task, network)


def named(setting: Setting, name: str) -> Setting:
    return dataclasses.replace(setting, name=name)


@pytest.mark.parametrize(
    ("define", "kind"),
    [(define_task, "task"), (define_optimiser, "optimiser"), (define_module, "module")],
)
def test_a_name_has_one_meaning_in_a_sweep(define, kind):
    before, after = define(2), define(3)
    with pytest.raises(ValueError, match=f"settings 'a' and 'b' both name the {kind} '.*two mean"):
        Sweep("mixed", [named(before, "a"), PLAIN, named(after, "b")])
    # Each alone, and several of one meaning, are as they were.
    Sweep("old", [named(before, "a"), named(copy.deepcopy(before), "b")])
    new = Sweep("new", [named(after, "a"), PLAIN, named(after, "b")])
    assert sweep_from_json(new.to_json()) == new
    assert before.digest == dataclasses.replace(before).digest


def test_the_same_meaning_again_is_no_other_one():
    first = optimisers.define("the same again", optax.lion)
    second = optimisers.define("the same again", optax.lion)
    Sweep(
        "same",
        [
            named(PLAIN, "a"),
            *(
                dataclasses.replace(PLAIN, name=name, training=Training(optimiser))
                for name, optimiser in (("b", first), ("c", second))
            ),
        ],
    )
