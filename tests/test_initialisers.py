"""Statistical, and exact where a law leaves nothing to chance: the laws of initial weights.

Each random law is drawn `DRAWS` times and held against `kernel_distribution` by a two-sided
Kolmogorov-Smirnov test. False fail: `FALSE_FAIL` each (the streams are fixed, so a test that
passes once always does). False pass: the test rejects once the empirical law is 0.0094 away, so a
law whose distribution function differs from the stated one by 0.02 anywhere passes with a
probability below 1e-7 (Dvoretzky-Kiefer-Wolfowitz). Negative controls: neighbouring laws, which
differ by at least that, are told apart. Of RAI the one entry in each unit that is from Beta(2, 1)
has its place and sign counted, too, with what these tests miss.
"""

import dataclasses
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from acceptance import FALSE_FAIL, agrees, assert_rounding, false_pass, uniform_p_value
from scipy import stats

from jaxlab import initialisers, spec, tasks
from jaxlab.spec import Initialiser, Network, Setting
from jaxlab.theory.laws import PointMass

FAN_IN, FAN_OUT, DRAWS = 4, 6, 82_000
NETWORK = Network((FAN_IN, FAN_OUT), ("linear",))
RANDOM = [
    *("random_normal", "random_uniform", "pytorch"),
    *(f"{family}_uniform" for family in ("glorot", "he", "lecun")),
    *(f"{family}_normal" for family in ("glorot", "he", "lecun")),
    *(f"{family}_truncated_normal" for family in ("glorot", "he", "lecun")),
]
GLOROT, HE, LECUN = 2 / (FAN_IN + FAN_OUT), 2 / FAN_IN, 1 / FAN_IN
VARIANCES = {"random_normal": 1.0, "random_uniform": 1 / 3, "pytorch": 1 / (3 * FAN_IN)} | {
    f"{family}_{law}": variance
    for family, variance in (("glorot", GLOROT), ("he", HE), ("lecun", LECUN))
    for law in ("uniform", "normal", "truncated_normal")
}
UNIFORM = [name for name in RANDOM if name.endswith("uniform") or name == "pytorch"]


def setting(initialiser: Initialiser) -> Setting:
    return Setting("s", tasks.absolute_value(), NETWORK, (initialiser,))


@cache
def drawn(law: Initialiser) -> tuple[np.ndarray, np.ndarray]:
    """Return kernels (draws, in, out) and biases (draws, out)."""

    def one(key):
        pair = jax.random.fold_in(key, 0), jax.random.fold_in(key, 1)
        return initialisers.draw(law, pair, (FAN_IN, FAN_OUT), law.scale, law.bias_scale)

    count = DRAWS // (FAN_IN * FAN_OUT)
    kernels, biases = jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(7), count))
    return np.asarray(kernels), np.asarray(biases)


def stated(law: Initialiser):
    """Return the law that theory reads, for a law that has one."""
    found = initialisers.kernel_distribution(setting(law), 0)
    assert found is not None
    return found


def p_value(law: Initialiser, claimed: Initialiser) -> float:
    values = drawn(law)[0].ravel().astype(float)
    return float(stats.kstest(values, stated(claimed).cdf)[1])


@pytest.mark.parametrize("name", RANDOM)
def test_a_kernel_follows_its_stated_law(name):
    law = Initialiser(name, scale=1.5)
    assert p_value(law, law) > FALSE_FAIL


@pytest.mark.parametrize("name", RANDOM)
def test_the_stated_law_has_the_variance_of_the_literature(name):
    law = stated(Initialiser(name, scale=-2.0))
    assert law.mean() == pytest.approx(0, abs=1e-12)
    assert law.var() == pytest.approx(4 * VARIANCES[name], rel=1e-9)


@pytest.mark.parametrize("name", UNIFORM)
def test_a_uniform_law_stays_within_its_bounds(name):
    bound = np.sqrt(3 * VARIANCES[name])
    law = stated(Initialiser(name, scale=-2.0))
    assert law.support() == pytest.approx((-2 * bound, 2 * bound))
    assert np.abs(drawn(Initialiser(name, scale=1.5))[0]).max() <= 1.5 * bound * (1 + 1e-6)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("he_normal", "he_truncated_normal"),
        ("he_truncated_normal", "he_normal"),
        ("he_uniform", "he_normal"),
        ("lecun_normal", "glorot_normal"),
        ("glorot_uniform", "pytorch"),
        ("lecun_uniform", "he_uniform"),
    ],
)
def test_a_neighbouring_law_is_told_apart(name, wrong):
    assert p_value(Initialiser(name), Initialiser(wrong)) < FALSE_FAIL


