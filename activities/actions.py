"""Carry out actions: check the right to act once more, call the tool, check its answer.

Law: the contract is this worker's own, never the caller's; nothing is sent before everything was checked; what
happens after sending is told as `applied` yes or unknown, and `no` stands for all attempts, not only for the last.
`workflows/interpreter/steps/action.py` is the other half.
"""

import time
from collections.abc import Mapping
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.attempt import leave, nothing_done, receipt_left
from activities.authority import Authority, Denied, Outdated, Right
from activities.broker import Broker
from activities.charter import Charters
from activities.failure import Applied, Code, explained, failure
from activities.halts import Brake, halting, not_begun, nothing_halted
from activities.later import waiting
from activities.mcp_tools import ToolFailed, ToolServers
from activities.pins import pinned
from activities.pulse import as_before, beating
from activities.receipt import Begun, Receipts
from activities.statement import Refusal, show
from contracts.call import EXECUTE_ACTION, ToolCall, ToolResult, Usage
from contracts.policy import Answer, told
from contracts.workspace import Tool
from language import schema


class ActionExecutor:
    """The activity that lets a tool act. Errors are those of `activities/failure.py`."""

    def __init__(
        self,
        tools: Mapping[str, Tool],
        servers: ToolServers,
        authority: Authority,
        brake: Brake = nothing_halted,
        *,
        broker: Broker | None = None,
        receipts: Receipts | None = None,
        charters: Charters | None = None,
    ) -> None:
        self._broker = broker
        self._receipts = receipts
        self._charters = charters
        self._tools = tools
        self._servers = servers
        self._authority = authority
        self._brake = brake

    @activity.defn(name=EXECUTE_ACTION)
    async def execute(self, call: ToolCall) -> ToolResult:
        """Run one call of a tool, if it may run."""
        tool, right, credential = await self._admit(call)
        begun = await self._begun(call, tool, right.answer)
        started = time.monotonic()
        try:
            async with beating(as_before):
                output = await self._act(call, tool, credential)
            _check_output(call, tool, output)
        except ApplicationError as error:
            raise (begun.failed(error) if begun else error) from error.__cause__
        usage = Usage(tool_calls=1, seconds=time.monotonic() - started)
        receipt = begun.signed(output) if begun else None
        return ToolResult(output=output, usage=usage, policy=(right.answer,), receipt=receipt)

    async def _admit(self, call: ToolCall) -> tuple[Tool, Right, str]:
        """Return the tool's contract, why it may act, and its credential, after every check before sending."""
        await self._demand_free(call)
        tool = self._tools.get(call.tool)
        if tool is None:
            raise _nothing_done(call, "refused", f"{show(call.tool)} is no tool that this worker serves")
        if tool.acts() and tool.idempotency == "none" and _repeated(call):
            sentence = f"{call.tool} cannot be repeated safely, and an earlier attempt may have reached it"
            raise failure("refused", sentence, "unknown")
        wrong = _misfits(tool.input, call.arguments)
        if wrong:
            raise _nothing_done(call, "bad_input", f"{call.tool}: the arguments do not fit its contract: {wrong}")
        return tool, *await self._authorize(call, tool)

    async def _begun(self, call: ToolCall, tool: Tool, answer: Answer) -> Begun | None:
        """Begin the receipt of what is done now, where receipts are given."""
        if self._receipts is None:
            return None
        try:
            return await self._receipts.begin(call, tool, answer)
        except RPCError as error:
            raise _unknown_mission(call, error) from None

    async def _demand_free(self, call: ToolCall) -> None:
        """Refuse to begin what is halted. What undoes is no team's: only a halt of its own tool stops it."""
        halts = await self._brake(tool=call.tool, teams=() if call.undoes else (call.team,))
        if halts:
            raise _nothing_done(call, "halted", not_begun(call.tool, halts), **halting(halts))

    async def _authorize(self, call: ToolCall, tool: Tool) -> tuple[Right, str]:
        try:
            if self._charters is not None:
                await self._charters.demand(call)
            right = await self._authority.check(call)
            return right, await self._broker.issue(call, tool, right) if self._broker else ""
        except Denied as denied:
            raise _nothing_done(
                call, "refused", f"{call.tool} was refused: {denied}", **told([denied.answer])
            ) from None
        except Outdated as old:
            asked: dict[str, Any] = {"governance": old.governance, "people": old.people}
            raise _nothing_done(call, "outdated", f"{call.tool} is to be asked again: {old}", **asked) from None
        except Refusal as refusal:
            raise _nothing_done(call, "refused", f"{call.tool} was refused: {refusal}") from None
        except RPCError as error:
            raise _unknown_mission(call, error) from None

    async def _act(self, call: ToolCall, tool: Tool, credential: str) -> Any:
        try:
            held = pinned(call.tool, tool, call.pins)
            return await self._servers.call(
                call.tool, held, call.arguments, call.key, call.undoes_key, credential=credential
            )
        except ToolFailed as failed:
            more: dict[str, Any] = {"final": failed.final, "after": failed.after}
            if tool.acts() and failed.applied == "no":
                raise waiting(_nothing_done(call, failed.code, str(failed), **more)) from None
            applied: Applied = failed.applied if tool.acts() else "no"
            error = failure(failed.code, str(failed), applied, **more)
            raise (error if tool.acts() else waiting(error)) from None


def _unknown_mission(call: ToolCall, error: RPCError) -> ApplicationError:
    return _nothing_done(call, "unavailable", f"{call.tool}: its mission cannot be looked up: {explained(error)}")


def _nothing_done(
    call: ToolCall, code: Code, sentence: str, *, final: bool = False, **details: Any
) -> ApplicationError:
    """Return the failure of an attempt that surely did nothing.

    Whether an earlier one acted, this one cannot see: only an attempt that said so itself, with its last heartbeat,
    did nothing either. A lost heartbeat makes it unknown, and what is unknown is undone.
    """
    sure = not _repeated(call) or nothing_done()
    if sure:
        leave(receipt_left(), nothing=True)
    return failure(code, sentence, "no" if sure else "unknown", final=final, **details)


def _repeated(call: ToolCall) -> bool:
    """Whether an attempt before this one may have reached the tool, also one before the mission was reset."""
    info = activity.info()
    return call.again or info.attempt > 1 or info.current_attempt_scheduled_time > info.scheduled_time


def _check_output(call: ToolCall, tool: Tool, output: Any) -> None:
    wrong = _misfits(tool.output, output)
    if wrong:
        applied: Applied = "yes" if tool.acts() else "no"
        sentence = f"{call.tool} acted, but its answer does not fit its contract: {wrong}"
        raise failure("tool_failed", sentence, applied, final=True)


def _misfits(contract: dict[str, Any], value: Any) -> str:
    """Return how a value fails a contract's schema, in a clause; empty when it fits."""
    try:
        return "; ".join(schema.errors(contract, value)[:3])
    except ValueError as error:
        return f"the contract's schema cannot be used: {error}"
