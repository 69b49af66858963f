"""Compare the bank of batch orders with other banks, and with orders drawn afresh.

python -m benchmarks.orders              64 banks, 4,096 members: about 20 minutes on two cores
python -m benchmarks.orders --quick      16 banks, 512 members: three minutes
python -m benchmarks.orders --out DIR    write DIR/orders.json

The same members, from the same initial weights, are trained with banks that are independent of each
other. If sharing a bank made its members fail together, counts would differ between banks by more
than members waver (Cochran's Q). Then each is trained with an order drawn afresh, by sorting random
numbers, for every member and epoch, and compared member by member (McNemar).
"""

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import chi2

from benchmarks import machine
from benchmarks.timing import say
from jaxlab import (
    Optimiser,
    Setting,
    Sweep,
    Training,
    commandline,
    contrast,
    engine,
    files,
    grouping,
    outcomes,
    shuffling,
    tasks,
    training,
)
from sweeps.absolute_value import keras_default

ERROR = 0.01  # of the test of equal banks
SOLVED = outcomes.OUTCOMES.index("solved")


@dataclass(frozen=True)
class Amount:
    """How much is measured."""

    banks: int = 64
    members: int = 4096


def sensitive() -> Setting:
    """Return a training that the order of the batches decides: large steps on few rows."""
    hurried = Training(Optimiser(learning_rate=0.03), batch_size=4, epochs=100)
    return dataclasses.replace(keras_default(4), name="k=4 hurried", training=hurried)


def settings() -> list[Setting]:
    """Return what is trained: |x| as in its sweep, and one that is sensitive to batch order."""
    return [*(keras_default(k) for k in (2, 3, 4, 8)), sensitive()]


def failed(runner: engine.Runner, members: int) -> np.ndarray:
    """Return of each member if it was not solved."""
    wanted = {runner.group.settings[0].name: np.arange(members)}
    parts = [part for call in engine.run_group(runner, wanted) for part in call]
    return np.concatenate([arrays["outcome"] for _, _, arrays in parts]) != SOLVED


def failed_with_banks(runner: engine.Runner, banks: list[jax.Array], members: int) -> np.ndarray:
    """Return of each member, under each bank (members, banks), if it was not solved."""
    hits = []
    for bank in banks:
        runner.use_bank(bank)
        hits.append(failed(runner, members))
    return np.stack(hits, axis=1)


def spread(hits: np.ndarray) -> dict[str, Any]:
    """Return how failure counts spread over banks."""
    q, p = contrast.cochran_q(hits)
    return {"counts": hits.sum(axis=0).tolist(), "q": q, "freedom": hits.shape[1] - 1, "p_value": p}


def detectable(table_wavering: float, banks: int, members: int) -> float:
    """Return the standard deviation between banks' rates that is found in nine of ten studies.

    `table_wavering` is the sum over members of the variance of one outcome.
    """
    freedom = banks - 1
    ratio = chi2.isf(ERROR, freedom) / chi2.ppf(0.1, freedom)
    return float(np.sqrt((ratio - 1) * table_wavering) / members)


@partial(jax.jit, static_argnums=(0,))
def _trained_with_sorted_orders(setting: Setting, weights, order, rows, numbers, steps):
    model = training.Model(setting.network, setting.training)

    def epoch_rows(epoch):
        def one(key):
            wrapped = jax.random.wrap_key_data(key, impl="threefry2x32")
            # Another hash than the bank's choice, which is the plain fold_in of the epoch.
            fresh = jax.random.fold_in(jax.random.fold_in(wrapped, 2**31), epoch)
            return rows[jax.random.permutation(fresh, len(rows))]

        return jax.vmap(one, -1, -1)(order)

    start = training.start(model, weights, numbers)
    final = training.train(model, start, epoch_rows, steps, numbers).weights
    inputs, targets = rows[:, : model.inputs, None], rows[:, model.inputs :, None]
    masks = jnp.stack(list(tasks.definition(setting.task).regions(inputs[..., 0]).values()))
    outputs = training.predict(model, final, inputs, numbers)
    return outcomes.solved(
        outcomes.errors(outputs, targets, masks[..., None]), setting.task.tolerance
    )


