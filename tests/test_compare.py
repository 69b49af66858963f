"""Exact tests of one rate and the verdicts: exact, by full enumeration and against statsmodels.

Only Holm's familywise error is statistical; that test states its error rates. Every verdict has
data that must flip it: the same count against a wrong prediction.
"""

import math
from dataclasses import fields
from fractions import Fraction
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import binom_tost

from jaxlab.compare import (
    Alternative,
    Comparison,
    Verdict,
    binomial_test,
    can_fail,
    compare_all,
    equivalence,
    holm,
)
from jaxlab.theory.prediction import Prediction

# Tails of at most 12 trials, summed in floating point.
RTOL = 1e-12


def pmf(k, n, p):
    return math.comb(n, k) * p**k * (1 - p) ** (n - k)


@pytest.mark.parametrize("p", [0.0, 0.125, 0.5, 0.71875, 1.0])
def test_binomial_p_values_are_the_sums_they_stand_for(p):
    rate = Fraction(p)
    for n in (1, 5, 12):
        mass: list[Fraction] = [pmf(k, n, rate) for k in range(n + 1)]
        for count in range(n + 1):
            expected: dict[Alternative, Fraction] = {
                "less": sum(mass[: count + 1], Fraction(0)),
                "greater": sum(mass[count:], Fraction(0)),
                "two-sided": sum((m for m in mass if m <= mass[count]), Fraction(0)),
            }
            for alternative, value in expected.items():
                got = binomial_test(count, n, p, alternative)
                assert got == pytest.approx(float(value), rel=RTOL, abs=0)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 40), st.just(0.0) | st.floats(1e-280, 1), st.floats(0.001, 0.2))
def test_binomial_test_keeps_its_level(n, p, alpha):
    mass = binom.pmf(np.arange(n + 1), n, p)
    for alternative in get_args(Alternative):
        p_values = np.array([binomial_test(k, n, p, alternative) for k in range(n + 1)])
        assert mass[p_values <= alpha].sum() <= alpha * (1 + 1e-9)


def test_rates_next_to_nothing_count_as_nothing():
    for p in (5e-324, 1e-308, 1e-291, 1e-289):
        assert binomial_test(0, 10**6, p) == 1
        assert binomial_test(1, 10**6, p) < 1e-280


def test_no_trials_are_no_evidence():
    assert binomial_test(0, 0, 0.0) == binomial_test(0, 0, 0.3, "less") == 1


def test_equivalence_agrees_with_statsmodels():
    for count, n, p, margin in [(5, 10, 0.5, 0.2), (281, 1000, 0.28, 0.02), (3, 90, 0.05, 0.05)]:
        oracle = binom_tost(count, n, p - margin, p + margin)[0]
        assert equivalence(count, n, p, margin) == pytest.approx(oracle, rel=1e-10)


@pytest.mark.parametrize(("p", "margin"), [(0.5, 0.1), (0.3, 0.2), (0.02, 0.05), (0.97, 0.05)])
@pytest.mark.parametrize("n", [20, 150])
def test_equivalence_keeps_its_level_at_both_edges(p, margin, n):
    counts = np.arange(n + 1)
    shown = np.array([equivalence(k, n, p, margin) < 0.05 for k in counts])
    for edge in (p - margin, p + margin):
        if 0 <= edge <= 1:
            assert binom.pmf(counts, n, edge)[shown].sum() <= 0.05
    # Within the margin it must be shown for some counts, or keeping the level says nothing.
    assert n == 20 or shown[round(n * p)]


def test_equivalence_with_hypotheses_no_rate_can_meet():
    assert equivalence(0, 1, 0.5, 0.6) == 0
    assert equivalence(0, 40, 0.02, 0.1) == pytest.approx(0.88**40, rel=RTOL)
    # A rate of exactly p - margin = 0 is no closer than the margin.
    assert equivalence(0, 10**6, 0.25, 0.25) == 1


p_value_lists = st.lists(st.floats(0, 1), min_size=1, max_size=20)


# Few examples: the oracle takes 40 ms a call.
@settings(deadline=None, max_examples=20)
@given(p_value_lists)
def test_holm_agrees_with_statsmodels(p_values):
    oracle: Any = multipletests(p_values, method="holm")[1]
    assert holm(p_values).tolist() == pytest.approx(oracle.tolist(), rel=RTOL)


@settings(deadline=None)
@given(p_value_lists, st.randoms(use_true_random=False))
def test_holm_ignores_order_and_those_outside_the_family(p_values, random):
    shuffled = [*p_values, None, math.nan]
    random.shuffle(shuffled)
    adjusted = holm(shuffled)
    inside = np.array([p is not None and not math.isnan(p) for p in shuffled])
    assert np.array_equal(np.isnan(adjusted), ~inside)
    assert sorted(adjusted[inside].tolist()) == sorted(holm(p_values).tolist())


def test_holm_of_nothing():
    assert holm([]).size == 0
    assert np.isnan(holm([None])).all()


