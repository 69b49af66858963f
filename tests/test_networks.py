"""Exact and rounding: the forward pass, and that there is no other one.

Equal bits are asked for where the same operations run in the same order, `ROUNDING` elsewhere.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import samples
from acceptance import ROUNDING, assert_rounding

from jaxlab import networks, run
from jaxlab.spec import ACTIVATIONS, Network

DEEP = Network((2, 3, 4, 2), ("tanh", "leaky_relu", "sigmoid"))
WIDE = Network((3, 40, 2), ("softplus", "linear"))
BARE = Network((2, 3, 1), ("elu", "linear"), use_bias=False)
SLOPE = 0.2


def random_weights(network: Network, *members: int) -> jax.Array:
    return jax.random.normal(jax.random.key(1), (network.parameters, *members))


def random_inputs(network: Network, rows: int = 7) -> jax.Array:
    return jax.random.normal(jax.random.key(2), (rows, network.widths[0]))


def by_hand(network: Network, flat: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """Return the outputs of one network in float64, from the definition of a perceptron."""
    x, used = inputs.astype(float), 0
    formulas = {
        "linear": lambda z: z,
        "tanh": np.tanh,
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "leaky_relu": lambda z: np.where(z > 0, z, SLOPE * z),
        "softplus": lambda z: np.log1p(np.exp(z)),
        "elu": lambda z: np.where(z > 0, z, np.expm1(z)),
    }
    sizes = zip(network.widths, network.widths[1:], network.activations, strict=False)
    for fan_in, fan_out, name in sizes:
        kernel = flat[used : used + fan_in * fan_out].astype(float).reshape(fan_in, fan_out)
        used += fan_in * fan_out
        z = x @ kernel
        if network.use_bias:
            z, used = z + flat[used : used + fan_out], used + fan_out
        x = formulas[name](z)
    assert used == len(flat)
    return x


@pytest.mark.parametrize("network", [DEEP, WIDE, BARE], ids=["deep", "wide", "no biases"])
def test_one_network_and_a_population_agree_with_the_definition(network):
    weights, inputs = random_weights(network, 5), random_inputs(network)
    population = networks.predict(network, weights, inputs[..., None], SLOPE)
    single = jax.vmap(lambda w: networks.predict(network, w, inputs, SLOPE), -1, -1)(weights)
    assert population.shape == single.shape == (7, network.widths[-1], 5)
    assert_rounding(population, single)
    for i in range(5):
        wanted = by_hand(network, np.asarray(weights[:, i]), np.asarray(inputs))
        assert_rounding(population[..., i], wanted)


def test_the_two_ways_of_summing_agree(monkeypatch):
    weights, inputs = random_weights(DEEP, 5), random_inputs(DEEP)[..., None]
    explicit = networks.predict(DEEP, weights, inputs, SLOPE)
    monkeypatch.setattr(networks, "EXPLICIT_ENTRIES", 0)
    dot = networks.predict(DEEP, weights, inputs, SLOPE)
    assert_rounding(explicit, dot)
    assert not np.array_equal(explicit, dot), "both ran the same code: the test compares nothing"


def test_dividing_by_one_changes_no_bit():
    # Operation by operation, float32 sums and products have one right answer, and x / 1 is x.
    network = Network((2, 3, 1), ("relu", "linear"))
    weights, inputs = random_weights(network), random_inputs(network, 500)
    (kernel, bias), (out, offset) = (
        (np.asarray(k), np.asarray(b)) for k, b in networks.unpack(network, weights)
    )
    x = np.asarray(inputs)
    hidden = np.maximum(x[:, :1] * kernel[0] + x[:, 1:] * kernel[1] + bias, np.float32(0))
    terms = hidden * out[:, 0]
    wanted = terms[:, 0] + terms[:, 1] + terms[:, 2] + offset
    found = networks.predict(network, weights, inputs, SLOPE, jnp.float32(1))[:, 0]
    assert np.array_equal(found, wanted)
    other = networks.predict(network, weights, inputs, SLOPE, jnp.float32(1.5))[:, 0]
    assert not np.array_equal(other, wanted)


@pytest.mark.parametrize("network", [DEEP, WIDE, BARE], ids=["deep", "wide", "no biases"])
@pytest.mark.parametrize("members", [(), (3,)], ids=["one", "three"])
def test_packing_and_unpacking_are_inverse(network, members):
    flat = random_weights(network, *members)
    layers = networks.unpack(network, flat)
    shapes = list(zip(network.widths, network.widths[1:], strict=False))
    assert [kernel.shape for kernel, _ in layers] == [(*shape, *members) for shape in shapes]
    for (_, bias), (_, fan_out) in zip(layers, shapes, strict=True):
        assert (bias is None) is not network.use_bias
        assert bias is None or bias.shape == (fan_out, *members)
    assert np.array_equal(networks.pack(layers), flat)


Z = jnp.linspace(-4, 4, 41)
KNOWN = {
    "linear": lambda z: z,
    "relu": jax.nn.relu,
    "leaky_relu": lambda z: jax.nn.leaky_relu(z, SLOPE),
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "elu": jax.nn.elu,
    "gelu": lambda z: jax.nn.gelu(z, approximate=False),
    "softplus": jax.nn.softplus,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_each_activation_is_the_one_of_its_name(name):
    network = Network((1, 1), (name,))
    found = networks.predict(network, jnp.array([1.0, 0.0]), Z[:, None], SLOPE)
    assert_rounding(found[:, 0], KNOWN[name](Z))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_no_activation_leaves_its_range_and_each_comes_to_the_ends(name):
    network, inputs = Network((1, 1), (name,)), jnp.linspace(-50, 50, 10_001)
    found = networks.predict(network, jnp.array([1.0, 0.0]), inputs[:, None], SLOPE)
    low, high = networks.OUTPUT_RANGE[name]
    assert set(networks.OUTPUT_RANGE) == set(ACTIVATIONS)
    assert low <= found.min()
    assert found.max() <= high
    assert abs(found.min() - low) < 1e-4 if np.isfinite(low) else found.min() <= -50 * SLOPE
    assert abs(found.max() - high) < 1e-4 if np.isfinite(high) else found.max() >= 49


def test_the_exact_gelu_and_its_approximation_are_told_apart():
    wrong = jax.nn.gelu(Z, approximate=True)
    assert np.abs(KNOWN["gelu"](Z) - wrong).max() > 10 * ROUNDING


@pytest.mark.parametrize(("name", "wanted"), [("relu", 0.0), ("leaky_relu", 1.0)])
def test_the_derivative_at_zero_follows_the_convention(name, wanted):
    network = Network((1, 1), (name,))

    def output(x):
        return networks.predict(network, jnp.array([1.0, 0.0]), x[None, None], SLOPE)[0, 0]

    assert jax.grad(output)(0.0) == wanted


def test_the_modules_call_is_the_forward_pass_of_every_path(monkeypatch, small_result):
    original = networks.MLP.__call__
    sweep = samples.sweep(samples.setting())
    assert set(small_result.members["k=2"].names) != {"solved"}
    with monkeypatch.context() as patch:
        patch.setattr(networks.MLP, "__call__", lambda self, x: abs(x) + 0 * original(self, x))
        members = run(sweep, 16, lane_width=samples.LANES).members["k=2"]
        assert set(members.names) == {"solved"}
        assert set(members.first_solved) == {1}
        assert not members.loss.any()
        assert np.array_equal(
            np.asarray(members.final_weights), np.asarray(members.initial_weights)
        )  # no gradient
    again = run(sweep, 16, lane_width=samples.LANES).members["k=2"]
    assert samples.equal_bits(again, small_result.members["k=2"])
