"""Hold a script against the mission that it rehearses: names, inputs, and answers that could really be given.

The law: a script that says what the mission, its agents or its people never could is a mistake of its own, not a
rehearsal that differs.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from contracts.command import VERDICT
from contracts.definition import PlanStep, Step, WaitStep
from contracts.event import EVENT
from contracts.mind import Agent
from contracts.plan import Plan
from contracts.step import DEAD_LETTER, ESCALATE, Place
from contracts.workspace import PeopleFile, Tool
from language.finding import Finding
from language.name import nearest
from language.schema import errors
from language.steps import by_name
from rehearsal import cast
from rehearsal.script import Answer, Cue, Rehearsal
from workflows.interpreter.ladder import RECOVERY
from workflows.interpreter.watch import WATCH

PLAN = "plan"
INDEX = re.compile(r"\[[^]]*\]|#\d+")
MADE = frozenset({ESCALATE, RECOVERY, WATCH, "undo", "on_max", PLAN})
"""Parts of paths that no definition names: the interpreter makes them."""


def check(script: Rehearsal, plan: Plan, people: PeopleFile) -> Iterator[Finding]:
    """Yield what is wrong with a script as one of this mission."""
    family = plan.family()
    steps = {name: step for one in family[::-1] for name, step in by_name(one.definition).items()}
    agents = {name: agent for one in family for name, agent in one.agents.items()}
    tools = {name: tool for one in family for name, tool in one.tools.items()}
    yield from _inputs(script, plan)
    yield from _known("person", script.requested_by, people.people, script.place("requested_by", "like"))
    cues = _planned("agents", script, steps, agents), _planned("tools", script, steps, tools)
    yield from _cues("agent", script.agents, {**_all(lambda own: cast.agents(own, agents), family), **cues[0]})
    yield from _cues("tool", script.tools, {**_all(lambda own: cast.tools(own, tools), family), **cues[1]})
    for decision in script.people:
        yield from _path(decision.at, steps, decision.place)
        yield from _known("person", decision.by, people.people, decision.place)
        if decision.to:
            yield from _known("person", decision.to, people.people, decision.place)
    for command in script.operators:
        yield from _known("person", command.by, people.people, command.place)
        for path in (command.at, command.once):
            if path not in {"", DEAD_LETTER, VERDICT}:
                yield from _path(path, steps, command.place)
    yield from _events(script, steps)
    yield from _expected(script, plan, people, steps, tools)


def _all(who: Callable[[Mapping[str, Step]], cast.Cast], family: tuple[Plan, ...]) -> cast.Cast:
    """Return who answers in a mission and in those that it starts; two of them may have steps of one name."""
    found: dict[str, tuple[cast.Part, ...]] = {}
    for one in family:
        for name, parts in who(by_name(one.definition)).items():
            found[name] = (*found.get(name, ()), *parts)
    return found


def name_of(path: str) -> str:
    """Return the name of the step at a path: its last part, without the number of a round or an attempt."""
    return INDEX.sub("", path).rpartition("/")[2]


def _inputs(script: Rehearsal, plan: Plan) -> Iterator[Finding]:
    wrong = errors(plan.definition.inputs, script.inputs) if plan.definition.inputs else []
    if wrong:
        place = script.place("inputs", "inputs_from", "like")
        yield Finding("BAD_VALUE", f"the inputs do not fit the mission: {'; '.join(wrong[:3])}", place)


def _cues(what: str, cues: Mapping[str, Cue], known: cast.Cast) -> Iterator[Finding]:
    """Yield answers of nobody, and answers that their contract refuses."""
    for name, cue in cues.items():
        parts = next((known[one] for one in _names(name) if one in known), ())
        if not parts:
            yield from _known(what, name, known, cue.place, f"step or {what}")
        for answer in cue.answers if parts else ():
            yield from _answer(what, answer, parts)


def step_of(path: str) -> str:
    """Return the name by which answers speak of a call: its step's, or `STEP/undo` and `STEP/on_failure`.

    Where a fallback has another one, that one's is `STEP/on_failure/on_failure`.
    """
    holder, _, name = path.rpartition("/")
    return f"{step_of(holder)}/{name}" if holder and name in {RECOVERY, WATCH, "undo"} else name_of(path)


def _names(path: str) -> tuple[str, ...]:
    """Return by which names whoever answers at a path is known: the path's own, with what holds it, and alone."""
    name = name_of(path)
    holder = name_of(path.rpartition("/")[0].removesuffix(f"/{cast.VOTE}"))
    return (path, step_of(path), f"{holder}/{name}", name) if "/" in path else (name,)


def _answer(what: str, answer: Answer, parts: tuple[cast.Part, ...]) -> Iterator[Finding]:
    """Yield an answer that fits the schema of none who could give it."""
    wrong = [(actor, errors(schema, answer.answer) if schema else []) for actor, schema in parts]
    if not answer.fails and all(why for _, why in wrong):
        actor, why = wrong[0]
        message = f"the {what} '{actor}' could never answer this: {'; '.join(why[:3])}"
        mend = "answer by its output schema, or let it fail: {fails: CODE}"
        yield Finding("BAD_ANSWER", message, answer.place, mend)


def _planned(
    key: Literal["agents", "tools"], script: Rehearsal, steps: Mapping[str, Step], contracts: Mapping[str, Agent | Tool]
) -> cast.Cast:
    """Return who may act in steps that a plan brings: the planner itself, and whoever is allowed there."""
    found: dict[str, tuple[cast.Part, ...]] = {}
    for path in getattr(script, key):
        step = planning(path, steps)
        if step is not None:
            itself = key == "agents" and name_of(path) == PLAN
            actors = (step.plan.agent,) if itself else getattr(step.plan.allow, key)
            found[path] = tuple((actor, contracts[actor].output) for actor in actors)
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
    script: Rehearsal, plan: Plan, people: PeopleFile, steps: Mapping[str, Step], known: Iterable[str]
) -> Iterator[Finding]:
    expect, places = script.expect, script.expect.places
    if expect.verdict is not None:
        yield from _known("verdict", expect.verdict, plan.definition.verdict.one_of, places["verdict"])
    for path in expect.steps or ():
        yield from _path(path, steps, places["steps"])
    levels = plan.risk.levels if plan.risk else {}
    for path, weighed in (expect.risk or {}).items():
        yield from _path(path, steps, places["risk"])
        if weighed.level is not None and weighed.level not in levels:
            mend = f"known here: {', '.join(levels) or 'none'}"
            yield Finding("BAD_VALUE", f"no level of risk is called '{weighed.level[:80]}'", places["risk"], mend)
    for wait in expect.waits or ():
        yield from _path(wait.at, steps, places["waits"])
    for key, tools in (("ran", expect.ran), ("compensations", expect.compensations)):
        for tool in tools or ():
            yield from _known("tool", tool, known, places[key])
    for person in expect.refused:
        yield from _known("person", person, [*people.people, EVENT], places["refused"])


def _path(path: str, steps: Mapping[str, Step], place: Place) -> Iterator[Finding]:
    if name_of(path) in MADE or planning(path, steps) is not None:
        return
    if "/" not in path or name_of(path) not in cast.members(steps):
        yield from _known("step", name_of(path), steps, place)


def _known(what: str, name: str, known: Iterable[str], place: Place, said: str = "") -> Iterator[Finding]:
    if name not in known:
        meant = nearest(name, known)
        mend = f"did you mean '{meant}'?" if meant else f"known here: {', '.join(sorted(known)) or 'none'}"
        yield Finding(f"UNKNOWN_{what.upper()}", f"no {said or what} here is called '{name[:80]}'", place, mend)
