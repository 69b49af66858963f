"""Exact: how a setting trains, in theory's words."""

import dataclasses

import samples

from jaxlab import Optimiser, Training, conditions


def test_layers_that_learn_at_other_rates_are_not_plain():
    setting = dataclasses.replace(samples.setting(), training=Training(layer_rates=(0.0, 1.0)))
    assert conditions.trained_by(setting) == "keras_adam with layers of different rates"
    same = dataclasses.replace(samples.setting(), training=Training(layer_rates=(1.0, 1.0)))
    assert conditions.trained_by(same) == "keras_adam"


def test_what_is_not_plain_is_named():
    odd = Training(Optimiser("adam", schedule="cosine", clip_norm=1.0, b1=0.5), loss="mae")
    setting = dataclasses.replace(samples.setting(), training=odd)
    said = "adam with a cosine schedule with clipped gradients with the loss mae"
    assert conditions.trained_by(setting) == said
    assert conditions.trained_by(samples.setting()) == "keras_adam"
    found = conditions.conditions_of(setting, 3.0, 0.5)
    assert (found.optimiser, found.activation, found.steps) == (said, "relu", setting.steps)
    assert (found.input_limit, found.bias_limit, found.first_moment_decay) == (3.0, 0.5, 0.5)
