"""One small population, trained by machine code and by plain vmap over the single network."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxlab import Network, Setting, Task, Training, native, shuffling, training

PERMUTATIONS = 7
# For programs of XLA that run once: the best code takes longer to make than to do without.
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}


def setting(
    widths: tuple[int, ...] = (1, 3, 1),
    activation: str = "tanh",
    rows: int = 20,
    train: Training | None = None,
    **network,
) -> Setting:
    """Return a setting whose task is a name only: the population has rows of its own making."""
    activations = (activation,) * (len(widths) - 2) + ("linear",)
    made = Network(widths, activations, **network)
    return Setting("s", Task("rows of the test", rows), made, training=train or Training())


class Population:
    """Members of one setting with random weights, numbers, orders and rows, shared or their own."""

    def __init__(self, given: Setting, members: int, *, own_rows: bool = False, seed: int = 0):
        random = np.random.default_rng(seed)
        self.setting, self.own_rows = given, own_rows
        self.model = training.Model(given.network, given.training)
        count, ends = given.task.rows, given.network.widths[0] + given.network.widths[-1]
        self.weights = random.normal(0, 0.7, (given.network.parameters, members)).astype(np.float32)
        self.keys = random.integers(0, 2**32, (2, members), np.uint32)
        shape = (count, ends, members) if own_rows else (count, ends)
        self.rows = random.normal(size=shape).astype(np.float32)
        orders = np.stack([random.permutation(count) for _ in range(PERMUTATIONS)])
        self.orders = np.concatenate([orders, orders], axis=1).astype(np.int32)
        spread = random.uniform(0.5, 1, members)  # members differ in every number
        self.numbers = {
            name: (value * spread).astype(np.float32)
            for name, value in training.numbers_of(given).items()
        }

    def taken(self, which: np.ndarray) -> "Population":
        """Return a population of some of the members, in an order of its own."""
        few = Population(self.setting, len(which), own_rows=self.own_rows)
        few.weights, few.keys = self.weights[:, which], self.keys[:, which]
        few.numbers = {name: values[which] for name, values in self.numbers.items()}
        few.rows, few.orders = self.rows[..., which] if self.own_rows else self.rows, self.orders
        return few

    @cached_property
    def start(self) -> training.State:
        """The state before the first step."""
        state = jax.jit(partial(training.start, self.model))(self.weights, self.numbers)
        return jax.tree.map(np.asarray, state)

    @property
    def trainer(self) -> native.Trainer:
        """The machine code."""
        trainer = native.trainer_for(self.setting, PERMUTATIONS, own_rows=self.own_rows)
        assert trainer is not None, "there is no machine code for this"
        return trainer

    @cached_property
    def fast(self) -> Callable[[training.State, int], training.State]:
        """The function that trains by machine code until a step."""
        bank = jnp.asarray(self.orders if self.own_rows else self.rows[self.orders])
        drawn = {"weights": jnp.asarray(self.weights), "order": jnp.asarray(self.keys)}
        drawn |= {"rows": jnp.asarray(self.rows)} if self.own_rows else {}
        numbers = {name: jnp.asarray(values) for name, values in self.numbers.items()}
        advance = self.trainer.advance(drawn, native.laid_out(bank), numbers)
        compiled = jax.jit(lambda state, end: advance(state, end))
        return lambda state, end: jax.tree.map(np.asarray, compiled(state, end))

    @cached_property
    def plain(self) -> Callable[[training.State, int], training.State]:
        """The function that trains the single network, mapped over members."""

        def one(state, key, numbers, rows, end):
            def epoch_rows(epoch):
                return rows[shuffling.epoch_entries(jnp.asarray(self.orders), key, epoch)]

            return training.train(self.model, state, epoch_rows, end, numbers)

        of_state: Any = jax.tree.map(lambda _: -1, self.start)
        of_state = of_state._replace(step=None)  # all members make the same steps
        axes = of_state, -1, -1, -1 if self.own_rows else None, None
        mapped = jax.jit(jax.vmap(one, axes, of_state), compiler_options=QUICK)
        return lambda state, end: jax.tree.map(
            np.asarray, mapped(state, self.keys, self.numbers, self.rows, end)
        )

    def orders_of(self, epoch: int) -> np.ndarray:
        """Return the order (rows, members) of every member's rows in an epoch."""
        one = partial(shuffling.epoch_entries, jnp.asarray(self.orders))
        return np.asarray(jax.jit(jax.vmap(one, (-1, None), -1))(self.keys, np.int32(epoch)))


def picked(state: training.State, which: np.ndarray) -> training.State:
    """Return the state of some of the members."""
    return jax.tree.map(lambda a: a[..., which] if a.ndim else a, state)


def assert_equal_bits(one: training.State, other: training.State) -> None:
    """Hold that two states are the same to the last bit."""
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()