@pytest.mark.parametrize("key", [1, 2, 3])
@pytest.mark.parametrize("false_nulls", [0, 2])
def test_holm_bounds_the_chance_of_any_false_rejection(key, false_nulls):
    # False-fail rate 1e-6 a case, by the exact binomial tail at an error of 0.05. A procedure
    # with an error of 0.065 or more passes with probability below 1e-4.
    families, tests = 20_000, 5
    p_values = np.random.default_rng(key).random((families, tests))
    p_values[:, :false_nulls] = 1e-9
    most = binom.isf(1e-6, families, 0.05)
    assert binom.cdf(most, families, 0.065) < 1e-4
    adjusted = np.array([holm(row) for row in p_values])
    assert (adjusted[:, false_nulls:] < 0.05).any(1).sum() <= most
    assert (p_values[:, false_nulls:] < 0.05).any(1).sum() > most


def predict(kind, probability, **more):
    if kind in ("asymptotic", "empirical"):
        more.setdefault("tolerance", 0.02)
    return Prediction(
        name="the law",
        event="training_fails",
        kind=kind,
        probability=probability,
        source="somewhere",
        assumptions="none",
        **more,
    )


def verdict(kind, probability, count, n, **more):
    (row,) = compare_all([("k=2", count, n, predict(kind, probability, **more))])
    return row.verdict


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("exact", 0.5, 0.53),
        ("exact", 0.5, 0.47),
        ("lower bound", 0.5, 0.53),
        ("lower bound", 0.1, 0.9),
        ("upper bound", 0.5, 0.47),
        ("upper bound", 0.9, 0.1),
        ("asymptotic", 0.51, 0.54),
        ("empirical", 0.49, 0.46),
    ],
)
def test_the_same_count_rejects_a_wrong_prediction(kind, right, wrong):
    assert verdict(kind, right, 10_000, 20_000) == Verdict.CONSISTENT
    assert verdict(kind, wrong, 10_000, 20_000) == Verdict.REJECTED


@pytest.mark.parametrize("kind", ["exact", "lower bound", "upper bound", "empirical"])
def test_few_seeds_decide_nothing_they_do_not_refute(kind):
    assert verdict(kind, 0.5, 50, 100) == Verdict.UNDECIDED
    assert verdict(kind, 0.5, 0, 0) == Verdict.UNDECIDED


def test_few_seeds_may_still_refute():
    assert verdict("exact", 0.5, 0, 20) == Verdict.REJECTED
    assert verdict("lower bound", 0.5, 0, 20) == Verdict.REJECTED
    assert verdict("upper bound", 0.5, 20, 20) == Verdict.REJECTED
    assert verdict("empirical", 0.5, 0, 20) == Verdict.REJECTED


@pytest.mark.parametrize(("kind", "edge"), [("lower bound", 0.0), ("upper bound", 1.0)])
@pytest.mark.parametrize(("count", "n"), [(0, 0), (0, 5), (3, 5), (5000, 20_000), (20_000, 20_000)])
def test_a_bound_that_holds_whatever_is_counted_is_vacuous(kind, edge, count, n):
    assert verdict(kind, edge, count, n) == Verdict.VACUOUS


@pytest.mark.parametrize(("kind", "worst"), [("lower bound", 0), ("upper bound", 1)])
def test_a_bound_is_vacuous_where_even_the_worst_count_would_keep_it(kind, worst):
    # (1 - p)^n is the chance of no hit at all: 1e-3 is passed at p = 6.905e-4 for n = 10,000.
    for share, can in ((6.8e-4, False), (7.0e-4, True)):
        p = share if kind == "lower bound" else 1 - share
        assert can_fail(predict(kind, p), 10_000) is can
        kept = 10_000 * (1 - worst)  # the other end, where the bound is kept for certain
        expected = Verdict.CONSISTENT if can else Verdict.VACUOUS
        assert verdict(kind, p, kept, 10_000) == expected
        assert (verdict(kind, p, 10_000 * worst, 10_000) == Verdict.REJECTED) is can


def test_a_bound_that_more_seeds_could_contradict_is_undecided():
    assert verdict("lower bound", 0.05, 10, 20) == Verdict.UNDECIDED
    assert not can_fail(predict("lower bound", 0.05), 20)
    assert can_fail(predict("exact", 0.0), 1)
    assert can_fail(predict("empirical", 0.5), 1)


def test_vacuous_bounds_are_in_no_family():
    rows = [("k=2", 60, 200, predict("exact", 0.25)), ("k=2", 60, 200, predict("lower bound", 0.0))]
    exact, vacuous = compare_all(rows)
    assert exact.p_holm == exact.p_value
    assert (vacuous.p_value, vacuous.p_holm) == (1.0, None)


