"""Exact: the story as text: every clause true of the weights it is told of, 80 columns at most."""

import dataclasses

import numpy as np
import samples
import stories

from jaxlab import Network
from jaxlab.replaying import telling


def said(trajectory) -> str:
    return " ".join(telling.why(trajectory))


def test_the_story_names_the_member_its_units_and_what_it_was_compared_with():
    lines = telling.text(stories.DYING).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "small: k=2, seed 0: right_only"
    assert "Unit 2 fell silent by step 10; 1 is active to the end." in lines
    (first,) = [line.split() for line in lines if line.startswith("1  ")]
    (second,) = [line.split() for line in lines if line.startswith("2  ")]
    assert first == ["1", "1", "1", "0", "0.5", "1", "50.0", "50.0", "-"]
    assert second == ["2", "-0.5", "0", "-0.2", "-1", "-0.8", "50.0", "0.0", "10"]
    assert "the same, bit for bit, as jaxlab.run trains it" in " ".join(lines)


def test_a_flat_side_is_told_only_where_the_output_is_flat():
    assert "On the left the output is 0 at all rows, whatever the input." in said(stories.DYING)
    sloping = stories.told("right_only", [[1.0, -1.0]] * 2, [[1.0, 0.3]] * 2)
    assert "whatever the input" not in said(sloping)


def test_success_is_told_with_its_step():
    member = dataclasses.replace(stories.DYING.member, first_solved=np.array([12]))
    lost = dataclasses.replace(stories.DYING, member=member)
    assert "It was fitted at the check after step 12, but not at the end." in said(lost)


def test_who_was_born_dead_is_told_so():
    born = samples.members(["dead"], born_dead=np.array([True]))
    dead = stories.told("dead", [[-1.0]] * 2, [[-1.0]] * 2, [[-2.0]] * 2)
    text = said(dataclasses.replace(dead, member=born))
    assert "It was born so. The unit was active on no row at any step." in text


def test_many_units_are_counted_and_layers_named():
    kernels = np.ones((2, 6))
    kernels[1, :4] = 0
    text = said(stories.told("other", kernels, np.ones((2, 6))))
    assert "4 of 6 units fell silent, the last by step 1; 2 are active to the end." in text
    deep = dataclasses.replace(
        samples.setting(),
        network=Network((1, 1, 1, 1), ("relu", "relu", "linear")),
        initialisers=samples.setting().initialisers[:1],
    )
    text = said(dataclasses.replace(stories.DYING, setting=deep, weights=None))
    assert "Layer 1: the unit is active to the end. Layer 2: unit 1 fell silent" in text


def test_leaky_units_and_broken_numbers():
    leaky = Network((1, 2, 1), ("leaky_relu", "linear"))
    setting = dataclasses.replace(samples.setting(), network=leaky)
    assert "No unit can die" in said(dataclasses.replace(stories.DYING, setting=setting))
    loss = np.array([1.0, 2.0, np.inf, np.nan])
    assert "not finite from step 10 on" in said(dataclasses.replace(stories.DYING, loss=loss))


def test_a_shut_output_is_told():
    shut = dataclasses.replace(samples.setting(k=1), network=Network((1, 1, 1), ("relu", "relu")))
    dead = stories.told("dead", [[1.0]] * 2, [[1.0], [-1.0]], setting=shut)
    assert "The output's ReLU is shut on every row from step 1 on." in said(dead)


def test_a_table_of_too_many_units_is_left_out():
    many = stories.told("other", np.ones((2, 20)), np.ones((2, 20)))
    assert telling.table(many) == ""
    assert "All 20 units are active to the end." in telling.text(many)
