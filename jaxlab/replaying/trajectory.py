"""One member of a sweep again, with its whole story: `jaxlab.replay`.

A member is fixed by its identity, so it can be trained once more with the same bits. That they are
the same is not taken for granted: every replay is held against the member itself.
"""

import base64
import dataclasses
import html
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np
from tqdm import tqdm

from jaxlab import chunks, engine, grouping, outcomes, store, surroundings, tasks, waiting
from jaxlab.provenance import differences, fingerprint
from jaxlab.result import Members
from jaxlab.runs import QUIET_SECONDS
from jaxlab.spec import Setting, Sweep

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOMENTS = 200  # at which a replay looks, unless told when
MOST_KEPT = 2**22  # weights kept of all moments together: 16 MiB
JUDGED = ("loss", "errors", "seen")  # what tells large networks from each other


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory:
    """A member from its initial weights to its end, as it was seen at some steps, the moments.

    member: what became of it, all that `jaxlab.run` says; lane_width: how many are trained side by
    side; same: whether this training ended in the same bits as that member's; checked: in words,
    with what it was compared.

    steps (moments,): updates made, from 0 to all; loss (moments,): training loss on all rows, in
    the units that the network sees; errors (moments, regions): relative error in each of `regions`;
    inputs (rows, in), targets (rows, out) and outputs (moments, rows, out): original units, at 1000
    rows at most; active (moments, units): at what share of all rows each unit answers above 0,
    layer by layer, the output layer last; sizes (moments, layers): root mean square of each kernel;
    weights (moments, parameters): packed, layer by layer kernel and bias; None of large networks;
    units (3, in + out): how rows of its own were scaled (see `jaxlab.scaling`); None if they are
    not its own.
    """

    sweep: str
    setting: Setting
    seed: int
    lane_width: int
    member: Members
    same: bool
    checked: str
    regions: tuple[str, ...]
    steps: np.ndarray
    loss: np.ndarray
    errors: np.ndarray
    inputs: np.ndarray
    targets: np.ndarray
    outputs: np.ndarray
    active: np.ndarray
    sizes: np.ndarray
    weights: np.ndarray | None = None
    units: np.ndarray | None = None

    @property
    def outcome(self) -> str:
        """What became of the member, by name."""
        return outcomes.OUTCOMES[int(self.member.outcome[0])]

    @property
    def first_solved(self) -> int:
        """Step of the first of its sweep's checks at which it was solved, -1 if at none."""
        return int(self.member.first_solved[0])

    @property
    def layers(self) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """Kernel (moments, in, out) and bias (moments, out) of every layer, None without biases.

        ValueError for a network so large that its weights were not kept, or a user's own module.
        """
        if self.setting.network.module:
            raise ValueError("a module of one's own has no layers that are known here")
        if self.weights is None:
            raise ValueError("the weights of so large a network are not kept; look at sizes")
        network, first, found = self.setting.network, 0, []
        for fan_in, fan_out in zip(network.widths, network.widths[1:], strict=False):
            last = first + fan_in * fan_out
            kernel = self.weights[:, first:last].reshape(-1, fan_in, fan_out)
            first = last + fan_out * network.use_bias
            found.append((kernel, self.weights[:, last:first] if network.use_bias else None))
        return found

    def draw(self) -> "Figure":
        """Return its story as a figure."""
        from jaxlab.replaying import story  # matplotlib takes a second to import

        return story.figure([self])

    def __str__(self) -> str:
        """Tell its story as text of at most 80 columns."""
        from jaxlab.replaying import telling

        return telling.text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Show text and figure in a notebook."""
        from jaxlab import pictures

        picture = base64.b64encode(pictures.as_bytes(self.draw(), "png")).decode()
        text = html.escape(str(self))
        name = html.escape(f"{self.setting.name}, seed {self.seed}: {self.outcome}")
        image = f'<img alt="{name}" style="max-width: 100%" src="data:image/png;base64,{picture}">'
        return f"<pre>{text}</pre>{image}"


@surroundings.front_door
def replay(
    sweep: Sweep,
    setting: str,
    seed: int,
    *,
    lane_width: int | None = None,
    moments: int | Sequence[int] = MOMENTS,
    results: str | Path | None = None,
    progress: bool = False,
) -> Trajectory:
    """Train one member of a sweep again, and record how it became what it is.

    `moments` is at how many steps it is looked at, about, dense at the beginning; or these steps
    themselves, to which the first and the last are added. `results` is a folder of the sweep: its
    lane width is taken and, if it holds the seed, its member is what this one is compared with;
    else the member is trained as `jaxlab.run` does. ValueError for a setting that is not there, or
    a wrong number, `jaxlab.ResultsError` for a folder that holds something else.
    """
    names = [one.name for one in sweep.settings]
    if setting not in names:
        raise ValueError(f"setting is {setting!r}; it must be one of {', '.join(names)}")
    (seed,) = grouping.check_seeds([seed]).tolist()
    if lane_width is not None and lane_width < 1:
        raise ValueError(f"lane_width is {lane_width}; it must be at least 1")
    alone = Sweep(sweep.name, (sweep[setting],), sweep.paired)
    steps = _moments(moments, sweep[setting].steps)
    folder = None if results is None else _folder(Path(results), alone, lane_width)
    lanes = lane_width if folder is None else folder.identity["lane_widths"][setting]
    (group,) = grouping.groups(alone, lanes)
    runner = waiting.call(partial(engine.Runner, paired=sweep.paired), group)
    given, seen = waiting.call(engine.follow, runner, 0, seed, steps)
    weights, looks = _recorded(seen, steps, sweep[setting].network.parameters, progress)
    member, same, checked = _compared(runner, folder, seed, weights)
    found = {name: np.stack([one[name] for one in looks]) for name in looks[0]}
    return Trajectory(
        sweep=sweep.name,
        setting=sweep[setting],
        seed=seed,
        lane_width=group.lanes,
        member=member,
        same=same,
        checked=checked,
        regions=tuple(tasks.definition(sweep[setting].task).regions(jnp.asarray(given["inputs"]))),
        steps=np.array(steps),
        weights=np.stack(weights) if len(weights) == len(steps) else None,
        **given,
        **found | {"active": found["active"] / sweep[setting].task.rows},
    )


def _moments(moments: int | Sequence[int], total: int) -> list[int]:
    """Return the steps to look at: ascending, the first and the last among them."""
    if isinstance(moments, int | np.integer):
        if moments < 2:
            raise ValueError(f"moments is {moments}; it must be at least 2, or a list of steps")
        few = range(total + 1) if total < moments else np.geomspace(1, total, int(moments)).round()
        return sorted({0, total, *map(int, few)})
    wrong = [m for m in moments if not isinstance(m, int | np.integer) or not 0 <= m <= total]
    if wrong:
        raise ValueError(f"a moment is {wrong[0]!r}; it must be a step from 0 to {total}")
    return sorted({0, total, *map(int, moments)})


def _folder(path: Path, alone: Sweep, lane_width: int | None) -> store.Folder:
    """Return a folder of results with this setting's identity; ResultsError if it has another."""
    (setting,) = alone.settings
    recorded = store.read_folder(path).identity["lane_widths"].get(setting.name)
    lanes = lane_width or recorded or grouping.lane_width(setting)
    folder = store.Folder(path, alone, store.identity_of(alone, {setting.name: lanes}), mix=True)
    folder.check()
    return folder


