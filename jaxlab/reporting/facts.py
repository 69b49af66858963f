"""What all reports have: a question, the specification, who made the results, how to repeat it."""

import json
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from jaxlab import looks as recorded_looks
from jaxlab import validation
from jaxlab.html import Markup, element, joined, table
from jaxlab.provenance import PACKAGES
from jaxlab.spec import OWN, Initialiser, Optimiser, Setting

Section = tuple[str, Callable[[], Markup]]
NOTHING = Markup()  # of a section that is left out

ADAM = ("b1", "b2", "eps")
USED = {
    **dict.fromkeys(("momentum", "nesterov"), ("momentum",)),
    **dict.fromkeys(("adam", "keras_adam"), ADAM),
    "adamw": (*ADAM, "weight_decay"),
    "rmsprop": ("rho", "eps"),
    "sgd": (),
}
"""The numbers of each optimiser, beside its rate; what others have is ignored in training."""

AGAIN = """\
import json
from pathlib import Path

import jaxlab
from jaxlab.spec import sweep_from_json
from jaxlab.seed_ranges import seeds_in

# A task, module or optimiser of your own must be defined under its name first.
manifest = json.loads(Path("manifest.json").read_text())
sweep = sweep_from_json(json.dumps(manifest["sweep"]))
seeds = {name: seeds_in(text) for name, text in manifest["asked"].items()}
print(jaxlab.run(sweep, seeds, out="again"))"""


@dataclass(frozen=True)
class Report:
    """A report before it is written: its name, question, what it is about, and its sections."""

    name: str
    question: str
    about: Sequence[str]
    sections: Sequence[Section]


def said(module: ModuleType | None) -> tuple[str, list[str]]:
    """Return the first line and the paragraphs of a module's docstring."""
    text = (module.__doc__ or "" if module else "").replace("`", "")
    first, _, rest = text.partition("\n")
    return first, [" ".join(part.split()) for part in rest.split("\n\n") if part.strip()]


def paragraphs(texts: Iterable[object]) -> Markup:
    """Return texts as paragraphs."""
    return joined(*(element("p", text) for text in texts))


def code(text: str) -> Markup:
    """Return commands or a program as they are typed."""
    return element("pre", element("code", text), tabindex=0)


def folded(title: str, content: Markup) -> Markup:
    """Return what is shown only when asked for."""
    return element("details", element("summary", title), content)


def described(setting: Setting) -> dict[str, str]:
    """Return everything that a setting is, in words and by name."""
    task, network, training = setting.task, setting.network, setting.training
    scaling = task.scaling
    by_layer = list(map(in_words, setting.initialisers))
    laws = by_layer if len(set(by_layer)) > 1 else by_layer[:1]
    own = {} if not network.module else {"module": network.module, "weights": str(network.size)}
    leaky = "leaky_relu" in network.activations
    return {
        "task": task.name,
        "rows": f"{task.rows:,}",
        **{name: f"{value:g}" for name, value in task.numbers.items()},
        "solved at a relative error of": f"{task.tolerance:g}",
        "missed from": f"{task.margin:g}",
        **({"inputs": scaled(scaling.inputs, scaling.input_factor)} if scaling else {}),
        **({"targets": scaled(scaling.targets, scaling.target_factor)} if scaling else {}),
        **own,
        "widths": "-".join(map(str, network.widths)),
        "activations": ", ".join(network.activations),
        **({"slope": f"{network.slope:g}"} if leaky else {}),
        "biases": "yes" if network.use_bias else "no",
        "initialiser": "its own" if network.module else "; ".join(laws),
        "optimiser": training.optimiser.name,
        "schedule": training.optimiser.schedule,
        **numbers_of(training.optimiser),
        "rates of layers": ", ".join(f"{rate:g}" for rate in training.layer_rates),
        "loss": training.loss,
        "batch size": str(training.batch_size),
        "epochs": f"{training.epochs:,}",
        "steps": f"{setting.steps:,}",
    }


def numbers_of(optimiser: Optimiser) -> dict[str, str]:
    """Return the numbers that an optimiser uses, by name."""
    own = optimiser.name.startswith(OWN)
    if not own and optimiser.name not in USED:
        raise validation.unknown("optimiser", optimiser.name, USED)
    used = {"learning_rate", *(() if own else USED[optimiser.name])}
    used |= {"decay"} if optimiser.schedule == "inverse_time" else set()
    used |= {"schedule_steps"} if optimiser.schedule in ("cosine", "warm_up") else set()
    used |= {"clip_norm"} if optimiser.clip_norm else set()
    given = optimiser.numbers.items()
    return {name.replace("_", " "): f"{value:g}" for name, value in given if name in used}


def scaled(law: str, factor: float) -> str:
    """Return how a column is scaled, in words."""
    return law + (f" times {factor:g}" if factor != 1 else "")


def in_words(initialiser: Initialiser) -> str:
    """Return a layer's law in words.

    >>> in_words(Initialiser("he_normal", scale=2.0, bias="random_normal"))
    'he_normal times 2, biases random_normal'
    """
    made = scaled(initialiser.law, initialiser.scale)
    if initialiser.values:
        made += f" {[list(row) for row in initialiser.values]}"
    if initialiser.bias != "default" or initialiser.bias_scale != 1:
        made += f", biases {scaled(initialiser.bias, initialiser.bias_scale)}"
    return made


