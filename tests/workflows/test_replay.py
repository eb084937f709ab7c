"""Recorded histories of every kind of step replay, and the proof that this would notice a change."""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from contracts.definition import Definition, Step
from language.steps import every_step
from tests.payloads import DATA_CONVERTER
from workflows.halts import Halts
from workflows.locks import Locks
from workflows.mission import Mission
from workflows.runner import runner

ROOT = Path(__file__).parents[2]
HISTORIES = sorted((ROOT / "tests/histories").glob("*.json"))
TABLES = sorted((ROOT / "tests/histories/tables").glob("*.json"))


def history_in(path):
    """The history in a file, under the id that the mission had: those of its children are made from it."""
    history = WorkflowHistory.from_json(path.stem, path.read_text())
    return replace(history, workflow_id=history.events[0].workflow_execution_started_event_attributes.workflow_id)


@pytest.mark.parametrize("path", [*HISTORIES, *TABLES], ids=lambda path: path.stem)
async def test_a_recorded_history_replays(path):
    replayer = Replayer(workflows=[Mission, Locks, Halts], workflow_runner=runner(), data_converter=DATA_CONVERTER)
    await replayer.replay_workflow(history_in(path))


async def test_a_mission_can_be_put_down_wherever_it_waits():
    """A worker drops a mission from its cache by cancelling all of it: what goes on all the same is never dropped."""
    at_once = asyncio.Semaphore(4)

    async def put_down(history, events):
        replayer = Replayer(workflows=[Mission, Locks, Halts], workflow_runner=runner(), data_converter=DATA_CONVERTER)
        async with at_once, asyncio.timeout(30):
            await replayer.replay_workflow(replace(history, events=history.events[:events]))

    histories = [history_in(path) for path in (*HISTORIES, *TABLES)]
    ends = [(one, event.event_id) for one in histories for event in one.events if is_end_of_task(event)]
    await asyncio.gather(*(put_down(history, events) for history, events in ends))


def is_end_of_task(event):
    return event.HasField("workflow_task_completed_event_attributes")


def test_every_kind_of_step_has_a_history():
    kinds = set()
    for path in HISTORIES:
        started = history_in(path).events[0].workflow_execution_started_event_attributes
        plan = json.loads(started.input.payloads[0].data)["plan"]
        kinds |= {step.kind for step in every_step(Definition.model_validate(plan["definition"]))}

    assert {model.model_fields["kind"].default for model in get_args(get_args(Step)[0])} == kinds


