"""Rounding: a user's own module trains as jaxlab's network; exact: what is refused and kept."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

import jaxlab
from jaxlab import (
    Initialiser,
    Network,
    Optimiser,
    Setting,
    Sweep,
    Training,
    modules,
    optimisers,
    tasks,
)
from jaxlab.spec import sweep_from_json

FIRST, SECOND = np.array([[0.9, -0.7]], np.float32), np.array([[0.8], [0.6]], np.float32)
TASK = tasks.absolute_value(rows=40, low=-2, high=2)
STEPS = Training(Optimiser("adam", 1e-2), batch_size=8, epochs=20)


class Net(nnx.Module):
    """Two ReLUs; starts from the given kernels, or from small uniform ones."""

    def __init__(self, rngs, fixed=False):
        self.rows = nnx.Param(jnp.asarray(FIRST) if fixed else rngs.uniform((1, 2)) - 0.5)
        self.sums = nnx.Param(jnp.asarray(SECOND) if fixed else rngs.uniform((2, 1)) - 0.5)
        self.bias = nnx.Param(jnp.zeros(2))
        self.shift = nnx.Param(jnp.zeros(1))

    def __call__(self, x):
        """Map (rows, 1) to (rows, 1)."""
        return nnx.relu(x @ self.rows[...] + self.bias[...]) @ self.sums[...] + self.shift[...]


def own(name="net", optimiser=STEPS.optimiser, **told) -> Setting:
    network = modules.define(name, lambda rngs: Net(rngs, **told))
    return Setting(name, TASK, network, training=dataclasses.replace(STEPS, optimiser=optimiser))


def test_it_trains_as_the_same_network_of_jaxlab_does():
    transform = optimisers.define("my adam", lambda rate: optax.adam(rate, eps=1e-7), 1e-2)
    kernels = [Initialiser("values", values=tuple(map(tuple, k.tolist()))) for k in (FIRST, SECOND)]
    plain = Setting("net", TASK, Network((1, 2, 1), ("relu", "linear")), tuple(kernels), STEPS)
    # Of one name, so that seeds have the same batches.
    mine, same = (
        jaxlab.run(Sweep("one", [setting]), seeds=30).members["net"]
        for setting in (own(optimiser=transform, fixed=True), plain)
    )
    assert (mine.outcome == same.outcome).all()
    np.testing.assert_allclose(mine.loss, same.loss, rtol=1e-4)
    assert len(np.unique(mine.loss)) > 20  # batches differ from seed to seed
    assert not np.allclose(mine.loss, same.loss[::-1], rtol=1e-4)


def test_seeds_start_from_weights_of_their_own_that_depend_on_nothing_else():
    one = jaxlab.run(Sweep("one", [own()]), seeds=40).members["net"]
    other = jaxlab.run(Sweep("one", [own()]), seeds=[5, 39]).members["net"]
    assert one.initial_weights is not None
    assert one.final_weights is not None
    assert other.final_weights is not None
    assert len(np.unique(one.initial_weights, axis=0)) == 40
    np.testing.assert_array_equal(one.final_weights[[5, 39]], other.final_weights)
    assert not one.born_dead.any()
    assert not one.certified.any()


def test_what_is_kept_is_protected_against_another_meaning(tmp_path):
    def run(setting):
        return jaxlab.run(Sweep("one", [setting]), seeds=10, out=tmp_path / "kept")

    def transform(eps):
        return optimisers.define("tried", lambda rate: optax.adam(rate, eps=eps))

    setting = own(optimiser=transform(1e-8))
    first = run(setting)
    assert sweep_from_json(first.sweep.to_json()) == first.sweep
    assert run(setting).outcomes.tolist() == first.outcomes.tolist()
    decays = optimisers.define("tried", lambda rate: optax.adamw(rate, weight_decay=1e-4))
    assert decays.name == setting.training.optimiser.name
    with pytest.raises(ValueError, match="an optimiser of setting 'net' had another meaning"):
        run(setting)
    transform(1e-8)
    run(setting)
    own(fixed=True)
    with pytest.raises(ValueError, match="a module or an optimiser"):
        run(setting)


def test_what_cannot_be_trained_is_refused():
    class Stateful(nnx.Module):
        def __init__(self, rngs):
            self.norm = nnx.BatchNorm(1, rngs=rngs)

        def __call__(self, x):
            return self.norm(x)

    with pytest.raises(ValueError, match="state of the kind BatchStat"):
        modules.define("stateful", Stateful)
    with pytest.raises(ValueError, match=r"maps \(7, 1\) to \(7, 1\).*must be \(7, 3\)"):
        modules.define("wrong", Net, outputs=3)
    with pytest.raises(ValueError, match="no parameters"):
        modules.define("empty", lambda rngs: nnx.Dropout(0.0))
    unknown = dataclasses.replace(own().network, module="nobody's")
    with pytest.raises(ValueError, match='"nobody\'s" is not defined here'):
        jaxlab.run(Sweep("one", [Setting("net", TASK, unknown)]), seeds=1)
    larger = dataclasses.replace(own().network, size=8)
    with pytest.raises(ValueError, match="has 7 parameters now"):
        jaxlab.run(Sweep("one", [Setting("net", TASK, larger)]), seeds=1)
    with pytest.raises(ValueError, match="'own lost' is not defined here"):
        jaxlab.run(Sweep("one", [own(optimiser=Optimiser("own lost"))]), seeds=1)


def test_the_specification_knows_what_belongs_to_a_module():
    network = own().network
    digests = {
        Setting("net", TASK, n).digest
        for n in (
            network,
            dataclasses.replace(network, module="b"),
            dataclasses.replace(network, size=9),
        )
    }
    assert len(digests) == 3
    with pytest.raises(ValueError, match="inputs and outputs only"):
        Network((1, 2, 1), module="net", size=7)
    with pytest.raises(ValueError, match="size is 7"):
        Network((1, 1), ("linear",), size=7)
    with pytest.raises(ValueError, match="schedule"):
        Optimiser("own lost", schedule="cosine")
