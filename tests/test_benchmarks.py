"""Exact and rounding: what the benchmarks compare does the same work; no test looks at a clock.

The idiomatic program, the baseline, is retraced step by step; the FLOP formula is held against the
matrix products of a real gradient; the command is run once with the smallest plan there is.
"""

import dataclasses
import json
import subprocess
import sys
from contextlib import contextmanager
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import samples
from flax import nnx

import benchmarks.__main__ as command
from benchmarks import (
    cases,
    comparisons,
    devices,
    engine,
    flops,
    gpu,
    idiomatic,
    keras_loop,
    machine,
    report,
    timing,
    torch_ensemble,
)
from benchmarks.plan import FULL, QUICK, SHAPES, Plan, Shape
from jaxlab import (
    OUTCOMES,
    Network,
    Optimiser,
    Setting,
    Training,
    chunks,
    commandline,
    networks,
    training,
)

TINY = Plan(
    repetitions=2,
    members=16,
    epochs=3,
    idiomatic_epochs=2,
    keras_epochs=1,
    torch_epochs=1,
    shapes=(Shape((1, 2, 1), 32, engine=(4, 2), idiomatic=((2, 1),)),),
    scaling_repetitions=1,
    scaling_epochs=2,
    scaling_members=4,
    member_counts=(4, 300),
    hidden_units=(3,),
    depths=(1,),
    batch_sizes=(32,),
    memory_members=(4,),
)


def small(epochs: int = 5):
    """Return a setting of 40 rows in batches of 16, 16 and 8, trained as the baseline trains."""
    base = samples.setting(epochs=epochs)
    optimiser = Optimiser("adam", learning_rate=0.02, eps=1e-8)  # optax.adam's own epsilon
    return dataclasses.replace(base, training=Training(optimiser, batch_size=16, epochs=epochs))


def rows_of(setting):
    line = jnp.linspace(-1.0, 1.0, setting.task.rows)[:, None]
    return line, jnp.abs(line)


def packed(params) -> jax.Array:
    """Return the baseline's weights as jaxlab packs them."""
    layers = nnx.to_pure_dict(params)["layers"]
    return networks.pack([(layers[i]["kernel"], layers[i]["bias"]) for i in sorted(layers)])


def orders_of(setting, key) -> np.ndarray:
    """Return the orders (epochs, rows) that the baseline draws for one member."""
    keys = jax.random.split(jax.random.split(key)[1], setting.training.epochs)
    return np.stack([jax.random.permutation(k, setting.task.rows) for k in keys])


STEP = jax.jit(training.step, static_argnums=0)


def retraced(setting, key, orders: np.ndarray) -> np.ndarray:
    """Return the loss before every step (epochs, steps), trained batch by batch in jaxlab."""
    model = training.Model(setting.network, setting.training)
    numbers = {k: jnp.float32(v) for k, v in training.numbers_of(setting).items()}
    rows = jnp.concatenate(rows_of(setting), axis=1)
    first = nnx.Rngs(jax.random.split(key)[0])
    start = packed(nnx.state(idiomatic.MLP(setting.network.widths, first)))
    state = training.start(model, start, numbers)
    losses = []
    for order in orders:
        for batch in (order[:16], order[16:32], order[32:]):
            state, loss = STEP(model, state, rows[batch], numbers)
            losses.append(loss)
    return np.reshape(losses, (-1, 3))


def test_the_idiomatic_program_trains_every_batch_of_every_epoch():
    setting, keys = small(), jax.random.split(jax.random.key(3), 3)
    x, y = rows_of(setting)
    _, losses = jax.vmap(lambda key: idiomatic.fit(setting, x, y, key))(keys)
    assert losses.shape == (3, setting.training.epochs, 3)
    orders = [orders_of(setting, key) for key in keys]
    wanted = np.stack([retraced(setting, *pair) for pair in zip(keys, orders, strict=True)])
    np.testing.assert_allclose(losses, wanted, rtol=1e-4)
    other = retraced(setting, keys[0], orders[1])
    assert np.abs(other / wanted[0] - 1).min() > 1e-3, "another order would have been noticed"


def test_every_member_and_epoch_of_the_idiomatic_program_has_its_own_order():
    setting, keys = small(epochs=4), jax.random.split(jax.random.key(0), 3)
    orders = np.concatenate([orders_of(setting, key) for key in keys])
    assert len(np.unique(orders, axis=0)) == 12
    assert (np.sort(orders, axis=1) == np.arange(40)).all()


def test_the_idiomatic_program_learns_alike_on_one_device_and_on_two():
    setting, keys = small(epochs=100), jax.random.split(jax.random.key(0), 8)
    one, two = (idiomatic.program(setting, devices)(keys)[1] for devices in (1, 2))
    np.testing.assert_allclose(one, two, rtol=1e-3)
    # The zero function's loss is 1/3, that of the best constant, the worst end there is, 1/12.
    assert (np.asarray(one) < 1 / 6).all()


