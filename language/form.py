"""Read the keys of one YAML map, each as what it must be, and note every mistake.

A reader never stops at a mistake: it notes a finding and answers with a stand-in, so that one pass finds all.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from contracts.duration import parse_duration
from contracts.step import Place
from language.finding import Finding
from language.name import nearest
from language.yaml_source import Value, shortened

LONGEST = timedelta(days=3650)

KINDS = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a map"}


def described(value: Value) -> str:
    """Return what a person calls a value."""
    if value.data in ("", []):
        return "an empty one"
    return KINDS.get(type(value.data), "nothing")


class Form:
    """One YAML map. `what` names it in findings, as in `an agent step`."""

    def __init__(self, value: Value, what: str, findings: list[Finding]) -> None:
        self.value = value
        self.what = what
        self.findings = findings
        self._known: dict[str, None] = {}
        self.data = value.data if isinstance(value.data, dict) else {}
        if not isinstance(value.data, dict):
            self.wrong(value, f"{what} is a map of keys and values, not {described(value)}")

    def add(self, code: str, message: str, place: Place, mend: str = "") -> None:
        self.findings.append(Finding(code, message, place, mend))

    def wrong(self, value: Value, message: str, mend: str = "") -> None:
        self.add("WRONG_TYPE", message, value.place, mend)

    def take(self, key: str, *, required: bool = False) -> Value | None:
        """Return a key's value and count the key as known."""
        self._known[key] = None
        if required and key not in self.data and isinstance(self.value.data, dict):
            self.add("MISSING_KEY", f"{self.what} needs the key '{key}'", self.value.place, f"write '{key}: …'")
        return self.data.get(key)

    def text(self, key: str, *, required: bool = False) -> str:
        value = self.take(key, required=required)
        return "" if value is None else self.as_text(value, key)

    def as_text(self, value: Value, key: str) -> str:
        """Return a value that must be a text and say something."""
        if isinstance(value.data, bool | int | float):
            word = str(value.plain()).lower() if isinstance(value.data, bool) else value.data
            self.wrong(value, f"'{key}' is a text, not {described(value)}", f"put it in quotes: '{word}'")
        elif not isinstance(value.data, str):
            self.wrong(value, f"'{key}' is a text, not {described(value)}")
        elif not value.data.strip():
            self.add("BAD_VALUE", f"'{key}' is empty", value.place, "write it, or leave the key out")
        else:
            return value.data
        return ""

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """Return a list of texts; one text alone is a list of one."""
        value = self.take(key, required=required)
        if value is None:
            return ()
        if isinstance(value.data, str):
            text = self.as_text(value, key)
            return (text,) if text else ()
        if not isinstance(value.data, list):
            self.wrong(value, f"'{key}' is a list of names, not {described(value)}")
            return ()
        if required and not value.data:
            self.add("BAD_VALUE", f"'{key}' is empty", value.place, "name at least one")
        found = tuple(text for item in value.data if (text := self.as_text(item, key)))
        self._twice(key, value.data)
        return tuple(dict.fromkeys(found))

    def _twice(self, key: str, items: list[Value]) -> None:
        seen: set[str] = set()
        for item in items:
            if isinstance(item.data, str):
                if item.data in seen:
                    self.add("BAD_VALUE", f"'{item.data}' stands twice in '{key}'", item.place, "name it once")
                seen.add(item.data)

    def integer(self, key: str, least: int, most: int, otherwise: int) -> int:
        value = self.take(key)
        if value is None:
            return otherwise
        if type(value.data) is not int:
            self.wrong(value, f"'{key}' is a whole number, not {described(value)}", f"write {least} to {most}")
        elif not least <= value.data <= most:
            self.add("BAD_VALUE", f"'{key}' is {value.data}", value.place, f"write {least} to {most}")
        else:
            return value.data
        return otherwise

    def number(self, key: str, least: float, most: float, otherwise: float) -> float:
        value = self.take(key)
        if value is None:
            return otherwise
        if type(value.data) not in {int, float}:
            self.wrong(value, f"'{key}' is a number, not {described(value)}", f"write {least} to {most}")
        elif not least <= value.data <= most:  # type: ignore[operator]
            self.add("BAD_VALUE", f"'{key}' is {value.data}", value.place, f"write {least} to {most}")
        else:
            return value.data  # type: ignore[return-value]
        return otherwise

    def duration(self, key: str, *, required: bool = False) -> timedelta | None:
        """Return a span of time, also one below zero: `checks/timing.py` has a word for that."""
        value = self.take(key, required=required)
        return None if value is None else self.as_duration(value, key)

    def durations(self, key: str) -> tuple[timedelta, ...]:
        """Return a list of spans of time; one alone is a list of one."""
        value = self.take(key)
        if value is None:
            return ()
        if value.data == []:
            self.add("BAD_VALUE", f"'{key}' is empty", value.place, "write at least one span, or leave the key out")
        items = value.data if isinstance(value.data, list) else [value]
        return tuple(span for item in items if (span := self.as_duration(item, key)) is not None)

    def as_duration(self, value: Value, key: str) -> timedelta | None:
        try:
            return read_duration(value.data)
        except (ValueError, OverflowError) as error:
            self.add("BAD_VALUE", f"'{key}' is no span of time", value.place, str(error))
            return None

    def form(self, key: str, what: str, *, required: bool = False) -> "Form | None":
        value = self.take(key, required=required)
        return None if value is None else Form(value, what, self.findings)

    def mapping(self, key: str, *, required: bool = False) -> dict[str, Any] | None:
        """Return a map as JSON data."""
        inner = self.form(key, f"'{key}'", required=required)
        return inner.value.plain() if inner and isinstance(inner.value.data, dict) else None

    def items(self, key: str, *, required: bool = False) -> list[Value]:
        """Return the values of a list."""
        value = self.take(key, required=required)
        if value is None:
            return []
        if not isinstance(value.data, list):
            self.wrong(value, f"'{key}' is a list, not {described(value)}", "start each item with '- '")
            return []
        return value.data

    def done(self) -> None:
        """Note the keys that nobody asked for."""
        for key in self.data:
            if key not in self._known:
                self.unknown(key, self._known)

    def unknown(self, key: str, known: Iterable[str]) -> None:
        meant = nearest(key, known)
        mend = f"did you mean '{meant}'?" if meant else f"keys here: {', '.join(known)}"
        self.add("UNKNOWN_KEY", f"{self.what} has no key '{shortened(key)}'", self.value.key_places[key], mend)


def read_duration(data: object) -> timedelta:
    """Return a span of time. Raises `ValueError` with what to write instead."""
    if isinstance(data, str) and data.startswith("-"):
        return -read_duration(data[1:])
    span = parse_duration(data)
    if not isinstance(span, timedelta):
        raise ValueError("write a duration such as '30m', '48h' or '1h30m'")
    if span > LONGEST:
        raise ValueError(f"write at most {LONGEST.days}d")
    return span


def spare(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def filled(form: Form, key: str, *, required: bool = False) -> list[Value]:
    """Return the items of a list that must have some."""
    items = form.items(key, required=required)
    value = form.data.get(key)
    if value is not None and value.data == []:
        form.add("BAD_VALUE", f"'{key}' is empty", value.place, "write at least one step")
    return items
