"""What is to be run: frozen, validated descriptions with a JSON form and a digest.

Nothing here computes; a specification is the identity of a result. Two members with the same
specification digest, setting name, seed, lane width and dtype are the same network, bit for bit.
"""

import dataclasses
import hashlib
import json
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from jaxlab import definitions, validation
from jaxlab.validation import check, number, one_of, whole

ACTIVATIONS = ("linear", "relu", "leaky_relu", "tanh", "sigmoid", "elu", "gelu", "softplus")
OPTIMISERS = ("sgd", "momentum", "nesterov", "adam", "keras_adam", "rmsprop", "adamw")
SCHEDULES = ("constant", "inverse_time", "cosine", "warm_up")
LOSSES = ("mse", "mae", "huber")
SCALINGS = ("raw", "unit", "symmetric", "standard", "log")
KERNEL_LAWS = (
    "zeros",
    "constant",
    "random_normal",
    "random_uniform",
    "glorot_uniform",
    "glorot_normal",
    "glorot_truncated_normal",
    "he_uniform",
    "he_normal",
    "he_truncated_normal",
    "lecun_uniform",
    "lecun_normal",
    "lecun_truncated_normal",
    "pytorch",
    "orthogonal",
    "rai",
    "values",
    "all_positive",
    "all_negative",
    "linspace",
)
BIAS_LAWS = ("default", "zeros", "constant", "random_normal", "random_uniform")
OWN = "own "  # how the name of a user's own optimiser begins
T = TypeVar("T")
FORMAT = 1  # raised whenever the same specification would train other networks than before


# Limits, so that what is impossible is refused before it takes memory or time.
MOST_ROWS = 2**24  # beyond it float32 numbers leave whole ones out
MOST_WEIGHTS = 2**24  # and biases, of one network
MOST_LAYERS = 1024
MOST_ANSWERS = 2**28  # rows times units: what a network computes on all rows is 1 GiB
MOST_STEPS = 2**31 - 1  # steps are counted in 32 bits


def _as_floats(spec: object, *names: str) -> None:
    # 1 and 1.0, 0.0 and -0.0 are equal, so they must be written, and digested, alike.
    for name in names:
        object.__setattr__(spec, name, float(getattr(spec, name)) + 0.0)


@dataclass(frozen=True)
class Scaling:
    """How rows are scaled before a network sees them; success is judged in the original units.

    Each column of a member's own rows becomes, by name: raw (as it is), unit (from 0 to 1),
    symmetric (from -1 to 1), standard (mean 0, standard deviation 1) or log (the logarithm of
    1 + x); then it is multiplied by the factor. All of it is a number of the setting.
    """

    inputs: str = "raw"
    targets: str = "raw"
    input_factor: float = 1.0
    target_factor: float = 1.0

    def __post_init__(self):
        for name in ("inputs", "targets"):
            one_of(f"scaling of {name}", getattr(self, name), SCALINGS)
        for name in ("input_factor", "target_factor"):
            number(name, getattr(self, name), 0, "a positive number", open_=True)
        _as_floats(self, "input_factor", "target_factor")


@dataclass(frozen=True)
class Task:
    """What is to be learnt, by name, with its numbers; `jaxlab.tasks` holds what the name means.

    A region counts as fitted when its root-mean-square error is at most `tolerance` times the size
    of its targets, and as missed from `margin` times on; between, as neither. What the size is
    belongs to the task's meaning. With a `scaling`, members see rows of their own, scaled.
    """

    name: str
    rows: int
    numbers: Mapping[str, float] = field(default_factory=dict)
    tolerance: float = 0.1
    margin: float = 0.5
    scaling: Scaling | None = None

    def __post_init__(self):
        validation.name("task name", self.name)
        whole("task rows", self.rows, 1, MOST_ROWS)
        check(isinstance(self.numbers, Mapping), "task numbers", self.numbers, "numbers by name")
        for name, value in self.numbers.items():
            validation.name("name of a task number", name)
            number(f"task number {name}", value, -math.inf, "a finite number")
        number("tolerance", self.tolerance, 0, "a positive number", open_=True)
        number("margin", self.margin, self.tolerance, "a number, at least the tolerance")
        _as_floats(self, "tolerance", "margin")
        right = "a Scaling, or None for rows as they are"
        check(isinstance(self.scaling, Scaling | None), "scaling", self.scaling, right)
        numbers = {name: float(value) + 0.0 for name, value in sorted(self.numbers.items())}
        object.__setattr__(self, "numbers", numbers)
        definitions.note(self, "task", self.name)

    def __hash__(self):
        return hash(_canonical(self))


