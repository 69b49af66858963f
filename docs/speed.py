"""The measured tables on speed and batch orders, from what `python -m benchmarks` has written."""

import json
import statistics
from pathlib import Path
from typing import Any

from docs.tables import markdown

COMPARED = {
    "engine_vs_idiomatic": "vmap, scan and optax.adam as one would write it, |x| 1-2-1",
    "engine_vs_keras": "a loop of Keras fits (its JAX backend, compiling left out), |x| 1-2-1",
    "engine_vs_torch": "a PyTorch ensemble by torch.func, |x| 1-2-1",
    "engine_vs_idiomatic_2-3-5-3-5-1": "as the first, 2-3-5-3-5-1 in batches of 10",
    "engine_vs_idiomatic_1-128-1": "as the first, 1-128-1",
    "engine_vs_idiomatic_1-20-100-1000-100-20-1": "as the first, 1-20-100-1000-100-20-1",
}


def read(path: Path) -> dict[str, Any]:
    """Return a file of measurements; ValueError that names the command where there is none."""
    command = "benchmarks" if path.stem == "benchmarks" else f"benchmarks.{path.stem}"
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise ValueError(f"{path} is missing; `python -m {command}` writes it") from error


def made(found: dict[str, Any]) -> str:
    """Return one sentence on command, date, machine and versions."""
    here = found["machine"]
    versions = ", ".join(f"{k} {v}" for k, v in found.get("versions", {}).items() if v)
    machine = f"{here['processor']}, {here['cores']} cores, {here['memory_gib']} GiB"
    return f"`{found['command']}` on {found['date'][:10]}; {machine}" + (
        f"; {versions}." if versions else "."
    )


def ratio_table(found: dict[str, Any]) -> str:
    """Return how many times faster the engine is than other programs."""
    measured = {words: found["ratios"].get(name) for name, words in COMPARED.items()}
    rows = [
        [words, f"{ratio:,.{0 if ratio >= 100 else 1}f}"]
        for words, ratio in measured.items()
        if ratio is not None
    ]
    return markdown(["compared with, in one run", "times faster"], rows)


def sentence(found: dict[str, Any]) -> str:
    """Return the engine's own speed in words."""
    own, useful = rate(found, "|x|", "engine"), 100 * found["useful_flops_share_of_matmul"]
    wide = "1-20-100-1000-100-20-1"
    stages = [m for m in found["measurements"]["stages of |x|"] if m["unit"].startswith("%")]
    parts = ", ".join(f"{m['name']} {m['median']:.0f} %" for m in stages)
    return (
        f"On |x| the engine makes {own / 1e6:.0f} million network-steps a second ({parts}). Useful "
        f"arithmetic as a share of the machine's large float32 matrix product: {useful:.0f} % on "
        f"|x|, {share(found, wide):.0f} % on {wide}."
    )


def share(found: dict[str, Any], shape: str) -> float:
    """Return the engine's useful FLOP/s on a shape, in per cent of the matmul rate."""
    return 100 * found["useful_flops_share_of_matmul_by_shape"][shape]


def rate(found: dict[str, Any], section: str, name: str) -> float:
    """Return the median of one measurement."""
    return next(m["median"] for m in found["measurements"][section] if m["name"] == name)


def measurement_table(found: dict[str, Any]) -> str:
    """Return every measurement: of programs their network-steps, of others their unit."""
    rows = []
    for section, measured in found["measurements"].items():
        for m in measured:
            timed = m["unit"] == "network-steps/s"
            training, compiled = m.get("training_only_ns_per_step"), m.get("compile_seconds")
            cores = f"{statistics.median(m['cores_busy']):.2f}" if timed else "-"
            rows.append(
                [
                    f"{section}: {m['name']}",
                    f"{m['median']:,.0f}" if m["median"] >= 100 else f"{m['median']:.1f}",
                    m["unit"],
                    f"{1e9 / m['median']:,.1f}" if timed else "-",
                    "-" if training is None else f"{training:,.1f}",
                    cores,
                    "-" if compiled is None else f"{compiled:.1f}",
                ]
            )
    head = ["measured", "median", "unit", "ns per step", "training only", "cores", "compiling, s"]
    return markdown(head, rows)


def orders_table(found: dict[str, Any]) -> str:
    """Return what sharing one bank of batch orders changes: nothing, or how much."""
    rows = []
    for s in found["studies"]:
        paired, banks = s["against_sorting"], s["banks"]
        bounds = f"[{100 * paired['low']:+.2f}, {100 * paired['high']:+.2f}]"
        rows.append(
            [
                s["setting"],
                f"{s['members']:,}",
                f"{100 * s['failure_rate']:.2f}",
                f"{banks['q']:.1f} / {banks['freedom']}",
                f"{banks['p_value']:.3f}",
                f"{s['one_permutation_banks']['p_value']:.1e}",
                f"{100 * s['detectable_sd']:.2f}",
                f"{paired['bank_only']} / {paired['sorted_only']}",
                f"{100 * paired['difference']:+.2f} {bounds}",
                f"{paired['p_value']:.2f}",
            ]
        )
    head = ["setting", "members", "fails %", "Q / freedom", "p", "p, one permutation"]
    head += ["found, points", "fails with bank / sorting only", "difference, points", "McNemar p"]
    return markdown(head, rows)
