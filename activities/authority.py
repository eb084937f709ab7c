"""Whether a call of a tool that changes the world may run: the executor's own check, trusting no mission.

Law: the contract that counts is this worker's, and says how many must approve at least; the approval must be people's
own signatures under exactly these arguments, by people who may approve now, and it counts for one step of one lineage
of runs. `activities/identity.py` judges the signatures.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from temporalio import activity

from activities.entitled import why_not_enough
from activities.identity import approvals
from activities.people import Directory, Unreadable
from activities.statement import Refusal, show
from contracts.base import canonical, digest
from contracts.call import Grant, ToolCall, idempotency_key
from contracts.decision import Action, Subject
from contracts.workspace import Tool

UNDO = "/undo"
"""What the path of a compensation has behind that of its action."""
Lineage = Callable[[str, str], Awaitable[str]]
"""`lineage(workflow_id, run_id)`: the first run of the chain that a run belongs to, as the server knows it."""


class Authority:
    """The right to act, checked for each call. `check` raises `Refusal` with the reason."""

    def __init__(self, tools: Mapping[str, Tool], directory: Directory, lineage: Lineage) -> None:
        self._tools = tools
        self._directory = directory
        self._lineage = lineage

    async def check(self, call: ToolCall) -> None:
        """Let a call pass that its contract frees, or that people approved, or that undoes what they approved."""
        tool = self._tools[call.tool]
        if call.mission != activity.info().workflow_id:
            raise Refusal(f"the call says it is of mission {show(call.mission)}, but another one sends it")
        if call.undoes:
            await self._check_undo(call, tool)
        elif tool.needs_approval():
            await self._check_approval(call, tool)

    async def _check_approval(self, call: ToolCall, tool: Tool) -> None:
        grant = _grant(call)
        action = _approved(grant.subject, call.path)
        _same("tool", action.tool, call.tool)
        _same("step", action.step, call.path)
        if action.arguments is None or canonical(action.arguments) != canonical(call.arguments):
            raise Refusal("the arguments are not those that people approved")
        await self._check_grant(call, grant, tool.quorum())

    async def _check_undo(self, call: ToolCall, tool: Tool) -> None:
        """Let a compensation undo only what its contract names and what people let happen."""
        undone = self._tools.get(call.undoes)
        if undone is None or call.tool not in undone.compensated_by:
            raise Refusal(f"{call.tool} is not among the tools that may undo {show(call.undoes)}")
        if not tool.needs_approval():
            return
        grant = _grant(call)
        action = _approved(grant.subject, call.path.removesuffix(UNDO))
        _same("tool", action.tool, call.undoes)
        _same("compensation", action.compensation, call.tool)
        _same("step", f"{action.step}{UNDO}", call.path)
        known = action.undo or {}
        if canonical({name: call.arguments[name] for name in known if name in call.arguments}) != canonical(known):
            raise Refusal("the compensation's arguments are not those that people approved")
        await self._check_grant(call, grant, max(tool.quorum(), undone.quorum()))

    async def _check_grant(self, call: ToolCall, grant: Grant, least: int) -> None:
        subject = grant.subject
        if subject.kind != "approval":
            a = "an" if subject.kind[0] in "ae" else "a"
            raise Refusal(f"people decided on {a} {subject.kind}, not on an approval of this action")
        info = activity.info()
        _same("mission", subject.mission, info.workflow_id)
        first = await self._lineage(info.workflow_id or "", info.workflow_run_id or "")
        if subject.first_run_id != first:
            raise Refusal("the approval was given to another mission that had the same id before")
        # The generation is signed: what operators had undone and begun anew needs an approval of its own.
        key = idempotency_key(
            info.namespace, call.mission, first, call.path, digest(call.arguments), generation=subject.generation
        )
        if call.key != key:
            raise Refusal("the idempotency key is not the one of this step: an approval is good for one effect")
        try:
            people = self._directory.people()
        except Unreadable as error:
            raise Refusal(f"nobody's approval can be checked now: {error}") from None
        names = approvals(grant, people, datetime.now(UTC))
        lacking = why_not_enough(subject, names, least, people)
        if lacking:
            raise Refusal(lacking)


def _grant(call: ToolCall) -> Grant:
    if call.grant is None:
        raise Refusal(f"{call.undoes or call.tool} needs an approval, and none came with the call")
    return call.grant


def _approved(subject: Subject, path: str) -> Action | Subject:
    """Return what people approved at a path: the subject is it, or one of the actions that it lists is."""
    if not subject.actions:
        return subject
    found = [action for action in subject.acts() if action.step == path]
    if len(found) != 1:
        raise Refusal(f"{show(path)} is none of the actions that people approved together at {show(subject.step)}")
    return found[0]


def _same(what: str, approved: str | None, asked: str | None) -> None:
    if approved != asked:
        raise Refusal(f"the approval is for {what} {show(approved)}, not for {show(asked)}")
