"""Events that have come and that no step has taken yet. Pure.

An event may come before the step that waits for it: nothing acknowledged is lost. Each is taken once.
"""

from collections.abc import Iterable

from contracts.event import MOST_KEPT, Event


class Eventbook:
    """Events in the order in which they came, and the ids of those that came already."""

    def __init__(self, waiting: Iterable[Event] = (), seen: Iterable[str] = ()) -> None:
        self._waiting = list(waiting)
        self._seen = dict.fromkeys(seen)

    def waiting(self) -> tuple[Event, ...]:
        return tuple(self._waiting)

    def seen(self) -> tuple[str, ...]:
        return tuple(self._seen)

    def take_in(self, event: Event) -> str:
        """Keep an event; return why it is refused, or nothing."""
        if event.id and event.id in self._seen:
            return f"the event {event.id!r} has come already"
        if len(self._waiting) >= MOST_KEPT:
            return f"{MOST_KEPT} events wait already to be taken"
        if event.id:
            self._seen[event.id] = None
            while len(self._seen) > MOST_KEPT:
                del self._seen[next(iter(self._seen))]
        self._waiting.append(event)
        return ""

    def find(self, name: str, key: str) -> Event | None:
        """Return the first event of a name and a key."""
        return next((event for event in self._waiting if (event.event, event.key) == (name, key)), None)

    def take(self, event: Event) -> None:
        """Take an event out."""
        self._waiting.remove(event)
