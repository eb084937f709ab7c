"""One approval for a group, on a real server, before the executor's real check of every call."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError

from activities import keys
from activities.authority import Authority
from activities.lineage import ServerLineage
from activities.people import Directory
from activities.statement import Refusal
from contracts.call import EXECUTE_ACTION, ToolCall, ToolResult
from contracts.plan import Limits
from starter.chronicle import chronicle
from tests.interpreter.fakes import TOOLS
from tests.workflows.house import Activities, broken, house, populate
from tests.workflows.record_histories import APPROVED, agent
from tests.workflows.test_continue import chain
from tests.workflows.test_mission import replays

CONTRACTS = {**TOOLS, "release": TOOLS["release"].model_copy(update={"autonomy": "approval"})}
"""This worker's own: here even the compensation needs people's word."""


@dataclass
class Checked(Activities):
    """The fakes, behind the check that every call passes before it is sent."""

    authority: Authority | None = None

    @activity.defn(name=EXECUTE_ACTION)
    async def execute(self, call: ToolCall) -> ToolResult:
        try:
            await self.authority.check(call)
        except Refusal as refusal:
            raise broken("refused", "no") from refusal
        return await super().execute(call)


def checked(client: Any, home: Path, **tables: Any) -> Checked:
    return Checked(**tables, authority=Authority(CONTRACTS, Directory(home / "people.yaml"), ServerLineage(client)))


def act(name: str, **arguments: Any) -> dict[str, Any]:
    return {
        "kind": "action",
        "step": name,
        "action": "isolate",
        "with": {"host": name, **arguments},
        "compensate": {"tool": "release"},
    }


def group(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"kind": "group", "step": "all", "steps": list(steps), "approval": APPROVED, **more}


def hosts(made: Activities) -> list[tuple[str, str]]:
    return [(tool, arguments["host"]) for tool, _, arguments in made.world]


async def test_one_approval_lets_every_action_of_the_list_run_once_and_no_other(client, home):
    made = checked(client, home)
    inner = {"kind": "group", "step": "inner", "steps": [act("b")]}
    async with house(client, home, made) as h:
        started = await h.start([group(act("a"), inner, act("c"))])
        opening = await started.until()
        assert [] == made.world
        await started.decide(opening, "lea")
        result = await started.result()

        assert "completed" == result.state
        assert [("isolate", "a"), ("isolate", "b"), ("isolate", "c")] == hosts(made)
        ordered = [one for one in await chronicle(client, started.handle.id) if one.what == "action ordered"]
        assert [opening.digest] * 3 == [one.detail["approved"] for one in ordered]
        await replays(started.handle)


async def test_a_failure_in_the_middle_is_undone_on_the_same_word(client, home):
    made = checked(client, home, tools={"isolate": [{}, {}, broken(applied="no")]})
    async with house(client, home, made) as h:
        started = await h.start([group(act("a"), act("b"), act("c"))])
        await started.decide(await started.until(), "lea")
        with pytest.raises(WorkflowFailureError):
            await started.result()

        assert [("isolate", "a"), ("isolate", "b"), ("isolate", "c"), ("release", "b"), ("release", "a")] == hosts(made)
        await replays(started.handle)


async def test_a_changed_list_runs_as_it_was_approved_in_the_end(client, home):
    made = checked(client, home)
    async with house(client, home, made) as h:
        started = await h.start([group(act("a"), act("b"))])
        first = await started.until()
        await started.decide(first, "lou", "modify", changes={"all/b": {"host": "z"}})
        second = await started.until(lambda openings: bool(openings) and openings[0].nonce != first.nonce)
        late = await started.decide(first, "lea")
        await started.decide(second, "lea")
        await started.result()

        assert not late.accepted
        assert [("isolate", "a"), ("isolate", "z")] == hosts(made)
        await replays(started.handle)


async def test_another_attempt_needs_another_word(client, home):
    made = checked(client, home, tools={"isolate": [{}, broken(applied="no"), {}]})
    async with house(client, home, made) as h:
        started = await h.start([group(act("a"), act("b"), retry={"attempts": 2, "first": "10ms"})])
        for attempt in ("all#1", "all#2"):
            opening = await started.until(lambda found, at=attempt: bool(found) and found[0].subject.step == at)
            await started.decide(opening, "lea")
        result = await started.result()

        assert "completed" == result.state
        world = [("isolate", "a"), ("isolate", "b"), ("release", "a"), ("isolate", "a"), ("isolate", "b")]
        assert world == hosts(made)
        await replays(started.handle)


async def test_the_word_outlasts_hand_overs_between_the_asking_and_the_actions(client, home):
    made = checked(client, home, agents={"ann": lambda call: {"n": call.path}})
    names = [f"s{number}" for number in range(12)]
    first = agent("first", output="n")
    async with house(client, home, made) as h:
        steps = [first, group(*(act(name, n="${{ n.n }}") for name in names)), agent("last")]
        started = await h.start(steps, Limits(events_per_run=24))
        await started.decide(await started.until(), "lea")
        result = await started.result()

        assert "completed" == result.state
        assert result.runs > 2
        assert [("isolate", name) for name in names] == hosts(made)
        for run in await chain(client, started.handle):
            await replays(run)


async def test_a_key_revoked_between_two_of_the_actions_stops_the_rest(client, tmp_path):
    """Then nobody's word is there for undoing the first one either: people are asked."""
    home = populate(tmp_path)
    made = checked(client, home, tools={"isolate": lambda _: keys.remove(home, "lea")})
    async with house(client, home, made) as h:
        started = await h.start([group(act("a"), act("b"))])
        await started.decide(await started.until(), "lea")
        help_ = await started.until(lambda found: bool(found) and found[0].subject.kind == "compensation")
        await started.decide(help_, "cleo", "reject")
        with pytest.raises(WorkflowFailureError):
            await started.result()

        assert [("isolate", "a")] == hosts(made)
        assert "all/a/undo[1]" == help_.subject.step
        await replays(started.handle)
