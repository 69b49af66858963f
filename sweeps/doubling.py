"""Why does 2x not learn? The second step kills it: raw inputs against the stability limit.

The forum program: x = 1, 2, ..., of which 600 rows are trained on; 128 ReLU units and a ReLU at the
output, plain SGD at 0.01, batches of 100, 20 epochs. Beside it the same stopped after one and two
steps, other widths, a learning rate below the stability limit, the small data sets and the two
programs that the thread's answers propose.
"""

from functools import cache

import numpy as np

from jaxlab import Network, Optimiser, Result, Setting, Sweep, Task, Training, tasks
from jaxlab.compare import Comparison
from jaxlab.compared import table as compared_table
from jaxlab.initialisers import kernel_distribution
from jaxlab.theory import Prediction
from jaxlab.theory import doubling as theory

SEEDS = 10_000
QUICK_SEEDS = 64

POSTED = "posted"
NORMAL, ADAM = "normal inputs, linear output", "Adam, linear output"
WIDTHS = (4, 16, 64, 256)
KAPPAS = (0.4, 0.65)  # of the learning rate: on both sides of the stability limit 1/2


def build() -> Sweep:
    """Return the sweep: the posted program, its first steps, and what others proposed."""
    posted = setting(POSTED)
    settings = [posted]
    for steps in (1, 2):
        settings.append(setting(stopped(POSTED, steps), steps=steps))
        settings += [setting(stopped(units(h), steps), h=h, steps=steps) for h in WIDTHS]
    for kappa in KAPPAS:
        settings.append(setting(f"kappa={kappa:g}", rate=kappa / (2 * mean_square(posted.task))))
    for rows in (7, 9):  # the second is all of the answer's data, the first what the split leaves
        small = tasks.doubling(rows, 1, rows)
        settings.append(setting(f"x=1..{rows}, 12 units", h=12, task=small))
    settings.append(setting("linear output", output="linear"))
    decaying = Optimiser("sgd", learning_rate=0.01, schedule="inverse_time", decay=1e-6)
    normal, adam = tasks.doubling_normal(), Optimiser(learning_rate=1e-4)
    for epochs, name in ((20, NORMAL), (100, f"{NORMAL}, 100 epochs")):
        given = setting(name, task=normal, output="linear", optimiser=decaying, epochs=epochs)
        settings.append(given)
    settings.append(setting("normal inputs", optimiser=decaying, task=normal))
    for epochs, name in ((200, ADAM), (400, f"{ADAM}, 400 epochs")):
        settings.append(setting(name, output="linear", optimiser=adam, epochs=epochs))
    return Sweep("doubling", tuple(settings))


def units(h: int) -> str:
    """Return the name of the posted program with another width."""
    return f"{h} units"


def stopped(name: str, steps: int) -> str:
    """Return the name of a setting that is stopped after so many steps."""
    return f"{name}, {steps} step{'s' * (steps > 1)}"


def mean_square(task: Task) -> float:
    """Return the mean of x^2 over x = 1, ..., rows."""
    return (task.rows + 1) * (2 * task.rows + 1) / 6


def setting(
    name: str,
    *,
    h: int = 128,
    task: Task | None = None,
    output: str = "relu",
    rate: float = 0.01,
    optimiser: Optimiser | None = None,
    epochs: int = 20,
    steps: int = 0,
) -> Setting:
    """Return the posted program with some parts replaced; `steps` stops it early."""
    chosen = optimiser or Optimiser("sgd", learning_rate=rate)
    training = Training(chosen, batch_size=100, epochs=epochs, max_steps=steps)
    network = Network((1, h, 1), ("relu", output))
    return Setting(name, task or tasks.doubling(), network, training=training)


def comparisons(result: Result) -> list[tuple[str, int, int, Prediction]]:
    """Return (setting, count, n, prediction) for all that are trained by plain SGD on x > 0."""
    rows = []
    for setting in result.sweep.settings:
        if setting.task.name != "doubling" or setting.training.optimiser.name != "sgd":
            continue
        members, stop = result.members[setting.name], setting.training.max_steps
        counted = {
            "born_dead": members.born_dead,
            "training_fails": members.names != "solved",
            "dead_after_one_step": members.names == "dead",
            "dead_after_two_steps": members.names == "dead",
        }
        # What a stopped run shows is what had happened by then, and nothing about the end.
        end = {1: "dead_after_one_step", 2: "dead_after_two_steps"}.get(stop, "training_fails")
        for prediction in predictions(setting):
            if prediction.event in ("born_dead", end):
                hits = counted[prediction.event]
                rows.append((setting.name, int(hits.sum()), len(hits), prediction))
    return rows


@cache
def predictions(setting: Setting) -> tuple[Prediction, ...]:
    """Return theory's predictions for 1-h-1 networks on the evenly spaced x > 0."""
    x = np.linspace(setting.task.numbers["low"], setting.task.numbers["high"], setting.task.rows)
    rate = setting.training.optimiser.learning_rate
    laws = [kernel_distribution(setting, layer) for layer in (0, 1)]
    return theory.predictions(
        setting.network.widths[1],
        theory.kappa(rate, float(np.mean(x**2))),
        w_law=laws[0],
        a_law=laws[1],
        steps=setting.steps,
        moments=(float(np.mean(x**2)), float(np.mean(x))),
        linear_output=setting.network.activations[-1] == "linear",
    )


def report(result: Result, compared: list[Comparison]) -> str:
    """Return predictions against counts, and the answer to the thread's question."""
    dead = [
        100 * result.members[name].tally.rate("dead")
        for name in (stopped(POSTED, 1), stopped(POSTED, 2), POSTED)
    ]
    below = result.members["kappa=0.4"]
    failed = below.names != "solved"
    return (
        f"{compared_table(compared)}\n\n"
        f"The posted program: {dead[0]:.1f} % dead after one step, {dead[1]:.1f} % after two, "
        f"{dead[2]:.1f} %\nat the end, certified. Below the stability limit of the learning rate "
        f"{failed.sum()} of {len(failed)}\nfail; {(failed & below.born_dead).sum()} of these were "
        "born dead."
    )
