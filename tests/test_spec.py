"""Exact: what a specification accepts, says when it does not, and keeps through JSON."""

import dataclasses
import json
import math
from dataclasses import replace
from typing import Any

import pytest
import strategies
from hypothesis import given, settings

from jaxlab import spec
from jaxlab.spec import (
    Initialiser,
    Network,
    Optimiser,
    Scaling,
    Setting,
    Sweep,
    Task,
    Training,
)

NAN = math.nan
TASK = Task("absolute_value", 400, {"low": -1.0, "high": 1.0})
NETWORK = Network((1, 2, 1), ("relu", "linear"))
SETTING = Setting("k=2", TASK, NETWORK)


@settings(max_examples=60, deadline=None)
@given(strategies.sweeps)
def test_json_gives_back_an_equal_sweep(sweep):
    again = spec.sweep_from_json(sweep.to_json())
    assert again == sweep
    assert [s.digest for s in again.settings] == [s.digest for s in sweep.settings]
    assert hash(again) == hash(sweep)


@pytest.mark.parametrize(
    "text",
    [
        *["", "[]", "3", '{"a": 1}', '{"settings": 3}', '{"settings": []}'],
        '{"name": "a", "paired": false, "settings": 3}',
        '{"name": "a", "paired": false, "settings": [1]}',
        '{"name": "a", "paired": false, "settings": [{"training": 1}]}',
    ],
)
def test_json_of_something_else_is_a_value_error(text):
    with pytest.raises(ValueError, match=r".+"):
        spec.sweep_from_json(text)


def changed(path: str, value: Any) -> str:
    content = json.loads(Sweep("s", (SETTING,)).to_json())
    *way, last = path.split(".")
    part = content["settings"][0]
    for name in way:
        part = part[name]
    part[last] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("training.epochs", 0),
        ("training.epoch", 5),
        ("training.optimiser.learning_rate", NAN),
        ("task.numbers", [1]),
        ("task.scaling", "unit"),
        ("task.scaling", {"inputs": "minmax"}),
        ("task.scaling", {"input": "unit"}),
        ("network.widths", 3),
        ("network", None),
        ("initialisers", [[1]]),
    ],
)
def test_json_with_a_wrong_field_is_a_value_error(path, value):
    with pytest.raises(ValueError, match=r".+"):
        spec.sweep_from_json(changed(path, value))


WRONG: list[tuple[Any, str, Any, tuple[str, str, str]]] = [
    (TASK, "name", "", ("task name", "''", "a name")),
    (TASK, "rows", 0, ("task rows", "0", "at least 1")),
    (TASK, "rows", 1.5, ("task rows", "1.5", "whole")),
    (TASK, "rows", True, ("task rows", "True", "whole")),
    (TASK, "numbers", {"low": NAN}, ("task number low", "nan", "finite")),
    (TASK, "numbers", {"low": "x"}, ("task number low", "'x'", "finite")),
    (TASK, "tolerance", 0.0, ("tolerance", "0.0", "positive")),
    (TASK, "margin", 0.01, ("margin", "0.01", "at least the tolerance")),
    (TASK, "scaling", "unit", ("scaling", "'unit'", "a Scaling, or None")),
    (Scaling(), "inputs", "minmax", ("scaling of inputs", "'minmax'", "symmetric")),
    (Scaling(), "targets", "", ("scaling of targets", "''", "standard")),
    (Scaling(), "input_factor", 0.0, ("input_factor", "0.0", "positive")),
    (Scaling(), "target_factor", NAN, ("target_factor", "nan", "positive")),
    (NETWORK, "widths", (1,), ("widths", "(1,)", "an input and an output")),
    (NETWORK, "widths", (1, 0, 1), ("each of widths", "0", "at least 1")),
    (NETWORK, "activations", ("relu",), ("activations", "('relu',)", "2 names")),
    (NETWORK, "activations", ("relu", "rel"), ("activation", "'rel'", "softplus")),
    (NETWORK, "slope", math.inf, ("slope", "inf", "finite")),
    (NETWORK, "use_bias", 1, ("use_bias", "1", "true or false")),
    (Initialiser(), "law", "normal", ("initialiser", "'normal'", "random_normal")),
    (Initialiser(), "bias", "ones", ("bias initialiser", "'ones'", "constant")),
    (Initialiser(), "scale", NAN, ("scale", "nan", "finite")),
    (Initialiser(), "bias_scale", NAN, ("bias_scale", "nan", "finite")),
    (Initialiser(), "law", "values", ("values", "()", "given for the law")),
    (Initialiser(), "values", ((1.0,),), ("values", "((1.0,),)", "only for it")),
    (
        Initialiser("values", values=((1.0,),)),
        "values",
        ((NAN,),),
        ("each of values", "nan", "finite"),
    ),
    (Optimiser(), "name", "Adam", ("optimiser", "'Adam'", "keras_adam")),
    (Optimiser(), "schedule", "linear", ("schedule", "'linear'", "cosine")),
    (Optimiser(), "learning_rate", NAN, ("learning_rate", "nan", "finite")),
    (Optimiser(), "learning_rate", -1.0, ("learning_rate", "-1.0", "at least 0")),
    (Optimiser(), "b1", 1.0, ("b1", "1.0", "below 1")),
    (Optimiser(), "b2", -0.1, ("b2", "-0.1", "at least 0")),
    (Optimiser(), "momentum", NAN, ("momentum", "nan", "below 1")),
    (Optimiser(), "rho", 2, ("rho", "2", "below 1")),
    (Optimiser(), "eps", -1e-9, ("eps", "-1e-09", "at least 0")),
    (Optimiser(), "weight_decay", math.inf, ("weight_decay", "inf", "finite")),
    (Optimiser(), "decay", -1, ("decay", "-1", "at least 0")),
    (Optimiser(), "clip_norm", -1, ("clip_norm", "-1", "at least 0")),
    (Optimiser(), "schedule_steps", 0, ("schedule_steps", "0", "positive")),
    (Training(), "loss", "l2", ("loss", "'l2'", "mse")),
    (Training(), "batch_size", -1, ("batch_size", "-1", "at least 0")),
    (Training(), "epochs", 0, ("epochs", "0", "at least 1")),
    (Training(), "max_steps", -1, ("max_steps", "-1", "at least 0")),
    (Training(), "check_growth", 0.0, ("check_growth", "0.0", "at least 0.0001")),
    (Training(), "check_steps", (0,), ("each of check_steps", "0", "at least 1")),
    (SETTING, "name", "", ("setting name", "''", "a name")),
    (SETTING, "initialisers", (Initialiser(),) * 3, ("number of initialisers", "3", "2 layers")),
    (Sweep("s", (SETTING,)), "paired", 1, ("paired", "1", "true or false")),
    (
        SETTING,
        "initialisers",
        Initialiser("values", values=((1.0,),)),
        ("values", "((1.0,),)", "1 rows (inputs) of 2 numbers (units)"),
    ),
    (Sweep("s", (SETTING,)), "name", "", ("sweep name", "''", "a name")),
    (Sweep("s", (SETTING,)), "settings", (), ("settings", "()", "at least one")),
    (
        Sweep("s", (SETTING,)),
        "settings",
        (SETTING, SETTING),
        ("setting names", "['k=2', 'k=2']", "all different"),
    ),
]


