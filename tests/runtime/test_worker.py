"""The worker as a whole: which queues it serves, a mission through all of it, and how its process ends."""

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError

from activities import keys, service_keys
from activities.receipt import differences, read
from contracts.mind import AGENT_QUEUE, CodeAgent
from contracts.plan import Limits, MissionInput, MissionResult, Plan
from contracts.workspace import MISSION_QUEUE, Escalation, Tool, Workspace
from runtime.settings import Settings
from starter.receipt import kept_at
from starter.server import DevServer
from tests.activities.service import servers as at
from tests.activities.service import serving, tools
from tests.interpreter.fakes import plan_of
from tests.policies import permit_all
from tests.workflows.house import Activities, House, Started
from worker import Stop, all_queues, chosen_queues, main, working

GOVERNED = Limits(exact=True, governed=True)
ROOT = Path(__file__).parents[2]


def workspace(**fields: Any) -> Workspace:
    return Workspace(root="w", **fields).allowing(("127.0.0.1",))


TEAMS = workspace(
    agents={"ann": CodeAgent(callable="m:f", queue="intel"), "ben": CodeAgent(callable="m:f")},
    tools={
        "look": Tool(server="s", effect="read", queue="siem"),
        "tell": Tool(server="s", effect="write", queue="intel"),
    },
)


def test_all_queues_are_the_missions_and_those_that_the_workspace_names() -> None:
    assert (MISSION_QUEUE, AGENT_QUEUE, "intel", "siem") == all_queues(TEAMS)
    assert (MISSION_QUEUE, AGENT_QUEUE, "intel", "siem") == chosen_queues(TEAMS, None)


def test_some_queues_may_be_chosen() -> None:
    assert ("siem", "intel") == chosen_queues(TEAMS, "siem, intel,siem,")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("inteI", "no agent, tool or mission uses the queue 'inteI'; did you mean 'intel'?"),
        ("xyzzy", "no agent, tool or mission uses the queue 'xyzzy'; there are gonogo, gonogo-agents, intel, siem"),
        (" ,", "--queues names no queue; there are gonogo, gonogo-agents, intel, siem"),
        ("", "--queues names no queue; there are gonogo, gonogo-agents, intel, siem"),
    ],
)
def test_a_queue_that_nothing_uses_is_a_misspelling(text: str, line: str) -> None:
    with pytest.raises(Stop) as caught:
        chosen_queues(TEAMS, text)

    assert (2, line) == (caught.value.code, str(caught.value))


STEPS = [
    {"kind": "agent", "step": "look", "agent": "looker", "task": "look", "context": ["host"], "output": "seen"},
    {
        "kind": "action",
        "step": "isolate",
        "action": "isolate_host",
        "with": {"host": "${{ host }}"},
        "compensate": {"tool": "release_host"},
        "approval": {"approvers": ["secops"]},
    },
    {"kind": "action", "step": "ticket", "action": "reject", "with": {"title": "isolated"}},
]


CAREFUL = '@id("careful") @approval("secops:1") permit(principal, action == Action::"run_agent", resource);'


