"""Quorums on a real server, with real signatures, before the executor's real check."""

import asyncio
import base64
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError

from activities import keys
from activities.authority import Authority
from activities.lineage import ServerLineage
from activities.people import Directory
from contracts.decision import Envelope, Opening, Ruling, Subject
from contracts.workspace import Tool
from starter.chronicle import chronicle
from tests.interpreter.fakes import TOOLS, plan_of
from tests.policies import OPEN
from tests.workflows.house import house, moved
from tests.workflows.test_group_approval import Checked
from tests.workflows.test_mission import replays
from workflows.governance.tally import Gatebook
from workflows.inbox import hearing

SEATS = {"approvers": ["lead", "chief"], "from": {"lead": 1, "chief": 1}, "timeout": "1h", "on_timeout": "refuse"}
FOR_GOOD = TOOLS | {"isolate": Tool(server="s", effect="irreversible", idempotency="key", approvals=2)}


def act(**gate: Any) -> dict[str, Any]:
    return {"kind": "action", "step": "act", "action": "isolate", "with": {"host": "a"}, "approval": {**SEATS, **gate}}


def checked(client: Any, home: Path, tools: dict[str, Tool] | None = None) -> Checked:
    return Checked(
        authority=Authority(tools or TOOLS, Directory(home / "people.yaml"), ServerLineage(client), policy=OPEN)
    )


async def test_an_action_runs_when_each_seat_is_filled_and_the_executor_finds_so_too(client, home):
    made = checked(client, home)
    async with house(client, home, made) as h:
        started = await h.start([act()])
        opening = await started.until()
        told = [await started.decide(opening, *said) for said in (("lea", "approve"), ("lou", "approve"))]
        assert ["open", "open"] == [receipt.state for receipt in told]
        assert [] == made.world
        [waiting] = (await started.state()).waiting
        assert (2, {"lead": 1, "chief": 1}, ("lea", "lou")) == (waiting.required, waiting.seats, waiting.approved_by)
        assert "approved" == (await started.decide(opening, "cleo")).state

        assert "completed" == (await started.result()).state
        assert ["isolate"] == [tool for tool, _, _ in made.world]
        await replays(started.handle)


async def test_a_role_that_was_lost_before_the_action_runs_refuses_it(client, home, tmp_path):
    """The executor knows the people as they are now; the mission has their roles from when they decided."""
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    now = tmp_path / "people.yaml"
    now.write_text(now.read_text().replace("chief", "lead"))
    made = checked(client, tmp_path)
    async with house(client, home, made) as h:
        started = await h.start([act(approvers=["lea", "cleo"])])
        opening = await started.until()
        for person in ("lea", "cleo"):
            assert (await started.decide(opening, person)).accepted
        with pytest.raises(WorkflowFailureError):
            await started.result()

        assert [] == made.world
        record = next(one for one in (await started.state()).records if one.path == "act")
        assert ("refused", "no") == (record.failure.code, record.effect.applied)


async def test_a_key_that_was_revoked_before_the_action_runs_refuses_it(client, home, tmp_path):
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    keys.create(tmp_path, "cleo", replace=True)
    made = checked(client, tmp_path)
    async with house(client, home, made) as h:
        started = await h.start([act()])
        opening = await started.until()
        for person in ("lea", "cleo"):
            assert (await started.decide(opening, person)).accepted
        with pytest.raises(WorkflowFailureError):
            await started.result()

        assert [] == made.world


async def test_what_nothing_undoes_is_refused_by_the_executor_where_one_person_let_it_happen(client, home):
    """The mission was frozen under a contract that says nothing of it, as before there was such a rule."""
    made = checked(client, home, FOR_GOOD)
    async with house(client, home, made) as h:
        started = await h.start([act(**{"from": {}, "approvers": ["lead"]})])
        await started.decide(await started.until(), "lea")
        with pytest.raises(WorkflowFailureError):
            await started.result()

        assert [] == made.world


async def test_every_decision_is_recorded_with_who_and_what(client, home):
    heard = asyncio.Event()

    async def held(call):
        del call
        # What comes last comes to a mission that still runs, however long the machine takes to send it.
        await heard.wait()
        return {}

    made = checked(client, home)
    made.tools = {"isolate": held}
    said = [
        ("lea", "approve", {}),
        ("lea", "withdraw", {}),
        ("lou", "delegate", {"to": "rita"}),
        ("lou", "delegate", {"to": "lea"}),
        ("lou", "approve", {}),
        ("eve", "abstain", {}),
        ("cleo", "approve", {}),
        ("lea", "approve", {}),
        ("lea", "withdraw", {}),
    ]
    async with house(client, home, made) as h:
        started = await h.start([act()])
        opening = await started.until()
        told = [await started.decide(opening, who, verb, **more) for who, verb, more in said]
        heard.set()
        await started.result()

        assert [True, True, False, True, False, False, True, True, False] == [receipt.accepted for receipt in told]
        lines = [one for one in await chronicle(client, started.handle.id) if one.what == "decision accepted"]
        assert [
            ("lea", "approve", ""),
            ("lea", "withdraw", ""),
            ("lou", "delegate", "lea"),
            ("cleo", "approve", ""),
            ("lea", "approve", ""),
        ] == [(one.who, one.detail["verb"], one.detail["to"]) for one in lines]
        record = next(one for one in (await started.state()).records if one.path == "act")
        assert ["cleo", "lea"] == record.answer["by"]
        assert 1 == len(made.world)
        await replays(started.handle)