@pytest.mark.parametrize(("whole", "field", "value", "said"), WRONG)
def test_a_wrong_field_is_named_with_its_value_and_what_is_right(whole, field, value, said):
    with pytest.raises(ValueError, match=r"^[a-z0-9_ ]+ is .+; it must be .+$") as error:
        replace(whole, **{field: value})
    name, shown, right = said
    text = str(error.value)
    assert text.startswith(f"{name} is {shown}; it must be ")
    assert right in text.split("; it must be ")[1]


ALTERNATIVES: dict[type, dict[str, Any]] = {
    Task: {
        "name": "b",
        "rows": 3,
        "numbers": {"low": -2.0},
        "tolerance": 0.2,
        "margin": 0.6,
        "scaling": Scaling(),
    },
    Scaling: {"inputs": "unit", "targets": "log", "input_factor": 2.0, "target_factor": 2.0},
    Network: {
        "widths": (1, 3, 1),
        "activations": ("tanh", "linear"),
        "use_bias": False,
        "slope": 0.2,
        "module": None,  # test_modules
        "size": None,
    },
    Initialiser: {
        "law": "he_normal",
        "scale": 2.0,
        "bias": "constant",
        "bias_scale": 2.0,
        "values": None,  # belongs to the law "values", tested apart
    },
    Optimiser: {
        f.name: "sgd" if f.name == "name" else "cosine" if f.name == "schedule" else 0.25
        for f in dataclasses.fields(Optimiser)
    },
    Training: {
        "optimiser": None,  # field by field above
        "loss": "mae",
        "batch_size": 7,
        "epochs": 3,
        "max_steps": 5,
        "check_steps": (5,),
        "check_growth": 0.5,
        "layer_rates": (1.0, 0.5),
    },
}


def put(part: Any) -> Setting:
    match part:
        case Task():
            return replace(SETTING, task=part)
        case Scaling():
            return replace(SETTING, task=replace(TASK, scaling=part))
        case Network():
            return replace(SETTING, network=part)
        case Initialiser():
            return replace(SETTING, initialisers=(part, Initialiser()))
        case Optimiser():
            return replace(SETTING, training=Training(part))
    return replace(SETTING, training=part)


@pytest.mark.parametrize("kind", ALTERNATIVES, ids=lambda kind: kind.__name__)
def test_the_digest_changes_with_every_field(kind):
    default = TASK if kind is Task else NETWORK if kind is Network else kind()
    other = ALTERNATIVES[kind]
    assert set(other) == {f.name for f in dataclasses.fields(kind)}
    changes = [{name: value} for name, value in other.items() if value is not None]
    digests = {put(replace(default, **change)).digest for change in changes}
    assert len(digests | {put(default).digest}) == len(changes) + 1


def test_the_digest_changes_with_explicit_values():
    one, two = (Initialiser("values", values=((v, 1.0),)) for v in (1.0, 2.0))
    assert put(one).digest != put(two).digest


