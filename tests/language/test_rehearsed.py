"""What the loader accepts ends, however its agents answer and its people decide, and never by a bug.

A thousand missions a run, made up from every form of the language and walked over fake ports. Where the checks promise
that a variable is set, it is: no walk may miss one.
"""

import asyncio
import json
from typing import Any

from desk import mission, workspace
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.child import Report
from contracts.definition import Definition, PlanStep
from contracts.planned import LoadedPlan, PlanOrder
from contracts.view import MissionState
from language.finding import Rejected
from language.freeze import freeze
from language.loader import load_text
from language.planned import load_plan
from language.steps import every_step
from tests.interpreter.fakes import FakePorts, failing, rehearse
from workflows.interpreter.ending import StepFailed

RUNS = 1_000
WORKSPACE = workspace()
ENDS = {MissionState.COMPLETED, MissionState.REFUSED, MissionState.ABORTED, MissionState.FAILED}
OUTPUTS = ["u", "v", "w"]
CALLED = ["p", "q"]
ANALYSES = [
    {"complexity_score": score, "title": "t", "verdict": verdict, "tags": ["a"], "parts": [], "confidence": sure}
    for score, verdict, sure in ((2, "approve", 0.9), (9, "revise", 0.9), (5, "approve", 0.1))
]
QUESTIONS = st.sampled_from(
    [
        "true",
        "alert.level > 3",
        "has(dyn(u).complexity_score) && dyn(u).complexity_score > 3",
        "dyn(v).verdict == 'approve'",
        "dyn(w).count > 1",
        "dyn(w).approved",
        "steps.s1.status == 'succeeded'",
        "steps.s1.status == 'succeeded' && dyn(u) != 3",
        "steps.s2.status != 'succeeded' || v != null",
        "iteration > 1",
        "mission.requested_by == 'rita'",
        "index > 0 || dyn(item) == 1",
        "stage > 1",
    ]
)
TEXTS = st.sampled_from(
    ["go", "on ${{ alert.level }}", "${{ u }}", "${{ dyn(v).title }} and ${{ w }}", "${{ steps.s1 }}", "${{ item }}"]
)
CONTEXT = st.lists(st.sampled_from(["alert", *OUTPUTS]), max_size=2, unique=True)
TALKERS = ["reviewer", "cost_analyst"]
CLASSES = st.sampled_from(["any", "tool_failed", "external", "expression_error"])


