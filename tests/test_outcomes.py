"""Exact: outputs made by hand, one for each class, and the measurements that the rules use.

Rounding (`ROUNDING`) where a sum over rows is compared.
"""

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from acceptance import assert_rounding
from hypothesis import given
from hypothesis import strategies as st

from jaxlab import OUTCOMES, outcomes, tasks

ROOT = Path(__file__).parents[1]
X = np.linspace(-1, 1, 40, dtype=np.float32)[:, None]
Y = np.abs(X)
RIGHT = X > 0
MASKS = tasks.sides(jnp.asarray(X))


def classify(outputs: np.ndarray, x=X, y=Y, regions=MASKS, **facts: Any) -> str:
    """Return the outcome of one network with these outputs (rows, 1)."""
    given = {"certified": False, "finite": True, "still_improving": False} | facts
    facts = {name: jnp.asarray(value) for name, value in given.items()}
    masks = jnp.stack(list(regions.values()))
    return OUTCOMES[int(compiled(outputs, x, y, masks, facts, tuple(regions)))]


@partial(jax.jit, static_argnames="regions")
def compiled(outputs, x, y, masks, facts, regions):
    found = outcomes.errors(outputs, y, masks)
    limits = {"tolerance": 0.1, "margin": 0.5}
    line, varied = outcomes.best_affine(x, y), outcomes.vary(jnp.asarray(x))
    return outcomes.classify(
        outputs, line, y, found, regions=regions, inputs_vary=varied, **limits, **facts
    )


WIGGLE = 0.25 * np.sign(np.sin(20 * X))
BY_HAND: list[tuple[str, np.ndarray, dict[str, Any]]] = [
    ("solved", Y, {}),
    ("solved", 1.09 * Y, {}),
    ("solved", Y, {"certified": True}),
    ("other", 1.11 * Y, {}),
    ("right_only", np.where(RIGHT, Y, 0), {}),
    ("left_only", np.where(RIGHT, 0, Y), {}),
    ("right_only", np.where(RIGHT, Y, 0.49 * Y), {}),
    ("other", np.where(RIGHT, Y, 0.51 * Y), {}),  # the left is neither fitted nor missed
    ("left_only", np.where(RIGHT, -Y, 1.05 * Y), {}),
    ("constant", 0 * X + 0.5, {}),
    ("constant", 0 * X, {}),
    ("dead", 0 * X + 0.5, {"certified": True}),
    ("diverged", 20 * Y, {"certified": True}),
    ("diverged", np.where(RIGHT, Y, 12), {}),
    ("diverged", np.full_like(X, np.nan), {}),
    ("diverged", np.where(X[3] == X, np.inf, Y), {}),
    ("diverged", Y, {"finite": False}),
    ("constant", 0 * X + 0.5, {"still_improving": True}),  # what it is, whether it moves or not
    ("right_only", np.where(RIGHT, Y, 0), {"still_improving": True}),
    ("unfinished", Y + WIGGLE, {"still_improving": True}),
    ("unfinished", 1.11 * Y, {"still_improving": True}),
    ("dead", 0 * X + 0.5, {"certified": True, "still_improving": True}),
    ("solved", Y, {"still_improving": True}),
    ("other", Y + WIGGLE, {}),
]


@pytest.mark.parametrize(("wanted", "outputs", "facts"), BY_HAND)
def test_a_class_for_outputs_made_by_hand(wanted, outputs, facts):
    assert classify(np.asarray(outputs, np.float32), **facts) == wanted


def test_the_rest_of_the_classes_on_tasks_where_they_occur():
    # x + |x| - 1: the best line is x + const, which fits neither side.
    bent = X + np.abs(X) - np.float32(0.9)
    line = outcomes.best_affine(jnp.asarray(X), jnp.asarray(bent))
    assert classify(np.asarray(line), y=bent) == "linear"
    assert classify(np.asarray(line), y=bent, certified=True) == "dead"
    thirds = {"low": X[:, 0] < -0.3, "middle": abs(X[:, 0]) <= 0.3, "high": X[:, 0] > 0.3}
    regions = {name: jnp.asarray(mask) for name, mask in thirds.items()}
    assert classify(np.where(X > 0.3, 0, Y), regions=regions) == "partial"
    assert {w for w, _, _ in BY_HAND} | {"linear", "partial"} == set(OUTCOMES)


@pytest.mark.parametrize("swapped", [False, True])
def test_the_sides_keep_their_names_in_either_order(swapped):
    regions = dict(reversed(MASKS.items())) if swapped else MASKS
    assert classify(np.where(RIGHT, Y, 0), regions=regions) == "right_only"
    assert classify(np.where(RIGHT, 0, Y), regions=regions) == "left_only"


