"""Where the engine's time goes on |x|: found by leaving one stage out of the training loop."""

import dataclasses
import statistics
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import cases, engine
from benchmarks.plan import Plan
from benchmarks.timing import Contestant, Measurement, alternate
from jaxlab import Setting, Sweep, grouping, native, shuffling, training
from jaxlab import engine as jaxlab_engine
from jaxlab.native import program, trainer
from jaxlab.native.elementary import LONG
from jaxlab.native.lanes import each
from jaxlab.native.loops import Loops


class WithoutShuffling(Loops):
    """The training loop that fetches WIDTH rows an epoch and then uses them again and again."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        begin, fetch = self.rows.begin, self.rows.fetch

        def begin_and_fetch(places):
            begin(places)
            fetch(LONG(0))

        self.rows.begin, self.rows.fetch = begin_and_fetch, lambda first: None


class WithoutOptimiser(Loops):
    """The training loop that adds the gradients to the weights, the least that uses them."""

    def _update(self, share, numbers):
        del share, numbers
        weights = self.state[0]
        weights.set(each(self.builder.fadd, weights.get(), self.totals.get()))


LOOPS = {
    "training loop": Loops,
    "without shuffling": WithoutShuffling,
    "without optimiser": WithoutOptimiser,
}
UNIT = "% of a run"


def _contestant(name: str, loops: type[Loops], setting: Setting, members: int) -> Contestant:
    (group,) = grouping.groups(Sweep("benchmark", (setting,)))
    runner = jaxlab_engine.Runner(group)
    permutations = len(shuffling.bank(setting.task.rows))
    steps = trainer.traced_steps(group.skeleton, permutations, own_rows=False)
    call = program.compiled(lambda builder, call: loops(builder, steps, call).write())
    usual = native.trainer_for(group.skeleton, permutations, own_rows=False)
    assert usual is not None, "the engine would not train this by machine code either"
    part = dataclasses.replace(usual, train_call=call)
    drawn = runner.draw(np.zeros(members, int), np.arange(members))
    numbers = {k: jnp.full(members, v) for k, v in training.numbers_of(setting).items()}
    model = training.Model(setting.network, setting.training)

    @jax.jit
    def train(drawn, end):
        start = training.start(model, drawn["weights"], numbers)
        return part.advance(drawn, runner.bank, numbers)(start, end).weights

    def run(end: int) -> None:
        jax.block_until_ready(train(drawn, np.int32(end)))

    facts = {"members": members, "devices": 1}
    total = members * setting.steps
    return Contestant(name, partial(run, 1), partial(run, setting.steps), total, facts)


def shares(plan: Plan) -> list[Measurement]:
    """Return each stage's share of a run of the engine, and the loops it is computed from."""
    setting = cases.absolute_value(plan.epochs)
    own = engine.with_one_epoch("engine", setting, plan.members)
    loops = [_contestant(n, loop, setting, plan.members // 4) for n, loop in LOOPS.items()]
    measured = alternate([*own, *loops], plan.repetitions)
    seconds = {name: statistics.median(m.facts["seconds"]) for name, m in measured.items()}
    ends = seconds["engine" + engine.ONE_EPOCH] / seconds["engine"]
    whole = seconds["training loop"]
    shuffling, optimiser = (1 - seconds[f"without {n}"] / whole for n in ("shuffling", "optimiser"))
    found = {
        "shuffling": (1 - ends) * shuffling,
        "arithmetic": (1 - ends) * (1 - shuffling - optimiser),
        "optimiser": (1 - ends) * optimiser,
        "drawing and judging": ends,
    }
    parts = [Measurement(name, UNIT, (100 * share,), {}) for name, share in found.items()]
    return [*parts, *(measured[name] for name in LOOPS)]
