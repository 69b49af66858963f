"""What a network-step costs the engine: by members, hidden units, depth and batch size."""

from collections.abc import Mapping

from benchmarks import cases, engine
from benchmarks.plan import Plan
from benchmarks.timing import Measurement, alternate
from jaxlab import Setting

Series = dict[str, tuple[Setting, int]]


def series(plan: Plan) -> dict[str, Series]:
    """Return what is varied, and for each of its values the setting and the number of members."""
    epochs, members = plan.scaling_epochs, plan.scaling_members

    def network(*hidden: int) -> tuple[Setting, int]:
        return cases.relu_network((1, *hidden, 1), epochs), members

    usual = cases.absolute_value(epochs)
    sizes = plan.batch_sizes
    return {
        "members": {f"{n:,} members": (usual, n) for n in plan.member_counts},
        "hidden units": {f"{k} hidden unit(s)": network(k) for k in plan.hidden_units},
        "depth": {f"{n} hidden layer(s) of 3": network(*[3] * n) for n in plan.depths},
        "batch size": {
            f"batches of {n}": (cases.absolute_value(epochs, n), members) for n in sizes
        },
    }


def costs(wanted: Mapping[str, tuple[Setting, int]], repetitions: int) -> list[Measurement]:
    """Measure the engine on every setting, in turn."""
    pairs = [engine.with_one_epoch(name, *given) for name, given in wanted.items()]
    measured = alternate([c for pair in pairs for c in pair], repetitions)
    return [engine.merged(name, measured) for name in wanted]
