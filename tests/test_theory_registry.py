"""Exact: every formula is listed with all that its docstring says, and who speaks is known."""

import pytest

import sweeps
from jaxlab import commandline
from jaxlab.census import Census
from jaxlab.theory import registry
from jaxlab.theory.prediction import KINDS, Prediction
from jaxlab.tools import theory as tool
from sweeps import default_initialisers, initialisation


def predicted() -> list[Prediction]:
    """Return the predictions of sweeps, which need no result."""
    found = [p for case in initialisation.build().cases for p in case.predictions]
    for name in ("absolute_value", "negation", "doubling", "dying_relu", "trainability"):
        module = commandline.script(sweeps, name)
        said = getattr(module, "setting_predictions", None) or module.predictions
        for setting in module.build().settings:
            plain = setting.training.optimiser.name == "sgd" and setting.task.name == "doubling"
            if name == "absolute_value" and len(setting.network.widths) != 3:
                continue
            if name != "doubling" or plain:
                found += said(setting)
    return found


def test_formulas_are_complete():
    entries = registry.entries()
    assert len(entries) >= 60
    assert len({entry.name for entry in entries}) == len(entries)
    for entry in entries:
        assert entry.event
        assert entry.formula
        assert entry.assumptions
        assert entry.source
        assert entry.kind.startswith((*KINDS, "as ", "a lower", "an upper")), entry


def test_who_speaks_is_a_formula():
    names = {entry.name for entry in registry.entries()}
    assert set(registry.SPEAKERS.values()) <= names


def test_every_prediction_of_a_sweep_has_its_formula():
    said = predicted()
    assert len(said) > 200
    for prediction in said:
        assert registry.speaker(prediction.name, prediction.event, prediction.kind)
    with pytest.raises(KeyError, match="no formula is known"):
        registry.speaker("the thread's answer", "training_fails", "exact")


def test_a_function_without_its_labels_would_be_left_out():
    said = registry._labels("Return P(x). Formula: 1. Assumptions and source: none. Kind: exact.")
    assert said == {"formula": "1", "assumptions": "none", "source": "none", "kind": "exact"}
    assert "source" not in registry._labels("Return P(x). Formula: 1. Kind: exact.")


def test_what_was_measured_is_quoted_of_known_formulas():
    measured = registry._read_measured()
    assert set(measured) <= {entry.name for entry in registry.entries()}
    assert any(one.n >= 1_000_000 for found in measured.values() for one in found)


def test_the_tool_lists_formulas_in_80_columns(capsys):
    tool.main([])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-1].startswith(f"{len(registry.entries())} of ")
    tool.main(["born_dead.one_direction"])
    assert "formula: the product of" in capsys.readouterr().out
    with pytest.raises(ValueError, match="no formula is called 'nothing'"):
        tool.main(["nothing"])


def test_the_census_is_one():
    assert isinstance(initialisation.build(), Census)
    assert set(default_initialisers.LAWS) == {"Keras", "PyTorch", "Flax", "He", "orthogonal", "RAI"}
