"""The story of one member as text: what became of it, why, and the units in a table.

Every clause is computed from the member's own numbers.
"""

import textwrap

import numpy as np

from jaxlab import outcomes
from jaxlab.replaying.foretelling import foretold
from jaxlab.replaying.lives import Life, hidden, lives
from jaxlab.replaying.trajectory import Trajectory

WIDTH = 80
MOST_UNITS = 16  # in a table
NAMED = 3  # units of one kind that a sentence names


def text(trajectory: Trajectory) -> str:
    """Return the whole story, as lines of at most 80 columns."""
    parts = [title(trajectory), *why(trajectory)]
    lines = [textwrap.fill(part, WIDTH) for part in parts]
    shown = table(trajectory)
    width, steps = trajectory.lane_width, trajectory.steps[-1]
    identity = (
        f"Identity: specification {trajectory.setting.digest[:12]}, seed {trajectory.seed}, lane "
        f"width {width}; {steps:,} steps, {trajectory.checked}."
    )
    return "\n".join([*lines, *([shown] if shown else []), textwrap.fill(identity, WIDTH)])


def title(trajectory: Trajectory) -> str:
    """Return which member it is and what became of it, in a few words."""
    name = f"{trajectory.sweep}: {trajectory.setting.name}, seed {trajectory.seed}"
    return f"{name}: {trajectory.outcome}"


def why(trajectory: Trajectory) -> list[str]:
    """Return sentences: what became of it, of its units, and what theory says."""
    parts = _end(trajectory), _deaths(trajectory), foretold(trajectory).why
    return [part for part in parts if part]


def _end(trajectory: Trajectory) -> str:
    said = outcomes.SENTENCES[trajectory.outcome]
    sentence = said[0].upper() + said[1:]
    if trajectory.first_solved >= 0:
        when = f"at the check after step {trajectory.first_solved:,}"
        if trajectory.outcome == "solved":
            return f"{sentence}: first {when}."
        return f"It was fitted {when}, but not at the end. {sentence}."
    born = trajectory.outcome == "dead" and trajectory.member.born_dead[0]
    return f"{sentence}.{' It was born so.' if born else ''}{_flat_side(trajectory)}"


def _flat_side(trajectory: Trajectory) -> str:
    """Say of a missed side of |x| what the output is there, if it is the same everywhere."""
    sides = {"right_only": ("left", -1), "left_only": ("right", 1)}
    if trajectory.outcome not in sides or trajectory.inputs.shape[1] != 1:
        return ""
    name, sign = sides[trajectory.outcome]
    there = trajectory.outputs[-1, np.sign(trajectory.inputs[:, 0]) == sign]
    # Those next to 0 may lie between 0 and a kink.
    usual = np.median(there)
    share = float(np.mean(there == usual))
    if share < 0.5:
        return ""
    rows = f"{100 * share:.0f} % of the rows" if share < 0.995 else "almost all rows"
    rows = "all rows" if share == 1 else rows
    return f" On the {name} the output is {usual:.4g} at {rows}, whatever the input."


def _deaths(trajectory: Trajectory) -> str:
    said = []
    for layer in range(1, len(trajectory.setting.network.widths) - 1):
        mine = [life for life in hidden(trajectory) if life.layer == layer]
        if mine:
            said.append(_of_layer(mine, trajectory))
    if lives(trajectory) and trajectory.setting.network.activations[-1] == "relu":
        said.append(_of_output(trajectory))
    if not said and not np.isfinite(trajectory.loss[-1]):
        (bad,) = np.nonzero(~np.isfinite(trajectory.loss))
        said.append(f"The loss is not finite from step {trajectory.steps[bad[0]]:,} on.")
    elif not said and "leaky_relu" in trajectory.setting.network.activations[:-1]:
        said.append("No unit can die: a leaky ReLU has a gradient on both sides.")
    return " ".join(said)


def _of_layer(mine: list[Life], trajectory: Trajectory) -> str:
    never = [life for life in mine if life.silent_from == 0]
    died = [life for life in mine if life.silent_from]
    alive = len(mine) - len(never) - len(died)
    said = []
    if len(never) == len(mine):
        said.append(f"{_all(mine)} {_were(mine)} active on no row at any step")
    elif never:
        said.append(f"{_named(never)} {_were(never)} never active on any row")
    if died and len(died) <= NAMED:
        said += [f"unit {one.unit} fell silent by step {one.silent_from:,}" for one in died]
    elif died:
        last = max(one.silent_from or 0 for one in died)
        said.append(f"{len(died)} of {len(mine)} units fell silent, the last by step {last:,}")
    if alive == len(mine):
        said.append(f"{_all(mine)} {'are' if alive > 1 else 'is'} active to the end")
    elif alive:
        said.append(f"{alive} {'is' if alive == 1 else 'are'} active to the end")
    elif died:
        said.append("none is active at the end")
    sentence = "; ".join(said) + "."
    if len(trajectory.setting.network.widths) > 3:
        return f"Layer {mine[0].layer}: {sentence}"
    return sentence[0].upper() + sentence[1:]


def _all(units: list[Life]) -> str:
    return {1: "the unit", 2: "both units"}.get(len(units), f"all {len(units)} units")


def _were(units: list[Life]) -> str:
    return "were" if len(units) > 1 else "was"


def _named(units: list[Life]) -> str:
    if len(units) > NAMED:
        return f"{len(units)} units"
    words = [str(one.unit) for one in units]
    if len(words) == 1:
        return f"unit {words[0]}"
    return f"units {', '.join(words[:-1])} and {words[-1]}"


def _of_output(trajectory: Trajectory) -> str:
    last = len(trajectory.setting.network.widths) - 1
    outputs = [one for one in lives(trajectory) if one.layer == last]
    silent = [one.silent_from for one in outputs if one.silent_from is not None]
    if len(silent) < len(outputs):
        return ""
    since = max(silent)
    when = f"from step {since:,} on" if since else "from the start"
    return f"The output's ReLU is shut on every row {when}."


def table(trajectory: Trajectory) -> str:
    """Return the hidden units as a table, "" where there are none or too many for one."""
    units = hidden(trajectory)
    if not 0 < len(units) <= MOST_UNITS:
        return ""
    widths = trajectory.setting.network.widths
    simple = widths[0] == widths[-1] == 1 and len(widths) == 3 and trajectory.weights is not None
    head = f"{'unit':<5}"
    if simple:
        head += f" {'kernel':^19} {'bias':^9} {'output weight':^19}"
    lines = [f"{head} {'active, % of rows':^17} silent"]
    lines.append(
        f"{'':<5}" + (f" {'start':>9} {'end':>9} {'end':>9} {'start':>9} {'end':>9}" * simple)
    )
    lines[1] += f" {'start':>8} {'end':>8} from"
    for one in units:
        line = f"{one.layer}.{one.unit:<3}" if len(widths) > 3 else f"{one.unit:<5}"
        if simple:
            (kernel, bias), (outputs, _) = trajectory.layers
            i = one.unit - 1
            numbers = [kernel[0, 0, i], kernel[-1, 0, i], 0.0 if bias is None else bias[-1, i]]
            numbers += [outputs[0, i, 0], outputs[-1, i, 0]]
            line += "".join(f" {_number(n):>9}" for n in numbers)
        line += f" {100 * one.active[0]:8.1f} {100 * one.active[-1]:8.1f} "
        since = "" if one.silent_from is None else f"{one.silent_from}"
        lines.append(line + (since or "-"))
    return "\n".join(line.rstrip() for line in lines)


def _number(value: float) -> str:
    return f"{value:.4g}"
