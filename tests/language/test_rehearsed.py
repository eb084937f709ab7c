"""What the loader accepts ends, however its agents answer and its people decide, and never by a bug.

A thousand missions a run, made up from every form of the language and walked over fake ports. Where the checks promise
that a variable is set, it is: no walk may miss one.
"""

import asyncio
from typing import Any

import yaml
from desk import mission, workspace
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.interpreter.fakes import FakePorts, failing, rehearse

from contracts.definition import Definition
from contracts.view import MissionState
from language.finding import Rejected
from language.freeze import freeze
from language.loader import load_text
from workflows.interpreter.ending import StepFailed

RUNS = 1_000
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
        "u.complexity_score > 3",
        "v.verdict == 'approve'",
        "has(w.count) && w.count > 1",
        "w.approved",
        "steps.s1.status == 'succeeded'",
        "steps.s1.status == 'succeeded' && u.complexity_score > 3",
        "steps.s2.status != 'succeeded' || v != null",
        "iteration > 1",
        "mission.requested_by == 'rita'",
    ]
)
TEXTS = st.sampled_from(["go", "on ${{ alert.level }}", "${{ u }}", "${{ v.title }} and ${{ w }}", "${{ steps.s1 }}"])
CONTEXT = st.lists(st.sampled_from(["alert", *OUTPUTS]), max_size=2, unique=True)
CLASSES = st.sampled_from(["any", "tool_failed", "expression_error"])


class Maker:
    """Makes one mission: names count up, so that most of what is made loads."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.count = 0

    def maybe(self, key: str, strategy: st.SearchStrategy[Any], odds: int = 4) -> dict[str, Any]:
        return {key: self.draw(strategy)} if self.draw(st.integers(1, odds)) == 1 else {}

    def target(self, depth: int) -> Any:
        words = ["continue", "escalate", "abort", *CALLED]
        if depth > 0 and self.draw(st.booleans()):
            return self.steps(depth - 1)
        return self.draw(st.sampled_from(words))

    def steps(self, depth: int, least: int = 1) -> list[dict[str, Any]]:
        return [self.step(depth) for _ in range(self.draw(st.integers(least, 3)))]

    def step(self, depth: int) -> dict[str, Any]:
        self.count += 1
        kinds = ["agent", "analyst", "gate", "look", "pay"]
        kinds += ["condition", "loop", "parallel", "steps", "graph"] if depth else []
        made = {"step": f"s{self.count}", **getattr(self, f"make_{self.draw(st.sampled_from(kinds))}")(depth)}
        made |= self.maybe("when", QUESTIONS, 8)
        if self.draw(st.integers(1, 6)) == 1:
            made["on_failure"] = {self.draw(CLASSES): self.target(depth - 1)}
        if self.draw(st.booleans()):
            made["output"] = self.draw(st.sampled_from(OUTPUTS))
            made |= self.maybe("default", st.sampled_from([None, ANALYSES[0], "none"]), 3)
        return made

    def make_agent(self, depth: int) -> dict[str, Any]:
        del depth
        return {"agent": "architect", "task": self.draw(TEXTS), **self.maybe("context", CONTEXT, 2)}

    def make_analyst(self, depth: int) -> dict[str, Any]:
        made = {"agent": "analyst", "task": self.draw(TEXTS)}
        return made | ({"below_floor": self.target(depth - 1)} if self.draw(st.booleans()) else {})

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
        return {"action": "list_files", "with": {"folder": self.draw(st.sampled_from(["f", "${{ u.title }}"]))}}

    def make_pay(self, depth: int) -> dict[str, Any]:
        return {
            "action": "write_file",
            "with": {"name": "n"},
            "approval": self.gate(depth),
            **self.maybe("compensate", st.just("delete_file"), 2),
        }

    def make_condition(self, depth: int) -> dict[str, Any]:
        ways = {"then": self.target(depth - 1), **({"else": self.target(depth - 1)} if self.draw(st.booleans()) else {})}
        return {"condition": {"if": self.draw(QUESTIONS), **ways}}

    def make_loop(self, depth: int) -> dict[str, Any]:
        body = {"do": self.target(depth), "until": self.draw(QUESTIONS), "max_iterations": self.draw(st.integers(1, 3))}
        return {"loop": {**body, "on_max": self.target(depth - 1)}}

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
    maker = Maker(draw)
    steps = maker.steps(2)
    text = yaml.safe_dump(steps)
    called = [name for name in CALLED if f": {name}\n" in text]
    return steps + [{**maker.step(0), "step": name} for name in called]


ANSWERS = st.sampled_from([{}, {"level": 1}, "a text", None, failing(), failing("timed_out", "no")])
FILES = st.sampled_from([{"count": 2, "names": ["a"]}, failing(applied="no")])
VERBS = st.lists(st.sampled_from(["approve", "approve", "reject", None]), min_size=1, max_size=4)
LOADED: list[str] = []


def test_what_loads_ends_and_never_by_a_bug():
    """A mission that fails may fail by its agents, its tools or its data; never by what a check should have found."""
    LOADED.clear()
    walk_them_all()

    assert len(LOADED) > RUNS // 5


@settings(max_examples=RUNS)
@given(missions(), ANSWERS, st.sampled_from([*ANALYSES, failing()]), FILES, VERBS)
def walk_them_all(steps: Any, answer: Any, analysis: Any, files: Any, verbs: list[str | None]) -> None:
    try:
        definition = load_text(mission(yaml.safe_dump({"steps": steps})), "m.yaml", workspace())
    except Rejected as rejected:
        assert all(finding.place.line > 0 for finding in rejected.findings)
        return
    LOADED.append(definition.mission)
    state, error = asyncio.run(walked(definition, answer, analysis, files, verbs))

    assert state in ENDS
    if isinstance(error, StepFailed):
        assert error.failure.code not in {"internal", "context_missing"}
        assert "has no value" not in error.failure.cause


async def walked(definition: Definition, answer: Any, analysis: Any, files: Any, verbs: list[str | None]) -> Any:
    said = iter(verbs * 1_000)

    def people(opening: Any) -> tuple[str, str] | None:
        verb = next(said)
        return ("ada", verb or "approve") if verb or opening.deadline is None else None

    ports = FakePorts(
        agents={"analyst": analysis, "architect": answer},
        tools={"list_files": files, "write_file": {"name": "n"}, "delete_file": {}},
        people=people,
    )
    inputs = {"alert": {"level": 4}, "requirements_document": "r", "existing_system_overview": "o"}
    run = await asyncio.wait_for(rehearse(freeze(definition, workspace()), ports, inputs), 10)
    return run.state, run.error
