"""Trajectories made by hand: a small network's weights at a few moments, and all that follows."""

import dataclasses

import numpy as np
import samples

from jaxlab import Setting, Trajectory

STEPS = (0, 1, 10, 36)


def network(x: np.ndarray, kernel, bias, outputs, last) -> tuple[np.ndarray, np.ndarray]:
    """Return what ReLU units answer, (rows, units), and the output (rows, 1), for x (rows, 1)."""
    units = np.maximum(x * np.asarray(kernel) + np.asarray(bias), 0)
    return units, units @ np.asarray(outputs)[:, None] + last


def told(
    outcome: str, kernels, outputs, biases=None, last=None, setting: Setting | None = None, **given
) -> Trajectory:
    """Return the trajectory of a 1-k-1 ReLU network on |x| whose weights are (moments, k) each."""
    w, a = np.asarray(kernels, np.float32), np.asarray(outputs, np.float32)
    b = np.zeros_like(w) if biases is None else np.asarray(biases, np.float32)
    c = np.zeros(len(w), np.float32) if last is None else np.asarray(last, np.float32)
    setting = setting or samples.setting(k=w.shape[1])
    x = np.linspace(-1, 1, samples.ROWS, dtype=np.float32)[:, None]
    if "low" in setting.task.numbers:
        ends = setting.task.numbers["low"], setting.task.numbers["high"]
        x = np.linspace(*ends, samples.ROWS, dtype=np.float32)[:, None]
    answers = [network(x, *weights) for weights in zip(w, b, a, c, strict=True)]
    found = np.stack([y for _, y in answers])
    active = np.stack([np.append((u > 0).mean(axis=0), (y > 0).mean()) for u, y in answers])
    ended = dataclasses.replace(samples.members([outcome]), first_solved=np.array([-1]))
    target = np.abs(x)
    parts = {
        "sweep": "small",
        "setting": setting,
        "seed": 0,
        "lane_width": samples.LANES,
        "member": ended,
        "same": True,
        "checked": "the same, bit for bit, as jaxlab.run trains it",
        "regions": ("right", "left"),
        "steps": np.array(STEPS[: len(w)]),
        "loss": ((found - target) ** 2).mean(axis=(1, 2)),
        "errors": np.ones((len(w), 2)),
        "inputs": x,
        "targets": target,
        "outputs": found,
        "active": active,
        "sizes": np.stack([np.abs(w).max(axis=1), np.abs(a).max(axis=1)], axis=1),
        "weights": np.concatenate([w, b, a, c[:, None]], axis=1),
    }
    return Trajectory(**parts | given)


DYING = told(
    "right_only",
    [[1.0, -0.5], [1.0, -0.4], [1.0, 0.0], [1.0, 0.0]],
    [[0.5, -1.0], [0.7, -0.9], [0.9, -0.8], [1.0, -0.8]],
    [[0.0, 0.0], [0.0, -0.1], [0.0, -0.2], [0.0, -0.2]],
)
"""One unit that learns the right side, and one on the left that is silent from step 10 on."""
