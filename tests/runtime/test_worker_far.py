"""A remote agent over A2A and people who do a step, through the whole worker: real agents, servers and signatures."""

import uuid
from pathlib import Path

from temporalio.client import Client

from activities import keys
from contracts.mind import A2AAgent, PeopleAgent
from contracts.plan import MissionInput, MissionResult, Plan
from contracts.workspace import MISSION_QUEUE, Escalation, Workspace
from runtime.settings import Settings
from tests.activities.a2a_service import remote_serving
from tests.interpreter.fakes import plan_of
from tests.policies import permit_all
from tests.workflows.house import Activities, House, Started
from worker import working

STEPS = [
    {"kind": "agent", "step": "look", "agent": "far", "task": "ask about it", "output": "seen"},
    {"kind": "agent", "step": "rate", "agent": "raters", "task": "Rate ${{ seen.said }}", "output": "rated"},
]


async def test_an_agent_elsewhere_asks_people_and_people_do_the_next_step(client: Client, tmp_path: Path) -> None:
    keys.create(tmp_path, "lea", ("secops",))
    rated = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
    async with remote_serving() as remote:
        agents = {
            "far": A2AAgent(url=remote.url, ask=("secops",), poll="100ms", output={"type": "object"}),
            "raters": PeopleAgent(by=("lea",), output=rated),
        }
        plan = Plan(definition=plan_of(STEPS).definition, agents=agents, escalation=Escalation(role="secops"))
        place = Workspace(root="w", agents=agents).allowing(("127.0.0.1",))
        async with working(client, Settings(workspace=permit_all(tmp_path), home=tmp_path), place):
            handle = await client.start_workflow(
                "rehearsal",
                MissionInput(plan=plan.sealed(), inputs={}, requested_by="lea"),
                id=f"far-{uuid.uuid4().hex[:8]}",
                task_queue=MISSION_QUEUE,
                result_type=MissionResult,
            )
            mission = Started(House(client, tmp_path, Activities(), MISSION_QUEUE), handle)
            asked = await mission.until()
            told = [await mission.decide(asked, "lea", "answer", answer="web-01 it is")]
            rating = await mission.until(lambda openings: any(one.subject.step == "rate" for one in openings))
            told.append(await mission.decide(rating, "lea", "answer", answer={"n": "many"}))
            told.append(await mission.decide(rating, "lea", "answer", answer={"n": 3}))
            await mission.result()
            view = await mission.state()

    assert [True, False, True] == [one.accepted for one in told]
    assert "the answer does not fit" in told[1].reason
    assert ("which of the two hosts?", "Rate web-01 it is") == (asked.subject.message, rating.subject.message)
    assert ["ask about it", "web-01 it is"] == remote.said
    assert [("look", "web-01 it is"), ("rate", None)] == [(one.path, one.output.get("said")) for one in view.records]
    assert {"n": 3} == view.records[1].output
    assert ["question"] == [one.kind for one in view.records[0].observations if one.kind == "question"]
