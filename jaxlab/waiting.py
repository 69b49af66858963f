"""Work in threads that Ctrl-C need not wait for: compiling and training can take minutes.

Python answers a signal in its main thread only, between two of its own steps. So the main thread
waits here, and what runs in XLA or in machine code is left behind when a signal ends the waiting.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from queue import Empty, SimpleQueue
from typing import Any, TypeVar
from weakref import WeakSet

import jax

from jaxlab import surroundings

TICK = 0.2  # seconds after which a waiting thread looks for signals, where it must look itself
T = TypeVar("T")
R = TypeVar("R")
_threads: WeakSet[threading.Thread] = WeakSet()


def left_behind() -> bool:
    """Say whether a thread still runs whose result nobody waits for any more."""
    return any(thread.is_alive() for thread in _threads)


def call(function: Callable[..., R], *arguments: object) -> R:
    """Return what a function returns in a thread of its own."""
    (result,) = side_by_side(lambda _: function(*arguments), [None], 1)
    return result


def side_by_side(function: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    """Yield what a function returns of every item, in order, from so many threads.

    The first error is raised in its place. Where the caller is interrupted, what has not begun is
    not begun, and what has begun is left behind.
    """
    tasks = [(Future(), item) for item in items]
    queue: SimpleQueue[tuple[Future, T]] = SimpleQueue()
    for task in tasks:
        queue.put(task)
    now = jax.config.values
    context = now["jax_enable_x64"], now["jax_default_device"]  # which may be this thread's alone
    for _ in range(min(threads, len(tasks))):
        thread = threading.Thread(target=_work, args=(function, queue, *context), daemon=True)
        thread.start()
        _threads.add(thread)
    try:
        for future, _ in tasks:
            while not wait([future], TICK).done:
                pass
            yield future.result()
    finally:
        for future, _ in tasks:
            future.cancel()


def _work(function: Callable, queue: SimpleQueue, x64: bool, device: Any) -> None:
    with surroundings.pinned(), jax.enable_x64(x64), jax.default_device(device):
        while True:
            try:
                future, item = queue.get_nowait()
            except Empty:
                return
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function(item))
            except BaseException as error:
                future.set_exception(error)
