"""Time that is skipped: an event loop that jumps to the next thing that happens whenever nothing else is left to do.

The law: exact and the same each time. One thing happens at a time: first whoever waits for a condition that has come
true, then the alarms of this moment in the order in which they were set, then whoever let the others go first, and
only then time goes on. No sockets, no threads, no real second passes. `rehearsal/ports.py` waits here.
"""

import asyncio
import heapq
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Never

TICK = timedelta(microseconds=1)
LAST = datetime.max.replace(tzinfo=UTC)

Alarm = asyncio.Future[None]


class Halted(Exception):
    """What runs on a clock cannot go on."""


class Stalled(Halted):
    """Everybody waits, and nothing is left that could happen."""


class Clock:
    """What time it is, and who waits for what."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.now = start
        self._conditions: dict[Alarm, Callable[[], bool]] = {}
        self._polite: list[Alarm] = []
        self._alarms: list[tuple[datetime, int, Alarm]] = []
        self._numbers = count()
        self._loop = _Loop(self)
        self._halted: Alarm = self._loop.create_future()

    def run(self, work: Coroutine[Any, Any, None], ended: Callable[[], None]) -> None:
        """Run work until it ends or halts; call `ended` before what still runs is stopped. Raises `Halted`."""
        try:
            self._loop.run_until_complete(self._see_through(work, ended))
        finally:
            self._loop.close()

    async def halt(self, why: Halted) -> Never:
        """Stop everything where it stands. Whoever calls this goes on no more."""
        self._halt(why)
        await self._loop.create_future()
        raise AssertionError(why)

    def beside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run work beside the rest. What it raises ends the rehearsal: nothing is lost in a task of its own."""
        task = self._loop.create_task(work)
        task.add_done_callback(self._look_after)
        return task

    def alarm(self, moment: datetime) -> Alarm:
        """Return a future that is done at a moment. Cancel one that is not needed any more."""
        alarm: Alarm = self._loop.create_future()
        heapq.heappush(self._alarms, (moment, next(self._numbers), alarm))
        return alarm

    async def pause(self, span: timedelta) -> None:
        """Let a span of time pass."""
        if span > timedelta():
            await self.alarm(self.now + span)

    async def condition(self, ready: Callable[[], bool]) -> None:
        """Wait until something is true. It is looked at whenever nothing else runs."""
        if ready():
            return
        future: Alarm = self._loop.create_future()
        self._conditions[future] = ready
        try:
            await future
        finally:
            del self._conditions[future]

    async def lull(self) -> None:
        """Let everything else that happens at this moment happen first."""
        future: Alarm = self._loop.create_future()
        self._polite.append(future)
        await future

    def idle(self, timeout: float | None) -> None:
        """Make the next thing happen. `timeout` is how long the loop's own timers could wait, in seconds."""
        if not self._meet() and not self._ring(self.now) and not self._yield():
            self._jump(None if timeout is None else self.now + timedelta(seconds=timeout))

    async def _see_through(self, work: Coroutine[Any, Any, None], ended: Callable[[], None]) -> None:
        task = asyncio.ensure_future(work)
        await asyncio.wait({task, self._halted}, return_when=asyncio.FIRST_COMPLETED)
        ended()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for other in others:
            other.cancel()
        halted = self._halted.exception() if self._halted.done() else None
        self._halted.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if halted is not None:
            raise halted
        task.result()

    def _meet(self) -> bool:
        met = [future for future, ready in self._conditions.items() if not future.done() and ready()]
        for future in met:
            future.set_result(None)
        return bool(met)

    def _yield(self) -> bool:
        while self._polite:
            future = self._polite.pop(0)
            if not future.done():
                future.set_result(None)
                return True
        return False

    def _ring(self, latest: datetime) -> bool:
        """Let the next alarm ring, if it is due by then."""
        while self._alarms and self._alarms[0][2].done():
            heapq.heappop(self._alarms)
        if not self._alarms or self._alarms[0][0] > latest:
            return False
        moment, _, alarm = heapq.heappop(self._alarms)
        self.now = max(self.now, moment)
        alarm.set_result(None)
        return True

    def _jump(self, timer: datetime | None) -> None:
        """Go on to the next alarm, or to the loop's own timer where that comes first."""
        if self._ring(timer or LAST):
            return
        if timer is not None:
            self.now = max(timer, self.now + TICK)
        elif self._halted.done():
            raise AssertionError("a task outlives the rehearsal that it belongs to")
        else:
            self._halt(Stalled())

    def _look_after(self, task: asyncio.Task[None]) -> None:
        bug = None if task.cancelled() else task.exception()
        if bug is not None:
            self._halt(bug)

    def _halt(self, why: BaseException) -> None:
        if not self._halted.done():
            self._halted.set_exception(why)


class _Loop(asyncio.SelectorEventLoop):
    """An event loop by the clock's time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        super().__init__(_Idle(clock))

    def time(self) -> float:
        return (self._clock.now - self._clock.start).total_seconds()


class _Idle(selectors.SelectSelector):
    """Where an event loop would sleep, the clock goes on."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            self._clock.idle(timeout)
        return []
