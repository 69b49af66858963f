"""Exact: what the threads' statements make of fabricated results; no verdict is typed in.

Every statement that counts decide is fed results that support it and results that refute it.
"""

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from jaxlab import claims, outcomes
from jaxlab.result import Members, Result
from jaxlab.spec import Setting
from jaxlab.verdicts import Verdict
from sweeps.claims import THREADS, tolerances
from sweeps.claims import absolute_value as absolute_value_claims
from sweeps.claims import doubling as doubling_claims
from sweeps.claims import negation as negation_claims
from sweeps.claims import squares as squares_claims

N = 2000
FIXED = {"N7", "N8", "D0", "D8", "A7", "S2 line", "V8", "V10"}  # no result of a sweep decides these
Facts = Mapping[str, Any]


def members(setting: Setting, share: float, facts: Facts) -> Members:
    """Return N members of which a share, the first, is solved and the others are dead."""
    solved = np.arange(N) < round(share * N)
    code = np.where(solved, outcomes.OUTCOMES.index("solved"), outcomes.OUTCOMES.index("dead"))
    checks = setting.training.checks(setting.task.rows)
    zeros = np.zeros(N, np.float32)
    regions = 2 if setting.task.name == "absolute_value" else 1
    made: dict[str, Any] = {
        "seeds": np.arange(N),
        "outcome": code.astype(np.int8),
        "loss": zeros + 10,  # of the output 0, as spread and mean below are
        "errors": np.where(solved, 0.01, 1.0)[:, None].repeat(regions, axis=1),
        "first_solved": np.where(solved, checks[-1], -1),
        "born_dead": ~solved,
        "certified": ~solved,
        "improving": np.zeros(N, bool),
        "entering": np.stack([zeros, zeros - 1], axis=1),
        "rmse": zeros + 1.0,
        "rounded_rmse": zeros,
        "line_rmse": zeros + 1.0,
        "mean_output": solved.astype(np.float32),
        "mean_target": zeros + 3,
        "spread": zeros + 1,
        "initial_weights": np.linspace(-0.3, 0.3, N)[:, None].astype(np.float32),
        "final_weights": np.tile(np.where(solved, -1.0, 1.0)[:, None], (1, 61)),
        "seen": np.zeros((N, 32, 3), np.float32),
    }
    if setting.task.name == "absolute_value":
        made["initial_weights"] = _kernels(setting, 0.5 if setting.network.widths[1] < 3 else 0.75)
    return Members(**(made | {name: make(setting) for name, make in facts.items()}))


def _kernels(setting: Setting, mixed: float) -> np.ndarray:
    """Return packed weights with kernels of both signs for a share of the members."""
    weights = np.ones((N, setting.network.parameters))
    weights[: round(mixed * N), 0] = -1.0
    return weights


def fabricated(
    thread: str, share: Callable[[Setting], float], facts: Callable[[Setting], Facts] | None = None
) -> Result:
    """Return a result in which a share of each setting is solved, with other facts if given."""
    sweep = importlib.import_module(f"sweeps.{thread}").build()
    found = {s.name: members(s, share(s), facts(s) if facts else {}) for s in sweep.settings}
    return Result(sweep, found)


def judged_claims(thread: str, found: Result) -> list[claims.Claim]:
    stated = importlib.import_module(f"sweeps.claims.{thread}").statements(found)
    return claims.decided(stated)


def judged(thread: str, found: Result) -> dict[str, Verdict]:
    return {claim.claim: claim.verdict for claim in judged_claims(thread, found)}


# What must be solved how often for the statements that compare settings to hold; others always.
HELPFUL: dict[str, dict[str, float]] = {
    "negation": {"normal, slope 0.001": 0.0, "normal, ReLU": 0.0},
    "doubling": {},
    "arithmetic": {"product": 0.0, "sum": 0.555},
    "squares": {"square, ReLU": 0.0, "square, 20 units, ReLU": 0.0},
    "absolute_value": {"k=2": 0.5, "k=3": 0.75, "k=4": 0.875},
}


