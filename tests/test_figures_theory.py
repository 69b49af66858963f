"""Figures that hold theory against counts: their numbers on made-up members, and what is missing.

Exact tests; within the coarseness of a map of few cells for what theory draws.
"""

from functools import cache

import matplotlib
import numpy as np
import pytest
import samples
from matplotlib import style
from numpy.testing import assert_allclose

from figures import __main__ as command
from figures import _single_units, default_initialisers, folk_to_survival
from jaxlab import plotting
from jaxlab.result import Result
from jaxlab.tally import clopper_pearson
from jaxlab.theory import momentum
from jaxlab.theory.absolute_value import one_sided_at_init, training_fails
from jaxlab.theory.prediction import Prediction
from sweeps import folk_to_survival as folk

FIGURES = {"folk_to_survival": folk_to_survival, "default_initialisers": default_initialisers}
N = 40


def said_by_flow(setting) -> Prediction:
    """Return a made-up prediction; the true one draws 200,000 networks."""
    half = 0.5 ** setting.network.widths[1]
    return Prediction("gradient flow", "training_fails", "empirical", half, "made up", "none", 0.01)


@pytest.fixture(autouse=True, scope="module")
def coarse():
    """Let theory be computed for few cells and without drawing networks."""
    caches = [folk_to_survival.living, folk_to_survival.by_map]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folk_to_survival, "CELLS", (30, 37))
        patch.setattr(default_initialisers.sweep, "by_flow", said_by_flow)
        patch.setattr(default_initialisers.sweep, "UNITS", (1, 2, 3, 4))
        patch.setattr(default_initialisers._fates, "UNITS", (2, 3, 4))
        for cached in caches:
            cached.cache_clear()
        yield
    for cached in caches:
        cached.cache_clear()


def members(setting, seed: int):
    """Return members of which as many fail as the seed says; single units live by the formula."""
    names = np.where(np.arange(N) < seed % N, "other", "solved")
    if (k := setting.network.widths[1]) > 1:
        drawn = np.random.default_rng(seed).uniform(-1, 1, (N, 3 * k + 1))
        return samples.members(list(names), initial_weights=drawn)
    weights = np.zeros((N, 4))
    b1 = setting.training.optimiser.b1
    weights[:, [0, 2]] = np.random.default_rng(seed).uniform(-8, 8, (N, 2))
    w, _, a, _ = weights.T
    alive = (a > 0) | (-a < momentum.threshold(np.abs(w)))
    lives = np.where(alive, np.where(w > 0, "right_only", "left_only"), "dead")
    return samples.members(list(lives), initial_weights=weights * folk.RATE / (1 - b1))


@cache
def made(figure: str) -> Result:
    built = FIGURES[figure].sweep.build()
    return Result(built, {s.name: members(s, i) for i, s in enumerate(built.settings)})


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.filterwarnings("error")
def test_the_same_results_give_the_same_bytes_without_warnings(figure, monkeypatch):
    monkeypatch.setattr(command, "METADATA", {"png": command.METADATA["png"]})  # a PDF takes long
    drawn = []
    for size in (7, 20):
        with (
            matplotlib.rc_context({"font.size": size}),
            style.context(dict(plotting.STYLE) | {"savefig.dpi": 40}, after_reset=True),
        ):
            pictures = FIGURES[figure].draw(made(figure)).items()
            drawn.append({k: command.contents(f, {"numbers": told}) for k, (f, told) in pictures})
    assert drawn[0] == drawn[1]
    assert figure in drawn[0]
    assert all("NaN" not in files["json"].decode() for files in drawn[0].values())


@pytest.mark.parametrize("figure", FIGURES)
def test_the_message_is_one_sentence(figure):
    message = (FIGURES[figure].__doc__ or "").splitlines()[0]
    assert message.endswith(".")
    assert len(message) > 40


@pytest.mark.parametrize("figure", FIGURES)
def test_missing_settings_are_refused_with_the_command_that_helps(figure):
    result = made(figure)
    for name in (next(iter(result.members)), list(result.members)[-1]):
        rest = Result(result.sweep, {k: m for k, m in result.members.items() if k != name})
        with pytest.raises(ValueError, match=f"python -m sweeps {figure}") as caught:
            FIGURES[figure].draw(rest)
        assert name in str(caught.value)


def test_rates_are_counts_beside_the_map_and_the_formula():
    result = made("folk_to_survival")
    rows = folk_to_survival.failure_rates(result)
    assert len(rows) == len(folk.UNITS) * len(folk.optimisers()) * len(folk.RATIOS)
    for row in rows:
        name = folk.name_of(row["k"], row["optimiser"], row["scale_over_rate"])
        tally = result.members[name].tally
        limits = clopper_pearson(tally.failed, N)
        assert (row["count"], row["n"], row["rate"]) == (tally.failed, N, tally.failed / N)
        assert (row["ci_low"], row["ci_high"]) == (limits.low, limits.high)
        assert ("formula" in row) == (row["optimiser"] in ("b1=0.9", "b1=0.95"))
    for told in folk_to_survival.agreement(rows):
        of = [r for r in rows if (r["k"], r["optimiser"]) == (told["k"], told["optimiser"])]
        errors = [row["rate"] - row[told["theory"]] for row in of]
        assert told["largest"]["error"] == max(errors, key=abs)
        within = [row["ci_low"] <= row[told["theory"]] <= row["ci_high"] for row in of]
        assert told["intervals_that_hold_it"] == sum(within)


