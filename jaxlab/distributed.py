"""Several processes that train as one: they find each other, share what they find, end together.

All of them run the same program and must call `gather` and `from_first` equally often and in the
same order. What JAX alone would do about a lost process is to wait or to abort.
"""

import contextlib
import ctypes
import io
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any, NoReturn

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

HEARTBEAT = 30  # seconds of silence after which a process is taken for dead
LAST_WAIT = 3600  # seconds for which processes wait at their end for the one that writes figures
LOST = (
    "another process of this run ended or could not be reached, so this one ends too; "
    "what is finished is kept, call all of them again to go on"
)


Arrays = dict[str, np.ndarray]


class PeerLostError(RuntimeError):
    """Another process of the run has ended or cannot be reached."""


def start(
    coordinator: str | None = None,
    processes: int | None = None,
    index: int | None = None,
    *,
    timeout: int = 120,
) -> None:
    """Make this process one of several, before anything is computed; on Linux or macOS.

    With nothing given JAX detects a cluster (Slurm, Open MPI, Cloud TPU, Kubernetes); otherwise
    process `index` of `processes` finds process 0 at `coordinator`, "host:port". ValueError for
    what cannot be: arguments, no cluster, a port in use, a coordinator unreachable for `timeout`
    seconds. From here on, a process that JAX aborts says in one line why and ends with 2.
    """
    if (coordinator, processes, index) != (None, None, None):
        _find(coordinator, processes, index, timeout)
    _explain_aborts()
    # It would catch SIGTERM, which then ended nothing, and nobody here asks it.
    jax.config.update("jax_enable_preemption_service", False)
    try:
        jax.distributed.initialize(
            *(coordinator, processes, index),
            initialization_timeout=timeout,
            heartbeat_timeout_seconds=HEARTBEAT,
            shutdown_timeout_seconds=LAST_WAIT,
        )
    except Exception as error:  # of any kind: every cluster is detected in its own way
        text = f"this process could not join others: {' '.join(str(error).split())}"
        if coordinator is None:
            text += " (without a cluster give --coordinator, --processes, --process-index)"
        raise ValueError(text) from error


def _find(coordinator: str | None, processes: int | None, index: int | None, timeout: int) -> None:
    """Check what was told, and that process 0 can be reached: JAX would abort, not raise."""
    if coordinator is None or processes is None or index is None:
        raise ValueError("coordinator, processes and index are given together or not at all")
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise ValueError(f"coordinator is {coordinator!r}; it must be host:port, as in 10.0.0.1:80")
    if processes < 1:
        raise ValueError(f"processes is {processes}; it must be at least 1")
    if not 0 <= index < processes:
        raise ValueError(f"index is {index}; it must be from 0 to {processes - 1}")
    if index == 0:
        _check_free(int(port))
    else:
        _await(host.strip("[]"), int(port), timeout)


def _check_free(port: int) -> None:
    try:
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # after an earlier run
            tried.bind(("", port))
    except OSError as error:
        raise ValueError(f"port {port} cannot be used here: {error.strerror}") from error


def _await(host: str, port: int, timeout: int) -> None:
    end = time.monotonic() + timeout
    while True:
        try:
            socket.create_connection((host, port), timeout=5).close()
            return
        except OSError as error:
            if time.monotonic() > end:
                text = f"no coordinator at {host}:{port} within {timeout} seconds: "
                raise ValueError(text + str(error.strerror or error)) from error
        time.sleep(0.2)


@ctypes.CFUNCTYPE(None, ctypes.c_int)
def _aborted(_: int) -> None:
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"{LOST}\n".encode())
    os._exit(2)


def _explain_aborts() -> None:
    # JAX aborts from a thread of its own when it misses another process, process 0 above all.
    # Python's own handlers come too late: they wait for the main thread.
    ctypes.CDLL(None).signal(int(signal.SIGABRT), _aborted)


def several() -> bool:
    """Say whether this process is one of several."""
    return jax.distributed.is_initialized()


def check_alike(told: Mapping[str, Any]) -> None:
    """Raise ValueError in every process unless all of them say the same, which JSON can hold."""
    texts = {name: np.array(json.dumps(value, sort_keys=True)) for name, value in told.items()}
    first, *others = gather(texts)
    apart = [name for name in texts if any(other[name] != first[name] for other in others)]
    if apart:
        text = "processes that train as one must be given the same and run on alike machines"
        raise ValueError(f"{text}; they differ in: {', '.join(apart)}")


def is_first() -> bool:
    """Say whether this process is the one that writes files and prints; true of a lone one."""
    return not several() or jax.process_index() == 0


def gather(arrays: Arrays) -> list[Arrays]:
    """Return the arrays that every process gives, in their order, in every process.

    They may differ in names and shapes. PeerLostError if a process is lost.
    """
    if not several():
        return [arrays]
    content = io.BytesIO()
    numbered = {str(i): values for i, values in enumerate(arrays.values())}
    np.savez(content, allow_pickle=False, names=np.array(list(arrays), str), **numbered)
    mine = np.frombuffer(content.getvalue(), np.uint8)
    try:
        (sizes,) = _gather_numbers(np.array([len(mine)], np.uint32)).T
        rows = _gather_numbers(np.pad(mine, (0, sizes.max() - len(mine))))
    except (RuntimeError, ValueError) as error:  # as JAX found out at once or a little later
        raise PeerLostError(f"{LOST} ({str(error).splitlines()[0]})") from error
    return [_unpacked(row[:size].tobytes()) for row, size in zip(rows, sizes, strict=True)]


def _unpacked(content: bytes) -> Arrays:
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return {name: file[str(i)] for i, name in enumerate(file["names"].tolist())}


def _gather_numbers(mine: np.ndarray) -> np.ndarray:
    """Gather arrays of one shape (...) as (processes, ...), by one device of each process."""
    firsts = {device.process_index: device for device in reversed(jax.devices())}
    mesh = Mesh([firsts[i] for i in sorted(firsts)], "processes")
    apart, whole = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in (["processes"], []))
    parts = jax.make_array_from_process_local_data(apart, mine[None], (len(firsts), *mine.shape))
    return np.asarray(jax.device_put(parts, whole))


def from_first(arrays: Arrays) -> Arrays:
    """Return in every process the arrays that process 0 gives; what others give is not used."""
    return gather(arrays if is_first() else {})[0]


def leave(code: int, *, at_once: bool = False) -> NoReturn:
    """End with an exit code; `at_once`, or as one of several processes, without any tidying up.

    JAX would first wait for all the others to end, too, which may be waiting for this one.
    """
    if at_once or several():
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)
    raise SystemExit(code)
