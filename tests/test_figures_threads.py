"""The figures of the threads show the counts of their results, and the same bytes each time.

Exact tests on made-up members, and one within float32 rounding (outputs against the Flax network).
"""

import os
import pickle
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import matplotlib
import numpy as np
import pytest
import samples
from matplotlib import style
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from figures import __main__ as command
from figures import _counts, _threshold, arithmetic, doubling, negation, squares
from figures._strips import spread
from jaxlab import networks, plotting
from jaxlab.result import Members, Result
from jaxlab.spec import Setting
from jaxlab.tally import clopper_pearson
from jaxlab.theory import doubling as doubling_theory
from jaxlab.theory import negation as negation_theory

THREADS = {"negation": negation, "doubling": doubling, "arithmetic": arithmetic, "squares": squares}
N = 40


def members(setting: Setting, seed: int, n: int = N) -> Members:
    """Return members that ended anyhow; those solved at the end were first solved at some check."""
    generator = np.random.default_rng(seed)
    names = generator.choice(["solved", "dead", "other", "constant"], n)
    checks = np.array(setting.training.checks(setting.task.rows))
    solved, widths = names == "solved", setting.network.widths
    inputs, parameters = widths[0], setting.network.parameters
    facts = {
        "errors": np.where(solved, 0.1, 1.0)[:, None] * 10.0 ** generator.uniform(-4, 0, (n, 1)),
        "first_solved": np.where(solved, generator.choice(checks, n), -1).astype(np.int32),
        "born_dead": generator.random(n) < 0.5,
        "entering": generator.normal(0, 1e4, (n, 2)).astype(np.float32),
        "rmse": (10.0 ** generator.uniform(2, 6, n)).astype(np.float32),
        "line_rmse": generator.uniform(7e4, 8e4, n).astype(np.float32),
    }
    if parameters <= 61:
        facts |= {
            f"{t}_weights": generator.normal(0, 0.05, (n, parameters)) for t in ("initial", "final")
        }
    else:
        facts["seen"] = generator.uniform(0, 1000, (n, 32, inputs + 1))
    return samples.members(list(names), **facts)


@cache
def made(thread: str) -> Result:
    built = import_module(f"sweeps.{thread}").build()
    return Result(built, {s.name: members(s, i) for i, s in enumerate(built.settings)})


@cache
def numbers(thread: str) -> dict:
    return {name: told for name, (_, told) in THREADS[thread].draw(made(thread)).items()}


def without(result: Result, name: str) -> Result:
    return Result(result.sweep, {k: m for k, m in result.members.items() if k != name})


def agrees(row: dict, mask: Any) -> bool:
    """Say whether a share of a caption is that of a mask, with its exact interval."""
    limits = clopper_pearson(int(mask.sum()), len(mask))
    wanted = (int(mask.sum()), len(mask), mask.mean(), limits.low, limits.high)
    return tuple(row[k] for k in ("count", "n", "rate", "ci_low", "ci_high")) == wanted


@pytest.mark.parametrize("thread", THREADS)
def test_the_same_results_give_the_same_bytes_whatever_the_users_style(thread, monkeypatch):
    drawn = []
    monkeypatch.setattr(command, "METADATA", {"png": command.METADATA["png"]})  # a PDF takes long
    coarse = dict(plotting.STYLE) | {"savefig.dpi": 40}
    for size in (7, 20):
        with (
            matplotlib.rc_context({"font.size": size}),
            style.context(coarse, after_reset=True),
        ):
            pictures = THREADS[thread].draw(made(thread))
            drawn.append(
                {k: command.contents(f, {"numbers": told}) for k, (f, told) in pictures.items()}
            )
    assert set(drawn[0]) == {thread, f"{thread}_threshold"}
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("thread", THREADS)
def test_the_message_is_one_sentence(thread):
    message = (THREADS[thread].__doc__ or "").splitlines()[0]
    assert message.endswith(".")
    assert len(message) > 40


