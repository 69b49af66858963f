"""Train the same seeds in Keras or PyTorch and compare what became of them, one by one.

python -m jaxlab check absolute_value --framework keras --seeds 20
python -m jaxlab check absolute_value --setting k=2 --setting k=3 --order own
python -m jaxlab check negation --framework torch --out check.csv

Both start from the same weights and see the same rows. In the order "same" the framework is fed
jaxlab's batches, so that only rounding differs; in the order "own" it shuffles itself. Without
--setting it is the sweep's first with a hidden layer of two units or more.
"""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxlab import commandline, files, keys, store
from jaxlab.checking import crosscheck, frameworks
from jaxlab.checking.agreement import Agreement
from jaxlab.spec import Setting, Sweep
from jaxlab.tools import _named

WIDTH = 80
MOST_SHOWN = 40  # members that agree are left out of longer tables
COLUMNS = ["setting", "framework", "order", "date", "seed", "jaxlab", "other", "agree"]
COLUMNS += ["jaxlab_loss", "other_loss", "jaxlab_error", "other_error", "weights_differ"]


def parser() -> commandline.Parser:
    """Return the tool's command line."""
    made = commandline.described("python -m jaxlab check", __doc__)
    made.add_argument("name", help="a sweep, or a folder of its results")
    made.add_argument("--framework", choices=frameworks.NAMES, default="keras")
    text = "a setting of the sweep; can be given several times"
    made.add_argument("--setting", action="append", metavar="NAME", help=text)
    count = commandline.whole(1, keys.MOST_SEEDS)
    made.add_argument("--seeds", type=count, default=20, metavar="N", help="default: 20")
    first = commandline.whole(0, keys.MAX_SEED)
    made.add_argument("--first-seed", type=first, default=0, metavar="K", help="default: 0")
    text = "of the batches: jaxlab's (default), or as the framework shuffles"
    made.add_argument("--order", choices=crosscheck.ORDERS, default="same", help=text)
    text = "where folders of results are (default: results)"
    results = {"type": commandline.path, "default": _named.RESULTS, "metavar": "DIR"}
    made.add_argument("--results", help=text, **results)
    text = "also write a row for every seed"
    made.add_argument("--out", type=commandline.path, metavar="FILE.csv", help=text)
    made.add_argument("--quiet", action="store_true", help="no progress")
    return made


def main(arguments: list[str]) -> None:
    """Train in both, print the tables and write the file; ValueError for what cannot be done."""
    asked = parser().parse_args(arguments)
    last = asked.first_seed + asked.seeds - 1
    if last > keys.MAX_SEED:
        raise ValueError(f"the last seed would be {last}; it must be at most {keys.MAX_SEED}")
    if asked.out is not None:
        _check_free(asked.out)
    sweep = _named.sweep_of(asked.name, asked.results)
    chosen = settings(sweep, asked.setting)
    for setting in chosen:  # all are refused before any is trained
        frameworks.opened(asked.framework, setting)
    folder = _named.folder_of(asked.name, asked.results)
    lanes = {} if folder is None else store.read_folder(folder).identity["lane_widths"]
    found = []
    for setting in chosen:
        how = {"order": asked.order, "paired": sweep.paired, "progress": not asked.quiet}
        how["lane_width"] = lanes.get(setting.name)
        seeds = np.arange(asked.first_seed, last + 1)
        found.append(crosscheck.check(setting, seeds, asked.framework, **how))
        print(described(found[-1]), end="\n\n", flush=True)
    if asked.out is not None:
        rows = [row for one in found for row in one.rows()]
        files.write_csv(asked.out, rows, COLUMNS)
        print(f"written: {asked.out}")


def _check_free(path: Path) -> None:
    """Raise ValueError unless a table may be written there: a new file, or an earlier table."""
    try:
        if path.is_dir() or not path.parent.is_dir():
            raise ValueError(f"{path} is no file in a folder that there is; give one to --out")
        if path.exists():
            with files.opened(path) as file:
                head = file.readline(1000)
            if head.strip() != ",".join(COLUMNS).encode():
                raise ValueError(f"{path} is no table of this tool; choose another --out")
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None


