"""Hold a script against the mission that it rehearses: names, inputs, and answers that could really be given.

The law: a script that says what the mission, its agents or its people never could is a mistake of its own, not a
rehearsal that differs.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from contracts.definition import ActionStep, AgentStep, PlanStep, Step, WaitStep
from contracts.event import EVENT
from contracts.plan import Plan
from contracts.step import ESCALATE, Place
from contracts.workspace import PeopleFile
from language.finding import Finding
from language.name import nearest
from language.schema import errors
from language.steps import by_name, fallbacks
from rehearsal.script import Answer, Cue, Rehearsal
from workflows.interpreter.walk import RECOVERY

PLAN = "plan"
INDEX = re.compile(r"\[[^]]*\]|#\d+")
MADE = frozenset({ESCALATE, RECOVERY, "undo", "on_max", PLAN})
"""Parts of paths that no definition names: the interpreter makes them."""

Contracts = Mapping[str, Any]
Actors = Mapping[str, tuple[str, ...]]
"""Who may act in each step: agents, or a tool."""


def check(script: Rehearsal, plan: Plan, people: PeopleFile) -> Iterator[Finding]:
    """Yield what is wrong with a script as one of this mission."""
    family = plan.family()
    steps = {name: step for one in family[::-1] for name, step in by_name(one.definition).items()}
    agents = {name: agent for one in family for name, agent in one.agents.items()}
    tools = {name: tool for one in family for name, tool in one.tools.items()}
    yield from _inputs(script, plan)
    yield from _known("person", script.requested_by, people.people, script.place("requested_by", "like"))
    callers, users = _all(_callers, family, agents), _all(_users, family, tools)
    yield from _cues("agent", script.agents, agents, {**callers, **_planned("agents", script, steps)})
    yield from _cues("tool", script.tools, tools, {**users, **_planned("tools", script, steps)})
    for decision in script.people:
        yield from _path(decision.at, steps, decision.place)
        yield from _known("person", decision.by, people.people, decision.place)
    yield from _events(script, steps)
    yield from _expected(script, plan, people, steps, tools)


def _all(who: Callable[[Mapping[str, Step], Contracts], Actors], family: tuple[Plan, ...], known: Contracts) -> Actors:
    """Return who may act in each step of a mission and of those that it starts; two may have steps of one name."""
    found: dict[str, tuple[str, ...]] = {}
    for one in family:
        for name, actors in who(by_name(one.definition), known).items():
            found[name] = (*found.get(name, ()), *actors)
    return found


def name_of(path: str) -> str:
    """Return the name of the step at a path: its last part, without the number of a round or an attempt."""
    return INDEX.sub("", path).rpartition("/")[2]


def _inputs(script: Rehearsal, plan: Plan) -> Iterator[Finding]:
    wrong = errors(plan.definition.inputs, script.inputs) if plan.definition.inputs else []
    if wrong:
        place = script.place("inputs", "inputs_from", "like")
        yield Finding("BAD_VALUE", f"the inputs do not fit the mission: {'; '.join(wrong[:3])}", place)


def _cues(what: str, cues: Mapping[str, Cue], contracts: Contracts, by_step: Actors) -> Iterator[Finding]:
    """Yield answers of nobody, and answers that their contract refuses."""
    for name, cue in cues.items():
        actors = (name,) if name in contracts else by_step.get(step_of(name), ())
        if not actors:
            yield from _known(what, name, [*contracts, *by_step], cue.place, f"step or {what}")
            continue
        for answer in cue.answers:
            yield from _answer(what, answer, {actor: contracts[actor].output for actor in actors})


def step_of(path: str) -> str:
    """Return the name by which answers speak of a call: its step's, or `STEP/undo` and `STEP/on_failure`."""
    name = name_of(path)
    return f"{name_of(path.rpartition('/')[0])}/{name}" if name in {RECOVERY, "undo"} else name