@pytest.mark.parametrize("thread", THREADS)
def test_missing_settings_are_refused_with_the_command_that_helps(thread):
    for name in THREADS[thread].THRESHOLD:
        with pytest.raises(ValueError, match=f"python -m sweeps {thread}") as caught:
            THREADS[thread].draw(without(made(thread), name))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("thread", THREADS)
def test_failures_by_tolerance_and_at_the_end_are_counts(thread):
    told = numbers(thread)[f"{thread}_threshold"]
    assert list(told) == list(THREADS[thread].THRESHOLD)
    for name, row in told.items():
        found = made(thread).members[name]
        assert agrees(row["failed_at_the_end"], found.names != "solved")
        assert agrees(row["never_solved"], found.first_solved < 0)
        for tolerance, counted in row["failed_by_tolerance"].items():
            assert agrees(counted, (found.errors > float(tolerance)).any(axis=1))


def test_errors_that_are_not_finite_fail_at_every_tolerance():
    built = made("squares").sweep
    errors = np.array([[np.nan, 0.0], [0.0, np.inf], [0.5, 0.2], [0.0, 1e-5]])
    found = samples.members(["diverged", "diverged", "other", "solved"], errors=errors)
    result = Result(built, {"square": found})
    assert _threshold.largest_errors(result, "square").tolist() == [np.inf, np.inf, 0.5, 1e-5]
    counted = _threshold.numbers(result, "square")["failed_by_tolerance"]
    assert {t: row["count"] for t, row in counted.items()} == {
        "0.0001": 3,
        "0.001": 3,
        "0.01": 3,
        "0.1": 3,
        "0.5": 2,
    }


def test_shares_are_written_as_whole_only_where_they_are():
    masks = ([0, 0], [1, 1], [1] + [0] * 1999, [0] + [1] * 1999)
    written = [_counts.percent(_counts.share(np.array(mask, bool))) for mask in masks]
    assert written == ["0 %", "100 %", "0.1 %", "100.0 %"]


@pytest.mark.parametrize("n", [0, 1, 2, 1000])
def test_strips_of_points_are_as_wide_as_dense_and_never_random(n):
    values = np.random.default_rng(n).normal(size=n)
    offsets = spread(values)
    assert offsets.shape == (n,)
    assert np.all(np.abs(offsets) <= 0.5)
    assert_array_equal(offsets, spread(values))
    order = np.random.default_rng(1).permutation(n)
    assert_array_equal(spread(values[order]), offsets[order])
    if n == 1000:
        middle = np.abs(values) < 0.5
        assert np.ptp(offsets[middle]) > 0.9
        assert np.ptp(offsets[np.abs(values) > 2.5]) < 0.2


def test_equal_values_are_spread_evenly_about_their_place():
    offsets = np.sort(spread(np.full(100, 7.0)))
    assert np.all(np.diff(offsets) < 0.02)
    assert abs(offsets.mean()) < 0.02


def test_signs_and_flips_are_counted_against_the_law():
    result, told = made("negation"), numbers("negation")["negation"]
    for kind, name in negation.SIGNS.items():
        first = result.members[name].first_solved
        for row in told["not_flipped"][kind]:
            assert agrees(row, (first < 0) | (first > row["step"]))
    law = norm(0.0, 0.05)
    leaky = {row["step"]: row["predicted"] for row in told["not_flipped"]["leaky_relu"]}
    assert leaky[20] == negation_theory.not_flipped(law, 0.001, 20)
    assert {row["predicted"] for row in told["not_flipped"]["relu"]} == {0.5}


