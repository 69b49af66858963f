"""benchmarks.json, and the same as a table of 80 columns."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import comparisons, flops, machine
from benchmarks.plan import SHAPES
from benchmarks.timing import Measurement

Results = Mapping[str, Sequence[Measurement]]
COLUMNS = {"steps/s": 11, "ns/step": 11, "training": 9, "useful": 7, "cores": 5, "compile": 7}


def content(results: Results, about: Mapping[str, Any]) -> dict[str, Any]:
    """Return what benchmarks.json holds; `about` says when, where and how it was measured."""
    share = useful_share(results, "|x|")
    assert share is not None
    return {
        **about,
        "versions": machine.versions(),
        "ratios": ratios(results),
        "useful_flops_share_of_matmul": share,
        "useful_flops_share_of_matmul_by_shape": {
            s.name: useful_share(results, s.name) for s in SHAPES
        },
        "useful_flops_formula": flops.FORMULA,
        "keras_fit_seconds_extrapolated": keras_fit_seconds(results),
        "measurements": {name: [m.to_json() for m in found] for name, found in results.items()},
    }


def useful_share(results: Results, section: str) -> float | None:
    """Return the engine's useful FLOP/s over whole runs as a share of the matmul rate."""
    own = comparisons.fastest(results.get(section, ()), comparisons.ENGINE)
    if own is None:
        return None
    return own.median * own.facts["useful_flop_per_step"] / 1e9 / matmul(results)


def ratios(results: Results) -> dict[str, float | None]:
    """Return how many times faster the first of two is, each against the fastest variant."""
    compared = results["|x|"]
    one, two = results["CPU devices"]
    alone = comparisons.IDIOMATIC + ", 1 device"
    found = {
        "engine_vs_idiomatic": comparisons.ratio(compared, comparisons.IDIOMATIC),
        "engine_vs_idiomatic_on_one_device": comparisons.ratio(compared, alone),
        "engine_vs_keras": comparisons.ratio(compared, comparisons.KERAS),
        "engine_vs_keras_with_its_compiling": _with_compiling(results),
        "engine_vs_torch": comparisons.ratio(compared, comparisons.TORCH),
        "two_devices_vs_one": two.median / one.median,
    }
    for shape in SHAPES:
        measured = results.get(shape.name, ())
        found[f"engine_vs_idiomatic_{shape.name}"] = comparisons.ratio(
            measured, comparisons.IDIOMATIC
        )
    return found


def _with_compiling(results: Results) -> float | None:
    own, fit = comparisons.fastest(results["|x|"], comparisons.ENGINE), keras_fit_seconds(results)
    if own is None or fit is None:
        return None
    return sum(fit.values()) * own.median * own.facts["members"] / own.facts["steps"]


def matmul(results: Results) -> float:
    """Return the machine's matrix multiplication rate in GFLOP/s, of the best size and time."""
    measured = [*results["machine"], *results["machine again"]]
    return max(m.median for m in measured if m.name.startswith("matmul"))


def keras_fit_seconds(results: Results) -> dict[str, float] | None:
    """Return how long Keras needs for one of the engine's trainings, from its own few epochs."""
    own, keras = (
        comparisons.fastest(results["|x|"], name)
        for name in (comparisons.ENGINE, comparisons.KERAS)
    )
    if own is None or keras is None:
        return None
    steps = own.facts["steps"] / own.facts["members"]
    return {"compiling": keras.facts["compile_seconds"], "training": steps / keras.median}


def table(results: Results, found: Mapping[str, Any]) -> str:
    """Return the measurements and ratios as text."""
    here, rate = found["machine"], matmul(results)
    lines = [
        here["processor"],
        f"{here['cores']} cores, {here['memory_gib']} GiB; load at the start "
        f"{here['load_average_at_start']:.1f}",
        "ns/step: of a whole run; training: without what comes before and after it;",
        "useful: FLOP/s as a share of the matmul rate; cores: those kept busy",
    ]
    for name, measured in results.items():
        timed = measured[0].unit == "network-steps/s"
        lines += ["", _row(name, *COLUMNS) if timed else name]
        lines += [_timed(m, rate) if timed else _plain(m) for m in measured]
    lines += ["", "how many times faster (- : not measured)"]
    for name, value in found["ratios"].items():
        lines.append(f"{name:<58} {'-' if value is None else format(value, ',.1f'):>20}")
    share = 100 * found["useful_flops_share_of_matmul"]
    lines.append(f"useful arithmetic on |x|: {share:.1f} % of the matmul rate")
    return "\n".join(lines)


def _timed(m: Measurement, rate: float) -> str:
    names = ("training_only_ns_per_step", "useful_flop_per_step", "compile_seconds")
    training, flop, compiled = (m.facts.get(name) for name in names)
    return _row(
        m.name,
        f"{m.median:,.0f}",
        _nanoseconds(1e9 / m.median),
        "" if training is None else _nanoseconds(training),
        "" if flop is None else f"{100 * m.median * flop / 1e9 / rate:.2f} %",
        f"{statistics.median(m.facts['cores_busy']):.2f}",
        "" if compiled is None else f"{compiled:.1f} s",
    )


def _nanoseconds(value: float) -> str:
    return f"{value:,.{1 if value < 1e5 else 0}f}"


def _row(name: str, *cells: str) -> str:
    padded = (f"{cell:>{width}}" for cell, width in zip(cells, COLUMNS.values(), strict=True))
    return (f"{name:<24} " + " ".join(padded)).rstrip()


def _plain(m: Measurement) -> str:
    return f"{m.name:<24} {m.median:>11,.1f} {m.unit}"
