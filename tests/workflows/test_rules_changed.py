"""Policy and people change while missions run, on a real server, before the real judge and the executor's check."""

import asyncio
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity

from activities import keys
from activities.authority import Authority
from activities.lineage import ServerLineage
from contracts.call import EXECUTE_ACTION, ToolCall, ToolResult
from contracts.decision import RULES
from contracts.plan import Limits
from contracts.risk import RiskFile
from runtime.vigil import ASKING, Vigil
from starter.chronicle import chronicle
from tests.interpreter.fakes import TOOLS
from tests.workflows.house import Started, house
from tests.workflows.rules import Rules
from tests.workflows.test_group_approval import Checked
from tests.workflows.test_mission import replays

GOVERNED = Limits(governed=True)
CHANGED = "policy or people have changed since this was asked, and it is asked again; look at the gate again"
ACT = {
    "kind": "action",
    "step": "act",
    "action": "isolate",
    "with": {"host": "a"},
    "compensate": {"tool": "release"},
    "approval": {"approvers": ["lead"], "timeout": "1h", "on_timeout": "refuse"},
}
TWO = {**ACT, "approval": {**ACT["approval"], "required": 2}}


@dataclass
class Slowly(Checked):
    """The executor, who looks at a call only once it is let."""

    let: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    @activity.defn(name=EXECUTE_ACTION)
    async def execute(self, call: ToolCall) -> ToolResult:
        self.came.set()
        await self.let.wait()
        return await super().execute(call)


@pytest.fixture
def own(home: Path, tmp_path: Path) -> Path:
    """A home whose people a test may change."""
    return shutil.copytree(home, tmp_path / "home")


def executor(client: Any, rules: Rules, **fields: Any) -> Slowly:
    contracts = {"policy": rules.policy, "governance": rules.governance}
    made = Slowly(authority=Authority(TOOLS, rules.people, ServerLineage(client), **contracts), **fields)
    made.let.set()
    return made


async def anew(started: Started, last: Any) -> Any:
    """Return the opening after another."""
    return await started.until(lambda openings: bool(openings) and openings[0].nonce != last.nonce)


async def test_rules_change_after_one_of_two_votes_and_neither_counts_any_more(client, own, tmp_path):
    rules = Rules(own, tmp_path / "workspace")
    made = executor(client, rules)
    async with house(client, own, made, governance=rules.governance) as h:
        started = await h.start([TWO], GOVERNED)
        first = await started.until()
        assert rules.governance.version() == first.subject.governance
        assert "open" == (await started.decide(first, "lea")).state
        text = (own / "people.yaml").read_text()
        (own / "people.yaml").write_text(text.replace("intern", "lead"))

        told = await started.decide(first, "lou")

        assert (False, CHANGED) == (told.accepted, told.reason)
        second = await anew(started, first)
        assert (rules.governance.version(), (), first.deadline) == (
            second.subject.governance,
            second.votes,
            second.deadline,
        )
        late = await started.decide(first, "lea", jti="again")
        assert "the decision is for another opening of this gate; look at the gate again" == late.reason
        keys.remove(own, "lou")
        gone = await started.decide(second, "lea")
        assert (False, CHANGED) == (gone.accepted, gone.reason)
        third = await anew(started, second)
        for person in ("lea", "eve"):
            assert (await started.decide(third, person)).accepted
        assert "completed" == (await started.result()).state
        assert ["isolate"] == [tool for tool, _, _ in made.world]
        await replays(started.handle)


async def test_rules_change_between_the_approval_and_the_action_and_people_are_asked_again(client, own, tmp_path):
    rules = Rules(own, tmp_path / "workspace")
    made = executor(client, rules)
    async with house(client, own, made, governance=rules.governance) as h:
        made.let.clear()
        started = await h.start([ACT], GOVERNED)
        first = await started.until()
        assert (await started.decide(first, "lea")).accepted
        await asyncio.wait_for(made.came.wait(), 20)
        keys.remove(own, "lea")
        version = rules.change()
        made.let.set()

        second = await anew(started, first)
        assert (version, []) == (second.subject.governance, made.world)
        assert (await started.decide(second, "lou")).accepted
        assert "completed" == (await started.result()).state
        assert ["isolate"] == [tool for tool, _, _ in made.world]
        record = next(one for one in (await started.state()).records if one.path == "act")
        assert (["lou"], 1) == (record.answer["by"], record.voided)
        await replays(started.handle)


async def test_rules_that_swing_and_change_twice_at_once_are_settled_by_whoever_decides_under_those_in_force(
    client, own, tmp_path
):
    rules = Rules(own, tmp_path / "workspace")
    made = executor(client, rules)
    async with house(client, own, made, governance=rules.governance) as h:
        started = await h.start([ACT], GOVERNED)
        first = await started.until()
        rules.change()
        rules.change()
        assert CHANGED == (await started.decide(first, "lea")).reason
        second = await anew(started, first)
        assert first.subject.governance == rules.change_back()
        assert CHANGED == (await started.decide(second, "lea")).reason
        third = await anew(started, second)
        assert (first.subject.governance, True) == (third.subject.governance, third.nonce != first.nonce)
        assert not (await started.decide(first, "lea", jti="of before")).accepted
        assert (await started.decide(third, "lea")).accepted
        assert "completed" == (await started.result()).state
        assert 1 == len(made.world)
        await replays(started.handle)