def test_units_that_flip_in_time_and_a_step_late_are_told_apart():
    name = negation.SIGNS["leaky_relu"]
    kernel = np.array([0.0101, 0.0101, 0.0101, -0.3], np.float32)
    found = samples.members(
        ["solved"] * 4,
        initial_weights=np.stack([kernel, 0 * kernel], axis=1),
        first_solved=np.array([6, 7, 9, 1]),
    )
    result = Result(made("negation").sweep, {name: found})
    told = negation.flips_found(result)
    assert {k: (row["count"], row["n"]) for k, row in told.items()} == {
        "late_by_0": (1, 3),
        "late_by_1": (1, 3),
        "other": (1, 3),
    }
    axes = negation.draw_flips(Figure().add_subplot(), result)
    assert_array_equal(
        axes.collections[0].get_offsets(), [[kernel[0], 6], [kernel[0], 7], [kernel[0], 9]]
    )
    w, step = (np.asarray(values, float) for values in axes.lines[0].get_data())
    assert_allclose(step, w / 0.002)


def test_the_floor_is_named_after_those_never_solved_and_certified():
    result = made("negation")
    found = result.members[negation.RELU]
    row = negation.survival(result, negation.RELU)
    assert agrees(row["certified_dead"], (found.names == "dead") & (found.first_solved < 0))
    axes = negation.draw_survival(Figure().add_subplot(), result)
    assert _counts.percent(row["certified_dead"]) in " ".join(t.get_text() for t in axes.texts)


def test_what_enters_the_output_is_told_for_those_born_dead_and_alive():
    result, told = made("doubling"), numbers("doubling")["doubling"]
    for (name, column, _), row in zip(doubling.MOMENTS, told["entering"], strict=True):
        found = result.members[name]
        alive, values = ~found.born_dead, found.entering[:, column]
        assert agrees(row["born_dead"], found.born_dead)
        assert agrees(row["negative"], values < 0)
        assert agrees(row["negative_of_those_born_alive"], values[alive] < 0)
        assert row["median_of_those_born_alive"] == np.median(values[alive])
    axes = doubling.draw_entering(Figure().add_subplot(), result, told["entering"])
    dead, alive = (np.asarray(points.get_offsets()) for points in axes.collections[-2:])
    found = result.members[doubling.TWO]
    assert_allclose(dead[:, 0], found.entering[found.born_dead, 1])
    assert_allclose(alive[:, 0], found.entering[~found.born_dead, 1])


def test_results_in_which_all_are_born_dead_can_be_told():
    found = samples.members(["dead"], born_dead=np.array([True]))
    result = Result(made("doubling").sweep, {doubling.ONE: found})
    row = doubling.entering(result, *doubling.MOMENTS[0])
    assert row["median_of_those_born_alive"] is None
    assert row["born_dead"]["count"] == 1
    assert row["negative_of_those_born_alive"]["rate"] is None


def test_failures_stand_beside_theory_where_it_speaks():
    result = made("doubling")
    rows = {row["setting"]: row for row in numbers("doubling")["doubling"]["failures"]}
    for name, row in rows.items():
        names = result.members[name].names
        assert agrees(row, names != "solved")
        assert row["dead_count"] == (names == "dead").sum()
    assert rows["posted"]["predicted"] == 1.0
    assert rows["kappa=0.4"]["predicted"] == float(doubling_theory.born_dead(128))
    assert rows["kappa=0.65"]["predicted"] is rows["normal inputs"]["predicted"] is None
    assert [rows[n]["kappa"] for n in ("kappa=0.4", "kappa=0.65")] == pytest.approx([0.4, 0.65])
    assert doubling.label(rows["posted"]) == "posted (κ = 2,406)"


def test_products_and_births_are_counts_and_theory():
    result, told = made("arithmetic"), numbers("arithmetic")["arithmetic"]
    for row in told["relu_output"] + told["linear_output"]:
        names = result.members[row["setting"]].names
        masks = {"solved": names == "solved", "dead": names == "dead"}
        masks["neither"] = ~masks["solved"] & ~masks["dead"]
        assert all(agrees(row[k], mask) for k, mask in masks.items())
    for row in told["births"]:
        found = result.members[row["setting"]]
        assert agrees(row["failed"], found.names != "solved")
        assert agrees(row["born_dead"], found.born_dead)
    predicted = {row["setting"]: row["predicted"] for row in told["births"]}
    assert predicted["square"] == predicted["times 3"] == pytest.approx(0.5894, abs=1e-4)
    assert predicted["sum"] == predicted["product"] == pytest.approx(0.445, abs=0.01)


