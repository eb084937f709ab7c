"""What a picture of a mission shows: its steps as blocks, what runs after, beside and inside them, and what they call.

Pure, and of no format: `mermaid.py` writes it as text, `drawing.py` as SVG. A kind of step that nobody has drawn yet is
still shown: its targets and what it holds are those that `steps.py` knows.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import assert_never

from contracts.canary import Canary
from contracts.definition import (
    ActionStep,
    AgentStep,
    CanaryStep,
    ConditionStep,
    Definition,
    GateStep,
    GroupStep,
    LoopStep,
    MapStep,
    MissionStep,
    ParallelStep,
    PartyStep,
    PlanStep,
    RaceStep,
    ReviewStep,
    Step,
    WaitStep,
)
from contracts.duration import show_duration
from contracts.gate import Gate, Quorum
from contracts.party import Party
from contracts.step import BUILT_IN, LAST_RESORTS, REFUSE
from contracts.wait import Wait
from language.steps import called_names, children, targets

INSIDE = ("do", "sandbox", "last", "probe")
"""Targets that are a step's own work, and so stand inside it and not after it."""
USUAL = {
    "below_floor": "escalate",
    "on_timeout": REFUSE,
    "on_reject": "abort",
    "else": "continue",
    "on_max": "escalate",
    "on_stall": "continue",
}
LONGEST = 44
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Way:
    """Where control goes from a block: a list in place, or on to what follows. `label` says when."""

    label: str
    run: "Run | None" = None


@dataclass(frozen=True)
class Block:
    """One step. `ways` lead out of it; `inside` is what it holds, side by side or in order; `calls` are named steps."""

    name: str
    kind: str
    lines: tuple[str, ...]
    ways: tuple[Way, ...] = ()
    inside: "Run | None" = None
    calls: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Run:
    """A list of steps: rows that follow each other, which needs lead from block to block, and the steps only called."""

    rows: tuple[tuple[Block, ...], ...]
    needs: tuple[tuple[str, str], ...] = ()
    called: tuple[Block, ...] = ()
    graph: bool = False


def diagram(definition: Definition, notes: Mapping[str, str] = NOTHING) -> Run:
    """Return what a mission's picture shows, with a line more for each step that has a note."""
    return noted(run_of(definition.steps, called_names(definition), beside=False), notes)


def noted(run: Run, notes: Mapping[str, str]) -> Run:
    """Return a list whose blocks, and those inside them, say what is noted of their steps."""

    def block(one: Block) -> Block:
        ways = tuple(replace(way, run=noted(way.run, notes)) if way.run is not None else way for way in one.ways)
        inside = noted(one.inside, notes) if one.inside is not None else None
        lines = (*one.lines, *(shortened(notes[name]) for name in (one.name,) if name in notes))
        return replace(one, lines=lines, ways=ways, inside=inside)

    rows = tuple(tuple(block(one) for one in row) for row in run.rows)
    return replace(run, rows=rows, called=tuple(block(one) for one in run.called))


def run_of(steps: tuple[Step, ...], called: frozenset[str], *, beside: bool) -> Run:
    """Return a list's rows: one step a row in order, all in one row at once, or by how many needs lie before each."""
    own = [step for step in steps if step.step not in called]
    aside = tuple(block_of(step, called) for step in steps if step.step in called)
    if any(step.needs is not None for step in own):
        depth = depths(own)
        levels = sorted(set(depth.values()))
        rows = [tuple(block_of(step, called) for step in own if depth[step.step] == level) for level in levels]
        needs = tuple((need, step.step) for step in own for need in step.needs or () if need in depth)
        return Run(tuple(rows), needs, aside, graph=True)
    blocks = tuple(block_of(step, called) for step in own)
    return Run((blocks,) if beside and blocks else tuple((block,) for block in blocks), (), aside)


def depths(steps: list[Step]) -> dict[str, int]:
    """Return for each step of a task graph how many others wait in a line before it."""
    depth = {step.step: 0 for step in steps}
    for _ in steps:
        for step in steps:
            depth[step.step] = max((depth[need] + 1 for need in step.needs or () if need in depth), default=0)
    return depth


def block_of(step: Step, called: frozenset[str]) -> Block:
    inline = {key: target for key, target in targets(step).items() if not isinstance(target, str)}
    ways = tuple(Way(word(key), run_of(to, called, beside=False)) for key, to in inline.items() if key not in INSIDE)
    if ways:
        ways = (*ways, *passes(step, inline))
    held = [inside for inside in children(step) if inside not in inline.values()]
    own = tuple(inner for key, to in inline.items() if key in INSIDE for inner in to)
    held += [own] if own else []
    return Block(
        name=step.step,
        kind=step.kind,
        lines=tuple(shortened(line) for line in (*words(step), *built_in(step))),
        ways=ways,
        inside=run_of(held[0], called, beside=isinstance(step, ParallelStep | RaceStep)) if held else None,
        calls=tuple((word(key), to) for key, to in targets(step).items() if isinstance(to, str) and calls(to)),
    )


