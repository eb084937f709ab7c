"""Missions that are started: they are there and right, they get what they ask for, and may do no more than allowed."""

from collections.abc import Iterable, Iterator

from contracts.definition import Definition, MissionStep
from contracts.workspace import Workspace
from language.checks.arguments import misfits
from language.checks.names import at_step, listed, unknown
from language.draft import Draft
from language.finding import Finding
from language.library import Family, Unusable, excess
from language.name import nearest


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find missions that cannot be started from here, and verdicts and inputs that they do not know."""
    for step in draft.steps():
        if isinstance(step, MissionStep):
            yield from allowances(step, draft, workspace)
            found = draft.missions.get(step.mission)
            if isinstance(found, Unusable):
                yield draft.find(found.code, found.message, step, "mission", mend=found.mend)
            elif found is not None:
                yield from verdicts(step, found[0], draft)
                yield from misfits(step, step.with_, inputs_of(found[0]), draft, "with", noun=("mission", "input"))
                yield from too_much(step, found, draft, workspace)


def inputs_of(child: Definition) -> dict[str, object]:
    """Return the schema of what a mission can be given: an input that it does not declare would be lost."""
    return {"additionalProperties": False, **(child.inputs or {"type": "object"})}


def allowances(step: MissionStep, draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    found = at_step(draft, step)
    for number, name in enumerate(step.allow.agents if step.allow else ()):
        yield from unknown("agent", name, workspace.agents, found, "allow", "agents", number)
    for number, name in enumerate(step.allow.tools if step.allow else ()):
        yield from unknown("tool", name, workspace.tools, found, "allow", "tools", number)


def verdicts(step: MissionStep, child: Definition, draft: Draft) -> Iterator[Finding]:
    known = child.verdict.one_of
    for number, word in enumerate(step.accept):
        if word not in known:
            meant = nearest(word, known)
            mend = f"did you mean '{meant}'?" if meant else f"its verdicts are: {listed(known)}"
            message = f"'{word}' is no verdict of the mission '{step.mission}'"
            yield draft.find("BAD_VALUE", message, step, "accept", number, mend=mend)


def too_much(step: MissionStep, family: Family, draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find a child that may do what its parent may not."""
    agents, tools = excess(step, family, draft.definition, workspace)
    if not agents and not tools:
        return
    said = [*phrase("agent", agents), *phrase("tool", tools)]
    message = f"'{step.mission}' uses {' and '.join(said)}, which this mission does not allow it"
    key = ("allow",) if step.allow else ("mission",)
    yield draft.find("CHILD_EXCEEDS", message, step, *key, mend="name them under 'allow', if it may")


def phrase(what: str, names: Iterable[str]) -> Iterator[str]:
    if names := sorted(names):
        yield f"the {what}{'s' if len(names) > 1 else ''} {', '.join(names)}"
