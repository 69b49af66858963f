"""Rounding and exact: members are judged in the original units of their own rows.

What a block says of every member is held, for machine code and for XLA's programs, against float64
arithmetic in NumPy on the member's final weights and on its rows as they were drawn. Relative to
the targets' spread, by `ROUNDING` times 10: a logarithm undone magnifies rounding so much.
"""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import samples
from acceptance import ROUNDING
from samples import LANES, equal_bits, scaled_by_hand

from jaxlab import (
    Initialiser,
    Network,
    Optimiser,
    Setting,
    Training,
    block,
    engine,
    grouping,
    keys,
    outcomes,
    run,
    tasks,
    training,
)
from jaxlab.spec import SCALINGS, Scaling

ROWS, SEEDS = 24, 10
TRAINING = Training(Optimiser(learning_rate=0.02), batch_size=10, epochs=40)
NETWORK = Network((2, 3, 1), ("tanh", "leaky_relu"))


def setting(inputs: str, targets: str, *factors: float) -> Setting:
    scaling = Scaling(inputs, targets, *factors)
    task = tasks.of_integers("product", ROWS, 0, 9, scaling=scaling)
    return Setting(f"{inputs} to {targets}", task, NETWORK, training=TRAINING)


# Every name for inputs and for targets, with different factors.
PAIRS = list(zip(SCALINGS, np.roll(SCALINGS, 2).tolist(), strict=True))
SETTINGS = tuple(setting(*pair, 0.5 + i, 2.0 / (i + 1)) for i, pair in enumerate(PAIRS))
SWEEP = samples.sweep(*SETTINGS)
PATHS = pytest.mark.parametrize("fast", [True, False], ids=["machine code", "XLA"])


@pytest.fixture(scope="module")
def judged() -> dict[bool, dict[str, np.ndarray]]:
    """All members of all settings, by machine code and by XLA's program."""
    (group,) = grouping.groups(SWEEP, LANES)
    which, seeds = np.divmod(np.arange(len(SETTINGS) * SEEDS), SEEDS)
    runners = {fast: engine.Runner(group, fast=fast) for fast in (True, False)}
    assert [runner.fast is not None for runner in runners.values()] == [True, False]
    assert len(seeds) <= runners[True].size
    return {fast: runner(which, seeds) for fast, runner in runners.items()}


def original_rows(setting: Setting) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs (seeds, rows, 2) and targets (seeds, rows, 1) as the task draws them."""
    key = keys.setting_key(setting.name)
    numbers = {name: jnp.float32(value) for name, value in setting.task.numbers.items()}

    def one(seed):
        data = keys.stream(keys.member_key(key, seed), "data")
        return tasks.definition(setting.task).draw(data, ROWS, numbers)

    inputs, targets = jax.vmap(one)(jnp.arange(SEEDS))
    return np.asarray(inputs, float), np.asarray(targets, float)


def forward(weights: np.ndarray, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what enters the output and the output (rows, 1) of one network."""
    w = weights.astype(float)
    entering = np.tanh(inputs @ w[:6].reshape(2, 3) + w[6:9]) @ w[9:12, None] + w[12]
    return entering, np.where(entering > 0, entering, NETWORK.slope * entering)


