"""Exact: how many programs the engine compiles; and what its two ways to train agree on.

Outcomes of long runs are the same by machine code and by XLA's programs, but for members nearer to
a threshold than `MARGIN`; of these there may be 10 in 1000.
"""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
import samples
from samples import LANES

from jaxlab import Initialiser, Network, Optimiser, Setting, block, engine, grouping, run
from sweeps import absolute_value


def counted(monkeypatch, chosen: list[Setting]) -> int:
    """Return how often the training program was traced to run these settings."""
    traces, original = [], block.train_block

    def train_block(*args):
        traces.append(args)
        return original(*args)

    monkeypatch.setattr(block, "train_block", train_block)
    engine._train_program.cache_clear()
    run(samples.sweep(*chosen), 20, lane_width=LANES)
    engine._train_program.cache_clear()
    return len(traces)


def test_settings_that_differ_in_numbers_share_one_compiled_program(monkeypatch):
    base = samples.setting()
    slope = dataclasses.replace(base.network, slope=0.1)
    chosen = [
        base,
        samples.setting("rate", rate=0.5),
        samples.with_epochs(samples.setting("longer"), 15),
        dataclasses.replace(base, name="law", initialisers=(Initialiser("pytorch", 3.0),)),
        dataclasses.replace(base, name="slope", network=slope),
    ]
    assert counted(monkeypatch, chosen) == 1


def test_each_static_shape_is_compiled_once(monkeypatch):
    three = [samples.setting("k=3", 3), samples.setting("k=3 fast", 3, rate=0.5)]
    assert counted(monkeypatch, [samples.setting(), *three]) == 2


@pytest.mark.parametrize("fast", [True, False])
def test_the_whole_sweep_is_traced_once_for_each_static_shape(fast, monkeypatch):
    traced = []

    def train_block(setting, fast, drawn, shared, bank, numbers, schedule):
        traced.append((setting, fast is not None))
        lanes = drawn["weights"].shape[-1]
        result = dict.fromkeys(block.ONE_EACH, jnp.zeros(lanes))
        result |= dict.fromkeys(("errors", "entering"), jnp.zeros((2, lanes)))
        return result | dict.fromkeys(("initial_weights", "final_weights"), drawn["weights"])

    def draw(runner, which, seeds):
        weights = np.zeros((runner.group.skeleton.network.parameters, len(seeds)), np.float32)
        return {"weights": weights, "order": np.zeros((2, len(seeds)), np.uint32)}

    # What is traced, and what it is given, costs nothing: only how often counts.
    monkeypatch.setattr(block, "train_block", train_block)
    monkeypatch.setattr(engine.Runner, "draw", draw)
    engine._train_program.cache_clear()
    groups = grouping.groups(absolute_value.build())
    for group in groups:
        runner = engine.Runner(group, fast=fast)
        for count in (1, group.lanes + 1, runner.size):
            runner(np.zeros(count, int), np.arange(count))
    engine._train_program.cache_clear()
    shapes = {(group.skeleton, fast) for group in groups}
    # Six numbers of ReLU units, two of leaky ones, and a second layer.
    assert len(traced) == len(shapes) == 9
    assert set(traced) == shapes


def both_ways(setting: Setting, members: int) -> list[dict[str, np.ndarray]]:
    (group,) = grouping.groups(samples.sweep(setting), 128)
    which, seeds = np.zeros(members, int), np.arange(members)
    return [engine.Runner(group, fast=fast)(which, seeds) for fast in (True, False)]


MARGIN = 1e-3  # relative distance of an error from a threshold that rounding may carry it over


def test_outcomes_of_long_runs_are_those_of_xlas_programs():
    # 2400 steps. The rate falls, so that training settles: at a constant 0.05 it is tossed about by
    # its batches and magnifies rounding, until 2 in 100 are on the other side of a threshold.
    # Batches of 10, since for a power of two both ways mostly agree to the last bit.
    base = samples.setting(k=3, batch_size=10, epochs=600)
    falling = Optimiser(learning_rate=0.05, schedule="inverse_time", decay=0.02)
    training = dataclasses.replace(base.training, optimiser=falling)
    # No fit of one side by a constant may lie at the margin, as it does at one half.
    task = dataclasses.replace(base.task, margin=0.6)
    fast, plain = both_ways(dataclasses.replace(base, task=task, training=training), 1000)
    assert (fast["final_weights"] != plain["final_weights"]).any(axis=1).mean() > 0.5
    assert len(set(plain["outcome"].tolist())) >= 4
    errors = np.stack([fast["errors"], plain["errors"]])
    thresholds = np.array([task.tolerance, task.margin])
    near = (abs(errors[..., None] / thresholds - 1) < MARGIN).any(axis=(0, 2, 3))
    assert near.sum() <= 10, "of 1000, for which nothing is said"
    for name in ("outcome", "certified"):
        assert np.array_equal(fast[name][~near], plain[name][~near])


def test_what_there_is_no_machine_code_for_is_trained_by_xla():
    base = samples.setting(epochs=2)
    network, initialisers = Network((1, 1), ("gelu",)), base.initialisers[:1]
    changed = dataclasses.replace(base, network=network, initialisers=initialisers)
    fast, plain = both_ways(changed, 20)
    assert all(fast[name].tobytes() == plain[name].tobytes() for name in plain)
    assert not np.array_equal(fast["final_weights"], fast["initial_weights"])
