"""The agents and the tools that definitions and steps name: what a plan is frozen with, what a child may use. Pure."""

from collections.abc import Iterable

from contracts.definition import ActionStep, AgentStep, Definition, PartyStep, PlanStep, Step
from contracts.workspace import Workspace
from language.steps import every_step, fallbacks


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
                agents.update((step.agent, *([step.watch] if step.watch else ())))
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


def used(definition: Definition, workspace: Workspace) -> tuple[set[str], set[str]]:
    """Return the agents and the tools that a mission may use, with those that may undo what it plans."""
    agents, tools = named(definition)
    planned = [step for step in every_step(definition) if isinstance(step, PlanStep)]
    for name in {name for step in planned for name in step.plan.allow.tools if name in workspace.tools}:
        tools.update(workspace.tools[name].compensated_by)
    return agents, tools
