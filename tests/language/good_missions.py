"""Steps that load, of every kind and nested: for rules that must hold of every mission."""

import json
from typing import Any

import yaml
from desk import HEAD
from hypothesis import strategies as st

TIMES = st.sampled_from(["90s", "1h30m", "7d", "0.5h"])
TEXTS = st.sampled_from(["Think", "Say ${{ alert }}", "a <b> \"c\" `d` & 'e'", "ü → #1; {x} |y|"])
CONTEXT = st.sampled_from(["alert", ["alert", "requirements_document"], []])
RETRIES = st.fixed_dictionaries({}, optional={"attempts": st.integers(1, 5), "factor": st.sampled_from([1, 2.5])})
QUORUMS = (
    {"approvers": ["tech_lead", "cy"], "reject_quorum": 1, "exclude": "requester"},
    {"approvers": "ada", "from": {"tech_lead": 1}, "escalation": [], "timeout": "1h", "on_timeout": "refuse"},
    {"on_changes": [{"agent": "reviewer", "task": "Mend it"}]},
)
PAIR = {
    "approvers": "tech_lead",
    "timeout": "2h",
    "on_timeout": "escalate",
    "escalation": [{"approvers": ["tech_lead", "cy"], "timeout": "1h"}],
}
"""What can be undone by nobody needs two people, on each rung."""


@st.composite
def targets(draw: Any, count: list[int], depth: int, words: tuple[str, ...]) -> Any:
    return draw(lists(count, depth - 1, named=False)) if depth and draw(st.booleans()) else draw(st.sampled_from(words))


@st.composite
def gates(draw: Any, count: list[int], depth: int) -> dict[str, Any]:
    gate = {"approvers": draw(st.sampled_from(["ada", ["tech_lead", "cy"]])), "message": draw(TEXTS)}
    if draw(st.booleans()):
        gate |= {"timeout": draw(TIMES), "on_timeout": draw(targets(count, depth, ("refuse", "escalate", "abort")))}
        if gate["on_timeout"] == "escalate" and draw(st.booleans()):
            gate["escalation"] = [{"approvers": "director", "timeout": draw(TIMES)}]
    if draw(st.booleans()):
        gate |= {"on_reject": draw(targets(count, depth, ("continue", "abort", "escalate"))), "context": draw(CONTEXT)}
    return {**gate, **draw(st.sampled_from([{}, {}, *QUORUMS]))}


Draw = Any
"""What draws from a strategy."""


def raced(draw: Draw, count: list[int], depth: int) -> dict[str, Any]:
    return {"race": [{"agent": name, "task": draw(TEXTS)} for name in ("architect", "reviewer")]}


def canary(draw: Draw, count: list[int], depth: int) -> dict[str, Any]:
    probes = [{"action": "look_up"}, {"agent": "analyst", "task": "At ${{ stage }}"}]
    form = {
        "stages": draw(st.sampled_from([[1], [1, 10, 100]])),
        "do": {"action": "open_ticket", "with": {"n": "${{ stage }}"}, "compensate": "close_ticket"},
        "bake": draw(TIMES),
        "probe": draw(st.sampled_from(probes)),
        "healthy": "has(dyn(result).title) || stage > 1",
        "incident": {"action": "open_ticket", "with": {"found": "${{ result }}"}},
    }
    if draw(st.booleans()):
        form |= {"last": draw(gates(count, depth)), "sandbox": {"action": "open_ticket"}}
    return {"canary": form}


def planned(draw: Draw, count: list[int], depth: int) -> dict[str, Any]:
    allow = {"kinds": ["agent", "action"], "agents": "reviewer", "tools": ["look_up", "open_ticket"]}
    form = {"agent": "planner", "task": draw(TEXTS), "context": draw(CONTEXT), "allow": allow}
    if not draw(st.booleans()):
        return {"plan": form}
    # Changes to a plan are its planner's: it has `revise`.
    asked = {key: value for key, value in draw(gates(count, depth)).items() if key != "on_changes"}
    return {"plan": {**form, "revise": True, "attempts": 2, "max_steps": 5}, "approval": asked}


def party(draw: Draw, count: list[int], depth: int) -> dict[str, Any]:
    form = {"topic": draw(TEXTS), "members": ["architect", "reviewer"], "rounds": draw(st.integers(1, 9))}
    form |= {"tokens": 9_000, "stall": 2, "context": draw(CONTEXT), "facilitator": "ada"}
    return {"party": {**form, "on_stall": draw(targets(count, depth, ("continue", "escalate")))}}


def child(draw: Draw, count: list[int], depth: int) -> dict[str, Any]:
    ends = {"on_parent_close": draw(st.sampled_from(["undo", "cancel", "abandon"]))}
    look = {"mission": "look_around", "with": {"host": draw(TEXTS)}, "accept": "calm", "timeout": draw(TIMES)}
    file = {"mission": "file_report", "accept": ["filed"], "allow": {"tools": ["open_ticket", "close_ticket"]}}
    return {**draw(st.sampled_from([{**look, "allow": {"agents": "architect"}}, file])), **ends}


