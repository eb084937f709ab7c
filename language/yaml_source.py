"""Read YAML into values that know their place.

The law: a file means the same to every reader. So there are no aliases, no tags and no second document, a key stands
once, and a word that YAML 1.1 and 1.2 read differently must be quoted. Built from the parser's events, never composed
by the library, so that depth and size are bounded before anything is made of them.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from contracts.step import Place
from language.finding import Finding

MOST_BYTES = 256_000
DEEPEST = 50
MOST_VALUES = 50_000
MOST_FINDINGS = 200

Scalar = str | int | float | bool | None

NULL = re.compile(r"null|~|")
BOOLEAN = re.compile(r"true|false")
INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+][0-9]+)?")

WORD = re.compile(r"(?i:y|n|yes|no|on|off|true|false|null)")
SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
NUMBER = re.compile(r"[-+]?(?:0[xob][0-9a-fA-F_]+|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?)")
DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?")
SPECIAL = re.compile(r"(?i:[-+]?\.inf|\.nan)|<<|=")
SURPRISES = (
    (WORD, "a boolean or null to some readers of YAML and a text to others"),
    (SEXAGESIMAL, "a number in base 60 to some readers of YAML and a text to others"),
    (DATE, "a date to some readers of YAML and a text to others"),
    (NUMBER, "a number that readers of YAML do not agree on"),
    (SPECIAL, "special to some readers of YAML"),
)


@dataclass
class Value:
    """A value and where it stands: a scalar, a list of values, or a map of names to values."""

    place: Place
    data: "Scalar | list[Value] | dict[str, Value]"
    key_places: dict[str, Place] = field(default_factory=dict)
    quoted: str = ""
    """The quote or block character of a text; empty for a plain one."""
    raw: str = ""
    """A text as it stands in the file, where it takes more than one line."""

    def plain(self) -> Any:
        """Return the value as JSON data."""
        match self.data:
            case list():
                return [item.plain() for item in self.data]
            case dict():
                return {key: item.plain() for key, item in self.data.items()}
            case _:
                return self.data

    def find(self, *path: str | int) -> "Value":
        """Return what stands at a path, or the last value on the way to it."""
        at = self
        for part in path:
            match at.data, part:
                case dict(), str() if part in at.data:
                    at = at.data[part]
                case list(), int() if part < len(at.data):
                    at = at.data[part]
                case _:
                    break
        return at

    def place_of(self, *path: str | int) -> Place:
        """Return the place of what stands at a path, or of the last value on the way to it."""
        return self.find(*path).place

    def place_of_character(self, index: int) -> Place:
        """Return where in the file a character of a text stands; where escapes hide that, the text's own place."""
        text = self.data if isinstance(self.data, str) else ""
        hidden = self.quoted in {"'", '"'} and (self.quoted in text or "\\" in (self.raw or text))
        if hidden or (not self.raw and "\n" in text):
            return self.place
        if not self.raw:
            return self._moved(0, self.place.column + index + bool(self.quoted))
        at = found_again(
            text, index, self.raw, 1 + self.raw.find("\n") if self.quoted in {"|", ">"} else len(self.quoted)
        )
        if at is None:
            return self.place
        line = self.raw.count("\n", 0, at)
        return self._moved(line, at - self.raw.rfind("\n", 0, at) if line else self.place.column + at)

    def _moved(self, lines: int, column: int) -> Place:
        return Place(file=self.place.file, line=self.place.line + lines, column=column)


def found_again(text: str, index: int, raw: str, begin: int) -> int | None:
    """Return where in a raw text a character of the folded text is: folding changes nothing but blanks."""
    count = sum(not char.isspace() for char in text[:index])
    for at in range(begin, len(raw)):
        if not raw[at].isspace():
            if count == 0:
                return at if raw[at] == text[index : index + 1] else None
            count -= 1
    return None


class Broken(Exception):
    """The text cannot be read any further."""


def read_yaml(text: str, file: str) -> tuple[Value | None, list[Finding]]:
    """Return a file's value and what is wrong with it; no value where nothing could be read."""
    reader = Reader(file)
    try:
        return reader.document(text), reader.findings
    except Broken:
        return None, reader.findings
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = reader.place(mark) if mark else Place(file=file, line=1, column=1)
        reader.add("YAML_SYNTAX", error.problem or "cannot be read as YAML", place)
    except (yaml.YAMLError, UnicodeError) as error:
        reason = getattr(error, "reason", None) or str(error).splitlines()[0]
        start = Place(file=file, line=1, column=1)
        reader.add("YAML_SYNTAX", reason, start, "write UTF-8 text without control characters")
    return None, reader.findings