@dataclass(frozen=True)
class Network:
    """A multilayer perceptron: widths (input first), an activation per layer, biases or not.

    `slope` is the slope of leaky_relu below zero; it is a number of the setting, never compiled in.
    Or a user's own Flax module by its name, as `jaxlab.modules.define` returns it: then `size` is
    its number of parameters, `widths` are its inputs and outputs and there are no activations.
    """

    widths: tuple[int, ...]
    activations: tuple[str, ...] = ()
    use_bias: bool = True
    slope: float = 0.3
    module: str = ""
    size: int = 0

    def __post_init__(self):
        right = f"at least an input and an output, and at most {MOST_LAYERS} layers"
        widths = validation.items("widths", self.widths, right)
        check(1 <= len(widths) - 1 <= MOST_LAYERS, "widths", self.widths, right)
        for width in widths:
            whole("each of widths", width, 1, MOST_WEIGHTS)
        layers = 0 if self.module else len(widths) - 1
        if self.module:
            validation.name("module", self.module)
            check(len(widths) == 2, "widths", widths, "inputs and outputs only, of an own module")
            whole("size", self.size, 1, MOST_WEIGHTS)
        else:
            check(self.module == "", "module", self.module, "a name, or empty")
            check(self.size == 0, "size", self.size, "0, but for an own module")
        right = f"{layers} names, one per layer after the input"
        activations = validation.items("activations", self.activations, right)
        check(len(activations) == layers, "activations", self.activations, right)
        for activation in activations:
            one_of("activation", activation, ACTIVATIONS)
        check(isinstance(self.use_bias, bool), "use_bias", self.use_bias, "true or false")
        object.__setattr__(self, "widths", widths)
        object.__setattr__(self, "activations", activations)
        right = f"at most {MOST_WEIGHTS}"
        check(self.parameters <= MOST_WEIGHTS, "number of weights", self.parameters, right)
        number("slope", self.slope, -math.inf, "a finite number")
        _as_floats(self, "slope")
        definitions.note(self, "module", self.module)

    @property
    def parameters(self) -> int:
        """Number of weights and biases of one network."""
        if self.module:
            return self.size
        pairs = zip(self.widths, self.widths[1:], strict=False)
        return sum(a * b + (b if self.use_bias else 0) for a, b in pairs)


@dataclass(frozen=True)
class Initialiser:
    """The law by which a layer's kernel and bias are drawn.

    `scale` multiplies the kernel's law: the standard deviation of random_normal, the limit of
    random_uniform, the value of constant, a factor on all others. The normal laws are true
    Gaussians; what Keras and JAX call he_normal is he_truncated_normal here. `bias` "default" is
    what belongs to the law: zeros, but for pytorch uniform(-1/sqrt(fan_in), 1/sqrt(fan_in));
    `bias_scale` multiplies it. "rai" draws kernel and bias together and leaves no choice of bias.
    `values` is the kernel of the law "values", a row per input.
    """

    law: str = "glorot_uniform"
    scale: float = 1.0
    bias: str = "default"
    bias_scale: float = 1.0
    values: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self):
        one_of("initialiser", self.law, KERNEL_LAWS)
        one_of("bias initialiser", self.bias, BIAS_LAWS)
        joint = self.law != "rai" or self.bias == "default"
        check(joint, "bias initialiser", self.bias, "'default' for rai, which draws biases itself")
        number("scale", self.scale, -math.inf, "a finite number")
        number("bias_scale", self.bias_scale, -math.inf, "a finite number")
        right = "a row per input, each with a number per unit"
        rows = validation.items("values", self.values, right)
        rows = [validation.items("each row of values", row, right) for row in rows]
        for value in (v for row in rows for v in row):
            number("each of values", value, -math.inf, "a finite number")
        values = tuple(tuple(float(v) + 0.0 for v in row) for row in rows)
        object.__setattr__(self, "values", values)
        _as_floats(self, "scale", "bias_scale")
        right = "given for the law 'values', and only for it"
        check(bool(self.values) == (self.law == "values"), "values", self.values, right)


