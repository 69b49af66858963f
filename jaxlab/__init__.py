"""jaxlab trains thousands of tiny networks over seeds, names what became of each, and counts.

(The name is one letter from jaxlib, which is JAX's compiled half and another thing.)
"""

from jaxlab import compare, paper_tasks, tally, tasks, theory
from jaxlab.outcomes import OUTCOMES
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
    "compare",
    "paper_tasks",
    "run",
    "tally",
    "tasks",
    "theory",
]
