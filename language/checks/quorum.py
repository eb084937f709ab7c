"""Quorums: those that nobody could meet, those that ask for fewer people than a tool's contract, and who is excluded.

The law: how many must approve at least is said by the tool's contract; a mission may ask for more and never for fewer.
The interpreter asks for the larger number, and the executor of the action counts again by its own contract.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from contracts.definition import ActionStep, GroupStep, PlanStep, Step
from contracts.gate import Gate, Quorum
from contracts.quorum import empty_seats
from contracts.step import ESCALATE
from contracts.workspace import Tool, Workspace
from language.checks.names import at_step, listed, unknown
from language.checks.together import held
from language.draft import Draft
from language.finding import Finding
from language.steps import called_names, gate_of
from language.yaml_source import Value

MORE = "lower 'required' or name more approvers"


class Least(NamedTuple):
    """How many people must approve at least, and whose contract says so."""

    quorum: int
    tool: str


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find gates whose quorum is too small for what happens under it, or too large for the people there are."""
    yield from authors(draft, workspace)
    for step in draft.steps():
        gate = gate_of(step)
        if gate is not None:
            key = "gate" if step.kind == "gate" else "approval"
            yield from loosened(step, gate, key, draft, workspace)
            yield from exclusion(step, gate, key, draft)
            yield from changed(step, gate, key, draft)
            yield from roles(step, gate, key, draft, workspace)
            yield from unsatisfiable(step, gate, key, draft, workspace)