def undone(name: str, factor: float, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return answers in the units of the targets, which were scaled by name and factor."""
    if name == "log":
        return np.expm1(answers / factor)
    known = scaled_by_hand(name, targets)  # all others are affine: two rows tell
    low, high = targets.argmin(), targets.argmax()
    worth = (targets[high] - targets[low]) / (known[high] - known[low])
    return targets[low] + (answers / factor - known[low]) * worth


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def wanted(setting: Setting, x: np.ndarray, y: np.ndarray, weights) -> dict[str, float]:
    """Return what is to be said of a network on its rows."""
    scaling = setting.task.scaling
    assert scaling is not None
    _, answers = forward(weights, scaling.input_factor * scaled_by_hand(scaling.inputs, x))
    aims = scaling.target_factor * scaled_by_hand(scaling.targets, y)
    outputs = undone(scaling.targets, scaling.target_factor, answers, y)
    design = np.concatenate([x, np.ones((ROWS, 1))], axis=1)
    line = design @ np.linalg.lstsq(design, y, rcond=None)[0]
    near_half = (abs(outputs % 1 - 0.5) < 1e-3).any()
    return {
        "loss": float(np.mean((answers - aims) ** 2)),
        "rmse": rms(outputs - y),
        "rounded_rmse": np.nan if near_half else rms(np.round(outputs) - y),
        "line_rmse": rms(line - y),
        "mean_output": float(outputs.mean()),
        "mean_target": float(y.mean()),
        "spread": float(y.std()),
    }


@PATHS
@pytest.mark.parametrize("position", range(len(SETTINGS)), ids=[s.name for s in SETTINGS])
def test_members_are_judged_as_their_predictions_undone_by_hand(judged, fast, position):
    setting = SETTINGS[position]
    mine = slice(position * SEEDS, (position + 1) * SEEDS)
    found = {name: values[mine] for name, values in judged[fast].items()}
    inputs, targets = original_rows(setting)
    each = zip(inputs, targets, found["final_weights"], strict=True)
    rows = [wanted(setting, *given) for given in each]
    spread = targets.std(axis=(1, 2))
    for name in rows[0]:
        right = np.array([row[name] for row in rows])
        known = ~np.isnan(right)
        assert known.mean() >= 0.7, "outputs are too near to halves"
        size = np.maximum(spread, abs(right)) if name != "loss" else np.maximum(1, right)
        assert (abs(found[name] - right) <= 10 * ROUNDING * size)[known].all(), name
    errors = np.array([row["rmse"] for row in rows]) / spread
    np.testing.assert_allclose(found["errors"][:, 0], errors, rtol=10 * ROUNDING)
    scaling = setting.task.scaling
    assert scaling is not None
    for i, name in enumerate(("initial_weights", "final_weights")):
        scaled = [scaling.input_factor * scaled_by_hand(scaling.inputs, x) for x in inputs]
        entering = [forward(w, x)[0].mean() for w, x in zip(found[name], scaled, strict=True)]
        np.testing.assert_allclose(found["entering"][:, i], entering, rtol=1e-4, atol=1e-4)
    assert abs(np.diff(found["entering"])).min() > 1e-3, "before and after look alike"


def test_a_judgement_in_scaled_units_would_be_noticed(judged):
    scaled = np.repeat([s.name.endswith(("raw", "log")) for s in SETTINGS], SEEDS)
    found = judged[True]
    assert (abs(np.sqrt(found["loss"]) / found["rmse"] - 1) > 0.01)[~scaled].all()
    errors = found["rmse"] / np.sqrt(found["spread"] ** 2 + found["mean_target"] ** 2)
    assert (abs(found["errors"][:, 0] / errors - 1) > 0.01).all(), "relative to the wrong size"


def test_both_paths_say_the_same(judged):
    fast, plain = judged[True], judged[False]
    assert set(fast) == set(plain)
    for name in ("outcome", "born_dead", "certified", "first_solved"):
        assert np.array_equal(fast[name], plain[name])
    assert len(set(plain["outcome"].tolist())) >= 2


def test_scalings_and_factors_share_a_program_and_change_no_bit_of_others(judged):
    before = engine._train_program.cache_info().misses
    together = run(SWEEP, SEEDS, lane_width=LANES).members
    few = run(samples.sweep(SETTINGS[3], SETTINGS[1]), SEEDS + 3, lane_width=LANES).members
    assert engine._train_program.cache_info().misses == before, "another program was made"
    assert equal_bits(together[SETTINGS[1].name], few[SETTINGS[1].name])
    assert equal_bits(together[SETTINGS[3].name], few[SETTINGS[3].name])
    for position, (name, members) in enumerate(together.items()):
        mine = slice(position * SEEDS, (position + 1) * SEEDS)
        assert members.loss.tobytes() == judged[True]["loss"][mine].tobytes(), name
        assert len(np.unique(members.loss)) == SEEDS


def test_raw_rows_are_those_drawn_and_a_factor_multiplies_them():
    rows = np.moveaxis(np.concatenate(original_rows(setting("raw", "raw")), axis=2), 0, -1)
    for factors in ((), (2.0, 1.0), (1.0, 0.5)):
        (group,) = grouping.groups(samples.sweep(setting("raw", "raw", *factors)), LANES)
        drawn = engine.Runner(group).draw(np.zeros(SEEDS, int), np.arange(SEEDS))["rows"]
        inputs, targets = factors or (1.0, 1.0)
        assert np.array_equal(drawn, rows * np.array([inputs, inputs, targets])[:, None])


def test_constants_are_named_by_where_they_lie():
    # The mean is 10, the standard deviation 5; a tenth of that is near.
    found = outcomes.which_constant(
        np.array([10, 10.5, 10.6, 9.5, 0.5, -0.5, 0.6, 5, np.nan, 0]),
        np.array([10.0] * 9 + [0.3]),
        np.full(10, 5.0),
    )
    assert found.tolist() == [*["mean"] * 2, "other", "mean", *["zero"] * 2, *["other"] * 3, "mean"]
    members = samples.members(
        ["constant", "other", "constant"],
        mean_output=np.array([10.0, 10, 0]),
        mean_target=np.full(3, 10.0),
        spread=np.full(3, 5.0),
    )
    assert members.constants.tolist() == ["mean", "", "zero"]


def test_members_with_shared_rows_are_judged_and_dead_at_birth_as_by_brute_force():
    # Biases of 0 let no unit be off on both sides; of these, some 17 in 100 networks are.
    law = Initialiser("glorot_uniform", 1.0, "random_normal", 3.0)
    setting = dataclasses.replace(samples.setting(rate=0.05), initialisers=(law, Initialiser()))
    members = run(samples.sweep(setting), 100, lane_width=LANES).members[setting.name]
    rows = jnp.asarray(block.shared_rows(setting.task))
    numbers = {name: jnp.float32(v) for name, v in training.numbers_of(setting).items()}
    model = training.Model(setting.network, setting.training)

    def gradient(weights, row):
        return jax.grad(lambda w: training.loss(model, w, row[None], numbers))(weights)

    each = jax.jit(jax.vmap(jax.vmap(gradient, (None, 0)), (0, None)))
    gradients = np.asarray(each(members.initial_weights, rows))
    dead = (gradients[..., :-1] == 0).all(axis=(1, 2))
    assert np.array_equal(members.born_dead, dead)
    assert 0 < dead.sum() < len(dead)
    assert members.certified[dead].all()
    predict = jax.jit(jax.vmap(partial(training.predict, model), (0, None, None)))
    outputs = np.asarray(predict(members.final_weights, rows[:, :1], numbers), float)
    y = np.asarray(rows[:, 1:], float)
    found = np.stack([members.rmse, members.mean_output, members.entering[:, 1]])
    mean = outputs.mean(axis=(1, 2))  # the output is linear: what enters is what leaves
    right = [np.sqrt(((outputs - y) ** 2).mean(axis=(1, 2))), mean, mean]
    np.testing.assert_allclose(found, right, rtol=ROUNDING, atol=ROUNDING)
    off = np.round(outputs) - np.round(y)
    found, right = members.rounded_rmse, np.sqrt((off**2).mean(axis=(1, 2)))
    np.testing.assert_allclose(found, right, rtol=ROUNDING, atol=ROUNDING)
    np.testing.assert_allclose(members.line_rmse, y.std(), rtol=ROUNDING)  # |x| has no slope
    np.testing.assert_allclose(members.spread, y.std(), rtol=ROUNDING)
    np.testing.assert_allclose(members.mean_target, y.mean(), rtol=ROUNDING)
