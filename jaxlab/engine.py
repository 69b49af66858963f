"""Batches members, compiles, shards and runs them; the only file that does.

Members whose specifications differ in numbers only share a compiled program. A call trains some
lane blocks on every device, one after the other; short blocks are padded, so that a member's bits
never depend on its neighbours. Several processes make the same calls in the same order: each draws
all members of a call, trains those of its own devices, and returns the results of all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxlab import (
    block,
    distributed,
    grouping,
    keys,
    native,
    networks,
    recording,
    shuffling,
    surroundings,
    tasks,
    training,
    waiting,
)
from jaxlab.grouping import MAX_LANES, Columns, Group, Schedule, columns, laws
from jaxlab.spec import Initialiser, Setting

MAX_BLOCKS = 8  # lane blocks of a device in one call
OWN_ENTRIES = 2**25  # numbers in the members' own rows on a device in one call: 128 MiB
CALL_WORK = 3e11  # floating-point operations of a device in one call: a second or two

Arrays = dict[str, np.ndarray]


def devices_mesh() -> Mesh:
    """Return a mesh of all devices, process by process, along the one axis "members"."""
    devices = sorted(jax.devices(), key=lambda device: (device.process_index, device.id))
    return Mesh(devices, ("members",), axis_types=(AxisType.Auto,))


@jax.jit
def _stream_keys(setting_keys: jax.Array, seeds: jax.Array) -> dict[str, jax.Array]:
    # Apart from the drawing programs, so that it is compiled once for all laws.
    members = jax.vmap(keys.member_key)(setting_keys, seeds)
    return {name: jax.vmap(partial(keys.stream, name=name))(members) for name in keys.STREAMS}


@lru_cache(maxsize=64)
def _draw_program(setting: Setting, law: tuple[Initialiser, ...], meaning: grouping.Meaning):
    del meaning
    return jax.jit(jax.vmap(partial(block.draw_member, setting, law), out_axes=-1))


def _draw_block(
    skeleton: Setting,
    law: tuple[Initialiser, ...],
    setting_keys: jax.Array,
    seeds: np.ndarray,
    chosen: Columns,
    meaning: grouping.Meaning,
    double: bool = False,
) -> dict[str, Any]:
    """Draw a lane block of members of one law, each with its setting's key and its numbers."""
    numbers = {name: chosen[f"task {name}"] for name in skeleton.task.numbers}
    streams = _stream_keys(setting_keys, seeds.astype(np.uint32))
    program = _draw_program(skeleton, law, meaning)
    pair = streams["weights"], streams["data"]
    with jax.enable_x64(double):
        drawn = program(*pair, chosen["scales"], numbers, chosen["scaling"])
    return drawn | {"order": jax.random.key_data(streams["order"]).T}


def _train_blocks(train: Callable, lanes: int, drawn, shared, bank, numbers, schedule, count):
    """Train the first `count` lane blocks (may be traced) of one device."""

    def own(i):
        part = partial(jax.lax.dynamic_slice_in_dim, start_index=i * lanes, slice_size=lanes)
        return jax.tree.map(lambda a: part(a, axis=a.ndim - 1), (drawn, numbers))

    def one(i):
        mine, its_numbers = own(i)
        return train(mine, shared, bank, its_numbers, schedule)

    def body(i, found):
        def put(all_, new):
            return jax.lax.dynamic_update_slice_in_dim(all_, new, i * lanes, all_.ndim - 1)

        return jax.tree.map(put, found, one(i))

    members = drawn["weights"].shape[-1]
    kinds = jax.eval_shape(one, 0)
    empty = jax.tree.map(lambda k: jnp.zeros((*k.shape[:-1], members), k.dtype), kinds)
    return jax.lax.fori_loop(0, count, body, empty)


@lru_cache(maxsize=64)
def _train_program(
    setting: Setting,
    lanes: int,
    mesh: Mesh,
    fast: native.Trainer | None,
    meaning: grouping.Meaning,
) -> Any:
    del meaning
    whole, member = PartitionSpec(), PartitionSpec("members")
    members = PartitionSpec(None, "members")
    drawn = {"weights": members, "order": members}
    tables = PartitionSpec(None, None, "members")
    if tasks.own_rows(setting.task):
        drawn |= {"rows": tables, "units": tables}
    out = dict.fromkeys(block.ONE_EACH, member) | {"errors": members, "entering": members}
    if setting.network.parameters <= block.MAX_KEPT_PARAMETERS:
        out |= {"initial_weights": members, "final_weights": members}
    else:
        out |= {"seen": tables}
    train = jax.jit(partial(block.train_block, setting, fast))  # traced once, used twice
    takes = drawn, whole, whole, member, whole, whole
    blocks = jax.shard_map(
        partial(_train_blocks, train, lanes),
        mesh=mesh,
        in_specs=takes,
        out_specs=out,
        check_vma=False,  # a loop that starts from constants is otherwise refused
    )
    program = jax.jit(blocks)
    return partial(_run_shared, program, mesh, takes) if mesh.is_multi_process else program


