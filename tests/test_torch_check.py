"""Rounding: `python -m jaxlab check` in PyTorch itself, where installed."""

import alike
import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

from test_crosscheck import dying

from jaxlab.checking import crosscheck, frameworks


@pytest.mark.parametrize("name", alike.TORCH)
def test_pytorch_trains_every_part_alike(name):
    assert alike.difference("torch", alike.TORCH[name]) < alike.TOLERANCE


def test_another_rate_or_schedule_would_be_noticed():
    for name in ("clipped", "cosine", "adam"):
        case = alike.TORCH[name]
        assert alike.difference("torch", case, alike.altered(case)) > 10 * alike.TOLERANCE


def test_members_end_alike_and_the_dead_are_certified():
    found = crosscheck.check(dying(), 6, "torch")
    assert found.agree.all()
    assert "dead" in found.theirs.outcome
    assert np.nanmax(found.weight_differences) < 1e-3


def test_pytorch_can_shuffle_itself_and_does_so_alike_again():
    once, again = (crosscheck.check(dying(), [2, 3], "torch", order="own") for _ in range(2))
    assert once.theirs.loss.tolist() == again.theirs.loss.tolist()
    assert (once.theirs.loss != once.ours.loss).all()


def test_what_pytorch_does_otherwise_is_refused():
    with pytest.raises(ValueError, match="epsilon outside the root"):
        frameworks.opened("torch", alike.KERAS["rmsprop"])