def failed_with_sorted_orders(runner: engine.Runner, members: int) -> np.ndarray:
    """Return of each member if it fails with orders of its own, from the same initial weights."""
    setting, lanes = runner.group.settings[0], runner.group.lanes
    devices = jax.local_devices()
    columns = {name: np.full(lanes, v) for name, v in training.numbers_of(setting).items()}
    numbers = jax.tree.map(np.float32, columns)

    def block(i: int) -> np.ndarray:
        drawn = runner.draw(np.zeros(lanes, int), np.arange(i * lanes, (i + 1) * lanes))
        given = drawn["weights"], drawn["order"], runner.shared, numbers, setting.steps
        there = jax.device_put(given, devices[i % len(devices)])
        return ~np.asarray(_trained_with_sorted_orders(setting, *there))

    with ThreadPoolExecutor(len(devices)) as pool:
        return np.concatenate(list(pool.map(block, range(-(-members // lanes)))))[:members]


def study(setting: Setting, amount: Amount) -> dict[str, Any]:
    """Return what one setting tells: over banks, over poor banks, and against sorting."""
    (group,) = grouping.groups(Sweep("orders", (setting,)))
    runner = engine.Runner(group)
    rows, members = setting.task.rows, amount.members
    numbered = [shuffling.bank(rows, i) for i in range(amount.banks)]
    say(f"{setting.name}: {amount.banks} banks of {len(numbered[0])} permutations")
    rich = failed_with_banks(runner, numbered, members)
    # Negative control: a bank that holds one permutation only, so that epochs differ by rotation.
    say(f"{setting.name}: {amount.banks} banks of one permutation")
    single = [jnp.broadcast_to(bank[:1], bank.shape) for bank in numbered]
    poor = failed_with_banks(runner, single, members)
    say(f"{setting.name}: orders drawn afresh")
    own = failed_with_sorted_orders(runner, members)
    shared = rich[:, 0]  # bank 0 is the one that members use
    b, c = int((shared & ~own).sum()), int((own & ~shared).sum())
    limits = contrast.paired_difference(b, c, members)
    wavering = (b + c) / 2
    return {
        "setting": setting.name,
        "members": members,
        "failure_rate": float(rich.mean()),
        "banks": spread(rich),
        "one_permutation_banks": spread(poor),
        "detectable_sd": detectable(wavering, amount.banks, members),
        "against_sorting": {
            "bank_only": b,
            "sorted_only": c,
            "difference": (b - c) / members,
            "low": limits.low,
            "high": limits.high,
            "p_value": contrast.mcnemar(b, c),
        },
    }


def table(found: list[dict[str, Any]]) -> str:
    """Return the results as a table of at most 80 columns."""
    lines = [
        f"{'setting':12} {'fails':>6} {'Q':>6} {'p':>7} {'one perm. p':>12} "
        f"{'only bank':>9} {'only own':>8}  bank - own, points"
    ]
    for f in found:
        paired = f["against_sorting"]
        limits = f"{100 * paired['low']:+.2f}, {100 * paired['high']:+.2f}"
        lines.append(
            f"{f['setting']:12} {100 * f['failure_rate']:6.2f} {f['banks']['q']:6.1f} "
            f"{f['banks']['p_value']:7.3f} {f['one_permutation_banks']['p_value']:12.1e} "
            f"{paired['bank_only']:9d} {paired['sorted_only']:8d}  [{limits}]"
        )
    return "\n".join(lines)


def parser() -> commandline.Parser:
    """Return the command line."""
    made = commandline.described("python -m benchmarks.orders", __doc__)
    made.add_argument("--quick", action="store_true", help="fewer banks and members")
    out, text = Path("results/benchmarks"), "default: results/benchmarks"
    made.add_argument("--out", type=commandline.path, default=out, metavar="DIR", help=text)
    return made


def main() -> None:
    """Study all settings, write the JSON file and print the table."""
    options = parser().parse_args()
    commandline.use_all_cores()
    files.make_folder(options.out)
    amount = Amount(16, 512) if options.quick else Amount()
    found = [study(setting, amount) for setting in settings()]
    content = {**machine.about("benchmarks.orders"), "studies": found}
    path = options.out / "orders.json"
    files.write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())
    print(table(found), f"\nwritten: {path}", sep="\n")


if __name__ == "__main__":
    commandline.run_cleanly(main)
