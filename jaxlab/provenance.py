"""Where results come from: what fixes their bits beside a specification, versions and machine."""

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import jax

from jaxlab import native

PACKAGES = ("jaxlab", "jax", "jaxlib", "flax", "optax", "numpy", "llvmlite")
# Settings of JAX by which XLA compiles the same program otherwise, and JAX's own defaults of them.
COMPILING: Mapping[str, object] = {
    "jax_optimization_level": "UNKNOWN",
    "jax_exec_time_optimization_effort": 0.0,
    "jax_memory_fitting_effort": 0.0,
    "jax_memory_fitting_level": "O2",
    "jax_disable_most_optimizations": False,
    "jax_allow_f16_reductions": True,
    "jax_use_direct_linearize": True,
    "jax_compiler_enable_remat_pass": True,
    "eager_constant_folding": False,
}


def fingerprint() -> dict[str, str]:
    """Return what fixes every bit of a result beside its specification.

    A setting of `COMPILING` is named only where it is not JAX's default (`surroundings.pinned`
    holds those that can be held), and the path only where machine code cannot be had on a CPU.
    """
    device = jax.local_devices()[0]
    return {
        **{name: _version(name) for name in PACKAGES},
        "backend": jax.default_backend(),
        "device": device.device_kind,
        "machine": platform.machine(),
        "cpu_features": _cpu_features() if device.platform == "cpu" else "",
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "x64": str(jax.config.read("jax_enable_x64")),
        **_compiled_otherwise(),
        **({"path": native.XLA} if device.platform == "cpu" and native.missing() else {}),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # llvmlite, without which networks are trained by XLA
        return ""


def _compiled_otherwise() -> dict[str, str]:
    now = jax.config.values
    return {name: str(now[name]) for name, usual in COMPILING.items() if now[name] != usual}


def short(fingerprint: Mapping[str, str]) -> str:
    """Return eight hexadecimal digits that stand for a fingerprint, in names of files."""
    text = json.dumps(dict(fingerprint), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def differences(was: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Return in words in what two fingerprints differ; "" if in nothing.

    >>> differences({"jax": "0.9", "x64": "False"}, {"jax": "0.10", "x64": "False"})
    'jax 0.9, now 0.10'
    """
    names = [name for name in {**was, **now} if was.get(name, "") != now.get(name, "")]
    return ", ".join(
        f"{name} {was.get(name) or 'none'}, now {now.get(name) or 'none'}" for name in names
    )


def _cpu_features() -> str:
    # XLA compiles for the features it finds, and other vector widths round differently.
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return hashlib.sha256(flags.encode()).hexdigest()[:16]
