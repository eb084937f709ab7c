"""What parts of a mission take, and how that adds up: one after the other, at once, one or the other. Pure.

The other half is `estimate.py`, which knows what each kind of step takes.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import timedelta
from math import inf

from contracts.base import Message

EVENTS_OF_A_TASK = 3
"""A workflow task is scheduled, started, completed."""


@dataclass(frozen=True)
class Cost:
    """What something takes. `marks` are events beside those of workflow tasks; `wait` is seconds at gates.

    `usd` and `tokens` are what language models cost.
    """

    agents: float = 0
    actions: float = 0
    gates: float = 0
    marks: float = 0
    tasks: float = 0
    wait: float = 0
    usd: float = 0
    tokens: float = 0

    def each(self, other: "Cost", how: Callable[[float, float], float]) -> "Cost":
        names = (field.name for field in fields(self))
        return Cost(**{name: how(getattr(self, name), getattr(other, name)) for name in names})


NOTHING = Cost()
ACTIVITY = Cost(marks=3, tasks=1)
MISSION = Cost(marks=3, tasks=1)
QUIET_GATE = Cost(gates=1, marks=4, tasks=1)
"""Two updates of search attributes, and a timer that fired."""
LOCKS = Cost(marks=6, tasks=2)
"""Locks that are free are asked for and given back; those of a step around it are held already."""
TIMER = Cost(marks=2)
CHILD = (Cost(marks=5, tasks=2), Cost(marks=6, tasks=3))
"""A child is started, and looked at until it is over; its own events are its own history's."""
ASKED = Cost(gates=1, marks=6, tasks=2)
"""The same with a decision and the activity that rules on it."""
VOTE = Cost(marks=4, tasks=2)
"""A decision: its signal, and the activity that rules on it."""
FIRED = Cost(marks=2, tasks=1)
RUNG = Cost(marks=3, tasks=1)


@dataclass(frozen=True)
class Bounds:
    """The least and the most of each part."""

    least: Cost = NOTHING
    most: Cost = NOTHING

    def then(self, other: "Bounds") -> "Bounds":
        """Return the bounds of both, one after the other."""
        return Bounds(self.least.each(other.least, plus), self.most.each(other.most, plus))

    def beside(self, other: "Bounds") -> "Bounds":
        """Return the bounds of both at once: they may share workflow tasks, and they wait together."""
        both = self.then(other)
        least = Cost(**{**vars(both.least), "tasks": max(self.least.tasks, other.least.tasks)})
        waits = (max(self.least.wait, other.least.wait), max(self.most.wait, other.most.wait))
        return Bounds(
            Cost(**{**vars(least), "wait": waits[0]}),
            Cost(**{**vars(both.most), "wait": waits[1]}),
        )

    def either(self, other: "Bounds") -> "Bounds":
        return Bounds(self.least.each(other.least, min), self.most.each(other.most, max))

    def perhaps(self) -> "Bounds":
        return Bounds(NOTHING, self.most)


def together(how: Callable[[Bounds, Bounds], Bounds], parts: Iterable[Bounds]) -> Bounds:
    """Return the bounds of several parts."""
    first, *rest = list(parts) or [Bounds()]
    for part in rest:
        first = how(first, part)
    return first


def plus(one: float, other: float) -> float:
    return one + other


def seconds(span: timedelta | None) -> float:
    return inf if span is None else span.total_seconds()


def events(cost: Cost) -> float:
    return cost.marks + EVENTS_OF_A_TASK * cost.tasks


Spends = Callable[[str, str], Bounds]
"""What one run of an agent costs, by its step and its name."""


def nothing_spent(step: str, agent: str) -> Bounds:
    """Return nothing, where nobody asks what models cost."""
    del step, agent
    return Bounds()


class Span(Message):
    """From the least to the most; there is no most where a list of unknown length is mapped, or steps are planned."""

    least: int
    most: int | None


def span(least: float, most: float) -> Span:
    return Span(least=int(least), most=None if most == inf else int(most))
