"""From a mission's name to a running workflow: load, check, freeze, start.

The frozen plan is the workflow's input, so editing a file afterwards never touches what runs. Starting twice with one
id starts one mission.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from opentelemetry.trace import get_tracer
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from contracts.halt import HALTS
from contracts.lock import LOCKS
from contracts.plan import CURRENT, MissionInput
from contracts.workspace import MISSION_QUEUE, PeopleFile
from language.finding import Rejected
from language.freeze import freeze
from language.loader import load_mission
from language.schema import errors
from language.workspace import load_workspace
from runtime.settings import Settings
from starter.connect import PATIENCE
from starter.problem import Refused, Usage
from workflows.board import at_start


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
    if not isinstance(inputs, dict):
        raise Usage(f"the inputs of {mission} are one object with the fields {_fields(definition.inputs)}")
    if wrong := errors(definition.inputs, inputs):
        raise Usage(f"the inputs do not fit {mission}: {'; '.join(wrong[:5])}")
    return MissionInput(plan=plan, inputs=inputs, requested_by=requested_by, limits=CURRENT)


async def launch(client: Client, given: MissionInput, mission_id: str) -> Started:
    """Start a mission under an id, or find it running. One that has ended under this id is refused."""
    definition = given.plan.definition
    if mission_id in {HALTS, LOCKS}:
        raise Usage(f"{mission_id} is no id for a mission: the namespace's own table has it; choose another --id")
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
