"""Events that have come and that no step has taken yet. Pure.

An event may come before the step that waits for it: nothing acknowledged is lost. Each is taken once.
"""

from collections.abc import Iterable

from contracts.base import canonical
from contracts.event import LONGEST, MOST_BYTES, MOST_KEPT, Event


class Eventbook:
    """Events in the order in which they came, and the ids of those that came already."""

    def __init__(self, waiting: Iterable[Event] = (), seen: Iterable[str] = ()) -> None:
        self._waiting = list(waiting)
        self._seen = dict.fromkeys(seen)
        self._bytes = sum(len(canonical(event)) for event in self._waiting)

    def waiting(self) -> tuple[Event, ...]:
        return tuple(self._waiting)

    def seen(self) -> tuple[str, ...]:
        return tuple(self._seen)

    def take_in(self, event: Event) -> str:
        """Keep an event; return why it is refused, or nothing."""
        if event.id and event.id in self._seen:
            return f"the event {event.id!r} has come already"
        size = len(canonical(event))
        if size > LONGEST:
            return f"the event has {size} bytes; at most {LONGEST} are allowed"
        if len(self._waiting) >= MOST_KEPT or self._bytes + size > MOST_BYTES:
            return f"{len(self._waiting)} events wait already to be taken; no more are kept"
        if event.id:
            self._seen[event.id] = None
            while len(self._seen) > MOST_KEPT:
                del self._seen[next(iter(self._seen))]
        self._waiting.append(event)
        self._bytes += size
        return ""

    def find(self, name: str, key: str) -> Event | None:
        """Return the first event of a name and a key."""
        return next((event for event in self._waiting if (event.event, event.key) == (name, key)), None)

    def take(self, event: Event) -> None:
        """Take an event out."""
        self._waiting.remove(event)
        self._bytes -= len(canonical(event))
