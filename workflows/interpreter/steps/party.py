"""Lead a conversation of agents to a recommendation, or to the end of its bounds.

Each turn has a record in the journal, and whoever comes back to a party reads on from there (`transcript.py`). What the
turns come to is `workflows/governance/party.py`; how a facilitator is heard, `floor.py`.
"""

import asyncio
from typing import Any, Literal

from contracts.call import AgentCall
from contracts.definition import PartyStep
from contracts.party import Party, tokens
from contracts.step import ESCALATE
from workflows.governance.party import VOTE, agreeing, agreement, repeated, stalled
from workflows.interpreter.consult import consult
from workflows.interpreter.effort import agent_effort
from workflows.interpreter.ending import StepFailed, Suspended
from workflows.interpreter.floor import Floor
from workflows.interpreter.join import run_all
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope
from workflows.interpreter.transcript import Transcript

Kind = Literal["turn", "moderation", "judgement"]
Ended = dict[str, Any]
"""What a round came to: nothing, or `vote: true`, or under `end` how the party ended, of which its result is made."""


async def run_party(step: PartyStep, path: str, scope: Scope) -> Outcome:
    """Let them talk; a party that has talked answers from its record."""
    record = scope.journal.get(path)
    result = record.output if record is not None else None
    if result is None:
        result = await _talked(step.party, path, scope)
        scope.journal.update(path, output=result)
    if result["by"] == "stall":
        if step.output:
            # Whoever is asked how to go on sees where they stand.
            scope.variables.values[step.output] = result
        # A party that does not say when it has stalled does not say either where that leads.
        way = step.party.on_stall if step.party.stall is not None else ESCALATE
        await scope.run_target(way, f"{path}/on_stall", scope)
    return Outcome(output=result, kept=result)


async def _talked(party: Party, path: str, scope: Scope) -> dict[str, Any]:
    talk = Talk(party, path, scope)
    await talk.floor.open()
    try:
        result = await talk.result()
    except (Suspended, GeneratorExit):  # Thrown away, it writes nothing down: another worker goes on.
        raise
    except BaseException:
        talk.floor.close()
        raise
    talk.floor.close()
    return result


