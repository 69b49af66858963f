"""Training as machine code for this processor, for the small networks that jaxlab is about.

XLA runs a training step as dozens of loops over arrays that do not fit into registers. Here the
same step, traced from the same Flax module and the same optax transform, becomes one function in
which a member never leaves the processor's registers. It is used on CPUs; elsewhere, and for large
networks, training is a program of XLA. Both agree to rounding.
"""

from jaxlab.native.calls import Trainer, laid_out
from jaxlab.native.choice import MACHINE_CODE, XLA, missing, path_of, trainer_for

__all__ = ["MACHINE_CODE", "XLA", "Trainer", "laid_out", "missing", "path_of", "trainer_for"]
