"""How a setting trains, in the words in which theory states its assumptions."""

from jaxlab.spec import Setting
from jaxlab.theory.decoupling import Conditions


def trained_by(setting: Setting) -> str:
    """Return the optimiser's name, and what is not plain about the training."""
    training = setting.training
    optimiser, extra = training.optimiser, []
    if optimiser.schedule != "constant":
        extra.append(f"a {optimiser.schedule} schedule")
    if optimiser.clip_norm > 0:
        extra.append("clipped gradients")
    if training.loss != "mse":
        extra.append(f"the loss {training.loss}")
    if any(rate != 1 for rate in training.layer_rates):
        extra.append("layers of different rates")
    return " with ".join([optimiser.name, *extra])


def conditions_of(setting: Setting, input_limit: float, bias_limit: float) -> Conditions:
    """Return how a setting trains on inputs and initial biases of at most these sizes."""
    optimiser = setting.training.optimiser
    return Conditions(
        steps=setting.steps,
        learning_rate=optimiser.learning_rate,
        first_moment_decay=optimiser.b1,
        optimiser=trained_by(setting),
        activation=setting.network.activations[0],
        input_limit=input_limit,
        bias_limit=bias_limit,
    )
