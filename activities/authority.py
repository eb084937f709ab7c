"""Whether a call of a tool that changes the world may run: the executor's own check, trusting no mission.

Law: the contract that counts is this worker's, and says how many must approve at least; the approval must be people's
own signatures under exactly these arguments, by people who may approve now, and it counts for one step of one lineage
of runs. `activities/identity.py` judges the signatures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from temporalio import activity

from activities.assent import Assented, Assents
from activities.entitled import why_not_enough
from activities.governance import Governance
from activities.identity import approvals, decision
from activities.lineage import Lineage
from activities.people import Directory, Unreadable
from activities.policy import Policy
from activities.statement import Refusal, show
from contracts.base import canonical, digest
from contracts.call import Grant, ToolCall, idempotency_key
from contracts.data import classes
from contracts.decision import Action, Subject
from contracts.policy import Answer, Question
from contracts.workspace import PeopleFile, Tool

UNDO = "/undo"
"""What the path of a compensation has behind that of its action."""


class Outdated(Refusal):
    """What people approved under other rules than those in force, or too few of them for its risk; asked again."""

    def __init__(self, reason: str, governance: str, people: int = 0) -> None:
        super().__init__(reason)
        self.governance = governance
        self.people = people


class Denied(Refusal):
    """What policy does not allow, with its answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"policy does not allow it: {answer}")
        self.answer = answer


