"""The engine beside other programs for the same work, each alternating with all others."""

from collections.abc import Sequence

import jax

from benchmarks import cases, engine, idiomatic, keras_loop, torch_ensemble
from benchmarks.plan import Plan, Shape
from benchmarks.timing import Contestant, Measurement, alternate
from jaxlab import Setting

ENGINE, IDIOMATIC, KERAS, TORCH = "engine", "idiomatic", "Keras loop", "PyTorch ensemble"


def absolute_value(plan: Plan) -> list[Measurement]:
    """Compare on |x|: the idiomatic program on one device and on all, Keras, PyTorch.

    All but the engine run fewer epochs; every epoch costs them the same.
    """
    few = cases.absolute_value(plan.idiomatic_epochs)
    others = []
    for devices in sorted({1, jax.local_device_count()}):
        members = idiomatic.divisible(plan.members, devices)
        name = f"{IDIOMATIC}, {devices} device(s)"
        others.append(idiomatic.contestant(name, few, members, devices))
    keras = keras_loop.contestant(KERAS, cases.absolute_value(plan.keras_epochs))
    torch_setting = cases.absolute_value(plan.torch_epochs)
    torch = torch_ensemble.contestant(TORCH, torch_setting, plan.members)
    others += [c for c in (keras, torch) if c is not None]
    return _compare(cases.absolute_value(plan.epochs), plan.members, others, plan.repetitions)


def shape(plan: Plan, given: Shape) -> list[Measurement]:
    """Compare on another network: the idiomatic program on all devices, for several numbers."""

    def setting(epochs: int) -> Setting:
        return cases.relu_network(given.widths, epochs, given.batch_size)

    devices, others = jax.local_device_count(), {}
    for wanted, epochs in given.idiomatic:
        members = idiomatic.divisible(wanted, devices)
        name = f"{IDIOMATIC}, {members:,} members"
        others[name] = idiomatic.contestant(name, setting(epochs), members, devices)
    members, epochs = given.engine
    return _compare(setting(epochs), members, list(others.values()), plan.scaling_repetitions)


def _compare(
    setting: Setting, members: int, others: Sequence[Contestant], repetitions: int
) -> list[Measurement]:
    own = engine.with_one_epoch(ENGINE, setting, members)
    measured = alternate([*own, *others], repetitions)
    return [engine.merged(ENGINE, measured), *(measured[c.name] for c in others)]


def fastest(measured: Sequence[Measurement], program: str) -> Measurement | None:
    """Return the fastest of the variants of a program; None where it was not measured."""
    variants = [m for m in measured if m.name.startswith(program)]
    return max(variants, key=lambda m: m.median, default=None)


def ratio(measured: Sequence[Measurement], program: str) -> float | None:
    """Return how many times faster than a program's fastest variant the engine is."""
    own, other = fastest(measured, ENGINE), fastest(measured, program)
    return None if own is None or other is None else own.median / other.median