async def test_an_executor_with_old_rules_takes_nothing_until_it_has_the_same(client, own, tmp_path):
    judging, acting = Rules(own, tmp_path / "workspace"), Rules(own, tmp_path / "stale")
    judging.change()
    made = executor(client, acting)
    async with house(client, own, made, governance=judging.governance) as h:
        started = await h.start([ACT], GOVERNED)
        first = await started.until()
        assert (await started.decide(first, "lea")).accepted
        second = await anew(started, first)
        assert (acting.governance.version(), []) == (second.subject.governance, made.world)
        assert CHANGED == (await started.decide(second, "lea")).reason
        third = await anew(started, second)
        assert judging.governance.version() == third.subject.governance
        assert judging.governance.version() == acting.change()
        assert (await started.decide(third, "lou")).accepted
        assert "completed" == (await started.result()).state
        assert 1 == len(made.world)


async def test_risk_has_people_asked_whom_nobody_else_asks_and_the_executor_may_ask_for_more(client, own, tmp_path):
    levels = {"low": {"at": 0}, "high": {"at": 50, "people": 1, "approvers": ["lead"]}}
    risk = {"factors": {"it": {"weight": 1, "value": "0.6"}}, "levels": levels}
    rules = Rules(own, tmp_path / "workspace")
    (rules.root / "risk.yaml").write_text(str(risk).replace("'people': 1", "'people': 2"))
    made = executor(client, rules)
    async with house(client, own, made, governance=rules.governance) as h:
        plan = lambda given: given.plan.model_copy(update={"risk": RiskFile.model_validate(risk)}).sealed()  # noqa: E731
        free = {"kind": "action", "step": "act", "action": "file", "with": {"n": 1}}
        started = await h.start([free], GOVERNED, change=lambda one: one.model_copy(update={"plan": plan(one)}))
        first = await started.until()
        assert (60, "high", 1) == (first.subject.risk.score, first.subject.risk.level, first.subject.required)
        assert (await started.decide(first, "lea")).accepted
        second = await anew(started, first)
        assert (2, []) == (second.subject.required, made.world)
        assert "open" == (await started.decide(second, "lea")).state
        assert (await started.decide(second, "lou")).accepted
        assert "completed" == (await started.result()).state
        assert ["file"] == [tool for tool, _, _ in made.world]
        await replays(started.handle)


async def test_to_ask_which_rules_are_in_force_is_no_decision_on_the_record(client, own, tmp_path):
    rules = Rules(own, tmp_path / "workspace")
    async with house(client, own, executor(client, rules), governance=rules.governance) as h:
        started = await h.start([ACT], GOVERNED)
        await started.decide(await started.until(), "lea")
        await started.result()

        told = [entry.what for entry in await chronicle(client, started.handle.id)]
        assert ["decision accepted"] == [what for what in told if what in {"decision accepted", "decision refused"}]


async def test_admission_tells_which_rules_are_in_force_and_a_change_since_is_found_all_the_same(client, own, tmp_path):
    rules = Rules(own, tmp_path / "workspace")
    async with house(client, own, executor(client, rules), governance=rules.governance) as h:
        started = await h.start([ACT], GOVERNED.model_copy(update={"admits": True, "recalls": True}))
        first = await started.until()
        assert rules.governance.version() == first.subject.governance
        version = rules.change()
        assert CHANGED == (await started.decide(first, "lea")).reason
        second = await anew(started, first)
        assert (version, True) == (second.subject.governance, (await started.decide(second, "lea")).accepted)
        assert "completed" == (await started.result()).state
        history = await started.handle.fetch_history()
        asked = [event.activity_task_scheduled_event_attributes.activity_id for event in history.events]
        assert [] == [name for name in asked if name.endswith("/rules")]
        await replays(started.handle)


async def test_what_waits_is_asked_again_as_soon_as_the_rules_change_and_nobody_has_to_decide_twice(
    client, own, tmp_path
):
    rules = Rules(own, tmp_path / "workspace")
    heeding = GOVERNED.model_copy(update={"heeds": True})
    async with house(client, own, executor(client, rules), governance=rules.governance) as h:
        started, before = await h.start([TWO], heeding), await h.start([ACT], GOVERNED)
        first, deaf = await started.until(), await before.until()
        assert "open" == (await started.decide(first, "lea")).state
        vigil = Vigil(client, rules.governance)
        await vigil.look(rules.governance.version())
        assert first.nonce == (await started.until()).nonce
        version = rules.change()
        await listed(client, version, started)
        await vigil.look(version)

        second = await anew(started, first)
        assert (version, (), first.deadline) == (second.subject.governance, second.votes, second.deadline)
        assert CHANGED.partition(";")[0] == (await started.state()).refusals[-1].reason
        # Who knows better than the judge is not believed, and who says it often is answered once.
        for said in (version, "sha256:other", "sha256:other", 7):
            await started.handle.signal(RULES, said)
        for person in ("lea", "lou"):
            assert (await started.decide(second, person)).accepted
        assert "completed" == (await started.result()).state
        assert ["isolate"] == [tool for tool, _, _ in h.activities.world]
        assert (deaf.nonce, ()) == ((await before.until()).nonce, (await before.state()).refusals)
        await replays(started.handle)
        assert [] == [
            entry.what for entry in await chronicle(client, started.handle.id) if entry.what == "decision refused"
        ]


async def listed(client, version, mission):
    """Wait until the server lists who waits under other rules: that lags behind."""
    asking = ASKING.format(version=version)
    async with asyncio.timeout(60):
        while mission.handle.id not in [one.id async for one in client.list_workflows(asking)]:
            await asyncio.sleep(0.05)
