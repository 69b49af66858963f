"""Exact: what runs in threads, and that a signal need not wait for it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import jax
import pytest

from jaxlab import waiting

ASK = ["-m", "jaxlab", "ask", "--target", "abs(x)", "--range", "-1", "1", "--seeds", "300"]
COMPILING = [*ASK, "--hidden", "64-64", "--activation", "tanh"]
TRAINING = [*ASK, "--hidden", "2", "--epochs", "100000000"]
MAP = ["-m", "sweeps", "absolute_value_weight_map"]
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


def test_results_come_in_order_from_other_threads():
    names = waiting.side_by_side(lambda i: (time.sleep(0.05 / (i + 1)), i)[1], range(6), 3)
    assert list(names) == list(range(6))
    assert waiting.call(threading.current_thread) is not threading.current_thread()


def test_an_error_is_raised_where_its_result_would_be():
    found = waiting.side_by_side(lambda i: 6 // (2 - i), range(4), 1)
    assert [next(found), next(found)] == [3, 6]
    with pytest.raises(ZeroDivisionError):
        next(found)


def test_a_thread_computes_with_the_caller_s_width_of_numbers():
    def width() -> bool:
        return jax.config.values["jax_enable_x64"]

    assert not waiting.call(width)
    with jax.enable_x64(True):
        assert waiting.call(width)


def test_an_interrupted_caller_leaves_what_runs_and_begins_nothing_more():
    begun, end = [], threading.Event()

    def work(i: int) -> None:
        begun.append(i)
        end.wait(30)

    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    started = time.monotonic()
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            list(waiting.side_by_side(work, range(5), 2))
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - started < 5
    assert waiting.left_behind()
    end.set()
    until = time.monotonic() + 10
    while waiting.left_behind() and time.monotonic() < until:
        time.sleep(0.01)
    assert not waiting.left_behind()
    assert begun == [0, 1]


def stopped(out: Path, words: list[str], number: signal.Signals, count: int, after: float):
    """Interrupt a command once its record is there; return the seconds to its end, and the end."""
    process = subprocess.Popen(
        [sys.executable, *words, "--out", str(out)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    until = time.monotonic() + 120
    while not list(out.glob("*/shards/*.json")) and time.monotonic() < until:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    time.sleep(after)
    start = time.monotonic()
    for i in range(count):
        time.sleep(0.2 * (i > 0))
        process.send_signal(number)
    _, said = process.communicate(timeout=120)
    return time.monotonic() - start, process.returncode, said


def check_stop(out: Path, words: list[str], number: signal.Signals, count: int, after: float):
    seconds, code, said = stopped(out, words, number, count, after)
    assert code == CODES[number]
    assert len(said.splitlines()) == 1
    assert said.startswith("stopped: ")
    assert "; to go on: python " in said
    (record,) = out.glob("*/shards/*.json")
    assert json.loads(record.read_text())["runs"][-1]["how"] == "stopped"
    # Seconds are for a machine that does other things, too; one at rest takes a tenth of one.
    assert seconds < (2 if words is not TRAINING else 5) + 0.2 * count


@pytest.mark.parametrize(
    ("words", "number", "count", "after"),
    [
        pytest.param(COMPILING, signal.SIGINT, 1, 1.0, id="compiling"),
        pytest.param(TRAINING, signal.SIGTERM, 2, 3.0, id="training"),
        pytest.param(MAP, signal.SIGINT, 5, 0.0, id="map"),
    ],
)
def test_a_signal_is_answered_at_once_whatever_runs(tmp_path, words, number, count, after):
    check_stop(tmp_path, words, number, count, after)


@pytest.mark.slow
@pytest.mark.parametrize("words", [COMPILING, TRAINING, MAP], ids=["compiling", "training", "map"])
@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("after", [0.0, 1.0, 3.0])
def test_signals_of_every_number_at_every_stage(tmp_path, words, number, count, after):
    check_stop(tmp_path, words, number, count, after)
