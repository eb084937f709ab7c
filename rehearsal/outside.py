"""What happens outside in a rehearsal: the events of its script, each at its time after the mission began."""

from collections.abc import Iterable

from contracts.event import Event
from rehearsal.clock import Clock
from rehearsal.script import Happening
from workflows.governance.event import Eventbook
from workflows.governance.tally import Gatebook


class Outside:
    """Lets events happen. `book` is where the mission finds them."""

    def __init__(self, happenings: Iterable[Happening], clock: Clock, gates: Gatebook) -> None:
        self.book = Eventbook()
        self._clock = clock
        self._gates = gates
        self._left = list(happenings)
        self._came: list[tuple[Happening, Event]] = []

    def begin(self) -> None:
        """Start to count the time."""
        for happening in self._left:
            self._clock.beside(self._happen(happening))

    def untaken(self) -> tuple[Happening, ...]:
        """Return what has not happened yet, or was taken by no step."""
        waiting = self.book.waiting()
        left = [*self._left, *(happening for happening, event in self._came if event in waiting)]
        return tuple(sorted(left, key=lambda one: (one.place.line, one.place.column)))

    async def _happen(self, happening: Happening) -> None:
        await self._clock.pause(happening.after)
        await self._clock.lull()
        self._left.remove(happening)
        given = happening.model_dump(include={"event", "key", "payload", "id"})
        event = Event(**given, received_at=self._clock.now)
        refused = self.book.take_in(event)
        if refused:
            self._gates.refuse("", refused)
        else:
            self._came.append((happening, event))