async def test_changes_are_asked_for_made_and_approved(client, home):
    mend = {"kind": "agent", "step": "mend", "agent": "ann", "task": "${{ steps.act.output.comment }}"}
    made = checked(client, home)
    made.agents = {"ann": lambda call: {"task": call.task}}
    async with house(client, home, made) as h:
        started = await h.start([act(on_changes=[mend])])
        first = await started.until()
        await started.decide(first, "lea")
        asked = await started.decide(first, "cleo", "request_changes", comment="say why")
        second = await started.until(lambda found: bool(found) and found[0].nonce != first.nonce)
        late = await started.send(started.token(first, "lou"))
        for person in ("lea", "cleo"):
            await started.decide(second, person)
        await started.result()

        assert ("changes_requested", False) == (asked.state, late.accepted)
        assert () == second.votes
        records = {one.path: one for one in (await started.state()).records}
        assert {"task": "say why"} == records["act/changes[1]/mend"].output
        assert 1 == len(made.world)
        await replays(started.handle)


# asked again is another opening: what was signed for one is good for no other


async def test_a_token_of_one_round_is_good_for_no_other(client, home):
    gate = {"kind": "gate", "step": "ask", "gate": {**SEATS, "on_reject": "continue"}}
    loop = {"kind": "loop", "step": "l", "loop": {"do": [gate], "until": "iteration == 2", "max_iterations": 2}}
    async with house(client, home) as h:
        started = await h.start([loop])
        first = await started.until()
        used = started.token(first, "lea")
        assert (await started.send(used)).accepted
        await started.decide(first, "lou", "reject")
        second = await started.until(lambda found: bool(found) and found[0].nonce != first.nonce)
        elsewhere = started.token(first, "lea", step=second.subject.step, digest=second.digest)
        told = await started.send(elsewhere)
        await started.decide(second, "cleo")
        await started.decide(second, "lea")
        await started.result()

        assert ("l[1]/ask", "l[2]/ask") == (first.subject.step, second.subject.step)
        assert "the decision is for another opening of this gate; look at the gate again" == told.reason


async def test_a_token_of_one_child_is_good_for_no_other(client, home):
    inner = plan_of([act()], mission="inner")
    each = {"kind": "mission", "mission": "inner", "accept": ["done"], "on_parent_close": "undo"}
    both = {"kind": "parallel", "step": "p", "parallel": [{**each, "step": "a"}, {**each, "step": "b"}]}
    made = checked(client, home)
    async with house(client, home, made) as h:
        started = await h.start([both], missions={"inner": moved(inner, h.queue)})
        children = [type(started)(h, client.get_workflow_handle(f"{started.handle.id}/p/{name}")) for name in "ab"]
        gates = [await opened(child) for child in children]
        stolen = children[1].token(gates[0], "lea")
        told = await children[1].send(stolen)
        for child, gate in zip(children, gates, strict=True):
            for person in ("lea", "cleo"):
                assert (await child.decide(gate, person)).accepted
        await started.result()

        assert gates[0].nonce != gates[1].nonce
        assert told.reason.endswith("not for this one")
        assert 2 == len(made.world)


async def opened(child: Any) -> Any:
    """Wait for a gate of a child that may not have started yet."""
    async with asyncio.timeout(20):
        while True:
            with suppress(RPCError):
                return await child.until()
            await asyncio.sleep(0.01)


def test_a_judge_is_shown_who_said_what_and_not_every_word_again():
    """Each hearing is in the history: what was said at a gate of many is not to be there as often as they are."""
    subject = Subject(mission="m", first_run_id="r", name="n", step="ask", approvers=("lead",))
    vote = Ruling(accepted=True, person="lea", verb="abstain", jti="1", comment="long", token="long")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    opening = Opening(subject=subject, digest="d", nonce="n", opened_at=now, votes=(vote,), context={"long": 1})
    said = base64.urlsafe_b64encode(b'{"step": "ask"}').decode()

    shown = hearing(Envelope(token=f"a.{said}.c", received_at=now), Gatebook([opening]), "m", "r")

    [one] = shown.openings
    assert ((vote.model_copy(update={"comment": "", "token": ""}),), {}) == (one.votes, one.context)
    assert one.subject == subject
