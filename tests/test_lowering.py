"""Exact: a whole call of the engine lowers for CPU, GPU and TPU, at the shapes that it uses."""

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest
import samples
from jax.export import DisabledSafetyCheck
from jax.sharding import PartitionSpec

from jaxlab import Network, Setting, Task, engine, grouping, native, shuffling, tasks


def given_line(key, rows, numbers):
    x = jax.random.normal(key, (rows, 2))
    return x, numbers["slope"] * x[:, :1]


@pytest.fixture(params=["shared rows", "rows of their own"])
def setting(request, monkeypatch) -> Setting:
    if request.param == "shared rows":
        return samples.setting()
    monkeypatch.setattr(tasks, "_DEFINITIONS", dict(tasks._DEFINITIONS))
    tasks.define("given_line", given_line, tasks.whole, random=True)
    network = Network((2, 2, 1), ("relu", "linear"))
    return Setting("line", Task("given_line", 20, {"slope": 2.0}), network)


class CalledError(Exception):
    """Raised in place of training; holds what the program was to be called with."""


def program_and_arguments(setting: Setting, *, fast: bool):
    """Return a runner's program and what it hands to it for five members."""
    runner = engine.Runner(grouping.groups(samples.sweep(setting), samples.LANES)[0], fast=fast)
    program = runner._train

    def called(*arguments):
        raise CalledError(arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "_train", called)
        with pytest.raises(CalledError) as caught:
            runner(np.zeros(5, int), np.arange(5))
    return program, caught.value.args[0]


def shapes(arguments) -> list[tuple]:
    return [(jnp.shape(a), jnp.asarray(a).dtype) for a in jax.tree.leaves(arguments)]


def test_the_program_of_xla_lowers_for_every_kind_of_device(setting):
    program, arguments = program_and_arguments(setting, fast=False)
    exported = jax.export.export(program, platforms=["cpu", "cuda", "tpu"])(*arguments)
    assert exported.platforms == ("cpu", "cuda", "tpu")
    assert exported.nr_devices == jax.local_device_count()
    assert [(a.shape, a.dtype) for a in exported.in_avals] == shapes(arguments)
    members = engine.MAX_BLOCKS * samples.LANES * jax.local_device_count()
    assert {a.shape[-1] for a in exported.out_avals} == {members}


def test_the_program_with_machine_code_lowers_for_the_processor_it_is_for(setting):
    program, arguments = program_and_arguments(setting, fast=True)
    with pytest.raises(ValueError, match="custom calls"):  # it is code of this process alone
        jax.export.export(program, platforms=["cpu"])(*arguments)

    orders, own_rows = len(shuffling.bank(setting.task.rows)), setting.name == "line"
    trainer = native.trainer_for(grouping.skeleton(setting), orders, own_rows=own_rows)
    assert trainer is not None
    calls = (trainer.train_call, trainer.silent_call, trainer.outputs_call, trainer.entering_call)
    ours = [DisabledSafetyCheck.custom_call(name) for name in calls]
    exported = jax.export.export(program, platforms=["cpu"], disabled_checks=ours)(*arguments)
    assert trainer.train_call in exported.mlir_module()
    assert [(a.shape, a.dtype) for a in exported.in_avals] == shapes(arguments)


COLLECTIVES = ("all-reduce", "all-gather", "all-to-all", "reduce-scatter")
COLLECTIVES += ("collective-permute", "collective-broadcast")


def collectives(program, *arguments) -> list[str]:
    """Return which operations between devices a compiled program has."""
    text = program.lower(*arguments).compile().as_text()
    return [name for name in COLLECTIVES if name in text]


@pytest.mark.parametrize("fast", [True, False], ids=["machine code", "XLA"])
def test_devices_train_without_a_word_to_each_other(setting, fast):
    assert jax.local_device_count() == 4  # as the tests' set-up asks for
    program, arguments = program_and_arguments(setting, fast=fast)
    assert collectives(program, *arguments) == []


@pytest.mark.parametrize(
    ("exchange", "name"),
    [
        (lambda x: jax.lax.psum(x, "members"), "all-reduce"),
        (lambda x: jax.lax.all_gather(x, "members"), "all-gather"),
        (lambda x: jax.lax.psum_scatter(x, "members", tiled=True), "reduce-scatter"),
        (lambda x: jax.lax.ppermute(x, "members", [(0, 1), (1, 0)]), "collective-permute"),
    ],
)
def test_a_program_whose_devices_exchange_anything_is_noticed(exchange, name):
    one = PartitionSpec("members")
    mapped = jax.shard_map(
        exchange, mesh=samples.mesh(4), in_specs=one, out_specs=one, check_vma=False
    )
    assert name in collectives(jax.jit(mapped), jnp.ones(16))
