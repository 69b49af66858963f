"""List every formula: what it says, its kind, where it is valid, how far measurement was from it.

python -m jaxlab theory
python -m jaxlab theory born_dead
python -m jaxlab theory momentum.threshold

Words choose the formulas whose names hold one of them; a full name shows formula and source too.
Rates are compared in points (per cent); a bound that is kept says how much room is left.
"""

import textwrap

from jaxlab import commandline
from jaxlab.theory import registry
from jaxlab.theory.registry import Entry, Measured

WIDTH = 80


def parser() -> commandline.Parser:
    """Return the tool's command line."""
    made = commandline.described("python -m jaxlab theory", __doc__)
    made.add_argument("words", nargs="*", metavar="WORD", help="parts of names; none: all")
    return made


def main(arguments: list[str]) -> None:
    """Print the formulas; ValueError if no name holds one of the words."""
    words = parser().parse_args(arguments).words
    everything = registry.entries()
    chosen = [e for e in everything if not words or any(word in e.name for word in words)]
    lost = [word for word in words if not any(word in entry.name for entry in everything)]
    if lost:
        known = sorted({entry.name.split(".")[0] for entry in everything})
        raise ValueError(f"no formula is called {lost[0]!r}; files: {', '.join(known)}")
    print("\n\n".join(described(entry, whole=entry.name in words) for entry in chosen))
    print(f"\n{len(chosen)} of {len(everything)} formulas")


def described(entry: Entry, *, whole: bool = False) -> str:
    """Return one formula as lines of at most 80 columns."""
    kind = entry.kind.split(",")[0].split(" (")[0].split(";")[0]
    gap = " " if len(entry.name) + len(kind) >= WIDTH else ""
    lines = [f"{entry.name}{gap}{kind:>{max(0, WIDTH - len(entry.name) - len(gap))}}"[:WIDTH]]
    parts = [("", entry.event)]
    if whole:
        parts.append(("formula: ", entry.formula))
    parts.append(("valid: ", entry.assumptions))
    if whole:
        parts += [("kind: ", entry.kind), ("source: ", entry.source)]
    parts += [("measured: ", sentence(one)) for one in entry.measured]
    for label, text in parts:
        lines += textwrap.wrap(label + text, WIDTH, initial_indent="  ", subsequent_indent="    ")
    return "\n".join(lines)


def sentence(measured: Measured) -> str:
    """Return a deviation in words."""
    points = f"{100 * abs(measured.off):.2f} points"
    text = f"at most {points} off" if measured.off >= 0 else f"kept, {points} or more left"
    event = measured.event.replace("_", " ")
    return f"{event}: {text}, n = {measured.n:,} ({measured.where})"