def _recorded(
    seen: Iterator[tuple[np.ndarray, engine.Arrays]],
    steps: Sequence[int],
    parameters: int,
    progress: bool,
) -> tuple[list[np.ndarray], list[engine.Arrays]]:
    """Train to the end; return the weights, only the last of large networks, and the looks."""
    weights: list[np.ndarray] = []
    looks: list[engine.Arrays] = []
    bar = {"total": steps[-1], "unit": " steps", "desc": "replay", "delay": QUIET_SECONDS}
    hidden = None if progress else True  # None: shown on a terminal only
    with tqdm(**bar, disable=hidden, leave=False, ncols=79, file=sys.stderr) as shown:
        for end in steps:
            now, look = waiting.call(seen.__next__)
            if parameters * len(steps) > MOST_KEPT:
                weights.clear()
            weights.append(now)
            looks.append(look)
            shown.update(end - shown.n)
    return weights, looks


def _compared(
    runner: engine.Runner, folder: store.Folder | None, seed: int, weights: list[np.ndarray]
) -> tuple[Members, bool, str]:
    """Return the member itself, whether its training ended in these weights, and that in words."""
    kept, by = (None, {}) if folder is None else _kept(folder, seed)
    elsewhere = "" if kept is None else differences(by, fingerprint())
    if folder is not None and kept is not None and not elsewhere:
        same = _is_same(runner, kept, seed, weights)
        return kept, same, _in_words(same, f"in {folder.path}")
    found = waiting.call(runner, np.zeros(1, int), np.array([seed]))
    member = Members(np.array([seed]), **found)
    same = _is_same(runner, member, seed, weights)
    checked = _in_words(same, "jaxlab.run trains it")
    if folder is not None and kept is not None:
        checked += f"; {folder.path} was made elsewhere ({elsewhere}), last bits may differ: "
        checked += f"there it ended as {kept.names[0]}"
    return member, same, checked


def _kept(folder: store.Folder, seed: int) -> tuple[Members | None, Mapping[str, str]]:
    """Return a folder's member of this seed and the fingerprint of who trained it, if it has it."""
    (setting,) = folder.sweep.settings
    for path in folder.chunks.paths(setting).get(seed // chunks.CHUNK, []):
        arrays = folder.chunks.read(path, setting)
        if seed in arrays["seeds"]:
            return Members(**arrays).of(np.array([seed])), folder.chunks.made_by(path)
    return None, {}


def _is_same(runner: engine.Runner, member: Members, seed: int, weights: list[np.ndarray]) -> bool:
    """Say whether a member ended in the last of these weights, to the last bit.

    Where a member's weights are not kept, what they answer is compared, by the same program.
    """
    if member.final_weights is not None:
        return member.final_weights[0].tobytes() == weights[-1].tobytes()
    untrained = dataclasses.replace(runner.group.schedule, travel=0)
    untrained = dataclasses.replace(untrained, checks=(0,) * len(untrained.checks))
    there = np.zeros(1, int), np.array([seed])
    found = runner(*there, schedule=untrained, weights=weights[-1][:, None])
    return all(found[name].tobytes() == getattr(member, name).tobytes() for name in JUDGED)


def _in_words(same: bool, whose: str) -> str:
    if same:
        return f"the same, bit for bit, as {whose}"
    return f"not the bits of what {whose}: another training of the same network"