MUTATIONS = {
    "what begins anew under the name of before": (
        "workflows/running.py",
        'return f"{path}~{generation}" if generation else path',
        "return path",
        "steered.1",
    ),
    "a rollback that undoes nothing": (
        "workflows/interpreter/command.py",
        "if record.path in gone], scope)",
        "if record.path not in gone], scope)",
        "steered.1",
    ),
    "a failure that waits for nobody": (
        "workflows/interpreter/course.py",
        "(box is None and not control.overriding())",
        "(box is not None and not control.overriding())",
        "letter.1",
    ),
    "a gate that a command steps around": (
        "workflows/interpreter/passing.py",
        "return [passed for passed in gates_passed(ruling, scope) if not agreed(passed)]",
        "return [passed for passed in gates_passed(ruling, scope) if agreed(passed)]",
        "redirected.1",
    ),
    "a child that is never started": (
        "workflows/interpreter/steps/mission.py",
        "if child is None:",
        "if child is None and scope is None:",
        "child.1",
    ),
    "a child that does not hold what it did": (
        "workflows/parentage.py",
        "self._parent.on_close == UNDO and",
        "self._parent.on_close != UNDO and",
        "child_undone_inside.1",
    ),
    "a halt that is waited for under another name": (
        "workflows/halt_ports.py",
        'f"{note.path}/{HALTED}"',
        'f"{note.path}/wait"',
        "halted.1",
    ),
    "a table that does not tell what stands": (
        "workflows/governance/halt.py",
        "self._changed(self.table)",
        "self.table.halts",
        "tables/halts.1",
    ),
    "an answer that its watcher does not see": (
        "workflows/interpreter/steps/agent.py",
        "    await look_at(step, output, path, scope)\n",
        "",
        "agent_watched.1",
    ),
    "an agent who asks for people and is not heard": (
        "workflows/interpreter/consult.py",
        "if not result.escalated:",
        "if result.escalated or True:",
        "agent_asks.1",
    ),
    "a saga that undoes in the order of doing": (
        "workflows/governance/saga.py",
        "key=lambda record: -record.order",
        "key=lambda record: record.order",
        "action_undone.1",
    ),
    "an activity that is called otherwise": (
        "workflows/ports.py",
        "workflow.start_activity(\n                    name,",
        'workflow.start_activity(\n            name + "_v2",',
        "agent.1",
    ),
    "a loop that goes round once more": (
        "workflows/interpreter/steps/loop.py",
        "if enough:",
        "if enough and number > 3:",
        "loop.1",
    ),
    "a rejection that does not count": (
        "workflows/governance/tally.py",
        "if len(against) >= subject.reject_quorum:",
        "if len(against) > subject.reject_quorum:",
        "gate_rejected.1",
    ),
    "a seat that is empty and counts": (
        "workflows/governance/tally.py",
        "and not empty_seats(subject.seats, approvers)",
        "and not empty_seats({}, approvers)",
        "gate_quorum.1",
    ),
    "changes that nobody makes": (
        "workflows/interpreter/rework.py",
        "await scope.run_target(target, here, scope)",
        "await scope.run_target((), here, scope)",
        "gate_changed.1",
    ),
    "a lock that is not given back": (
        "workflows/interpreter/walk.py",
        "    await give_back(path, scope)\n    return outcome",
        "    return outcome",
        "locked.1",
    ),
    "an undoing without its locks": (
        "workflows/interpreter/undo.py",
        "set(_effect(path, scope).locks) - still_held(path, scope)",
        "set()",
        "locked_undone.1",
    ),
    "silence that is a rejection though it was to be a failure": (
        "workflows/interpreter/ask.py",
        "if gate.last_resort() == DEAD_LETTER:",
        "if gate.last_resort() is None:",
        "gate_reminded.1",
    ),
    "a notice that is not sent": (
        "workflows/interpreter/ask.py",
        '    tell("opened" if',
        '    (lambda *_: None)("opened" if',
        "gate_told.1",
    ),
    "a deadline that hears nobody out": (
        "workflows/ports.py",
        "and workflow.patched(IN_TIME)",
        "and not workflow.patched(IN_TIME)",
        "gate_heard_late.1",
    ),
    "parallel branches one after the other": (
        "workflows/interpreter/steps/parallel.py",
        "await run_all([lambda branch=branch: scope.run_step(branch, path, scope) for branch in step.parallel])",
        "[await scope.run_step(branch, path, scope) for branch in step.parallel]",
        "parallel.1",
    ),
    "cancellation that compensates nothing": (
        "workflows/interpreter/course.py",
        "return ending.state != MissionState.COMPLETED",
        "return ending.state == MissionState.FAILED",
        "cancelled.1",
    ),
}
REPLAY = """
import asyncio, pathlib, sys
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from tests.payloads import DATA_CONVERTER
import workflows.halts, workflows.locks, workflows.mission
from workflows.runner import runner
assert workflows.mission.__file__.startswith(sys.argv[1])
kinds = [workflows.mission.Mission, workflows.locks.Locks, workflows.halts.Halts]
replayer = Replayer(workflows=kinds, workflow_runner=runner(), data_converter=DATA_CONVERTER)
history = WorkflowHistory.from_json("golden", pathlib.Path(sys.argv[2]).read_text())
started = history.events[0].workflow_execution_started_event_attributes
history = WorkflowHistory(started.workflow_id, history.events)
result = asyncio.run(replayer.replay_workflow(history, raise_on_replay_failure=False))
print("failed" if result.replay_failure else "replayed", flush=True)
"""


def replay_with(folder: Path, history: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", REPLAY, str(folder), str(ROOT / f"tests/histories/{history}.json")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{folder}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return (done.stdout.splitlines() or [done.stderr])[-1]


def copied(folder: Path) -> Path:
    """Copy the workflow code, so that a change of it touches nothing else."""
    for path in (ROOT / "workflows").rglob("*.py"):
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text())
    return folder


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_change_of_behaviour_is_noticed(tmp_path, name):
    """Without this, a replay gate that lets everything pass would look the same."""
    file, old, new, history = MUTATIONS[name]
    source = (copied(tmp_path) / file).read_text()
    assert 1 == source.count(old), "the mutation no longer finds its place"
    (tmp_path / file).write_text(source.replace(old, new))

    assert "failed" == replay_with(tmp_path, history)


@pytest.mark.parametrize("history", ["loop.1", "tables/halts.1"])
def test_the_copy_itself_replays(tmp_path, history):
    assert "replayed" == replay_with(copied(tmp_path), history)