class Maker:
    """Makes one mission: names count up and no step calls one before it, so that much of what is made loads."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.count = 0
        self.calls = list(CALLED)
        self.defaults: set[str] = set()

    def maybe(self, key: str, strategy: st.SearchStrategy[Any], odds: int = 4) -> dict[str, Any]:
        return {key: self.draw(strategy)} if self.one_in(odds) else {}

    def one_in(self, odds: int) -> bool:
        return self.draw(st.integers(1, odds)) == odds

    def target(self, depth: int) -> Any:
        if depth > 0 and self.draw(st.booleans()):
            return self.steps(depth - 1)
        return self.draw(st.sampled_from(["continue", "continue", "escalate", "abort", *self.calls]))

    def steps(self, depth: int, least: int = 1) -> list[dict[str, Any]]:
        return [self.step(depth) for _ in range(self.draw(st.integers(least, 2)))]

    def step(self, depth: int) -> dict[str, Any]:
        self.count += 1
        kinds = ["condition", "loop", "parallel", "steps", "graph", "map", "race", "canary"] if depth > 0 else []
        kinds += ["agent", "analyst", "gate", "look", "pay", "wait", "review", "plan", "party", "mission"]
        made = {"step": f"s{self.count}", **getattr(self, f"make_{self.draw(st.sampled_from(kinds))}")(depth)}
        made |= self.maybe("when", QUESTIONS, 8)
        if self.one_in(8):
            made["on_failure"] = {self.draw(CLASSES): self.target(depth - 1)}
        return made | self.output()

    def output(self) -> dict[str, Any]:
        if self.one_in(2):
            return {}
        name = self.draw(st.sampled_from(OUTPUTS))
        if name in self.defaults or self.one_in(2):
            return {"output": name}
        self.defaults.add(name)
        return {"output": name, "default": self.draw(st.sampled_from([None, ANALYSES[0], "none"]))}

    def make_agent(self, depth: int) -> dict[str, Any]:
        del depth
        return {"agent": "architect", "task": self.draw(TEXTS), **self.maybe("context", CONTEXT, 2)}

    def make_analyst(self, depth: int) -> dict[str, Any]:
        made = {"agent": "analyst", "task": self.draw(TEXTS)}
        return made | ({"below_floor": self.target(depth - 1)} if self.one_in(2) else {})

    def gate(self, depth: int) -> dict[str, Any]:
        gate = {"approvers": "tech_lead", "on_reject": self.target(depth - 1), **self.maybe("context", CONTEXT)}
        if self.draw(st.booleans()):
            words = st.sampled_from(["refuse", "escalate", "abort"])
            gate |= {"timeout": "1h", "on_timeout": self.steps(0) if self.draw(st.booleans()) else self.draw(words)}
        return gate

    def make_gate(self, depth: int) -> dict[str, Any]:
        return {"gate": {**self.gate(depth), **self.maybe("message", TEXTS)}}

    def make_look(self, depth: int) -> dict[str, Any]:
        del depth
        return {
            "action": "list_files",
            "with": {"folder": self.draw(st.sampled_from(["f", "${{ string(dyn(u).title) }}"]))},
        }

    def make_pay(self, depth: int) -> dict[str, Any]:
        return {
            "action": "write_file",
            "with": {"name": "file"},
            "approval": self.gate(depth),
            **self.maybe("compensate", st.just("delete_file"), 2),
        }

    def make_condition(self, depth: int) -> dict[str, Any]:
        ways = {
            "then": self.target(depth - 1),
            **({"else": self.target(depth - 1)} if self.draw(st.booleans()) else {}),
        }
        return {"condition": {"if": self.draw(QUESTIONS), **ways}}

    def make_loop(self, depth: int) -> dict[str, Any]:
        body = {"do": self.target(depth), "until": self.draw(QUESTIONS), "max_iterations": self.draw(st.integers(1, 3))}
        return {"loop": {**body, "on_max": self.target(depth - 1)}}

    def make_map(self, depth: int) -> dict[str, Any]:
        over = self.draw(st.sampled_from(["[1, 2, 3]", "[]", "dyn(u).tags"]))
        return {"map": {"over": over, "do": self.target(depth), **self.maybe("tolerate", st.just(1))}}

    def make_race(self, depth: int) -> dict[str, Any]:
        del depth
        branches = [self.make_analyst(0), self.make_look(0), *([self.make_agent(0)] if self.one_in(2) else [])]
        for branch in branches:
            branch.update(self.maybe("output", st.sampled_from(OUTPUTS)))
        return {
            "race": branches,
            **self.maybe("good", st.sampled_from(["dyn(result).count == 2", "has(result.title)"])),
        }

    def make_canary(self, depth: int) -> dict[str, Any]:
        pay = self.make_pay(depth - 1)
        canary = {
            "stages": self.draw(st.sampled_from([[1], [1, 10]])),
            "do": {**pay, "with": {"name": "at ${{ stage }}"}, "compensate": "delete_file"},
            "bake": "10m",
            "probe": self.make_look(0) if self.draw(st.booleans()) else self.make_analyst(depth),
            "healthy": self.draw(st.sampled_from(["dyn(result).count == 2", "has(dyn(result).title)", "stage > 0"])),
            "incident": self.make_pay(depth - 1),
        }
        canary |= {"sandbox": self.make_pay(depth - 1)} if self.one_in(3) else {}
        return {"canary": {**canary, **({"last": self.gate(depth - 1)} if self.one_in(2) else {})}}

    def make_plan(self, depth: int) -> dict[str, Any]:
        allow = {"kinds": ["agent", "action", "condition"], "agents": "architect", "approvers": "tech_lead"}
        plan = {"agent": "planner", "task": self.draw(TEXTS), "allow": {**allow, "tools": ["list_files", "write_file"]}}
        if self.one_in(2):
            return {"plan": plan}
        return {"plan": {**plan, "revise": self.one_in(2), "attempts": 2}, "approval": self.gate(depth)}

    def make_party(self, depth: int) -> dict[str, Any]:
        talk = {"topic": self.draw(TEXTS), "members": TALKERS, "options": ["a", "b"], **self.maybe("context", CONTEXT)}
        talk |= {"rounds": self.draw(st.integers(1, 4)), "tokens": self.draw(st.sampled_from([200, 9_000]))}
        talk |= {"turns": self.draw(st.sampled_from(["all", "round_robin"])), **self.maybe("least_rounds", st.just(1))}
        stall = {"stall": 1, "on_stall": self.target(depth - 1)} if self.draw(st.booleans()) else {}
        return {"party": talk | stall}

    def make_mission(self, depth: int) -> dict[str, Any]:
        del depth
        host = self.draw(st.sampled_from(["web-01", "${{ string(dyn(u).title) }}"]))
        ends = self.draw(st.sampled_from(["undo", "cancel", "abandon"]))
        made = {"mission": "look_around", "with": {"host": host}, "accept": "calm", "on_parent_close": ends}
        return {**made, "allow": {"agents": "architect"}, **self.maybe("retry", st.just({"attempts": 2}))}

    def make_wait(self, depth: int) -> dict[str, Any]:
        del depth
        return {"wait": self.draw(st.sampled_from([{"for": "5m"}, {"until": "string(dyn(u).title)"}]))}

    def make_review(self, depth: int) -> dict[str, Any]:
        review = {"reviewers": "director", "timeout": "1h", **self.maybe("context", CONTEXT)}
        return {"review": {**review, **({"on_object": self.target(depth - 1)} if self.one_in(2) else {})}}

    def make_parallel(self, depth: int) -> dict[str, Any]:
        return {"parallel": self.steps(depth - 1)}

    def make_steps(self, depth: int) -> dict[str, Any]:
        return {"steps": self.steps(depth - 1)}

    def make_graph(self, depth: int) -> dict[str, Any]:
        steps = self.steps(depth - 1, least=2)
        for number, step in enumerate(steps):
            step["needs"] = [earlier["step"] for earlier in steps[:number] if self.draw(st.booleans())]
        return {"steps": steps}


@st.composite
def missions(draw: Any) -> list[dict[str, Any]]:
    """Three steps that set the variables, or nearly; then whatever; then the steps that others call."""
    maker = Maker(draw)
    steps = []
    for name in OUTPUTS:
        maker.defaults.add(name)
        first = {
            "step": name,
            "agent": "analyst",
            "task": "T",
            "output": name,
            **maker.maybe("when", st.sampled_from(["true", "alert.level > 4"]), 3),
        }
        steps.append(first | ({} if maker.one_in(2) else {"default": None}))
    steps += [maker.step(draw(st.sampled_from([1, 1, 2]))) for _ in range(2)]
    for name in CALLED:
        maker.calls.remove(name)
        steps.append({**maker.step(0), "step": name})
    text = json.dumps(steps)
    return [step for step in steps if step["step"] not in CALLED or text.count(f'"{step["step"]}"') > 1]


ANSWERS = st.sampled_from([{}, {"level": 1}, "a text", None, failing(), failing("timed_out", "no")])
PLANNED = [
    {"step": "x1", "agent": "architect", "task": "${{ dyn(u).title }}", "output": "x"},
    {"step": "x2", "action": "write_file", "with": {"name": "n"}, "approval": {"approvers": "tech_lead"}},
    {"step": "x3", "condition": {"if": "dyn(v) != null", "then": "x4", "else": "abort"}},
    {
        "step": "x4",
        "action": "list_files",
        "with": {"folder": "${{ string(alert.level) }}"},
        "when": "has(alert.level)",
    },
    {"step": "x5", "action": "send_money"},
]
PLANS = st.lists(st.lists(st.sampled_from(PLANNED), max_size=3), min_size=1, max_size=3)
FILES = st.sampled_from([{"count": 2, "names": ["a"]}, failing(applied="no")])
REPORTS = [
    Report(state="completed", verdict="calm", held=True),
    Report(state="completed", verdict="alarm"),
    Report(state="completed", verdict="calm"),
    Report(state="failed", reason="it broke"),
]
VERBS = st.lists(st.sampled_from(["approve", "approve", "reject", None]), min_size=1, max_size=4)
LOADED: list[str] = []


def test_what_loads_ends_and_never_by_a_bug():
    """A mission that fails may fail by its agents, its tools or its data; never by what a check should have found."""
    LOADED.clear()
    walk_them_all()

    assert len(LOADED) > RUNS // 5


@settings(max_examples=RUNS)
@given(missions(), ANSWERS, st.sampled_from([*ANALYSES, failing()]), FILES, VERBS, PLANS)
def walk_them_all(
    steps: Any, answer: Any, analysis: Any, files: Any, verbs: list[str | None], plans: list[Any]
) -> None:
    try:
        definition = load_text(mission(f"steps: {json.dumps(steps)}"), "m.yaml", WORKSPACE)
    except Rejected as rejected:
        assert all(finding.place.line > 0 for finding in rejected.findings)
        return
    LOADED.append(definition.mission)
    for planned in (step for step in every_step(definition) if isinstance(step, PlanStep)):
        assert () == harmless(definition, planned).findings
    state, error = asyncio.run(walked(definition, answer, analysis, files, verbs, plans))

    assert state in ENDS
    if isinstance(error, StepFailed):
        assert error.failure.code not in {"internal", "context_missing"}
        assert "has no value" not in error.failure.cause


def stance(call: Any) -> dict[str, Any]:
    """Answer in a party as one who is moved from one round to the next, or not."""
    position = "ab"[sum(call.path.encode()) % 3 == 0]
    return {"position": position, "reasons": [call.path], "confidence": 0.5}


def harmless(definition: Definition, planned: PlanStep) -> LoadedPlan:
    """What comes of a plan that nobody can object to, wherever in a mission it is made."""
    step = {"step": "harmless", "agent": "architect", "task": "Look at ${{ alert.level }}"}
    order = PlanOrder(id="p", plan=freeze(definition, WORKSPACE), step=planned, answer={"steps": [step]})
    return load_plan(order)


async def walked(
    definition: Definition, answer: Any, analysis: Any, files: Any, verbs: list[str | None], plans: list[Any]
) -> Any:
    said = iter(verbs * 1_000)

    def people(opening: Any) -> tuple[str, str] | None:
        verb = next(said)
        return ("ada", verb or "approve") if verb or opening.deadline is None else None

    ports = FakePorts(
        agents={
            "analyst": analysis,
            "architect": answer,
            "planner": [{"steps": plan} for plan in plans],
            **dict.fromkeys(TALKERS, stance),
        },
        tools={"list_files": files, "write_file": {"name": "n"}, "delete_file": {}},
        missions={"look_around": REPORTS * 100},
        people=people,
    )
    inputs = {"alert": {"level": 4}, "requirements_document": "r", "existing_system_overview": "o"}
    run = await asyncio.wait_for(rehearse(freeze(definition, WORKSPACE), ports, inputs), 10)
    return run.state, run.error
