"""Exact: a stand-in for a framework is fed, judged and compared as jaxlab's own members are.

The stand-in trains by `jaxlab.training`, one batch at a time, so that everything around it is
tested without any framework: weights, rows, batches, the certificate of death and the outcome.
"""

import dataclasses
from functools import cache, partial
from itertools import islice

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import samples

import jaxlab.__main__ as command
from jaxlab import (
    Initialiser,
    Network,
    Optimiser,
    Scaling,
    Setting,
    Training,
    networks,
    optimisers,
    tasks,
    training,
)
from jaxlab.checking import crosscheck, frameworks
from jaxlab.checking.agreement import Agreement, Ends
from jaxlab.tools import check as tool

ROUNDING = 2e-4  # float32, some hundred steps of two programs


@cache
def compiled(model: training.Model):
    return jax.jit(partial(training.step, model))


class StandIn:
    """A framework that shuffles by reversing the rows, and can forget a step."""

    versions = {"stand-in": "1"}  # noqa: RUF012
    forgets = False

    def __init__(self, setting: Setting):
        self.setting = setting
        self.model, self.numbers = crosscheck._model(setting)
        self.one_step = compiled(self.model)

    def begin(self, layers, rows, seed):  # noqa: D102
        pairs = [(jnp.asarray(k), None if b is None else jnp.asarray(b)) for k, b in layers]
        self.state = training.start(self.model, networks.pack(pairs), self.numbers)
        self.rows, self.left_out = rows, self.forgets

    def train(self, steps, batches):  # noqa: D102
        if batches is None:
            size = self.setting.training.batch_size or len(self.rows)
            backwards = np.arange(len(self.rows))[::-1]
            own = np.split(backwards, range(size, len(backwards), size))
            batches = (own[i % len(own)] for i in range(steps))
        for some in islice(batches, steps):
            if self.left_out:
                self.left_out = False
                continue
            self.state, _ = self.one_step(self.state, self.rows[some], self.numbers)

    def weights(self):  # noqa: D102
        layers = networks.unpack(self.setting.network, self.state.weights)
        return [(np.asarray(k), None if b is None else np.asarray(b)) for k, b in layers]

    def outputs(self):  # noqa: D102
        inputs = jnp.asarray(self.rows[:, : self.model.inputs])
        return np.asarray(training.predict(self.model, self.state.weights, inputs, self.numbers))


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setattr(frameworks, "opened", lambda name, setting: StandIn(setting))


def dying(optimiser: str = "keras_adam") -> Setting:
    """Return networks with scaled rows of their own, of which some are dead and some will die."""
    task = tasks.of_integers("sum", 20, 0, 9, scaling=Scaling("standard", "unit"))
    network = Network((2, 2, 1), ("relu", "relu"))
    train = Training(Optimiser(optimiser, 0.05), loss="huber", batch_size=8, epochs=20)
    return Setting("dying", task, network, (Initialiser("random_normal", 0.5),), train)


