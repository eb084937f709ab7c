"""Who answers to which name in a script, and by which schema: agents, tools, steps, and members of parties.

The other half is `rehearsal/check.py`, which holds a script's answers against these.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from contracts.definition import ActionStep, AgentStep, PartyStep, Step
from contracts.mind import Agent
from contracts.workspace import Tool
from language.named import named_by
from language.steps import fallbacks
from workflows.interpreter.ladder import RECOVERY
from workflows.interpreter.watch import WATCH

VOTE = "vote"
Part = tuple[str, dict[str, Any]]
"""An agent or a tool, and the schema of what it answers there."""
Cast = Mapping[str, tuple[Part, ...]]

Steps = Mapping[str, Step]


def agents(steps: Steps, contracts: Mapping[str, Agent]) -> Cast:
    """Return who answers to the name of an agent, of a step, and of a member in a party: `debate/cfo`."""
    elsewhere, _ = named_by(step for step in steps.values() if not isinstance(step, PartyStep))
    talking = {name for step in steps.values() if isinstance(step, PartyStep) for name in step.party.agents()}
    own = ((name, (name, one.output)) for name, one in contracts.items() if name not in talking - elsewhere)
    return _gathered(chain(own, _agents(steps, contracts)))


def tools(steps: Steps, contracts: Mapping[str, Tool]) -> Cast:
    """Return what answers to the name of a tool, of an action, and of what undoes it."""
    return _gathered(chain(((name, (name, one.output)) for name, one in contracts.items()), _tools(steps, contracts)))


def members(steps: Steps) -> set[str]:
    """Return the parts of paths that parties make: their agents, and the vote."""
    parties = [step.party for step in steps.values() if isinstance(step, PartyStep)]
    return {VOTE, *(agent for party in parties for agent in party.agents())} if parties else set()


def _agents(steps: Steps, contracts: Mapping[str, Agent]) -> Iterator[tuple[str, Part]]:
    for name, step in steps.items():
        if isinstance(step, AgentStep):
            yield name, (step.agent, contracts[step.agent].output)
            if step.watch is not None:
                yield f"{name}/{WATCH}", (step.watch, contracts[step.watch].output)
        for way, other in fallbacks(step).items():
            place = name + f"/{RECOVERY}" * (1 + way.count(".else"))
            yield place, (other, contracts[other].output)
        if isinstance(step, PartyStep):
            for agent in step.party.agents():
                stance = (agent, step.party.schema_for(agent))
                yield from ((f"{name}/{agent}", stance), (agent, stance))


def _tools(steps: Steps, contracts: Mapping[str, Tool]) -> Iterator[tuple[str, Part]]:
    for name, step in steps.items():
        if isinstance(step, ActionStep):
            yield name, (step.action, contracts[step.action].output)
            if step.compensate:
                yield f"{name}/undo", (step.compensate.tool, contracts[step.compensate.tool].output)


def _gathered(parts: Iterable[tuple[str, Part]]) -> Cast:
    found: dict[str, tuple[Part, ...]] = {}
    for name, part in parts:
        found[name] = (*found.get(name, ()), part)
    return found
