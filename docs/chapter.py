"""Write docs/theory.md: every formula, where it holds, why, and how far measurement was from it.

    python -m docs.chapter

The formulas are read off the docstrings of `jaxlab.theory` by its registry, the measured deviations
off the table beside it; the order and the introductions stand here.
"""

import importlib
import re
import textwrap
from collections.abc import Iterable
from fractions import Fraction

from docs import prose
from docs.prose import anchor, first_line, rest
from jaxlab import commandline
from jaxlab.theory import registry
from jaxlab.theory.absolute_value import one_sided_at_init, training_fails
from jaxlab.theory.registry import Entry
from jaxlab.tools.theory import sentence

COMMAND = "python -m docs.chapter"
WIDTH = 96  # characters of a formula's line
PARTS = {
    "Dead or not before the first step": ("born_dead", "deep_narrow", "units", "lengths"),
    "|x|: what training makes of the start": (
        "absolute_value",
        "absolute_value_predictions",
        "joint_laws",
        "crossing",
        "flow",
        "decoupling",
    ),
    "Weights that are small beside the learning rate": ("momentum", "momentum_predictions"),
    "2x: steps that are too large": ("doubling", "doubling_fate", "steps"),
    "-1 to 1: one unit, one sign": ("negation",),
    "Losses at which nothing has been learnt": ("baselines", "plateaus"),
    "Tools": ("laws",),
}
"""The files of `jaxlab.theory` that hold formulas, in the order in which one would teach them."""
TITLES = {
    "born_dead": "Networks that are born dead",
    "deep_narrow": "Deep and narrow networks",
    "units": "Single units",
    "lengths": "How activations shrink with depth",
    "absolute_value": "The survival formula",
    "absolute_value_predictions": "The folk formula",
    "joint_laws": "Weights that are not drawn independently",
    "crossing": "Units that change sides",
    "flow": "The whole way, by gradient flow",
    "decoupling": "When the formulas for |x| may be used",
    "momentum": "What momentum carries through 0",
    "momentum_predictions": "How sure the momentum law is",
    "doubling": "How often 2x is not learnt",
    "doubling_fate": "What becomes of one network on 2x",
    "steps": "How large a step may be",
    "negation": "How long a sign takes to turn",
    "baselines": "What a constant or a line scores",
    "plateaus": "Where training on |x| comes to rest",
    "laws": "Laws of one weight",
}
OPENING = """\
Some failures of small networks can be foretold with paper and pencil. This chapter has every
formula of `jaxlab.theory`: what it says, where it holds, why, and how far counts of trained
networks were from it. `python -m jaxlab theory` prints the same on a terminal.

## Five words

- **exact**: true of the probability itself. A count differs by chance alone; if it differs by
  more, an assumption does not hold, or there is a bug.
- **lower bound**, **upper bound**: the probability is not below, or not above. Where it is reached
  is said with it.
- **asymptotic**: true in a limit, of many units, say; near it, close to true.
- **empirical**: a rule with reasons but without a proof. It carries a tolerance, which was fixed
  before it was held against trained networks.
- **at the start** or **after training**: signs of random weights are decided before the first
  step, and formulas about them are exact. What training makes of them follows from its equations,
  exactly if steps are infinitely small (*gradient flow*); Adam's steps are not, so that the same
  formula is empirical for Adam.

## One example by hand

Two ReLU units are to learn |x|. Each kernel is positive or negative like the fall of a coin, so
both fall on one side with probability 1/2: {start:.0f} % of all networks lack a side before the
first step. That is the forum's rule, and it is right about the start. Now let a unit stand alone
on its side. It lives if its output weight a is positive, or if a is negative but smaller than its
kernel: 1/2 + 1/2 * 1/2 = 3/4 where both come from the same law. A network learns |x| if its units
are on different sides (1/2) and both live (3/4 * 3/4). So it fails with probability
1 - 9/32 = {exactly}, {end:.1f} %, not {start:.0f} %; what was counted stands in
[the tables](results.md). The general formula is [below](#{formula}).

## How to read an entry

An entry begins with what is computed and the name of the function that computes it, then the
formula as text. *Valid* names the assumptions, *why* the source or the proof in a sentence.
*Measured* is the largest deviation of a count from it over all settings that were run, in points of
a hundred, with the number of networks behind that count and the sweep and setting where it was;
[all of them](results.md#largest-deviation-from-every-formula). Of a bound that is kept it says how
much room was left where it was closest. A count of 10,000 networks wavers by up to 1 point by
chance, one of a million by 0.1.

Symbols: P(...) a probability, E[...] a mean, x^2 a square; k or n units, N units per layer (the
width), L layers of weights; w a kernel, a an output weight, s a slope; lr the learning rate, T the
number of steps, b1 and b2 Adam's two memories (0.9 and 0.999), l = lr/(1 - b1). *Elementwise* means
that a function takes arrays."""

