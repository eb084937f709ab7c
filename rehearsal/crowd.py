"""The people of a rehearsal: each speaks when a gate has waited as long as the script says.

The law: nobody decides who may not. The rules are those of the real judge (`activities/entitled.py`); only signatures
are no part of a rehearsal. What nobody decides runs to its deadline.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime

from activities.entitled import why_not_again, why_not_content, why_not_delegate, why_not_person
from contracts.decision import Opening, Ruling
from contracts.workspace import PeopleFile
from rehearsal.check import name_of
from rehearsal.clock import Clock
from rehearsal.script import Decision
from workflows.governance.tally import Gatebook


class Crowd:
    """Watches the gates and speaks at them. `asked` are all openings so far."""

    def __init__(self, decisions: Iterable[Decision], people: PeopleFile, clock: Clock, gates: Gatebook) -> None:
        self._script = tuple(decisions)
        self._left = list(self._script)
        self._spoken: set[int] = set()
        self.asked: list[Opening] = []
        self._people = people
        self._clock = clock
        self._gates = gates
        self._attended: dict[str, asyncio.Task[None]] = {}
        self._nonces: set[str] = set()

    def unspoken(self) -> tuple[Decision, ...]:
        """Return the decisions that nobody has made."""
        return tuple(one for one in self._script if id(one) not in self._spoken)

    def look(self) -> None:
        """Note the gates that have opened, and let somebody wait at each."""
        for opening in self._gates.openings():
            if opening.nonce not in self._nonces:
                self._nonces.add(opening.nonce)
                self.asked.append(opening)
                path = opening.subject.step
                if path not in self._attended or self._attended[path].done():
                    self._attended[path] = self._clock.beside(self._attend(path, opening.opened_at))

    async def _attend(self, path: str, since: datetime) -> None:
        """Speak in turn, each as long after the one before as the script says, while the gate is open."""
        # Who was not heard at a gate that has just closed is free for this one, and comes first.
        await self._clock.lull()
        while self._gates.get(path) is not None and (decision := self._next(path)) is not None:
            since += decision.after
            self._left.remove(decision)
            if not await self._speak(decision, path, since):
                self._left.insert(0, decision)
                return

    async def _speak(self, decision: Decision, path: str, moment: datetime) -> bool:
        """Decide at a moment, and let the mission take it in; return whether the gate was still open then."""
        alarm = self._clock.alarm(moment)
        await self._clock.condition(lambda: alarm.done() or self._gates.get(path) is None)
        alarm.cancel()
        if self._gates.get(path) is None:
            return False
        # What else happens at this moment comes first: a deadline does, and the gate may be another by then.
        await self._clock.lull()
        opening = self._gates.get(path)
        if opening is None:
            return False
        self._spoken.add(id(decision))
        self._gates.count(self._ruling(decision, opening))
        await self._clock.lull()
        return True

    def _next(self, path: str) -> Decision | None:
        return next((one for one in self._left if one.at in (path, name_of(path))), None)

    def _ruling(self, decision: Decision, opening: Opening) -> Ruling:
        by, changes = decision.by, decision.changes
        reason = (
            why_not_person(by, opening.subject, self._people)
            or why_not_again(by, opening, decision.decide)
            or why_not_content(opening, decision.decide, changes, decision.comment, decision.to, answer=decision.answer)
        )
        if not reason and decision.decide == "delegate":
            reason = why_not_delegate(by, decision.to, opening, self._people)
        return Ruling(
            accepted=not reason,
            reason=reason,
            person=by,
            roles=self._people.people[by].roles,
            verb=decision.decide,
            step=opening.subject.step,
            nonce=opening.nonce,
            digest=opening.digest,
            jti=f"{opening.nonce}-{len(self._spoken)}",
            comment=decision.comment,
            changes=changes,
            to=decision.to,
            answer=decision.answer,
            received_at=self._clock.now,
        )
