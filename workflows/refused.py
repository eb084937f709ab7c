"""What becomes of answers that were not encrypted for the mission that they came to: failures of who was asked.

The law: nothing that was refused is ever a result, and nothing that came from outside stops a mission. Only what this
worker lacks the key of does: the task fails, and is tried again by whoever has it. `runtime/codec.py` refuses.
"""

import json

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.activity_result import ActivityResolution
from temporalio.bridge.proto.workflow_activation import WorkflowActivation

from contracts.payload import NO_KEY, REFUSED, PayloadRefused

MARK = REFUSED.encode()


def settle(act: WorkflowActivation) -> None:
    """Turn each refused answer into a failure. Raises where a key is missing."""
    for job in act.jobs:
        if job.HasField("initialize_workflow"):
            _demand_keys(*job.initialize_workflow.arguments)
        elif job.HasField("resolve_activity") and job.resolve_activity.result.HasField("completed"):
            answer = job.resolve_activity.result.completed.result
            if answer.metadata.get("encoding") == MARK:
                _demand_keys(answer)
                _fail(job.resolve_activity.result, answer.data.decode())


def why(error: Exception) -> str:
    """Say why something that came could not be read."""
    return str(error) if isinstance(error, PayloadRefused) else "this could not be read"


def _fail(result: ActivityResolution, why: str) -> None:
    failure = Failure(message="activity error")
    failure.activity_failure_info.SetInParent()
    cause = failure.cause
    said = json.dumps({"message": f"the answer is refused: {why}", "stack_trace": ""}).encode()
    cause.encoded_attributes.CopyFrom(Payload(metadata={"encoding": b"json/plain"}, data=said))
    cause.application_failure_info.type = "refused"
    cause.application_failure_info.non_retryable = True
    result.failed.failure.CopyFrom(failure)


def _demand_keys(*payloads: Payload) -> None:
    for payload in payloads:
        if payload.metadata.get("encoding") == MARK and NO_KEY in payload.metadata:
            raise RuntimeError(f"this worker cannot go on with the mission: {payload.data.decode()}")