def test_other_regions_than_sides_are_never_called_sides():
    one = {"right": MASKS["right"], "middle": MASKS["left"]}
    assert classify(np.where(RIGHT, Y, 0), regions=one) == "partial"


def test_every_class_has_a_sentence():
    assert list(outcomes.SENTENCES) == list(OUTCOMES)
    assert len(set(outcomes.SENTENCES.values())) == len(OUTCOMES)
    assert all(len(sentence.split()) >= 4 for sentence in outcomes.SENTENCES.values())
    known = "solved right_only left_only partial constant linear dead diverged unfinished other"
    assert known.split() == list(OUTCOMES)


floats = st.floats(width=32)


@given(st.lists(floats, min_size=6, max_size=6), st.booleans(), st.booleans(), st.booleans())
def test_every_output_has_exactly_one_class(values, certified, finite, still_improving):
    x = np.array([[-3], [-2], [-1], [1], [2], [3]], np.float32)
    regions = tasks.sides(jnp.asarray(x))
    facts = {"certified": certified, "finite": finite, "still_improving": still_improving}
    outputs = np.asarray(values, np.float32)[:, None]
    name = classify(outputs, x, abs(x), regions, **facts)
    assert name in OUTCOMES
    if not finite or not np.isfinite(outputs).all():
        assert name == "diverged"
    if name == "solved":
        # A side's squared targets add up to 14, so none of its errors exceeds a tenth of the root.
        assert np.abs(outputs - abs(x)).max() <= 0.1001 * np.sqrt(14)


def test_a_population_is_classified_as_each_member_alone():
    rows = [(w, o, f) for w, o, f in BY_HAND if not f]
    outputs = jnp.stack([jnp.asarray(o, jnp.float32) for _, o, _ in rows], axis=-1)
    x, y = jnp.asarray(X)[..., None], jnp.asarray(Y)[..., None]
    masks = jnp.stack(list(MASKS.values()))[..., None]
    none, members = jnp.zeros(len(rows)), outcomes.errors(outputs, y, masks)
    codes = outcomes.classify(
        outputs,
        outcomes.best_affine(x, y),
        y,
        members,
        regions=tuple(MASKS),
        tolerance=0.1,
        margin=0.5,
        certified=none > 0,
        finite=none == 0,
        still_improving=none > 0,
        inputs_vary=none == 0,
    )
    assert [OUTCOMES[code] for code in codes.tolist()] == [w for w, _, _ in rows]


def test_the_order_of_the_rules_names_every_class_once():
    assert sorted(outcomes.ORDER) == sorted(OUTCOMES)


IMPROVING: list[tuple[bool, tuple[float, float, float]]] = [
    (True, (1.0, 0.5, 0.44)),  # by more than a tenth
    (False, (1.0, 0.5, 0.46)),  # by less, and flattening
    (True, (1.0, 0.95, 0.92)),  # by less, and not flattening
    (True, (1.0, 1 - 1e-3, 1 - 2e-3)),  # hardly begun
    (True, (1.0, 1.0, 0.999)),  # a single step: half of it is the start
    (False, (1.0, 1.0, 1.0)),  # stands still
    (False, (1.0, 1.0, 1 - 1e-6)),  # rounding
    (False, (0.5, 0.6, 0.58)),  # rose before: noise about a plateau
    (False, (0.5, 0.5, 0.6)),
    (True, (np.inf, 1.0, 0.5)),
    (False, (np.inf, np.inf, np.inf)),
    (False, (1.0, np.nan, np.nan)),
    (False, (np.nan, 1.0, 1.0)),
]


@pytest.mark.parametrize(("wanted", "course"), IMPROVING)
def test_an_error_that_does_not_flatten_is_still_improving(wanted, course):
    assert bool(outcomes.improving(*map(jnp.float32, course))) is wanted


def test_where_all_inputs_are_alike_every_network_is_constant_and_none_is_called_so():
    x = np.full((4, 1), -1, np.float32)
    half, regions = 0.5 + 0 * x, tasks.whole(jnp.asarray(x))
    assert classify(half, x, -x, regions) == "other"
    assert classify(half, x, -x, regions, still_improving=True) == "unfinished"
    assert classify(half, X[:4], -x, regions) == "constant"


