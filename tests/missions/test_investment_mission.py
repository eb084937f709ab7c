"""The shipped investment mission with its real members: what each case comes to, and one of them on a real server."""

import asyncio
import uuid

import pytest
from investment_room import CASES, FOLDER, PLAN, WORKSPACE, advice, changed, debate, load_case
from temporalio.client import Client
from temporalio.worker import Worker

from activities import keys
from activities.agents import AgentRunner
from activities.identity import Judge
from activities.mcp_tools import ToolServers
from activities.people import Directory
from contracts.plan import MissionInput, MissionResult
from language import schema
from language.expression import evaluate
from tests.cache import CACHE
from tests.policies import OPEN
from tests.workflows.house import Activities, House, Started, moved
from tests.workflows.test_mission import replays
from workflows.mission import Mission
from workflows.runner import WholeTasks

COMES_TO = {
    "chat_platform": ("reject", "majority", [], None),
    "event_mesh": ("defer", "majority", ["ciso"], None),
    "managed_database": ("invest", "majority", [], "approve"),
    "payment_gateway": (None, "stall", ["cto", "cfo", "ciso", "coo"], "reject"),
    "warehouse_robots": ("invest", "majority", ["ciso"], None),
}
VERDICTS = {
    "chat_platform": "reject",
    "event_mesh": "defer",
    "managed_database": "invest",
    "payment_gateway": "reject",
    "warehouse_robots": "defer",
}


def verdict(run):
    known = {**run.scope.variables.values, "steps": run.scope.variables.steps}
    return evaluate(PLAN.definition.verdict.value, known)


def test_every_case_is_told_and_fits_the_mission():
    assert set(CASES) == set(COMES_TO)
    assert [] == [name for name in CASES if schema.errors(PLAN.definition.inputs, {"case": load_case(name)})]
    assert [] == [name for name in CASES if f"`{name}`" not in (FOLDER / "README.md").read_text()]


@pytest.mark.parametrize("name", CASES)
async def test_what_a_case_comes_to(name):
    recommendation, by, dissent, board = COMES_TO[name]
    run = await debate(load_case(name), board)

    said = advice(run)
    assert ("completed", VERDICTS[name]) == (run.state, verdict(run))
    assert (recommendation, by, dissent) == (
        said["recommendation"],
        said["by"],
        [one["agent"] for one in said["dissent"]],
    )
    asked = [opening for opening in run.ports.openings if opening.subject.kind == "approval"]
    assert bool(asked) == (recommendation in {"invest", None})


async def test_nothing_is_invested_that_the_board_has_not_approved():
    for name in CASES:
        for verb in ("reject", None):
            assert "invest" != verdict(await debate(load_case(name), verb))


async def test_stances_move_because_of_what_others_say():
    run = await debate(load_case("managed_database"))
    ciso = [record.output for record in run.journal.records() if record.path.endswith("/ciso")]

    assert ["defer", "invest"] == [one["position"] for one in ciso]
    assert "cto" == ciso[1]["answers"]


async def test_the_minutes_tell_terms_figures_and_dissent_as_they_are():
    run = await debate(load_case("warehouse_robots"))
    minutes = run.scope.variables.values["minutes"]
    [dissent] = advice(run)["dissent"]

    assert {"mitigations": ["light_curtains"], "delay_months": 0} == minutes["terms"]
    assert (388_069, 170_700) == (
        round(minutes["figures"]["net_present_value"]),
        round(minutes["figures"]["residual_loss"]),
    )
    assert all(reason in minutes["dissent"][0] for reason in dissent["reasons"])
    assert minutes["dissent"][0] in minutes["markdown"]


async def test_a_debate_stays_far_below_its_bounds():
    for name in CASES:
        run = await debate(changed(load_case(name), title="t" * 120))
        spent = sum(record.usage.tokens for record in run.journal.records())

        assert spent < 400_000 / 10


async def test_on_a_real_server_with_its_facilitator_and_its_board(client: Client, tmp_path):
    """Everything is real but the network to tools, which no member has: agents, judge, signatures, the workflow."""
    for name in ("henrike", "odile", "tomasz", "pilar"):
        keys.create(tmp_path, name, WORKSPACE.people.people[name].roles)
    queue = f"q-{uuid.uuid4().hex[:12]}"
    members = AgentRunner(WORKSPACE.agents, WORKSPACE.tools, ToolServers(WORKSPACE.servers, {}), policy=OPEN)
    argument = MissionInput(
        plan=moved(PLAN, queue), inputs={"case": load_case("warehouse_robots")}, requested_by="pilar"
    )
    async with Worker(
        client,
        task_queue=queue,
        workflows=[Mission],
        activities=[members.run, Judge(Directory(tmp_path / "people.yaml"), policy=OPEN).judge],
        plugins=[WholeTasks()],
        **CACHE,
    ):
        handle = await client.start_workflow(
            "technology_investment",
            argument,
            id=f"invest-{uuid.uuid4().hex[:8]}",
            task_queue=queue,
            result_type=MissionResult,
        )
        started = Started(House(client, tmp_path, Activities(), queue), handle)
        board = await started.until(lambda gates: any(gate.subject.kind == "approval" for gate in gates))
        refused = await started.decide(board, "pilar")
        taken = [await started.decide(board, name) for name in ("odile", "tomasz")]
        result = await asyncio.wait_for(handle.result(), 30)
        view = await started.state()
        await replays(handle)

    [talk] = [record for record in view.records if record.path == "debate"]
    [member] = [record for record in view.records if record.path == "debate[2]/cto"]
    assert ("completed", "invest") == (result.state, result.verdict)
    assert (False, [True, True]) == (refused.accepted, [one.accepted for one in taken])
    assert ["ciso"] == [one["agent"] for one in talk.output["dissent"]]
    assert member.observations
    assert ["light_curtains"] == board.context["minutes"]["terms"]["mitigations"]
