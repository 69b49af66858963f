"""Seeds as text: a manifest says "0-3,7,9-10" of those that were ever asked for."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from jaxlab.keys import MAX_SEED, MOST_SEEDS
from jaxlab.validation import check, shown

MOST_RANGES = 10**6
RANGE = re.compile(r"([0-9]{1,10})(?:-([0-9]{1,10}))?")
RIGHT = f"ascending seeds such as 0-3,7, none above {MAX_SEED}"

Pairs = list[tuple[int, int]]


def ranges(seeds: np.ndarray) -> str:
    """Return ascending seeds as text.

    >>> ranges(np.array([0, 1, 2, 3, 7, 9, 10]))
    '0-3,7,9-10'
    """
    if not len(seeds):
        return ""
    ends = np.flatnonzero(np.diff(seeds) != 1)
    firsts, lasts = seeds[np.r_[0, ends + 1]], seeds[np.r_[ends, len(seeds) - 1]]
    return _text(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _text(pairs: Iterable[Sequence[int]]) -> str:
    return ",".join(f"{a}-{b}" if b > a else f"{a}" for a, b in pairs)


def pairs_in(text: object) -> Pairs:
    """Return the first and the last seed of every range in a text; ValueError for any other text.

    >>> pairs_in("0-3,7")
    [(0, 3), (7, 7)]
    """
    check(isinstance(text, str), "seeds", text, RIGHT)
    parts = str(text).split(",", MOST_RANGES) if text else []
    check(len(parts) <= MOST_RANGES, "number of ranges of seeds", len(parts), f"{MOST_RANGES}")
    found = [RANGE.fullmatch(part) for part in parts]
    pairs = [(int(one[1]), int(one[2] or one[1])) for one in found if one]
    ascend = all(a <= b <= MAX_SEED for a, b in pairs)
    ascend = ascend and all(one[1] < other[0] for one, other in pairwise(pairs))
    check(len(pairs) == len(parts) and ascend, "seeds", text, RIGHT)
    return pairs


def united(one: str, other: str) -> str:
    """Return the ranges of all seeds in either, without making their list.

    >>> united("0-3,7", "2-5,6,9")
    '0-7,9'
    """
    found: list[list[int]] = []
    for first, last in sorted(pairs_in(one) + pairs_in(other)):
        if found and first <= found[-1][1] + 1:
            found[-1][1] = max(found[-1][1], last)
        else:
            found.append([first, last])
    return _text(found)


def seeds_in(text: str) -> np.ndarray:
    """Return the seeds that `ranges` wrote as text; ValueError where they are more than 10^8.

    >>> seeds_in("0-3,7").tolist()
    [0, 1, 2, 3, 7]
    """
    pairs = pairs_in(text)
    count = sum(last - first + 1 for first, last in pairs)
    if count > MOST_SEEDS:
        text = f"at most {MOST_SEEDS:,} can be listed at once"
        raise ValueError(f"the seeds {shown(text)} are {count:,}; {text}")
    parts = [np.arange(first, last + 1) for first, last in pairs]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)
