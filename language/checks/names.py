"""Names that must exist: agents, tools, roles and people, steps."""

from collections.abc import Callable, Iterable, Iterator

from contracts.definition import ActionStep, AgentStep, PartyStep, ReviewStep, Step
from contracts.step import BUILT_IN, LAST_RESORTS
from contracts.workspace import Workspace
from language.draft import Draft
from language.finding import Finding
from language.name import nearest
from language.silence import APPROVING_WORDS
from language.steps import FAILING, by_name, called_names, fallbacks, gate_of, targets

ROLE = "role or person"
CODES = {
    "agent": "UNKNOWN_AGENT",
    "tool": "UNKNOWN_TOOL",
    "step": "UNKNOWN_STEP",
    **dict.fromkeys((ROLE, "role", "person"), "UNKNOWN_PERSON"),
}
Find = Callable[..., Finding]


def at_step(draft: Draft, step: Step) -> Find:
    """Return how to find something at a path below a step."""
    return lambda code, message, *path, mend: draft.find(code, message, step, *path, mend=mend)


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find names that nothing has, and step names that two have."""
    steps = by_name(draft.definition)
    called = called_names(draft.definition)
    yield from twice(draft)
    yield from operators(draft, workspace)
    for step in draft.steps():
        yield from contracts(step, draft, workspace)
        yield from approvers(step, draft, workspace)
        yield from next_steps(step, draft, steps)
        if step.needs and step.step in called:
            mend = "leave 'needs' out, or the call"
            yield draft.find("BAD_VALUE", "a step that others call does not wait for 'needs'", step, "needs", mend=mend)


def operators(draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find operators whom nobody knows: nobody could steer the mission."""
    known = {*workspace.people.roles(), *workspace.people.people}
    written = draft.tree.find("operators")
    for number, name in enumerate(draft.definition.operators):
        place = (written.find(number) if isinstance(written.data, list) else written).place
        if name not in known:
            meant = nearest(name, known)
            mend = f"did you mean '{meant}'?" if meant else f"known here: {', '.join(sorted(known)) or 'none'}"
            yield Finding("UNKNOWN_PERSON", f"unknown {ROLE} '{name}'", place, mend)


def twice(draft: Draft) -> Iterator[Finding]:
    """Find names that stand at two steps."""
    first: dict[str, Step] = {}
    for step in draft.steps():
        if step.step in draft.named and draft.value(step, "step").data == step.step:
            before = first.setdefault(step.step, step)
            if before is not step:
                message = f"the step '{step.step}' stands in line {before.place.line} already"
                yield draft.find("DUPLICATE_STEP", message, step, "step", mend="give it a name of its own")


def contracts(step: Step, draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find agents and tools that the workspace does not have."""
    found = at_step(draft, step)
    for name, agent in fallbacks(step).items():
        path = ("on_failure", *name.split("."))
        yield from unknown("agent", agent, workspace.agents, found, *path, "agent")
        if not isinstance(step, AgentStep):
            message = "only an agent can be stood in for by another agent"
            yield found("BAD_VALUE", message, *path, mend="name a step, or write a list of steps")
    match step:
        case AgentStep():
            yield from unknown("agent", step.agent, workspace.agents, found, "agent")
            yield from watcher(step, workspace, found)
        case ActionStep():
            yield from unknown("tool", step.action, workspace.tools, found, "action")
            if step.compensate:
                path = ("compensate", "tool")
                yield from unknown("tool", step.compensate.tool, workspace.tools, found, *path)
        case PartyStep():
            for number, name in enumerate(step.party.members):
                yield from unknown("agent", name, workspace.agents, found, "party", "members", number)
            yield from unknown("agent", step.party.moderator or "", workspace.agents, found, "party", "moderator")
            yield from unknown("agent", step.party.judge or "", workspace.agents, found, "party", "judge")
        case _:
            pass


def watcher(step: AgentStep, workspace: Workspace, found: Find) -> Iterator[Finding]:
    """Find a watcher that is nobody, watches itself, or has no words to object in."""
    if step.watch is None:
        return
    yield from unknown("agent", step.watch, workspace.agents, found, "watch")
    if step.watch == step.agent:
        yield found("BAD_VALUE", "nobody watches themselves", "watch", mend="name another agent")
    elif step.watch in workspace.agents:
        says = workspace.agents[step.watch].output.get("properties", {})
        if not isinstance(says, dict) or "objection" not in says:
            message = f"'{step.watch}' cannot object: its output has no 'objection'"
            mend = "give its output a text 'objection', empty where it has none"
            yield found("BAD_VALUE", message, "watch", mend=mend)


def approvers(step: Step, draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find approvers who are neither a role that somebody holds nor a person."""
    found = at_step(draft, step)
    known = {*workspace.people.roles(), *workspace.people.people}
    if isinstance(step, ReviewStep):
        for number, name in enumerate(step.review.reviewers):
            yield from unknown(ROLE, name, known, found, "review", "reviewers", number)
    if isinstance(step, PartyStep):
        for number, name in enumerate(step.party.facilitator):
            yield from unknown(ROLE, name, known, found, "party", "facilitator", number)
    gate = gate_of(step)
    if gate is None:
        return
    key = "gate" if step.kind == "gate" else "approval"
    for number, name in enumerate(gate.approvers):
        if name not in gate.from_:  # which must be roles: `checks/quorum.py`
            yield from unknown(ROLE, name, known, found, key, "approvers", number)
    for rung, asked in enumerate(gate.escalation):
        for number, name in enumerate(asked.approvers):
            if name in asked.from_:
                continue
            path = (key, "escalation", rung, "approvers", number)
            yield from unknown(ROLE, name, known, found, *path)


def next_steps(step: Step, draft: Draft, steps: Iterable[str]) -> Iterator[Finding]:
    """Find targets that are neither a step nor a built-in word."""
    known = {*(name for name in steps if name in draft.named), *BUILT_IN}
    for key, target in targets(step).items():
        if not isinstance(target, str) or target in known:
            continue
        silent = key == "on_timeout" and (target in LAST_RESORTS or target.lower() in APPROVING_WORDS)
        if not silent:
            words = {*known, *LAST_RESORTS} if key == "on_timeout" else known
            yield from unknown("step", target, words, at_step(draft, step), *where(step, key))


def where(step: Step, key: str) -> tuple[str, ...]:
    """Return the path of a target's key in the YAML of a step."""
    if key.startswith(FAILING):
        return ("on_failure", *key.removeprefix(FAILING).split("."))
    match step.kind:
        case "action" | "group" | "plan":
            return ("approval", key)
        case "gate" | "condition" | "loop" | "map" | "review" | "canary" | "party":
            return (step.kind, key)
        case _:
            return (key,)


def unknown(what: str, name: str, known: Iterable[str], found: Find, *path: str | int) -> Iterator[Finding]:
    """Find a name that is not among the known ones. A name that could not even be read has its finding already."""
    if not name or name in known:
        return
    meant = nearest(name, known)
    mend = f"did you mean '{meant}'?" if meant else f"known here: {listed(known)}"
    yield found(CODES[what], f"unknown {what} '{name}'", *path, mend=mend)


def listed(names: Iterable[str]) -> str:
    """Return a few names, in order."""
    ordered = sorted(names)
    more = f" and {len(ordered) - 8} more" if len(ordered) > 8 else ""
    return ", ".join(ordered[:8]) + more if ordered else "none"
