"""Spans of time as people write them: `48h`, `30m`, `1h30m`, `90s`, `250ms`, `7d`."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

UNITS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])")
WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[dhms]))+")


def parse_duration(text: Any) -> Any:
    """Turn `1h30m` into a timedelta; leave what is no text to pydantic.

    A bare number is refused with `ValueError`, since nobody can tell its unit. ISO 8601 (`PT30M`), which is how
    frozen plans spell it, passes through.
    """
    if isinstance(text, bool | int | float):
        raise ValueError(f"write a unit, as in '{text}s' or '{text}m'")
    if not isinstance(text, str) or text.startswith(("P", "-P")):
        return text
    if not WHOLE.fullmatch(text):
        raise ValueError("write a duration such as '30m', '48h' or '1h30m'")
    return timedelta(seconds=sum(float(number) * UNITS[unit] for number, unit in PART.findall(text)))


def show_duration(span: timedelta) -> str:
    """Return the shortest spelling that `parse_duration` reads back, to the millisecond."""
    rest = round(span.total_seconds() * 1000)
    parts = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
