"""Points in time as callers write them, brought to the one spelling that the tables sort by."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from demo.answer import Rejected

Moment = Annotated[str, Field(description="A time with its zone, such as 2026-11-03T09:42:00Z")]


def read_moment(text: str) -> str:
    """Return the time in UTC as `YYYY-MM-DDTHH:MM:SSZ`. Raises `Rejected` for what is no time or has no zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Rejected(f"{text!r} is no time; write it as 2026-11-03T09:42:00Z") from error
    if moment.tzinfo is None:
        raise Rejected(f"{text!r} has no zone; write it as 2026-11-03T09:42:00Z")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
