"""Where agents that are people may stand: they do a step, and stand in for who fails at one.

The law: people are asked once for each time their step runs. They neither plan nor talk in a party, where agents go on
as long as they are let; and who does not answer is not asked the same again by a `retry`.
"""

from collections.abc import Iterator

from contracts.definition import AgentStep, PartyStep, PlanStep, Step
from contracts.mind import PeopleAgent
from contracts.workspace import Workspace
from language.draft import Draft
from language.finding import Finding


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find steps that would ask people what they cannot be asked."""
    people = {name for name, agent in workspace.agents.items() if isinstance(agent, PeopleAgent)}
    for step in draft.steps():
        if isinstance(step, AgentStep) and step.agent in people and step.retry is not None:
            mend = "leave it out, and say under 'on_failure' what silence leads to"
            yield draft.find("BAD_VALUE", f"'{step.agent}' is people, who are asked once", step, "retry", mend=mend)
        for name, path in _elsewhere(step):
            if name in people:
                message = f"'{name}' is people, who neither plan nor talk in a party"
                yield draft.find("BAD_VALUE", message, step, *path, mend="let them do a step of their own")


def _elsewhere(step: Step) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Yield the agents of a step that is none of an agent, each with where it is named."""
    if isinstance(step, PlanStep):
        yield step.plan.agent, ("plan", "agent")
    if isinstance(step, PartyStep):
        yield from ((name, ("party", "members", number)) for number, name in enumerate(step.party.members))
        yield step.party.moderator or "", ("party", "moderator")
        yield step.party.judge or "", ("party", "judge")
