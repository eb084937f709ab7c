"""Maintenance windows: the hours of the week in which an environment may be touched. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from demo.data.software import WINDOWS

ENOUGH = timedelta(minutes=30)
"""A window with less left of it is not worth to begin."""


def next_window(environment: str, moment: datetime) -> tuple[datetime, datetime] | None:
    """Return the first window that is open at a moment with time left, or opens after it."""
    for opens, closes in _windows(environment, moment):
        if closes - max(opens, moment) >= ENOUGH:
            return opens, closes
    return None


def _windows(environment: str, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the windows of two weeks, by time, the one of yesterday too: it may still be open."""
    first = moment.astimezone(UTC).date() - timedelta(days=1)
    for day in (first + timedelta(days=number) for number in range(15)):
        for weekday, start, minutes in WINDOWS.get(environment, ()):
            if day.weekday() == weekday:
                opens = datetime.combine(day, time.fromisoformat(start), UTC)
                yield opens, opens + timedelta(minutes=minutes)
