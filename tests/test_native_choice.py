"""Exact: machine code trains what it is for; where it cannot, that is said, kept, told apart.

Negative controls: what XLA is to train is trained without a word.
"""

import dataclasses
import itertools
import json
import os
import subprocess
import sys

import pytest
import samples
from paths import setting

from jaxlab import (
    Network,
    Optimiser,
    Setting,
    Sweep,
    Training,
    engine,
    grouping,
    native,
    run,
    tasks,
)
from jaxlab.native import choice, program
from jaxlab.native.rules import RULES
from jaxlab.provenance import fingerprint
from jaxlab.spec import ACTIVATIONS, LOSSES, OPTIMISERS, SCHEDULES
from jaxlab.store import read_folder

WITHOUT = "jaxlab trains small networks by XLA here, several times slower than by machine code: "
# What has code: all names but those of `choice.NO_CODE`, each once with each of the next kind.
ACTIVATED = [name for name in ACTIVATIONS if name not in choice.NO_CODE]
SCHEDULED = [name for name in SCHEDULES if name not in choice.NO_CODE]


@pytest.fixture
def anew(monkeypatch):
    """Forget what was chosen, and what was said, before and after."""

    def forget() -> None:
        choice._made.cache_clear()
        choice.missing.cache_clear()

    monkeypatch.setattr(choice, "_said", set())
    forget()
    yield
    monkeypatch.undo()
    forget()


def runner(given: Setting) -> engine.Runner:
    (group,) = grouping.groups(Sweep("s", (given,)), samples.LANES)
    return engine.Runner(group)


def deep() -> Setting:
    given, network = samples.setting(), Network((1, 4, 4, 1), ("relu", "tanh", "linear"))
    return Setting("deep", given.task, network, training=given.training)


def own_rows() -> Setting:
    task = tasks.of_integers("product", samples.ROWS, 1, 20)
    network = Network((2, 4, 1), ("relu", "linear"))
    return dataclasses.replace(samples.setting(), task=task, network=network)


@pytest.mark.parametrize("make", [samples.setting, deep, own_rows])
def test_machine_code_trains_what_it_is_for(make, capsys):
    made = runner(make())
    assert made.fast is not None
    assert made.path == native.MACHINE_CODE
    assert capsys.readouterr().err == ""


NAMED = list(itertools.zip_longest(ACTIVATED, OPTIMISERS, SCHEDULED, LOSSES))


@pytest.mark.parametrize(("activation", "optimiser", "schedule", "loss"), NAMED)
def test_there_is_code_for_every_name_it_is_for(activation, optimiser, schedule, loss):
    made = Optimiser(optimiser or "sgd", schedule=schedule or "constant")
    train = Training(made, loss or "mse", batch_size=4)
    given = setting((1, 2, 1), activation or "relu", 5, train)
    assert choice.serves(given)
    assert native.path_of(given, 3, own_rows=False) == native.MACHINE_CODE


@pytest.mark.parametrize(
    "given",
    [
        setting((1, 200, 1)),
        setting(activation="gelu"),
        setting(train=Training(Optimiser("sgd", schedule="cosine"))),
    ],
    ids=["large", "gelu", "cosine"],
)
def test_what_xla_is_to_train_is_trained_without_a_word(given, capsys):
    assert native.trainer_for(given, 3, own_rows=False) is None
    assert native.path_of(given, 3, own_rows=False) == native.XLA
    assert capsys.readouterr().err == ""


def test_an_operation_of_another_name_is_said_once_and_recorded(
    anew, monkeypatch, capsys, tmp_path
):
    monkeypatch.delitem(RULES, "mul")
    sweep = Sweep("s", (samples.setting(epochs=1), deep()))
    found = run(sweep, 4, out=tmp_path, lane_width=samples.LANES)
    assert len(found.members["k=2"].seeds) == 4
    assert capsys.readouterr().err.splitlines() == [
        f"{WITHOUT}jaxlab cannot write UnsupportedError the operation mul"
    ]
    (record,) = json.loads((tmp_path / "manifest.json").read_text())["runs"]
    assert record["path"] == "XLA (jaxlab cannot write UnsupportedError the operation mul)"


def test_a_record_names_the_path_in_a_normal_run(tmp_path):
    wide = samples.setting("wide", 200)
    run(Sweep("s", (samples.setting(epochs=1), wide)), 4, out=tmp_path, lane_width=samples.LANES)
    (record,) = json.loads((tmp_path / "manifest.json").read_text())["runs"]
    assert record["path"] == "XLA; machine code"


def test_an_interface_that_xla_refuses_is_said_and_told_apart(anew, monkeypatch, capsys, tmp_path):
    usual = fingerprint()
    run(samples.sweep(), 4, out=tmp_path, lane_width=samples.LANES)
    choice._made.cache_clear()
    choice.missing.cache_clear()
    monkeypatch.setattr(program, "INTERFACE", (9, 9))
    assert fingerprint() == usual | {"path": "XLA"}
    found = run(samples.sweep(), 4, lane_width=samples.LANES)
    assert len(found.members["k=2"].seeds) == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{WITHOUT}XLA does not take it: JaxRuntimeError ")
    with pytest.raises(ValueError, match=r"made elsewhere \(path none, now XLA\)"):
        run(samples.sweep(), 8, out=tmp_path, lane_width=samples.LANES)
    assert len(read_folder(tmp_path).fingerprints) == 1


def test_without_a_compiler_networks_are_trained_all_the_same():
    # A process of its own: what is imported cannot be taken back.
    script = """
import sys
sys.modules["llvmlite"] = None
sys.path.insert(0, "tests")
import samples
from jaxlab import provenance, run
run(samples.sweep(), 4, lane_width=samples.LANES)
print(provenance.fingerprint()["path"])
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env=os.environ,
    )
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{WITHOUT}llvmlite cannot be used: ModuleNotFoundError ")
    assert done.stdout.splitlines()[-1] == "XLA"
