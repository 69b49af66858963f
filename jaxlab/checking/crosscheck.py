"""The same seeds in another framework: whether the same networks come out.

Every member starts from the weights and the rows that jaxlab draws for its seed. The framework
trains it by its own means (see `frameworks`), and what it then answers is judged by jaxlab's rules.
In the order "same" it is also fed jaxlab's batches, so that only rounding differs; in the order
"own" it shuffles itself, and a member may end otherwise by chance.

A member counts as dead as in jaxlab, except that it is the framework which is trained on, with
whatever momentum its optimiser has left: all weights seen on the way must be silent.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from tqdm import tqdm

from jaxlab import (
    block,
    engine,
    grouping,
    networks,
    outcomes,
    records,
    runs,
    scaling,
    shuffling,
    surroundings,
    tasks,
    training,
)
from jaxlab.checking import frameworks
from jaxlab.checking.agreement import Agreement, Ends
from jaxlab.spec import Setting, Sweep

ORDERS = ("same", "own")
LOT = 32  # members whose looks are judged together
ORDER_ENTRIES = 2**22  # row numbers of batch orders that are held at a time


@surroundings.front_door
def check(
    setting: Setting,
    seeds: runs.Seeds,
    framework: str = "keras",
    *,
    order: str = "same",
    paired: bool = False,
    lane_width: int | None = None,
    progress: bool = False,
) -> Agreement:
    """Train the seeds of a setting in jaxlab and in another framework, and compare them.

    `paired` and `lane_width` are those of the sweep that the members belong to. ValueError where
    the framework is not installed or has no such network, before anything is trained. Keras's
    shuffling is seeded by the global generators, which this sets.
    """
    if order not in ORDERS:
        raise ValueError(f"order is {order!r}; it must be one of {', '.join(ORDERS)}")
    chosen = np.sort(grouping.check_seeds(seeds))
    trainer = frameworks.opened(framework, setting)
    sweep = Sweep("check", (setting,), paired=paired)
    found = runs.run(sweep, chosen, lane_width=lane_width).members[setting.name]
    runner = engine.Runner(grouping.groups(sweep, lane_width)[0], paired=paired)
    drawn = runner.draw(np.zeros(len(chosen), int), chosen)
    ours = Ends(found.names, found.loss, found.errors.max(axis=1), found.final_weights)
    shape = "{desc} {percentage:3.0f}% |{bar}| {elapsed}, {remaining} left"
    how = {"desc": framework, "bar_format": shape, "ncols": 79, "file": sys.stderr}
    hidden = None if progress else True  # None: shown on a terminal only
    told = [
        _train(trainer, setting, order, int(seed), {k: v[..., i] for k, v in drawn.items()})
        for i, seed in enumerate(tqdm(chosen, disable=hidden, leave=False, **how))
    ]
    theirs = _judge(setting, drawn, told)
    names = {name: version(name) for name in ("jaxlab", "jax", "numpy")}
    about = names | dict(trainer.versions)
    today = records.now()[:10]
    return Agreement(setting.name, framework, order, chosen, ours, theirs, about, today)


@dataclass(frozen=True)
class _Told:
    """What a framework says of one member: answers at start, half time and end, and weights.

    `looks` (looks, parameters) are the weights seen while its momentum is spent, none where a
    gradient is left.
    """

    begun: np.ndarray
    halfway: np.ndarray
    answered: np.ndarray
    weights: np.ndarray
    looks: np.ndarray


def _train(
    trainer: frameworks.Trainer,
    setting: Setting,
    order: str,
    seed: int,
    drawn: Mapping[str, np.ndarray],
) -> _Told:
    schedule, rows = grouping.Schedule.of(setting), _rows(setting, drawn)
    total, half = schedule.checks[-1], schedule.half
    batches = jaxlab_batches(setting, drawn["order"]) if order == "same" else None
    layers = networks.unpack(setting.network, jnp.asarray(drawn["weights"]))
    arrays = [(np.array(k), None if b is None else np.array(b)) for k, b in layers]
    trainer.begin(arrays, rows, seed)

    def packed() -> np.ndarray:
        pairs = [(jnp.asarray(k), None if b is None else jnp.asarray(b)) for k, b in weights()]
        return np.asarray(networks.pack(pairs))

    weights = trainer.weights
    begun = trainer.outputs()
    if half:
        trainer.train(half, batches)
    halfway = trainer.outputs()
    trainer.train(total - half, batches)
    answered, final = trainer.outputs(), packed()
    looks = []
    if schedule.certifiable and _may_be_silent(setting, rows, final):
        looks = [final]
        for steps in _coasting(schedule.travel):
            trainer.train(steps, batches)
            looks.append(packed())
    return _Told(begun, halfway, answered, final, np.array(looks).reshape(-1, len(final)))


def _coasting(travel: int) -> Iterator[int]:
    """Yield the steps between looks, after travel / 256, ..., travel / 2 and travel steps."""
    ends = [0, *(-(-travel // 2**i) for i in reversed(range(training.LOOKS)))]
    yield from (b - a for a, b in pairwise(ends) if b > a)


def _rows(setting: Setting, drawn: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the rows of one member, or of all if drawn is of all, as a network sees them."""
    return drawn["rows"] if "rows" in drawn else np.asarray(block.shared_rows(setting.task))


