"""The thread on sums, which work, and squares, which do not."""

import numpy as np

from jaxlab import forensics, survival
from jaxlab.claims import Statement
from jaxlab.result import Members, Result
from jaxlab.theory import baselines
from jaxlab.verdicts import exactly, helps, never, sooner, works
from sweeps import squares as sweep
from sweeps.claims.evidence import (
    count,
    failures_by_class,
    half_solved,
    over,
    percent,
    succeeds,
    success,
)

TITLE = "squares: sums work, squares do not"
REPORTED = 75777.312879  # the RMSE printed in the thread
NEAR = 0.05  # an RMSE so close to that of the best line is the line's
SMALL = "square, 20 units, ReLU, x/1000"
SMALL_RAW, SMALL_LINEAR = "square, 20 units, ReLU", "square, 20 units, linear"
SPARE = "square and spare, 20 units, ReLU"


def statements(found: Result) -> list[Statement]:
    """Return what was said, with rulings."""
    made = [*_posted(found), *_relu(found), *_small(found)]
    return [Statement(claim, TITLE, text, *rest) for claim, text, *rest in made]


def line_like(members: Members) -> np.ndarray:
    """Say of each member if its error is that of the best straight line on its own rows."""
    return np.abs(members.rmse / members.line_rmse - 1) <= NEAR


def _posted(found: Result):
    total, square = found.members["sum"], found.members["square"]
    yield (
        "S1",
        "The sum is learnt exactly: the RMSE of rounded answers is 0",
        over(works, total.rounded_rmse == 0),
        f"The largest RMSE before rounding is {total.rmse.max():.2g}",
    )
    yield (
        "S2",
        "The square is not learnt",
        never(*success(found, "square")),
        f"Failures: {failures_by_class(square)}",
        succeeds(sweep.line_fails(found.sweep["square"])),
    )
    x = np.arange(1.0, sweep.LARGEST + 1)
    explained = forensics.explain(REPORTED, x[:, None], x**2, rows=sweep.ROWS, root=True)
    names = [candidate.name for candidate in explained.matching]
    limit = float(baselines.squares(sweep.LARGEST).affine) ** 0.5
    yield (
        "S2 line",
        "The RMSE reported, 75,777, is that of the best straight line",
        exactly(names == ["best affine function"]),
        f"On 1..1000 the best line misses by {limit:,.2f}; what {REPORTED:,.0f} on 1,000 random "
        f"rows is compatible with: {', '.join(names) or 'nothing'}",
    )
    yield (
        "S2 ours",
        "Networks of the thread end within 5 % of their own best line (ours)",
        over(works, line_like(square)),
        f"Median RMSE {np.median(square.rmse):,.0f}, of the best lines "
        f"{np.median(square.line_rmse):,.0f}",
    )
    names = _linear(found)
    better = sum(
        int((found.members[n].rmse < 0.999 * found.members[n].line_rmse).sum()) for n in names
    )
    yield (
        "S4",
        "Without activations the network is one straight line, whatever its depth",
        exactly(better == 0),
        f"Of {sum(success(found, n)[1] for n in names):,} networks with "
        f"{' and '.join(str(len(found.sweep[n].network.widths) - 2) for n in names)} hidden layers "
        f"{better} beat the best line on their own rows",
    )


def _linear(found: Result) -> list[str]:
    squares = [s for s in found.sweep.settings if s.task.name == "square"]
    return [s.name for s in squares if set(s.network.activations) == {"linear"}]


def _relu(found: Result):
    relu, longer, scaled = (
        success(found, name)
        for name in ("square, ReLU", "square, ReLU, 1500 epochs", "square, ReLU, x/1000")
    )
    members = found.members["square, ReLU"]
    once = (members.first_solved >= 0).sum()
    yield (
        "S3",
        "With ReLU in every hidden layer the result is the same",
        never(*relu),
        f"{once} of {relu[1]} were solved at some time, {relu[0]} at the end; failures: "
        f"{failures_by_class(members)}",
    )
    yield (
        "S9",
        "ReLU in all layers but the last cures it (accepted answer)",
        works(*relu),
        f"Failures: {failures_by_class(members)}",
    )
    yield (
        "S5",
        "500 epochs are too few: 1500 help",
        helps(*longer, *relu),
        f"Solved after 500 epochs: {percent(*relu)}, after 1500: {percent(*longer)}",
    )
    yield (
        "S7 wide",
        "With ReLU and inputs up to 1 the wide network learns the square (ours)",
        works(*scaled),
        f"Failures: {failures_by_class(found.members['square, ReLU, x/1000'])}",
    )
    yield (
        "S7",
        "Inputs of at most 0.001 are why ReLU failed: inputs up to 1 help (ours)",
        helps(*scaled, *relu),
        f"Posted scale: {percent(*relu)} solved; x/1000: {percent(*scaled)}",
    )


def _small(found: Result):
    small, raw, spare = (success(found, name) for name in (SMALL, SMALL_RAW, SPARE))
    linear = success(found, SMALL_LINEAR)
    yield (
        "S6",
        "A much simpler network learns the square",
        works(*small),
        f"One layer of 20 ReLU units, x/1000: {percent(*small)} solved; "
        f"{half_solved(found, SMALL)}",
    )
    yield (
        "S6 posted",
        "With a single hidden layer the result is similar",
        never(*linear),
        f"Without activations, failures: {failures_by_class(found.members[SMALL_LINEAR])}",
        succeeds(sweep.line_fails(found.sweep[SMALL_LINEAR])),
    )
    yield (
        "S6 ReLU",
        "So it is with ReLU, the inputs as posted (ours)",
        never(*raw),
        f"Failures: {failures_by_class(found.members[SMALL_RAW])}",
    )
    yield (
        "S7 small",
        "Inputs up to 1 help a single hidden layer, too (ours)",
        helps(*small, *raw),
        f"Posted scale: {percent(*raw)} solved; x/1000: {percent(*small)}",
    )
    step, without, with_it, p_value = _delay(found)
    yield (
        "S8",
        "An unused second input delays convergence",
        sooner(*without, *with_it, p_value),
        f"By step {step:,}, when half of all are solved, {percent(*without)} without it and "
        f"{percent(*with_it)} with it; without it {half_solved(found, SMALL)}, with it "
        f"{half_solved(found, SPARE)}; at the end {percent(*small)} and {percent(*spare)} are "
        "solved",
    )


def _delay(found: Result) -> tuple[int, tuple[int, int], tuple[int, int], float]:
    """Return a step, who was solved by it without the spare input and with it, and a p-value.

    The step is the check by which half of both together are solved, the last one if fewer are. The
    p-value is that of the log-rank test of all times.
    """
    first = [found.members[name].first_solved for name in (SMALL, SPARE)]
    last = [int(found.survival(name).steps[-1]) for name in (SMALL, SPARE)]
    _, p_value = survival.log_rank(first[0], last[0], first[1], last[1])
    times = np.concatenate([np.where(f < 0, max(last), f) for f in first])
    step = int(np.quantile(times, 0.5, method="inverted_cdf"))
    without, with_it = (count((f >= 0) & (f <= step)) for f in first)
    return step, without, with_it, p_value
