"""From a mission's name to a running workflow: load, check, freeze, start.

The frozen plan is the workflow's input, so editing a file afterwards never touches what runs. Starting twice with one
id starts one mission.
"""

import secrets
import time
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from opentelemetry.trace import get_tracer
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities import keys
from activities.people import Directory
from activities.policy import Policy
from activities.signature import why_plan_unsigned
from contracts.base import digest
from contracts.halt import HALTS
from contracts.lock import LOCKS
from contracts.order import OrderClaims, rest
from contracts.plan import CURRENT, MissionInput
from contracts.workspace import MISSION_QUEUE, PeopleFile
from language.finding import Rejected
from language.freeze import freeze
from language.loader import load_mission
from language.questions import starting
from language.schema import errors
from language.workspace import load_workspace
from runtime.settings import Settings
from starter.connect import PATIENCE
from starter.problem import Refused, Usage
from workflows.board import at_start

VALID_SECONDS = 300
"""How long a signed order may travel."""


@dataclass(frozen=True)
class Started:
    """A mission that runs. `new` is false when it ran already."""

    id: str
    run: str
    new: bool


def prepare(settings: Settings, people: PeopleFile, mission: str, inputs: Any, requested_by: str) -> MissionInput:
    """Load, check and freeze a mission for these inputs. Whatever is wrong is one `Problem`."""
    file = find(settings.workspace, mission)
    try:
        workspace = load_workspace(settings.workspace, people)
        definition = load_mission(file, workspace)
        plan = freeze(definition, workspace)
    except Rejected as error:
        raise Refused(f"{mission} cannot start; its definition is refused:\n{error}") from None
    if why := why_plan_unsigned(workspace.security.require_signed, plan, workspace.people):
        raise Refused(f"{mission} cannot start: {why}; `gonogo sign {mission} --as PERSON` signs it")
    if not isinstance(inputs, dict):
        raise Usage(f"the inputs of {mission} are one object with the fields {_fields(definition.inputs)}")
    if wrong := errors(definition.inputs, inputs):
        raise Usage(f"the inputs do not fit {mission}: {'; '.join(wrong[:5])}")
    return MissionInput(plan=plan, inputs=inputs, requested_by=requested_by, limits=CURRENT)


def signed(home: Path, given: MissionInput, mission_id: str) -> MissionInput:
    """Return an order to start a mission, signed by its requester; as it is where they have no key here."""
    if not keys.NAME.fullmatch(given.requested_by) or not keys.private_path(home, given.requested_by).exists():
        return given
    now = int(time.time())
    sent = given.model_dump(mode="json")
    claims = OrderClaims(
        iss=given.requested_by,
        iat=now,
        exp=now + VALID_SECONDS,
        mission=mission_id,
        plan=given.plan.digest,
        inputs=digest(sent["inputs"]),
        more=rest(sent),
    )
    try:
        return given.model_copy(update={"order": keys.sign(home, given.requested_by, claims)})
    except keys.KeyRefused as error:
        raise Refused(str(error)) from None


def demand_permitted(settings: Settings, given: MissionInput) -> None:
    """Refuse what policy here would not let its requester start; the worker's own policy has the last word."""
    workspace = load_workspace(settings.workspace)
    known, signed = Directory(*settings.people_files()), workspace.security.require_signed
    policy = Policy(settings.workspace, known, workspace.agents, workspace.tools, signed)
    answer = policy.ask(starting(given.plan, given.requested_by, signed=bool(given.order)))
    if answer.outcome == "deny":
        hint = "" if given.order else f"; {given.requested_by} has no key here: gonogo people add {given.requested_by}"
        raise Refused(f"{answer}{hint}")


async def launch(client: Client, given: MissionInput, mission_id: str) -> Started:
    """Start a mission under an id, or find it running. One that has ended under this id is refused."""
    definition = given.plan.definition
    if mission_id in {HALTS, LOCKS}:
        raise Usage(f"{mission_id} is no id for a mission: the namespace's own table has it; choose another --id")
    if client.data_converter.payload_codec is not None and not given.veil:
        given = given.model_copy(update={"veil": secrets.token_hex(16)})
    try:
        with get_tracer("gonogo").start_as_current_span(f"start {definition.mission}"):
            handle = await client.start_workflow(
                definition.mission,
                given,
                id=mission_id,
                task_queue=MISSION_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                search_attributes=at_start(definition.mission, definition.team),
                static_summary=_summary(given)[:200],
                static_details=definition.description or None,
                rpc_timeout=PATIENCE,
            )
    except WorkflowAlreadyStartedError:
        raise Refused(f"mission {mission_id} has run and ended: nothing was started; choose another --id") from None
    response = handle._start_workflow_response  # noqa: SLF001 (the only place that says whether it is new)
    return Started(mission_id, handle.first_execution_run_id or "", new=getattr(response, "started", True))


def _summary(given: MissionInput) -> str:
    definition = given.plan.definition
    again = f", {given.rerun_of} anew" if given.rerun_of else ""
    return f"{definition.mission} {definition.version}, asked for by {given.requested_by}{again}"


def find(workspace: Path, mission: str) -> Path:
    """Return the file of a mission by its name; offer the nearest name for one that is not there."""
    known = sorted(file.parent.name for file in workspace.glob("*/mission.yaml"))
    if mission in known:
        return workspace / mission / "mission.yaml"
    near = get_close_matches(mission, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}" if known else "there are none"
    raise Usage(f"no mission {mission!r} in {workspace}: {hint}")


def _fields(schema: dict[str, Any]) -> str:
    return ", ".join(schema.get("properties", {})) or "that its definition names"
