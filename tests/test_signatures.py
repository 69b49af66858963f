"""Statistical: each class's signature loss, on paper, is what networks of that class score.

Networks with given weights that do not move, on random rows: 4,000 rows each. A sample's mean
squared error lies within 6 standard deviations of the population's, so that a false alarm has a
probability below 1e-8 a network; the neighbouring signature lies at least 10 away and is refused.
"""

import numpy as np
import pytest

from jaxlab import Initialiser, Network, Optimiser, Setting, Sweep, Training, run, tasks
from jaxlab.theory import baselines

ROWS, SEEDS = 4000, 16
STILL = Training(Optimiser("sgd", learning_rate=0.0), batch_size=0, epochs=1)


def given(name: str, kernel: list[float], bias: float, activation: str = "linear") -> Setting:
    """Return one unit with these weights, which stay as they are."""
    task = tasks.of_integers(name, ROWS, 0, 499)
    values = tuple((value,) for value in kernel)
    law = Initialiser("values", values=values, bias="constant", bias_scale=bias)
    return Setting("given", task, Network((2, 1), (activation,)), (law,), STILL)


def best_affine() -> tuple[list[float], float]:
    """Return kernel and bias of the best affine function for the products of all pairs."""
    a, b = (grid.ravel().astype(float) for grid in np.meshgrid(np.arange(500), np.arange(500)))
    inputs = np.stack([a, b, np.ones_like(a)], axis=1)
    *kernel, bias = np.linalg.lstsq(inputs, a * b, rcond=None)[0].tolist()
    return kernel, bias


MEANS = {"product": 249.5**2, "sum": 499.0}
CASES = [
    *[(name, "dead", "zero", given(name, [-1.0, -1.0], 0.0, "relu")) for name in MEANS],
    *[(name, "constant", "mean", given(name, [0.0, 0.0], mean)) for name, mean in MEANS.items()],
    ("product", "linear", "affine", given("product", *best_affine())),
]


@pytest.mark.parametrize(("name", "outcome", "score", "setting"), CASES)
def test_a_class_scores_its_signature(name, outcome, score, setting):
    members = run(Sweep("still", (setting,)), SEEDS).members["given"]
    assert set(members.names) == {outcome}
    exact = (baselines.products if name == "product" else baselines.sums)(500)
    expected = float(getattr(exact, score))
    # The standard deviation of these squared errors is at most 1.6 times their mean.
    reach = 6 * 1.6 * expected / np.sqrt(ROWS) + 1e-3
    assert np.all(np.abs(members.loss - expected) < reach)
    others = {"zero", "mean", "linear", "affine"} - {score}
    nearest = min(abs(float(getattr(exact, o)) - expected) for o in others)
    assert nearest > 10 / 6 * reach
    own = {
        "zero": members.spread**2 + members.mean_target**2,
        "mean": members.spread**2,
        "affine": members.line_rmse**2,
    }[score]
    # On the member's own rows the best constant and line score less than those of all pairs.
    assert np.all(members.loss >= own * (1 - 1e-4) - 1e-3)
    assert np.all(members.loss <= own * 1.02 + 1e-3)


def test_the_constant_is_named():
    for bias, named in ((MEANS["product"], "mean"), (0.0, "zero"), (2e5, "other")):
        setting = given("product", [0.0, 0.0], bias)
        members = run(Sweep("still", (setting,)), 4).members["given"]
        assert set(members.constants) == {named}
