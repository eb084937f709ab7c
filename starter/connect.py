"""Run a verb against the Temporal server, and turn what the server answers into sentences.

`runtime/connection.py` is the one way to a server; here its errors get the exit codes that scripts rely on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from starter.problem import Refused, Unreachable, Usage

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.service import RPCError

    from runtime.settings import Settings

Answer = TypeVar("Answer")
PATIENCE = timedelta(seconds=10)
"""How long any one call may take: a server that holds too many callers would let us hang."""


def settings() -> "Settings":
    """Read the environment."""
    from runtime.settings import SettingRefused, Settings

    try:
        return Settings.read()
    except SettingRefused as error:
        raise Usage(str(error)) from None


def operate(work: "Callable[[Client], Awaitable[Answer]]") -> Answer:
    """Connect, do the work, leave; problems come out as `Problem`."""
    return asyncio.run(_operate(work))


async def _operate(work: "Callable[[Client], Awaitable[Answer]]") -> Answer:
    client = await reach(settings())
    with understood():
        return await work(client)


async def reach(place: "Settings") -> "Client":
    """Connect to the server, or say that it is not there."""
    from runtime import connection
    from runtime.settings import SettingRefused

    quiet()
    try:
        return await connection.connect(place)
    except connection.Unreachable as error:
        hint = "start one with `gonogo dev`, or point TEMPORAL_ADDRESS or a Temporal profile at yours"
        raise Unreachable(f"{error}; {hint}") from None
    except SettingRefused as error:
        raise Usage(str(error)) from None


@cache
def quiet() -> None:
    """Keep the SDK's core from writing its log to standard output, which belongs to what was asked for."""
    from temporalio.runtime import Runtime, TelemetryConfig

    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=None)), error_if_already_set=False)


@contextmanager
def understood(mission: str = "") -> Iterator[None]:
    """Turn what the server or a mission answers into one sentence. `mission` is the id that was asked about."""
    from temporalio.client import RPCTimeoutOrCancelledError, WorkflowQueryFailedError
    from temporalio.service import RPCError

    from activities.content import ContentLost

    try:
        yield
    except RPCError as error:
        raise _problem(error, mission) from None
    except RPCTimeoutOrCancelledError:
        raise Unreachable(
            "the server did not answer in time; whether it heard us is unknown: look at it again"
        ) from None
    except WorkflowQueryFailedError as error:
        if "Nondeterminism" in str(error):
            raise Refused(f"mission {mission} was begun by other code and does not replay on this worker's") from None
        raise Refused(f"mission {mission} cannot answer: {error}") from None
    except ContentLost as lost:
        raise Refused(str(lost)) from None


def _problem(error: "RPCError", mission: str) -> Exception:
    from temporalio.service import RPCStatusCode

    match error.status:
        case RPCStatusCode.NOT_FOUND if mission:
            return Refused(f"no mission {mission!r}, or it has ended: `gonogo list` shows what there is")
        case RPCStatusCode.FAILED_PRECONDITION | RPCStatusCode.DEADLINE_EXCEEDED | RPCStatusCode.CANCELLED if mission:
            return Refused(
                f"no worker answers for mission {mission}: start one with `python worker.py` or `gonogo dev`"
            )
        case RPCStatusCode.UNAVAILABLE | RPCStatusCode.DEADLINE_EXCEEDED | RPCStatusCode.CANCELLED:
            return Unreachable(f"the Temporal server went away: {error.message}")
        case RPCStatusCode.UNAUTHENTICATED | RPCStatusCode.PERMISSION_DENIED:
            return Refused(f"the Temporal server refuses us: {error.message}")
        case _:
            return Refused(f"the Temporal server refuses this: {error.message}")


async def described(client: "Client", mission: str) -> Any:
    """Describe a mission, or say that there is none."""
    from temporalio.service import RPCError, RPCStatusCode

    try:
        return await client.get_workflow_handle(mission).describe(rpc_timeout=PATIENCE)
    except RPCError as error:
        if error.status in {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT}:
            raise Refused(f"no mission {mission!r}: `gonogo list` shows what there is") from None
        raise