def test_entries_and_units_are_independent():
    # A correlation of so many independent draws is close to normal with deviation 1/sqrt(draws).
    kernels, biases = drawn(Initialiser("pytorch"))
    columns = np.concatenate([kernels.reshape(len(kernels), -1), biases], axis=1)
    found = np.corrcoef(columns.T)[np.triu_indices(columns.shape[1], 1)]
    limit = stats.norm.isf(FALSE_FAIL / 2 / len(found)) / np.sqrt(len(kernels))
    assert np.abs(found).max() < limit


def test_pytorch_draws_its_biases_within_the_same_bounds():
    biases = drawn(Initialiser("pytorch", bias_scale=3.0))[1].ravel()
    assert stats.kstest(biases, stats.uniform(-1.5, 3.0).cdf)[1] > FALSE_FAIL
    assert stats.kstest(biases, stats.uniform(-1.0, 2.0).cdf)[1] < FALSE_FAIL


@pytest.mark.parametrize(
    ("name", "law"), [("random_normal", stats.norm(0, 2)), ("random_uniform", stats.uniform(-2, 4))]
)
def test_a_bias_law_can_be_chosen(name, law):
    biases = drawn(Initialiser("he_normal", bias=name, bias_scale=2.0))[1].ravel()
    assert stats.kstest(biases, law.cdf)[1] > FALSE_FAIL
    assert stats.kstest(biases, (lambda x: law.cdf(x / 1.5)))[1] < FALSE_FAIL


@pytest.mark.parametrize("name", [n for n in RANDOM if n != "pytorch"])
def test_other_laws_have_zero_biases(name):
    assert not drawn(Initialiser(name, scale=1.5))[1].any()


@pytest.mark.parametrize("bias", ["zeros", "constant"])
def test_fixed_biases(bias):
    biases = drawn(Initialiser("pytorch", bias=bias, bias_scale=0.25))[1]
    assert set(biases.ravel().tolist()) == {0.25 if bias == "constant" else 0.0}


def test_orthogonal_kernels_have_orthonormal_rows():
    kernels = drawn(Initialiser("orthogonal"))[0]
    products = kernels @ kernels.transpose(0, 2, 1)
    assert_rounding(products, np.broadcast_to(np.eye(FAN_IN), products.shape))


LINE = np.linspace(-1, 1, FAN_IN * FAN_OUT).reshape(FAN_IN, FAN_OUT)
VALUES = tuple(tuple(10.0 * i + j for j in range(FAN_OUT)) for i in range(FAN_IN))


@pytest.mark.parametrize(
    ("law", "wanted"),
    [
        (Initialiser("zeros"), 0 * LINE),
        (Initialiser("constant", 0.5), 0 * LINE + 0.5),
        (Initialiser("linspace", 2.0), 2 * LINE),
        (Initialiser("all_positive"), abs(LINE)),
        (Initialiser("all_negative"), -abs(LINE)),
        (Initialiser("values", 0.5, values=VALUES), 0.5 * np.array(VALUES)),
    ],
    ids=lambda part: part.law if isinstance(part, Initialiser) else "",
)
def test_fixed_kernels(law, wanted):
    kernels = drawn(law)[0]
    assert np.array_equal(kernels[0], wanted.astype(np.float32))
    assert np.array_equal(kernels, np.broadcast_to(kernels[0], kernels.shape))
    assert np.array_equal(np.asarray(initialisers.kernel_values(setting(law), 0)), wanted)
    assert initialisers.kernel_distribution(setting(law), 0) is None


def test_random_laws_have_no_fixed_values():
    assert initialisers.kernel_values(setting(Initialiser("he_normal")), 0) is None
    assert initialisers.kernel_distribution(setting(Initialiser("orthogonal")), 0) is None
    assert initialisers.kernel_distribution(setting(Initialiser("he_normal", 0.0)), 0) is None