@dataclass(frozen=True)
class Optimiser:
    """An optimiser by name and its numbers; a number that the named one does not use is ignored.

    keras_adam has epsilon outside the bias correction, adam (optax, PyTorch) inside.
    `decay` belongs to inverse_time (rate / (1 + decay * step)), `schedule_steps` to cosine (steps
    until zero) and warm_up (steps until the full rate). `clip_norm` 0 clips nothing. A user's own
    is made by `jaxlab.optimisers.define`; its name begins with "own ", it is told the rate and does
    all else itself.
    """

    name: str = "keras_adam"
    learning_rate: float = 1e-3
    momentum: float = 0.9
    b1: float = 0.9
    b2: float = 0.999
    rho: float = 0.9
    eps: float = 1e-7
    weight_decay: float = 0.0
    schedule: str = "constant"
    decay: float = 0.0
    schedule_steps: float = 1.0
    clip_norm: float = 0.0

    def __post_init__(self):
        if isinstance(self.name, str) and self.name.startswith(OWN):
            validation.name("optimiser", self.name)
            check(self.schedule == "constant", "schedule", self.schedule, "constant, of an own one")
            check(self.clip_norm == 0, "clip_norm", self.clip_norm, "0, for an own optimiser")
        else:
            one_of("optimiser", self.name, OPTIMISERS)
        one_of("schedule", self.schedule, SCHEDULES)
        number("learning_rate", self.learning_rate, 0, "a finite number, at least 0")
        for name in ("momentum", "b1", "b2", "rho"):
            value = getattr(self, name)
            number(name, value, 0, "at least 0 and below 1")
            check(value < 1, name, value, "at least 0 and below 1")
        for name in ("eps", "weight_decay", "decay", "clip_norm"):
            number(name, getattr(self, name), 0, "a finite number, at least 0")
        number("schedule_steps", self.schedule_steps, 0, "a positive number", open_=True)
        texts = ("name", "schedule")
        _as_floats(self, *(f.name for f in dataclasses.fields(self) if f.name not in texts))
        definitions.note(self, "optimiser", self.name)

    @property
    def numbers(self) -> dict[str, float]:
        """The numeric fields; they are arguments of the compiled program."""
        values = dataclasses.asdict(self)
        return {k: float(v) for k, v in values.items() if not isinstance(v, str)}


