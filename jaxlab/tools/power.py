"""Say how many seeds a question needs, or what a number of seeds can tell.

python -m jaxlab power
python -m jaxlab power --rate 0.25 --margin 0.01
python -m jaxlab power --rate 0.25 --margin 0.01 --family 29
python -m jaxlab power --seeds 1000 --rate 0.25

Without --rate or --margin there is a table over usual ones. Rates are shares of seeds that fail;
a point is a per cent of all seeds. Intervals are exact ones of 95 %.
"""

import argparse
import math
import textwrap
from collections.abc import Callable, Sequence

from jaxlab import commandline, keys, power
from jaxlab.tally import clopper_pearson

RATES = (0.01, 0.05, 0.25, 0.5)
MARGINS = (0.1, 0.05, 0.02, 0.01)
LEVELS = (0.05, 0.01)
POWERS = (0.8, 0.9)
WIDTH, CELL = 80, 13
LEAST_MARGIN = 0.001  # less takes minutes to compute, and a million seeds


def share(text: str) -> float:
    """Parse a number from 0 to 1."""
    return _number(text, 0.0, 1.0, "a share from 0 to 1, such as 0.25")


def margin(text: str) -> float:
    """Parse a margin."""
    right = f"a share from {LEAST_MARGIN:g} to 0.4, such as 0.01 for one point"
    return _number(text, LEAST_MARGIN, 0.4, right)