def other(thread: str) -> list[Result]:
    """Return results in which other things than the share of the solved are different."""
    varied: list[Facts] = [
        {"entering": lambda s: np.stack([np.zeros(N), np.ones(N)], axis=1), "born_dead": none},
        {"born_dead": none, "entering": _leaning},
        {"born_dead": none, "entering": lambda s: -_leaning(s)},
        {"rmse": lambda s: np.full(N, 0.5), "rounded_rmse": lambda s: np.ones(N)},
        {"born_dead": none, "loss": lambda s: np.ones(N), "seen": _signed},
        {"first_solved": _by_spare(1), "outcome": _all_are("right_only")},
        {"first_solved": _by_spare(-1), "outcome": _all_are("linear")},
        {"first_solved": _as_predicted},
        {"initial_weights": _one_sided},
    ]
    return [
        fabricated(thread, lambda s, share=share: share, lambda _, facts=facts: facts)
        for facts in varied
        for share in (0.0, 0.5)
    ]


def _one_sided(setting: Setting) -> np.ndarray:
    if setting.task.name == "absolute_value":
        return _kernels(setting, 0.0)
    return np.linspace(-0.3, 0.3, N)[:, None]


def none(setting: Setting) -> np.ndarray:
    return np.zeros(N, bool)


def _leaning(setting: Setting) -> np.ndarray:
    # More units, more of them below: an even spread moved down by the logarithm of the width.
    values = np.linspace(-3, 3, N) - np.log10(max(setting.network.widths))
    return np.stack([values, values], axis=1)


def _signed(setting: Setting) -> np.ndarray:
    seen = np.zeros((N, 32, 3), np.float32)
    seen[..., 2] = -1.0
    return seen


