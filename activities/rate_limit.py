"""When somebody else wants to be asked later: HTTP's status 429 with its `Retry-After`, or the word of a tool.

The MCP client keeps the status of an answer to itself, so it is noticed on its way in. A request is sent in the context
of the call that it belongs to, so what one call meets is not taken for another's.
"""

from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

TOO_MANY = 429
_MET: ContextVar[list[timedelta]] = ContextVar("met")


def watch() -> list[timedelta]:
    """Return a list that gets an entry whenever an answer to this call says that it came too soon."""
    met: list[timedelta] = []
    _MET.set(met)
    return met


async def notice(response: httpx2.Response) -> None:
    """Note an answer that says so."""
    met = _MET.get(None)
    if met is not None and response.status_code == TOO_MANY:
        met.append(seconds(response.headers.get("retry-after")) or timedelta())


def seconds(said: Any) -> timedelta | None:
    """Return a wait that is told as a number of seconds, or as the moment when it ends."""
    if isinstance(said, bool):
        return None
    try:
        return max(timedelta(), timedelta(seconds=float(said)))
    except (TypeError, ValueError, OverflowError):
        pass
    try:
        moment = parsedate_to_datetime(str(said))
    except ValueError:
        return None
    return max(timedelta(), moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC))
