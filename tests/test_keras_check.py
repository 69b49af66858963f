"""Rounding: `python -m jaxlab check` in Keras itself (extra `check`), where installed."""

import os

import alike
import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
pytest.importorskip("keras", reason="the extra `check` is not installed")

from test_crosscheck import dying

from jaxlab.checking import crosscheck, frameworks

# Keras 3.15 converts its variables in a way that numpy 2.4 calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


# Each compiles two programs of Keras; all of them take a minute.
QUICK = list(alike.KERAS)[::3]
REST = [pytest.param(n, marks=pytest.mark.slow) for n in alike.KERAS if n not in QUICK]


@pytest.mark.parametrize("name", [*QUICK, *REST])
def test_keras_trains_every_part_alike(name):
    assert alike.difference("keras", alike.KERAS[name]) < alike.TOLERANCE


def test_another_rate_or_schedule_would_be_noticed():
    for name in ("clipped", "cosine"):
        case = alike.KERAS[name]
        assert alike.difference("keras", case, alike.altered(case)) > 10 * alike.TOLERANCE


def test_members_end_alike_and_the_dead_are_certified():
    found = crosscheck.check(dying(), 6, "keras")
    assert found.agree.all()
    assert "dead" in found.theirs.outcome
    assert np.nanmax(found.weight_differences) < 1e-3
    assert set(found.versions) >= {"keras", "keras backend", "jaxlab"}


def test_keras_can_shuffle_itself_and_does_so_alike_again():
    once, again = (crosscheck.check(dying(), [2, 3], "keras", order="own") for _ in range(2))
    assert once.theirs.loss.tolist() == again.theirs.loss.tolist()
    assert (once.theirs.loss != once.ours.loss).all()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("adam", "epsilon inside the bias correction"),
        ("layer rates", "no layer rates"),
        ("momentum, warm_up", "a schedule acts later"),
    ],
)
def test_what_keras_does_otherwise_is_refused(name, message):
    with pytest.raises(ValueError, match=message):
        frameworks.opened("keras", alike.TORCH[name])