@pytest.mark.parametrize(
    ("law", "wanted"),
    [
        (Initialiser("he_normal"), 0.0),
        (Initialiser("pytorch", bias_scale=-3.0), 1.5),
        (Initialiser("he_normal", bias="constant", bias_scale=-2.0), 2.0),
        (Initialiser("he_normal", bias="random_uniform", bias_scale=2.0), 2.0),
        (Initialiser("he_normal", bias="random_normal", bias_scale=2.0), 10.0),
        (Initialiser("pytorch", bias="zeros"), 0.0),
    ],
)
def test_no_bias_exceeds_its_stated_limit(law, wanted):
    assert initialisers.bias_limit(setting(law), 0) == wanted
    assert np.abs(drawn(law)[1]).max() <= wanted * (1 + 1e-6)


def test_layers_have_their_own_scales_and_their_own_randomness():
    network = Network((2, 2, 2), ("relu", "linear"))
    laws = (Initialiser("random_normal", bias="random_normal"),) * 2
    scales = jnp.array([[1.0, 2.0], [3.0, 0.0]])
    plain = initialisers.draw_network(network, laws, jax.random.key(0), jnp.ones((2, 2)))
    scaled = initialisers.draw_network(network, laws, jax.random.key(0), scales)
    for layer in range(2):
        for part in range(2):
            wanted = np.asarray(plain[layer][part]) * np.asarray(scales[layer, part])
            assert np.array_equal(np.asarray(scaled[layer][part]), wanted)
    assert not np.isclose(plain[0][0], plain[1][0]).any()
    bare = dataclasses.replace(network, use_bias=False)
    without = initialisers.draw_network(bare, laws, jax.random.key(0), jnp.ones((2, 2)))
    assert [bias for _, bias in without] == [None, None]
    assert np.array_equal(without[0][0], plain[0][0])


@pytest.mark.parametrize(
    ("law", "wanted"),
    [
        (Initialiser("he_normal"), 0.0),
        (Initialiser("pytorch", bias_scale=-3.0), stats.uniform(-1.5, 3.0)),
        (Initialiser("pytorch", bias="zeros"), 0.0),
        (Initialiser("pytorch", bias_scale=0.0), 0.0),
        (Initialiser("he_normal", bias="constant", bias_scale=-2.0), -2.0),
        (Initialiser("he_normal", bias="random_uniform", bias_scale=-2.0), stats.uniform(-2, 4)),
        (Initialiser("pytorch", bias="random_uniform"), stats.uniform(-1, 2)),
        (Initialiser("orthogonal", bias="random_normal", bias_scale=0.5), stats.norm(0, 0.5)),
    ],
)
def test_a_bias_follows_its_stated_law(law, wanted):
    found = initialisers.bias_distribution(setting(law), 0)
    biases = drawn(law)[1].ravel().astype(float)
    if isinstance(wanted, float):
        assert found == PointMass(wanted)
        assert set(biases.tolist()) == {wanted}
        return
    assert found is not None
    assert found.support() == pytest.approx(wanted.support())
    assert stats.kstest(biases, found.cdf)[1] > FALSE_FAIL
    assert stats.kstest(biases, wanted.cdf)[1] > FALSE_FAIL
    assert stats.kstest(1.2 * biases, found.cdf)[1] < FALSE_FAIL


def test_every_bias_law_is_stated_and_none_is_that_of_rai_alone():
    for bias in spec.BIAS_LAWS:
        for law in (name for name in spec.KERNEL_LAWS if name not in ("values", "rai")):
            assert initialisers.bias_distribution(setting(Initialiser(law, bias=bias)), 0)
    rai = setting(Initialiser("rai"))
    assert initialisers.bias_distribution(rai, 0) is None
    assert initialisers.kernel_distribution(rai, 0) is None
    assert initialisers.kernel_values(rai, 0) is None
    bare = dataclasses.replace(NETWORK, use_bias=False)
    for law in ("rai", "pytorch"):
        without = Setting("s", rai.task, bare, (Initialiser(law),))
        assert initialisers.bias_distribution(without, 0) == PointMass(0.0)
    assert initialisers.bias_limit(rai, 0) == pytest.approx(5 * 0.6007 / 2)


@pytest.mark.parametrize("bias", ["zeros", "constant", "random_normal", "random_uniform"])
def test_rai_leaves_no_choice_of_bias(bias):
    with pytest.raises(ValueError, match=f"bias initialiser is '{bias}'; .* 'default' for rai"):
        Initialiser("rai", bias=bias)