def jaxlab_batches(setting: Setting, key: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the positions of the rows of one member's batches, epoch after epoch, for ever.

    `key` (2,) is the data of its key of the stream "order". The last batch of an epoch is smaller
    where the batch size does not divide the rows.
    """
    rows = setting.task.rows
    size, bank = setting.training.batch_size or rows, shuffling.bank(rows)
    some = max(1, min(setting.training.epochs, ORDER_ENTRIES // rows))
    orders = jax.vmap(partial(shuffling.epoch_entries, bank, jnp.asarray(key)))
    first = 0
    while True:
        for epoch in np.asarray(orders(jnp.arange(first, first + some))):
            yield from np.split(epoch, range(size, rows, size))
        first += some


def _model(setting: Setting) -> tuple[training.Model, dict[str, jax.Array]]:
    numbers = {name: jnp.float32(value) for name, value in training.numbers_of(setting).items()}
    return training.Model(setting.network, setting.training), numbers


def _may_be_silent(setting: Setting, rows: np.ndarray, weights: np.ndarray) -> bool:
    model, numbers = _model(setting)
    members = jnp.asarray(weights)[:, None], jnp.asarray(rows)[..., None]
    return bool(training.silent_ways(model, *members, numbers).any())


def _silent(setting: Setting, drawn: Mapping[str, np.ndarray], told: list[_Told]) -> np.ndarray:
    """Say of each member if it is silent at every look; of one without looks that it is not."""
    model, numbers = _model(setting)
    found = np.zeros(len(told), bool)
    looked = [i for i, one in enumerate(told) if len(one.looks)]
    for first in range(0, len(looked), LOT):
        some = looked[first : first + LOT]
        weights = np.concatenate([told[i].looks for i in some]).T
        rows = _rows(setting, {name: values[..., some] for name, values in drawn.items()})
        looks = len(told[some[0]].looks)
        rows = rows[..., None] if rows.ndim == 2 else np.repeat(rows, looks, axis=-1)
        quiet = training.silent(model, jnp.asarray(rows), numbers, jnp.asarray(weights))
        found[some] = np.asarray(quiet).reshape(-1, looks).all(axis=1)
    return found


def _judge(setting: Setting, drawn: Mapping[str, np.ndarray], told: list[_Told]) -> Ends:
    """Judge what the framework answers as `block.train_block` judges jaxlab's own members."""
    inputs = setting.network.widths[0]
    rows = jnp.asarray(_rows(setting, drawn))
    rows = rows if rows.ndim == 3 else rows[..., None]
    units = jnp.asarray(drawn["units"]) if "units" in drawn else None
    original = rows if units is None else scaling.undo(units, rows)
    x, targets = original[:, :inputs], original[:, inputs:]
    meaning, task = tasks.definition(setting.task), setting.task
    regions, masks = block.region_masks(task, x)

    def measured(answers: list[np.ndarray]) -> tuple[jax.Array, outcomes.Errors]:
        outputs = jnp.asarray(np.stack(answers, axis=-1))
        outputs = outputs if units is None else scaling.undo(units[:, inputs:], outputs)
        return outputs, outcomes.errors(outputs, targets, masks, spread=meaning.spread)

    weights = np.array([one.weights for one in told])
    outputs, found = measured([one.answered for one in told])
    start, halfway = (
        measured([getattr(one, when) for one in told])[1].square for when in ("begun", "halfway")
    )
    codes = outcomes.classify(
        outputs,
        outcomes.best_affine(x, targets),
        targets,
        found,
        regions=regions,
        tolerance=task.tolerance,
        margin=task.margin,
        certified=jnp.asarray(_silent(setting, drawn, told)),
        finite=jnp.asarray(np.isfinite(weights).all(axis=1)),
        still_improving=outcomes.improving(start, halfway, found.square),
        inputs_vary=outcomes.vary(x),
    )
    answered = np.stack([one.answered for one in told], axis=-1)
    wrong = jnp.asarray(answered) - rows[:, inputs:]
    loss = training.pointwise_loss(setting.training.loss, wrong).mean(axis=(0, 1))
    names = np.array(outcomes.OUTCOMES)[np.asarray(codes)]
    return Ends(names, np.asarray(loss), np.asarray(found.regions).max(axis=0), weights)