def test_all_count_the_same_steps():
    setting = small(epochs=5)
    assert idiomatic.contestant("idiomatic", setting, 7, 1).steps == 7 * 5 * 3
    assert engine.contestant("engine", setting, 7).steps == 7 * 5 * 3


def matrix_flop(jaxpr) -> int:
    """Return the multiplications and additions of all matrix products in a program."""
    total = 0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            left, out = equation.invars[0].aval.shape, equation.outvars[0].aval.shape
            total += 2 * int(np.prod(out) * np.prod([left[i] for i in contracted]))
        for inner in equation.params.values():
            total += matrix_flop(inner.jaxpr) if hasattr(inner, "jaxpr") else 0
    return total


@pytest.mark.parametrize("widths", [(1, 1), (1, 2, 1), (2, 3, 5, 3, 5, 1), (3, 20, 7, 2)])
def test_the_flop_formula_counts_the_products_of_a_gradient(widths):
    network = Network(widths, ("relu",) * (len(widths) - 2) + ("linear",))
    kernels = [jnp.ones(shape) for shape in pairwise(widths)]
    x, rows = jnp.ones((11, widths[0])), 11

    def loss(kernels):
        h = x
        for kernel in kernels[:-1]:
            h = jax.nn.relu(h @ kernel)
        return jnp.sum((h @ kernels[-1]) ** 2)

    counted = matrix_flop(jax.make_jaxpr(jax.grad(loss))(kernels).jaxpr)
    assert counted == rows * flops.per_row(network)


def test_the_flop_of_a_step_allow_for_the_smaller_last_batch():
    setting = cases.absolute_value(epochs=7)
    assert flops.per_step(setting) * 13 == pytest.approx(400 * 20)


# Keras 3.15 converts its variables in a way that numpy 2.4 calls deprecated.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize(
    ("make", "members"),
    [
        (lambda setting: keras_loop.contestant("Keras", setting), 1),
        (lambda setting: torch_ensemble.contestant("PyTorch", setting, 5), 5),
    ],
    ids=["Keras", "PyTorch"],
)
def test_other_libraries_make_all_steps_where_they_are_installed(make, members):
    contestant = make(cases.absolute_value(epochs=2))
    if contestant is None:
        pytest.skip("not installed")
    assert contestant.steps == members * 2 * 13
    contestant.run()


def test_contestants_take_turns_and_keep_every_value():
    order = []
    three = [
        timing.Contestant(name, lambda: None, lambda name=name: order.append(name), 10, {"a": 1})
        for name in "xyz"
    ]
    found = timing.alternate(three, 3)
    assert "".join(order) == "xyzzyxxyz"
    for measured in found.values():
        assert len(measured.values) == measured.to_json()["repetitions"] == 3
        assert measured.values == tuple(10 / s for s in measured.facts["seconds"])
        assert measured.to_json()["a"] == 1


def call(monkeypatch, *arguments: str) -> int:
    """Return the exit code of `python -m benchmarks` with these arguments."""
    monkeypatch.setattr(commandline, "use_all_cores", lambda: None)
    return samples.exit_code(monkeypatch, command.main, "benchmarks", *arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--quik"], "--quik"),
        (["surplus"], "surplus"),
        (["--quick", "--gpu"], "--gpu"),
        (["--gpu"], "no GPU"),
        (["--out", "file"], "file"),
    ],
)
def test_a_wrong_command_ends_with_one_line(arguments, said, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(command, "measure", None)
    monkeypatch.setattr(gpu, "measure", None)
    assert call(monkeypatch, *arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert said in printed.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_interrupted_run_says_so_and_writes_nothing(monkeypatch, capsys, tmp_path):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "sections", lambda plan: {"first": interrupted})
    assert call(monkeypatch, "--quick", "--out", str(tmp_path)) == 130
    assert capsys.readouterr().err.splitlines()[-1].endswith("stopped; nothing was written")
    assert list(tmp_path.iterdir()) == []


@contextmanager
def echo(devices: int, members: int, epochs: int):
    """Stand in for a worker: a process that answers, but trains nothing."""
    answer = json.dumps({"steps": devices, "run": [2.0, 1.0], "peak_bytes": 2**20})
    code = f"import sys\nwhile True: print('{answer}', flush=True); next(sys.stdin)"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True) as made:
        yield made
        made.kill()


def idle(name: str, setting: Setting, members: int, count: int) -> timing.Contestant:
    """Stand in for the idiomatic program, which takes long to compile: do nothing."""
    return timing.Contestant(name, lambda: None, lambda: None, members * setting.steps, {})


@pytest.fixture
def tiny(monkeypatch):
    """Make everything so small that only compiling takes time."""
    monkeypatch.setattr(command, "QUICK", TINY)
    monkeypatch.setattr(machine, "SIZES", (8, 16))
    monkeypatch.setattr(machine, "ENTRIES", 64)
    monkeypatch.setattr(devices, "worker", echo)
    monkeypatch.setattr(keras_loop, "find_spec", lambda name: None)
    monkeypatch.setattr(idiomatic, "contestant", idle)


