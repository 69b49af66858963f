"""PyTorch's own modules and optimisers, in the plain loop that its tutorials write."""

import importlib
import math
from collections.abc import Iterator, Mapping
from itertools import islice, pairwise
from typing import Any

import numpy as np

from jaxlab.checking.frameworks import Layers, refusal
from jaxlab.spec import OPTIMISERS, SCHEDULES, Network, Optimiser, Setting
from jaxlab.validation import unknown

ACTIVATIONS = {
    "linear": "Identity",
    "relu": "ReLU",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "elu": "ELU",
    "gelu": "GELU",
    "softplus": "Softplus",
}
LOSSES = {"mse": "MSELoss", "mae": "L1Loss", "huber": "HuberLoss"}


class Trainer:
    """See `frameworks.Trainer`; where PyTorch shuffles itself, its DataLoader does."""

    def __init__(self, setting: Setting):
        _check(setting)
        self.torch: Any = importlib.import_module("torch")
        self.versions = {"torch": self.torch.__version__}
        self.training, self.inputs = setting.training, setting.network.widths[0]
        self.model = _model(self.torch, setting.network)
        self.loss = getattr(self.torch.nn, _module("loss", setting.training.loss, LOSSES))()
        self.linear = [m for m in self.model if isinstance(m, self.torch.nn.Linear)]

    def begin(self, layers: Layers, rows: np.ndarray, seed: int) -> None:
        """See `frameworks.Trainer`."""
        with self.torch.no_grad():
            for module, (kernel, bias) in zip(self.linear, layers, strict=True):
                module.weight.copy_(self.torch.tensor(kernel.T))
                if bias is not None:
                    module.bias.copy_(self.torch.tensor(bias))
        both = self.torch.tensor(rows)
        self.x, self.y = both[:, : self.inputs], both[:, self.inputs :]
        self.optimizer = self._optimizer()
        factor = _factor(self.training.optimiser)
        schedules = self.torch.optim.lr_scheduler
        self.scheduler = factor and schedules.LambdaLR(self.optimizer, factor)
        self.steps, self.own = 0, self._shuffled(seed)

    def _optimizer(self):
        rate = self.training.optimiser.learning_rate
        rates = self.training.layer_rates or (1.0,) * len(self.linear)
        layers = zip(self.linear, rates, strict=True)
        groups = [{"params": list(m.parameters()), "lr": rate * r} for m, r in layers]
        return _optimizer(self.torch, self.training.optimiser, groups)

    def _shuffled(self, seed: int):
        """Yield batches for ever, as a DataLoader shuffles them."""
        data = self.torch.utils.data.TensorDataset(self.x, self.y)
        size = self.training.batch_size or len(self.x)
        generator = self.torch.Generator().manual_seed(seed)
        loader = self.torch.utils.data.DataLoader(data, size, shuffle=True, generator=generator)
        while True:
            yield from loader

    def train(self, steps: int, batches: Iterator[np.ndarray] | None) -> None:
        """See `frameworks.Trainer`."""
        own = self.own
        if batches is not None:
            own = ((self.x[some], self.y[some]) for some in map(self.torch.tensor, batches))
        for x, y in islice(own, steps):
            self.optimizer.zero_grad()
            self.loss(self.model(x), y).backward()
            self._step()

    def _step(self) -> None:
        optimiser, self.steps = self.training.optimiser, self.steps + 1
        if optimiser.clip_norm:
            self.torch.nn.utils.clip_grad_norm_(self.model.parameters(), optimiser.clip_norm)
        if optimiser.name == "keras_adam":
            # PyTorch adds epsilon after the bias correction; divided by it, it stands before.
            for group in self.optimizer.param_groups:
                group["eps"] = optimiser.eps / math.sqrt(1 - optimiser.b2**self.steps)
        self.optimizer.step()
        if self.scheduler:
            self.scheduler.step()

    def weights(self) -> Layers:
        """See `frameworks.Trainer`."""

        def array(tensor) -> np.ndarray:
            return tensor.detach().numpy().copy()

        biases = [None if m.bias is None else array(m.bias) for m in self.linear]
        return [(array(m.weight).T, b) for m, b in zip(self.linear, biases, strict=True)]

    def outputs(self) -> np.ndarray:
        """See `frameworks.Trainer`."""
        with self.torch.no_grad():
            return self.model(self.x).numpy()


def _check(setting: Setting) -> None:
    """Raise ValueError where PyTorch has no such training."""
    if setting.training.optimiser.name == "rmsprop":
        what = "that of PyTorch has epsilon outside the root, jaxlab's and Keras's inside"
        raise refusal("torch", setting, f"rmsprop differs: {what}")


def _model(torch: Any, network: Network):
    layers: list = []
    pairs = zip(pairwise(network.widths), network.activations, strict=True)
    for (fan_in, fan_out), name in pairs:
        layers.append(torch.nn.Linear(fan_in, fan_out, network.use_bias))
        if name == "leaky_relu":
            layers.append(torch.nn.LeakyReLU(network.slope))
        else:
            layers.append(getattr(torch.nn, _module("activation", name, ACTIVATIONS))())
    return torch.nn.Sequential(*layers)


def _module(what: str, name: str, modules: Mapping[str, str]) -> str:
    """Return what PyTorch calls a loss or an activation."""
    if name not in modules:
        raise unknown(what, name, modules)
    return modules[name]


def _optimizer(torch: Any, optimiser: Optimiser, groups: list):
    rate, betas, eps = optimiser.learning_rate, (optimiser.b1, optimiser.b2), optimiser.eps
    match optimiser.name:
        case "keras_adam" | "adam":
            return torch.optim.Adam(groups, rate, betas, eps)
        case "adamw":
            return torch.optim.AdamW(groups, rate, betas, eps, optimiser.weight_decay)
        case "momentum" | "nesterov":
            nesterov = optimiser.name == "nesterov"
            return torch.optim.SGD(groups, rate, optimiser.momentum, nesterov=nesterov)
        case "sgd":
            return torch.optim.SGD(groups, rate)
    raise unknown("optimiser", optimiser.name, OPTIMISERS)


def _factor(optimiser: Optimiser):
    """Return what the rate is multiplied by after so many steps; None for a constant one."""
    steps = optimiser.schedule_steps
    match optimiser.schedule:
        case "constant":
            return None
        case "inverse_time":
            return lambda count: 1 / (1 + optimiser.decay * count)
        case "cosine":
            return lambda count: (1 + math.cos(math.pi * min(count / steps, 1))) / 2
        case "warm_up":
            return lambda count: min((count + 1) / steps, 1)
    raise unknown("schedule", optimiser.schedule, SCHEDULES)