async def test_a_mission_goes_through_the_whole_worker_and_is_undone(client: Client, tmp_path: Path) -> None:
    """Real agent code, real MCP, real signatures: approved, executed, and released when the ticket cannot be filed."""
    keys.create(tmp_path, "lea", ("secops",))
    service_keys.make(tmp_path, "executor")
    looker = CodeAgent(callable="tests.activities.minds:answer", tools=("look",), queue="tests-agents")
    contracts = {name: tool.model_copy(update={"queue": "tests-tools"}) for name, tool in tools().items()}
    inputs = {"type": "object", "properties": {"host": {"type": "string"}}}
    definition = plan_of(STEPS, inputs=inputs).definition
    plan = Plan(definition=definition, agents={"looker": looker}, tools=contracts, escalation=Escalation(role="secops"))
    admitting = GOVERNED.model_copy(update={"admits": True, "heeds": True})
    given = MissionInput(plan=plan.sealed(), inputs={"host": "web-01"}, requested_by="rita", limits=admitting)
    permit_all(tmp_path)
    (tmp_path / "policies" / "careful.cedar").write_text(CAREFUL)
    async with serving() as service:
        place = workspace(agents={"looker": looker}, tools=contracts, servers=at(service.url))
        async with working(client, Settings(workspace=tmp_path, home=tmp_path), place):
            handle = await client.start_workflow(
                "rehearsal",
                given,
                id=f"whole-{uuid.uuid4().hex[:8]}",
                task_queue=MISSION_QUEUE,
                result_type=MissionResult,
            )
            mission = Started(House(client, tmp_path, Activities(), MISSION_QUEUE), handle)
            # Policy wants people's approval of the agent: theirs before the first step is believed where it runs.
            first = await mission.until()
            assert ("@admission", []) == (first.subject.step, service.tools_called())
            assert (await mission.decide(first, "lea")).accepted
            opening = await mission.until(lambda them: bool(them) and them[0].subject.step == "isolate")
            receipt = await mission.decide(opening, "lea")
            with pytest.raises(WorkflowFailureError) as caught:
                await mission.result()
            view = await mission.state()
            done, undone = [await kept_at(client, handle.id, step) for step in ("isolate", "isolate/undo")]

    assert (True, "approved") == (receipt.accepted, receipt.state)
    assert "no such ticket" in str(caught.value.cause)
    assert ["look", "isolate_host", "reject", "release_host"] == service.tools_called()
    assert ["host"] == [next(iter(call.arguments)) for call in service.calls if call.tool == "release_host"]
    [isolated] = [record for record in view.records if record.path == "isolate"]
    assert isolated.effect is not None
    assert ("yes", "done") == (isolated.effect.applied, isolated.effect.undo_status)
    for kept, tool, undoes in ((done, "isolate_host", ""), (undone, "release_host", "isolate_host")):
        statement = read(kept[0].envelope, service_keys.public(tmp_path)["executor"])
        deed = statement.predicate
        assert [] == list(differences(statement, kept[0].call, kept[0].output))
        assert (1, tool, undoes, handle.first_execution_run_id) == (
            len(kept), deed.tool, deed.undoes, deed.first_run_id,
        )  # fmt: skip
        assert (["lea"], "tests-tools") == ([one.who for one in deed.approvals], deed.executor)
        assert ("allow", True) == (deed.policy.outcome, deed.policy.version.startswith("sha256:"))


CHILD = {
    "kind": "mission",
    "step": "contain",
    "mission": "contain",
    "with": {"host": "${{ host }}"},
    "accept": ["done"],
    "on_parent_close": "undo",
}


async def test_what_people_approved_in_a_child_is_done_and_undone_by_the_child_alone(
    client: Client, tmp_path: Path
) -> None:
    """The executor lets nobody else: an approval is good for the mission in which it was given."""
    keys.create(tmp_path, "lea", ("secops",))
    contracts = {name: tool.model_copy(update={"queue": "tests-tools"}) for name, tool in tools().items()}
    inputs = {"type": "object", "properties": {"host": {"type": "string"}}}
    people = Escalation(role="secops")
    inner = plan_of(STEPS[1:2], mission="contain", inputs=inputs).definition
    outer = plan_of([CHILD, STEPS[2]], inputs=inputs).definition
    child = Plan(definition=inner, tools=contracts, escalation=people).sealed()
    plan = Plan(definition=outer, tools=contracts, escalation=people, missions={"contain": child}).sealed()
    heeding = GOVERNED.model_copy(update={"heeds": True})
    given = MissionInput(plan=plan, inputs={"host": "web-01"}, requested_by="rita", limits=heeding)
    async with serving() as service:
        place = workspace(tools=contracts, servers=at(service.url))
        async with working(client, Settings(workspace=permit_all(tmp_path), home=tmp_path), place):
            parent = f"family-{uuid.uuid4().hex[:8]}"
            handle = await client.start_workflow("rehearsal", given, id=parent, task_queue=MISSION_QUEUE)
            house = House(client, tmp_path, Activities(), MISSION_QUEUE)
            contain = Started(house, client.get_workflow_handle(f"{parent}/contain"))
            async with asyncio.timeout(20):
                while not (opened := await asked(contain)):
                    await asyncio.sleep(0.02)
            # The worker itself notices that the rules have changed, and the child asks again under those in force.
            keys.create(tmp_path, "lou", ("secops",))
            async with asyncio.timeout(90):
                while not (again := await asked(contain)) or again[0].nonce == opened[0].nonce:
                    await asyncio.sleep(0.05)
            receipt = await contain.decide(again[0], "lea")
            with pytest.raises(WorkflowFailureError) as caught:
                await asyncio.wait_for(handle.result(), 30)

    assert receipt.accepted
    assert "no such ticket" in str(caught.value.cause)
    assert ["isolate_host", "reject", "release_host"] == service.tools_called()


