"""The executor asks the server what a mission was started with, and runs nothing of a plan that nobody signed."""

import uuid
from pathlib import Path

import pytest
from temporalio.client import Client

from activities import keys
from activities.charter import Charters
from activities.people import Directory
from activities.signature import sign
from activities.statement import Refusal
from contracts.call import ToolCall
from contracts.plan import MissionInput, Plan
from contracts.signed import content, of_mission
from contracts.workspace import Escalation
from tests.activities.activity_stage import stage
from tests.activities.service import tools
from tests.workflows.house import plan_of

STEPS = [{"kind": "action", "step": "ticket", "action": "file_ticket", "with": {"title": "t"}}]


def planned(home: Path, *names: str) -> Plan:
    contracts = {"file_ticket": tools()["file_ticket"]}
    plan = Plan(definition=plan_of(STEPS).definition, tools=contracts, escalation=Escalation(role="lead"))
    what = of_mission(plan.definition.mission, plan.definition.version)
    signatures = tuple(sign(home, name, what, content(plan)) for name in names)
    return plan.model_copy(update={"signatures": signatures}).sealed()


async def asked(client: Client, home: Path, plan: Plan, tool: str = "file_ticket") -> str:
    """Return why an executor refuses a call of a mission that was started with a plan; nothing where it does not."""
    own = f"charter-{uuid.uuid4().hex[:8]}"
    handle = await client.start_workflow("rehearsal", MissionInput(plan=plan), id=own, task_queue=own)
    first = handle.first_execution_run_id or ""

    async def lineage(mission: str, run: str) -> str:
        del mission, run
        return first

    charters = Charters(client, Directory(home / "people.yaml"), lineage, ("lead",))
    call = ToolCall(mission=own, path="ticket", tool=tool, key="k")
    try:
        await stage(workflow_id=own, workflow_run_id=first).run(charters.demand, call)
    except Refusal as refusal:
        return str(refusal)
    finally:
        await handle.terminate()
    return ""


async def test_only_what_the_right_people_signed_is_carried_out(client: Client, tmp_path: Path) -> None:
    keys.create(tmp_path, "lea", ("lead",))
    keys.create(tmp_path, "zoe", ("other",))
    good = planned(tmp_path, "lea")

    assert "" == await asked(client, tmp_path, good)
    assert "the plan that was signed does not use 'isolate_host'" == await asked(client, tmp_path, good, "isolate_host")
    assert "nobody has signed it" in await asked(client, tmp_path, planned(tmp_path))
    assert "is signed by zoe, and has to be by lead" in await asked(client, tmp_path, planned(tmp_path, "zoe"))
    more = {"file_ticket": good.tools["file_ticket"], "isolate_host": tools()["isolate_host"]}
    widened = good.model_copy(update={"tools": more}).sealed()
    assert "something else, or by nobody" in await asked(client, tmp_path, widened, "isolate_host")

    keys.remove(tmp_path, "lea")
    assert "something else, or by nobody" in await asked(client, tmp_path, good)


async def test_where_nobody_has_to_sign_the_server_is_not_asked(client: Client, tmp_path: Path) -> None:
    async def lineage(mission: str, run: str) -> str:
        raise AssertionError(mission, run)

    await stage().run(
        Charters(client, Directory(tmp_path), lineage, ()).demand, ToolCall(mission="m", path="p", tool="t", key="")
    )


async def test_a_run_that_the_server_does_not_keep_allows_nothing(client: Client, tmp_path: Path) -> None:
    async def lineage(mission: str, run: str) -> str:
        del mission, run
        return str(uuid.uuid4())

    charters = Charters(client, Directory(tmp_path), lineage, ("lead",))
    with pytest.raises(Refusal, match="keeps the mission's first run no longer"):
        await stage().run(charters.demand, ToolCall(mission="m", path="p", tool="t", key=""))