def resource(tool: Tool, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return what a tool is used on, where its contract says which argument names that."""
    value = arguments.get(tool.resource) if tool.resource else None
    return {} if value is None else {"resource": value if isinstance(value, str) else canonical(value).decode()}


@dataclass(frozen=True)
class Right:
    """Why a call may run: what policy said, whose approvals were verified, and for whom that was."""

    answer: Answer
    approved_by: tuple[str, ...] = ()
    requested_by: str = ""


class Authority:
    """The right to act, checked for each call. `check` raises `Refusal` with the reason."""

    def __init__(
        self,
        tools: Mapping[str, Tool],
        directory: Directory,
        lineage: Lineage,
        *,
        policy: Policy,
        governance: Governance | None = None,
    ) -> None:
        self._assents = Assents(directory, lineage)
        self._policy = policy
        self._governance = governance
        self._tools = tools
        self._directory = directory
        self._lineage = lineage

    async def check(self, call: ToolCall) -> Right:
        """Let a call pass that its contract frees, or that people approved, or that undoes what they approved.

        And that policy permits.
        """
        tool = self._tools[call.tool]
        if call.mission != activity.info().workflow_id:
            raise Refusal(f"the call says it is of mission {show(call.mission)}, but another one sends it")
        names: tuple[str, ...] = ()
        if call.undoes:
            names = await self._check_undo(call, tool)
        elif tool.needs_approval() or (tool.acts() and self._demanded(call)):
            names = await self._check_approval(call, tool)
        try:
            assented = await self._assents.of(call)
        except Unreadable as error:
            raise Refusal(f"nobody's approval can be checked now: {error}") from None
        answer = self._asked(call, tool, names, assented)
        if answer.outcome == "needs approval" and not names and call.grant is not None:
            # Its contract asks nobody: what people said all the same is looked at where policy asks them.
            names = await (self._check_undo_approval if call.undoes else self._check_approval)(call, tool)
            answer = self._asked(call, tool, names, assented)
        if not answer.allowed():
            raise Denied(answer)
        # What people signed says who asked for it; without that the mission alone says so.
        asker = call.grant.subject.requested_by if names and call.grant is not None else ""
        return Right(answer, names, asker)

    def _asked(self, call: ToolCall, tool: Tool, names: tuple[str, ...], assented: Assented) -> Answer:
        """Return what policy says of a call that these people approved."""
        known = self._people().people if names else {}
        roles = {name: known[name].roles for name in names}
        context = {
            "step": call.path.removesuffix(UNDO),
            "undoes": bool(call.undoes),
            "admitted": call.admitted,
            "approvals": len(names),
            "approved_as": sorted({role for held in roles.values() for role in held}),
            "data": sorted({*call.data, *classes(tool.input), *classes(tool.output)}),
            **resource(tool, call.arguments),
        }
        mission = activity.info().workflow_type or ""
        answer = self._policy.ask(
            Question(verb="act", who=mission, what=call.tool, team=call.team, at=call.path, context=context)
        )
        return assented.applied(answer, roles)

    def _version(self) -> str:
        """Return the version of the rules in force; empty where nothing binds to one."""
        try:
            return self._governance.version() if self._governance is not None else ""
        except Unreadable as error:
            raise Refusal(f"nobody's approval can be checked now: {error}") from None

    def _people(self) -> PeopleFile:
        try:
            return self._directory.people()
        except Unreadable as error:
            raise Refusal(f"nobody's approval can be checked now: {error}") from None

    async def _check_approval(self, call: ToolCall, tool: Tool) -> tuple[str, ...]:
        if call.grant is None and not tool.needs_approval():
            raise Outdated(
                f"its risk asks for {self._demanded(call)} to approve it", self._version(), self._demanded(call)
            )
        grant = _grant(call)
        action = _approved(grant.subject, call.path)
        _same("tool", action.tool, call.tool)
        _same("step", action.step, call.path)
        if action.arguments is None or canonical(action.arguments) != canonical(call.arguments):
            raise Refusal("the arguments are not those that people approved")
        return await self._check_grant(call, grant, tool.quorum(), self._demanded(call))

    def _demanded(self, call: ToolCall) -> int:
        """Return how many people the risk of a call asks for, by this worker's own workspace and what people signed."""
        if self._governance is None:
            return 0
        try:
            return self._governance.demanded(call)
        except Unreadable as error:
            raise Refusal(f"nobody can say now how risky it is: {error}") from None

    async def _check_undo(self, call: ToolCall, tool: Tool) -> tuple[str, ...]:
        """Let a compensation undo only what its contract names and what people let happen."""
        undone = self._tools.get(call.undoes)
        if undone is None or call.tool not in undone.compensated_by:
            raise Refusal(f"{call.tool} is not among the tools that may undo {show(call.undoes)}")
        return await self._check_undo_approval(call, tool) if tool.needs_approval() else ()

    async def _check_undo_approval(self, call: ToolCall, tool: Tool) -> tuple[str, ...]:
        """Return who let the action happen that a call undoes: they saw what would undo it."""
        grant = _grant(call)
        action = _approved(grant.subject, call.path.removesuffix(UNDO))
        _same("tool", action.tool, call.undoes)
        _same("compensation", action.compensation, call.tool)
        _same("step", f"{action.step}{UNDO}", call.path)
        known = action.undo or {}
        if canonical({name: call.arguments[name] for name in known if name in call.arguments}) != canonical(known):
            raise Refusal("the compensation's arguments are not those that people approved")
        return await self._check_grant(call, grant, max(tool.quorum(), self._tools[call.undoes].quorum()))

    async def _check_grant(self, call: ToolCall, grant: Grant, least: int, risk: int = 0) -> tuple[str, ...]:
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
        if not call.undoes and subject.governance != (version := self._version()):
            # Before any signature is looked at: who signed may be somebody else by now.
            raise Outdated("policy or people have changed since it was approved", version)
        people = self._people()
        names = approvals(grant, people, datetime.now(UTC))
        if too_few := why_not_enough(subject, names, least, people):
            raise Refusal(too_few)
        if too_few := why_not_enough(subject, names, least, people, risk):
            raise Outdated(f"its risk asks for more: {too_few}", self._version(), risk)
        for name in names:
            asked = decision(name, "approve", subject, activity.info().workflow_type or "", call.team)
            if not (answer := self._policy.ask(asked)).allowed():
                raise Denied(answer)
        return names


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
