"""Read what a person hands over as a file or on standard input: one JSON value."""

import json
import sys
from pathlib import Path
from typing import Any

from starter.problem import Usage

MOST_BYTES = 1_000_000


def read_document(name: str) -> Any:
    """Return the value in a file, or on standard input for `-`. What cannot be read is `Usage`, with its place."""
    called = "standard input" if name == "-" else name
    try:
        return json.loads(_text(name, called), parse_constant=_no_number, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise Usage(f"{called}:{error.lineno}:{error.colno}: this is no JSON: {error.msg}") from None
    except RecursionError:
        raise Usage(f"{called}: this JSON is nested too deeply") from None
    except ValueError as error:
        raise Usage(f"{called}: {error}") from None


def _text(name: str, called: str) -> str:
    try:
        raw = sys.stdin.buffer.read(MOST_BYTES + 1) if name == "-" else _bytes(Path(name))
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise Usage(f"cannot read {called}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise Usage(f"{called}: this is no UTF-8 text (byte {error.start})") from None
    if len(raw) > MOST_BYTES:
        raise Usage(f"{called} is larger than {MOST_BYTES // 1_000_000} MB")
    return text


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} stands twice in one object")
    return found