class Reader:
    """Turns the parser's events into a value, and notes what is wrong on the way."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self._values = 0
        self._lines: list[str] = []

    def place(self, mark: Any) -> Place:
        return Place(file=self.file, line=mark.line + 1, column=mark.column + 1)

    def add(self, code: str, message: str, place: Place, mend: str = "") -> None:
        self.findings.append(Finding(code, message, place, mend))
        if len(self.findings) >= MOST_FINDINGS:
            raise Broken

    def document(self, text: str) -> Value | None:
        """Return the value of the one document in a text."""
        size = len(text.encode("utf-8", "replace"))
        if size > MOST_BYTES:
            self._stop("YAML_SIZE", f"the file has {size} bytes; at most {MOST_BYTES} are read", None)
        self._lines = text.split("\n")
        found: Value | None = None
        events = yaml.parse(text, Loader=yaml.CSafeLoader)
        for event in events:
            match event:
                case yaml.DocumentStartEvent():
                    self._start(event, found)
                case yaml.NodeEvent():
                    found = self._value(event, events, 1)
        return found

    def _start(self, event: yaml.DocumentStartEvent, found: Value | None) -> None:
        if found is not None:
            self._stop("YAML_DOCUMENTS", "a second document starts here", event, "one file holds one document")
        if event.version or event.tags:
            self.add("YAML_TAG", "a YAML directive", self.place(event.start_mark), "leave it out")

    def _stop(self, code: str, message: str, event: Any, mend: str = "split it up") -> None:
        place = self.place(event.start_mark) if event else Place(file=self.file, line=1, column=1)
        self.add(code, message, place, mend)
        raise Broken

    def _value(self, event: Any, events: Iterator[Any], depth: int) -> Value:
        self._values += 1
        if depth > DEEPEST:
            self._stop("YAML_DEPTH", f"nested more than {DEEPEST} deep", event)
        if self._values > MOST_VALUES:
            self._stop("YAML_SIZE", f"more than {MOST_VALUES} values", event)
        place = self.place(event.start_mark)
        self._plain_words(event, place)
        match event:
            case yaml.ScalarEvent():
                return self._scalar(event, place)
            case yaml.SequenceStartEvent():
                return Value(place, list(self._items(events, depth + 1)))
            case yaml.MappingStartEvent():
                return self._mapping(place, events, depth + 1)
            case _:
                return Value(place, None)

    def _plain_words(self, event: Any, place: Place) -> None:
        """Note aliases, anchors and tags."""
        if isinstance(event, yaml.AliasEvent):
            self.add("YAML_ALIAS", f"the alias '*{event.anchor}'", place, "write the value out")
        elif event.anchor:
            self.add("YAML_ALIAS", f"the anchor '&{event.anchor}'", place, "write the value where it is used")
        if getattr(event, "tag", None):
            self.add("YAML_TAG", f"the tag '{event.tag}'", place, "leave it out; quote what is a text")

    def _items(self, events: Iterator[Any], depth: int) -> Iterator[Value]:
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                return
            yield self._value(event, events, depth)

    def _mapping(self, place: Place, events: Iterator[Any], depth: int) -> Value:
        data: dict[str, Value] = {}
        places: dict[str, Place] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._value(event, events, depth)
            value = self._value(next(events), events, depth)
            if not isinstance(key.data, str):
                self.add("WRONG_TYPE", "a key that is no text", key.place, "put it in quotes")
            elif key.data in data:
                self._twice(key, places[key.data])
            else:
                data[key.data], places[key.data] = value, key.place
        return Value(place, data, places)

    def _twice(self, key: Value, before: Place) -> None:
        message = f"the key '{key.data}' stands in line {before.line} and again in line {key.place.line}"
        self.add("DUPLICATE_KEY", message, key.place, "keep one of them")

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Value:
        raw = self._raw(event)
        if event.style:
            return Value(place, event.value, quoted=event.style, raw=raw)
        return Value(place, self._plain(event.value, place), raw=raw)

    def _raw(self, event: Any) -> str:
        """Return a scalar of several lines as it stands in the file."""
        start, end = event.start_mark, event.end_mark
        if end.line == start.line:
            return ""
        whole = "\n".join(self._lines[start.line : end.line + 1])
        rest = len(self._lines[end.line]) - end.column if end.line < len(self._lines) else 0
        return whole[start.column : len(whole) - max(rest, 0)]

    def _plain(self, text: str, place: Place) -> Scalar:
        """Return what an unquoted scalar means where YAML 1.1 and 1.2 agree."""
        if NULL.fullmatch(text):
            return None
        if BOOLEAN.fullmatch(text):
            return text == "true"
        if INTEGER.fullmatch(text):
            return int(text)
        if FLOAT.fullmatch(text) and math.isfinite(float(text)):
            return float(text)
        for pattern, meaning in SURPRISES:
            if pattern.fullmatch(text):
                mend = f'write "{text}" for the text, or {spelled(text)}' if spelled(text) else f'write "{text}"'
                self.add("YAML_AMBIGUOUS", f"'{shortened(text)}' is {meaning}", place, mend)
                break
        return text


def spelled(text: str) -> str:
    """Return how to write the boolean that an ambiguous word may have meant."""
    if text.lower() in {"y", "yes", "on", "true"}:
        return "true"
    return "false" if text.lower() in {"n", "no", "off", "false"} else ""


def shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"