def specification(settings: Sequence[Setting], whole: object, more: Markup = NOTHING) -> Markup:
    """Return what all settings share, in what they differ, and the whole as JSON."""
    found = {setting.name: described(setting) for setting in settings}
    labels = list(dict.fromkeys(label for words in found.values() for label in words))
    columns = {label: [words.get(label, "") for words in found.values()] for label in labels}
    shared = [(k, its[0]) for k, its in columns.items() if len(set(its)) == 1 and its[0]]
    apart = [label for label, its in columns.items() if len(set(its)) > 1]
    caption = "What all settings share" if len(found) > 1 else "The setting"
    parts = [more, table(caption, ["part", "value"], "lt", shared)]
    if apart:
        rows = [[name, *(words.get(label, "") for label in apart)] for name, words in found.items()]
        heads = ["setting", *apart]
        parts.append(table("In what settings differ", heads, "l" * len(heads), rows))
    text = json.dumps(whole, indent=1, ensure_ascii=False)
    return joined(*parts, folded("The whole specification as JSON", code(text)))


def made_by(content: Mapping[str, Any]) -> Markup:
    """Return what a manifest says: machines, versions, seeds asked for, runs."""
    given = content.get("fingerprints") or {"fingerprint": content.get("fingerprint", {})}
    names = list(dict.fromkeys(name for its in given.values() for name in its))
    told = {name: [its.get(name, "") for its in given.values()] for name in names}
    rows = [[name.replace("_", " "), *values] for name, values in told.items() if any(values)]
    heads = ["part", *(f"made by {by}" if len(given) > 1 else "value" for by in given)]
    parts = [table("Versions and machine", heads, "l" * len(heads), rows)]
    if "asked" in content:
        asked: dict[str, list[str]] = {}
        for name, seeds in content["asked"].items():
            asked.setdefault(seeds, []).append(name)
        lines = [[seeds.replace("-", "–"), ", ".join(its)] for seeds, its in asked.items()]
        parts.append(table("Seeds asked for", ["seeds", "settings"], "lt", lines))
    parts += [run_table(i, run) for i, run in enumerate(content.get("runs", []), 1)]
    if "digest" in content:
        digest = element("code", content["digest"])
        parts.append(element("p", "Digest of the specification: ", digest))
    return joined(*parts)


def run_table(number: int, run: Mapping[str, Any]) -> Markup:
    """Return one run: by which command, from which commit, when, where, how fast and how large."""
    units = {"seconds": " s", "compile_seconds": " s", "members_per_second": " a second"}
    units |= {"peak_memory_mib": " MiB", "device_memory_mib": " MiB"}
    names = {"members": "networks", "seconds": "training", "compile_seconds": "compiling"}
    names |= {"members_per_second": "networks trained", "how": "it", "git_commit": "commit"}
    names |= {"peak_memory_mib": "peak memory", "device_memory_mib": "peak memory of the device"}
    rows = []
    for key, value in run.items():
        if value in (None, "") or key == "pid":
            continue
        text = f"{value:,.4g}" if isinstance(value, float) else str(value)
        text = f"{value:,.0f}" if isinstance(value, int | float) and value >= 1000 else text
        rows.append([names.get(key, key.replace("_", " ")), text + units.get(key, "")])
    return table(f"Run {number}", ["part", "value"], "lt", rows)


def reproduce(folder: Path, content: Mapping[str, Any], module: ModuleType | None) -> Markup:
    """Return the commands that make the results and this report again."""
    runs, name = content.get("runs", []), shlex.quote(folder.name)
    commands = list(dict.fromkeys(run["command"] for run in runs if run.get("command")))
    commits = list(dict.fromkeys(run["git_commit"] for run in runs if run.get("git_commit")))
    clean = [commit for commit in commits if not commit.endswith("-dirty")]
    given = content.get("fingerprints") or {"": content.get("fingerprint", {})}
    versions = next(iter(given.values()))
    pinned = [f"{p}=={versions[p]}" for p in PACKAGES if p != "jaxlab" and p in versions]
    lines = [f"git checkout {commit}" for commit in clean[-1:]]
    lines += [f"pip install {' '.join(pinned)} -e ."] if pinned else []
    drawn = [f"python -m figures {name}"] if module is not None else []
    where = f"results/{name}" if module is not None else name
    parts = [
        element(
            "p",
            "The same versions on the same sort of processor give the same networks, bit for bit. "
            "What is on disk is not trained again: move the folder away first.",
        ),
        code("\n".join([*lines, *commands, *drawn, f"python -m jaxlab report {where}"])),
    ]
    if len(clean) < len(commits):
        text = "Some of this was made from a checkout with changes that were in no commit."
        parts.append(element("p", text))
    if not commands and "sweep" in content:
        text = "No command is recorded: these networks were trained by a program. In their folder:"
        parts += [element("p", text), code(AGAIN)]
    return joined(*parts)


def looks(folder: Path) -> Markup:
    """Return how often the results were looked at, for going on until a verdict appears cheats."""
    found = [look["seeds"] for look in recorded_looks.read(folder)]
    if not found:
        return NOTHING
    counts = ", ".join(f"{seeds:,}" for seeds in found)
    if len(found) == 1:
        return paragraphs([f"Once, with {counts} seeds: verdicts mean what they say."])
    text = f"{len(found)} times, with {counts} seeds. Verdicts allow for one look: who goes on"
    return paragraphs([f"{text} until one appears finds one more often than its level says."])