INTRODUCTIONS = {
    "Dead or not before the first step": """\
A ReLU unit is 0 wherever its input is negative, and where it is 0 no gradient passes. If a whole
layer is 0 on every row, nothing before it will ever be trained: the network is dead at birth. No
training is needed to find out how often that happens, only the signs of random numbers, so most of
what follows is exact.""",
    "|x|: what training makes of the start": """\
Write f(x) as the sum of a relu(w x) over the units: w is a unit's *kernel*, a its *output weight*.
Units with w > 0 can only fit the right side of |x|, those with w < 0 only the left. If all kernels
have one sign, one side is lost from the start, for as long as biases are small beside the inputs:
Adam moves them by lr a step, and where lr times the number of steps nears the largest input they
cross and cure. But a unit on the right side may die as well, and
that is decided by a and w together. *At the start* is a matter of signs; *after training* also
counts the units that die on the way.""",
    "Weights that are small beside the learning rate": """\
Under plain gradient descent a unit with a < 0 and |a| > |w| dies when its kernel reaches 0. Adam
arrives there with momentum and is carried through, the farther the smaller the weight is beside the
step, and meanwhile a goes on rising. So units live that should have died, and failures fall to what
signs alone say.""",
    "2x: steps that are too large": """\
Learning rates have a limit, above which every step makes the error larger. On raw inputs up to 600
it is far below usual values: the first step throws the network to 10^9, the second below 0, where a
ReLU output stays.""",
    "-1 to 1: one unit, one sign": """\
One unit, one input, -1, one target, 1. Half of the initial kernels have the wrong sign. A leaky
unit turns it in time; a plain ReLU never does.""",
    "Losses at which nothing has been learnt": """\
A printed loss is a clue. If it is the score of the best constant, or of the best line, the network
has learnt that and no more.""",
    "Tools": "What the formulas above ask of the laws of random weights.",
}


def opening() -> str:
    """Return what a reader needs to know before the first formula."""
    start, end = float(one_sided_at_init(2)), float(training_fails(2, 0.75))
    shown = {"start": 100 * start, "end": 100 * end, "exactly": Fraction(end)}
    return OPENING.format(**shown, formula=anchor(TITLES["absolute_value"]))


def described(entry: Entry) -> str:
    """Return one formula as Markdown."""
    formula = textwrap.fill(entry.formula.replace("`", ""), WIDTH)
    lines = [f"- Kind: {entry.kind}.", f"- Valid: {entry.assumptions}.", f"- Why: {entry.source}."]
    lines += [f"- Measured: {sentence(one)}." for one in entry.measured]
    if not entry.measured:
        lines.append(f"- Measured: by no sweep; checked by itself in `{tests_of(entry)}`.")
    said = prose.prose("\n".join(lines))
    head = f"#### {prose.prose(heading(entry.event))}\n\n`{entry.name}`"
    return f"{head}\n\n```text\n{formula}\n```\n\n{said}"


def heading(event: str) -> str:
    """Return what a formula computes with a large first letter, unless that is a symbol."""
    event = event.removeprefix("Tell ")
    return event if re.match(r"[b-z]\b", event) else event[:1].upper() + event[1:]


def tests_of(entry: Entry) -> str:
    """Return the file of tests that checks a formula, from the repository's root."""
    file = entry.name.split(".")[0]
    while file and not (prose.DOCS.parent / "tests" / f"test_theory_{file}.py").exists():
        file = file.rpartition("_")[0]  # what belongs to `doubling` may be tested with it
    return f"tests/test_theory_{file}.py"


def section(name: str, entries: Iterable[Entry]) -> str:
    """Return one file's section: its title, its docstring and its formulas."""
    module = importlib.import_module(f"jaxlab.theory.{name}")
    said = [
        prose.prose(text) for text in (first_line(module.__doc__), rest(module.__doc__)) if text
    ]
    return "\n\n".join([f"### {TITLES[name]}", *said, *map(described, entries)])


def text() -> str:
    """Return the whole chapter; ValueError if a file with formulas has no place in it."""
    of_file: dict[str, list[Entry]] = {}
    for entry in registry.entries():
        of_file.setdefault(entry.name.split(".")[0], []).append(entry)
    placed = {name for names in PARTS.values() for name in names}
    if placed != set(of_file):
        wrong = ", ".join(sorted(placed ^ set(of_file)))
        raise ValueError(f"PARTS must name the files that hold formulas, and no others: {wrong}")
    parts = [opening(), "## Contents", contents()]
    for title, names in PARTS.items():
        parts += [f"## {title}", INTRODUCTIONS[title]]
        parts += [section(name, of_file[name]) for name in names]
    return prose.page("The theory", COMMAND, parts)


def contents() -> str:
    """Return links to all parts and sections."""
    lines = []
    for title, names in PARTS.items():
        lines.append(f"- [{title}](#{anchor(title)})")
        lines += [f"  - [{TITLES[name]}](#{anchor(TITLES[name])})" for name in names]
    return "\n".join(lines)


def parser() -> commandline.Parser:
    """Return the command line."""
    return commandline.described(COMMAND, __doc__)


def main() -> None:
    """Write the chapter."""
    parser().parse_args()
    print(f"written: {prose.write('theory.md', text())}")


if __name__ == "__main__":
    commandline.run_cleanly(main)