def test_region_errors_agree_with_a_computation_by_hand():
    outputs = np.float32(np.random.default_rng(0).normal(size=(40, 2)))
    targets = np.float32(np.concatenate([2 * X, Y - 0.2], axis=1))
    masks = {"right": RIGHT[:, 0], "none": RIGHT[:, 0] & ~RIGHT[:, 0]}
    found = outcomes.errors(
        jnp.asarray(outputs), jnp.asarray(targets), jnp.stack([*map(jnp.asarray, masks.values())])
    )
    error, target = (v.astype(float)[20:] for v in (outputs - targets, targets))
    wanted = np.sqrt((error**2).mean() / (target**2).mean())
    assert_rounding(found.regions, [wanted, 0.0])
    square = ((outputs - targets).astype(float) ** 2).mean()
    assert_rounding(found.square, square)


def test_a_region_without_rows_counts_for_nothing():
    x, y = X[20:], Y[20:]
    regions = tasks.sides(jnp.asarray(x))
    assert not regions["left"].any()
    assert classify(y, x, y, regions) == "solved"
    assert classify(y * np.sign(np.sin(20 * x)), x, y, regions) == "other"
    assert classify(0 * y, x, y, regions) == "constant"


def test_a_region_whose_targets_are_zero_is_measured_absolutely():
    everywhere = jnp.ones((1, 40), bool)
    found = outcomes.errors(jnp.full((40, 1), 0.25), jnp.zeros((40, 1)), everywhere)
    assert found.regions.tolist() == [0.25]


def test_solved_needs_every_region_and_no_nan():
    regions = jnp.array([[0.1, 0.1, 0.05, jnp.nan], [0.1, 0.11, 0.0, 0.0]])
    found = outcomes.Errors(regions, regions < 1, jnp.zeros(4))
    assert outcomes.solved(found, 0.1).tolist() == [True, False, True, False]


KINDS = ("plain", "constant input", "copied input", "made of others", "large", "far from 0")


@pytest.mark.parametrize("inputs", [1, 2, 16])
@pytest.mark.parametrize("kind", KINDS)
def test_the_best_affine_function_agrees_with_least_squares(kind, inputs):
    random = np.random.default_rng(1)
    x, y = (random.normal(size=(50, n)).astype(np.float32) for n in (inputs, 2))
    if kind == "constant input":
        x[:, -1] = 0.1
    if kind == "copied input":
        x[:, -1] = x[:, 0]
    if kind == "made of others":  # to the last bit only, but of no use
        x[:, -1] = x[:, :-1].sum(axis=1)
    if kind == "large":
        x[:, -1] *= 1000
    if kind == "far from 0":
        x += 100
        y += 10
    design = np.concatenate([x, np.ones((50, 1))], axis=1).astype(float)
    wanted = design @ np.linalg.lstsq(design, y.astype(float), rcond=1e-6)[0]
    alone = outcomes.best_affine(jnp.asarray(x), jnp.asarray(y))
    assert_rounding(alone, wanted)
    together = outcomes.best_affine(jnp.asarray(x)[..., None], jnp.stack([y, 0 * y, y], axis=-1))
    assert_rounding(together[..., 2], wanted)
    assert not jnp.any(together[..., 1])


@pytest.mark.parametrize("offset", [1e4, -1e6])
def test_inputs_far_from_0_are_no_constants(offset):
    x = (np.linspace(-8, 8, 33)[:, None] + offset).astype(np.float32)
    y = np.sin(np.linspace(0, 3, 33))[:, None].astype(np.float32)
    design = np.concatenate([x.astype(float) - offset, np.ones((33, 1))], axis=1)
    wanted = design @ np.linalg.lstsq(design, y.astype(float), rcond=None)[0]
    assert_rounding(outcomes.best_affine(jnp.asarray(x), jnp.asarray(y)), wanted)


HANGS = """
import jax
jax.config.update("jax_num_cpu_devices", 2)
from jaxlab import Network, Setting, Sweep, Training, paper_tasks, run
network = Network((16, 1), ("linear",))
task = paper_tasks.random_points(20)
setting = Setting("s", task, network, training=Training(batch_size=0, epochs=2))
members = run(Sweep("s", (setting,)), 24, lane_width=8).members["s"]
print(members.line_rmse.shape, len(jax.devices()))
"""


def test_a_run_with_16_inputs_ends_on_two_devices():
    # Calls of LAPACK on two devices once waited for each other for ever.
    line = [sys.executable, "-c", HANGS]
    done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, timeout=100)
    assert (done.returncode, done.stdout) == (0, "(24,) 2\n"), done.stderr


def test_a_population_may_have_its_own_rows():
    x = jax.random.normal(jax.random.key(0), (30, 2, 4))
    y = jax.random.normal(jax.random.key(1), (30, 1, 4))
    alone = jax.vmap(outcomes.best_affine, -1, -1)(x, y)
    assert_rounding(outcomes.best_affine(x, y), alone)