def settings(sweep: Sweep, names: Sequence[str] | None) -> list[Setting]:
    """Return the settings named; else the first with two hidden units or more, else the first.

    ValueError names those there are.
    """
    if not names:
        wide = [s for s in sweep.settings if max(s.network.widths[1:-1], default=0) > 1]
        return [*wide, sweep.settings[0]][:1]
    known = [setting.name for setting in sweep.settings]
    unknown = [name for name in names if name not in known]
    if unknown:
        there = ", ".join(known)
        raise ValueError(f"no setting {unknown[0]!r} in sweep {sweep.name}; there are: {there}")
    return [sweep[name] for name in dict.fromkeys(names)]


def described(found: Agreement) -> str:
    """Return the members and what they come to, in at most 80 columns."""
    return "\n".join([*_table(found), "", *_sentences(found)])


def _table(found: Agreement) -> list[str]:
    order = "jaxlab's batches" if found.order == "same" else "its own shuffling"
    title = f"{found.setting!r} in jaxlab and in {found.framework}, {order}"
    form = "{:>10} {:<11} {:<11} {:<6} {:>11} {:>11} {:>13}"
    heads = ("seed", "jaxlab", found.framework, "agree", "error", "error", "weights")
    under = ("", "", "", "", "jaxlab", found.framework, "differ by")
    lines = [title[:WIDTH], form.format(*heads).rstrip(), form.format(*under).rstrip()]
    shown = np.ones(len(found.seeds), bool) if len(found.seeds) <= MOST_SHOWN else ~found.agree
    for i in np.flatnonzero(shown):
        cells = (found.seeds[i], found.ours.outcome[i], found.theirs.outcome[i])
        errors = (f"{found.ours.error[i]:.5g}", f"{found.theirs.error[i]:.5g}")
        apart = found.weight_differences[i]
        agree = "yes" if found.agree[i] else "NO"
        lines.append(
            form.format(*cells, agree, *errors, "-" if np.isnan(apart) else f"{apart:.1e}")
        )
    if not shown.all():
        lines.append(f"({int((~shown).sum())} members that agree are left out)")
    return lines


def _sentences(found: Agreement) -> list[str]:
    n, agree, limits = len(found.seeds), int(found.agree.sum()), found.interval
    share = f"{100 * agree / n:.1f} % [{100 * limits.low:.1f}, {100 * limits.high:.1f}]"
    ours, theirs = found.only
    difference = found.difference
    apart = f"{100 * difference.low:+.1f}, {100 * difference.high:+.1f}"
    texts = [
        f"{agree} of {n} agree: {share}. Solved in jaxlab only: {ours}, in {found.framework} "
        f"only: {theirs} (McNemar p = {found.p_value:.2g}; difference [{apart}] points).",
        _differences(found),
        "error: the largest of a region, relative to its targets. Outcomes are by jaxlab's rules; "
        "dead is who stays silent while the framework trains on until its momentum is spent.",
        ", ".join(f"{name} {which}" for name, which in found.versions.items()) + f"; {found.date}",
    ]
    if agree < n:
        texts.insert(1, _disagreement(found))
    return [line for text in texts for line in textwrap.wrap(text, WIDTH)]


def _differences(found: Agreement) -> str:
    losses, weights = found.loss_differences, found.weight_differences
    text = f"Final losses differ by {np.median(losses):.1e} (median), at most {losses.max():.1e}"
    if not np.isnan(weights).all():
        text += f"; weights by {np.median(weights):.1e}, at most {np.nanmax(weights):.1e}"
    return f"{text} (relative)."


def _disagreement(found: Agreement) -> str:
    """Say what can part the outcomes of two members that began alike."""
    if found.order == "own":
        return "Those that disagree saw other batches; that alone can part them."
    return (
        "Those that disagree were fed the same, but two programs round differently. That is seen "
        "where an error is at the border of an outcome, or training makes small differences large."
    )
