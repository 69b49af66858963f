"""One unit from -1 to 1 under Adam, against single units followed in float64.

Kind: exact (bounds, reasons) and rounding (simulated flips, to one step where that is claimed).
Nothing is random: laws are put through their quantiles.
"""

import numpy as np
import pytest
from scipy import stats

from jaxlab.theory.laws import PointMass
from jaxlab.theory.negation import (
    LARGEST_STEP,
    fate,
    flip_step,
    not_flipped,
    predictions,
    reach,
    step_size,
    stuck,
    too_late,
)

NORMAL, UNIFORM, GLOROT = stats.norm(0, 0.05), stats.uniform(-0.05, 0.1), stats.uniform(-1.7, 3.4)


def follow(w0, slope, rate, steps, eps=1e-7):
    """Return (step at which z became positive or inf, z after every step) under Keras's Adam."""
    w = np.array(w0, dtype=float)
    b, mean, square = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    path = [-w]
    for t in range(1, steps + 1):
        z = b - w
        gradient = np.where(z > 0, 2 * (z - 1), 2 * slope * (slope * z - 1))
        mean += 0.1 * (gradient - mean)
        square += 0.001 * (gradient**2 - square)
        correction = np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        step = rate * correction * mean / (np.sqrt(square) + eps)
        w, b = w + step, b - step
        path.append(b - w)
    z = np.array(path)
    return np.where((z > 0).any(axis=0), np.argmax(z > 0, axis=0), np.inf), z


def missed(z, slope, tolerance=0.1):
    output = np.where(z[-1] > 0, z[-1], slope * z[-1])
    return np.abs(output - 1) > tolerance


@pytest.mark.parametrize("slope", [1e-4, 1e-3, 0.01, 0.1, 0.3])
@pytest.mark.parametrize("rate", [0.001, 0.01])
def test_the_flip_comes_at_the_step_foretold(slope, rate):
    w0 = np.linspace(-0.1, 0.15, 97) + 1e-5  # off the lattice, where rounding would decide
    flip, _ = follow(w0, slope, rate, 120)
    late = flip - flip_step(w0, rate)
    assert late.min() == 0
    assert late.max() <= 1
    # The negative control: as if one weight moved alone.
    assert np.max(np.abs(flip - flip_step(w0, rate / 2))) > 5


def test_the_flip_is_later_than_foretold_for_large_weights_and_tiny_slopes():
    for w0, slope in ((1.7, 0.3), (0.1, 1e-6)):
        flip, _ = follow([w0], slope, 0.001, 1_200)
        assert flip[0] > flip_step(w0, 0.001) + 10


@pytest.mark.parametrize("slope", [1e-8, 1e-6, 1e-5, 1e-3, 0.3, 1.0])
@pytest.mark.parametrize("steps", [1, 10, 300])
def test_reach_brackets_the_largest_kernel_that_flips(slope, steps):
    w0 = np.linspace(0.0, 2.2e-3 * steps, 400) + 1e-7
    flip, _ = follow(w0, slope, 0.001, steps)
    near, far = reach(slope, 0.001, steps)
    largest = w0[flip <= steps].max(initial=0.0)
    assert near - (w0[1] - w0[0]) <= largest <= far
    assert near < far


@pytest.mark.parametrize("slope", [1e-6, 1e-5, 1e-3])
def test_steps_have_the_size_foretold(slope):
    _, z = follow([5.0], slope, 1e-6, 1_000)  # so slow that the gradient is constant
    steps = np.arange(1, 1_001)
    assert np.diff(z[:, 0]) / 2 == pytest.approx(step_size(steps, slope, 1e-6), rel=1e-4)
    assert step_size(steps, 0.0, 1e-6).tolist() == [0.0] * 1_000


def test_no_step_is_larger_than_the_largest():
    # Gradients that grow by b2/b1 a step attain the supremum in the limit.
    t = 3_000
    ratio = 0.9**2 / 0.999
    size = 0.1 / 0.001**0.5 * sum(ratio**j for j in range(t)) ** 0.5
    size *= (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)
    assert size < LARGEST_STEP == pytest.approx(size / (1 - 0.999**t) ** 0.5, abs=1e-4)


@pytest.mark.parametrize("law", [NORMAL, UNIFORM, GLOROT])
@pytest.mark.parametrize(("slope", "steps"), [(1e-3, 15), (0.01, 30), (0.3, 30), (0.3, 800)])
def test_predictions_hold_for_the_law_put_through_its_quantiles(law, slope, steps):
    cells = 20_000
    w0 = law.ppf((np.arange(cells) + 0.5) / cells)
    flip, z = follow(w0, slope, 0.001, steps)
    found = {"not_flipped": np.mean(flip > steps), "training_fails": np.mean(missed(z, slope))}
    for said in predictions(law, slope, 0.001, steps):
        if said.probability is None:
            assert "too short" in said.reason
        elif said.kind == "exact":
            assert found[said.event] == pytest.approx(said.probability, abs=1.5e-4)
        elif said.kind == "lower bound":
            assert found[said.event] >= said.probability - 1 / cells
        else:
            assert found[said.event] <= said.probability + 1 / cells


