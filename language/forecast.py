"""How risky the actions of a mission may come to be, from what is known before it runs. Pure, over the frozen plan.

The law: whatever a run may come to lies within, as long as the arguments that people see are those written here. What
nobody knows yet may be anything: an argument that is worked out, how often a tool has acted, how sure agents are, when
people are asked. `language/weigh.py` weighs in the run.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice, product
from typing import Any, NamedTuple

from contracts.base import Message
from contracts.canary import IN_SANDBOX, STAGE, Canary
from contracts.definition import ActionStep, AgentStep, CanaryStep, GroupStep, MissionStep, PlanStep
from contracts.gate import MOST_TOGETHER, Gate
from contracts.plan import Plan
from contracts.risk import MOST_SCORE, Factor, RiskFile
from language.cel_compile import compile_expression
from language.cel_tree import Tree
from language.checks.together import held
from language.expression import ExpressionError, render
from language.risk import of_tool
from language.steps import called_names, every_step
from language.weigh import value_of

SURENESS = (None, *(number / 20 for number in range(21)))
HOW_OFTEN = (0, 1, 2, 3, 5, 10, 30, 100)
HOURS, WEEKDAYS = range(24), range(1, 8)
MOST_TRIALS = 4_000
"""Of more ways in which the facts may lie not all are tried: then a factor may come to anything."""


class Forecast(Message):
    """What an action may come to: its score and its level, and how many people approve it all in all.

    `hangs_on` names the factors that are not known before the run.
    """

    step: str
    tools: tuple[str, ...]
    least: int
    most: int
    levels: tuple[str, ...]
    people_least: int
    people_most: int
    hangs_on: tuple[str, ...] = ()


class Way(NamedTuple):
    """From how little to how much a factor may come; `fails` where an expression may fail."""

    least: float
    most: float
    fails: bool = False


ANYTHING = Way(0.0, 1.0)


class Use(NamedTuple):
    """One use of a tool: what is known of it, what may be one of several, and which arguments nobody knows yet."""

    tool: str
    known: dict[str, Any]
    may_be: dict[str, Iterable[Any]]
    unknown: frozenset[str]


class Question(NamedTuple):
    """What people are asked about as one, and how many of them whatever the risk."""

    path: str
    people: int
    uses: tuple[Use, ...]


def forecasts(plan: Plan, inside: str = "") -> tuple[Forecast, ...]:
    """Return what each action may come to, those of missions that it starts included."""
    file = plan.risk
    if file is None:
        return ()
    found = [_forecast(f"{inside}{one.path}", one, file) for one in _questions(plan)]
    for step in every_step(plan.definition):
        if isinstance(step, MissionStep):
            found += forecasts(plan.missions[step.mission], f"{inside}{step.step}/")
    return tuple(found)


def told(one: Forecast) -> str:
    """Return a forecast in a line."""
    hangs = f"; hangs on {', '.join(one.hangs_on)}" if one.hangs_on else ""
    return f"{', '.join(one.tools)}: {_score(one)} of {MOST_SCORE} ({' or '.join(one.levels)}), {_people(one)}{hangs}"


def brief(one: Forecast) -> str:
    """Return a forecast in a few words: its score, and how many people it asks for."""
    return f"risk {_score(one)}, {_people(one).replace('1 person', '1')}"


def by_step(found: Iterable[Forecast], names: Collection[str]) -> dict[str, Forecast]:
    """Return for each step that acts what it may come to; of one with several actions all that these may."""
    steps: dict[str, Forecast] = {}
    for one in found:
        name = one.step if one.step in names else one.step.partition("/")[0].partition("[")[0]
        steps[name] = _both(steps[name], one) if name in steps else one
    return steps


def _both(one: Forecast, other: Forecast) -> Forecast:
    lowest = {name: min(getattr(one, name), getattr(other, name)) for name in ("least", "people_least")}
    highest = {name: max(getattr(one, name), getattr(other, name)) for name in ("most", "people_most")}
    return one.model_copy(update=lowest | highest)


def _score(one: Forecast) -> str:
    return str(one.least) if one.least == one.most else f"{one.least} to {one.most}"


def _people(one: Forecast) -> str:
    most = {0: "nobody is asked", 1: "1 person must approve"}.get(one.people_most, f"{one.people_most} must approve")
    return most if one.people_least == one.people_most else f"{one.people_least or 'nobody'} to {most}"


def _questions(plan: Plan) -> Iterator[Question]:
    """Yield what may ask people because it acts: actions alone, groups, stages, and what a planner may plan."""
    called, covered = called_names(plan.definition), set[int]()
    for step in every_step(plan.definition):
        match step:
            case GroupStep() if step.approval is not None:
                acts = [one for one in held(step, called) if isinstance(one, ActionStep)]
                covered |= {id(one) for one in acts}
                yield from _question(step.step, step.approval, [_use(one, plan, len(acts)) for one in acts], plan)
            case CanaryStep():
                for stage, act in _stages(step.canary):
                    covered.add(id(act))
                    yield from _question(
                        f"{step.step}[{stage}]/{act.step}", act.approval, [_use(act, plan, 1, stage)], plan
                    )
            case ActionStep() if id(step) not in covered:
                yield from _question(step.step, step.approval, [_use(step, plan)], plan)
            case PlanStep():
                for name in step.plan.allow.tools:
                    yield from _question(f"{step.step}/{name}", None, [_planned(name, plan)], plan)
            case _:
                pass


def _stages(canary: Canary) -> Iterator[tuple[int, ActionStep]]:
    if canary.sandbox is not None:
        yield IN_SANDBOX, canary.sandbox
    *others, end = canary.stages
    yield from ((stage, canary.do) for stage in others)
    yield end, canary.last or canary.do


def _question(path: str, gate: Gate | None, uses: Iterable[Use], plan: Plan) -> Iterator[Question]:
    acting = tuple(use for use in uses if plan.tools[use.tool].acts())
    if acting:
        asked = [gate.quorums()[0].required] if gate is not None else [0]
        asked += [tool.quorum() for tool in (plan.tools[use.tool] for use in acting) if tool.needs_approval()]
        yield Question(path, max(asked), acting)


def _use(step: ActionStep, plan: Plan, actions: int = 1, stage: int | None = None) -> Use:
    arguments, unknown = {}, set()
    for name, value in step.with_.items():
        try:
            arguments[name] = render(value, {} if stage is None else {STAGE: stage})
        except ExpressionError:
            unknown.add(name)
    return _of(step.action, plan, arguments, unknown, {"actions": range(1, actions + 1)}, undone=bool(step.compensate))


def _planned(name: str, plan: Plan) -> Use:
    """Return the use of a tool that a planner may plan: with any arguments, undone by something or not."""
    unknown, tool = plan.tools[name].input.get("properties", {}), plan.tools[name]
    stakes = {of_tool(tool, undone=undone) for undone in (False, True)}
    return _of(name, plan, {}, unknown, {"actions": (1, MOST_TOGETHER), "stake": sorted(stakes)}, undone=False)


def _of(
    name: str,
    plan: Plan,
    arguments: dict[str, Any],
    unknown: Iterable[str],
    may_be: Mapping[str, Iterable[Any]],
    *,
    undone: bool,
) -> Use:
    """Return a use of a tool. Who will have asked for the mission nobody knows: that field has no value."""
    tool, definition = plan.tools[name], plan.definition
    known: dict[str, Any] = {
        "tool": name,
        "effect": tool.effect,
        "stake": of_tool(tool, undone=undone),
        "arguments": arguments,
        "mission": {"name": definition.mission, "team": definition.team},
    }
    if tool.resource not in unknown:
        known["resource"] = arguments.get(tool.resource) if tool.resource else None
    sure = SURENESS if any(isinstance(step, AgentStep) for step in every_step(definition)) else (None,)
    facts = {"before": HOW_OFTEN, "confidence": sure, "hour": HOURS, "weekday": WEEKDAYS}
    return Use(name, known, {**facts, **may_be}, frozenset(unknown))


def _forecast(path: str, question: Question, file: RiskFile) -> Forecast:
    ways = [{name: _way(factor, use) for name, factor in file.factors.items()} for use in question.uses]
    scores = [_scores(way, file) for way in ways]
    # A group is as risky as its riskiest action.
    least, most = max(low for low, _ in scores), max(high for _, high in scores)
    reached = sorted({0, least, most, *(level.at for level in file.levels.values())})
    levels = dict(file.level(score) for score in reached if least <= score <= most)
    asked = [max(question.people, level.people) for level in levels.values()]
    return Forecast(
        step=path,
        tools=tuple(dict.fromkeys(use.tool for use in question.uses)),
        least=least,
        most=most,
        levels=tuple(levels),
        people_least=min(asked),
        people_most=max(asked),
        hangs_on=tuple(name for name in file.factors if any(way[name].least < way[name].most for way in ways)),
    )


def _scores(ways: Mapping[str, Way], file: RiskFile) -> tuple[int, int]:
    """Return the least and the highest score that the ways of all factors can come to."""
    whole = sum(factor.weight for factor in file.factors.values())
    least = sum(MOST_SCORE * file.factors[name].weight * way.least / whole for name, way in ways.items())
    most = sum(MOST_SCORE * file.factors[name].weight * way.most / whole for name, way in ways.items())
    fails = any(way.fails for way in ways.values())
    surely = any(way.fails and way.least > way.most for way in ways.values())
    return (MOST_SCORE if surely else round(least)), (MOST_SCORE if fails else min(MOST_SCORE, round(most)))


def _way(factor: Factor, use: Use) -> Way:
    """Return what a factor may come to, over all that the facts may be."""
    tree = compile_expression(factor.value).tree
    if _names_unknown(tree, use.unknown):
        return ANYTHING
    open_ = [name for name in use.may_be if name in tree.reads]
    known = _with_all(use) if () in tree.reads.get("arguments", ()) else use.known
    trials = list(islice(product(*(use.may_be[name] for name in open_)), MOST_TRIALS + 1))
    if len(trials) > MOST_TRIALS:
        return ANYTHING
    values, fails = [], False
    for trial in trials:
        try:
            values.append(value_of(factor, {**known, **dict(zip(open_, trial, strict=True))}))
        except ExpressionError:
            if _reads_unknown(tree, use):
                return ANYTHING
            fails = True
    return Way(min(values, default=1.0), max(values, default=0.0), fails)


def _with_all(use: Use) -> dict[str, Any]:
    """Return what is known with all the names of arguments, for who counts them."""
    return {**use.known, "arguments": {**use.known["arguments"], **dict.fromkeys(use.unknown)}}


def _names_unknown(tree: Tree, unknown: frozenset[str]) -> bool:
    """Return whether an expression may ask whether there is an argument that nobody knows, or goes through all.

    One that only reads it is not meant: it fails where it comes to that, and only there.
    """
    whole = () in tree.reads.get("arguments", ())
    asked = {node.name for node in tree.nodes if node.asks or (whole and node.kind == "select")}
    asked |= {node.text for node in tree.nodes if whole and node.text is not None}
    goes_through = whole and any(node.kind == "comprehension" for node in tree.nodes)
    return bool(asked & unknown) or (goes_through and bool(unknown))


def _reads_unknown(tree: Tree, use: Use) -> bool:
    paths = tree.reads.get("arguments", ())
    asks_who = any(path in {(), ("requested_by",)} for path in tree.reads.get("mission", ()))
    return (
        asks_who
        or ("resource" in tree.reads and "resource" not in use.known)
        or any(path == () or path[0] in use.unknown for path in paths if use.unknown)
    )