def test_one_event_refutes_certainty():
    assert verdict("exact", 0.0, 0, 1000) == Verdict.CONSISTENT
    assert verdict("exact", 0.0, 1, 1000) == Verdict.REJECTED
    assert verdict("upper bound", 0.0, 1, 1000) == Verdict.REJECTED
    assert verdict("exact", 1.0, 999, 1000) == Verdict.REJECTED


def test_the_resolution_of_one_point_is_reached_between_two_neighbouring_n():
    # At half of n the exact half-width falls below 0.01 between 9,700 and 9,702.
    assert verdict("exact", 0.5, 4850, 9700) == Verdict.UNDECIDED
    assert verdict("exact", 0.5, 4851, 9702) == Verdict.CONSISTENT


def test_the_rejection_level_lies_between_two_neighbouring_counts():
    n = 20_000
    count = next(k for k in range(10_000, n) if binomial_test(k, n, 0.5) < 1e-3)
    assert verdict("exact", 0.5, count, n) == Verdict.REJECTED
    assert verdict("exact", 0.5, count - 1, n) == Verdict.CONSISTENT
    # In a family of two the same count is no longer enough.
    other = ("k=3", 10_000, n, predict("lower bound", 0.5))
    rows = compare_all([("k=2", count, n, predict("exact", 0.5)), other])
    assert [row.verdict for row in rows] == [Verdict.CONSISTENT, Verdict.CONSISTENT]


@pytest.mark.parametrize("probability", [0.475, 0.525])
def test_between_equivalent_and_disjoint_is_undecided(probability):
    # The interval 0.5 +- 0.007 against a limit of 0.495 or 0.505: neither inside nor disjoint.
    assert verdict("asymptotic", probability, 10_000, 20_000) == Verdict.UNDECIDED
    assert verdict("asymptotic", probability, 10_000, 20_000, tolerance=0.04) == Verdict.CONSISTENT
    assert verdict("asymptotic", probability, 10_000, 20_000, tolerance=0.01) == Verdict.REJECTED


def test_the_equivalence_level_lies_between_two_neighbouring_counts():
    n = 20_000
    count = next(k for k in range(9000, n) if equivalence(k, n, 0.5, 0.02) < 0.05)
    assert verdict("empirical", 0.5, count, n) == Verdict.CONSISTENT
    assert verdict("empirical", 0.5, count - 1, n) == Verdict.UNDECIDED


def test_rows_carry_what_they_were_made_of():
    rows = compare_all(
        [
            ("k=2", 60, 200, predict("exact", 0.25)),
            ("k=2", 60, 200, predict("exact", None, reason="biases are random")),
            ("k=3", 50, 200, predict("asymptotic", 0.25)),
            ("k=4", 60, 200, predict("upper bound", 0.25)),
        ]
    )
    two_sided = binomial_test(60, 200, 0.25)
    above = binomial_test(60, 200, 0.25, "greater")
    assert [row.setting for row in rows] == ["k=2", "k=2", "k=3", "k=4"]
    assert [row.p_value for row in rows] == [
        two_sided,
        None,
        equivalence(50, 200, 0.25, 0.02),
        above,
    ]
    # Only the exact one and the bound are a family.
    assert [row.p_holm for row in rows] == [
        pytest.approx(max(two_sided, 2 * above), rel=RTOL),
        None,
        None,
        pytest.approx(2 * above, rel=RTOL),
    ]
    assert rows[1].verdict == Verdict.NO_PREDICTION
    assert rows[1].predicted is None
    first = rows[0]
    assert (first.prediction, first.event, first.source) == (
        "the law",
        "training_fails",
        "somewhere",
    )
    assert (first.observed, first.predicted, first.kind) == (0.3, 0.25, "exact")
    assert (first.ci_low, first.ci_high) == pytest.approx((0.2373, 0.3686), abs=1e-4)


def test_the_row_has_the_columns_of_the_file():
    columns = (
        *("setting", "event", "n", "count", "observed", "ci_low", "ci_high", "prediction"),
        *("kind", "predicted", "p_value", "p_holm", "verdict", "source"),
    )
    assert tuple(field.name for field in fields(Comparison)) == columns
    assert str(Verdict.NO_PREDICTION) == "no prediction"


def test_nothing_to_compare():
    assert compare_all([]) == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: binomial_test(5, 4, 0.5), "count=5"),
        (lambda: binomial_test(1, 4, 1.5), "p=1.5"),
        (lambda: binomial_test(1, 4, math.nan), "p=nan"),
        (lambda: binomial_test(1, 4, 0.5, "larger"), "alternative='larger'"),  # pyright: ignore[reportArgumentType]
        (lambda: equivalence(1, 4, -0.1, 0.1), "p=-0.1"),
        (lambda: equivalence(1, 4, 0.5, 0.0), "margin=0.0"),
        (lambda: equivalence(1, 4, 0.5, math.nan), "margin=nan"),
        (lambda: holm([0.1, 1.1]), "p_values"),
        (lambda: compare_all([("k=2", 3, 2, predict("exact", 0.5))]), "count=3"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
