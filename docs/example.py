"""jaxlab in cells: run as a script (python -m docs.example), or cell by cell in an editor.

In a notebook a cell that ends with `result` or `one` shows table and figure.
"""

# %% A question: how often do a few tanh units learn a bump?
from pathlib import Path

import numpy as np

import jaxlab
from jaxlab import Network, Optimiser, Setting, Sweep, Training, own_tasks

OUT = Path("results/example")
OUT.mkdir(parents=True, exist_ok=True)

x = np.linspace(-3, 3, 200)
bump = own_tasks.from_arrays("bump", x, np.exp(-(x**2)))
training = Training(Optimiser("adam", 0.01), epochs=200)

# %% Train 1,000 seeds of three widths, and count
settings = [
    Setting(f"{k} units", bump, Network((1, k, 1), ("tanh", "linear")), training=training)
    for k in (2, 3, 4)
]
sweep = Sweep("bump", settings)
result = jaxlab.run(sweep, seeds=1000)
print(result)

# %% What it means, and what it looks like
for sentence in jaxlab.answer.sentences(result):
    print(sentence)
result.draw().savefig(OUT / "outcomes.png")

# %% One that fails
failed = [c for c in jaxlab.OUTCOMES if c != "solved" and result.tally()["2 units"].counts[c]]
seed = int(result.seeds("2 units", failed[0])[0])
one = jaxlab.replay(sweep, "2 units", seed)
print(one)
one.draw().savefig(OUT / "one.png")

# %% Does more time help? Measure it
longer = jaxlab.variants.vary(settings[0], "2 units, 800 epochs", epochs=800)
print(jaxlab.run(Sweep("longer", [longer]), seeds=1000))