def _answer(what: str, answer: Answer, schemas: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    """Yield an answer that fits the schema of none who could give it."""
    wrong = {actor: errors(schema, answer.answer) if schema else [] for actor, schema in schemas.items()}
    if not answer.fails and all(wrong.values()):
        actor, why = next(iter(wrong.items()))
        message = f"the {what} '{actor}' could never answer this: {'; '.join(why[:3])}"
        mend = "answer by its output schema, or let it fail: {fails: CODE}"
        yield Finding("BAD_ANSWER", message, answer.place, mend)


def _callers(steps: Mapping[str, Step], agents: Contracts) -> dict[str, tuple[str, ...]]:
    called = {name: (step.agent,) for name, step in steps.items() if isinstance(step, AgentStep)}
    instead = {f"{name}/{RECOVERY}": tuple(fallbacks(step).values()) for name, step in steps.items()}
    return {name: actors for name, actors in {**called, **instead}.items() if actors and agents.keys() >= set(actors)}


def _users(steps: Mapping[str, Step], tools: Contracts) -> dict[str, tuple[str, ...]]:
    """Return the tool of each action, and of what undoes it."""
    del tools
    actions = {name: step for name, step in steps.items() if isinstance(step, ActionStep)}
    undone = {f"{name}/undo": (step.compensate.tool,) for name, step in actions.items() if step.compensate}
    return {**{name: (step.action,) for name, step in actions.items()}, **undone}


def _planned(
    key: Literal["agents", "tools"], script: Rehearsal, steps: Mapping[str, Step]
) -> dict[str, tuple[str, ...]]:
    """Return who may act in steps that a plan brings: the planner itself, and whoever is allowed there."""
    found: dict[str, tuple[str, ...]] = {}
    for path in getattr(script, key):
        step = planning(path, steps)
        if step is not None:
            itself = key == "agents" and name_of(path) == PLAN
            found[step_of(path)] = (step.plan.agent,) if itself else getattr(step.plan.allow, key)
    return found


def planning(path: str, steps: Mapping[str, Step]) -> PlanStep | None:
    """Return the planned step that a path lies in."""
    for part in INDEX.sub("", path).split("/")[:-1]:
        step = steps.get(part)
        if isinstance(step, PlanStep):
            return step
    return None


def _events(script: Rehearsal, steps: Mapping[str, Step]) -> Iterator[Finding]:
    waited = {step.wait.event for step in steps.values() if isinstance(step, WaitStep) and step.wait.event}
    for happening in script.events:
        yield from _known("event", happening.event, waited, happening.place)


def _expected(
    script: Rehearsal, plan: Plan, people: PeopleFile, steps: Mapping[str, Step], known: Contracts
) -> Iterator[Finding]:
    expect, places = script.expect, script.expect.places
    if expect.verdict is not None:
        yield from _known("verdict", expect.verdict, plan.definition.verdict.one_of, places["verdict"])
    for path in expect.steps or ():
        yield from _path(path, steps, places["steps"])
    for wait in expect.waits or ():
        yield from _path(wait.at, steps, places["waits"])
    for key, tools in (("ran", expect.ran), ("compensations", expect.compensations)):
        for tool in tools or ():
            yield from _known("tool", tool, known, places[key])
    for person in expect.refused:
        yield from _known("person", person, [*people.people, EVENT], places["refused"])


def _path(path: str, steps: Mapping[str, Step], place: Place) -> Iterator[Finding]:
    if name_of(path) not in MADE and planning(path, steps) is None:
        yield from _known("step", name_of(path), steps, place)


def _known(what: str, name: str, known: Iterable[str], place: Place, said: str = "") -> Iterator[Finding]:
    if name not in known:
        meant = nearest(name, known)
        mend = f"did you mean '{meant}'?" if meant else f"known here: {', '.join(sorted(known)) or 'none'}"
        yield Finding(f"UNKNOWN_{what.upper()}", f"no {said or what} here is called '{name[:80]}'", place, mend)
