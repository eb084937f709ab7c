"""A mission that ran ahead for a query is dropped, and its next task fails should it come before that."""

import asyncio
import threading

import pytest
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import Worker

from workflows.mission import Mission
from workflows.runner import STUCK, Whole, WholeTasks

RUN = "run-1"


class Inner:
    """Stands for the SDK's own instance."""

    def activate(self, act):
        return WorkflowActivationCompletion(run_id=act.run_id)


def act(job, *, task, length):
    brought = WorkflowActivation(run_id=RUN, history_length=length)
    brought.timestamp.seconds = task
    getattr(brought.jobs.add(), job).SetInParent()
    return brought


@pytest.fixture
def forgotten():
    return []


@pytest.fixture
def mission(forgotten):
    mission = Whole(Inner(), forgotten.append)
    mission.activate(act("initialize_workflow", task=1, length=3))
    return mission


def test_a_query_between_tasks_costs_nothing(mission, forgotten):
    mission.activate(act("query_workflow", task=1, length=3))
    mission.activate(act("resolve_activity", task=2, length=9))
    mission.activate(act("query_workflow", task=2, length=12))

    assert forgotten == []


def test_what_follows_within_a_task_is_no_running_ahead(mission, forgotten):
    mission.activate(act("resolve_activity", task=1, length=3))
    mission.activate(act("query_workflow", task=1, length=3))

    assert forgotten == []


def test_a_mission_that_ran_ahead_is_dropped_once_the_query_is_answered(mission, forgotten):
    mission.activate(act("resolve_activity", task=1, length=8))
    assert forgotten == []

    assert mission.activate(act("query_workflow", task=1, length=8)).run_id == RUN
    assert forgotten == [RUN]
    mission.activate(act("remove_from_cache", task=0, length=8))


def test_a_task_that_comes_before_the_mission_was_dropped_fails(mission):
    mission.activate(act("resolve_activity", task=1, length=8))
    mission.activate(act("signal_workflow", task=1, length=10))

    with pytest.raises(RuntimeError, match="had run ahead for a query"):
        mission.activate(act("signal_workflow", task=2, length=12))


def test_a_slow_task_is_let_finish_and_the_mission_is_dropped_after_it(forgotten):
    slow = Slow()
    mission = Whole(slow, forgotten.append)
    task = threading.Thread(target=mission.activate, args=(act("initialize_workflow", task=1, length=3),))
    drop = threading.Thread(target=mission.activate, args=(act("remove_from_cache", task=0, length=3),))
    task.start()
    assert slow.begun.wait(10)
    drop.start()
    assert mission.get_thread_id() is None
    drop.join(0.2)  # Long enough to come in between, were it let.

    slow.go_on.set()
    task.join(10)
    drop.join(10)

    assert slow.order == ["begun", "over", "begun", "over"]


class Slow(Inner):
    """A task that takes as long as it is told to, and sees whoever comes in between."""

    def __init__(self):
        self.begun, self.go_on, self.order = threading.Event(), threading.Event(), []

    def get_thread_id(self):
        return threading.get_ident()

    def activate(self, act):
        self.order.append("begun")
        self.begun.set()
        assert self.go_on.wait(10)
        self.order.append("over")
        return super().activate(act)


async def test_a_task_has_as_long_as_the_server_gives_it(client):
    async with Worker(client, task_queue="whole", workflows=[Mission], plugins=[WholeTasks()]) as worker:
        async with asyncio.timeout(10):
            while worker._workflow_worker._deadlock_timeout_seconds != STUCK:
                await asyncio.sleep(0)