def passes(step: Step, inline: Collection[str]) -> tuple[Way, ...]:
    """Return the way on past the lists that are written in place, named after what leads there."""
    if not isinstance(step, ConditionStep):
        return (Way("otherwise"),)
    return tuple(Way(word(key)) for key in ("then", "else") if key not in inline)


def calls(target: str) -> bool:
    return target not in {*BUILT_IN, *LAST_RESORTS}


def word(key: str) -> str:
    return key.replace("_", " ")


def built_in(step: Step) -> list[str]:
    """Return the built-in words that a step's targets name, where they are not the usual ones."""
    return [
        f"{word(key)}: {target}"
        for key, target in targets(step).items()
        if isinstance(target, str) and not calls(target) and target != USUAL.get(key)
    ]


def words(step: Step) -> list[str]:
    """Return what is said of a step below its name."""
    match step:
        case AgentStep():
            return [f"agent {step.agent}"]
        case GateStep():
            return asked(step.gate)
        case ConditionStep():
            return [f"if {step.condition.if_}"]
        case LoopStep():
            return [f"until {step.loop.until}", f"at most {step.loop.max_iterations} times"]
        case ActionStep():
            undo = [f"undone by {step.compensate.tool}"] if step.compensate else []
            return [f"tool {step.action}", *undo, *(asked(step.approval) if step.approval else [])]
        case ParallelStep():
            return ["at once"]
        case MapStep():
            return [f"for each {step.map.as_} of {step.map.over}", f"{step.map.max_concurrency} at once"]
        case RaceStep():
            return ["the first wins", *([f"that is good: {step.good}"] if step.good else [])]
        case WaitStep():
            return [waited(step.wait)]
        case ReviewStep():
            who = ", ".join(step.review.reviewers)
            return [f"goes on after {show_duration(step.review.timeout)} unless {who} objects"]
        case CanaryStep():
            return rolled_out(step.canary)
        case PlanStep():
            uses = ", ".join((*step.plan.allow.agents, *step.plan.allow.tools))
            return [f"planned by {step.plan.agent}", f"of {uses}", *(asked(step.approval) if step.approval else [])]
        case PartyStep():
            return talking(step.party)
        case MissionStep():
            return [f"mission {step.mission}", f"accepts {', '.join(step.accept)}", f"{step.on_parent_close} with this"]
        case GroupStep():
            return asked(step.approval) if step.approval else []
        case _:
            assert_never(step)


def rolled_out(canary: Canary) -> list[str]:
    """Return what is said of a canary: its stages, and how each is judged."""
    return [f"stages {', '.join(map(str, canary.stages))}", f"{show_duration(canary.bake)}, then {canary.healthy}"]


def talking(party: Party) -> list[str]:
    """Return who talks, how they end, and who may speak in between."""
    rule = f"{party.threshold:.0%} agree" if party.threshold else f"{party.judge} judges" if party.judge else ""
    turns = {"all": "at once", "moderator": f"led by {party.moderator}"}.get(party.turns, "in turn")
    lines = [", ".join(party.members), f"{turns}, until {rule or party.consensus}, at most {party.rounds} rounds"]
    return [*lines, *([f"facilitated by {', '.join(party.facilitator)}"] if party.facilitator else [])]


def waited(wait: Wait) -> str:
    if wait.for_ is not None:
        return f"for {show_duration(wait.for_)}"
    return f"until {wait.until}" if wait.until else f"for the event {wait.event}"


def asked(gate: Gate) -> list[str]:
    """Return who must approve, and what happens when nobody does."""
    own, *others = gate.quorums()
    until = f" within {show_duration(gate.timeout)}" if gate.timeout else ""
    lines = [f"asks {how_many(own)}{', '.join(gate.approvers)}{until}", *seated(own)]
    for rung, quorum in zip(gate.escalation, others, strict=True):
        anew = quorum != own
        count = how_many(quorum) if anew else ""
        lines.append(f"then {count}{', '.join(rung.approvers)} within {show_duration(rung.timeout)}")
        lines += seated(quorum) if anew else []
    return lines


def how_many(quorum: Quorum) -> str:
    return f"{quorum.required} of " if quorum.required > 1 else ""


def seated(quorum: Quorum) -> list[str]:
    return (
        [f"among them {', '.join(f'{count} {role}' for role, count in quorum.seats.items())}"] if quorum.seats else []
    )


def shortened(text: str) -> str:
    """Return a line as it fits, with its spaces and line breaks made one space each."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