def of_rai(fan_in: int, fan_out: int, count: int) -> np.ndarray:
    """Return kernels and biases of units (units, in + 1), the bias last."""

    def one(key):
        pair = jax.random.fold_in(key, 0), jax.random.fold_in(key, 1)
        return initialisers.draw(Initialiser("rai"), pair, (fan_in, fan_out), 1.0, 1.0)

    kernels, biases = jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(3), count))
    both = np.concatenate([kernels, np.asarray(biases)[:, None]], axis=1)
    return np.moveaxis(both, 1, 2).reshape(-1, fan_in + 1).astype(float)


WIDE_IN, UNITS = 10_000, 1_000  # so many inputs that Gaussian entries are small


def test_exactly_one_entry_of_a_unit_is_from_beta():
    # Gaussians have a deviation of 0.006: none of 10^7 exceeds 0.06, and of the units
    # 0.06^2 = 0.36 % have their entry from Beta below that, where it is not seen.
    units = of_rai(WIDE_IN, 1, UNITS)
    large = units > 0.06
    assert not (units < -0.06).any()
    assert large.sum(axis=1).max() == 1
    seen = int(large.any(axis=1).sum())
    assert agrees(seen, UNITS, 1 - 0.06**2)
    assert false_pass(UNITS, 1 - 0.06**2, 0.95) < 1e-6, "one in twenty without"
    positive = units[large]
    assert stats.kstest(positive, lambda x: (x**2 - 0.06**2) / (1 - 0.06**2))[1] > FALSE_FAIL
    assert stats.kstest(positive, lambda x: (x - 0.06) / 0.94)[1] < FALSE_FAIL, "uniform"
    others = units[~large][:DRAWS]
    assert stats.kstest(others, stats.norm(0, 0.006007).cdf)[1] > FALSE_FAIL
    assert stats.kstest(others, stats.norm(0, 0.0064).cdf)[1] < FALSE_FAIL


@pytest.mark.parametrize("fan_in", [1, FAN_IN])
def test_an_entry_of_rai_is_a_mixture_and_the_place_is_uniform(fan_in):
    units = of_rai(fan_in, FAN_OUT, DRAWS // FAN_OUT)
    gauss, share = stats.norm(0, 0.6007 / np.sqrt(fan_in)), 1 / (fan_in + 1)

    def mixed(x, share=share):
        return share * np.clip(x, 0, 1) ** 2 + (1 - share) * gauss.cdf(x)

    for column in units.T:  # weights and the bias have one law
        assert stats.kstest(column, mixed)[1] > FALSE_FAIL
        assert stats.kstest(column, lambda x: mixed(x, 0.7 * share))[1] < FALSE_FAIL
    # Where the largest entry stands is where the one from Beta does, or one that all draw alike.
    places = units.argmax(axis=1)
    counts = np.bincount(places, minlength=fan_in + 1)
    assert uniform_p_value(counts) > FALSE_FAIL
    some = places[(places > 0) | (np.arange(len(places)) % 5 > 0)]
    assert uniform_p_value(np.bincount(some, minlength=fan_in + 1)) < FALSE_FAIL


def test_three_quarters_of_the_kernels_of_one_input_are_positive():
    units = of_rai(1, FAN_OUT, DRAWS // FAN_OUT)
    n = len(units)
    for column in units.T:
        assert agrees(int((column > 0).sum()), n, 0.75)
    both = int((units > 0).all(axis=1).sum())
    assert agrees(both, n, 0.5), "one of the two is positive for sure, the other at random"
    assert not agrees(both, n, 0.75**2), "what there were of independent entries"
    assert max(false_pass(n, 0.75, 0.75 + d) for d in (-0.03, 0.03)) < 1e-6


def test_rai_scales_kernel_and_bias_apart():
    pair = jax.random.key(0), jax.random.key(1)
    plain = initialisers.draw(Initialiser("rai"), pair, (3, 5), 1.0, 1.0)
    scaled = initialisers.draw(Initialiser("rai"), pair, (3, 5), -2.0, 0.5)
    assert np.array_equal(scaled[0], -2 * plain[0])
    assert np.array_equal(scaled[1], plain[1] / 2)
