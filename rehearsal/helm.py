"""The operators of a rehearsal: each steers when the script says, and what they move.

The law: nobody steers who may not, and a command is taken, refused and carried out by the same code as in a mission
that runs (`workflows/interpreter/command.py`); only signatures are no part of a rehearsal.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from activities.entitled import may_decide
from contracts.call import AgentCall, ToolCall
from contracts.child import Child
from contracts.decision import Ruling
from contracts.step import DEAD_LETTER
from contracts.workspace import PeopleFile
from rehearsal.check import name_of
from rehearsal.clock import Clock
from rehearsal.script import Command
from workflows.governance.control import Control
from workflows.interpreter.command import take
from workflows.interpreter.ending import EffectFailed, Suspended
from workflows.interpreter.ports import Touched
from workflows.interpreter.scope import Scope
from workflows.running import Running, activity_id


class Helm:
    """Says the commands of a script in their order, each once its moment has come."""

    def __init__(self, commands: tuple[Command, ...], people: PeopleFile, clock: Clock) -> None:
        self._left = list(commands)
        self._people = people
        self._clock = clock

    def unsaid(self) -> tuple[Command, ...]:
        return tuple(self._left)

    def begin(self, scope: Scope, ended: Callable[[], bool]) -> None:
        """Start to wait for the moment of the first command. A mission that has `ended` is told nothing more."""
        if self._left:
            self._clock.beside(self._steer(scope, ended))

    async def _steer(self, scope: Scope, ended: Callable[[], bool]) -> None:
        for command in tuple(self._left):
            await self._clock.condition(lambda: _come(command, scope))  # noqa: B023
            await self._clock.pause(command.after)
            await self._clock.lull()
            if ended():
                return
            self._left.remove(command)
            ruling = self._ruling(command, scope)
            if ruling.accepted:
                take(ruling, scope)
            else:
                scope.gates.count(ruling)
            await self._clock.lull()

    def _ruling(self, command: Command, scope: Scope) -> Ruling:
        operators = scope.plan.commanders()
        may = may_decide(command.by, operators, self._people)
        return Ruling(
            accepted=may,
            reason="" if may else f"{command.by} is none of the operators: {', '.join(operators)}",
            person=command.by,
            roles=self._people.people[command.by].roles,
            verb=command.command,
            step=command.at,
            jti=f"command-{len(self._left)}",
            comment=command.comment,
            changes=command.changes,
            received_at=self._clock.now,
        )


def _come(command: Command, scope: Scope) -> bool:
    if command.once == DEAD_LETTER:
        return scope.control.letter is not None
    paths = (record.path for record in scope.journal.records())
    return not command.once or any(command.once in (path, name_of(path)) for path in paths)


class Steered:
    """The part of the ports that a command moves: the walk, and the effects that run."""

    def __init__(self, control: Control, clock: Clock) -> None:
        self._control = control
        self._steered_by = clock
        self._running = Running()
        self.walking: asyncio.Task[Any] | None = None

    def stopping(self) -> bool:
        return self._control.overriding()

    def later(self, seconds: float) -> datetime:
        return self._steered_by.now + timedelta(seconds=seconds)

    def holds(self, path: str, generation: int) -> bool:
        return self._running.holds(activity_id(path, generation))

    def override(self, touched: Touched) -> None:
        self._running.suspend(touched)

    async def reported(self, touched: Touched) -> None:
        await self._running.reported(touched)

    def interrupt(self, path: str, generation: int, cause: str) -> bool:
        return self._running.interrupt(activity_id(path, generation), cause)

    def stop(self) -> None:
        if self.walking is not None:
            self.walking.cancel()

    def tell_child(self, child: Child, token: str) -> None:
        """Tell it nothing: a command is one of the mission that is rehearsed."""

    async def effect(self, call: AgentCall | ToolCall, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Return what comes of an effect, which runs on where a command stops only the walk."""
        name = activity_id(call.path, call.generation)
        agent = isinstance(call, AgentCall)
        effect = self._running.take(name, call.path, lambda _: asyncio.create_task(work()), agent=agent)
        try:
            result = await effect.outcome()
        except Suspended:
            raise
        except asyncio.CancelledError:
            self._running.over(name, given_up=True)
            raise (Suspended() if effect.recalled else asyncio.CancelledError()) from None
        except EffectFailed:
            self._running.over(name)
            raise
        self._running.over(name)
        return result
