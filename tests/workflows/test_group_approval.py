"""One approval for a group, on a real server, before the executor's real check of every call."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError

from activities import keys
from activities.authority import Authority, Outdated
from activities.failure import failure
from activities.lineage import ServerLineage
from activities.people import Directory
from activities.statement import Refusal
from contracts.call import EXECUTE_ACTION, ToolCall, ToolResult
from contracts.plan import Limits
from starter.chronicle import chronicle
from tests.interpreter.fakes import TOOLS
from tests.policies import OPEN
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
        except Outdated as old:
            raise failure("outdated", str(old), governance=old.governance, people=old.people) from old
        except Refusal as refusal:
            raise broken("refused", "no") from refusal
        return await super().execute(call)


def checked(client: Any, home: Path, **tables: Any) -> Checked:
    return Checked(
        **tables, authority=Authority(CONTRACTS, Directory(home / "people.yaml"), ServerLineage(client), policy=OPEN)
    )


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


async def asked_at(started: Any, path: str, last: str = "") -> Any:
    return await started.until(lambda found: bool(found) and found[0].subject.step == path and found[0].nonce != last)


async def begun(h: Any, *steps: dict[str, Any], **more: Any) -> Any:
    """A mission whose group is approved, and fails at its second action; it waits for operators."""
    started = await h.start([group(*steps, **more)], dead_letter={"timeout": "1h"})
    opening = await started.until()
    await started.decide(opening, "lea")
    await started.until_state("dead_letter")
    return started, opening


@pytest.mark.parametrize("attempts", [None, 1], ids=["", "of an attempt"])
async def test_what_operators_begin_anew_inside_is_asked_for_anew_with_what_is_left(client, home, attempts):
    made = checked(client, home, tools={"isolate": [{}, broken(applied="no"), {}]})
    more = {"retry": {"attempts": attempts}} if attempts else {}
    at = "all#1" if attempts else "all"
    async with house(client, home, made) as h:
        started, first = await begun(h, act("a"), act("b"), act("c"), **more)
        await started.command("retry", f"{at}/b")
        second = await asked_at(started, at, first.nonce)
        await started.decide(second, "lea")
        result = await started.result()

        assert "completed" == result.state
        assert [{"host": "b"}, {"host": "c"}] == [one.arguments for one in second.subject.actions]
        assert (0, 1) == (first.subject.generation, second.subject.generation)
        assert ["a", "b", "b", "c"] == [host for _, host in hosts(made)]
        await replays(started.handle)


async def test_skipping_one_of_them_asks_for_the_rest(client, home):
    made = checked(client, home, tools={"isolate": [{}, broken(applied="no"), {}]})
    async with house(client, home, made) as h:
        started, first = await begun(h, act("a"), act("b"), act("c"))
        await started.command("skip", "all/b")
        second = await asked_at(started, "all", first.nonce)
        await started.decide(second, "lou")
        result = await started.result()

        assert "completed" == result.state
        assert ["all/c"] == [one.step for one in second.subject.actions]
        assert ["a", "b", "c"] == [host for _, host in hosts(made)]
        await replays(started.handle)


async def test_a_jump_into_a_group_that_is_asked_for_asks_for_the_rest_alone(client, home):
    made = checked(client, home)
    async with house(client, home, made) as h:
        started = await h.start([group(act("a"), act("b"))])
        first = await started.until()
        await started.command("redirect", "all/b")
        second = await asked_at(started, "all", first.nonce)
        late = await started.decide(first, "lea")
        await started.decide(second, "lea")
        await started.result()

        assert not late.accepted
        assert (["all/b"], ["b"]) == ([one.step for one in second.subject.actions], [host for _, host in hosts(made)])
        await replays(started.handle)


async def test_what_operators_begin_anew_elsewhere_leaves_the_approval_as_it_is(client, home):
    """A branch beside the group is tried again while people think."""
    made = checked(client, home)
    async with house(client, home, made) as h:
        both = {"kind": "parallel", "step": "p", "parallel": [agent("quick"), group(act("a"), act("b"))]}
        started = await h.start([both])
        opening = await started.until()
        await started.seen(lambda view: {r.path: r.status for r in view.records}.get("p/quick") == "succeeded")
        await started.command("retry", "p/quick")
        await started.seen(lambda view: len(made.asked) == 2)
        receipt = await started.decide(opening, "lea")
        result = await started.result()

        assert (True, "completed") == (receipt.accepted, result.state)
        assert ["a", "b"] == [host for _, host in hosts(made)]
        await replays(started.handle)
