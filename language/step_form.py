"""Read steps: the YAML form of each kind becomes its model.

A step that cannot be read becomes an empty group of its name, so that what refers to it still finds it.
The other half is `contracts/definition.py`.
"""

import re
from collections.abc import Callable
from typing import Any

from contracts.definition import (
    ABORT,
    ANY,
    CONTINUE,
    ESCALATE,
    FAILURES,
    MOST_AT_ONCE,
    ActionStep,
    AgentStep,
    Compensation,
    Condition,
    ConditionStep,
    Default,
    Fallback,
    Gate,
    GateStep,
    GroupStep,
    Loop,
    LoopStep,
    Map,
    MapStep,
    ParallelStep,
    Place,
    RaceStep,
    Retry,
    Review,
    ReviewStep,
    Rung,
    Step,
    Target,
    Wait,
    WaitStep,
)
from language.finding import Finding
from language.form import Form, described
from language.name import STEP, nearest
from language.schema import check_schema
from language.steps import REFUSE
from language.yaml_source import Value

ALIASES = {"escalate_to_human": ESCALATE}


class StepReader:
    """Reads a mission's steps and remembers the YAML of each."""

    def __init__(self, findings: list[Finding], named: frozenset[str]) -> None:
        self.findings = findings
        self.nodes: dict[Place, Value] = {}
        self._named = named

    def steps(self, values: list[Value], *, named: bool) -> tuple[Step, ...]:
        """Return a list of steps. Where names are needed to refer to steps, each must have one."""
        taken: set[str] = set()
        return tuple(self.step(value, taken, named=named) for value in values)

    def step(self, value: Value, taken: set[str], *, named: bool) -> Step:
        kinds = [kind for kind in READERS if isinstance(value.data, dict) and kind in value.data]
        kind = kinds[0] if kinds else ""
        form = Form(value, WORDS.get(kind, "a step"), self.findings)
        self.nodes[value.place] = value
        common = {
            "step": self._name(form, kind, taken, named=named),
            "needs": form.texts("needs") if form.take("needs") else None,
            "output": form.text("output") or None,
            "when": form.text("when") or None,
            "retry": self.retry(form),
            "timeout": form.duration("timeout"),
            "on_failure": self.on_failure(form),
            "default": self.default(form),
            "place": value.place,
        }
        if kind:
            form.take(kind)
        if len(kinds) != 1:
            self._kindless(form, kinds)
            return GroupStep(**common, steps=())
        step = READERS[kind](self, form, common)
        form.done()
        return step

    def _name(self, form: Form, kind: str, taken: set[str], *, named: bool) -> str:
        name = form.text("step", required=named)
        if name and not STEP.fullmatch(name):
            mend = "write letters, digits, '_' and '-', starting with a letter, at most 64"
            form.add("BAD_NAME", f"'{name[:80]}' is no name for a step", form.data["step"].place, mend)
        if name:
            taken.add(name)
            return name
        acting = form.data.get(kind)
        base = (
            acting.data if acting and isinstance(acting.data, str) and STEP.fullmatch(acting.data) else kind or "step"
        )
        name = unused(base, taken | self._named)
        taken.add(name)
        return name

    def _kindless(self, form: Form, kinds: list[str]) -> None:
        """Note that a step is of no kind, or of several."""
        if kinds:
            message = f"a step is of one kind, and this has {' and '.join(map(repr, kinds))}"
            form.add("STEP_KIND", message, form.value.key_places[kinds[1]], "make two steps of it")
            return
        for key in form.data:
            if key not in EVERY_KEY and nearest(key, READERS):
                form.unknown(key, READERS)
                return
        if isinstance(form.value.data, dict):
            mend = f"give it one of: {', '.join(READERS)}"
            form.add("STEP_KIND", "this step says nothing to do", form.value.place, mend)

    def target(self, form: Form, key: str, otherwise: Target, *, required: bool = False) -> Target:
        """Return where control goes: a name, a built-in word, or a list of steps written in place."""
        value = form.take(key, required=required)
        if value is None:
            return otherwise
        if isinstance(value.data, list) and value.data:
            return self.steps(value.data, named=False)
        if isinstance(value.data, str) and value.data.strip():
            return ALIASES.get(value.data, value.data)
        form.wrong(value, f"'{key}' is a step's name or a list of steps, not {described(value)}")
        return otherwise

    def on_failure(self, form: Form) -> dict[str, Target | Fallback]:
        """Return where control goes by class of failure; a target alone is for all of them."""
        value = form.take("on_failure")
        if value is None:
            return {}
        if not isinstance(value.data, dict):
            return {ANY: self.target(form, "on_failure", ESCALATE)}
        inner = Form(value, "'on_failure'", self.findings)
        classes = {ANY: None, **dict.fromkeys(FAILURES)}
        for name in value.data:
            if name not in classes:
                inner.unknown(name, classes)
        return {name: self.way(inner, name) for name in value.data if name in classes}

    def default(self, form: Form) -> Default | None:
        """Return the value that the step's variable has until the step sets it."""
        value = form.take("default")
        if value is None:
            return None
        if "output" not in form.data:
            message = "'default' is the value of a variable, and this step sets none"
            form.add("MISSING_KEY", message, form.value.key_places["default"], "write 'output: …' beside it")
        return Default(value=value.plain())

    def way(self, form: Form, key: str) -> Target | Fallback:
        value = form.data[key]
        if not isinstance(value.data, dict):
            return self.target(form, key, ESCALATE)
        form.take(key)
        inner = Form(value, "a fallback", self.findings)
        fallback = Fallback(agent=inner.text("agent", required=True))
        inner.done()
        return fallback

    def gate(self, form: Form) -> Gate:
        kind = form.text("type") or "approval"
        if kind != "approval":
            form.add("BAD_VALUE", f"unknown type of gate '{kind}'", form.data["type"].place, "write 'approval'")
        gate = Gate(
            approvers=form.texts("approvers", required=True),
            required=form.integer("required", 1, 100, 1),
            message=form.text("message"),
            context=form.texts("context"),
            timeout=form.duration("timeout"),
            on_timeout=self.target(form, "on_timeout", REFUSE),
            escalation=tuple(self.rung(Form(item, "a rung", self.findings)) for item in form.items("escalation")),
            on_reject=self.target(form, "on_reject", ABORT),
        )
        form.done()
        return gate

    def rung(self, form: Form) -> Rung:
        rung = Rung(
            approvers=form.texts("approvers", required=True),
            timeout=spare(form.duration("timeout", required=True), Retry().most),
        )
        form.done()
        return rung

    def retry(self, form: Form) -> Retry | None:
        inner = form.form("retry", "'retry'")
        if inner is None:
            return None
        usual = Retry()
        retry = Retry(
            attempts=inner.integer("attempts", 1, 100, usual.attempts),
            first=spare(inner.duration("first"), usual.first),
            factor=inner.number("factor", 1, 10, usual.factor),
            most=spare(inner.duration("most"), usual.most),
        )
        inner.done()
        return retry

    def compensation(self, form: Form) -> Compensation | None:
        value = form.take("compensate")
        if value is None:
            return None
        if isinstance(value.data, str):
            return Compensation(tool=value.data)
        inner = Form(value, "'compensate'", self.findings)
        compensation = Compensation(tool=inner.text("tool", required=True), **{"with": inner.mapping("with")})
        inner.done()
        return compensation


