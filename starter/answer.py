"""How the demo answers a gate: with what DECIDE says, or by asking the person at the terminal.

It signs with the keys of the demo's people, all of which lie in this home; the mission checks each as any other.
"""

import asyncio
import json
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from temporalio.client import Client

from activities import keys
from activities.entitled import why_not_person
from contracts.decision import Opening, Receipt, Verb
from contracts.workspace import PeopleFile
from runtime.settings import Settings
from starter import render, shown
from starter.beside import Told, tell
from starter.escape import command, visible
from starter.problem import Problem, Refused
from starter.prompt import ask, someone_is_there
from starter.seen import demand_seen
from starter.sign import AFTER, Wish, prepare, send, signed
from starter.state import read_gates
from starter.terms import empty

LOOK = 1.0
"""Seconds between two looks at a gate whose question is on the screen."""
LETTERS: dict[str, Verb] = {"a": "approve", "r": "reject", "m": "modify"}
SCRIPTED_NOTE = " Changed at the gate: keep forensic access open."
SCRIPTED_COMMENT = {
    "approve": "evidence checked",
    "reject": "not convinced by the evidence",
    "modify": "with a note for forensics",
}


class Moved(Exception):
    """Somebody else has decided at the gate, or steered the mission away from it."""


@dataclass
class Answerer:
    """Answers gates for the demo. `scripted` is the verb that DECIDE named, or empty."""

    client: Client
    settings: Settings
    people: PeopleFile
    out: Console
    scripted: str = ""
    _modified: set[str] = field(default_factory=set)

    async def answer(self, opening: Opening) -> bool | None:
        """Show a gate and settle it; False when it is left waiting, None when it has moved meanwhile."""
        told = await tell(self.client, opening)
        self.out.print()
        if not self.scripted:
            self.out.print(shown.context(opening, told=told))
        self.out.print(shown.opening(opening, told=told))
        person = self._person(opening)
        try:
            while (wish := await self._wish(opening, person)) is not None:
                try:
                    return self._tell(await self._send(opening, told, person, wish))
                except Problem as error:
                    self.out.print(f"  {visible(str(error))}", style="red", markup=False)
                    if self.scripted:
                        raise
        except Moved:
            self.out.print("\n  meanwhile, from elsewhere:\n", style="dim")
            return None
        return False

    def _person(self, opening: Opening) -> str:
        """Return somebody with a key here who may decide and has not yet; for an empty seat, if there is one."""
        subject, voted = opening.subject, {vote.person for vote in opening.words()}
        able = [
            name
            for name in self.people.people
            if keys.private_path(self.settings.home, name).exists()
            and name not in voted
            and not why_not_person(name, subject, self.people)
        ]
        missing = set(empty(opening))
        able.sort(key=lambda name: missing.isdisjoint(self.people.people[name].roles))
        if able:
            return able[0]
        raise Refused(f"nobody here has a key and may decide at {subject.step}: {' or '.join(subject.approvers)}")

    async def _wish(self, opening: Opening, person: str) -> Wish | None:
        if opening.subject.kind == "task":
            how = command("answer", opening.subject.mission, opening.subject.step)
            self.out.print(f"  it asks for an answer: {how} --file FILE --as {visible(person)}", markup=False)
            return None
        if self.scripted:
            return self._scripted(opening)
        if not someone_is_there():
            return None
        self.out.print(f"  you decide as [bold]{visible(person)}[/bold]")
        return await self._while_open(opening, self._asked(opening))

    async def _while_open(self, opening: Opening, asking: Coroutine[Any, Any, Wish | None]) -> Wish | None:
        """Ask for as long as the question stands. Raises `Moved`."""
        asked, moved = asyncio.create_task(asking), asyncio.create_task(self._closed(opening))
        try:
            await asyncio.wait({asked, moved}, return_when=asyncio.FIRST_COMPLETED)
            if not asked.done():
                raise Moved
            return asked.result()
        finally:
            for task in (asked, moved):
                task.cancel()
            await asyncio.gather(asked, moved, return_exceptions=True)

    async def _closed(self, opening: Opening) -> None:
        """Wait until an opening is open no more."""
        while True:
            with suppress(Problem):  # Whoever cannot be asked now is asked again.
                gates = await read_gates(self.client, opening.subject.mission, whole=False)
                if opening.nonce not in {gate.nonce for gate in gates}:
                    return
            await asyncio.sleep(LOOK)

    async def _asked(self, opening: Opening) -> Wish | None:
        can_modify = opening.input_schema is not None
        words = "[a]pprove, [r]eject, " + ("[m]odify, " if can_modify else "") + "[l]eave it waiting: "
        while True:
            letter = (await ask(f"  {words}")).lower()[:1]
            if letter in {"l", ""}:
                return None
            if letter in LETTERS and (letter != "m" or can_modify):
                return await _asked(LETTERS[letter], opening)

    def _scripted(self, opening: Opening) -> Wish:
        """Return what DECIDE says. What it modified, and what it cannot modify, it approves."""
        step, arguments = opening.subject.step, opening.subject.arguments or {}
        text = next((name for name, value in arguments.items() if name == "reason" and isinstance(value, str)), None)
        if self.scripted == "modify" and text and step not in self._modified and opening.input_schema:
            self._modified.add(step)
            return Wish("modify", SCRIPTED_COMMENT["modify"], {text: str(arguments[text]) + SCRIPTED_NOTE})
        verb: Verb = "reject" if self.scripted == "reject" else "approve"
        return Wish(verb, SCRIPTED_COMMENT[verb])

    async def _send(self, opening: Opening, told: Told, person: str, wish: Wish) -> Receipt:
        claims = prepare(opening, wish, person)
        self.out.print(render.indented(shown.claims(claims)))
        if wish.verb == "approve" and not self.scripted:
            await demand_seen(opening, told, "", self.out)
        return await send(self.client, claims, signed(person, claims))

    def _tell(self, receipt: Receipt) -> bool:
        if not receipt.accepted:
            raise Refused(f"refused: {receipt.reason}")
        self.out.print(f"  [green]●[/green] accepted; {AFTER.get(receipt.state, visible(receipt.state))}\n")
        return True


async def _asked(verb: Verb, opening: Opening) -> Wish:
    changes = await _changes(opening) if verb == "modify" else None
    comment = await ask("  why? ")
    while verb == "reject" and not comment:
        comment = await ask("  a rejection needs its reason: ")
    return Wish(verb, comment, changes)


async def _changes(opening: Opening) -> dict[str, Any]:
    actions = {action.step: action.arguments for action in opening.subject.actions}
    if not actions:
        return await _changed(opening.subject.arguments or {})
    while True:
        step = await ask(f"  which action ({', '.join(visible(one) for one in actions)})? ")
        if step in actions:
            return {step: await _changed(actions[step])}


async def _changed(arguments: dict[str, Any]) -> dict[str, Any]:
    while True:
        name = await ask(f"  which argument ({', '.join(visible(one) for one in arguments)})? ")
        if name in arguments:
            return {name: _value(await ask(f"  new {visible(name)}: "), arguments[name])}


def _value(text: str, before: Any) -> Any:
    """Read a typed value: text stays text, anything else is JSON when it can be."""
    if isinstance(before, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
