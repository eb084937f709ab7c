"""Whether policy lets somebody read what a mission made, where nothing but the mission's id is known.

Law: deny by default. What was run under the id is asked of the server, and of each that ever was the person must be let
read: an id whose mission has ended can be taken by another. `runtime/codec_server.py` and the command line ask.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio.client import Client, RPCTimeoutOrCancelledError, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from activities.policy import Policy
from contracts.attributes import MISSION_TEAM
from contracts.policy import Question
from runtime.connection import PATIENCE, Unreachable
from runtime.settings import SettingRefused

Kind = tuple[str, str]
"""The name of a mission, and its team."""
ANSWERS = timedelta(seconds=PATIENCE)
MOST_RUNS = 1_000
QUOTES = "'\"\\"
"""What an id must not have to be asked about."""


class Readers:
    """Who may read, by the policies of one workspace and what one server knows of its missions."""

    def __init__(self, policy: Policy, client: Callable[[], Awaitable[Client]]) -> None:
        self._policy = policy
        self._connect = client
        self._client: Client | None = None

    async def why_not(self, person: str, mission: str, namespace: str) -> str:
        """Return why somebody may not read what a mission made; nothing where they may."""
        try:
            self._client = self._client or await self._connect()
            there = Client(self._client.service_client, namespace=namespace)
            kinds = await _run_as(there, mission)
        except (RPCError, RPCTimeoutOrCancelledError, Unreachable, SettingRefused):
            return f"the server cannot be asked what {mission} is, so nobody reads it"
        if not kinds:
            return f"the server knows no {mission} any more, so nobody can say who may read it"
        for name, team in sorted(kinds):
            answer = self._policy.ask(Question(verb="read_outputs", who=person, what=name, team=team))
            if not answer.allowed():
                return str(answer)
        return ""


async def _run_as(client: Client, mission: str) -> set[Kind]:
    """Return what was run under an id: the newest as it is, and before it whatever the server still lists."""
    if any(letter in mission for letter in QUOTES):
        return set()
    try:
        found = {kind_of(await client.get_workflow_handle(mission).describe(rpc_timeout=ANSWERS))}
    except RPCError as error:
        if error.status in {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT}:
            return set()
        raise
    before = client.list_workflows(f"WorkflowId = '{mission}'", limit=MOST_RUNS, rpc_timeout=ANSWERS)
    return found | {kind_of(one) async for one in before}


def kind_of(run: WorkflowExecution) -> Kind:
    """Return the name of the mission that a run is of, and its team."""
    teams = (str(pair.value) for pair in run.typed_search_attributes if pair.key.name == MISSION_TEAM)
    return run.workflow_type, next(teams, "")