def _run_shared(program: Callable, mesh: Mesh, takes: tuple, *given: Any) -> Arrays:
    """Run a program of several processes on what each of them holds; return all that all found."""

    def placed(spec, arrays):
        def one(array):
            whole, sharding = np.asarray(array), NamedSharding(mesh, spec)
            return jax.make_array_from_callback(whole.shape, sharding, lambda part: whole[part])

        return jax.tree.map(one, arrays)

    def own(array):
        shards = sorted(array.addressable_shards, key=lambda shard: shard.index[-1].start)
        return np.concatenate([shard.data for shard in shards], axis=-1)

    found = program(*jax.tree.map(placed, takes, given))
    parts = distributed.gather({name: own(array) for name, array in found.items()})
    return {name: np.concatenate([part[name] for part in parts], axis=-1) for name in parts[0]}


def _room(group: Group) -> int:
    """Return for how many lane blocks of a device a call has room: fewer where rows are own."""
    task, widths = group.skeleton.task, group.skeleton.network.widths
    entries = task.rows * (widths[0] + widths[-1]) * group.lanes
    return max(1, min(MAX_BLOCKS, OWN_ENTRIES // entries)) if tasks.own_rows(task) else MAX_BLOCKS


def _blocks(group: Group) -> int:
    """Return how many lane blocks a device trains in one call: enough to keep it busy a second."""
    setting = group.skeleton
    epochs = group.schedule.checks[-1] / setting.training.steps_per_epoch(setting.task.rows)
    work = 6 * setting.network.parameters * setting.task.rows * epochs * group.lanes
    return max(1, min(_room(group), int(CALL_WORK / work)))


class Runner:
    """A group ready to run: its programs, shared rows and permutation bank.

    Members are told by a position, in group.settings, and a seed. With `cells`, which are many
    columns of numbers for the group's only setting, the position is that in them. `fast` False
    trains by XLA's programs also where machine code of jaxlab's own would serve. With `double`
    the same numbers are drawn, then scaled, trained and judged in 64 bits, by XLA's programs. Which
    it is, is its `path`.
    """

    @surroundings.pinned()
    def __init__(
        self,
        group: Group,
        *,
        paired: bool = False,
        fast: bool = True,
        cells: Columns | None = None,
        double: bool = False,
    ):
        self.group, self.mesh = group, devices_mesh()
        self.size, self.room = group.lanes * self.mesh.size * _blocks(group), _room(group)
        self.columns = columns(group.settings) if cells is None else cells
        self.settings = np.arange(len(self.columns["scales"])) % len(group.settings)
        self.keys = jnp.stack([keys.setting_key(s.name, paired=paired) for s in group.settings])
        self.double, self.dtype = double, np.float64 if double else np.float32
        task = group.skeleton.task
        with jax.enable_x64(double):
            self.shared = block.shared_rows(task, self.dtype)
        self.meaning = grouping.meaning(group.skeleton)
        own_rows = self.shared is None
        orders = shuffling.bank(task.rows)
        trainer, self.path = None, native.XLA
        if fast and not double and self.mesh.devices.flat[0].platform == "cpu":
            trainer = native.trainer_for(group.skeleton, len(orders), own_rows=own_rows)
            self.path = native.path_of(group.skeleton, len(orders), own_rows=own_rows)
        self.fast = trainer
        self.use_bank(orders)
        static = group.skeleton, group.lanes, self.mesh, trainer
        self._train = _train_program(*static, self.meaning)

    @surroundings.pinned()
    def use_bank(self, orders: jax.Array) -> None:
        """Take batch orders from another bank of as many permutations (see `shuffling.bank`)."""
        with jax.enable_x64(self.double):
            bank = orders if self.shared is None else self.shared[orders]
        self.bank = bank if self.fast is None else native.laid_out(bank)

    @surroundings.pinned()
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
            (mine,) = np.nonzero(np.isin(self.settings[which], positions))
            for first in range(0, len(mine), self.group.lanes):
                part = mine[first : first + self.group.lanes]
                for name, values in self._draw_law(law, which[part], seeds[part]).items():
                    empty = np.empty((*values.shape[:-1], len(seeds)), values.dtype)
                    drawn.setdefault(name, empty)[..., part] = values
        return drawn

    def _draw_law(self, law, which: np.ndarray, seeds: np.ndarray) -> Arrays:
        count, pad = len(seeds), (0, self.group.lanes - len(seeds))
        which, seeds = np.pad(which, pad, "edge"), np.pad(seeds, pad, "edge")
        chosen = {name: self._rounded(values[which]) for name, values in self.columns.items()}
        given = self.keys[self.settings[which]], seeds, chosen, self.meaning
        drawn = _draw_block(self.group.skeleton, law, *given, self.double)
        return {k: np.asarray(v)[..., :count] for k, v in drawn.items()}

    def _rounded(self, array: np.ndarray) -> np.ndarray:
        return array.astype(self.dtype) if np.issubdtype(array.dtype, np.floating) else array

    def _places(self, count: int) -> tuple[int, np.ndarray]:
        """Return how many blocks each device trains, and where in a call each member stands.

        A call has room for `room` blocks on every device and uses the first of them.
        """
        lanes = self.group.lanes
        blocks = -(-count // (lanes * self.mesh.size))
        device, place = np.divmod(np.arange(count), blocks * lanes)
        return blocks, device * (self.room * lanes) + place

    @surroundings.pinned()
    def __call__(
        self,
        which: np.ndarray,
        seeds: np.ndarray,
        schedule: Schedule | None = None,
        weights: np.ndarray | None = None,
    ) -> Arrays:
        """Train members, at most `size` of them; arrays returned have the member axis first.

        `schedule` replaces the group's own, which is how the cost of a run is measured beforehand;
        `weights` (parameters, members) replaces those that are drawn.
        """
        blocks, places = self._places(len(seeds))
        source = np.zeros(self.room * self.group.lanes * self.mesh.size, int)
        source[places] = np.arange(len(seeds))  # the other places repeat the first member
        names = training.numbers_of(self.group.skeleton)
        numbers = {name: self._rounded(self.columns[name][which[source]]) for name in names}
        told = (schedule or self.group.schedule).arguments()
        own = {} if weights is None else {"weights": weights}
        members = self.draw(which, seeds) | own
        drawn = {k: self._rounded(v[..., source]) for k, v in members.items()}
        with jax.enable_x64(self.double):
            result = self._train(drawn, self.shared, self.bank, numbers, told, np.int32(blocks))
        return {k: np.moveaxis(np.asarray(v), -1, 0)[places] for k, v in result.items()}


@lru_cache(maxsize=16)
def _follow_programs(
    setting: Setting, fast: native.Trainer | None, meaning: grouping.Meaning
) -> tuple[Callable, ...]:
    del meaning
    functions = recording.start, recording.leg, recording.look, recording.given
    told = (setting,), (setting, fast), (setting,), (setting,)
    return tuple(jax.jit(partial(f, *t)) for f, t in zip(functions, told, strict=True))


@surroundings.pinned()
def follow(
    runner: Runner, position: int, seed: int, ends: Sequence[int]
) -> tuple[Arrays, Iterator[tuple[np.ndarray, Arrays]]]:
    """Train one member of a runner again, in legs; return what it is given, and what is seen.

    That is, at the end of every leg, its packed weights and what `recording.look` says of it. The
    lane block is that of a run of this member alone, whose bits are those of any run.
    """
    group, one = runner.group, runner.group.schedule.arguments()["one"]
    made = runner.draw(np.array([position]), np.array([seed]))
    drawn = {name: np.repeat(values, group.lanes, axis=-1) for name, values in made.items()}
    names = training.numbers_of(group.skeleton)
    numbers = {
        name: np.repeat(runner._rounded(runner.columns[name][[position]]), group.lanes)
        for name in names
    }
    programs = _follow_programs(group.skeleton, runner.fast, runner.meaning)
    start, leg, look, given = programs

    def seen() -> Iterator[tuple[np.ndarray, Arrays]]:
        with surroundings.pinned():
            state = start(drawn, numbers)
        for end in ends:
            with surroundings.pinned():  # not while who looks has its turn
                state = leg(drawn, runner.bank, numbers, one, state, np.int32(end))
                found = jax.device_get(look(drawn, runner.shared, numbers, state.weights))
                weights = np.asarray(state.weights[:, 0])
            yield weights, found

    return jax.device_get(given(drawn, runner.shared)), seen()


@surroundings.pinned()
def initial_weights(setting: Setting, seeds: np.ndarray) -> list[tuple[np.ndarray, Any]]:
    """Return (kernel, bias) of every layer, member axis last, as seeds are given at the start.

    Nothing is trained, so the network need not fit the task. Members are drawn a lane block at a
    time, as for training; larger ones could also wait for ever in LAPACK, for orthogonal matrices.
    Bias is None without biases.
    """
    if not len(seeds):
        raise ValueError("no seeds given; at least one is needed")
    lanes, skeleton = grouping.lane_width(setting), grouping.skeleton(setting)
    chosen = {
        name: np.repeat(values.astype(np.float32), lanes, axis=0)
        for name, values in columns([setting]).items()
    }
    meaning = grouping.meaning(setting)
    setting_keys, drawn = jnp.broadcast_to(keys.setting_key(setting.name), (lanes,)), []
    for first in range(0, len(seeds), lanes):
        some = seeds[first : first + lanes]
        padded = np.pad(some, (0, lanes - len(some)), "edge")
        made = _draw_block(skeleton, laws(setting), setting_keys, padded, chosen, meaning)
        drawn.append(np.asarray(made["weights"])[:, : len(some)])
    flat = np.concatenate(drawn, axis=1)
    return jax.tree.map(np.asarray, networks.unpack(setting.network, jnp.asarray(flat)))


@surroundings.pinned()
def silence(setting: Setting) -> Callable[[jax.Array], jax.Array]:
    """Return what says of packed weights (parameters, members) who is silent on the task's rows.

    It is what finds members of sweeps born dead. ValueError where rows are drawn for each member.
    """
    rows = block.shared_rows(setting.task)
    if rows is None:
        raise ValueError(f"the rows of task {setting.task.name!r} are drawn; they must be fixed")
    numbers = {name: jnp.float32(value) for name, value in training.numbers_of(setting).items()}
    trainer = None
    if jax.local_devices()[0].platform == "cpu":
        trainer = native.trainer_for(
            grouping.skeleton(setting), shuffling.BANK_SIZE, own_rows=False
        )
    if trainer is None:
        model = training.Model(setting.network, setting.training)
        some = partial(training.silent, model, rows[..., None], numbers)
    else:
        some = partial(trainer.silent, rows, numbers)

    def all_of(flat: jax.Array) -> jax.Array:
        # Together they would not fit into the cache.
        members = flat.shape[1]
        padded = jnp.pad(flat, ((0, 0), (0, -members % MAX_LANES)), mode="edge")
        blocks = jnp.moveaxis(padded.reshape(len(flat), -1, MAX_LANES), 1, 0)
        return jax.lax.map(some, blocks).reshape(-1)[:members]

    return surroundings.pinned()(jax.jit(all_of))


def calls(
    runner: Runner, wanted: Mapping[str, np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cut the wanted seeds of each setting into calls: (position in group.settings, seed)."""
    lists = [wanted.get(s.name, np.empty(0, np.int64)) for s in runner.group.settings]
    ends = np.cumsum([len(seeds) for seeds in lists])
    for first in range(0, int(ends[-1]), runner.size):
        # Cut out of the lists, which are long: together they would be there twice.
        which, seeds, last = [], [], first + runner.size
        for i, (end, its) in enumerate(zip(ends, lists, strict=True)):
            part = its[max(0, first - end + len(its)) : max(0, last - end + len(its))]
            which.append(np.full(len(part), i))
            seeds.append(part)
        yield np.concatenate(which), np.concatenate(seeds)


def run_group(
    runner: Runner, wanted: Mapping[str, np.ndarray]
) -> Iterator[list[tuple[str, np.ndarray, Arrays]]]:
    """Train the wanted seeds; yield (setting, seeds, results) of each setting after every call."""
    for which, seeds in calls(runner, wanted):
        found = waiting.call(runner, which, seeds)
        parts = []
        for i in np.unique(which):
            mine = which == i
            name = runner.group.settings[i].name
            parts.append((name, seeds[mine], {k: v[mine] for k, v in found.items()}))
        yield parts
