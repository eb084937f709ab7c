"""What a design does under its peak load: how busy each part is, how long an answer takes, how often there is one.

Pure. Load runs from the entry along the calls. A part that is busy to the share u answers in its own time / (1 - u);
an answer needs every call that is waited for; of n instances one is enough.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

MISSES = 0.2
"""Share of its requests for which a part with a cache still asks those behind it."""
MOST_BUSY = 0.99
"""A part that is asked for more answers a hundred times slower: it is counted as this busy."""
CHECKING_MS, SEALING_MS, CACHE_EUR = 8.0, 3.0, 60.0
"""What it costs to check who asks and to encrypt, at each request; and a cache, each month and instance."""


class NotAnswerableError(Exception):
    """The proposal describes no system that could answer: the sentence says why."""


@dataclass(frozen=True)
class Call:
    """A part asks another so many times per request; one that is deferred is not waited for."""

    to: str
    times: float
    deferrable: bool
    deferred: bool = False


@dataclass(frozen=True)
class Part:
    """A component with the measures that were taken. Times are milliseconds, costs EUR a month and instance."""

    name: str
    latency: float
    capacity: float
    cost: float
    availability: float
    exposed: bool
    holds: str
    encrypted: bool
    authenticates: bool
    cacheable: bool
    calls: tuple[Call, ...]
    cached: bool = False

    def asked(self, call: Call) -> float:
        """Return how often one request to this part becomes a request to another."""
        return call.times * (MISSES if self.cached else 1.0)


System = dict[str, Part]


def read_system(proposal: Mapping[str, Any], measures: Sequence[Mapping[str, Any]]) -> System:
    """Return the proposal's parts with the measures taken, each part behind all that call it."""
    parts = {one["name"]: _part(one) for one in proposal["components"]}
    _check(proposal, parts)
    for measure in measures:
        parts[measure["component"]] = _with(parts[measure["component"]], measure)
    return {name: parts[name] for name in _ordered(proposal["entry"], parts)}


def _part(told: Mapping[str, Any]) -> Part:
    calls = tuple(Call(call["to"], call["times"], call["deferrable"]) for call in told["calls"])
    return Part(
        name=told["name"],
        latency=told["latency_ms"],
        capacity=told["capacity_rps"],
        cost=told["cost_eur"],
        availability=told["availability"],
        exposed=told["exposed"],
        holds=told["holds"],
        encrypted=told["encrypted"],
        authenticates=told["authenticates"],
        cacheable=told["cacheable"],
        calls=calls,
    )


def _check(proposal: Mapping[str, Any], parts: System) -> None:
    if len(parts) < len(proposal["components"]):
        raise NotAnswerableError("two components have the same name: give each its own")
    unknown = {call.to for part in parts.values() for call in part.calls} | {proposal["entry"]}
    if unknown := unknown - parts.keys():
        raise NotAnswerableError(f"no component is named {', '.join(sorted(unknown))}: describe it, or call another")


def _with(part: Part, measure: Mapping[str, Any]) -> Part:
    """Take a measure. Instances are no property of a part: `grow` and `shrink` change the design's counts."""
    match measure["kind"]:
        case "authenticate":
            return replace(part, authenticates=True, latency=part.latency + CHECKING_MS)
        case "encrypt":
            return replace(part, encrypted=True, latency=part.latency + SEALING_MS)
        case "cache":
            return replace(part, cached=True, cost=part.cost + CACHE_EUR)
        case "defer":
            calls = (replace(call, deferred=call.deferred or call.to == measure["to"]) for call in part.calls)
            return replace(part, calls=tuple(calls))
        case _:
            return part


def _ordered(entry: str, parts: System) -> list[str]:
    """Return all that the entry reaches, callers first; parts that call each other in a circle have no order."""
    done: list[str] = []
    on_the_way: list[str] = []

    def visit(name: str) -> None:
        if name in on_the_way:
            circle = " → ".join([*on_the_way[on_the_way.index(name) :], name])
            raise NotAnswerableError(f"{circle} call each other in a circle: no request would ever be answered")
        if name not in done:
            on_the_way.append(name)
            for call in parts[name].calls:
                visit(call.to)
            done.append(on_the_way.pop())

    visit(entry)
    return done[::-1]


def loads(system: System, peak: float) -> dict[str, float]:
    """Return the requests a second that reach each part."""
    found = dict.fromkeys(system, 0.0)
    found[next(iter(system))] = peak
    for name, part in system.items():
        for call in part.calls:
            found[call.to] += found[name] * part.asked(call)
    return found


def busy(system: System, counts: Mapping[str, int], peak: float) -> dict[str, float]:
    """Return which share of its capacity each part uses; above 1 it is asked for more than it has."""
    return {name: load / (counts[name] * system[name].capacity) for name, load in loads(system, peak).items()}


def responses(system: System, counts: Mapping[str, int], peak: float) -> dict[str, float]:
    """Return how long each part takes to answer, with all that it waits for, in milliseconds."""
    shares = busy(system, counts, peak)
    found: dict[str, float] = {}
    for name, part in reversed(system.items()):
        own = part.latency / (1 - min(shares[name], MOST_BUSY))
        waited = (part.asked(call) * found[call.to] for call in part.calls if not call.deferred)
        found[name] = own + sum(waited)
    return found


def availability(system: System, counts: Mapping[str, int]) -> float:
    """Return the share of requests that are answered: of every part that is waited for, an instance must be up."""
    needed = [*_waited_for(system)]
    return prod(1 - (1 - system[name].availability) ** counts[name] for name in needed)


def _waited_for(system: System) -> list[str]:
    wanted = {next(iter(system))}
    for name, part in system.items():
        if name in wanted:
            wanted |= {call.to for call in part.calls if not call.deferred}
    return [name for name in system if name in wanted]


def monthly(system: System, counts: Mapping[str, int]) -> float:
    """Return what it costs, EUR a month."""
    return sum(part.cost * counts[name] for name, part in system.items())


def depth(system: System) -> int:
    """Return how many parts the longest chain of calls has."""
    found: dict[str, int] = {}
    for name, part in reversed(system.items()):
        found[name] = 1 + max((found[call.to] for call in part.calls), default=0)
    return found[next(iter(system))]


def reaches(system: System, name: str) -> set[str]:
    """Return a part and all that it calls, directly or through others."""
    found, waiting = {name}, [name]
    while waiting:
        fresh = {call.to for call in system[waiting.pop()].calls} - found
        found |= fresh
        waiting.extend(sorted(fresh))
    return found