class Talk:
    """One party that talks."""

    def __init__(self, party: Party, path: str, scope: Scope) -> None:
        self.party = party
        self.path = path
        self.scope = scope
        self.topic = scope.text(party.topic, path)
        self.context = scope.context(party.context, path)
        self.floor = Floor(party, self.topic, path, scope)
        self.said = Transcript(party, path, scope)

    async def result(self) -> dict[str, Any]:
        """Hold round after round until one ends the party."""
        for number in range(1, self.party.rounds + 1):
            ended = await self._kept(f"{self.path}[{number}]", number)
            if ended.get("vote"):
                ended = await self._kept(f"{self.path}/vote", VOTE)
            if "end" in ended:
                return self.said.result(**ended["end"])
        return self.said.result("rounds")

    async def _kept(self, here: str, number: int) -> Ended:
        """Hold a round, or answer from its record what it came to."""
        settled = self.scope.journal.settled(here)
        if settled is not None:
            return dict(settled.output)
        if self.scope.journal.get(here) is None:
            await self.scope.begin_effect()
        self.scope.journal.start(here, "round", "", self.scope.ports.now())
        ended = await (self._voted(here) if number == VOTE else self._round(here, number))
        self.scope.journal.finish(here, "succeeded", self.scope.ports.now(), output=ended)
        self.scope.ports.changed()
        return ended

    async def _round(self, here: str, number: int) -> Ended:
        if self.party.turns == "all":
            ended = await self._all(here, number)
        elif self.party.turns == "moderator":
            ended = await self._moderated(here, number)
        else:
            ended = await self._in_turn(self.party.members, here, number)
        return ended or self._stopped(number) or await self._weighed(here, number)

    async def _in_turn(self, members: tuple[str, ...], here: str, number: int) -> Ended:
        for member in members:
            ended = self._before([member], here, number)
            if ended:
                return ended
            await self._speak("turn", member, here, number)
        return {}

    async def _all(self, here: str, number: int) -> Ended:
        ended = self._before(self.party.members, here, number)
        if not ended:
            await run_all([lambda one=one: self._speak("turn", one, here, number) for one in self.party.members])  # type: ignore[misc]
        return ended

    async def _moderated(self, here: str, number: int) -> Ended:
        moderator = self.party.moderator or ""
        ended = self._before([moderator], here, number)
        if ended:
            return ended
        picked = await self._speak("moderation", moderator, here, number)
        return await self._in_turn((picked["next"],), here, number)

    async def _voted(self, here: str) -> Ended:
        """Ask everyone once more, at once; what they agree on then is the result, or nothing is."""
        ended = await self._all(here, VOTE)
        ended = ended or await self._consensus(here, VOTE, last=True)
        return ended or ending("vote")

    async def _weighed(self, here: str, number: int) -> Ended:
        """Say what a round came to. A facilitator's word that nobody has answered yet is answered first."""
        last = number == self.party.rounds
        if not last and (number < self.party.least_rounds or self.said.unanswered()):
            return {}
        ended = await self._consensus(here, number, last=last)
        if not ended and (stalled(self.party, self.said.words(), number) or self._repeated(number)):
            return ending("stall")
        return ended

    def _repeated(self, number: int) -> bool:
        """Whether all only say again what they said, in a party that does not say itself when it has stalled."""
        return self.party.stall is None and self.scope.limits.ladder and repeated(self.said.words(), number)

    async def _consensus(self, here: str, number: int, *, last: bool) -> Ended:
        if self.party.judge:
            return await self._judged(self.party.judge, here, number, last=last)
        held = self.said.held()
        found = agreement(self.party, held)
        if found is None:
            return {}
        position, agreed = found
        reasons = [reason for member in agreed for reason in held[member]["reasons"]]
        return ending(self.party.consensus, position, agreed, reasons)

    async def _judged(self, judge: str, here: str, number: int, *, last: bool) -> Ended:
        ended = self._before([judge], here, number)
        if ended:
            return ended
        said = await self._speak("judgement", judge, here, number, last=last)
        if not said["settled"]:
            return {}
        agreed = agreeing(self.party, self.said.held(), said)
        return ending("judge", said["recommendation"], agreed, said["reasons"])

    # what stops it

    def _before(self, agents: list[str] | tuple[str, ...], here: str, number: int) -> Ended:
        """Say what ends the party before these speak. What has been said once is never stopped."""
        left = [agent for agent in agents if self.scope.journal.settled(f"{here}/{agent}") is None]
        if not left:
            return {}
        return self._stopped(number) or self._over_budget(left, here, number)

    def _stopped(self, number: int) -> Ended:
        self.floor.take_in()
        if self.floor.asked("end"):
            return ending("facilitator")
        return {"vote": True} if number != VOTE and self.floor.asked("call_vote") else {}

    def _over_budget(self, agents: list[str], here: str, number: int) -> Ended:
        wanted = sum(asking(self._call(agent, here, number)) for agent in agents)
        return ending("tokens") if self.said.spent() + wanted > self.party.tokens else {}

    # one turn

    async def _speak(self, kind: Kind, name: str, here: str, number: int, *, last: bool = False) -> dict[str, Any]:
        """Let an agent speak, and write it down; what has been said is read."""
        path, journal, clock = f"{here}/{name}", self.scope.journal, self.scope.ports
        settled = journal.settled(path)
        if settled is not None:
            return dict(settled.output)
        await self.scope.begin_effect()
        journal.start(path, kind, name, clock.now())
        self.scope.ports.changed()
        call = self._call(name, here, number, last=last)
        try:
            answer = await consult(call, agent_effort(call.agent, None, None), self.scope)
        except StepFailed as failed:
            journal.finish(path, "failed", clock.now(), failure=failed.failure)
            raise
        except asyncio.CancelledError:
            journal.finish(path, "cancelled", clock.now())
            raise
        asked = max(answer.usage.agent_runs, 1)
        used = answer.usage.tokens or asked * asking(call) + tokens(answer.output)
        usage = answer.usage.model_copy(update={"tokens": used})
        journal.finish(
            path, "succeeded", clock.now(), output=answer.output, observations=answer.observations, usage=usage
        )
        self.scope.ports.changed()
        return dict(answer.output)

    def _call(self, name: str, here: str, number: int, *, last: bool = False) -> AgentCall:
        """Return what an agent is asked: the topic, the context, and as much of the transcript as fits its window."""
        party = self.party
        transcript, left_out = self.said.in_window()
        about = {
            "you": name,
            "members": list(party.members),
            "options": list(party.options),
            "round": number or "vote",
            "rounds": party.rounds,
            "last": last or number in (VOTE, party.rounds),
            "transcript": transcript,
            "left_out": left_out,
        }
        contract = self.scope.plan.agents[name]
        return AgentCall(
            mission=self.scope.mission.id,
            path=f"{here}/{name}",
            name=name,
            agent=contract.model_copy(update={"output": party.schema_for(name)}),
            task=self.topic,
            context={**self.context, "party": about},
        )


def ending(
    by: str, position: str | None = None, agreed: tuple[str, ...] = (), reasons: list[str] | None = None
) -> Ended:
    """Return that the party ends here. Without a position it recommends nothing."""
    return {"end": {"by": by, "position": position, "agreed": list(agreed), "reasons": reasons or []}}


def asking(call: AgentCall) -> int:
    """Return the tokens of what an agent is given."""
    return tokens(call.task) + tokens(call.context)
