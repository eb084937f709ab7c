"""Let a named facilitator speak while a party talks: an opening that asks for nothing and stays open.

The law: only what the judge of decisions accepted is heard, and it takes effect between turns, in the order in which it
was ruled on. What was heard stands in the journal, so that a walk over it comes to the same.
"""

from contracts.decision import Verb
from contracts.party import Party
from workflows.interpreter.ask import Question, opened
from workflows.interpreter.scope import Scope


class Floor:
    """The opening of one party. A party without a facilitator has none."""

    def __init__(self, party: Party, topic: str, path: str, scope: Scope) -> None:
        self._party = party
        self._topic = topic
        self._path = path
        self._scope = scope

    async def open(self) -> None:
        """Open it, unless the run before has."""
        if not self._party.facilitator or self._scope.gates.get(self._path) is not None:
            return
        await self._scope.begin_effect()
        rungs = ((self._party.facilitator, None),)
        question = Question(kind="facilitation", message=self._topic, rungs=rungs, context={})
        self._scope.gates.open(opened(question, self._path, 0, self._scope))
        self._scope.ports.changed()

    def close(self) -> None:
        """Close it; what was still said is kept."""
        self.take_in()
        self._scope.gates.close(self._path)

    def take_in(self) -> None:
        """Write down what has been said since the last turn."""
        opening, now = self._scope.gates.get(self._path), self._scope.ports.now()
        for number, vote in enumerate(opening.votes if opening else (), start=1):
            here = f"{self._path}/facilitator[{number}]"
            if self._scope.journal.get(here) is None:
                self._scope.journal.start(here, "interjection", vote.person, vote.received_at or now)
                said = {"verb": vote.verb, "text": vote.comment}
                self._scope.journal.finish(here, "succeeded", now, output=said, decisions=(vote,))
                self._scope.ports.changed()

    def asked(self, verb: Verb) -> bool:
        """Say whether somebody has asked for this, in what is written down."""
        mine = f"{self._path}/facilitator["
        return any(
            record.kind == "interjection" and record.path.startswith(mine) and record.output["verb"] == verb
            for record in self._scope.journal.records()
        )
