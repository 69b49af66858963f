"""Small settings and sweeps that train in milliseconds once compiled."""

import dataclasses
import hashlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import numpy as np
from jax.sharding import AxisType, Mesh

from jaxlab import (
    OUTCOMES,
    Initialiser,
    Network,
    Optimiser,
    Result,
    Setting,
    Sweep,
    Training,
    commandline,
    run,
    tasks,
)
from jaxlab.grid import Axis, Grid
from jaxlab.result import Members

LANES = 8
SEEDS = 50  # of the stored sweep: calls of 16 and chunks of 20 do not divide it
ROWS = 40


def setting(
    name: str = "k=2", k: int = 2, *, rate: float = 0.02, batch_size: int = 16, epochs: int = 12
) -> Setting:
    """Return |x| on [-1, 1] with k ReLU units: 40 rows, batches of 16, so 3 steps an epoch."""
    return Setting(
        name,
        tasks.absolute_value(ROWS, -1.0, 1.0),
        Network((1, k, 1), ("relu", "linear")),
        (Initialiser("glorot_uniform"),),
        Training(Optimiser(learning_rate=rate), batch_size=batch_size, epochs=epochs),
    )


def sweep(*settings: Setting, paired: bool = False) -> Sweep:
    """Return a sweep of the settings; without any, of two that share a program."""
    two = (setting(), dataclasses.replace(setting(rate=0.05), name="fast"))
    return Sweep("small", settings or two, paired)


RATE, SCALE = "training.optimiser.learning_rate", "initialisers.*.scale"
GRID = Grid(
    "small",
    setting("base", epochs=20),
    Axis("learning rate", (RATE,), (0.003, 0.03, 0.3)),
    Axis("scale", (SCALE, "initialisers.0.bias_scale"), (0.1, 1.0, 3.0, 30.0)),
)


def mesh(devices: int) -> Mesh:
    """Return the mesh that the engine makes where there are so many devices."""
    chosen = jax.local_devices()[:devices]
    return jax.make_mesh((devices,), ("members",), (AxisType.Auto,), devices=chosen)


def equal_bits(one: Members, other: Members) -> bool:
    """Say whether the members that both have are the same to the last bit, and there are some."""
    common, mine, its = np.intersect1d(one.seeds, other.seeds, return_indices=True)
    pairs = [(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(Members)]
    if any((a is None) != (b is None) for a, b in pairs):
        return False
    kept = [(a[mine], b[its]) for a, b in pairs if a is not None]
    return len(common) > 0 and all(a.tobytes() == b.tobytes() for a, b in kept)


def members(names: Sequence[str], **facts: np.ndarray) -> Members:
    """Return members 0, 1, ... of these outcomes; nothing else is remarkable about them."""
    n = len(names)
    dull = ("loss", "rmse", "rounded_rmse", "line_rmse", "mean_output", "mean_target", "spread")
    errors = np.where(np.array(names) == "solved", 0.0, 1.0)[:, None].repeat(2, axis=1)
    neutral = {
        **dict.fromkeys(dull, np.zeros(n, np.float32)),
        "errors": errors.astype(np.float32),
        "first_solved": np.full(n, -1, np.int32),
        "born_dead": np.zeros(n, bool),
        "improving": np.array([name == "unfinished" for name in names]),
        "certified": np.array([name == "dead" for name in names]),
        "entering": np.zeros((n, 2), np.float32),
    }
    outcome = np.array([OUTCOMES.index(name) for name in names], np.int8)
    return Members(np.arange(n), outcome, **neutral | facts)


def scaled_by_hand(name: str, values: np.ndarray) -> np.ndarray:
    """Return scaled columns in float64; one of equal values keeps its own unit."""
    values = values.astype(float)
    low, high = values.min(axis=0), values.max(axis=0)
    zero, one = {
        "raw": (0 * low, 0 * low + 1),
        "unit": (low, high - low),
        "symmetric": ((low + high) / 2, (high - low) / 2),
        "standard": (values.mean(axis=0), values.std(axis=0)),
        "log": (0 * low, 0 * low + 1),
    }[name]
    shown = np.log1p(values) if name == "log" else values
    return (shown - zero) / np.where(one > 0, one, 1.0)


def with_epochs(given: Setting, epochs: int) -> Setting:
    """Return a setting that trains longer or shorter."""
    training = dataclasses.replace(given.training, epochs=epochs)
    return dataclasses.replace(given, training=training)


def content(folder: Path) -> dict[str, str]:
    """Return every path below a folder with a digest of what is there."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
    }


def lasting(folder: Path) -> dict[str, str]:
    """Return the content of a results folder without what tells of runs: times, and locks."""
    found = content(folder).items()
    return {k: v for k, v in found if k.split("/")[0] not in ("shards", "manifest.json")}


def trained(folder: Path, seeds=SEEDS, given=None) -> Result:
    """Run the small sweep into a folder, as the command line does."""
    found = run(given or sweep(), seeds, out=folder, lane_width=LANES, command="test")
    found.to_csv(folder / "summary.csv")
    return found


def exit_code(monkeypatch, main: Callable[[], None], *line: str) -> int:
    """Return the exit code of a command's `main`, called with the words of a command line."""
    monkeypatch.setattr(sys, "argv", list(line))
    try:
        commandline.run_cleanly(main)
    except SystemExit as left:
        return int(left.code or 0)
    return 0
