"""jaxlab trains thousands of tiny networks over seeds, names what became of each, and counts.

(The name is one letter from jaxlib, which is JAX's compiled half and another thing.)
"""

from jaxlab import (
    advice,
    answer,
    compare,
    modules,
    optimisers,
    own_tasks,
    paper_tasks,
    tally,
    tasks,
    theory,
    variants,
)
from jaxlab.outcomes import OUTCOMES
from jaxlab.replaying.trajectory import Trajectory, replay
from jaxlab.result import Result
from jaxlab.runs import run
from jaxlab.sealed import ResultsError
from jaxlab.spec import (
    Initialiser,
    Network,
    Optimiser,
    Scaling,
    Setting,
    Sweep,
    Task,
    Training,
)

__all__ = [
    "OUTCOMES",
    "Initialiser",
    "Network",
    "Optimiser",
    "Result",
    "ResultsError",
    "Scaling",
    "Setting",
    "Sweep",
    "Task",
    "Training",
    "Trajectory",
    "advice",
    "answer",
    "compare",
    "modules",
    "optimisers",
    "own_tasks",
    "paper_tasks",
    "replay",
    "run",
    "tally",
    "tasks",
    "theory",
    "variants",
]