async def asked(mission: Started) -> Any:
    """Return the open gates of a mission that may not have begun yet."""
    try:
        return await mission.gates()
    except RPCError:
        return ()


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    """Return the environment of a worker that knows only what the test says."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL", "GONOGO", "OTEL"))}
    return {**clean, "TEMPORAL_CONFIG_FILE": os.devnull, "GONOGO_HOME": str(tmp_path), **more}


def test_a_server_that_cannot_be_reached_is_exit_code_3_and_one_line(tmp_path: Path) -> None:
    program = [sys.executable, "worker.py"]
    given = environment(tmp_path, TEMPORAL_ADDRESS="127.0.0.1:1")

    done = subprocess.run(program, cwd=ROOT, env=given, capture_output=True, text=True, timeout=30, check=False)

    expected = "worker: no Temporal server answers at 127.0.0.1:1: Connection refused\n"
    assert (3, "", expected) == (done.returncode, done.stdout, done.stderr)


def test_an_unknown_queue_is_exit_code_2_and_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--queues", "secops-inteI"], environment(tmp_path))

    expected = "worker: no agent, tool or mission uses the queue 'secops-inteI'; did you mean 'secops-intel'?\n"
    assert (2, ("", expected)) == (code, capsys.readouterr())


def test_an_unknown_option_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--queue-names"], environment(tmp_path))

    assert 2 == caught.value.code
    assert "unrecognized arguments: --queue-names" in capsys.readouterr().err


def test_a_setting_that_cannot_be_used_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main([], environment(tmp_path, GONOGO_MAX_CACHED_WORKFLOWS="many"))

    expected = "worker: GONOGO_MAX_CACHED_WORKFLOWS is 'many'; write a whole number, 0 or more\n"
    assert (2, ("", expected)) == (code, capsys.readouterr())


def test_a_workspace_that_is_wrong_is_exit_code_1_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "agents.yaml").write_text("agents: {ann: {}, ann: {}}\n")

    code = main([], environment(tmp_path, GONOGO_WORKSPACE=str(tmp_path)))

    said = capsys.readouterr()
    assert (1, "") == (code, said.out)
    assert "agents.yaml:1:19: DUPLICATE_KEY" in said.err


@contextmanager
def worker(tmp_path: Path, server: DevServer, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a worker against a server until the test is over."""
    process = subprocess.Popen(
        [sys.executable, "worker.py", *arguments],
        cwd=ROOT,
        env=environment(tmp_path, TEMPORAL_ADDRESS=server.address),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def test_a_signal_ends_a_worker_in_order(tmp_path: Path, server: DevServer) -> None:
    with worker(tmp_path, server, "--queues", "secops-intel") as process:
        assert process.stdout is not None
        line = await asyncio.to_thread(process.stdout.readline)
        process.send_signal(signal.SIGTERM)
        out, error = await asyncio.to_thread(process.communicate, timeout=15)

    assert f"worker: serving secops-intel at {server.address}\n" == line
    assert (0, "", "") == (process.returncode, out, error)