def test_closed_forms_of_not_flipped():
    assert not_flipped(NORMAL, 0.001, 25) == pytest.approx(stats.norm.sf(1))
    assert not_flipped(UNIFORM, 0.001, 10) == pytest.approx((0.05 - 0.02) / 0.1)
    assert not_flipped(NORMAL, 0.001, 10_000) == 0
    assert not_flipped(PointMass(-1.0), 0.001, 1) == 0


def test_a_plain_relu_is_stuck_by_its_sign_alone():
    assert [stuck(law) for law in (NORMAL, UNIFORM, GLOROT)] == [0.5] * 3
    assert [stuck(PointMass(value)) for value in (-1.0, 0.0, 1.0)] == [0, 1, 1]
    w0 = np.array([-3.0, -0.05, -1e-6, 0.0, 1e-6, 0.05, 3.0])
    flip, z = follow(w0, 0.0, 0.001, 9_000)
    assert missed(z, 0.0).tolist() == np.isinf(flip).tolist() == (w0 >= 0).tolist()


@pytest.mark.parametrize("rate", [0.001, 0.01])
@pytest.mark.parametrize("slope", [0.0, 1e-4, 1e-3, 0.1, 0.3, 1.0])
@pytest.mark.parametrize("limit", [1, 4])
def test_long_training_arrives(slope, rate, limit):
    w0, steps = np.linspace(-limit, limit, 61), round(3 * limit / rate)
    w0 = w0[w0 < 0] if slope == 0 else w0
    _, z = follow(w0, slope, rate, steps)
    assert not missed(z, slope).any()
    assert slope > 0 or z.min() > 0  # a plain ReLU would be dead below 0
    said = predictions(stats.uniform(-limit, 2 * limit), slope, rate, steps)[-1]
    assert (said.kind, said.probability) == (("empirical", 0) if slope else ("exact", 0.5))


def test_too_late_grows_as_time_shrinks():
    found = [too_late(GLOROT, 0.001, steps) for steps in (1, 100, 500, 800, 10_000)]
    assert found == sorted(found, reverse=True)
    assert found[0] == 0.5
    assert found[-1] == 0
    assert all(late >= not_flipped(GLOROT, 0.001, 500) for late in found[:3])


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((NORMAL, 1e-5, 0.001, 10_000), "slope"),
        ((NORMAL, 0.1, 0.1, 10_000), "learning rate is 0.1"),
        ((NORMAL, 0.1, 0.001, 1_000), "too short"),
        ((PointMass(5.0), 0.1, 0.001, 100_000), "beyond 4"),
        ((None, 0.1, 0.001, 10_000), "no known law"),
    ],
)
def test_what_cannot_be_said_is_withheld_with_its_reason(arguments, word):
    said = predictions(*arguments)[-1]
    assert (said.event, said.probability) == ("training_fails", None)
    assert word in said.reason


def test_short_training_with_a_plain_relu_is_a_bound():
    kinds = [said.kind for said in predictions(NORMAL, 0, 0.001, 100)]
    assert kinds == ["exact", "lower bound"]


def test_a_constant_kernel_of_minus_one_solves_at_once():
    said = predictions(PointMass(-1.0), 0.001, 0.001, 10_000)
    assert {(p.event, p.probability) for p in said} == {("not_flipped", 0), ("training_fails", 0)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((NORMAL, 1.5, 0.001, 1), "slope is 1.5"), ((NORMAL, 0.1, 0.0, 1), "learning_rate and steps")],
)
def test_impossible_numbers_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        predictions(*arguments)


@pytest.mark.parametrize("rate", [0.001, 0.01])
@pytest.mark.parametrize("slope", [0.0, 0.001, 0.3])
def test_fates_are_what_units_followed_step_by_step_meet(slope, rate):
    w0 = np.linspace(-4, 4, 81)  # 0 among them
    seen = set()
    for steps in (round(0.5 / rate), round(3 / rate), round(12 / rate)):
        expected = fate(w0, slope, rate, steps)
        _, z = follow(w0, slope, rate, steps)
        lost = missed(z, slope)
        assert not lost[expected == "solved"].any()
        assert lost[(expected == "dead") | (expected == "unfinished")].all()
        assert np.array_equal(expected == "dead", (w0 >= 0) & (slope == 0))
        seen |= set(expected.tolist())
    assert seen == ({"solved", "dead", ""} if slope == 0 else {"solved", "unfinished", ""})
    assert "" not in fate(w0, slope, rate, round(12 / rate))


def test_no_fate_is_told_where_units_were_not_followed():
    assert fate([-5.0, -1.0], 0.1, 0.001, 100_000).tolist() == ["", "solved"]
    assert fate([-1.0], 1e-5, 0.001, 100_000).tolist() == [""]
    assert fate([-1.0, 1.0], 0.0, 0.1, 100_000).tolist() == ["", "dead"]
    with pytest.raises(ValueError, match="learning_rate and steps"):
        fate([1.0], 0.1, 0.001, 0)
