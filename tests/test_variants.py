"""Exact: what changes in a setting, and what stays."""

import dataclasses

import pytest
import samples

from jaxlab import Initialiser, Network, Optimiser, Scaling, Setting, Training, advice, tasks
from jaxlab.variants import architecture, vary

BASE = Setting(
    "base",
    tasks.absolute_value(40),
    Network((1, 2, 3, 1), ("tanh", "relu", "linear")),
    (Initialiser("zeros"), Initialiser("constant"), Initialiser("linspace")),
    Training(Optimiser("sgd", 0.5), epochs=7),
)


def test_layers_take_after_those_that_are_there():
    deeper = vary(BASE, "deeper", hidden=(4, 5, 6))
    assert deeper.network.widths == (1, 4, 5, 6, 1)
    assert deeper.network.activations == ("tanh", "relu", "relu", "linear")
    assert [i.law for i in deeper.initialisers] == ["zeros", "constant", "constant", "linspace"]
    none = vary(BASE, "none", hidden=())
    assert (none.network.widths, none.network.activations) == ((1, 1), ("linear",))
    assert [i.law for i in none.initialisers] == ["linspace"]
    again = vary(none, "again", hidden=(2,))
    assert again.network.activations == ("relu", "linear")
    assert [i.law for i in again.initialisers] == ["glorot_uniform", "linspace"]
    assert vary(BASE, "elu", activation="elu").network.activations == ("elu", "elu", "linear")


def test_every_other_part_can_be_changed_and_nothing_else_changes():
    changes = {"slope": 0.2, "epochs": 9, "loss": "mae", "scaling": Scaling("unit")}
    changes |= {"optimiser": "adam", "learning_rate": 0.1, "tolerance": 0.2}
    made = vary(BASE, "made", initialiser=Initialiser("he_normal"), **changes)
    task = dataclasses.replace(BASE.task, scaling=Scaling("unit"), tolerance=0.2)
    network = dataclasses.replace(BASE.network, slope=0.2)
    training = Training(Optimiser("adam", 0.1), "mae", epochs=9)
    assert made == Setting("made", task, network, (Initialiser("he_normal"),) * 3, training)
    assert vary(BASE, "base") == BASE
    with pytest.raises(ValueError, match="'colour' is no part of a setting"):
        vary(BASE, "red", colour="red")


def test_a_network_is_named_by_its_widths_and_activations():
    assert architecture(BASE.network) == "1-2-3-1 tanh relu"
    assert architecture(Network((1, 1), ("linear",))) == "1-1"


@pytest.mark.parametrize("base", [samples.setting(), BASE, vary(BASE, "line", hidden=())])
def test_advice_tries_one_change_at_a_time(base):
    made = advice.variants(base)
    assert len({s.name for s in made}) == len(made) >= 8
    assert len({s.digest for s in made} | {base.digest}) == len(made) + 1
    for setting in made:
        parts = ("task", "network", "initialisers", "training")
        changed = [part for part in parts if getattr(setting, part) != getattr(base, part)]
        if "x10" in setting.name:  # those that change several
            assert "training" in changed
            continue
        # Another layer or activation brings an initialiser of its own.
        assert changed in ([p] for p in parts) or changed == ["network", "initialisers"]
