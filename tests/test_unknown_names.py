"""Exact: a name that a specification allows, but nothing is done for, is an error everywhere.

Each noun's list gets a made-up name. Without an error another loss, optimiser, schedule or law
would be taken in its place without a word.
"""

import dataclasses
from unittest.mock import MagicMock

import jax.numpy as jnp
import pytest
import samples

from jaxlab import (
    Initialiser,
    Network,
    Optimiser,
    Scaling,
    Setting,
    Sweep,
    initialisers,
    optimisers,
    run,
    scaling,
    spec,
    tasks,
    training,
)
from jaxlab.checking import keras_runs, torch_runs
from jaxlab.grouping import Schedule
from jaxlab.reporting import facts

LISTS = {
    "activation": "ACTIVATIONS",
    "optimiser": "OPTIMISERS",
    "schedule": "SCHEDULES",
    "loss": "LOSSES",
    "scaling": "SCALINGS",
    "kernel initialiser": "KERNEL_LAWS",
    "bias initialiser": "BIAS_LAWS",
}
FAKE = MagicMock()  # a framework that takes everything


@pytest.fixture(autouse=True)
def allowed(monkeypatch):
    """Let specifications have a name "made_up" everywhere."""
    for name in LISTS.values():
        monkeypatch.setattr(spec, name, (*getattr(spec, name), "made_up"))
    monkeypatch.setattr(scaling, "SCALINGS", spec.SCALINGS)


def optimiser(name: str = "sgd", schedule: str = "constant") -> Optimiser:
    return Optimiser(name, schedule=schedule)


def setting(**parts) -> Setting:
    given = samples.setting(epochs=1)
    usual = {"task": given.task, "network": given.network, "training": given.training}
    return Setting("s", **usual | parts)


def trained_by(**parts) -> Setting:
    given = samples.setting(epochs=1)
    return dataclasses.replace(given, training=dataclasses.replace(given.training, **parts))


def scaled() -> Setting:
    task = tasks.of_integers("sum", 8, 1, 4, scaling=Scaling(inputs="made_up"))
    return setting(task=task, network=Network((2, 2, 1), ("relu", "linear")))


SETTINGS = {
    "activation": lambda: setting(network=Network((1, 2, 1), ("made_up", "linear"))),
    "optimiser": lambda: trained_by(optimiser=optimiser(name="made_up")),
    "schedule": lambda: trained_by(optimiser=optimiser(schedule="made_up")),
    "loss": lambda: trained_by(loss="made_up"),
    "scaling": scaled,
    "kernel initialiser": lambda: setting(initialisers=(Initialiser("made_up"),)),
    "bias initialiser": lambda: setting(initialisers=(Initialiser(bias="made_up"),)),
}


def message(noun: str) -> str:
    return f"{noun} is 'made_up', which is not known here; it must be one of "


@pytest.mark.parametrize("noun", LISTS)
def test_no_network_is_drawn_or_trained(noun):
    given = SETTINGS[noun]()
    with pytest.raises(ValueError, match=message(noun)) as caught:
        run(Sweep("s", (given,)), 3, lane_width=samples.LANES)
    known = [name for name in getattr(spec, LISTS[noun]) if name != "made_up"]
    assert str(caught.value).startswith(message(noun) + ", ".join(known[:3]))


def test_no_member_is_certified():
    with pytest.raises(ValueError, match=message("optimiser")):
        Schedule.of(SETTINGS["optimiser"]())
    with pytest.raises(ValueError, match=message("optimiser")):
        optimisers.travel_steps(optimiser(name="made_up"))


def test_no_error_is_taken_for_another_loss():
    with pytest.raises(ValueError, match=message("loss")):
        training.pointwise_loss("made_up", jnp.ones(2))


@pytest.mark.parametrize("law", ["made_up", "made_normal", "made_up_uniform"])
def test_no_law_is_stated(monkeypatch, law):
    monkeypatch.setattr(spec, "KERNEL_LAWS", (*spec.KERNEL_LAWS, law))
    given = setting(initialisers=(Initialiser(law),))
    with pytest.raises(ValueError, match=f"kernel initialiser is '{law}'"):
        initialisers.kernel_distribution(given, 0)
    given = SETTINGS["bias initialiser"]()
    for stated in (initialisers.bias_distribution, initialisers.bias_limit):
        with pytest.raises(ValueError, match=message("bias initialiser")):
            stated(given, 0)


@pytest.mark.parametrize(
    ("noun", "call"),
    [
        ("optimiser", lambda: keras_runs._optimizer(FAKE, optimiser(name="made_up"))),
        ("schedule", lambda: keras_runs._optimizer(FAKE, optimiser(schedule="made_up"))),
        ("activation", lambda: keras_runs._activation(FAKE, "made_up", 0.1)),
        ("loss", lambda: keras_runs._loss(FAKE, "made_up")),
        ("optimiser", lambda: torch_runs._optimizer(FAKE, optimiser(name="made_up"), [])),
        ("schedule", lambda: torch_runs._factor(optimiser(schedule="made_up"))),
        ("activation", lambda: torch_runs._model(FAKE, SETTINGS["activation"]().network)),
        ("loss", lambda: torch_runs._module("loss", "made_up", torch_runs.LOSSES)),
        ("optimiser", lambda: facts.numbers_of(optimiser(name="made_up"))),
    ],
)
def test_no_other_framework_trains_and_no_report_tells_of_it(noun, call):
    with pytest.raises(ValueError, match=message(noun)):
        call()


@pytest.mark.parametrize("noun", ["optimiser", "schedule", "loss", "activation"])
def test_every_name_there_is_has_a_twin_or_a_refusal(noun):
    for name in getattr(spec, LISTS[noun]):
        if name == "made_up":
            continue
        match noun:
            case "optimiser":
                numbers = {k: jnp.float32(v) for k, v in optimiser(name).numbers.items()}
                assert optimisers.build(optimiser(name), numbers)
            case "schedule":
                keras_runs._rate(FAKE, optimiser(schedule=name))
                torch_runs._factor(optimiser(schedule=name))
            case "loss":
                training.pointwise_loss(name, jnp.ones(2))
                keras_runs._loss(FAKE, name)
                torch_runs._module("loss", name, torch_runs.LOSSES)
            case "activation":
                keras_runs._activation(FAKE, name, 0.1)
