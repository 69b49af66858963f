"""Batches members, compiles, shards and runs them; the only file that does.

Members whose specifications differ in numbers only share a compiled program. A call trains one lane
block per device; short blocks are padded, so that a member's bits never depend on its neighbours.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, PartitionSpec

from jaxlab import initialisers, keys, networks, outcomes, shuffling, tasks, training
from jaxlab.grouping import Group, Schedule, laws
from jaxlab.spec import Initialiser, Setting, Task

MAX_KEPT_PARAMETERS = 64  # larger networks' weights are not returned

Arrays = dict[str, np.ndarray]


def devices_mesh() -> Mesh:
    """Return a mesh of all local devices along the one axis "members"."""
    return jax.make_mesh((jax.local_device_count(),), ("members",), (AxisType.Auto,))


def shared_data(task: Task) -> jax.Array | None:
    """Return the rows (rows, inputs + outputs) that all members share; None for a random task."""
    if tasks.definition(task).random:
        return None
    return jnp.concatenate(tasks.example(task)[:2], axis=1).astype(jnp.float32)


def draw_member(
    setting: Setting,
    law: tuple[Initialiser, ...],
    weights_key: jax.Array,
    data_key: jax.Array,
    scales: jax.Array,
    numbers: Mapping[str, jax.Array],
) -> dict[str, jax.Array]:
    """Draw one member: its packed weights, and its own rows if the task is random."""
    layers = initialisers.draw_network(setting.network, law, weights_key, scales)
    drawn = {"weights": networks.pack(layers)}
    meaning = tasks.definition(setting.task)
    if meaning.random:
        own = jnp.concatenate(meaning.draw(data_key, setting.task.rows, numbers), axis=1)
        drawn["rows"] = own.astype(jnp.float32)
    return drawn


def train_block(
    setting: Setting,
    drawn: Mapping[str, Any],
    shared: jax.Array | None,
    bank: jax.Array,
    numbers: Mapping[str, jax.Array],
    schedule: Mapping[str, jax.Array],
) -> dict[str, jax.Array]:
    """Train and judge one lane block; every array has the member axis last."""
    model = training.Model(setting.network, setting.training, schedule["one"])
    rows = drawn["rows"] if shared is None else shared[..., None]
    inputs, targets = rows[:, : model.inputs], rows[:, model.inputs :]
    regions, masks = _region_masks(setting.task, inputs)
    tolerance = setting.task.tolerance

    def measure(weights):
        outputs = training.predict(model, weights, inputs, numbers)
        return outputs, outcomes.errors(outputs, targets, masks)

    epoch_rows = _epoch_rows(drawn, shared, bank)
    watched, watch = _watch(schedule, measure, tolerance, drawn["weights"].shape[-1])
    state = training.start(model, drawn["weights"], numbers)
    epochs = 0, schedule["epochs"]
    carry = training.train(model, (state, watched), epoch_rows, epochs, numbers, watch)
    state, watched = carry
    final = state.weights
    quiet = training.stays_silent(model, state, rows, numbers, schedule["travel"])
    outputs, found = measure(final)
    certified = quiet & schedule["certifiable"]
    outcome = outcomes.classify(
        outputs,
        inputs,
        targets,
        found,
        regions=regions,
        tolerance=tolerance,
        margin=setting.task.margin,
        certified=certified,
        finite=jnp.isfinite(final).all(axis=0),
        halfway=watched["halfway"],
    )
    loss = training.loss(model, final, rows, numbers)
    result = {
        "outcome": outcome.astype(jnp.int8),
        "loss": loss,
        "errors": found.regions,
        "first_solved": watched["first_solved"],
        "certified": certified,
    }
    if model.network.parameters <= MAX_KEPT_PARAMETERS:
        result |= {"initial_weights": drawn["weights"], "final_weights": final}
    return result


def _watch(schedule: Mapping[str, jax.Array], measure, tolerance: float, lanes: int):
    """Return what is known before the first step, and the function that adds to it after a step.

    Known of a member are the first check at which it was solved, and its error at half time.
    """

    def check(state, watched):
        _, found = measure(state.weights)
        new = (watched["first_solved"] < 0) & outcomes.solved(found, tolerance)
        return {
            "next": watched["next"] + 1,
            "first_solved": jnp.where(new, state.step, watched["first_solved"]),
            "halfway": jnp.where(state.step == schedule["half"], found.square, watched["halfway"]),
        }

    def watch(state, watched):
        due = state.step == schedule["checks"][watched["next"]]
        return jax.lax.cond(due, check, lambda state, watched: watched, state, watched)

    before = {
        "next": jnp.int32(0),
        "first_solved": jnp.full(lanes, -1, jnp.int32),
        "halfway": jnp.full(lanes, jnp.inf, jnp.float32),
    }
    return before, watch


def _region_masks(task: Task, inputs: jax.Array) -> tuple[tuple[str, ...], jax.Array]:
    """Return the regions' names and their masks (regions, rows, ...), in one order."""
    names: list[tuple[str, ...]] = []

    def masks(x):
        found = tasks.definition(task).regions(x)
        names.append(tuple(found))
        return jnp.stack(list(found.values()))

    stacked = jax.vmap(masks, -1, -1)(inputs)
    return names[0], stacked