def test_the_digest_leaves_out_the_name_and_how_a_number_is_written():
    assert replace(SETTING, name="other").digest == SETTING.digest
    integers = Task("absolute_value", 400, {"high": 1, "low": -1})
    assert replace(SETTING, task=integers).digest == SETTING.digest
    assert hash(integers) == hash(TASK)
    zero = put(Initialiser(bias_scale=-0.0)), put(Initialiser(bias_scale=0))
    assert zero[0].digest == zero[1].digest


PINNED = {  # results on disk are told by these
    "plain": "e607d081c255b89224cfd7a516f02854b9b1e698654d50d0fec1679ec6435a9a",
    "rich": "600886a8f4a939b6caf1ac718fe778ab762bf23cdf19ac54a19ad7117d47efd3",
}


def test_digests_are_what_they_have_always_been():
    laws = (Initialiser("values", 2, values=((1, -0.5),)), Initialiser("pytorch", bias_scale=0))
    task = Task("product", 9, {"low": 0, "high": 3}, 0.2, 0.6, Scaling("unit", "log", 2, 0.5))
    network = Network((1, 2, 1), ("leaky_relu", "linear"), False, 0.1)
    optimiser = Optimiser("adamw", 1e-2, weight_decay=1e-4, schedule="cosine", schedule_steps=99)
    training = Training(optimiser, "huber", 4, 7, 20, (3, 5), 0.5, (1, 0))
    rich = Setting("rich", task, network, laws, training)
    assert {"plain": SETTING.digest, "rich": rich.digest} == PINNED


LIMITS: list[tuple[Any, str, Any, str]] = [
    (TASK, "rows", spec.MOST_ROWS + 1, "at most 16777216"),
    (NETWORK, "widths", (1, 10**12, 1), "at most 16777216"),
    (NETWORK, "widths", (1, 2**23, 1), "number of weights is 25165825; it must be at most"),
    (Training(), "epochs", 2**31, "at most 2147483647"),
    (Training(), "batch_size", 10**400, "at most 2147483647"),
    (Training(), "check_steps", (10**12,), "at most 2147483647"),
    (SETTING, "training", Training(epochs=2**31 - 1), "number of steps is 27917287411"),
    (SETTING, "network", Network((1, 10**6, 1), ("relu", "linear")), "rows times units"),
    (SETTING, "name", "x" * 201, "1 to 200 characters"),
    (SETTING, "name", "a\0b", "no line breaks or control characters"),
    (SETTING, "name", "\ud800", "no line breaks or control characters"),
    (Optimiser(), "learning_rate", 10**400, "a finite number"),
]


@pytest.mark.parametrize(("whole", "field", "value", "said"), LIMITS)
def test_what_would_take_for_ever_is_refused(whole, field, value, said):
    with pytest.raises(ValueError, match=said):
        replace(whole, **{field: value})


def test_just_below_the_limits_all_is_well():
    layers = spec.MOST_LAYERS
    assert Network((1,) * (layers + 1), ("relu",) * layers).parameters == 2 * layers
    with pytest.raises(ValueError, match="at most 1024 layers"):
        Network((1,) * (layers + 2), ("relu",) * (layers + 1))
    longest = Training(batch_size=0, epochs=spec.MOST_STEPS, check_growth=1e-4)
    setting = replace(SETTING, task=replace(TASK, rows=spec.MOST_ROWS), training=longest)
    assert setting.steps == spec.MOST_STEPS
    assert len(longest.checks(1)) < 10**6
    assert replace(SETTING, name="ملف 💥" + "x" * 190).name.startswith("ملف")


def test_what_json_leaves_out_has_its_default():
    text = '{"name": "s", "settings": [{"name": "k=2", "task": %s, "network": %s}]}'
    network = '{"widths": [1, 2, 1], "activations": ["relu", "linear"]}'
    task = '{"name": "absolute_value", "rows": 400, "numbers": {"low": -1, "high": 1}}'
    assert spec.sweep_from_json(text % (task, network)) == Sweep("s", (SETTING,))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"name": "s", "name": "t", "settings": []}', "gives 'name' twice"),
        ("[" * 10**5, "nested too deeply"),
        ('{"name": "s", "settings": [{"epoch": 3}]}', "a field of setting is 'epoch'"),
        ('{"name": "s"}', "sweep has no 'settings'; it must have name, settings"),
        ('{"name": "s", "settings": {}}', "settings is {}; it must be a list"),
    ],
)
def test_json_that_is_ambiguous_or_incomplete_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        spec.sweep_from_json(text)


def test_a_sweep_is_looked_up_by_name():
    sweep = Sweep("s", (SETTING,))
    assert sweep["k=2"] is sweep.settings[0]
    with pytest.raises(KeyError, match=r"'k=9'.*there are: k=2"):
        sweep["k=9"]


def test_parameters_are_counted():
    assert Network((2, 3, 1), ("relu", "linear")).parameters == 6 + 3 + 3 + 1
    assert Network((2, 3, 1), ("relu", "linear"), use_bias=False).parameters == 9
