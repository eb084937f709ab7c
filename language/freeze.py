"""Freeze a checked definition into the plan that runs: with the agents and tools that it names, as they are now."""

from collections.abc import Iterator
from pathlib import Path

from contracts.definition import Definition, PlanStep
from contracts.plan import Plan
from contracts.step import Place
from contracts.workspace import Workspace
from language.finding import Finding, Rejected
from language.library import Library, Unusable, excess, starts
from language.loader import read_for
from language.named import used
from language.signatures import read_signatures
from language.steps import every_step
from language.workspace import PEOPLE


def freeze(definition: Definition, workspace: Workspace) -> Plan:
    """Return the sealed plan, with those of the missions that it starts. Raises `Rejected` where none can be made."""
    return _frozen(definition, workspace, Library(workspace, read_for))


def _frozen(definition: Definition, workspace: Workspace, library: Library) -> Plan:
    if workspace.people.escalation is None:
        place = Place(file=PEOPLE, line=1, column=1)
        raise Rejected([Finding("MISSING_KEY", "no 'escalation'", place, "write 'escalation: {role: …}'")])
    agents, tools = used(definition, workspace)
    planned = any(isinstance(step, PlanStep) for step in every_step(definition))
    people = {name: person.roles for name, person in workspace.people.people.items()} if planned else {}
    return Plan(
        definition=definition,
        agents={name: workspace.agents[name] for name in sorted(agents)},
        tools={name: workspace.tools[name] for name in sorted(tools)},
        pins=_pins(agents, tools, workspace),
        escalation=workspace.people.escalation,
        people=people,
        operators=workspace.people.operating(),
        missions=dict(_children(definition, workspace, library)),
        notify=workspace.notify.has_channels(),
        signatures=read_signatures(Path(workspace.root) / definition.mission),
        risk=workspace.risk,
    ).sealed()


def _pins(agents: set[str], tools: set[str], workspace: Workspace) -> dict[str, str]:
    """Return what was admitted of the tools that a mission uses, those of its agents included."""
    used = tools.union(*(workspace.agents[name].hands() for name in agents))
    known = {name: workspace.tools[name].pin for name in sorted(used) if name in workspace.tools}
    return {name: pin for name, pin in known.items() if pin}


def _children(definition: Definition, workspace: Workspace, library: Library) -> Iterator[tuple[str, Plan]]:
    """Yield the plans of the missions that steps start. What they may do is looked at again: files change."""
    with library.reading(definition.mission):
        for step in starts(definition):
            child = library.find(step.mission)
            if isinstance(child, Unusable):
                raise Rejected([Finding(child.code, child.message, step.place, child.mend)])
            agents, tools = excess(step, library.family(child), definition, workspace)
            if agents or tools:
                message = f"'{step.mission}' uses {', '.join(sorted(agents | tools))}, which is not allowed here"
                raise Rejected([Finding("CHILD_EXCEEDS", message, step.place, "name them under 'allow', if it may")])
            yield step.mission, _frozen(child, workspace, library)
