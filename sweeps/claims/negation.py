"""The thread on turning -1 into 1 with one unit."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxlab.claims import Statement
from jaxlab.networks import predict
from jaxlab.result import Members, Result
from jaxlab.theory import Prediction
from jaxlab.theory import negation as theory
from jaxlab.verdicts import both, exactly, helps, never, works
from sweeps import negation as sweep
from sweeps.claims.evidence import (
    count,
    failures_by_class,
    half_solved,
    over,
    percent,
    succeeds,
    success,
)

TITLE = "negation: one unit should turn -1 into 1"
SHAPES = ((8, 1), (8, 1, 1), (2, 4, 1))  # of the same eight rows; the first is the posted one
ROUNDING = 1e-6  # of sums in another order; losses and gradients are around 1 here
LEAKY, RELU = sweep.POSTED, "normal, ReLU"


def statements(found: Result) -> list[Statement]:
    """Return what was said, with rulings."""
    made = [*_posted(found), *_initialisers(found), *_size(found), *_ours(found)]
    return [Statement(claim, TITLE, text, *rest) for claim, text, *rest in made]


def _posted(found: Result):
    for base, suffix, which in (
        (LEAKY, "", "posted program"),
        (RELU, " ReLU", "plain ReLU (ours)"),
    ):
        members = found.members[base]
        yield (
            f"N1{suffix}",
            f"The {which} still outputs 0 after 10 epochs",
            over(works, np.abs(members.mean_output) <= found.sweep[base].task.tolerance),
            f"It makes {found.sweep[base].steps:,} steps: {half_solved(found, base)}, the last of "
            f"the solved by step {members.first_solved.max():,}",
            theirs(found, base),
        )
    longer, shorter = success(found, f"{LEAKY}, 100 epochs"), success(found, LEAKY)
    said = f"Solved after 10 epochs: {percent(*shorter)}, after 100: {percent(*longer)}"
    yield (
        "N2",
        "It only needs time: 100 epochs work where 10 do not",
        both(never(*shorter), works(*longer)),
        said,
    )
    yield (
        "N9",
        "Ten times the data in batches a tenth of the size did not work",
        never(*longer),
        "That makes a hundred times the steps; all rows being equal, 100 epochs are the first "
        f"tenth of them, and after these {percent(*longer)} are solved",
    )
    yield (
        "N11",
        "More epochs, smaller batches or more data eventually flip the sign (accepted answer)",
        works(*longer),
        said,
    )
    longer, shorter = success(found, f"{RELU}, 100 epochs"), success(found, RELU)
    yield (
        "N2 ReLU",
        "With the plain ReLU of the prose, 100 epochs help where 10 do not (ours)",
        helps(*longer, *shorter),
        f"Solved after 10 epochs: {percent(*shorter)}, after 100: {percent(*longer)}",
    )


def _initialisers(found: Result):
    for law, claim, text in (
        ("uniform", "N3", "RandomUniform(-0.05, 0.05) instead of normal cures it"),
        ("minus one", "N4", "A constant kernel of -1 cures it"),
    ):
        for slope, suffix, base in (("slope 0.001", "", LEAKY), ("ReLU", " ReLU", RELU)):
            name = f"{law}, {slope}"
            yield (
                claim + suffix,
                f"{text}{' (with a plain ReLU, ours)' if suffix else ''}",
                works(*success(found, name)),
                f"Without it {percent(*success(found, base))} are solved; with it, failures: "
                f"{failures_by_class(found.members[name])}",
                succeeds(theirs(found, name)),
            )


def _size(found: Result):
    for claim, part, text in (
        ("N6 units", "8 units", "Adding units helps"),
        ("N6 layers", "3 layers", "Adding layers helps"),
    ):
        for base, suffix in ((LEAKY, ""), (RELU, " ReLU")):
            small, large = success(found, base), success(found, f"{base}, {part}")
            yield (
                claim + suffix,
                f"{text}{' (plain ReLU)' if suffix else ''}",
                helps(*large, *small),
                f"One unit: {percent(*small)} solved; {part}: {percent(*large)}",
            )
    name = f"{RELU}, 8 units, linear output"
    yield (
        "N6 output",
        "Adding units helps if the output is left linear (ours)",
        helps(*success(found, name), *success(found, RELU)),
        f"8 ReLU units and a linear output: {percent(*success(found, name))} solved",
    )


def _ours(found: Result):
    name = f"{RELU}, 100 epochs"
    members = found.members[name]
    started = initial_kernels(members) >= 0
    solved = members.names[started] == "solved"
    dead = members.names[started] == "dead"
    yield (
        "N5",
        "With a plain ReLU a positive initial weight is dead for ever (ours)",
        over(never, solved),
        f"Of those, {percent(*count(dead))} are certified dead; of the others "
        f"{percent(*count(members.names[~started] == 'solved'))} are solved",
    )
    yield (
        "N10",
        "The sign flips at step w/(2 learning rate), rounded up (ours)",
        over(works, np.abs(_flips(found)) <= 1),
        f"Exactly so for {percent(*count(_flips(found) == 0))}, to one step for the rest counted",
    )
    solution, row = jnp.array([-1.0, 0.0]), jnp.array([[-1.0]])  # kernel and bias; the input
    answer = float(predict(found.sweep[RELU].network, solution, row, 0.0)[0, 0])
    yield (
        "N7",
        "relu(-1) is 0, so that the output 0 is the right one",
        exactly(abs(answer - 1) > found.sweep[RELU].task.tolerance),
        f"The unit's input is not -1 but its kernel times -1: with the kernel -1 the network "
        f"answers {answer:g} to the input -1, which is the target",
    )
    apart = max(differences())
    yield (
        "N8",
        "Declaring another input shape would fix it",
        exactly(apart > ROUNDING),
        f"A declared shape names the axes of the rows; arranged as {SHAPES} they give one layer "
        f"losses and gradients that differ by at most {apart:.0e}, which is rounding: the training "
        "is the same",
    )


def differences() -> list[float]:
    """Return how far losses and gradients are apart, rows being arranged in several ways.

    The rows are like the thread's, the layer has both signs of the kernel; what is done to a row
    is the layer's own business, whatever axes stand before the last.
    """
    apart = []
    for kernel in (-0.05, 0.05):
        found = [
            jax.value_and_grad(_loss)(jnp.array([kernel, 0.01]), jnp.full(shape, -1.0))
            for shape in SHAPES
        ]
        first = np.append(found[0][1], found[0][0])
        apart += [float(np.abs(np.append(g, value) - first).max()) for value, g in found[1:]]
    return apart


def _loss(weights: jax.Array, rows: jax.Array) -> jax.Array:
    answers = jax.nn.leaky_relu(dense(weights, rows), 0.001)
    return jnp.mean((answers - 1.0) ** 2)


def dense(weights: jax.Array, rows: jax.Array) -> jax.Array:
    """Return one unit's kernel times the last axis, plus its bias, by Flax's own layer."""
    layer = nnx.Linear(1, 1, rngs=nnx.Rngs(0))
    nnx.update(layer, {"kernel": weights[:1][None], "bias": weights[1:]})
    return layer(rows)


def initial_kernels(members: Members) -> np.ndarray:
    """Return the only kernel (members,) before training."""
    if members.initial_weights is None:
        raise ValueError("one unit's weights are always kept")
    return members.initial_weights[:, 0]


def _flips(found: Result) -> np.ndarray:
    """Return by how many steps the sign flipped later than predicted, of those that must flip."""
    members = found.members[f"{LEAKY}, sign"]
    expected = theory.flip_step(initial_kernels(members), 1e-3)
    must = expected > 0
    return members.first_solved[must] - expected[must]


def theirs(found: Result, name: str) -> Prediction | None:
    """Return theory's prediction that a setting fails, None where it has none."""
    said = [p for p in sweep.predictions(found.sweep[name]) if p.event == "training_fails"]
    sharp = [p for p in said if p.kind in ("exact", "empirical") and p.probability is not None]
    return sharp[0] if sharp else None
