"""Rows that all members share, kept in float64 until it is known how they will be scaled.

A network sees float32. Where that is too coarse for a column (see `rounding`), and a scaling is
asked for that subtracts something anyway, the task's rows are the column less its centre, and a
number of the task says so, such as "input 1 less"; the scaling then works with exact numbers.
Otherwise they are what is left by rounding, with a warning.
"""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxlab import rounding, tasks, validation
from jaxlab.spec import Scaling, Task

CENTRED = ("unit", "symmetric", "standard")  # scalings that do not depend on where zero is
REMEDY = {
    "inputs": "scale inputs, by --scale standard or Scaling(inputs='standard')",
    "targets": "scale targets, by --scale-targets standard or Scaling(targets='standard')",
}


def judging(tolerance: float, margin: float | None) -> dict[str, Any]:
    """Return a task's tolerance and margin, by default a half and no less than the tolerance.

    ValueError for a tolerance of 1 or more.
    """
    if validation.is_number(tolerance) and tolerance >= 1:
        raise ValueError(
            f"tolerance is {tolerance}; it must be below 1, or a constant would count as learnt: "
            "its error is the targets' standard deviation"
        )
    least = max(0.5, tolerance) if validation.is_number(tolerance) else 0.5
    return {"tolerance": tolerance, "margin": least if margin is None else margin}


def columns(what: str, values: Any) -> np.ndarray:
    """Return float64 columns (rows, columns); ValueError unless float32 can hold them."""
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"{what} are no numbers; they must be an array of (rows, columns)"
        ) from None
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{what} have the shape {array.shape}; it must be (rows, columns)")
    with np.errstate(over="ignore"):
        bad = np.flatnonzero(~np.isfinite(array.astype(np.float32)).all(axis=1))
    if bad.size:
        raise ValueError(f"{what} are not finite at row {bad[0] + 1}; they must be, at every row")
    return array


def check_targets(targets: np.ndarray) -> None:
    """Raise ValueError where targets (rows, columns) never change."""
    if not np.ptp(targets, axis=0).any():
        raise ValueError("all targets are the same; there must be something to learn")


@dataclass(frozen=True, eq=False)
class Table:
    """Inputs and targets (rows, columns), float64, and the masks (rows,) of the regions by name.

    `names` are those of the columns, inputs first, for people.
    """

    name: str
    inputs: np.ndarray
    targets: np.ndarray
    masks: Mapping[str, np.ndarray]
    names: tuple[str, ...]

    def task(self, scaling: Scaling | None, judged: Mapping[str, Any]) -> Task:
        """Return the task of learning these rows, scaled so and `judged` by tolerance and margin.

        Its name ends in a checksum of all that it is. ValueError where rounding leaves nothing to
        learn of the targets, or where float32 cannot square what must be squared.
        """
        self._check_spreads(scaling)
        shifts = [self._shifts(side, scaling) for side in REMEDY]
        x, y = (
            np.ascontiguousarray((values - shift).astype(np.float32))
            for values, shift in zip((self.inputs, self.targets), shifts, strict=True)
        )
        self._check_rounded(y)
        numbers = {
            f"{side} {i + 1} less": float(shift)
            for side, row in zip(("input", "target"), shifts, strict=True)
            for i, shift in enumerate(row)
            if shift
        }
        checksum = hashlib.sha256(" ".join(self.masks).encode())
        for array in (x, y, *self.masks.values()):
            checksum.update(str(array.shape).encode() + array.tobytes())
        if numbers:
            checksum.update(repr(numbers).encode())
        task = Task(f"{self.name} {checksum.hexdigest()[:12]}", len(x), numbers, **judged)
        if not tasks.is_defined(task):
            self._define(task.name, x, y)
        return dataclasses.replace(task, scaling=scaling)

    def losses(self, scaling: Scaling | None) -> list[str]:
        """Return what rounding does to columns that stay as they are, a line for each column."""
        count, found = self.inputs.shape[1], []
        names = {"inputs": self.names[:count], "targets": self.names[count:]}
        for side, of_side in names.items():
            values = getattr(self, side)
            kept = rounding.is_coarse(values) & (self._shifts(side, scaling) == 0)
            for i in np.flatnonzero(kept):
                lost = rounding.described(of_side[i], values[:, i])
                found.append(f"{lost}; {REMEDY[side]}")
        return found

    def _shifts(self, side: str, scaling: Scaling | None) -> np.ndarray:
        values = getattr(self, side)
        centred = scaling is not None and getattr(scaling, side) in CENTRED
        return rounding.centres(values) if centred else np.zeros(values.shape[1])

    def _check_spreads(self, scaling: Scaling | None) -> None:
        rounding.check_spread("what is to be learnt", self.targets)  # errors are relative to it
        if scaling is not None and scaling.inputs == "standard":
            for i, name in enumerate(self.names[: self.inputs.shape[1]]):
                rounding.check_spread(name, self.inputs[:, i : i + 1])

    def _check_rounded(self, targets: np.ndarray) -> None:
        if np.ptp(targets, axis=0).any():
            return
        check_targets(self.targets)
        told = rounding.described(self.names[-1], self.targets[:, -1])
        raise ValueError(f"{told}, so that there is nothing to learn; {REMEDY['targets']}")

    def _define(self, name: str, x: np.ndarray, y: np.ndarray) -> None:
        def draw(key, count, numbers):
            return jnp.asarray(x), jnp.asarray(y)

        def judged(inputs: jax.Array) -> dict[str, jax.Array]:
            return {region: jnp.asarray(mask) for region, mask in self.masks.items()}

        def rescaled(task: Task, scaling: Scaling | None) -> Task:
            return self.task(scaling, {"tolerance": task.tolerance, "margin": task.margin})

        tasks.define(name, draw, judged, random=False, spread=True, rescaled=rescaled)
