"""Freeze a checked definition into the plan that runs: with the agents and tools that it names, as they are now."""

from collections.abc import Iterable

from contracts.definition import ActionStep, AgentStep, Definition, PartyStep, PlanStep, Step
from contracts.plan import Plan
from contracts.step import Place
from contracts.workspace import Workspace
from language.finding import Finding, Rejected
from language.steps import every_step, fallbacks
from language.workspace import PEOPLE


def freeze(definition: Definition, workspace: Workspace) -> Plan:
    """Return the sealed plan. Raises `Rejected` when the workspace has nobody to escalate to."""
    if workspace.people.escalation is None:
        place = Place(file=PEOPLE, line=1, column=1)
        raise Rejected([Finding("MISSING_KEY", "no 'escalation'", place, "write 'escalation: {role: …}'")])
    agents, tools = named(definition)
    planned = [step for step in every_step(definition) if isinstance(step, PlanStep)]
    for name in {name for step in planned for name in step.plan.allow.tools}:
        tools.update(workspace.tools[name].compensated_by)
    people = {name: person.roles for name, person in workspace.people.people.items()} if planned else {}
    return Plan(
        definition=definition,
        agents={name: workspace.agents[name] for name in sorted(agents)},
        tools={name: workspace.tools[name] for name in sorted(tools)},
        escalation=workspace.people.escalation,
        people=people,
    ).sealed()


def named(definition: Definition) -> tuple[set[str], set[str]]:
    """Return the agents and the tools, compensating ones included, that a definition names anywhere."""
    return named_by(every_step(definition))


def named_by(steps: Iterable[Step]) -> tuple[set[str], set[str]]:
    """Return the agents and the tools that some steps name, those inside them left out."""
    agents: set[str] = set()
    tools: set[str] = set()
    for step in steps:
        agents.update(fallbacks(step).values())
        match step:
            case AgentStep():
                agents.add(step.agent)
            case PartyStep():
                agents.update(step.party.agents())
            case ActionStep():
                tools.add(step.action)
                if step.compensate:
                    tools.add(step.compensate.tool)
            case PlanStep():
                agents.update((step.plan.agent, *step.plan.allow.agents))
                tools.update(step.plan.allow.tools)
            case _:
                pass
    return agents, tools
