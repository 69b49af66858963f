"""What others counted or said of the networks that are trained here, with where they said it.

Papers and a repository counted 50 to 1,000 networks a setting, a forum named a few. `rate` is what
was published; `count` is there where it follows from rate and n, `relation` says how exactly the
rate is known, and `setting` is the name of the same network in this package's `sweep`.
"""

from dataclasses import dataclass, replace

from sweeps import dying_relu, trainability

RELATIONS = ("=", ">", "<", "about")
EVENTS = ("collapsed", "training_succeeds", "dead", "born_dead")
LU = "Lu, Shin, Su and Karniadakis 2019"
XOR = "repository tr_xor, 2025"
FORUM = "forum"
LU_NETWORKS = 1000


@dataclass(frozen=True)
class Published:
    """One published frequency: an `event` in a `setting` of a `sweep`, and who counted it."""

    source: str
    sweep: str
    setting: str
    event: str
    count: int | None
    n: int | None
    rate: float
    relation: str = "="
    note: str = ""

    def __post_init__(self):
        for field, known in (("relation", RELATIONS), ("event", EVENTS)):
            if getattr(self, field) not in known:
                text = f"{field} is {getattr(self, field)!r}; it must be one of {', '.join(known)}"
                raise ValueError(text)
        if not 0 <= self.rate <= 1:
            raise ValueError(f"rate is {self.rate!r}; it must lie in [0, 1]")
        if self.count is not None and (self.n is None or self.rate != self.count / self.n):
            raise ValueError(f"rate is {self.rate!r}; it must be count/n, {self.count}/{self.n}")
        if (self.count is None) == (self.relation == "="):
            raise ValueError(f"relation is {self.relation!r}; '=' needs a count, the others none")


def of(sweep: str) -> tuple[Published, ...]:
    """Return what is published of the settings of a sweep."""
    return tuple(published for published in PUBLISHED if published.sweep == sweep)


def _collapse(target: str, law: str, per_mille: int) -> Published:
    setting = dying_relu.name_of(target, law)
    rate = per_mille / LU_NETWORKS
    return Published(LU, "dying_relu", setting, "collapsed", per_mille, LU_NETWORKS, rate)


def _about(width: int, rate: float, relation: str, note: str) -> Published:
    setting = dying_relu.name_of("absolute_value", "He", width=width)
    n = LU_NETWORKS
    return Published(LU, "dying_relu", setting, "collapsed", None, n, rate, relation, note)


def _perhaps_born(width: int, rate: float, relation: str) -> Published:
    return replace(
        _about(width, rate, relation, "the same, if births were meant"), event="born_dead"
    )


def _success(setting: str, count: int) -> Published:
    return Published(XOR, "trainability", setting, "training_succeeds", count, 50, count / 50)


PUBLISHED: tuple[Published, ...] = (
    _about(2, 0.9, ">", "more than 90 %"),
    _about(3, 0.6, "about", "about 60 %"),
    _about(5, 0.1, ">", "more than 10 %"),
    _about(10, 0.01, "<", "below 1 %; not trained here"),
    _perhaps_born(3, 0.6, "about"),
    _perhaps_born(5, 0.1, ">"),
    _collapse("sine", "He", 919),
    _collapse("sine", "RAI", 292),
    _collapse("step_and_sine", "He", 938),
    _collapse("step_and_sine", "RAI", 326),
    _collapse("folded_plane", "He", 768),
    _collapse("folded_plane", "RAI", 96),
    _success(trainability.xor_name("N(0, 1/2)"), 29),
    _success(trainability.xor_name("Kaiming normal"), 24),
    _success(trainability.leaky_name(0.8), 44),
    _success(trainability.leaky_name(0.1), 47),
    _success(trainability.leaky_name(0.01), 38),
    _success(trainability.ELU, 48),
    Published(
        *(FORUM, "trainability", trainability.FORUM, "dead", None, 10, 0.65, "about"),
        note="6 or 7 times of 10",
    ),
)