def waited(draw: Draw, count: list[int], depth: int) -> dict[str, Any]:
    return {"wait": {"for": draw(TIMES)}}


def mapped(draw: Draw, count: list[int], depth: int) -> dict[str, Any]:
    form = {"over": "alert.hosts", "as": f"item{count[0]}", "tolerate": draw(st.sampled_from([2, "20%"]))}
    return {"map": {**form, "do": draw(lists(count, depth - 1, named=False))}}


def asked_agent(draw: Draw, count: list[int], depth: int) -> dict[str, Any]:
    form = {"agent": "analyst", "task": draw(TEXTS), "output": f"out{count[0]}"}
    form |= {"context": draw(CONTEXT), "retry": draw(RETRIES), "timeout": draw(TIMES)}
    if draw(st.booleans()):
        other = {"agent": "reviewer", "else": draw(targets(count, depth, ("escalate", "continue")))}
        form["on_failure"] = {"external": {"agent": "architect", "else": other}, "any": "escalate"}
    return {**form, "below_floor": draw(targets(count, depth, ("escalate", "continue", "escalate_to_human")))}


def acted(draw: Draw, count: list[int], depth: int) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"action": "send_money", "approval": {**draw(gates(count, depth)), **PAIR}, "with": {"sum": 1}}
    undone = st.sampled_from(["close_ticket", {"tool": "close_ticket"}])
    return {"action": "open_ticket", "compensate": draw(undone)}


def gated(draw: Draw, count: list[int], depth: int) -> dict[str, Any]:
    return {"gate": draw(gates(count, depth))}


def decided(draw: Draw, count: list[int], depth: int) -> dict[str, Any]:
    way = targets(count, depth, ("continue", "escalate"))
    return {"condition": {"if": draw(st.sampled_from(["alert.bad", "true"])), "then": draw(way), "else": draw(way)}}


def looped(draw: Draw, count: list[int], depth: int) -> dict[str, Any]:
    form = {"do": draw(lists(count, depth - 1, named=False)), "until": "alert.ok || iteration > 2"}
    form |= {"max_iterations": draw(st.integers(1, 15)), "on_max": draw(targets(count, depth, ("abort",)))}
    return {"loop": form}


def parallel(draw: Draw, count: list[int], depth: int) -> dict[str, Any]:
    return {"parallel": draw(lists(count, depth - 1, named=False))}


def grouped(draw: Draw, count: list[int], depth: int) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"approval": {**draw(gates(count, depth)), **PAIR}, "steps": draw(approved(count, depth))}
    return {"steps": draw(lists(count, depth - 1, named=True))}


FLAT = (asked_agent, acted, gated, decided, raced, waited, planned, party, child)
DEEP = (parallel, looped, grouped, mapped, canary)
"""These hold steps of their own, and are not made at the bottom."""


@st.composite
def steps(draw: Draw, count: list[int], depth: int, *, named: bool) -> dict[str, Any]:
    count[0] += 1
    step: dict[str, Any] = {"step": f"s{count[0]}"} if named or draw(st.booleans()) else {}
    if draw(st.integers(0, 5)) == 5:
        locks = st.sampled_from(["db", ["host:${{ alert.host }}", "db"]])
        step |= {"locks": draw(locks)} if draw(st.booleans()) else {}
        step |= {"when": "has(alert.host)", "on_failure": draw(targets(count, depth, ("escalate", "continue")))}
    make = draw(st.sampled_from([*FLAT, *(DEEP if depth else ())]))
    return {**step, **make(draw, count, depth)}


@st.composite
def approved(draw: Any, count: list[int], depth: int) -> list[dict[str, Any]]:
    """What people may approve as a whole: actions in order, and groups of them."""
    found: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 3))):
        count[0] += 1
        name = f"g{count[0]}"
        act = {"action": "send_money", "with": {"to": draw(TEXTS)}, "retry": draw(RETRIES)}
        held = {"steps": draw(approved(count, depth - 1))} if depth and draw(st.booleans()) else act
        found.append({"step": name, **held})
    return found


@st.composite
def lists(draw: Any, count: list[int], depth: int, *, named: bool) -> list[dict[str, Any]]:
    found = [draw(steps(count, depth, named=named)) for _ in range(draw(st.integers(1, 3)))]
    if named and len(found) > 1 and draw(st.booleans()):
        found[-1]["needs"] = [step["step"] for step in found[:-1] if draw(st.booleans())]
    return found


@st.composite
def good_steps(draw: Any) -> str:
    """The steps of a mission that loads, as text: JSON is YAML, and writes no aliases."""
    return f"steps: {json.dumps(draw(lists([0], draw(st.integers(0, 3)), named=True)), ensure_ascii=False)}"


def in_one(steps: str) -> dict[str, Any]:
    """A whole mission as data."""
    return {**yaml.safe_load(HEAD), "steps": json.loads(steps.removeprefix("steps: "))}
