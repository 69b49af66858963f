"""Tables of fates: outcomes expected from initial weights against those that training had."""

from collections.abc import Iterator

import numpy as np

from docs.tables import markdown, share
from figures._fates import LAWS, RULES, UNITS, foretold
from jaxlab.outcomes import OUTCOMES
from jaxlab.result import Result
from jaxlab.spec import Setting
from jaxlab.theory import doubling, doubling_fate, negation
from sweeps.absolute_value import initial_weights

CLASSES = "Keras k=2"  # the setting whose two classes are counted apart


def rule_table(result: Result) -> str:
    """Return how often three rules err on |x|, and on two units how often each class came true.

    `result` is that of default_initialisers. A miss is a member that a rule expects solved and that
    is not, or the other way round.
    """
    rows, classes = [], []
    for name in (f"{law} k={k}" for law in LAWS for k in UNITS):
        if name not in result.members:
            continue
        solved = result.members[name].names == "solved"
        expected = foretold(result, name)
        wrong = [int((said != solved).sum()) for said in expected.values()]
        rows.append([name, str(len(solved)), *(_cell(k, len(solved)) for k in wrong)])
        if name == CLASSES:
            classes = [_class_row(*pair, solved) for pair in expected.items()]
    head = ["setting", "members", *(f"{rule}: misses, % [95 %]" for rule in RULES)]
    tables = [markdown(head, rows)]
    if classes:
        head = [f"{CLASSES}, rule", "expected solved, and were", "% [95 %]"]
        tables.append(markdown([*head, "expected failed, and did", "% [95 %]"], classes))
    return "\n\n".join(tables)


def _class_row(rule: str, said: np.ndarray, solved: np.ndarray) -> list[str]:
    cells = []
    for chosen, hits in ((said, solved), (~said, ~solved)):
        count, n = int((chosen & hits).sum()), int(chosen.sum())
        cells += [f"{count} of {n}", share(count, n)]
    return [rule, *cells]


def _cell(count: int, n: int) -> str:
    return f"{count}, {share(count, n)}"


def other_tasks_table(negation_result: Result, doubling_result: Result) -> str:
    """Return what became of the members of every expected outcome, for the two other fates.

    Only settings to which a fate applies and that kept their initial weights are counted. A blank
    expectation is one that theory does not have.
    """
    rows, found = [], set()
    counted = []
    for result, fates in ((negation_result, negation_fates), (doubling_result, doubling_fates)):
        for setting, expected in fates(result):
            happened = result.members[setting.name].names
            found |= set(happened.tolist())
            counted.append((f"{result.sweep.name}: {setting.name}", expected, happened))
    shown = [outcome for outcome in OUTCOMES if outcome in found]
    for name, expected, happened in counted:
        for said in np.unique(expected).tolist():
            of_it = happened[expected == said]
            hits = int((of_it == said).sum())
            cells = [str(int((of_it == outcome).sum())) for outcome in shown]
            rows.append([name, said, str(len(of_it)), *cells, share(hits, len(of_it))])
    return markdown(["setting", "expected", "members", *shown, "came true % [95 %]"], rows)


def negation_fates(result: Result) -> Iterator[tuple[Setting, np.ndarray]]:
    """Yield the settings of one unit with the outcome expected of each member."""
    for setting in result.sweep.settings:
        kept = _kept(result, setting)
        if kept is None or setting.network.widths != (1, 1):
            continue
        slope = 0.0 if setting.network.activations == ("relu",) else setting.network.slope
        rate = setting.training.optimiser.learning_rate
        yield setting, negation.fate(kept[:, 0], slope, rate, setting.steps)


def doubling_fates(result: Result) -> Iterator[tuple[Setting, np.ndarray]]:
    """Yield the settings of plain SGD on evenly spaced x with the outcome expected of each member.

    Where batches are smaller than the data, a step is taken as one on all rows.
    """
    for setting in result.sweep.settings:
        kept, plain = _kept(result, setting), setting.training.optimiser.name == "sgd"
        relu = setting.network.activations == ("relu", "relu")
        if kept is None or setting.task.name != "doubling" or not (plain and relu):
            continue
        numbers = setting.task.numbers
        x = np.linspace(numbers["low"], numbers["high"], setting.task.rows)
        rate = setting.training.optimiser.learning_rate
        kappa = doubling.kappa(rate, float(np.mean(x**2)))
        weights = initial_weights(result, setting.name)
        yield setting, doubling_fate.fate(*weights, kappa, setting.steps)


def _kept(result: Result, setting: Setting) -> np.ndarray | None:
    """Return a setting's initial weights, or None where it has no members or kept none."""
    members = result.members.get(setting.name)
    return None if members is None else members.initial_weights