def _epoch_rows(drawn, shared, bank):
    order_keys = jax.random.wrap_key_data(drawn["order"].T, impl=keys.IMPLEMENTATION)
    order = partial(jax.vmap, in_axes=(None, 0, None), out_axes=-1)(shuffling.epoch_order)
    if shared is not None:
        shuffled = shared[bank]  # the bank holds the rows themselves: one look-up, not two
        return lambda epoch: order(shuffled, order_keys, epoch)

    def own(epoch):
        return jnp.take_along_axis(drawn["rows"], order(bank, order_keys, epoch)[:, None], 0)

    return own


@jax.jit
def _stream_keys(setting_keys: jax.Array, seeds: jax.Array) -> dict[str, jax.Array]:
    # Apart from the drawing programs, so that it is compiled once for all laws.
    members = jax.vmap(keys.member_key)(setting_keys, seeds)
    return {name: jax.vmap(partial(keys.stream, name=name))(members) for name in keys.STREAMS}


@lru_cache(maxsize=64)
def _draw_program(setting: Setting, law: tuple[Initialiser, ...], meaning: tasks.Definition):
    del meaning
    return jax.jit(jax.vmap(partial(draw_member, setting, law), out_axes=-1))


@lru_cache(maxsize=64)
def _train_program(setting: Setting, mesh: Mesh, forward: Any, meaning: tasks.Definition):
    del forward
    whole, member = PartitionSpec(), PartitionSpec("members")
    members = PartitionSpec(None, "members")
    drawn = {"weights": members, "order": members}
    if meaning.random:
        drawn["rows"] = PartitionSpec(None, None, "members")
    one_number = ("outcome", "loss", "first_solved", "certified")
    out = {**dict.fromkeys(one_number, member), "errors": members}
    if setting.network.parameters <= MAX_KEPT_PARAMETERS:
        out |= {"initial_weights": members, "final_weights": members}
    block = jax.shard_map(
        partial(train_block, setting),
        mesh=mesh,
        in_specs=(drawn, whole, whole, member, whole),
        out_specs=out,
        check_vma=False,  # a loop that starts from constants is otherwise refused
    )
    return jax.jit(block)


def _float32(values: list) -> np.ndarray:
    return np.asarray(values, np.float32)


