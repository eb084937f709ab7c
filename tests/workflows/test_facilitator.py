"""A party on a real server: who may speak in it, over hand-overs, and that it replays."""

import asyncio

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.utils import base64url_decode
from temporalio.client import WorkflowFailureError

from activities import keys
from activities.statement import seal
from contracts.decision import Claims
from contracts.plan import Limits
from contracts.view import MissionState
from tests.workflows.house import Activities, house
from tests.workflows.record_histories import agent, stance, talking
from tests.workflows.test_continue import chain
from tests.workflows.test_mission import replays


class Members:
    """Members who say no until the vote; each turn waits to be let through."""

    def __init__(self, *, free: bool = False) -> None:
        self.begun: list[str] = []
        self.heard: dict[str, list[str]] = {}
        self._doors = asyncio.Semaphore(10_000 if free else 0)

    def answers(self) -> Activities:
        return Activities(agents=dict.fromkeys(("ann", "ben"), self._turn))

    def let_through(self, number: int = 1) -> None:
        for _ in range(number):
            self._doors.release()

    async def until(self, path: str) -> None:
        async with asyncio.timeout(20):
            while path not in self.begun:
                await asyncio.sleep(0.01)

    async def _turn(self, call):
        party = call.context.get("party", {"transcript": []})
        self.heard[call.path] = [said["text"] for said in party["transcript"] if said.get("facilitator")]
        self.begun.append(call.path)
        if "party" in call.context:
            await self._doors.acquire()
        return stance("yes" if party.get("round") == "vote" else call.name)


def in_another_s_name(home, token, name):
    """Sign what somebody said once more with their own key, as if another had said it."""
    said = Claims.model_validate_json(base64url_decode(token.split(".")[1]))
    key = load_pem_private_key(keys.private_path(home, said.iss).read_bytes(), None)
    kid = keys.kid(keys.registered(home).people[said.iss].keys[0])
    return seal(key, kid, said.model_copy(update={"iss": name}))


async def test_what_a_facilitator_says_during_a_turn_is_heard_from_the_next_on(client, home):
    members = Members()
    async with house(client, home, members.answers()) as h:
        started = await h.start([talking(facilitator=["lou"]), agent("after")])
        await members.until("talk[1]/ann")
        opening = await started.until()
        said = await started.decide(opening, "lou", "interject", comment="Mind the audit")
        again = await started.decide(opening, "lou", "interject", comment="And the price")
        view = await started.state()
        members.let_through()
        await members.until("talk[1]/ben")
        called = await started.decide(opening, "lou", "call_vote")
        members.let_through(3)
        await started.result()
        ended = await started.state()
        await replays(started.handle)

    assert [("heard", True)] * 3 == [(one.state, one.accepted) for one in (said, again, called)]
    assert MissionState.RUNNING == view.state
    assert ([], ["Mind the audit", "And the price"]) == (members.heard["talk[1]/ann"], members.heard["talk[1]/ben"])
    assert ["talk[1]/ann", "talk[1]/ben", "talk/vote/ann", "talk/vote/ben", "after"] == sorted(
        members.begun, key=lambda path: ("[" not in path, path == "after", path)
    )
    [talk] = [record for record in ended.records if record.path == "talk"]
    assert ("yes", "unanimous") == (talk.output["recommendation"], talk.output["by"])
    spoken = [record for record in ended.records if record.kind == "interjection"]
    assert [("lou", "interject"), ("lou", "interject"), ("lou", "call_vote")] == [
        (record.actor, record.decisions[0].verb) for record in spoken
    ]


