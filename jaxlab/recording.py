"""A lane block that is trained in legs, and what is seen of its first member between them.

All of it is traced; the engine compiles it. `jaxlab.replaying` says how long the legs are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from jaxlab import block, networks, outcomes, scaling, tasks, training
from jaxlab.spec import Network, Setting

KEPT_ROWS = 1000  # at which outputs are kept

Arrays = Mapping[str, jax.Array]
Layers = Sequence[tuple]


def start(setting: Setting, drawn: Arrays, numbers: Arrays) -> training.State:
    """Return the state of a lane block before its first step."""
    model = training.Model(setting.network, setting.training)
    return training.start(model, drawn["weights"], numbers)


def leg(
    setting: Setting,
    fast: Any,
    drawn: Arrays,
    bank: jax.Array,
    numbers: Arrays,
    one: jax.Array,
    state: training.State,
    end: jax.Array,
) -> training.State:
    """Train until step `end` as `block.train_block` does; `fast` is what it is there."""
    if fast is not None:
        return fast.advance(drawn, bank, numbers)(state, end)
    model = training.Model(setting.network, setting.training, one)
    return block.plain_advance(model, drawn, bank, numbers)(state, end)


def look(
    setting: Setting, drawn: Arrays, shared: jax.Array | None, numbers: Arrays, weights: jax.Array
) -> dict[str, jax.Array]:
    """Return what the first member is and does, with weights (parameters, members).

    loss: mean training loss on all rows; errors (regions,): relative error; outputs (kept rows,
    out), in original units; active (units,): at how many rows each unit of every layer answers
    above 0; sizes (layers,): root mean square of each layer's kernel. A user's own module counts
    as one layer.
    """
    network, first = setting.network, {name: values[0] for name, values in numbers.items()}
    rows, inputs, targets = _rows(setting, drawn, shared)
    layers = [(weights[:, 0], None)] if network.module else networks.unpack(network, weights[:, 0])
    answers = _answers(network, layers, rows[:, : network.widths[0]], first["slope"])
    error = answers[-1] - rows[:, network.widths[0] :]
    outputs = answers[-1]
    if shared is None:
        outputs = scaling.undo(drawn["units"][:, network.widths[0] :, 0], outputs)
    meaning = tasks.definition(setting.task)
    masks = jnp.stack(list(meaning.regions(inputs).values()))
    found = outcomes.errors(outputs, targets, masks, spread=meaning.spread)
    return {
        "loss": training.pointwise_loss(setting.training.loss, error).mean(),
        "errors": found.regions,
        "outputs": outputs[kept_rows(len(rows))],
        "active": jnp.concatenate([jnp.sum(answer > 0, axis=0) for answer in answers]),
        "sizes": jnp.stack([jnp.sqrt(jnp.mean(kernel**2)) for kernel, _ in layers]),
    }


def given(setting: Setting, drawn: Arrays, shared: jax.Array | None) -> dict[str, jax.Array]:
    """Return the first member's kept inputs and targets, in original units, and all its units."""
    _, inputs, targets = _rows(setting, drawn, shared)
    kept = kept_rows(setting.task.rows)
    units = {"units": drawn["units"][..., 0]} if shared is None else {}
    return {"inputs": inputs[kept], "targets": targets[kept]} | units


def kept_rows(rows: int) -> jax.Array:
    """Return the positions of the rows at which outputs are kept: all, or evenly spread ones."""
    return jnp.linspace(0, rows - 1, min(rows, KEPT_ROWS)).round().astype(jnp.int32)


def _rows(
    setting: Setting, drawn: Arrays, shared: jax.Array | None
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Return the first member's rows as its network sees them, and original inputs and targets."""
    rows = drawn["rows"][..., 0] if shared is None else shared
    original = scaling.undo(drawn["units"][..., 0], rows) if shared is None else rows
    inputs = setting.network.widths[0]
    return rows, original[:, :inputs], original[:, inputs:]


def _answers(network: Network, layers: Layers, x: jax.Array, slope: jax.Array) -> list[jax.Array]:
    """Return what the units of every layer answer, (rows, units) each."""
    if network.module:
        return [networks.predict(network, layers[0][0], x, slope)]
    found = []
    for i, layer in enumerate(layers):
        widths, activation = network.widths[i : i + 2], network.activations[i]
        alone = Network(widths, (activation,), network.use_bias)
        x = networks.predict(alone, [layer], x, slope)
        found.append(x)
    return found
