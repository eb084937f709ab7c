"""What a worker holds: of missions nothing that acts or thinks, of tools and agents only its queues' own."""

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.worker import Worker

from activities import service_keys
from activities.public_key import KeyRefused
from contracts.call import EXECUTE_ACTION, RUN_AGENT, WATCH_AGENT, AgentCall, ToolCall
from contracts.mind import AGENT_QUEUE, CodeAgent, PeopleAgent
from contracts.security import SecurityFile
from contracts.workspace import MISSION_QUEUE, TOOL_QUEUE, Server, Tool, Workspace
from runtime.duties import Duties, Holding
from runtime.settings import Settings
from tests.activities.service import serving
from worker import all_queues, working

LOOKER = CodeAgent(callable="tests.activities.minds:answer", tools=("look",))
TEAMS = Workspace(
    root="w",
    servers={name: Server(url=f"http://{name}") for name in ("edr", "siem", "mail")},
    agents={"ann": LOOKER, "ben": CodeAgent(callable="m:f", queue="intel", tools=("mailed", "isolate"))},
    tools={
        "look": Tool(server="siem", effect="read"),
        "isolate": Tool(server="edr", effect="write", queue="response"),
        "mailed": Tool(server="mail", effect="read"),
        "mend": Tool(server="edr", effect="write", autonomy="allowed", idempotency="key"),
    },
)


def held(*queues: str) -> tuple[set[str], set[str], set[str], set[str]]:
    holding = Holding(TEAMS, frozenset(queues))
    return set(holding.agents()), set(holding.reading()), set(holding.acting()), set(holding.servers())


def test_a_worker_holds_only_what_its_queues_need() -> None:
    assert (set(), set(), set(), set()) == held(MISSION_QUEUE)
    assert ({"ann"}, {"look"}, set(), {"siem"}) == held(AGENT_QUEUE)
    assert ({"ben"}, {"mailed"}, set(), {"mail"}) == held("intel"), "a tool that acts is no agent's"
    assert (set(), set(), {"isolate"}, {"edr"}) == held("response")
    assert (set(), set(), {"look", "mailed", "mend"}, {"siem", "mail", "edr"}) == held(TOOL_QUEUE)


def test_people_need_no_worker() -> None:
    people = PeopleAgent(by=("lead",), output={"type": "object"})

    assert (MISSION_QUEUE,) == all_queues(Workspace(root="w", agents={"ana": people}))


def test_plans_from_before_are_served_where_their_agents_and_tools_are_now() -> None:
    old_tool = Tool(server="s", effect="read", queue=MISSION_QUEUE)

    assert (TOOL_QUEUE, AGENT_QUEUE) == (
        old_tool.served_on(),
        CodeAgent(callable="m:f", queue=MISSION_QUEUE).served_on(),
    )


def names(duties: Duties, queue: str) -> set[str]:
    return {done.__temporal_activity_definition.name for done in duties.on(queue)}  # type: ignore[attr-defined]


def test_each_queue_has_its_own_activities_even_where_one_process_serves_them_all(
    client: Client, tmp_path: Path
) -> None:
    settings = Settings(workspace=tmp_path, home=tmp_path)
    duties = Duties(client, settings, TEAMS, all_queues(TEAMS), keeps_books=False)

    assert {RUN_AGENT, WATCH_AGENT} == names(duties, AGENT_QUEUE) == names(duties, "intel")
    assert {EXECUTE_ACTION} == names(duties, TOOL_QUEUE) == names(duties, "response")
    assert set() == names(duties, MISSION_QUEUE) & {RUN_AGENT, WATCH_AGENT, EXECUTE_ACTION}


def test_an_executor_that_must_sign_receipts_does_not_begin_without_its_key(
    client: Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(workspace=tmp_path, home=tmp_path)
    strict = TEAMS.model_copy(update={"security": SecurityFile(require_receipts=True)})
    with pytest.raises(KeyRefused, match=r"there is no key at .*executor\.pem"):
        Duties(client, settings, strict, [TOOL_QUEUE], keeps_books=False).on(TOOL_QUEUE)
    Duties(client, settings, strict, [MISSION_QUEUE], keeps_books=False).on(MISSION_QUEUE)

    Duties(client, settings, TEAMS, [TOOL_QUEUE], keeps_books=False).on(TOOL_QUEUE)
    assert [f"{tmp_path}/services/executor.pem is not there: this executor signs no receipts"] == caplog.messages

    service_keys.make(tmp_path, "executor")
    service_keys.private_path(tmp_path, "executor").chmod(0o644)
    with pytest.raises(KeyRefused, match="only 0600 is safe"):
        Duties(client, settings, TEAMS, [TOOL_QUEUE], keeps_books=False).on(TOOL_QUEUE)


@workflow.defn(sandboxed=False)
class Forged:
    """A workflow of somebody who reached the server: it asks a queue for what it wants."""

    @workflow.run
    async def run(self, name: str, queue: str, call: dict[str, Any]) -> Any:
        once = RetryPolicy(maximum_attempts=1)
        span = timedelta(seconds=20)
        return await workflow.execute_activity(
            name, call, task_queue=queue, start_to_close_timeout=span, retry_policy=once
        )


async def said_to(client: Client, name: str, queue: str, call: AgentCall | ToolCall) -> str:
    """Return why a forged workflow gets nothing from a queue."""
    own = f"forged-{uuid.uuid4().hex[:8]}"
    async with Worker(client, task_queue=own, workflows=[Forged]):
        told = [name, queue, call.model_copy(update={"mission": own}).model_dump(mode="json")]
        with pytest.raises(WorkflowFailureError) as caught:
            await client.execute_workflow(Forged.run, args=told, id=own, task_queue=own)
    return str(caught.value.cause.cause)  # type: ignore[union-attr]


async def test_the_missions_worker_does_nothing_for_a_forged_workflow(client: Client, tmp_path: Path) -> None:
    """The tool asks nobody: whoever gets a task to an executor has it done. The missions' worker is none."""
    act = ToolCall(mission="", path="a", tool="mend", arguments={"host": "web-01"}, key="k")
    think = AgentCall(mission="", path="a", name="ann", agent=LOOKER, task="look")
    async with serving() as service:
        place = TEAMS.model_copy(update={"servers": dict.fromkeys(TEAMS.servers, Server(url=service.url))})
        async with working(client, Settings(workspace=tmp_path, home=tmp_path), place, [MISSION_QUEUE]):
            refused = [
                await said_to(client, EXECUTE_ACTION, MISSION_QUEUE, act),
                await said_to(client, RUN_AGENT, MISSION_QUEUE, think),
                await said_to(client, WATCH_AGENT, MISSION_QUEUE, think),
            ]
        async with working(client, Settings(workspace=tmp_path, home=tmp_path), place, ["response"]):
            elsewhere = await said_to(client, EXECUTE_ACTION, "response", act)

    assert [True, True, True] == ["is not registered on this worker" in line for line in refused]
    assert "'mend' is no tool that this worker serves" in elsewhere
    assert [] == service.tools_called()