def spare(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def unused(base: str, taken: set[str] | frozenset[str]) -> str:
    """Return a name that no sibling and no author has used: `base`, then `base-2` and so on."""
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def read_agent(reader: StepReader, form: Form, common: dict[str, Any]) -> Step:
    return AgentStep(
        **common,
        agent=form.text("agent"),
        task=form.text("task", required=True),
        context=form.texts("context"),
        below_floor=reader.target(form, "below_floor", ESCALATE),
    )


def read_parallel(reader: StepReader, form: Form, common: dict[str, Any]) -> Step:
    return ParallelStep(**common, parallel=reader.steps(filled(form, "parallel"), named=False))


def read_group(reader: StepReader, form: Form, common: dict[str, Any]) -> Step:
    return GroupStep(**common, steps=reader.steps(filled(form, "steps"), named=True))


def filled(form: Form, key: str, *, required: bool = False) -> list[Value]:
    """Return the items of a list that must have some."""
    items = form.items(key, required=required)
    value = form.data.get(key)
    if value is not None and value.data == []:
        form.add("BAD_VALUE", f"'{key}' is empty", value.place, "write at least one step")
    return items


def read_gate(reader: StepReader, form: Form, common: dict[str, Any]) -> Step:
    inner = form.form("gate", "a gate")
    return GateStep(**common, gate=reader.gate(inner)) if inner else GroupStep(**common, steps=())


def read_condition(reader: StepReader, form: Form, common: dict[str, Any]) -> Step:
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


def read_loop(reader: StepReader, form: Form, common: dict[str, Any]) -> Step:
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


def read_action(reader: StepReader, form: Form, common: dict[str, Any]) -> Step:
    arguments, compensation = form.mapping("with"), reader.compensation(form)
    approval = form.form("approval", "an approval")
    return ActionStep(
        **common,
        action=form.text("action"),
        **{"with": arguments or {}},
        compensate=compensation,
        approval=reader.gate(approval) if approval else None,
    )


def read_map(reader: StepReader, form: Form, common: dict[str, Any]) -> Step:
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


def read_race(reader: StepReader, form: Form, common: dict[str, Any]) -> Step:
    return RaceStep(**common, race=reader.steps(filled(form, "race"), named=False), good=form.text("good") or None)


def read_wait(reader: StepReader, form: Form, common: dict[str, Any]) -> Step:
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


def read_review(reader: StepReader, form: Form, common: dict[str, Any]) -> Step:
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


READERS: dict[str, Callable[[StepReader, Form, dict[str, Any]], Step]] = {
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
}
KEYS = "step needs output default when on_failure task context below_floor retry timeout with compensate approval good"
EVERY_KEY = frozenset(KEYS.split())
