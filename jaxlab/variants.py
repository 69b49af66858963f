"""A setting with something changed: for grids of settings, and for advice that is measured."""

import dataclasses
from typing import Any, TypeVar

from jaxlab import reach, tasks
from jaxlab.spec import Initialiser, Network, Setting

T = TypeVar("T")
TRAINING = ("loss", "batch_size", "epochs", "max_steps")


def vary(
    setting: Setting,
    name: str,
    *,
    hidden: tuple[int, ...] | None = None,
    activation: str | None = None,
    initialiser: Initialiser | None = None,
    **changes: Any,
) -> Setting:
    """Return a setting of another name in which some parts are others.

    `hidden` are the hidden layers' widths; `activation` that of all hidden layers; `initialiser`
    that of all layers. `changes` are fields by name: of the network (slope, use_bias), the training
    (loss, batch_size, epochs, max_steps), the task (tolerance, margin, scaling) or the optimiser
    (all others; `optimiser` is its name). A layer that is new is initialised, and activated, as the
    last hidden one, or, if there was none, by glorot_uniform and relu. ValueError for what is
    wrong, and for a new `scaling` of targets that the output cannot answer.
    """
    network = setting.network
    if network.module and (hidden is not None or activation is not None):
        raise ValueError(f"setting {setting.name!r} has a module of its own; its layers are fixed")
    laws, rates = setting.initialisers, setting.training.layer_rates
    if hidden is not None or activation is not None:
        inner = network.widths[1:-1] if hidden is None else hidden
        names = _fitted(network.activations, len(inner), "relu")
        if activation is not None:
            names = (*[activation] * len(inner), names[-1])
        widths = (network.widths[0], *inner, network.widths[-1])
        network = dataclasses.replace(network, widths=widths, activations=names)
        laws = _fitted(laws, len(inner), Initialiser())
        rates = rates and _fitted(rates, len(inner), 1.0)
    if initialiser is not None:
        laws = (initialiser,)
    parts = {
        part: {field: changes.pop(field) for field in fields if field in changes}
        for part, fields in (
            ("network", ("slope", "use_bias")),
            ("training", TRAINING),
            ("task", ("tolerance", "margin", "scaling")),
        )
    }
    if "optimiser" in changes:
        changes["name"] = changes.pop("optimiser")
    optimiser = _replaced(setting.training.optimiser, changes)
    training = _replaced(
        setting.training, parts["training"] | {"optimiser": optimiser, "layer_rates": rates}
    )
    task = setting.task
    if "scaling" in parts["task"]:
        task = tasks.rescaled(task, parts["task"]["scaling"])
    task = _replaced(task, parts["task"])
    varied = Setting(name, task, _replaced(network, parts["network"]), laws, training)
    if "scaling" in parts["task"]:
        reach.check(varied)
    return varied


def _fitted(by_layer: tuple[T, ...], hidden: int, default: T) -> tuple[T, ...]:
    """Return what layers have, for so many hidden ones; new ones are as the last or `default`."""
    before = by_layer[:-1] or (default,)
    return (*[before[min(i, len(before) - 1)] for i in range(hidden)], by_layer[-1])


def _replaced(spec: Any, changes: dict[str, Any]) -> Any:
    unknown = set(changes) - {field.name for field in dataclasses.fields(spec)}
    if unknown:
        raise ValueError(f"{sorted(unknown)[0]!r} is no part of a setting that can be changed")
    return dataclasses.replace(spec, **changes)


def architecture(network: Network) -> str:
    """Return a network in a word or two.

    >>> architecture(Network((1, 2, 1), ("relu", "linear")))
    '1-2-1 relu'
    """
    if network.module:
        return network.module
    inner = dict.fromkeys(network.activations[:-1])
    return " ".join(["-".join(map(str, network.widths)), *inner])