def test_small_networks_answer_as_flax_does_and_large_ones_as_they_were_seen():
    result = made("squares")
    x = np.array([1.0, 10.0, 500.0, 1000.0])
    for name in (squares.SMALL, "square, 20 units, linear"):
        setting = result.sweep[name]
        weights = np.asarray(result.members[name].final_weights)
        assert setting.task.scaling is not None
        scaled = jnp.asarray(x * setting.task.scaling.input_factor, jnp.float32)
        inputs = jnp.broadcast_to(scaled[:, None, None], (len(x), 1, len(weights)))
        flax = networks.predict(setting.network, jnp.asarray(weights.T, jnp.float32), inputs, 0.3)
        outputs = squares.outputs(setting, weights, x)
        assert_allclose(outputs, 1e6 * np.asarray(flax[:, 0, :]).T, rtol=1e-4, atol=1.0)
        drawn = squares.answers(result, name)
        assert drawn.x.shape == drawn.y.shape == (squares.MOST_NETWORKS, squares.POINTS)
    seen = np.asarray(result.members["square"].seen)
    drawn = squares.answers(result, "square")
    assert_array_equal(drawn.x, seen[: squares.MOST_NETWORKS, :, 0])
    assert_array_equal(drawn.y, seen[: squares.MOST_NETWORKS, :, 1])
    bare = Result(result.sweep, {"square": samples.members(["other"])})
    with pytest.raises(ValueError, match="kept neither"):
        squares.answers(bare, "square")


def test_errors_of_all_are_summed_up_and_drawn_where_they_are():
    result, told = made("squares"), numbers("squares")["squares"]
    assert told["best_line"] == pytest.approx(74535.41, abs=0.01)
    for row in told["errors"]:
        found = result.members[row["setting"]]
        assert (row["smallest"], row["largest"]) == (found.rmse.min(), found.rmse.max())
        assert row["median"] == np.sort(found.rmse)[N // 2 - 1]
        assert agrees(row["below_their_line"], found.rmse < 0.999 * found.line_rmse.astype(float))
        assert agrees(row["failed"], found.names != "solved")
    axes = squares.draw_errors(Figure().add_subplot(), result, told["errors"])
    places = np.concatenate([points.get_offsets() for points in axes.collections])
    assert_array_equal(places[0], [squares.REPORTED, 0])
    wanted = np.concatenate([result.members[name].rmse for name in squares.ERRORS])
    assert_allclose(np.sort(places[1:, 0]), np.sort(wanted))


def test_one_network_that_diverged_is_no_obstacle():
    built = made("squares").sweep
    one = members(built["square"], 0, n=1)
    facts = {"rmse": np.array([np.inf]), "seen": np.asarray(one.seen), "errors": one.errors}
    lost = samples.members(["diverged"], **facts)
    result = Result(built, dict.fromkeys(made("squares").members, lost))
    row = squares.errors(result, "square")
    assert (row["median"], row["failed"]["count"]) == (None, 1)
    squares.draw(result)


def test_drawing_starts_no_backend(tmp_path):
    # JAX raises as soon as a backend is started on a platform that does not exist.
    path = tmp_path / "results"
    path.write_bytes(pickle.dumps({thread: made(thread) for thread in THREADS}))
    program = (
        "import pickle, sys; from importlib import import_module; from pathlib import Path\n"
        "for name, result in pickle.loads(Path(sys.argv[1]).read_bytes()).items():\n"
        "    import_module(f'figures.{name}').draw(result)\n"
    )
    environment = os.environ | {"JAX_PLATFORMS": "nonesuch"}
    arguments = [sys.executable, "-c", program, path]
    root = Path(command.__file__).parents[1]
    subprocess.run(arguments, check=True, cwd=root, env=environment)
