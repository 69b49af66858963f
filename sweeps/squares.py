"""Why does a deep network learn sums but not squares? Without activations it is a line.

The forum program: 1,000 integers from 1 to 1000, layers of 20, 100, 1000, 100, 20 and 1 units with
no activations, Adam, batches of 100, 500 epochs; sums of two integers divided by 2000, squares and
their roots by 1,000,000. Each seed draws its own rows. Beside it the same with ReLUs, with inputs
up to 1, with three times the epochs, and small networks of one hidden layer.
"""

import numpy as np

from jaxlab import Network, Result, Setting, Sweep, Training, tasks
from jaxlab.compare import Comparison
from jaxlab.compared import table as compared_table
from jaxlab.spec import Scaling
from jaxlab.theory import Prediction, baselines

SEEDS = 10_000
QUICK_SEEDS = 64
WIDE_SEEDS, WIDE_QUICK_SEEDS = 16, 1

ROWS, LARGEST = 1000, 1000
WIDE = (20, 100, 1000, 100, 20)
SMALL = (20,)
MILLION = 1e-6


def build() -> Sweep:
    """Return the sweep: the posted network and small ones, with and without ReLUs."""
    good = 1 / LARGEST
    return Sweep(
        "squares",
        (
            setting("sum", "sum", WIDE, "linear", 1 / (2 * LARGEST), 1 / (2 * LARGEST)),
            setting("square", "square", WIDE, "linear", MILLION),
            setting("square, ReLU", "square", WIDE, "relu", MILLION),
            setting("square, ReLU, x/1000", "square", WIDE, "relu", good),
            setting("square, ReLU, 1500 epochs", "square", WIDE, "relu", MILLION, epochs=1500),
            setting("square, 20 units, linear", "square", SMALL, "linear", MILLION),
            setting("square, 20 units, ReLU", "square", SMALL, "relu", MILLION),
            setting("square, 20 units, ReLU, x/1000", "square", SMALL, "relu", good),
            setting("square and spare, 20 units, ReLU", "square_and_spare", SMALL, "relu", good),
        ),
    )


def is_wide(setting: Setting) -> bool:
    """Say if a setting's network is so wide that a CPU trains few of them."""
    return max(setting.network.widths) > 500


def setting(
    name: str,
    task: str,
    hidden: tuple[int, ...],
    activation: str,
    input_factor: float,
    target_factor: float = MILLION,
    *,
    epochs: int = 500,
) -> Setting:
    """Return a network with the same activation in all hidden layers on a scaled task."""
    scaling = Scaling(input_factor=input_factor, target_factor=target_factor)
    made = tasks.of_integers(task, ROWS, 1, LARGEST, scaling=scaling)
    inputs = 1 if task == "square" else 2
    network = Network((inputs, *hidden, 1), (*(activation,) * len(hidden), "linear"))
    # Small networks are checked often: how long they take is what an unused input may change.
    growth = 1.0 if hidden == WIDE else 0.1
    training = Training(batch_size=100, epochs=epochs, check_growth=growth)
    return Setting(name, made, network, training=training)


def comparisons(result: Result) -> list[tuple[str, int, int, Prediction]]:
    """Return (setting, count, n, prediction) for networks that can only be straight lines."""
    rows = []
    for setting in result.sweep.settings:
        if set(setting.network.activations) == {"linear"} and setting.task.name != "sum":
            tally = result.members[setting.name].tally
            rows.append((setting.name, tally.failed, tally.n, line_fails(setting)))
    return rows


def line_fails(setting: Setting) -> Prediction:
    """Return the prediction that a straight line cannot solve the squares."""
    spread = np.var(np.arange(1, LARGEST + 1) ** 2.0)
    relative = (float(baselines.squares(LARGEST).affine) / spread) ** 0.5
    return Prediction(
        "straight line",
        "training_fails",
        "exact",
        1.0,
        f"without activations a network is affine; the best line misses by {relative:.2f} of the "
        f"targets' standard deviation, {setting.task.tolerance:g} counts as solved",
        "no activations, targets are squares of 1 to 1000",
    )


def report(result: Result, compared: list[Comparison]) -> str:
    """Return predictions against counts, errors against the line's, and the thread's answer."""
    lines = [f"{'RMSE in original units':<34} {'smallest':>10} {'median':>10} {'best line':>10}"]
    for name, members in result.members.items():
        found = np.nan_to_num(members.rmse, nan=np.inf, posinf=np.inf)
        middle, line = np.median(found), np.median(members.line_rmse)
        short = name if len(name) <= 34 else name[:33] + "…"
        lines.append(f"{short:<34} {found.min():>10,.1f} {middle:>10,.1f} {line:>10,.1f}")
    limit = float(baselines.squares(LARGEST).affine) ** 0.5
    return (
        f"{compared_table(compared)}\n\n" + "\n".join(lines) + "\n\n"
        f"On all of 1..1000 the best straight line, which is all that a network without\n"
        f"activations can be, misses by {limit:,.2f}: impossible, whatever the seed."
    )
