"""Which path trains a network: machine code where it is of use, else programs of XLA; and why.

What is of no use for a network is no fault. Where it would be of use and cannot be had, networks
are trained several times slower, to other last bits: that is said, recorded and told apart.
"""

import sys
from functools import lru_cache
from typing import Any

from jaxlab import networks
from jaxlab.native.calls import Trainer
from jaxlab.spec import OWN, Setting

MACHINE_CODE, XLA = "machine code", "XLA"
MAX_PARAMETERS = 512  # the gradient is written out; larger networks have better programs in XLA
NO_CODE = ("gelu", "cosine")  # what no rule writes: the error function and the cosine

_said: set[str] = set()


def serves(setting: Setting) -> bool:
    """Say whether there is to be machine code for a network: small, and of jaxlab's own parts."""
    optimiser, network = setting.training.optimiser, setting.network
    own = network.module or optimiser.name.startswith(OWN)
    without = {*network.activations, optimiser.schedule} & {*NO_CODE}
    return not own and not without and network.parameters <= MAX_PARAMETERS


def trainer_for(setting: Setting, permutations: int, *, own_rows: bool) -> Trainer | None:
    """Return the trainer of a specification, for a bank of so many permutations.

    None where there is no machine code for it. That is said once on standard error if there should
    be.
    """
    found = _made(setting, permutations, own_rows, networks.MLP.__call__)
    if isinstance(found, Trainer):
        return found
    _say(found)
    return None


def path_of(setting: Setting, permutations: int, *, own_rows: bool) -> str:
    """Return in words what trains a specification on a CPU, and why it is not what it should be."""
    found = _made(setting, permutations, own_rows, networks.MLP.__call__)
    return MACHINE_CODE if isinstance(found, Trainer) else f"{XLA} ({found})" if found else XLA


@lru_cache(maxsize=64)
def _made(setting: Setting, permutations: int, own_rows: bool, forward: Any) -> Trainer | str:
    """Return the trainer, or why there is none, "" where there is to be none."""
    del forward  # the network's call belongs to what is traced
    if not serves(setting):
        return ""
    reason = missing()
    if reason:
        return reason
    from jaxlab.native import lanes, trainer  # which need the compiler

    try:
        return trainer.compiled(setting, permutations, own_rows=own_rows)
    except (LookupError, TypeError, AttributeError, lanes.UnsupportedError) as error:
        return f"jaxlab cannot write {_in_a_line(error)}"  # JAX's operations are not as they were


@lru_cache(maxsize=1)
def missing() -> str:
    """Return why no machine code at all can be made or called here; "" where it can."""
    try:
        from jaxlab.native import program
    except (ImportError, OSError) as error:
        return f"llvmlite cannot be used: {_in_a_line(error)}"
    try:
        program.try_out()
    except Exception as error:  # of any kind: XLA and LLVM have their own
        return f"XLA does not take it: {_in_a_line(error)}"
    return ""


def _in_a_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__} {error}".split())[:120]


def _say(reason: str) -> None:
    if reason and reason not in _said:
        _said.add(reason)
        text = "jaxlab trains small networks by XLA here, several times slower than by machine code"
        print(f"{text}: {reason}", file=sys.stderr, flush=True)