def authors(draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find authors whom nobody knows: excluding them would exclude nobody."""
    for number, name in enumerate(draft.definition.author):
        author = draft.tree.find("author")
        place = (author.find(number) if isinstance(author.data, list) else author).place
        yield from unknown(
            "person",
            name,
            workspace.people.people,
            lambda code, message, mend, place=place: Finding(code, message, place, mend),
        )


def loosened(step: Step, gate: Gate, key: str, draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find approvals that say they are content with fewer people than a contract asks for."""
    least = least_of(step, draft, workspace)
    for quorum, path in rungs(gate, key):
        if "required" in keys(draft.value(step, *path)) and quorum.required < least.quorum:
            message = f"the contract of '{least.tool}' asks for {least.quorum} people, and this for {quorum.required}"
            mend = f"write 'required: {least.quorum}' or more, or leave it out"
            yield draft.find("QUORUM_LOOSENED", message, step, *path, "required", mend=mend)


def rungs(gate: Gate, key: str) -> list[tuple[Quorum, tuple[str | int, ...]]]:
    """Return what each rung asks for, and where it stands: the gate itself first."""
    paths: list[tuple[str | int, ...]] = [(key,), *((key, "escalation", at) for at in range(len(gate.escalation)))]
    return list(zip(gate.quorums(), paths, strict=True))


def keys(value: Value) -> Collection[str]:
    return value.data if isinstance(value.data, dict) else ()


def exclusion(step: Step, gate: Gate, key: str, draft: Draft) -> Iterator[Finding]:
    if "author" in gate.exclude and not draft.definition.author:
        message = "'exclude: author', and the mission does not say who wrote it"
        yield draft.find("MISSING_KEY", message, step, key, "exclude", mend="write 'author: …' at the mission's head")
    if not gate.exclude and step.kind != "gate":
        message = "whoever asks for a mission never approves what acts in it"
        yield draft.find("BAD_VALUE", message, step, key, "exclude", mend="only a gate's question may say 'nobody'")


def changed(step: Step, gate: Gate, key: str, draft: Draft) -> Iterator[Finding]:
    if isinstance(step, PlanStep) and gate.on_changes is not None:
        message = "a plan is changed by its planner, who gets the words of those who refused it"
        mend = "write 'revise: true' under 'plan' instead"
        yield draft.find("BAD_VALUE", message, step, key, "on_changes", mend=mend)


def roles(step: Step, gate: Gate, key: str, draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find seats for roles that nobody holds."""
    for quorum, path in rungs(gate, key):
        if "from" in keys(draft.value(step, *path)):
            for role in quorum.seats:
                yield from unknown("role", role, workspace.people.roles(), at_step(draft, step), *path, "from", role)


def unsatisfiable(step: Step, gate: Gate, key: str, draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find gates that ask for more approvals than there are people to give them, on any rung of their ladder."""
    least = least_of(step, draft, workspace).quorum
    for number, (quorum, path) in enumerate(rungs(gate, key)):
        approvers = gate.escalation[number - 1].approvers if number else gate.approvers
        known = {*workspace.people.roles(), *workspace.people.people}
        if approvers and known.issuperset(approvers):
            lacking = why_never(gate, quorum, least, deciders(approvers, gate, draft, workspace), workspace)
            lacking = lacking or overasked(step, approvers, gate, draft, workspace)
            if lacking:
                written = keys(draft.value(step, *path))
                which = [name for name in ("required", "from") if name in written] or (
                    ["approvers"] if not number else []
                )
                yield draft.find("GATE_UNSATISFIABLE", lacking, step, *path, *which[:1], mend=MORE)
    escalation = workspace.people.escalation
    if escalation and gate.on_timeout == ESCALATE and not gate.escalation:
        people = deciders((escalation.role,), gate, draft, workspace)
        lacking = why_never(gate, gate.quorums()[0], least, people, workspace)
        lacking = lacking or overasked(step, (escalation.role,), gate, draft, workspace)
        if lacking:
            message = f"escalated to '{escalation.role}', {lacking}"
            mend = "lower 'required', or write an 'escalation' of your own"
            yield draft.find("GATE_UNSATISFIABLE", message, step, key, "on_timeout", mend=mend)


def overasked(step: Step, approvers: tuple[str, ...], gate: Gate, draft: Draft, workspace: Workspace) -> str:
    """Return why the risk of what happens under an approval may ask for more people than there are."""
    if workspace.risk is None or not any(tool.acts() for _, tool in acting(step, draft, workspace)):
        return ""
    for name, level in workspace.risk.levels.items():
        people = deciders((*approvers, *level.approvers), gate, draft, workspace)
        if len(people) < level.people:
            return f"at the risk '{name}' {level.people} must approve, and {len(people)} can: {listed(people)}"
    return ""


def why_never(gate: Gate, quorum: Quorum, least: int, people: set[str], workspace: Workspace) -> str:
    """Return why some people can never approve, or not reject."""
    required = max(quorum.required, least)
    if len(people) < required:
        return f"{required} must approve, and {len(people)} can: {listed(people)}"
    empty = empty_seats(quorum.seats, {name: workspace.people.people[name].roles for name in sorted(people)})
    # A role that nobody holds has a finding of its own.
    if empty and workspace.people.roles().issuperset(quorum.seats):
        return f"one person has one seat, and nobody is left for {listed(set(empty))} among {listed(people)}"
    if len(people) < gate.reject_quorum:
        return f"{gate.reject_quorum} must reject, and {len(people)} can: {listed(people)}"
    return ""


def deciders(approvers: tuple[str, ...], gate: Gate, draft: Draft, workspace: Workspace) -> set[str]:
    """Return the people who may decide: those named, and those with a role that is named, the authors left out."""
    wanted = set(approvers)
    out = draft.definition.author if "author" in gate.exclude else ()
    people = workspace.people.people.items()
    return {name for name, person in people if name not in out and (name in wanted or wanted & set(person.roles))}


def least_of(step: Step, draft: Draft, workspace: Workspace) -> Least:
    """Return how many people the contracts of what happens under an approval ask for, and which does."""
    tools = acting(step, draft, workspace)
    return max((Least(tool.quorum(), name) for name, tool in tools if tool.needs_approval()), default=Least(1, ""))


def acting(step: Step, draft: Draft, workspace: Workspace) -> list[tuple[str, Tool]]:
    """Return the contracts of what happens under an approval, and of what would undo it."""
    own = [step] if isinstance(step, ActionStep) else []
    if isinstance(step, GroupStep):
        own = [one for one in held(step, called_names(draft.definition)) if isinstance(one, ActionStep)]
    names = [name for one in own for name in (one.action, one.compensate.tool if one.compensate else "")]
    return [(name, workspace.tools[name]) for name in names if name in workspace.tools]
