"""Whether policy lets somebody read a mission: what it made, its record, or what waits at a gate of it.

The law: what a verb shows of a mission it asks for first, and what it may not show it leaves out and says so. Who reads
by other ways than these verbs is held by what else guards the server and the keys of its contents; the Web UI's way is
`runtime/codec_server.py`.
"""

from typing import TYPE_CHECKING, Any, Literal

from starter.connect import described, settings
from starter.output import note
from starter.problem import Refused

if TYPE_CHECKING:
    from temporalio.client import Client

    from activities.policy import Policy
    from contracts.decision import Subject
    from contracts.policy import Answer

Verb = Literal["read_outputs", "read_audit"]
DECIDING = ("approve", "reject", "answer")
"""Whoever may say one of these at a gate has to see what it is about."""


def policy() -> "Policy":
    """Return the policies of this workspace. Where somebody must have signed them, they count only then."""
    from activities.people import Directory
    from activities.policy import Policy
    from language.finding import Rejected
    from language.workspace import load_sinks

    place = settings()
    try:
        _, security = load_sinks(place.workspace)
    except Rejected as rejected:
        raise Refused(str(rejected.findings[0])) from None
    return Policy(place.workspace, Directory(*place.people_files()), {}, {}, security.require_signed)


async def demand_reading(client: "Client", mission: str, verb: Verb) -> None:
    """Refuse to show what `GONOGO_PERSON` may not read of a mission that the server knows."""
    from runtime.reading import kind_of

    demand_reading_of(*kind_of(await described(client, mission)), verb)


def demand_reading_of(name: str, team: str, verb: Verb) -> None:
    """Refuse to show what `GONOGO_PERSON` may not read of missions of a name, in a team."""
    if why := Reading().why_not(name, team, verb):
        raise Refused(why)


class Reading:
    """What one person may see, by default `GONOGO_PERSON`. What is left out is remembered, to be told once."""

    def __init__(self, person: str = "") -> None:
        self._person = person or settings().person
        self._policy = policy()
        self._known: dict[tuple[str, str, Verb], str] = {}
        self._left_out: dict[str, None] = {}

    def why_not(self, name: str, team: str, verb: Verb) -> str:
        """Return why they may not read missions of a name, in a team; nothing where they may."""
        from contracts.policy import Question

        known = (name, team, verb)
        if known not in self._known:
            asked = Question(verb=verb, who=self._person, what=name, team=team)
            self._known[known] = self._refused(self._policy.ask(asked))
        return self._known[known]

    def reads(self, run: Any) -> bool:
        """Whether they may read what the mission of a run made that the server lists; if not, it is left out."""
        from runtime.reading import kind_of

        return self.reads_of(*kind_of(run), "read_outputs")

    def reads_of(self, name: str, team: str, verb: Verb) -> bool:
        """Whether they may read missions of a name, in a team; if not, that is left out."""
        return self._sees(self.why_not(name, team, verb))

    def why_no_gate(self, subject: "Subject", kind: tuple[str, str]) -> str:
        """Return why they may not see an open gate of such a mission: whoever may decide there sees it."""
        from activities.entitled import why_not_person
        from activities.identity import decision
        from starter.people import directory

        why = self.why_not(*kind, "read_outputs")
        people = directory()
        if not why or self._person not in people.people or why_not_person(self._person, subject, people):
            return why
        asked = (decision(self._person, verb, subject, *kind) for verb in DECIDING)
        return "" if any(self._policy.ask(one).allowed() for one in asked) else why

    def sees(self, subject: "Subject", kind: tuple[str, str]) -> bool:
        """Whether they may see an open gate; if not, it is left out."""
        return self._sees(self.why_no_gate(subject, kind))

    def tell(self) -> None:
        """Say what was left out, and why."""
        for why in self._left_out:
            note(f"left out: {why}")

    def _sees(self, why: str) -> bool:
        if why:
            self._left_out[why] = None
        return not why

    def _refused(self, answer: "Answer") -> str:
        hint = "" if self._person else "; set GONOGO_PERSON to say who reads"
        return "" if answer.allowed() else f"{answer}{hint}"
