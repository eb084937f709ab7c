"""What can be wrong with an entry of any of a workspace's files: its name, a schema, a time, a name that it has."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from contracts.mind import MISSION_QUEUE
from contracts.step import Place
from language.finding import Finding
from language.name import STEP, nearest
from language.schema import check_schema
from language.yaml_source import Value


def bad_name(what: str, name: str, value: Value) -> Iterator[Finding]:
    if not STEP.fullmatch(name):
        mend = "write letters, digits, '_' and '-', starting with a letter, at most 64"
        yield Finding("BAD_NAME", f"'{name[:80]}' is no name for {what}", value.key_places[name], mend)


def bad_schema(schema: Any, value: Value, key: str) -> Iterator[Finding]:
    for problem in check_schema(schema):
        yield Finding("BAD_SCHEMA", f"'{key}' is no JSON Schema: {problem}", value.place)


def missions_queue(queue: str, value: Value) -> Iterator[Finding]:
    if queue == MISSION_QUEUE:
        message = f"the queue '{MISSION_QUEUE}' is the missions' own, and its workers can neither act nor think"
        yield Finding("BAD_VALUE", message, value.place_of("queue"), "name another, or leave it out")


def no_time(span: timedelta | None, value: Value, key: str = "timeout") -> Iterator[Finding]:
    if span is not None and span <= timedelta(0):
        message = f"'{key}' is {value.data}: no time at all"
        yield Finding("TIMEOUT_NOT_POSITIVE", message, value.place, "write a span above zero, such as '30m'")


def unknown(code: str, what: str, name: str, known: Iterable[str], place: Place) -> Iterator[Finding]:
    if name not in known:
        meant = nearest(name, known)
        mend = f"did you mean '{meant}'?" if meant else f"known here: {', '.join(sorted(known)) or 'none'}"
        yield Finding(code, f"unknown {what} '{name}'", place, mend)