class Runner:
    """A group ready to run: its programs, shared data and permutation bank."""

    def __init__(self, group: Group, *, paired: bool = False):
        self.group, self.mesh = group, devices_mesh()
        self.size = group.lanes * self.mesh.size
        self.keys = jnp.stack([keys.setting_key(s.name, paired=paired) for s in group.settings])
        self.shared = shared_data(group.skeleton.task)
        self.bank = shuffling.bank(group.skeleton.task.rows)
        self.meaning = tasks.definition(group.skeleton.task)
        forward = networks.MLP.__call__
        self._train = _train_program(group.skeleton, self.mesh, forward, self.meaning)

    def draw(self, which: np.ndarray, seeds: np.ndarray) -> Arrays:
        """Draw members (position in group.settings, seed); the member axis is last.

        Members of one law are drawn together, always a whole lane block of them, padded: the number
        of devices must not change the width at which anything is computed.
        """
        of_law: dict[Any, list[int]] = {}
        for i, setting in enumerate(self.group.settings):
            of_law.setdefault(laws(setting), []).append(i)
        drawn: Arrays = {}
        for law, positions in of_law.items():
            (mine,) = np.nonzero(np.isin(which, positions))
            for first in range(0, len(mine), self.group.lanes):
                part = mine[first : first + self.group.lanes]
                for name, values in self._draw_law(law, which[part], seeds[part]).items():
                    empty = np.empty((*values.shape[:-1], len(seeds)), values.dtype)
                    drawn.setdefault(name, empty)[..., part] = values
        return drawn

    def _draw_law(self, law, which: np.ndarray, seeds: np.ndarray) -> Arrays:
        count, pad = len(seeds), (0, self.group.lanes - len(seeds))
        which, seeds = np.pad(which, pad, "edge"), np.pad(seeds, pad, "edge")
        chosen = [self.group.settings[i] for i in which]
        scales = _float32([[(i.scale, i.bias_scale) for i in s.initialisers] for s in chosen])
        names = self.group.skeleton.task.numbers
        numbers = {k: _float32([s.task.numbers[k] for s in chosen]) for k in names}
        streams = _stream_keys(self.keys[which], seeds.astype(np.uint32))
        program = _draw_program(self.group.skeleton, law, self.meaning)
        drawn = program(streams["weights"], streams["data"], scales, numbers)
        drawn["order"] = jax.random.key_data(streams["order"]).T
        return {k: np.asarray(v)[..., :count] for k, v in drawn.items()}

    def __call__(
        self, which: np.ndarray, seeds: np.ndarray, schedule: Schedule | None = None
    ) -> Arrays:
        """Train members, at most `size` of them; arrays returned have the member axis first.

        `schedule` replaces the group's own, which is how the cost of a run is measured beforehand.
        """
        count, pad = len(seeds), (0, self.size - len(seeds))
        which, seeds = np.pad(which, pad, "edge"), np.pad(seeds, pad, "edge")
        chosen = [training.numbers_of(self.group.settings[i]) for i in which]
        numbers = {name: _float32([c[name] for c in chosen]) for name in chosen[0]}
        told = (schedule or self.group.schedule).arguments()
        drawn = self.draw(which, seeds)
        result = self._train(drawn, self.shared, self.bank, numbers, told)
        return {k: np.moveaxis(np.asarray(v), -1, 0)[:count] for k, v in result.items()}


def calls(
    runner: Runner, wanted: Mapping[str, np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cut the wanted seeds of each setting into calls: (position in group.settings, seed)."""
    lists = [wanted.get(s.name, np.empty(0, np.int64)) for s in runner.group.settings]
    which = np.concatenate([np.full(len(seeds), i) for i, seeds in enumerate(lists)])
    seeds = np.concatenate(lists)
    for first in range(0, len(seeds), runner.size):
        yield which[first : first + runner.size], seeds[first : first + runner.size]


def run_group(
    runner: Runner, wanted: Mapping[str, np.ndarray]
) -> Iterator[list[tuple[str, np.ndarray, Arrays]]]:
    """Train the wanted seeds; yield (setting, seeds, results) of each setting after every call."""
    for which, seeds in calls(runner, wanted):
        found = runner(which, seeds)
        parts = []
        for i in np.unique(which):
            mine = which == i
            name = runner.group.settings[i].name
            parts.append((name, seeds[mine], {k: v[mine] for k, v in found.items()}))
        yield parts