def _by_spare(sign: int) -> Callable[[Setting], np.ndarray]:
    def first(setting: Setting) -> np.ndarray:
        checks = setting.training.checks(setting.task.rows)
        spare = setting.task.name == "square_and_spare"
        return np.full(N, checks[-1] if spare == (sign > 0) else checks[len(checks) // 2])

    return first


def _all_are(outcome: str) -> Callable[[Setting], np.ndarray]:
    return lambda setting: np.full(N, outcomes.OUTCOMES.index(outcome), np.int8)


def _as_predicted(setting: Setting) -> np.ndarray:
    if setting.task.name != "negation":
        return np.full(N, setting.training.checks(setting.task.rows)[-1])
    steps = np.ceil(np.maximum(np.linspace(-0.3, 0.3, N).astype(np.float32), 0) / 0.002)
    return np.maximum(steps, 1).astype(int)


@pytest.mark.parametrize("thread", THREADS)
def test_every_verdict_follows_from_results(thread):
    helpful = HELPFUL[thread]
    plain = [lambda s: 0.0, lambda s: 1.0, lambda s: 0.5, lambda s: helpful.get(s.name, 1.0)]
    results = [fabricated(thread, share) for share in plain] + other(thread)
    seen: dict[str, set[str]] = {}
    for found in results:
        for claim, verdict in judged(thread, found).items():
            seen.setdefault(claim, set()).add(str(verdict))
    needed = {"supported", "refuted"}
    stuck = {c: v for c, v in seen.items() if c not in FIXED and not v >= needed}
    assert not stuck


def test_exact_checks_flip_with_what_they_check(monkeypatch):
    found = fabricated("doubling", lambda s: 0.5)
    assert judged("doubling", found)["D0"] == "supported"
    monkeypatch.setattr(doubling_claims, "LOG", ((8533280000.0, 1, 79_999),))
    assert judged("doubling", found)["D0"] == "refuted"
    found = fabricated("squares", lambda s: 0.5)
    assert judged("squares", found)["S2 line"] == "supported"
    monkeypatch.setattr(squares_claims, "REPORTED", 90_000.0)
    assert judged("squares", found)["S2 line"] == "refuted"

    def graded(targets, outputs, **_):
        return 1 - float(np.abs(targets - outputs).mean() / np.abs(targets).mean())

    results = {thread: fabricated(thread, lambda s: 0.5) for thread in ("doubling", "arithmetic")}
    claims_of = {"doubling": "D8", "arithmetic": "A7"}
    for thread, claim in claims_of.items():
        assert judged(thread, results[thread])[claim] == "supported"
    monkeypatch.setattr(doubling_claims, "accuracy", graded)
    for thread, claim in claims_of.items():
        assert judged(thread, results[thread])[claim] == "refuted"


def test_exact_solutions_are_put_through_the_network(monkeypatch):
    found = fabricated("absolute_value", lambda s: 0.0)
    assert {judged("absolute_value", found)[claim] for claim in ("V8", "V10")} == {"refuted"}
    monkeypatch.setattr(absolute_value_claims, "predict", lambda network, w, x, slope: x)
    assert {judged("absolute_value", found)[claim] for claim in ("V8", "V10")} == {"supported"}


def test_a_network_that_gives_the_target_refutes_that_nothing_can(monkeypatch):
    found = fabricated("negation", lambda s: 0.0)
    assert {judged("negation", found)[claim] for claim in ("N7", "N8")} == {"refuted"}
    monkeypatch.setattr(negation_claims, "predict", lambda *_: np.zeros((1, 1)))

    def along_an_axis(weights, rows):
        return weights[0] * rows.sum(axis=0) + weights[1]

    monkeypatch.setattr(negation_claims, "dense", along_an_axis)
    assert {judged("negation", found)[claim] for claim in ("N7", "N8")} == {"supported"}


ENDED = {name: outcomes.OUTCOMES.index(name) for name in outcomes.OUTCOMES}


@pytest.mark.parametrize(
    ("right", "left", "dead", "expected"),
    [
        (800, 600, 0, "supported"),
        (700, 700, 0, "refuted"),  # one side only, neither more often
        (600, 800, 0, "refuted"),
        (900, 400, 200, "refuted"),  # the right one more often, but not one side only
        (740, 660, 0, "undecided"),
        (0, 0, 0, "undecided"),
    ],
)
def test_one_side_only_and_more_often_the_right_one_are_both_judged(right, left, dead, expected):
    code = np.full(N, ENDED["solved"], np.int8)
    code[:right], code[right : right + left] = ENDED["right_only"], ENDED["left_only"]
    code[right + left : right + left + dead] = ENDED["dead"]
    found = fabricated("absolute_value", lambda s: 0.0, lambda s: {"outcome": lambda _: code})
    assert judged("absolute_value", found)["V1"] == expected


@pytest.mark.parametrize(
    ("silent", "scored", "expected"),
    [(900, 900, "supported"), (900, 899, "refuted"), (899, 900, "refuted"), (0, 0, "undecided")],
)
def test_a_loss_is_a_signature_if_all_and_only_silent_networks_have_it(silent, scored, expected):
    facts = {
        "mean_output": lambda s: (np.arange(N) >= silent).astype(float),
        "loss": lambda s: np.where(np.arange(N) < scored, 10.0, 3.0),
    }
    found = fabricated("arithmetic", lambda s: 0.0, lambda s: facts)
    assert judged("arithmetic", found)["A2 loss"] == expected


@pytest.mark.parametrize(
    ("late", "expected"),
    [(0, "refuted"), (20, "refuted"), (90, "undecided"), (200, "supported"), (-200, "refuted")],
)
def test_a_spare_input_delays_if_five_points_fewer_are_solved_by_the_middle(late, expected):
    def first(setting: Setting) -> np.ndarray:
        checks = setting.training.checks(setting.task.rows)
        soon = N // 2 + 150 - (late if setting.task.name == "square_and_spare" else 0)
        return np.where(np.arange(N) < soon, checks[len(checks) // 2], checks[-1])

    found = fabricated("squares", lambda s: 1.0, lambda s: {"first_solved": first})
    assert judged("squares", found)["S8"] == expected


@pytest.mark.parametrize(("dead", "expected"), [(N, "supported"), (N // 2, "refuted")])
def test_death_after_two_steps_at_every_width_settles_that_none_learns(dead, expected):
    # The widest alone lives; whoever is not certified is no member that cannot learn.
    def code(setting: Setting) -> np.ndarray:
        widest = setting.name.startswith("256 units")
        alive = np.arange(N) >= (dead if widest else N)
        return np.where(alive, ENDED["other"], ENDED["dead"]).astype(np.int8)

    found = fabricated("doubling", lambda s: 0.0, lambda s: {"outcome": code})
    assert judged("doubling", found)["D1 any"] == expected


@pytest.mark.parametrize(("left", "expected"), [(0.2, "supported"), (0.8, "refuted")])
def test_learning_is_judged_by_what_the_best_constant_leaves(left, expected):
    facts = {"rmse": lambda s: np.full(N, left**0.5)}
    found = fabricated("doubling", lambda s: 0.0, lambda s: facts)
    assert [judged("doubling", found)[c] for c in ("D6", "D7")] == [expected] * 2


def test_one_network_of_many_learns_no_square_but_one_nan_is_one():
    assert judged("squares", fabricated("squares", lambda s: 1 / N))["S6"] == "refuted"
    assert judged("squares", fabricated("squares", lambda s: 1.0))["S6"] == "supported"

    def one_nan(_: Setting) -> np.ndarray:
        seen = np.zeros((N, 32, 3), np.float32)
        seen[0, :, 2] = -1.0
        return seen

    found = fabricated("arithmetic", lambda s: 1.0, lambda s: {"seen": one_nan})
    assert judged("arithmetic", found)["A8"] == "supported"


def with_notes(share: float, error: float) -> dict[str, claims.Claim]:
    """Return the claims on 2x with a share of networks at an error, the others at 1."""
    errors = np.where(np.arange(N) < round(share * N), error, 1.0)[:, None]
    found = fabricated(
        "doubling", lambda s: share * (error <= 0.1), lambda s: {"errors": lambda _: errors}
    )
    state = doubling_claims.statements
    stated = claims.decided(state(found))
    return {c.claim: c for c in tolerances.noted(stated, tolerances.restated(state, found))}


@pytest.mark.parametrize(
    ("error", "verdicts"),
    [
        (0.01, ""),
        (0.07, "at 5 % refuted (0.0 %), at 10 % supported (100.0 %), at 20 % supported (100.0 %)"),
        (0.11, "at 5 % refuted (0.0 %), at 10 % refuted (0.0 %), at 20 % supported (100.0 %)"),
        (0.30, ""),
    ],
)
def test_a_verdict_that_hangs_on_the_tolerance_says_so(error, verdicts):
    evidence = with_notes(1.0, error)["D7 longer"].evidence
    assert evidence.endswith(verdicts)
    assert ("hangs on the error" in evidence) is bool(verdicts)
    assert "hangs on" not in with_notes(1.0, error)["D0"].evidence


def test_members_are_judged_again_by_their_errors():
    setting = importlib.import_module("sweeps.doubling").build().settings[0]
    errors = np.array([0.01, 0.07, 0.15, np.nan, 0.01])[:, None]
    code = np.array([ENDED[n] for n in ("solved", "solved", "dead", "other", "diverged")], np.int8)
    whole = members(setting, 0.0, {})
    some = dataclasses.replace(whole, errors=errors, outcome=code, seeds=np.arange(5))
    named = {t: tolerances.at_tolerance(some, t).names.tolist() for t in tolerances.TOLERANCES}
    assert named[0.05] == ["solved", "other", "dead", "other", "diverged"]
    assert named[0.1] == ["solved", "solved", "dead", "other", "diverged"]
    assert named[0.2] == ["solved", "solved", "solved", "other", "diverged"]
    shares = [tolerances.failure_share(some, t) for t in tolerances.TOLERANCES]
    assert shares == [0.8, 0.6, 0.4]


def test_what_keras_calls_accuracy_is_what_it_reports():
    targets, outputs = np.array([0.0, 1.0, 2.0]), np.array([0.2, 0.9, 2.0])
    assert doubling_claims.accuracy(targets, outputs, rounded=True) == 1.0
    assert doubling_claims.accuracy(targets, outputs, rounded=False) == pytest.approx(2 / 3)


def test_ids_are_unique_and_every_thread_has_its_sweep():
    ids = []
    for thread in THREADS:
        found = fabricated(thread, lambda s: 0.5)
        stated = importlib.import_module(f"sweeps.claims.{thread}").statements(found)
        ids += [statement.claim for statement in stated]
        threads = {statement.thread.split(":")[0].replace(" ", "_") for statement in stated}
        assert threads == {thread}
    assert len(set(ids)) == len(ids) > 60
    assert dataclasses.is_dataclass(claims.Claim)
