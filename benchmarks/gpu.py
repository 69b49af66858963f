"""A million |x| networks on one GPU: how fast, the same bits twice, the same rates as on a CPU.

The counts of a CPU are those of `python -m sweeps absolute_value`, where they are on disk: the same
seeds of the same setting start from the same weights and shuffle alike, so members are compared
one by one.
"""

import statistics
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks import cases, machine, timing
from jaxlab import Sweep, engine, grouping, store
from jaxlab.contrast import mcnemar
from jaxlab.result import Members

MEMBERS = 1_000_000
REPETITIONS = 3
LANES = (256, 1024, 4096, 16_384, 65_536)
ON_CPU = Path("results/absolute_value")
HEAD = f"{'lanes':>8} {'compile':>10} {'seconds':>20} {'steps/s':>16} {'equal bits':>11}"


def check() -> None:
    """Raise ValueError where JAX has no GPU."""
    backend = jax.default_backend()
    if backend != "gpu":
        raise ValueError(f"no GPU: JAX runs on {backend!r}; the extra cuda brings GPU support")


def measure(about: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Train at every lane width; return what gpu.json holds and its table."""
    on_cpu = store.read_sweep(ON_CPU).members["k=2"] if ON_CPU.exists() else None
    rows, lines = [], [HEAD]
    for lanes in LANES:
        timing.say(f"{MEMBERS:,} networks, {lanes:,} lanes")
        row, members = measure_lanes(lanes)
        row["against_cpu"] = None if on_cpu is None else agreement(on_cpu, members)
        rows.append(row)
        times = " ".join(f"{s:.2f}" for s in row["seconds"])
        lines.append(
            f"{lanes:8,} {row['compile_seconds']:8.1f} s {times:>20} "
            f"{row['network_steps_per_second']:16,.0f} {row['equal_bits']!s:>11}"
        )
        if row["against_cpu"] is not None:
            lines.append("  against the CPU: " + ", ".join(_words(row["against_cpu"])))
    return {**about, "versions": machine.versions(), "lane_widths": rows}, "\n".join(lines)


def measure_lanes(lanes: int) -> tuple[dict[str, Any], Members]:
    """Train everybody several times, after warming up, at one lane width."""
    setting = cases.absolute_value(epochs=1000)
    (group,) = grouping.groups(Sweep("benchmark", (setting,)), lanes)
    runner, found = engine.Runner(group), []
    first, second = (
        timing.clock(lambda: train(runner, min(runner.size, MEMBERS))).seconds for _ in range(2)
    )
    seconds = [
        timing.clock(lambda: found.append(train(runner, MEMBERS))).seconds
        for _ in range(REPETITIONS)
    ]
    row = {
        "lanes": lanes,
        "members": MEMBERS,
        "steps": setting.steps,
        "compile_seconds": max(0.0, first - second),
        "seconds": seconds,
        "network_steps_per_second": MEMBERS * setting.steps / statistics.median(seconds),
        "equal_bits": all(equal_bits(found[0], other) for other in found[1:]),
    }
    return row, found[0]


def train(runner: engine.Runner, members: int) -> Members:
    """Train so many members of a runner's one setting and fetch them."""
    (setting,) = runner.group.settings
    parts = [
        arrays
        for call in engine.run_group(runner, {setting.name: np.arange(members)})
        for _, _, arrays in call
    ]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Members.joined(np.arange(members), joined)


def equal_bits(one: Members, other: Members) -> bool:
    """Say whether two runs agree in every bit of every array."""
    pairs = zip(vars(one).values(), vars(other).values(), strict=True)
    return all(a is b is None or a.tobytes() == b.tobytes() for a, b in pairs)


def agreement(one: Members, other: Members) -> dict[str, float]:
    """Compare the outcomes of the seeds that both have, one by one."""
    _, mine, its = np.intersect1d(one.seeds, other.seeds, return_indices=True)
    names, other_names = one.names[mine], other.names[its]
    failed, other_failed = names != "solved", other_names != "solved"
    only = int((failed & ~other_failed).sum()), int((other_failed & ~failed).sum())
    return {
        "members": len(mine),
        "cpu_failure_rate": float(failed.mean()),
        "gpu_failure_rate": float(other_failed.mean()),
        "different_outcomes": int((names != other_names).sum()),
        "mcnemar_p": mcnemar(*only),
    }


def _words(found: dict[str, float]) -> list[str]:
    return [f"{name.replace('_', ' ')} {value:.4g}" for name, value in found.items()]