def _number(text: str, low: float, high: float, right: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not {right}")
    return value


def parser() -> commandline.Parser:
    """Return the tool's command line."""
    made = commandline.described("python -m jaxlab power", __doc__)
    made.add_argument("--rate", type=share, metavar="R", help="the share of seeds that fails")
    text = "how exactly it is to be known, as a share: 0.01 is one point"
    made.add_argument("--margin", type=margin, metavar="M", help=text)
    text = "questions of one family, each tested at its level / N (the first step of Holm's)"
    made.add_argument(
        "--family", type=commandline.whole(1, 9999), default=1, metavar="N", help=text
    )
    text = "the other way round: what N seeds tell"
    made.add_argument("--seeds", type=commandline.whole(1, keys.MOST_SEEDS), metavar="N", help=text)
    return made


def main(arguments: list[str]) -> None:
    """Print the table; ValueError for flags that do not go together."""
    asked = parser().parse_args(arguments)
    if asked.seeds is not None:
        if asked.margin is not None:
            raise ValueError("--seeds says what the margin is; leave out one of --seeds, --margin")
        rates = RATES if asked.rate is None else (asked.rate,)
        print(told_by(asked.seeds, rates, asked.family))
    elif asked.rate is not None and asked.margin is not None:
        print(needed(asked.rate, asked.margin, asked.family))
    else:
        rates = RATES if asked.rate is None else (asked.rate,)
        margins = MARGINS if asked.margin is None else (asked.margin,)
        print(overview(rates, margins, asked.family))


def needed(rate: float, margin: float, family: int = 1) -> str:
    """Return how many seeds each question needs at one rate and margin."""
    others = _others(rate, margin)
    near, points = " or ".join(map(percent, others)), in_points(margin)
    at_rate = power.seeds_for_interval(rate, margin)
    at_any = power.seeds_for_interval(0.5, margin)
    lines = [
        f"seeds for a rate of {percent(rate)} and a margin of {points}",
        "",
        f"to know the rate within {points} (exact 95 % interval)",
        _line(f"  if it is {percent(rate)}", at_rate),
        _line("  whatever it is (50 % needs most)", at_any),
        f"to know, 95 % sure, that it is below {percent(margin)}",
        _line("  without a single failure", power.seeds_without_failure(margin)),
        "",
        _line(f"to tell {percent(rate)} from {near}", *(f"power {percent(p)}" for p in POWERS)),
    ]
    questions: dict[str, Callable[..., int]] = {
        "a known rate against the counted one": power.seeds_to_distinguish,
        "two settings, seeds of each": power.seeds_to_compare,
    }
    for what, seeds in questions.items():
        lines.append(f"  {what}")
        for level in LEVELS:
            found = [_hardest(seeds, rate, others, level / family, p) for p in POWERS]
            lines.append(_line(f"    p < {level:g}{_of_family(family)}", *found))
    advice = f"Run {at_any:,} seeds to know the rate within {points} whatever it turns out to be; "
    advice += "to tell two rates so close together, run the larger numbers above."
    return "\n".join([*lines, "", *_wrapped(advice)])


def overview(rates: Sequence[float], margins: Sequence[float], family: int = 1) -> str:
    """Return how many seeds three questions need, a row per margin and a column per rate."""
    level, chance = LEVELS[0], POWERS[0]
    test = f"(p < {level:g}{_of_family(family)}, power {percent(chance)})"

    def distinguish(rate, margin):
        others = _others(rate, margin)
        return _hardest(power.seeds_to_distinguish, rate, others, level / family, chance)

    def compare(rate, margin):
        others = _others(rate, margin)
        return _hardest(power.seeds_to_compare, rate, others, level / family, chance)

    tables: dict[str, Callable[[float, float], int]] = {
        "to know a rate within the margin (exact 95 % interval)": power.seeds_for_interval,
        f"to tell it from a known rate so far away {test}": distinguish,
        f"to tell two settings so far apart, seeds of each {test}": compare,
    }
    lines = []
    for what, seeds in tables.items():
        lines += [what, _line("  margin", *(f"rate {percent(rate)}" for rate in rates))]
        for margin in margins:
            row = [seeds(rate, margin) for rate in rates]
            lines.append(_line(f"  {in_points(margin)}", *row))
        lines.append("")
    sure = power.seeds_without_failure(0.01)
    advice = f"Run 1,000 seeds for a first look and 10,000 to know any rate within a point; {sure} "
    advice += "seeds without a failure show that fewer than 1 % fail. For one question: --rate and "
    advice += "--margin; for what N seeds tell: --seeds N."
    return "\n".join([*lines, *_wrapped(advice)])


def told_by(seeds: int, rates: Sequence[float], family: int = 1) -> str:
    """Return what so many seeds tell at each rate: intervals and differences that would show."""
    heads = [f"rate {percent(rate)}" for rate in rates]
    many = f"{seeds:,} seeds tell" if seeds > 1 else "1 seed tells"
    lines = [
        f"what {many}: how far below and above a rate, in points",
        _line("", *heads),
    ]
    limits = [clopper_pearson(round(seeds * rate), seeds) for rate in rates]
    around = [_around(rate, i.low, i.high) for rate, i in zip(rates, limits, strict=True)]
    lines.append(_line("exact 95 % interval", *around))
    questions = {
        "other rates that are told from it": power.detectable,
        "settings that are told apart, seeds of each": power.comparable,
    }
    for what, found in questions.items():
        lines.append(what)
        for level, chance in zip(LEVELS, POWERS, strict=True):
            pairs = [found(seeds, rate, level / family, chance) for rate in rates]
            text = f"p < {level:g}{_of_family(family)}, power {percent(chance)}"
            cells = [_around(r, *pair) for r, pair in zip(rates, pairs, strict=True)]
            lines.append(_line(text, *cells))
    highest = clopper_pearson(0, seeds, level=0.9).high  # one side of it is 95 %
    advice = f"Without a single failure among {seeds:,} the rate is below {percent(highest)}, 95 % "
    advice += "sure; whatever the rate is, it is known within "
    advice += f"{in_points(clopper_pearson(seeds // 2, seeds).half_width)}."
    return "\n".join([*lines, "", *_wrapped(advice)])


def percent(rate: float) -> str:
    """Return a share in per cent."""
    return f"{100 * rate:.4g} %"


def in_points(margin: float) -> str:
    """Return a difference of shares in points."""
    return f"{100 * margin:.3g} point{'s' * (f'{100 * margin:.3g}' != '1')}"


def _others(rate: float, margin: float) -> list[float]:
    sides = [round(rate + sign * margin, 12) for sign in (-1, 1)]
    return [other for other in sides if 0 <= other <= 1]


def _hardest(
    seeds: Callable[..., int], rate: float, others: Sequence[float], level: float, chance: float
) -> int:
    return max(seeds(rate, other, level, chance) for other in others)


def _of_family(family: int) -> str:
    return f" / {family:,}" if family > 1 else ""


def _around(rate: float, low: float, high: float) -> str:
    """Return how far two rates lie below and above another, in points; - where there is none."""
    below = "-" if math.isnan(low) or low == rate else f"-{_short(100 * (rate - low))}"
    above = "-" if math.isnan(high) or high == rate else f"+{_short(100 * (high - rate))}"
    return f"{below} {above}"


def _short(points: float) -> str:
    if points < 0.095:
        return f"{points:.1g}"
    return f"{points:.1f}" if points >= 9.95 else f"{points:.2f}"


def _line(label: str, *cells: int | str) -> str:
    """Return a label and its cells, right-aligned, in at most 80 columns."""
    texts = [cell if isinstance(cell, str) else f"{cell:,}" for cell in cells]
    return (
        f"{label:<{WIDTH - CELL * len(cells)}}" + "".join(f"{t:>{CELL}}" for t in texts)
    ).rstrip()


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH)
