"""The machine: what it is, and how fast it multiplies matrices and moves memory."""

import datetime
import os
import platform
import shlex
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from benchmarks import timing
from benchmarks.timing import Measurement
from jaxlab import provenance

PACKAGES = (*provenance.PACKAGES, "keras", "torch")
SIZES = (2048, 3072, 4096)  # of the matrices: large, but small beside the memory of any machine
ENTRIES = 2**25  # of each vector on each device: 128 MiB, more than its share of any cache
TIMES = 5


def about(module: str) -> dict[str, Any]:
    """Return when, where and by which command a module's measurements are made."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["python", "-m", module, *sys.argv[1:]]),
        "machine": describe(),
    }


def describe() -> dict[str, Any]:
    """Return processor, cores, memory, system and devices, and how busy the machine is now."""
    devices = [device.device_kind for device in jax.local_devices()]
    return {
        "processor": _processor(),
        "cores": cores(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "devices": devices,
        "load_average_at_start": os.getloadavg()[0],
    }


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())


def versions() -> dict[str, str | None]:
    """Return the version of Python and of every package, None where it is not installed."""
    return {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def rates() -> list[Measurement]:
    """Measure matrix products of several sizes, and memory bandwidth."""
    return [*(matmul(size) for size in SIZES), bandwidth()]


def matmul(size: int) -> Measurement:
    """Measure the float32 product of two square matrices, whose pieces XLA gives to all cores."""
    left, right = jax.random.normal(jax.random.key(0), (2, size, size))
    product = jax.jit(partial(jnp.dot, precision="highest"))
    rate = _rates(lambda: product(left, right), 2 * size**3)
    return Measurement(f"matmul {size}", "GFLOP/s", rate, {})


def bandwidth() -> Measurement:
    """Measure a triad, x <- a x + y on all devices: two vectors read and one written."""
    devices = jax.local_device_count()
    mesh, entries = jax.make_mesh((devices,), ("entries",), (AxisType.Auto,)), ENTRIES * devices
    place = NamedSharding(mesh, PartitionSpec("entries"))
    x, y = (jax.device_put(jnp.ones(entries), place) for _ in range(2))
    # x is given away, so that its memory takes the result and no fresh page is touched.
    triad = jax.jit(lambda x, y: 0.5 * x + y, donate_argnums=0)

    def run():
        nonlocal x
        x = triad(x, y)
        return x

    bytes_moved = 3 * entries * x.dtype.itemsize
    return Measurement("triad", "GB/s", _rates(run, bytes_moved), {"bytes": bytes_moved})


def _rates(run: Callable[[], jax.Array], work: int) -> tuple[float, ...]:
    runs = [timing.clock(lambda: run().block_until_ready()) for _ in range(1 + TIMES)]
    return tuple(work / taken.seconds / 1e9 for taken in runs[1:])  # the first one compiles