@pytest.fixture(scope="module")
def same() -> Agreement:
    """Return ten seeds in jaxlab and in the stand-in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frameworks, "opened", lambda name, setting: StandIn(setting))
        return crosscheck.check(dying(), 10, "stand-in")


def test_the_same_training_gives_the_same_members(same):
    assert same.agree.all()
    assert same.only == (0, 0)
    assert np.nanmax(same.weight_differences) < ROUNDING
    assert same.theirs.loss == pytest.approx(same.ours.loss, rel=0.01, abs=1e-5)
    assert same.theirs.error == pytest.approx(same.ours.error, rel=0.01, abs=1e-3)
    outcomes = set(same.ours.outcome.tolist())
    assert "dead" in outcomes
    assert len(outcomes) > 1  # else that they agree would say little


def test_momentum_is_spent_in_as_many_steps_as_it_takes():
    assert sum(crosscheck._coasting(175)) == 175
    assert list(crosscheck._coasting(0)) == []


def test_who_would_move_again_is_not_dead():
    setting = dying()
    dead = np.array([0, 0, 0, 0, -1, -1, 1, 1, 0], np.float32)  # kernel, biases, kernel, bias
    alive = np.abs(dead)
    rows = np.random.default_rng(0).normal(0, 1, (20, 3, 2)).astype(np.float32)

    def told(*looks):
        answer = rows[:, 2:, 0]
        return crosscheck._Told(answer, answer, answer, looks[0], np.array(looks))

    cases = [told(dead, dead, dead), told(dead, alive, dead)]
    assert crosscheck._silent(setting, {"rows": rows}, cases).tolist() == [True, False]


@pytest.mark.parametrize(("optimiser", "certifiable"), [("adamw", False), ("sgd", True)])
def test_no_death_is_certified_where_momentum_is_never_spent(optimiser, certifiable):
    setting = dying(optimiser)
    decaying = dataclasses.replace(setting.training.optimiser, weight_decay=0.01)
    train = dataclasses.replace(setting.training, optimiser=decaying, epochs=1)
    setting = dataclasses.replace(setting, training=train)
    drawn = {
        "weights": np.array([0, 0, 0, 0, -1, -1, 1, 1, 0], np.float32),
        "order": np.array([1, 2], np.uint32),
        "rows": np.ones((20, 3), np.float32),
    }
    found = crosscheck._train(StandIn(setting), setting, "same", 0, drawn)
    assert (len(found.looks) > 0) == certifiable


@pytest.mark.parametrize("how", [pytest.param("own", marks=pytest.mark.slow), "forgets"])
def test_another_training_is_noticed(how, stand_in, monkeypatch):
    # Negative control: rows in another order, or a single step left out.
    monkeypatch.setattr(StandIn, "forgets", how == "forgets")
    order = "own" if how == "own" else "same"
    found = crosscheck.check(dying(), 4, "stand-in", order=order)
    assert found.weight_differences.max() > 10 * ROUNDING


def test_pairs_and_lists_of_seeds_are_those_of_the_sweep(same, stand_in):
    paired = crosscheck.check(dying(), [7, 3], "stand-in", paired=True)
    assert paired.seeds.tolist() == [3, 7]
    assert paired.agree.all()
    assert (paired.ours.weights != same.ours.weights[[3, 7]]).any()


def test_batches_are_whole_epochs_in_jaxlabs_orders():
    setting = samples.setting(batch_size=16)
    batches = crosscheck.jaxlab_batches(setting, np.array([1, 2], np.uint32))
    for _ in range(30):  # more epochs than are drawn at once
        epoch = list(islice(batches, 3))
        assert [len(some) for some in epoch] == [16, 16, 8]
        assert sorted(np.concatenate(epoch).tolist()) == list(range(40))
    whole = crosscheck.jaxlab_batches(samples.setting(batch_size=0), np.array([1, 2], np.uint32))
    assert len(next(whole)) == 40


def agreement(ours: list[str], theirs: list[str], weights: bool = True) -> Agreement:
    """Return an agreement of members 0, 1, ... whose weights are apart by a tenth."""
    n = len(ours)

    def ends(names, value):
        kept = np.full((n, 2), value) if weights else None
        return Ends(np.array(names), np.full(n, value), np.full(n, value), kept)

    seeds, versions = np.arange(n), {"keras": "3", "jaxlab": "0"}
    both = ends(ours, 1.0), ends(theirs, 0.9)
    return Agreement("k=2", "keras", "same", seeds, *both, versions, "2026-11-22")


def test_counts_and_intervals_of_an_agreement():
    found = agreement(["solved", "solved", "dead", "other"], ["solved", "dead", "dead", "solved"])
    assert found.agree.tolist() == [True, False, True, False]
    assert found.only == (1, 1)
    assert found.p_value == 1
    assert found.interval.low == pytest.approx(0.0676, abs=1e-4)  # Clopper-Pearson, 2 of 4
    assert found.difference.low == -found.difference.high
    assert found.loss_differences == pytest.approx(0.1)
    assert found.weight_differences == pytest.approx(0.1)
    assert [row["agree"] for row in found.rows()] == ["yes", "no", "yes", "no"]
    assert list(found.rows()[0]) != []
    assert set(found.rows()[0]) == set(tool.COLUMNS)


@pytest.mark.parametrize("weights", [True, False])
def test_the_table_fits_80_columns_and_says_what_disagrees(weights):
    said = tool.described(agreement(["solved"] * 50, ["solved"] * 49 + ["right_only"], weights))
    assert max(map(len, said.splitlines())) <= 80
    assert said.count(" NO ") == 1
    assert "49 members that agree are left out" in said
    assert "49 of 50 agree: 98.0 %" in said
    assert "In order" not in said
    assert "two programs round differently" in said
    assert "left out" not in tool.described(agreement(["dead"] * 3, ["dead"] * 3))


def test_settings_named_and_not_named():
    one, two = samples.setting("one", 1), samples.setting("two", 2)
    sweep = samples.sweep(one, two, samples.setting("three", 3))
    assert tool.settings(sweep, None) == [two]
    assert tool.settings(samples.sweep(one), None) == [one]
    assert tool.settings(sweep, ["three", "one", "three"]) == [sweep["three"], one]
    with pytest.raises(ValueError, match="no setting 'four' in sweep small; there are: one, two"):
        tool.settings(sweep, ["four"])


def test_the_command_prints_and_writes_its_table(whole, tmp_path, stand_in, monkeypatch, capsys):
    monkeypatch.setattr(frameworks, "NAMES", ("keras", "torch"))
    monkeypatch.setattr(StandIn, "versions", {"keras": "0"})
    file = tmp_path / "check.csv"
    line = ["jaxlab", "check", str(whole), "--seeds", "3", "--setting", "fast", "--out", str(file)]
    for _ in range(2):  # its own table may be written again
        assert samples.exit_code(monkeypatch, command.call, *line) == 0
    said = capsys.readouterr()
    assert "'fast' in jaxlab and in keras" in said.out
    assert "3 of 3 agree" in said.out
    assert said.err == ""  # no progress where there is no terminal
    assert len(file.read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["nothing"], "no sweep is called 'nothing'"),
        (["WHOLE", "--setting", "x"], "no setting 'x'"),
        (["WHOLE", "--seeds", "2", "--first-seed", "4294967295"], "last seed would be"),
        (["WHOLE", "--framework", "theano"], "invalid choice"),
        (["WHOLE", "--out", "precious"], "is no table of this tool"),
        (["WHOLE", "--out", "none/check.csv"], "is no file in a folder that there is"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    line, message, whole, tmp_path, stand_in, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "precious").write_text("precious")
    words = [str(whole) if word == "WHOLE" else word for word in line]
    assert samples.exit_code(monkeypatch, command.call, "jaxlab", "check", *words) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_framework_that_is_not_there_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(frameworks, "find_spec", lambda name: None)
    for name, remedy in frameworks.INSTALL.items():
        with pytest.raises(ValueError, match="is not installed here") as said:
            frameworks.opened(name, samples.setting())
        assert remedy in str(said.value)
    with pytest.raises(ValueError, match="one of keras, torch"):
        frameworks.opened("theano", samples.setting())
    with pytest.raises(ValueError, match="order is 'any'"):
        crosscheck.check(samples.setting(), 2, order="any")


def test_an_optimiser_of_ones_own_is_refused(monkeypatch):
    monkeypatch.setattr(frameworks, "find_spec", lambda name: True)
    own = optimisers.define("mine", lambda rate: None)  # pyright: ignore
    setting = dataclasses.replace(samples.setting(), training=Training(own))
    with pytest.raises(ValueError, match="an optax transform of one's own"):
        frameworks.opened("keras", setting)
