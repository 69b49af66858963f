"""How often gradient flow fails on |x|, from initial weights of any law, drawn or given.

Where weights are not independent draws (orthogonal matrices, randomised asymmetric ones) there is
no formula, but the fate of each network can still be worked out: `flow`, averaged over many.
"""

import numpy as np
from numpy.typing import ArrayLike

from jaxlab.theory.decoupling import Conditions, objections
from jaxlab.theory.flow import outcome_of_flow
from jaxlab.theory.prediction import Prediction

NAME = "gradient flow"

TOLERANCE = 0.015
"""How far Adam may be from gradient flow and still agree with it."""

SMALL = 10.0
"""Weights are small where a tenth of the networks have none beyond this many `carried`."""


def prediction(w: ArrayLike, a: ArrayLike, conditions: Conditions) -> Prediction:
    """Return P(training fails) for networks whose initial weights are these, as a record.

    `w` (kernels) and `a` (output weights) have shape (k, networks): at least 10,000 draws, so that
    sampling adds less than the tolerance. Formula: the share of networks that `outcome_of_flow`
    does not call solved. Assumptions: checked, those of `decoupling.objections`, but initial biases
    may reach a hundredth of the inputs; and weights that are not small beside the way momentum
    carries them. Where one fails the probability is None and the reason says which. Kind:
    empirical. Source: the solution of the flow; Adam keeps its signs and changes its speed.

    >>> rng = np.random.default_rng(0)
    >>> w, a = rng.uniform(-1, 1, (2, 2, 100_000))
    >>> abs(prediction(w, a, Conditions(steps=13_000)).probability - 0.7163) < 0.007
    True
    """
    w, a = np.asarray(w, dtype=float), np.asarray(a, dtype=float)
    if w.shape != a.shape or w.ndim != 2 or w.shape[1] < 10_000:
        raise ValueError(
            f"w and a have shapes {w.shape} and {a.shape}; both must be (k, networks), with at "
            "least 10000 networks"
        )
    sizes = np.maximum(np.abs(w), np.abs(a)).max(axis=0)
    reasons = objections(conditions, float(np.quantile(sizes, 0.99)), bias_share=0.01)
    if np.quantile(sizes, 0.1) < SMALL * conditions.carried:
        reasons.append("initial weights are small: Adam's momentum carries units through 0")
    fails = None if reasons else float(np.mean(outcome_of_flow(w, a) != "solved"))
    return Prediction(
        name=NAME,
        event="training_fails",
        kind="empirical",
        probability=fails,
        source="gradient flow solved for drawn initial weights",
        assumptions="ReLU; Adam at a constant rate; inputs of order 1000; long training, but "
        "lr times steps small beside the inputs",
        tolerance=None if reasons else TOLERANCE,
        reason="; ".join(reasons),
    )
