"""Hold what came of a rehearsal against what was expected. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from contracts.event import EVENT
from contracts.record import Record
from rehearsal.check import name_of
from rehearsal.play import Performance
from rehearsal.script import Expected, Rehearsal, Wait, Weighed

MARGIN = 1e-9
PARTS = frozenset({"iteration", "item", "attempt", "stage"})
"""Kinds of records that have the name of the step that they are parts of."""


@dataclass(frozen=True)
class Difference:
    """One thing that came out otherwise."""

    what: str
    expected: Any
    came: Any

    def __str__(self) -> str:
        return f"{self.what}: expected {told(self.expected)}, came {told(self.came)}"


def told(value: Any) -> str:
    """Return a value as people read it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "nothing"
    if isinstance(value, float):
        return f"{value:g}"
    return "nothing" if value in (None, "") else str(value)


def compare(script: Rehearsal, came: Performance) -> list[Difference]:
    """Return every difference. A mission that waits for ever must have been expected to."""
    found = list(_stalled(script.expect, came))
    found += _ending(script.expect, came)
    found += _steps(script.expect.steps or {}, came.view.records)
    found += _effects(script.expect, came)
    found += _people(script.expect, came)
    found += _risks(script.expect.risk or {}, came.view.records)
    return found + list(_usage(script.expect.usage or {}, came))


def _stalled(expect: Expected, came: Performance) -> Iterator[Difference]:
    if came.stalled and expect.state is None:
        gates = tuple(f"{gate.step} ({' or '.join(gate.approvers)})" for gate in came.view.waiting)
        yield Difference("the end", "to be reached", f"it waits for ever at {told(gates)}")


def _ending(expect: Expected, came: Performance) -> Iterator[Difference]:
    view = came.view
    if expect.state is not None:
        yield from _differ("state", expect.state, str(view.state))
    if expect.verdict is not None:
        how = view.verdict or f"none: {view.state}" + (f" ({view.reason})" if view.reason else "")
        yield from _differ("verdict", expect.verdict, how)
    if expect.reason is not None and expect.reason not in view.reason:
        yield Difference("reason", f"'{expect.reason}' in it", view.reason)


def _steps(expect: dict[str, str], records: Iterable[Record]) -> Iterator[Difference]:
    """Yield the steps that ended otherwise. A name stands for the last step that is called so."""
    stands = {name_of(record.path): record.status for record in records if record.kind not in PARTS}
    stands |= {record.path: record.status for record in records}
    for path, status in expect.items():
        yield from _differ(f"step {path}", status, stands.get(path, "not_run"))


def _effects(expect: Expected, came: Performance) -> Iterator[Difference]:
    if expect.ran is not None:
        yield from _differ("ran", expect.ran, tuple(act.tool for act in came.acts if not act.undoes))
    if expect.compensations is not None:
        yield from _differ("compensations", expect.compensations, tuple(act.tool for act in came.acts if act.undoes))


def _people(expect: Expected, came: Performance) -> Iterator[Difference]:
    if expect.waits is not None:
        asked = tuple(Wait(at=one.subject.step, asked=one.subject.approvers) for one in came.asked)
        alike = len(asked) == len(expect.waits) and all(map(_same_wait, expect.waits, asked))
        if not alike:
            yield Difference("waits", tuple(map(_wait, expect.waits)), tuple(map(_wait, asked)))
    yield from _differ("refused", expect.refused, tuple(ruling.person or EVENT for ruling in came.view.refusals))
    for decision in came.unspoken:
        yield Difference(f"{decision.place}: {decision}", "to be asked for", "no gate that waited for it")
    for command in came.unsaid:
        yield Difference(f"{command.place}: {command}", "to be said", "no moment for it")
    for happening in came.untaken:
        yield Difference(f"{happening.place}: {happening}", "to be waited for", "no step that did")


def _same_wait(expected: Wait, came: Wait) -> bool:
    return expected.at in (came.at, name_of(came.at)) and (not expected.asked or expected.asked == came.asked)


def _wait(wait: Wait) -> str:
    return f"{wait.at} ({' or '.join(wait.asked)})" if wait.asked else wait.at


def _usage(expect: dict[str, float], came: Performance) -> Iterator[Difference]:
    spent = came.view.spent.model_dump()
    for name, value in expect.items():
        if abs(spent[name] - value) > MARGIN:
            yield Difference(f"usage {name}", value, spent[name])


def _risks(expect: dict[str, Weighed], records: Iterable[Record]) -> Iterator[Difference]:
    """Yield the risks that came otherwise. A name stands for the last step that is called so and was weighed."""
    readings = {key: one.risk for one in records if one.risk is not None for key in (name_of(one.path), one.path)}
    for path, weighed in expect.items():
        reading = readings.get(path)
        for key, value in weighed.model_dump(exclude_none=True).items():
            yield from _differ(f"risk {path}: {key}", value, None if reading is None else getattr(reading, key))


def _differ(what: str, expected: Any, came: Any) -> Iterator[Difference]:
    if expected != came:
        yield Difference(what, expected, came)
