"""What should happen, worked out on paper: one file per mechanism, no training anywhere.

Nothing here imports the part of jaxlab that trains; laws of initial weights come in as
scipy.stats distributions, predictions go out as `Prediction` records.
"""

from jaxlab.theory import (
    absolute_value,
    absolute_value_predictions,
    baselines,
    born_dead,
    crossing,
    deep_narrow,
    doubling,
    doubling_fate,
    fate_predictions,
    flow,
    flow_predictions,
    joint_laws,
    lengths,
    momentum,
    momentum_predictions,
    negation,
    plateaus,
    registry,
    steps,
    units,
)
from jaxlab.theory.decoupling import Conditions
from jaxlab.theory.laws import Law, PointMass, is_symmetric, probability_smaller
from jaxlab.theory.prediction import KINDS, Prediction

__all__ = [
    "KINDS",
    "Conditions",
    "Law",
    "PointMass",
    "Prediction",
    "absolute_value",
    "absolute_value_predictions",
    "baselines",
    "born_dead",
    "crossing",
    "deep_narrow",
    "doubling",
    "doubling_fate",
    "fate_predictions",
    "flow",
    "flow_predictions",
    "is_symmetric",
    "joint_laws",
    "lengths",
    "momentum",
    "momentum_predictions",
    "negation",
    "plateaus",
    "probability_smaller",
    "registry",
    "steps",
    "units",
]
