"""What a rehearsal says is what Temporal does: the same plan, answers and decisions, with a real server and without."""

import asyncio
from contextlib import suppress
from copy import deepcopy

import pytest
from temporalio.client import WorkflowFailureError

from contracts.workspace import PeopleFile, Person
from rehearsal.play import play
from rehearsal.script import Answer, Cue, Decision, Expected, Rehearsal
from tests.interpreter.fakes import plan_of
from tests.workflows.house import PEOPLE, Activities, broken, house
from tests.workflows.record_histories import agent, talking

EVERYBODY = PeopleFile(people={name: Person(roles=roles) for name, roles in PEOPLE.items()})
RUNG = {"approvers": ["lead"], "timeout": "30m", "on_timeout": "refuse"}
STEPS = [
    {"kind": "parallel", "step": "both", "parallel": [
        {"kind": "agent", "step": "left", "agent": "ann", "task": "a", "output": "left"},
        {"kind": "agent", "step": "right", "agent": "ben", "task": "b"},
    ]},
    {"kind": "loop", "step": "rounds", "loop": {
        "do": [{"kind": "agent", "step": "draft", "agent": "cid", "task": "c", "output": "draft"}],
        "until": "draft.good", "max_iterations": 3,
    }},
    {"kind": "condition", "step": "sure", "condition": {"if": "left.sure", "then": [
        {"kind": "action", "step": "isolate", "action": "isolate", "with": {"host": "web-01"},
         "compensate": {"tool": "release"}, "approval": {**RUNG, "on_reject": "continue"}},
    ]}},
    {"kind": "action", "step": "file", "action": "file", "compensate": {"tool": "unfile"}},
    {"kind": "agent", "step": "last", "agent": "dot", "task": "d"},
]  # fmt: skip
SURE = {"ann": {"sure": True}, "ben": 1, "cid": [{"good": False}, {"good": True}], "dot": "over"}
FAILS = object()
APPROVED, REJECTED = [("lou", "approve")], [("lou", "reject")]


def script(agents, tools, people):
    def cue(given):
        answers = given if isinstance(given, list) else [given]
        said = tuple(Answer(fails="refused", cause="it would not") if one is FAILS else Answer(answer=one)
                     for one in answers)  # fmt: skip
        return Cue(answers=said, each_time=not isinstance(given, list))

    return Rehearsal(
        description="the same",
        inputs={},
        requested_by="rita",
        agents={name: cue(given) for name, given in agents.items()},
        tools={name: cue(tools.get(name, {})) for name in ("isolate", "release", "file", "unfile")},
        people=tuple(Decision(at="isolate", by=by, decide=verb, comment=f"{by} says {verb}") for by, verb in people),
        expect=Expected(),
    )


async def on_temporal(client, home, agents, tools, people):
    def real(table):
        return {name: broken() if given is FAILS else deepcopy(given) for name, given in table.items()}

    async with house(client, home, Activities(agents=real(agents), tools=real(tools))) as h:
        started = await h.start(STEPS)
        for by, verb in people:
            await started.decide(await started.until(), by, verb)
        with suppress(WorkflowFailureError):
            await started.result()
        return await started.state(), [tool for tool, _, _ in h.activities.world]


@pytest.mark.parametrize(
    ("agents", "tools", "people"),
    [
        (SURE, {}, APPROVED),
        (SURE, {}, REJECTED),
        ({**SURE, "ann": {"sure": False}}, {}, []),
        ({**SURE, "dot": FAILS}, {}, APPROVED),
        (SURE, {"file": FAILS}, APPROVED),
        (SURE, {"isolate": FAILS}, APPROVED),
    ],
    ids=["approved", "rejected", "unsure", "the last agent fails", "the second action fails", "the first action fails"],
)
async def test_it_ends_alike_having_done_the_same(client, home, agents, tools, people):
    came, world = await on_temporal(client, home, agents, tools, people)
    played = await asyncio.to_thread(play, plan_of(STEPS), script(agents, tools, people), EVERYBODY)

    assert {record.path: record.status for record in came.records} == {
        record.path: record.status for record in played.view.records
    }
    assert (came.state, came.verdict) == (played.view.state, played.view.verdict)
    # The fakes of the house do not say what they tried.
    assert came.reason.partition(";")[0] == played.view.reason.partition(";")[0]
    assert world == [act.tool for act in played.acts]


async def test_a_party_comes_to_the_same_by_the_same_turns(client, home):
    yes, no = ({"position": word, "reasons": ["r"], "confidence": 0.5} for word in ("yes", "no"))
    steps = [talking(facilitator=["lou"]), agent("last", "dot", context=["said"])]
    agents = {"ann": yes, "ben": [no, yes], "dot": "over"}
    async with house(client, home, Activities(agents=deepcopy(agents))) as h:
        started = await h.start(steps)
        await started.result()
        came = await started.state()
    played = await asyncio.to_thread(play, plan_of(steps), script(agents, {}, []), EVERYBODY)

    assert {record.path: (record.status, record.output) for record in came.records} == {
        record.path: (record.status, record.output) for record in played.view.records
    }
    assert (came.state, came.verdict, came.spent.tokens) == (
        played.view.state,
        played.view.verdict,
        played.view.spent.tokens,
    )
