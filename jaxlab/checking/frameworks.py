"""The same networks in other frameworks: each trains by its own layers, optimiser and loop.

A framework is imported only when it is asked for; jaxlab needs none of them.
"""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from jaxlab.spec import OWN, Setting

INSTALL = {"keras": "pip install 'jaxlab[check]'", "torch": "pip install torch"}
NAMES = tuple(INSTALL)

Layers = Sequence[tuple[np.ndarray, np.ndarray | None]]  # kernel (in, out) and bias of every layer


class Trainer(Protocol):
    """One network of a setting in another framework, trained for one seed after the other."""

    def __init__(self, setting: Setting): ...

    @property
    def versions(self) -> Mapping[str, str]:
        """The versions of what trains, by name; the framework's own name is among them."""
        ...

    def begin(self, layers: Layers, rows: np.ndarray, seed: int) -> None:
        """Start anew: with these weights, an optimiser that knows nothing, and these rows.

        `rows` (rows, inputs + outputs) are as the network sees them; `seed` is for the framework's
        own shuffling.
        """
        ...

    def train(self, steps: int, batches: Iterator[np.ndarray] | None) -> None:
        """Make so many updates, on batches given as positions of rows, or shuffled as it does."""
        ...

    def weights(self) -> Layers:
        """Return the weights as they are now."""
        ...

    def outputs(self) -> np.ndarray:
        """Return what the network answers now, (rows, outputs)."""
        ...


def opened(name: str, setting: Setting) -> Trainer:
    """Return a framework's trainer of a setting.

    ValueError where the framework is unknown or not installed, or has no such network.
    """
    if name not in INSTALL:
        raise ValueError(f"framework is {name!r}; it must be one of {', '.join(NAMES)}")
    if find_spec(name) is None:
        raise ValueError(f"{name} is not installed here; {INSTALL[name]}")
    if setting.network.module:
        raise refusal(name, setting, "its network is a Flax module of one's own")
    if setting.training.optimiser.name.startswith(OWN):
        raise refusal(name, setting, "its optimiser is an optax transform of one's own")
    module: Any = importlib.import_module(f"jaxlab.checking.{name}_runs")
    return module.Trainer(setting)


def refusal(framework: str, setting: Setting, what: str) -> ValueError:
    """Return the error that says why a setting is not the same network in a framework."""
    return ValueError(f"setting {setting.name!r} cannot be trained alike in {framework}: {what}")