@pytest.mark.parametrize("k", folk.UNITS)
def test_the_map_has_the_folk_and_the_survival_formula_as_limits(k):
    for b1 in folk.MEMORIES:
        assert_allclose(folk_to_survival.by_map(k, b1, 0.01), one_sided_at_init(k), atol=1e-3)
        assert_allclose(folk_to_survival.by_map(k, b1, 300.0), training_fails(k, 0.75), atol=0.02)
    assert folk_to_survival.by_map(k, None, 0.01) == training_fails(k, 0.75)
    middle = folk_to_survival.by_map(k, 0.9, 30.0)
    assert_allclose(middle, folk_to_survival.by_formula(k, 3.0), atol=0.03)


def test_b1_that_follow_the_formula_collapse_and_others_do_not():
    rows = folk_to_survival.failure_rates(made("folk_to_survival"))
    for row in rows:
        if row["scale_over_l"] is not None:
            row["rate"] = folk_to_survival.by_formula(row["k"], row["scale_over_l"])
    assert all(abs(found["largest"]) < 1e-9 for found in folk_to_survival.collapse(rows))
    odd = next(row for row in rows if (row["optimiser"], row["scale_over_rate"]) == ("b1=0.95", 10))
    odd["rate"] += 0.1
    wrong = [found for found in folk_to_survival.collapse(rows) if abs(found["largest"]) > 0.09]
    assert {(found["k"], found["b1"]) for found in wrong} == {(odd["k"], 0.95)}
    assert_allclose([found["at"] for found in wrong], 0.5)


@pytest.mark.parametrize("shift", [0.0, 0.7, -0.7])
def test_the_boundary_is_found_where_it_is(shift):
    w, a = np.random.default_rng(1).uniform(0, 8, (2, 4000))
    curve = np.clip(momentum.threshold(w) + shift, 0, 8)
    units = _single_units.Units(w, a, a < curve)
    for row in _single_units.boundary(units):
        inside = (w >= row["w_from"]) & (w < row["w_to"])
        assert row["n"] == inside.sum()
        assert row["ci_low"] <= curve[inside].mean() <= row["ci_high"]
        assert row["ci_high"] - row["ci_low"] < 1
        if shift == 0:
            assert row["rate"] == row["formula"]
            assert (row["alive_above_formula"], row["dead_below_formula"]) == (0, 0)


def test_single_units_with_a_below_0_are_read_in_units_of_l():
    result = made("folk_to_survival")
    for b1 in folk.CURVE_MEMORIES:
        units = _single_units.single_units(result, b1)
        weights = result.members[folk.curve_of(b1)].initial_weights
        assert weights is not None
        below = weights[:, 2] < 0
        assert_allclose(units.a, -weights[below, 2] * (1 - b1) / folk.RATE)
        fates = _single_units.fates(b1, units)
        assert fates["formula"]["count"] == fates["formula"]["n"] == below.sum()


@pytest.mark.parametrize("b1", [0.0, 0.9])
def test_units_far_from_the_boundary_fare_in_batches_as_without(b1):
    w, a = np.array([1.0, 20.0, 20.0, 20.0, 6.0]), np.array([1.0, -10.0, -30.0, 5.0, -60.0])
    alive = _single_units.survives_in_batches(w, a, b1)
    assert alive.tolist() == momentum.survives(w, a, 1 - b1, b1).tolist()
    assert alive.tolist() == [True, True, False, True, False]


def test_units_are_needed_until_all_later_rates_are_low():
    keys = ("rate", "ci_low", "ci_high", "predicted")
    table = ((1, 1, 1, 1), (0.009, 0, 0.1, 0.02), (0.02, 0, 0.1, 0.009), (0.009, 0, 0.1, None))
    rows = [{"k": k} | dict(zip(keys, row, strict=True)) for k, row in enumerate(table, 1)]
    found = default_initialisers.units_needed(rows)
    assert found == {"measured": 4, "low": 2, "high": None, "predicted": None}


def test_failures_stand_beside_the_formula_or_the_flow():
    result = made("default_initialisers")
    for law in default_initialisers.LOOKS:
        rows = default_initialisers.failures(result, law)
        by_flow = law in ("orthogonal", "RAI")
        for k, row in enumerate(rows, 1):
            assert row["count"] == result.members[f"{law} k={k}"].tally.failed
            assert row["prediction"] == ("gradient flow" if by_flow else "survival formula")
            if by_flow or law == "Keras":
                assert row["predicted"] == (0.5**k if by_flow else training_fails(k, 0.75))
