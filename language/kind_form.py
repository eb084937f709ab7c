"""Read what each kind of step has of its own. What all steps have is read by `step_form.py`, which calls these."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from contracts.definition import (
    MOST_AT_ONCE,
    ActionStep,
    AgentStep,
    Condition,
    ConditionStep,
    GateStep,
    GroupStep,
    Loop,
    LoopStep,
    Map,
    MapStep,
    ParallelStep,
    RaceStep,
    ReviewStep,
    Step,
    WaitStep,
)
from contracts.gate import Review
from contracts.step import ABORT, CONTINUE, ESCALATE, Retry
from contracts.wait import Wait
from language.canary_form import read_canary
from language.form import Form, filled, spare
from language.mission_form import read_mission
from language.party_form import read_party
from language.plan_form import read_plan
from language.schema import check_schema

if TYPE_CHECKING:
    from language.step_form import StepReader


def read_agent(reader: "StepReader", form: Form, common: dict[str, Any]) -> Step:
    return AgentStep(
        **common,
        agent=form.text("agent"),
        task=form.text("task", required=True),
        context=form.texts("context"),
        below_floor=reader.target(form, "below_floor", ESCALATE),
        watch=form.text("watch") or None,
        cache=form.duration("cache"),
    )


def read_parallel(reader: "StepReader", form: Form, common: dict[str, Any]) -> Step:
    return ParallelStep(**common, parallel=reader.steps(filled(form, "parallel"), named=False))


def read_group(reader: "StepReader", form: Form, common: dict[str, Any]) -> Step:
    approval = form.form("approval", "an approval")
    steps = reader.steps(filled(form, "steps"), named=True)
    return GroupStep(**common, steps=steps, approval=reader.gate(approval) if approval else None)


def read_gate(reader: "StepReader", form: Form, common: dict[str, Any]) -> Step:
    inner = form.form("gate", "a gate")
    return GateStep(**common, gate=reader.gate(inner)) if inner else GroupStep(**common, steps=())


def read_condition(reader: "StepReader", form: Form, common: dict[str, Any]) -> Step:
    inner = form.form("condition", "a condition")
    if inner is None:
        return GroupStep(**common, steps=())
    condition = Condition(
        **{
            "if": inner.text("if", required=True),
            "then": reader.target(inner, "then", CONTINUE, required=True),
            "else": reader.target(inner, "else", CONTINUE),
        }
    )
    inner.done()
    return ConditionStep(**common, condition=condition)


def read_loop(reader: "StepReader", form: Form, common: dict[str, Any]) -> Step:
    inner = form.form("loop", "a loop")
    if inner is None:
        return GroupStep(**common, steps=())
    if "max_iterations" not in inner.data:
        inner.add("LOOP_UNBOUNDED", "this loop may never end", inner.value.place, "write 'max_iterations: 5'")
    loop = Loop(
        do=reader.target(inner, "do", CONTINUE, required=True),
        until=inner.text("until", required=True),
        max_iterations=inner.integer("max_iterations", 1, 1000, 1),
        on_max=reader.target(inner, "on_max", ESCALATE),
    )
    inner.done()
    return LoopStep(**common, loop=loop)


def read_action(reader: "StepReader", form: Form, common: dict[str, Any]) -> Step:
    arguments, compensation = form.mapping("with"), reader.compensation(form)
    approval = form.form("approval", "an approval")
    return ActionStep(
        **common,
        action=form.text("action"),
        **{"with": arguments or {}},
        compensate=compensation,
        approval=reader.gate(approval) if approval else None,
    )


def read_map(reader: "StepReader", form: Form, common: dict[str, Any]) -> Step:
    inner = form.form("map", "a map")
    if inner is None:
        return GroupStep(**common, steps=())
    count, share = tolerated(inner)
    each = Map(
        **{
            "over": inner.text("over", required=True),
            "as": inner.text("as") or "item",
            "key": inner.text("key") or None,
            "do": reader.target(inner, "do", CONTINUE, required=True),
            "max_concurrency": inner.integer("max_concurrency", 1, MOST_AT_ONCE, 10),
            "tolerate": count,
            "tolerate_share": share,
        }
    )
    inner.done()
    return MapStep(**common, map=each)


SHARE = re.compile(r"(\d{1,2}(?:\.\d+)?|100)%")


def tolerated(form: Form) -> tuple[int, float]:
    """Return how many may fail, as a number and as a share."""
    value = form.data.get("tolerate")
    if value is None or not isinstance(value.data, str):
        return form.integer("tolerate", 0, 1_000_000, 0), 0.0
    form.take("tolerate")
    share = SHARE.fullmatch(value.data)
    if share is None:
        form.wrong(value, "'tolerate' is a number of items or a share of them", "write '3' or '20%'")
        return 0, 0.0
    return 0, float(share[1]) / 100


def read_race(reader: "StepReader", form: Form, common: dict[str, Any]) -> Step:
    return RaceStep(**common, race=reader.steps(filled(form, "race"), named=False), good=form.text("good") or None)


def read_wait(reader: "StepReader", form: Form, common: dict[str, Any]) -> Step:
    del reader
    inner = form.form("wait", "a wait")
    if inner is None:
        return GroupStep(**common, steps=())
    wait = Wait(
        **{
            "for": inner.duration("for"),
            "until": inner.text("until") or None,
            "event": inner.text("event") or None,
            "key": inner.text("key"),
            "schema": inner.mapping("schema") or {},
        }
    )
    ways = [name for name in ("for", "until", "event") if name in inner.data]
    if len(ways) != 1:
        said = f"this says {' and '.join(map(repr, ways))}" if ways else "this says nothing of the three"
        mend = "write one of 'for', 'until' and 'event'"
        inner.add("BAD_VALUE", f"a wait has one end, and {said}", inner.value.place, mend)
    for name in ("key", "schema"):
        if name in inner.data and "event" not in inner.data:
            inner.add("BAD_VALUE", f"'{name}' is of an event", inner.data[name].place, "write 'event' beside it")
    for problem in check_schema(wait.schema_):
        inner.add("BAD_SCHEMA", f"'schema' is no JSON Schema: {problem}", inner.data["schema"].place)
    inner.done()
    return WaitStep(**common, wait=wait)


def read_review(reader: "StepReader", form: Form, common: dict[str, Any]) -> Step:
    inner = form.form("review", "a review")
    if inner is None:
        return GroupStep(**common, steps=())
    review = Review(
        reviewers=inner.texts("reviewers", required=True),
        timeout=spare(inner.duration("timeout", required=True), Retry().most),
        message=inner.text("message"),
        context=inner.texts("context"),
        on_object=reader.target(inner, "on_object", ABORT),
    )
    inner.done()
    return ReviewStep(**common, review=review)


READERS: dict[str, Callable[["StepReader", Form, dict[str, Any]], Step]] = {
    "agent": read_agent,
    "parallel": read_parallel,
    "gate": read_gate,
    "condition": read_condition,
    "loop": read_loop,
    "action": read_action,
    "steps": read_group,
    "map": read_map,
    "race": read_race,
    "wait": read_wait,
    "review": read_review,
    "canary": read_canary,
    "plan": read_plan,
    "party": read_party,
    "mission": read_mission,
}
WORDS = {
    "agent": "an agent step",
    "parallel": "a parallel step",
    "gate": "a gate step",
    "condition": "a condition step",
    "loop": "a loop step",
    "action": "an action",
    "steps": "a group",
    "map": "a map",
    "race": "a race",
    "wait": "a wait",
    "review": "a review",
    "canary": "a canary",
    "plan": "a planned step",
    "party": "a party step",
    "mission": "a mission step",
}
KEYS = "step needs output default when on_failure locks task context below_floor retry timeout with compensate approval"
MORE_KEYS = "watch good accept allow on_parent_close"
EVERY_KEY = frozenset((*KEYS.split(), *MORE_KEYS.split()))
