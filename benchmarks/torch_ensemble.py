"""An ensemble in PyTorch on the CPU by torch.func, as its tutorial on ensembling writes it."""

from importlib.util import find_spec
from itertools import pairwise

import numpy as np

from benchmarks.timing import Contestant
from jaxlab import Setting, tasks


def contestant(name: str, setting: Setting, members: int) -> Contestant | None:
    """Return the training of so many members side by side; None where PyTorch is not installed.

    One Adam serves all members, whose weights are stacked: it works entry by entry.
    """
    if find_spec("torch") is None:
        return None
    import torch  # pyright: ignore[reportMissingImports]

    x, y = (torch.tensor(np.asarray(a).tolist()) for a in tasks.example(setting.task)[:2])
    training = setting.training

    def network():
        widths, layers = setting.network.widths, []
        for fan_in, fan_out in pairwise(widths):
            layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
            torch.nn.init.xavier_uniform_(layers[-2].weight)
            torch.nn.init.zeros_(layers[-2].bias)
        return torch.nn.Sequential(*layers[:-1])

    base = network()
    initial, _ = torch.func.stack_module_state([network() for _ in range(members)])

    def loss(weights, x, y):
        return torch.mean((torch.func.functional_call(base, weights, (x,)) - y) ** 2)

    gradient = torch.func.vmap(torch.func.grad(loss))

    def run():
        weights = {key: value.detach().clone() for key, value in initial.items()}
        optimiser = torch.optim.Adam(weights.values(), lr=training.optimiser.learning_rate)
        for _ in range(training.epochs):
            orders = torch.rand(members, len(x)).argsort(dim=1)
            for batch in orders.split(training.batch_size, dim=1):
                for key, value in gradient(weights, x[batch], y[batch]).items():
                    weights[key].grad = value
                optimiser.step()
        return weights

    facts = {"members": members, "epochs": training.epochs, "threads": torch.get_num_threads()}
    return Contestant(name, run, run, members * setting.steps, facts)