async def test_nobody_else_is_taken_for_the_facilitator(client, home):
    members = Members()
    async with house(client, home, members.answers()) as h:
        started = await h.start([talking(facilitator=["lou", "rita"]), agent("after")])
        await members.until("talk[1]/ann")
        opening = await started.until()
        token = started.token(opening, "lou", "interject")
        posing = in_another_s_name(home, started.token(opening, "eve", "end"), "lou")
        _, body, tail = started.token(opening, "lea", "end").split(".")
        receipts = {
            "another lead": await started.decide(opening, "lea", "end"),
            "the requester": await started.decide(opening, "rita", "end"),
            "in another's name": await started.send(posing),
            "a forger": await started.send(".".join((token.split(".", maxsplit=1)[0], body, tail))),
            "an approval": await started.decide(opening, "lou", "approve"),
            "no word": await started.decide(opening, "lou", "interject", comment=" "),
            "another opening": await started.decide(opening, "lou", "end", nonce="other"),
            "another party": await started.decide(opening, "lou", "end", step="talk[1]"),
        }
        first, second = await started.send(token), await started.send(f"{token}")
        members.let_through(100)
        await started.result()
        view = await started.state()
        await replays(started.handle)

    assert dict.fromkeys(receipts, False) == {name: receipt.accepted for name, receipt in receipts.items()}
    assert "lea is none of the approvers: lou, rita" == receipts["another lead"].reason
    assert "rita requested this mission and may not decide in it" == receipts["the requester"].reason
    assert "the decision is to approve, which nobody can at a party that talks" == receipts["an approval"].reason
    assert (True, True) == (first.accepted, second.accepted)
    assert 1 == len([record for record in view.records if record.kind == "interjection"])
    assert len(members.begun) == 4 * 2 + 1


async def test_a_facilitator_s_word_is_no_decision_at_a_gate(client, home):
    gate = {"kind": "gate", "step": "ask", "gate": {"approvers": ["lead"], "timeout": "30m"}}
    async with house(client, home) as h:
        started = await h.start([gate])
        opening = await started.until()
        refused = await started.decide(opening, "lea", "call_vote")
        taken = await started.decide(opening, "lea", "approve")
        await started.result()

    assert "the decision is to call vote, which nobody can at a gate" == refused.reason
    assert taken.accepted


@pytest.mark.parametrize("turns", ["round_robin", "all"])
@pytest.mark.parametrize("events", [16, 4000])
async def test_however_often_it_is_handed_over_each_turn_is_taken_once(client, home, events, turns):
    members = Members(free=True)
    async with house(client, home, members.answers()) as h:
        started = await h.start(
            [talking(facilitator=["lou"], rounds=9, turns=turns), agent("after")], Limits(events_per_run=events)
        )
        result = await started.result()
        runs = await chain(client, started.handle)
        for run in runs:
            await replays(run)

    assert ("completed", len(runs)) == (result.state, result.runs)
    assert (events < 100) == (len(runs) > 2)
    assert len(members.begun) == len(set(members.begun)) == 9 * 2 + 1


async def test_words_that_wait_while_the_run_is_handed_over_are_heard_in_the_next(client, home):
    members = Members()
    async with house(client, home, members.answers()) as h:
        started = await h.start([talking(facilitator=["lou"]), agent("after")], Limits(decisions_per_run=1))
        await members.until("talk[1]/ann")
        opening = await started.until()
        said = await started.decide(opening, "lou", "interject", comment="Mind the audit")
        members.let_through()
        await members.until("talk[1]/ben")
        after = await started.until()
        called = await started.decide(opening, "lou", "call_vote")
        members.let_through(3)
        result = await started.result()
        runs = await chain(client, started.handle)
        for run in runs:
            await replays(run)

    assert (opening.nonce, opening.digest) == (after.nonce, after.digest)
    assert (True, True) == (said.accepted, called.accepted)
    assert 3 == result.runs == len(runs)
    assert ["Mind the audit"] == members.heard["talk[1]/ben"]
    assert {"talk/vote/ann", "talk/vote/ben"} <= set(members.begun)


async def test_a_cancelled_party_leaves_nothing_open(client, home):
    members = Members()
    async with house(client, home, members.answers()) as h:
        started = await h.start([talking(facilitator=["lou"])])
        await members.until("talk[1]/ann")
        await started.handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await started.result()
        gates = await started.gates()
        await replays(started.handle)

    assert () == gates
