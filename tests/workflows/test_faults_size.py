"""What is too large for a history ends the mission in order: it is undone, and it never hangs."""

import base64
import zlib

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from contracts.plan import Carried
from tests.workflows.house import Activities, house
from tests.workflows.test_faults_cancel import file
from tests.workflows.test_mission import agent

LARGE = {"text": "x" * 280_000}


def large(number):
    return agent(f"a{number}", output=f"v{number}")


def test_what_runs_of_before_have_compressed_can_still_be_read():
    carried = Carried(revision=7, votes_seen=("one",))
    packed = base64.b64encode(zlib.compress(carried.model_dump_json().encode())).decode()

    assert carried == Carried(packed=packed).unpacked()
    assert carried == carried.unpacked()


async def test_a_context_too_large_to_send_fails_the_step_and_undoes_the_mission(client, home):
    steps = [file(), *(large(number) for number in range(9)), agent("all", context=[f"v{n}" for n in range(9)])]
    async with house(client, home, Activities(agents={"ann": LARGE})) as h:
        started = await h.start(steps)
        with pytest.raises(WorkflowFailureError) as failed:
            await started.result()

        assert isinstance(failed.value.cause, ApplicationError)
        assert "over_budget" == failed.value.cause.type
        assert "all" not in h.activities.asked
        assert ["file", "unfile"] == [tool for tool, _, _ in h.activities.world]
