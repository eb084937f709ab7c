"""What operators have said of a mission: whether it is paused, what is to be done to it next, what was.

The law: commands are carried out one after the other, in the order in which they were ruled on, and each leaves a note.
Pure; what a command does to the journal is `workflows/interpreter/command.py`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from contracts.call import Usage
from contracts.command import KEPT_COMMANDS, MOST_GUIDANCE, CommandNote, Controls, DeadLetter, Pause
from contracts.decision import Ruling
from contracts.record import inside


class Control:
    """The state of an operator's hand on a mission. `state` is all of it, and goes from run to run."""

    def __init__(self, state: Controls | None = None) -> None:
        self.state = state or Controls()
        self.carrying = False
        """A command is being carried out: what is due waits for it."""
        self.unread: list[int] = []
        """Resets that this run has met, and whose past has not been read yet."""

    @property
    def paused(self) -> Pause | None:
        return self.state.paused

    @property
    def letter(self) -> DeadLetter | None:
        return self.state.letter

    def stopped(self) -> bool:
        """Whether the mission was stopped from outside, and nobody has said yet that it goes on."""
        return bool(self.unread) or (self.letter is not None and self.letter.outside)

    def begun(self, path: str) -> bool:
        """Whether an action at a path or inside it had been asked for when the mission was stopped from outside."""
        return any(one == path or one.startswith(inside(path)) for one in self.state.begun)

    def close_letter(self) -> None:
        """Let the mission go on from its dead letter."""
        self.put(letter=None, begun=())

    def due(self) -> Ruling | None:
        """Return the command that is to be carried out next."""
        return self.state.due[0] if self.state.due else None

    def overriding(self) -> bool:
        """Whether the walk is to stop, so that a command can be carried out."""
        return bool(self.state.due) and not self.carrying

    def put(self, **fields: Any) -> None:
        """Change the state."""
        self.state = self.state.model_copy(update=fields)

    def note(self, ruling: Ruling, at: datetime, *, before: str = "", after: str = "", refused: str = "") -> None:
        """Keep for the record what became of a command."""
        number = self.state.number + 1
        note = CommandNote(
            number=number,
            verb=ruling.verb or "",
            step=ruling.step,
            by=ruling.person,
            reason=ruling.comment,
            changes=ruling.changes,
            at=at,
            before=before,
            after=after,
            refused=refused,
            jti=ruling.jti,
        )
        self.put(number=number, notes=(*self.state.notes, note)[-KEPT_COMMANDS:])

    def queue(self, ruling: Ruling) -> None:
        """Have a command carried out when its turn comes. Its token is needed no more."""
        self.put(due=(*self.state.due, ruling.model_copy(update={"token": ""})))

    def done(self) -> None:
        """Take the command that was carried out from the queue."""
        self.put(due=self.state.due[1:])

    def same(self, ruling: Ruling) -> Ruling | CommandNote | None:
        """Return a command that says the same and is still to be carried out, or waits for a quorum."""
        waiting = (*self.state.due, *self.state.asking)
        return next((one for one in waiting if _content(one) == _content(ruling)), None)

    def advise(self, path: str, text: str) -> None:
        """Keep a note for the agent at a step."""
        known = [one for one in self.state.guidance.get(path, ()) if one != text]
        self.put(guidance={**self.state.guidance, path: (*known, text)[-MOST_GUIDANCE:]})

    def lay_over(self, path: str, given: dict[str, Any]) -> None:
        """Keep what is laid over the input of a step that is tried again."""
        self.put(inputs={**self.state.inputs, path: given})

    def escalate(self, path: str) -> None:
        """Let people say how a step's failure is to be taken."""
        self.put(escalated=tuple(dict.fromkeys((*self.state.escalated, path))))

    def forget(self, paths: Iterable[str], usage: Usage) -> None:
        """Keep the cost of records that were dropped; what was said of their escalation is over."""
        gone = set(paths)
        left = tuple(path for path in self.state.escalated if path not in gone)
        self.put(spent=self.state.spent.plus(usage), escalated=left)

    def refuse_rest(self, at: datetime, reason: str) -> None:
        """Refuse what can no longer be carried out: the mission has come to its end."""
        for ruling in (*self.state.due, *self.state.asking):
            self.note(ruling, at, refused=reason)
        self.put(due=(), asking=(), letter=None, paused=None)


def late(ruling: Ruling, state: str) -> Ruling:
    """Return the refusal of a command that came when a mission was over, or was being undone."""
    reason = f"the mission is {state.replace('_', ' ')}: it takes no command any more"
    return unfit(ruling, reason)


def unfit(ruling: Ruling, reason: str) -> Ruling:
    """Return an accepted command as one that is refused after all."""
    return ruling.model_copy(update={"accepted": False, "reason": reason})


def _content(ruling: Ruling) -> tuple[Any, ...]:
    return (ruling.verb, ruling.step, ruling.changes)