def test_the_whole_command_writes_every_value_and_a_table(tiny, monkeypatch, capsys, tmp_path):
    assert call(monkeypatch, "--quick", "--out", str(tmp_path / "new")) == 0
    found = json.loads((tmp_path / "new" / "benchmarks.json").read_text())
    needed = {"ratios", "useful_flops_share_of_matmul", "useful_flops_formula", "machine"}
    assert needed | {"versions", "date", "command", "measurements"} <= set(found)
    ratios = found["ratios"]
    assert ratios["two_devices_vs_one"] == 2
    programs = ("idiomatic", "keras", "torch")
    keys = {f"engine_vs_{name}" for name in programs} | {"two_devices_vs_one"}
    keys |= {f"engine_vs_idiomatic_{shape.name}" for shape in SHAPES}
    assert keys <= set(ratios)
    assert all(value is None or value > 0 for value in ratios.values())
    assert ratios["engine_vs_idiomatic"] > 0
    assert ratios["engine_vs_idiomatic_1-128-1"] is None
    assert ratios["engine_vs_keras"] is None
    assert (ratios["engine_vs_torch"] is None) == (found["versions"]["torch"] is None)
    for section in found["measurements"].values():
        for measured in section:
            assert measured["unit"]
            assert len(measured["values"]) == measured["repetitions"] > 0
            assert measured["median"] == pytest.approx(np.median(measured["values"]))
    table = capsys.readouterr().out.split("\nwritten")[0]
    for section, measured in found["measurements"].items():
        assert section in table
        assert all(m["name"] in table for m in measured)


def test_the_table_has_80_columns():
    def measured(name: str, steps: int, **facts) -> timing.Measurement:
        return timing.timed(name, steps, facts, [timing.Run(1.0, 1.99)])

    names = [f"{comparisons.IDIOMATIC}, 4,096 members", comparisons.ENGINE]
    facts = {"useful_flop_per_step": 1e8, "members": 8, "compile_seconds": 12.34}
    facts |= {"training_only_ns_per_step": 1e6}
    rates = [timing.Measurement("matmul 4096", "GFLOP/s", (123.4,), {})]
    results = {
        "machine": rates,
        "|x|": [measured(name, 123, **facts) for name in names],
        "batch size": [measured("batches of 400", 987_654_321)],
        "CPU devices": [measured("one device", 1), measured("two devices", 2)],
        "machine again": rates,
    }
    machine_ = {"processor": "x", "cores": 2, "memory_gib": 24.0, "load_average_at_start": 0.5}
    lines = report.table(results, report.content(results, {"machine": machine_})).splitlines()
    assert max(map(len, lines)) == 80
    assert ["engine_vs_idiomatic", "1.0"] in [line.split() for line in lines]
    assert "useful arithmetic on |x|: 10.0 % of the matmul rate" in lines


def test_both_plans_hold_what_is_asked_for():
    for plan in (FULL, QUICK):
        assert plan.members == 4096
        assert plan.epochs == 1000
        assert plan.repetitions >= 3
    assert {100, 1000, 4096, 10_000, 100_000, 1_000_000} == set(FULL.member_counts)
    assert max(QUICK.member_counts) == 10_000


def test_a_worker_trains_when_told_to():
    (measured,) = devices.peak_memory((4,), cores=1)
    assert measured.facts["members"] == 4
    assert 2**30 > measured.median * 2**20 > 2**26


def test_a_worker_that_ends_early_is_reported():
    with (
        devices.worker(1, members=0, epochs=0) as process,
        pytest.raises(ValueError, match="early"),
    ):
        devices.read(process)


def test_gpu_runs_are_compared_bit_by_bit_and_seed_by_seed(monkeypatch, whole):
    monkeypatch.setattr(chunks, "CHUNK", 20)  # as in the folder
    monkeypatch.setattr(gpu, "MEMBERS", 20)
    monkeypatch.setattr(gpu, "LANES", (samples.LANES,))
    monkeypatch.setattr(gpu, "ON_CPU", whole)
    monkeypatch.setattr(cases, "absolute_value", lambda epochs: samples.setting())
    found, table = gpu.measure({})
    (row,) = found["lane_widths"]
    assert row["equal_bits"]
    assert len(row["seconds"]) == 3
    against = row["against_cpu"]
    assert (against["members"], against["different_outcomes"], against["mcnemar_p"]) == (20, 0, 1)
    assert "against the CPU" in table


def test_different_gpu_runs_are_told_apart(small_result):
    one = small_result.members["k=2"]
    changed = dataclasses.replace(one, loss=np.nextafter(one.loss, np.float32(np.inf)))
    assert gpu.equal_bits(one, dataclasses.replace(one))
    assert not gpu.equal_bits(one, changed)
    solved = np.full_like(one.outcome, OUTCOMES.index("solved"))
    found = gpu.agreement(one, dataclasses.replace(one, outcome=solved))
    assert found["gpu_failure_rate"] == 0
    assert found["different_outcomes"] == one.tally.failed > 0
    assert found["mcnemar_p"] < 0.05
