"""Rows that every member draws for itself: inputs between two ends, and a function's values there.

Some draws are looked at beforehand, so that what cannot be learnt is refused before any training.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxlab import keys, ranges, rounding, tasks
from jaxlab.fixed_rows import check_targets, columns
from jaxlab.spec import Scaling, Task

DRAWS = 8  # that are looked at
REMEDY = "drawn for each seed, they cannot be centred: subtract a constant in what is asked"


@dataclass(frozen=True, eq=False)
class Draws:
    """How rows are drawn: a function of inputs between `low` and `high` (inputs,), and regions."""

    function: ranges.Function
    low: np.ndarray
    high: np.ndarray
    whole_numbers: bool
    regions: tasks.Regions

    def task(
        self,
        name: str,
        rows: int,
        scaling: Scaling | None,
        judged: Mapping[str, Any],
        *,
        checksum: bool,
    ) -> Task:
        """Return the task; its name ends in a checksum of some draws if that is asked for.

        ValueError where there is nothing to learn or a region is empty; RoundingWarning where
        float32 is too coarse for what is drawn.
        """
        numbers = ranges.numbers(self.low, self.high)
        draw = partial(ranges.drawn, self.function, len(self.low), self.whole_numbers)
        traced = {name: jnp.float32(value) for name, value in numbers.items()}
        looks = [draw(key, rows, traced) for key in jax.random.split(keys.root_key(), DRAWS)]
        inputs, targets = (np.concatenate(part) for part in zip(*looks, strict=True))
        check_targets(columns("targets", targets))
        rounding.check_spread("what is to be learnt", targets.astype(np.float64))
        masks = [self.regions(x) for x, _ in looks]
        _check_regions(masks)
        rounding.warn(self._losses(inputs, targets))
        if checksum:
            name = f"{name} {_checksum(targets, masks)}"
        task = Task(name, rows, numbers, **judged, scaling=scaling)
        if not tasks.is_defined(task):
            tasks.define(name, draw, self.regions, random=True, spread=True)
        return task

    def _losses(self, inputs: np.ndarray, targets: np.ndarray) -> list[str]:
        found = []
        if not self.whole_numbers and rounding.may_be_coarse(inputs).any():
            span = f"from {self.low.tolist()} to {self.high.tolist()}"
            found.append(f"inputs {span} lie too close together for float32; {REMEDY}")
        if rounding.may_be_coarse(targets).any():
            exact = columns("targets", rounding.exactly(self.function, inputs))
            for i in np.flatnonzero(rounding.is_coarse(exact)):
                found.append(f"{rounding.described(f'target {i + 1}', exact[:, i])}; {REMEDY}")
        return found


def _check_regions(masks: list[dict[str, jax.Array]]) -> None:
    empty = [region for region in masks[0] if not all(found[region].any() for found in masks)]
    if empty:
        raise ValueError(
            f"region {empty[0]!r} is without rows for some seeds; it must have some for each"
        )


def _checksum(targets: np.ndarray, masks: list[dict[str, jax.Array]]) -> str:
    found = hashlib.sha256(f"{targets.shape} {' '.join(masks[0])}".encode())
    found.update(targets.tobytes())
    for mask in (mask for regions in masks for mask in regions.values()):
        found.update(np.asarray(mask).tobytes())
    return found.hexdigest()[:12]
