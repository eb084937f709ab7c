"""How many requests people are told of one by one, and in which order. Pure.

The law: nothing is left out. Of what came too thick to be read one by one, one line says how much it is, how grave and
until when. The queue and whoever sends notices ask here alike.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from contracts.workspace import AtMost
from language.risk import RISKS

USUAL = AtMost(requests=10, per=timedelta(hours=1))
"""Where the workspace says nothing."""
SOON = (timedelta(minutes=15), timedelta(hours=1), timedelta(days=1))
"""What is due within the same of these is told in the order of its risk."""
NEVER = datetime.max.replace(tzinfo=UTC)
What = TypeVar("What")


@dataclass(frozen=True)
class Request(Generic[What]):
    """Something that waits for people: for whom, since when, until when, at which risk (of `language/risk.py`)."""

    what: What
    to: tuple[str, ...]
    opened_at: datetime
    deadline: datetime | None
    risk: str


@dataclass(frozen=True)
class Summary(Generic[What]):
    """Requests to the same people that are told of in one line."""

    to: tuple[str, ...]
    requests: tuple[Request[What], ...]

    def deadline(self) -> datetime | None:
        """Return the first of their deadlines."""
        return min((one.deadline for one in self.requests if one.deadline), default=None)

    def risks(self) -> Mapping[str, int]:
        """Return how many there are of each risk, the gravest first."""
        return Counter(one.risk for one in sorted(self.requests, key=lambda one: _gravity(one.risk)))


def by_urgency(requests: Iterable[Request[What]], now: datetime) -> list[Request[What]]:
    """Return requests as they are to be looked at: what is due soonest, and of what is due alike soon the gravest."""
    return sorted(requests, key=lambda one: _urgency(one, now))


def eased(
    requests: Iterable[Request[What]], at_most: AtMost, now: datetime
) -> tuple[list[Request[What]], list[Summary[What]]]:
    """Return those that are told of one by one, at most so many per approver of what came in one span, and the rest.

    What waits for several is told of as long as there is room with one of them.
    """
    told: Counter[tuple[str, int]] = Counter()
    single: list[Request[What]] = []
    rest: dict[tuple[str, ...], list[Request[What]]] = {}
    for one in by_urgency(requests, now):
        places = [(who, (now - one.opened_at) // at_most.per) for who in one.to]
        if any(told[place] < at_most.requests for place in places):
            told.update(places)
            single.append(one)
        else:
            rest.setdefault(one.to, []).append(one)
    return single, [Summary(to, tuple(some)) for to, some in rest.items()]


def _urgency(request: Request[What], now: datetime) -> tuple[int, int, datetime]:
    left = (request.deadline or NEVER) - now
    soon = next((number for number, span in enumerate(SOON) if left <= span), len(SOON))
    return soon, _gravity(request.risk), request.deadline or NEVER


def _gravity(risk: str) -> int:
    """Return the place of a risk; one that nobody knows is the gravest."""
    known: Sequence[str] = RISKS
    return known.index(risk) if risk in known else -1
