"""Effects that run: a walk that is stopped for a command lets them go on, and the next walk takes them up again.

The law: whoever stops waiting for an effect has either cancelled it or left it here; two never have one name. An agent
that a command ends is given up at once, a tool is waited for, since nobody else knows what is to be undone.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from workflows.interpreter.ending import EffectFailed, Suspended
from workflows.interpreter.ports import Touched


class Effect:
    """One activity, by the path of its step, and whoever waits for it now."""

    def __init__(self, handle: "asyncio.Task[Any]", path: str, *, agent: bool) -> None:
        self.handle = handle
        self.path = path
        self.agent = agent
        self.recalled = False
        """A command ends it: its cancellation is the command's, not the mission's."""
        self._waiting: asyncio.Future[None] | None = None

    async def outcome(self) -> Any:
        """Wait for the activity. Raises `Suspended` where the walk stops, and what `fail` says."""
        self._waiting = asyncio.get_running_loop().create_future()
        self.handle.add_done_callback(self._report)
        try:
            await self._waiting
        except asyncio.CancelledError:
            self.handle.cancel()
        finally:
            self.handle.remove_done_callback(self._report)
            self._waiting = None
        return await self.handle

    def waited_for(self) -> bool:
        return self._waiting is not None

    def fail(self, failure: Exception) -> None:
        """Have whoever waits go on with a failure."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(failure)

    def _report(self, _: "asyncio.Task[Any]") -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class Running:
    """The effects that run, by their activity's id."""

    def __init__(self) -> None:
        self._effects: dict[str, Effect] = {}
        self._left: Counter[str] = Counter()
        """How often an effect of a name was given up: the server may not have heard of its end yet."""

    def take(self, name: str, path: str, begin: Callable[[str], "asyncio.Task[Any]"], *, agent: bool) -> Effect:
        """Return the effect of this name that runs, or begin it under a name that no activity has."""
        if name not in self._effects:
            times = self._left[name]
            self._effects[name] = Effect(begin(f"{name}~again{times}" if times else name), path, agent=agent)
        return self._effects[name]

    def holds(self, name: str) -> bool:
        return name in self._effects

    def over(self, name: str, *, given_up: bool = False) -> None:
        """Forget an effect that nobody waits for any more."""
        self._left[name] += given_up
        self._effects.pop(name, None)

    def suspend(self, touched: Touched) -> None:
        """Stop everybody who waits; end what a command touches."""
        for name, effect in list(self._effects.items()):
            if not touched(effect.path, effect.agent):
                effect.fail(Suspended())
                continue
            effect.recalled = True
            effect.handle.cancel()
            if effect.agent:
                self._give_up(name, effect, Suspended())

    def interrupt(self, name: str, cause: str) -> bool:
        """End an agent, so that its step fails; say whether it was running."""
        effect = self._effects.get(name)
        if effect is None or not effect.agent or not effect.waited_for():
            return False
        effect.handle.cancel()
        self._give_up(name, effect, EffectFailed("interrupted", cause, tried="it was running", applied="no"))
        return True

    async def reported(self, touched: Touched) -> None:
        """Wait until what a command ends has reported, where no walk does."""
        for name, effect in list(self._effects.items()):
            if effect.recalled and touched(effect.path, effect.agent):
                with suppress(Exception, asyncio.CancelledError):
                    await effect.handle
                self.over(name)

    def _give_up(self, name: str, effect: Effect, why: Exception) -> None:
        # What it still says nobody takes; an error that nobody took would be logged.
        effect.handle.add_done_callback(lambda handle: handle.cancelled() or handle.exception())
        effect.fail(why)
        self.over(name, given_up=True)


def activity_id(path: str, generation: int) -> str:
    """Name the activity of a step: the history reads by steps, and a replay that orders them otherwise fails."""
    return f"{path}~{generation}" if generation else path
