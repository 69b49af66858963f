"""Hypothesis strategies for every part of a specification."""

import dataclasses
import itertools

from hypothesis import strategies as st

from jaxlab import spec, validation
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

numbers = st.floats(-1e6, 1e6)
positive = st.floats(1e-6, 1e3)
shares = st.floats(0, 1, exclude_max=True)
written = st.characters(exclude_categories=validation.UNWRITABLE)
names = st.text(written, min_size=1, max_size=8)


def laws(fan_in: int, fan_out: int) -> st.SearchStrategy[Initialiser]:
    common = {"scale": numbers, "bias": st.sampled_from(spec.BIAS_LAWS), "bias_scale": numbers}
    drawn = st.sampled_from([law for law in spec.KERNEL_LAWS if law not in ("values", "rai")])
    joint = st.builds(Initialiser, st.just("rai"), scale=numbers, bias_scale=numbers)
    any_law = st.builds(Initialiser, drawn, **common) | joint
    if fan_in * fan_out > 16:
        return any_law
    explicit = st.tuples(*[st.tuples(*[numbers] * fan_out)] * fan_in)
    return any_law | st.builds(Initialiser, st.just("values"), values=explicit, **common)


optimisers = st.builds(
    Optimiser,
    st.sampled_from(spec.OPTIMISERS),
    learning_rate=positive,
    momentum=shares,
    b1=shares,
    b2=shares,
    rho=shares,
    eps=positive,
    weight_decay=positive,
    schedule=st.sampled_from(spec.SCHEDULES),
    decay=positive,
    schedule_steps=positive,
    clip_norm=positive,
)
trainings = st.builds(
    Training,
    optimisers,
    st.sampled_from(spec.LOSSES),
    batch_size=st.integers(0, 500),
    epochs=st.integers(1, 10**4),
    max_steps=st.integers(0, 10**6),
    check_steps=st.lists(st.integers(1, 10**6), max_size=4).map(tuple),
    check_growth=st.floats(1e-4, 9),
)
scalings = st.builds(
    Scaling, *[st.sampled_from(spec.SCALINGS)] * 2, input_factor=positive, target_factor=positive
)
tasks = st.builds(
    Task,
    names,
    rows=st.integers(1, 10**5),
    numbers=st.dictionaries(names, numbers, max_size=3),
    tolerance=st.floats(1e-3, 0.5),
    margin=st.floats(0.5, 2),
    scaling=st.none() | scalings,
)


@st.composite
def settings_(draw) -> Setting:
    widths = tuple(draw(st.lists(st.integers(1, 64), min_size=2, max_size=5)))
    layers = len(widths) - 1
    activations = draw(st.tuples(*[st.sampled_from(spec.ACTIVATIONS)] * layers))
    network = Network(widths, activations, draw(st.booleans()), draw(numbers))
    each = [laws(a, b) for a, b in itertools.pairwise(widths)]
    # One law for all layers has no explicit values, unless all layers are alike.
    given = draw(st.tuples(*each) | st.tuples(laws(99, 99)))
    rates = draw(st.just(()) | st.tuples(*[positive] * layers))
    training = dataclasses.replace(draw(trainings), layer_rates=rates)
    return Setting(draw(names), draw(tasks), network, given, training)


sweeps = st.builds(
    Sweep,
    names,
    st.lists(settings_(), min_size=1, max_size=3, unique_by=lambda s: s.name).map(tuple),
    st.booleans(),
)