@dataclass(frozen=True)
class Training:
    """How long and in which steps: loss, batch size (0: full batch), epochs, steps of the checks.

    `max_steps` ends training within the epochs; 0 means after all of them. `check_steps` are the
    steps after which success is looked for; empty means geometric: the total number of steps,
    divided by 1 + `check_growth` again and again down to 1. Half of the steps and the last are
    always checked, since what still falls between them is unfinished. `layer_rates`, one for each
    layer, multiply the optimiser's steps; a layer of rate 0 stays as it was drawn. None: all are 1.
    """

    optimiser: Optimiser = Optimiser()
    loss: str = "mse"
    batch_size: int = 32
    epochs: int = 1000
    max_steps: int = 0
    check_steps: tuple[int, ...] = ()
    check_growth: float = 1.0
    layer_rates: tuple[float, ...] = ()

    def __post_init__(self):
        right = "an Optimiser"
        check(isinstance(self.optimiser, Optimiser), "optimiser", self.optimiser, right)
        one_of("loss", self.loss, LOSSES)
        whole("batch_size", self.batch_size, 0, MOST_STEPS)
        whole("epochs", self.epochs, 1, MOST_STEPS)
        whole("max_steps", self.max_steps, 0, MOST_STEPS)
        number("check_growth", self.check_growth, 1e-4, "a number, at least 0.0001")
        _as_floats(self, "check_growth")
        steps = validation.items("check_steps", self.check_steps, "steps, or none of them")
        for step in steps:
            whole("each of check_steps", step, 1, MOST_STEPS)
        object.__setattr__(self, "check_steps", steps)
        rates = validation.items("layer_rates", self.layer_rates, "a number per layer, or none")
        for rate in rates:
            number("each of layer_rates", rate, 0, "a finite number, at least 0")
        object.__setattr__(self, "layer_rates", tuple(float(r) + 0.0 for r in rates))

    def steps_per_epoch(self, rows: int) -> int:
        """Updates per epoch; the last batch is smaller where the size does not divide the rows."""
        return -(-rows // self.batch_size) if self.batch_size else 1

    def steps(self, rows: int) -> int:
        """Updates of a whole training."""
        total = self.epochs * self.steps_per_epoch(rows)
        return min(total, self.max_steps) if self.max_steps else total

    def checks(self, rows: int) -> tuple[int, ...]:
        """The steps, ascending and ending with the last, after which success is looked for."""
        total, growth = self.steps(rows), 1 + self.check_growth
        count = math.ceil(math.log(total) / math.log(growth)) + 1
        divided = {math.ceil(total / growth**i) for i in range(count)}
        given = {step for step in self.check_steps if step < total}
        chosen = given if self.check_steps else divided
        return tuple(sorted(chosen | {-(-total // 2), total}))


@dataclass(frozen=True)
class Setting:
    """One column of a sweep: everything about a member except its seed.

    `initialisers` holds one per layer; a single one given stands for all layers.
    """

    name: str
    task: Task
    network: Network
    initialisers: tuple[Initialiser, ...] = (Initialiser(),)
    training: Training = Training()

    def __post_init__(self):
        validation.name("setting name", self.name)
        check(isinstance(self.task, Task), "task", self.task, "a Task")
        check(isinstance(self.network, Network), "network", self.network, "a Network")
        check(isinstance(self.training, Training), "training", self.training, "a Training")
        layers = len(self.network.widths) - 1
        right = f"one, or one for each of the {layers} layers"
        given = self.initialisers
        if isinstance(given, Initialiser):
            given = (given,)
        given = validation.items("initialisers", given, right)
        given = given * layers if len(given) == 1 else given
        check(len(given) == layers, "number of initialisers", len(given), right)
        for one in given:
            check(isinstance(one, Initialiser), "each of initialisers", one, "an Initialiser")
        rates = self.training.layer_rates
        right = f"none, or one for each of the {layers} layers"
        allowed = (0,) if self.network.module else (0, layers)
        check(len(rates) in allowed, "number of layer_rates", len(rates), right)
        widths = zip(self.network.widths, self.network.widths[1:], strict=False)
        for initialiser, (fan_in, fan_out) in zip(given, widths, strict=True):
            fits = {len(row) for row in initialiser.values} == {fan_out}
            fits = fits and len(initialiser.values) == fan_in
            right = f"{fan_in} rows (inputs) of {fan_out} numbers (units)"
            check(initialiser.law != "values" or fits, "values", initialiser.values, right)
        object.__setattr__(self, "initialisers", given)
        right = f"at most {MOST_STEPS}"
        check(self.steps <= MOST_STEPS, "number of steps", self.steps, right)
        answers = self.task.rows * sum(self.network.widths)
        right = f"at most {MOST_ANSWERS}"
        check(answers <= MOST_ANSWERS, "number of rows times units", answers, right)

    @property
    def digest(self) -> str:
        """SHA-256 of the specification; the name belongs to the member's key, not to this."""
        return hashlib.sha256(_canonical(self, "name").encode()).hexdigest()

    @property
    def steps(self) -> int:
        """Number of updates one member makes."""
        return self.training.steps(self.task.rows)


@dataclass(frozen=True)
class Sweep:
    """A named list of settings; `paired` gives a seed the same randomness in every setting."""

    name: str
    settings: Sequence[Setting]
    paired: bool = False

    def __post_init__(self):
        validation.name("sweep name", self.name)
        settings = validation.items("settings", self.settings, "at least one setting")
        object.__setattr__(self, "settings", settings)
        check(len(self.settings) > 0, "settings", self.settings, "at least one setting")
        for setting in self.settings:
            check(isinstance(setting, Setting), "each of settings", setting, "a Setting")
        names = [setting.name for setting in self.settings]
        check(len(set(names)) == len(names), "setting names", names, "all different")
        check(isinstance(self.paired, bool), "paired", self.paired, "true or false")
        for part in ("task", "network", "training.optimiser"):
            parts = {s.name: operator.attrgetter(part)(s) for s in self.settings}
            definitions.check_agreement(parts)

    def __getitem__(self, name: str) -> Setting:
        """Return the setting of that name; KeyError lists the names there are."""
        for setting in self.settings:
            if setting.name == name:
                return setting
        known = ", ".join(s.name for s in self.settings)
        raise KeyError(f"no setting {name!r} in sweep {self.name}; there are: {known}")

    @property
    def digest(self) -> str:
        """SHA-256 of the whole specification."""
        return hashlib.sha256(_canonical(self).encode()).hexdigest()

    def to_json(self) -> str:
        """Return the sweep as JSON; `sweep_from_json` gives back an equal sweep."""
        return json.dumps(dataclasses.asdict(self), indent=2)


def _canonical(spec: Any, *left_out: str) -> str:
    content = {k: v for k, v in dataclasses.asdict(spec).items() if k not in left_out}
    # Fields that came later are left out where they say nothing: digests of old stay valid.
    if "training" in content and not content["training"]["layer_rates"]:
        del content["training"]["layer_rates"]
    for setting in [content, *content.get("settings", ())]:
        if "network" in setting and not setting["network"]["module"]:
            del setting["network"]["module"], setting["network"]["size"]
    return json.dumps([FORMAT, content], sort_keys=True, separators=(",", ":"))


def _initialisers(content: Any) -> tuple[Initialiser, ...]:
    listed = validation.items("initialisers", content, "one for each layer")
    return tuple(_built(Initialiser, one) for one in listed)


def _settings(content: Any) -> tuple[Setting, ...]:
    return tuple(map(setting_from_dict, validation.items("settings", content, "settings")))


# What is made of a field's content where that is neither a number nor a text.
_PARTS: Mapping[str, Callable[[Any], Any]] = {
    "task": lambda content: _built(Task, content),
    "scaling": lambda content: None if content is None else _built(Scaling, content),
    "network": lambda content: _built(Network, content),
    "initialisers": _initialisers,
    "training": lambda content: _built(Training, content),
    "optimiser": lambda content: _built(Optimiser, content),
    "settings": _settings,
}


def _built(kind: type[T], content: Any) -> T:
    given = validation.fields(kind, content)
    return kind(**{name: _PARTS[name](v) if name in _PARTS else v for name, v in given.items()})


def setting_from_dict(content: Mapping[str, Any]) -> Setting:
    """Build a setting from the dictionary that JSON gives; what is left out has its default.

    ValueError names a field that is wrong, unknown or missing.
    """
    return _built(Setting, content)


def sweep_from_json(text: str) -> Sweep:
    """Build the sweep that `Sweep.to_json` wrote; ValueError where the text is something else."""
    return _built(Sweep, validation.read_json(text))
