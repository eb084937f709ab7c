"""Record the golden histories: one mission for each kind of step and each way out, as JSON beside the replay test.

Run `python -m tests.workflows.record_histories NAME…` when a new kind is added. A recorded history is never recorded
again to make a failing replay pass: a change that breaks it breaks running missions, and needs a patch id.
"""

import asyncio
import json
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.testing import TimeSkipper

from contracts.call import AgentResult
from contracts.mind import A2AAgent, CodeAgent, PeopleAgent
from contracts.notice import Delivery
from contracts.plan import CURRENT, Limits, Plan
from contracts.risk import RiskFile
from contracts.talk import Talk
from starter.server import DevServer
from tests.interpreter.fakes import plan_of
from tests.payloads import DATA_CONVERTER
from tests.workflows.house import Activities, House, Started, broken, house, populate, spent
from tests.workflows.house import moved as placed
from tests.workflows.switch import Switch, waiting
from tests.workflows.unattended import attended, unattended

FOLDER = Path(__file__).parents[1] / "histories"
TABLES = FOLDER / "tables"
"""Histories of what is no mission."""
LOCKED = "locked"


def agent(name: str, who: str = "ann", **more: Any) -> dict[str, Any]:
    return {"kind": "agent", "step": name, "agent": who, "task": name, **more}


def act(name: str, n: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "kind": "action",
        "step": name,
        "action": "file",
        "with": {"n": n},
        "compensate": {"tool": "unfile"},
        **more,
    }


APPROVED = {"approvers": ["lead"], "timeout": "30m", "on_timeout": "refuse"}
GATE = {"kind": "gate", "step": "ask", "gate": {**APPROVED, "on_reject": "continue"}, "output": "asked"}
CHECK = {
    "kind": "condition",
    "step": "check",
    "condition": {"if": "a.n > 0", "then": "more", "else": [agent("less")]},
}
LOOP = {
    "kind": "loop",
    "step": "loop",
    "loop": {"do": [agent("again", output="r")], "until": "r.n > 2", "max_iterations": 5},
}

MAP = {
    "kind": "map",
    "step": "each",
    "map": {"over": "[1, 2, 3]", "do": [act("file", **{"with": {"n": "${{ item }}"}})], "max_concurrency": 2},
}
RACE = {"kind": "race", "step": "race", "race": [agent("slow", "dot"), agent("x"), agent("y")], "good": "result.n > 1"}
LOOKED = {"kind": "action", "step": "look", "action": "look"}
CANARY = {
    "kind": "canary",
    "step": "roll",
    "canary": {
        "stages": [1, 10, 50],
        "do": act("file", **{"with": {"n": "${{ stage }}"}}),
        "last": act("file", **{"with": {"n": "${{ stage }}"}}, approval=APPROVED),
        "bake": "100ms",
        "probe": {**LOOKED, "with": {"n": "${{ stage }}"}},
        "healthy": "result.errors < 5",
        "incident": {"kind": "action", "step": "once", "action": "once", "with": {"why": "${{ stage }}"}},
    },
}
PARTY = {
    "kind": "party",
    "step": "talk",
    "party": {"topic": "Shall we?", "members": ["ann", "ben"], "rounds": 4, "tokens": 90_000},
    "output": "said",
}
REVIEW = {"kind": "review", "step": "look", "review": {"reviewers": ["lead"], "timeout": "2h"}}
CLIMBED = {
    "kind": "gate",
    "step": "ask",
    "gate": {
        "approvers": ["lead"],
        "timeout": "1h",
        "remind": ["20m", "40m"],
        "on_timeout": "escalate",
        "escalation": [{"approvers": ["chief"], "timeout": "30m", "remind": ["10m"], "on_timeout": "dead_letter"}],
    },
}
PLANNED = [
    {"step": "store", "action": "file", "with": {"n": 1}, "compensate": "unfile", "approval": APPROVED},
    {"step": "look", "agent": "ann", "task": "Look at it"},
]
PLANS = [[{"step": "x", "action": "once"}], PLANNED[:1], PLANNED]
PLAN = {
    "kind": "plan",
    "step": "rollout",
    "plan": {
        "agent": "eva",
        "task": "Plan it",
        "allow": {"kinds": ["action", "agent"], "agents": ["ann"], "tools": ["file"], "approvers": ["lead"]},
        "revise": True,
    },
    "approval": APPROVED,
}
"""Refused, then rejected, then approved."""
SEATED_BY = {"approvers": ["lead", "chief"], "from": {"lead": 1, "chief": 1}}
SEATED = {
    "kind": "gate",
    "step": "ask",
    "gate": {
        **SEATED_BY,
        "message": "Draft ${{ a.n }}?",
        "timeout": "2h",
        "on_changes": [agent("mend", output="a", task="${{ steps.ask.output.comment }}")],
    },
}
TAKEN_BACK = [("lea", "approve"), ("lea", "withdraw"), ("lou", "abstain"), ("cleo", "request_changes")]
TOGETHER = {
    "kind": "group",
    "step": "both",
    "steps": [act("a", 1), {"kind": "group", "step": "inner", "steps": [act("b", 2)]}],
    "approval": APPROVED,
    "retry": {"attempts": 2, "first": "100ms"},
}


def stance(position: str) -> dict[str, Any]:
    return {"position": position, "reasons": [f"{position} is best"], "confidence": 0.9}


def talking(**more: Any) -> dict[str, Any]:
    return {**PARTY, "party": {**PARTY["party"], **more}}


def moved(call: Any) -> dict[str, Any]:
    """Answer as one who is moved in the second round."""
    return stance("no" if call.context["party"]["round"] == 1 else "yes")


def slowly(answer: dict[str, Any]) -> Any:
    async def answering(_: Any) -> dict[str, Any]:
        await asyncio.sleep(0.5)
        return answer

    return answering


LED = {
    "ann": stance("yes"),
    "ben": stance("no"),
    "cid": lambda call: {"next": "ann" if call.context["party"]["round"] == 1 else "ben"},
    "dot": lambda call: {
        "recommendation": "yes",
        "reasons": ["both were heard"],
        "settled": call.context["party"]["round"] == 2,
        "agreed": ["ann"],
    },
}
CHILD = {
    "kind": "mission",
    "step": "patch",
    "mission": "patching",
    "accept": ["done"],
    "on_parent_close": "undo",
    "output": "patched",
}

MISSIONS: dict[str, dict[str, Any]] = {
    "agent": {"steps": [agent("first", output="a"), agent("second", context=["a"])]},
    "agent_mended": {"steps": [agent("first", "ben")]},
    "agent_below_floor": {"steps": [agent("first", "cid")], "decide": [("cleo", "approve")]},
    "agent_watched": {
        "steps": [agent("first", watch="ben"), agent("second")],
        "agents": {"ben": {"objection": "it made that up"}},
        "decide": [("cleo", "approve")],
    },
    "agent_asks": {
        "steps": [agent("first", output="a", watch="ben"), agent("second", context=["a"])],
        "agents": {
            "ann": [AgentResult(output={"n": 1}, escalated="it is not sure"), {"n": 2}],
            "ben": {"objection": ""},
        },
        "decide": [("cleo", "approve")],
    },
    "parallel": {"steps": [{"kind": "parallel", "step": "p", "parallel": [agent("x"), agent("y"), act("z")]}]},
    "group": {"steps": [{"kind": "group", "step": "g", "steps": [agent("x"), agent("y")]}]},
    "graph": {"steps": [agent("d", needs=["b", "c"]), agent("b", needs=["a"]), agent("c", needs=["a"]), agent("a")]},
    "condition": {"steps": [agent("first", output="a"), CHECK, agent("more")]},
    "loop": {"steps": [LOOP]},
    "gate_approved": {"steps": [GATE], "decide": [("eve", "approve"), ("lea", "approve")]},
    "gate_ruled": {"steps": [GATE], "decide": [("eve", "approve"), ("lea", "approve")]},
    "gate_rejected": {"steps": [GATE], "decide": [("lea", "reject")]},
    "gate_timed_out": {"steps": [GATE], "skip": True},
    "action": {"steps": [act("file", approval=APPROVED)], "decide": [("lea", "approve")]},
    "action_modified": {
        "steps": [act("file", approval=APPROVED)],
        "decide": [("lea", "modify"), ("lou", "approve")],
    },
    "action_undone": {"steps": [act("a", 1), act("b", 2), agent("breaks", "dot")]},
    "cancelled": {"steps": [act("a", 1), act("b", 2, approval=APPROVED)], "cancel": True},
    "dead_letter": {
        "steps": [act("a", 1), agent("breaks", "dot")],
        "tools": {"unfile": [broken(), {"ok": True}]},
        "decide": [("cleo", "approve")],
    },
    "recovered": {
        "steps": [
            agent("first", "dot", on_failure={"any": {"agent": "ann"}}, output="a"),
            agent("second", when="a.n > 9"),
            agent("third", "dot", on_failure={"tool_failed": [agent("mend")]}),
            {"kind": "group", "step": "g", "steps": [agent("x")], "timeout": "1h"},
        ]
    },
    "retried": {
        "steps": [
            {
                "kind": "group",
                "step": "g",
                "steps": [act("file"), agent("check", "eva")],
                "retry": {"attempts": 2, "first": "5m"},
            }
        ],
        "skip": True,
    },
    "map": {"steps": [MAP, agent("last", "dot")]},
    "race": {"steps": [RACE]},
    "wait": {"steps": [{"kind": "wait", "step": "pause", "wait": {"for": "2h"}}, agent("after")], "skip": True},
    "review": {"steps": [REVIEW, agent("after")], "decide": [("lea", "approve")]},
    "review_unopposed": {"steps": [REVIEW, agent("after")], "skip": True},
    "locked": {
        "steps": [
            {
                "kind": "group",
                "step": "g",
                "steps": [act("a", 1, locks=["k", "l"]), agent("x", locks=["m"])],
                "locks": ["k"],
            },
            agent("y", locks=["k", "n"]),
        ]
    },
    "locked_undone": {
        "steps": [
            act("a", 1, locks=["k"]),
            {"kind": "group", "step": "g", "steps": [act("b", 2), agent("breaks", "dot")], "locks": ["l"]},
        ]
    },
    "halted": {"steps": [agent("first"), act("a", 1)], "halt": "tool:file"},
    "halted_undoing": {"steps": [act("a", 1), agent("breaks", "dot")], "halt": "tool:unfile"},
    "canary": {"steps": [CANARY], "tools": {"look": {"errors": 0}}, "decide": [("lea", "approve")]},
    "canary_breached": {"steps": [CANARY], "tools": {"look": [{"errors": 0}, {"errors": 9}]}},
    "plan": {
        "steps": [PLAN, agent("after")],
        "agents": {"eva": [{"steps": plan} for plan in PLANS]},
        "decide": [("lea", "reject"), ("lea", "approve"), ("lou", "approve")],
    },
    "plan_refused": {
        "steps": [{**PLAN, "on_failure": {"plan_refused": [agent("by_hand")]}}],
        "agents": {"eva": {"steps": []}},
    },
    "party": {"steps": [PARTY, agent("after")], "agents": {"ann": stance("yes"), "ben": moved}},
    "party_led": {
        "steps": [talking(turns="moderator", moderator="cid", consensus="judge", judge="dot")],
        "agents": LED,
    },
    "party_at_once": {"steps": [talking(turns="all", stall=1)], "agents": {"ann": stance("yes"), "ben": stance("no")}},
    "party_facilitated": {
        "steps": [talking(facilitator=["lead"], rounds=90), agent("after")],
        "agents": {"ann": slowly(stance("yes")), "ben": slowly(stance("no"))},
        "decide": [("lea", "interject"), ("eve", "end"), ("lou", "call_vote")],
        "limits": Limits(events_per_run=24),
    },
    "group_approved": {"steps": [TOGETHER, agent("after")], "decide": [("lea", "approve")]},
    "group_asked_again": {
        "steps": [TOGETHER, agent("after")],
        "tools": {"file": [{}, broken(applied="no"), {}]},
        "decide": [("lea", "modify"), ("lou", "approve"), ("lea", "approve")],
        "changes": {"both#1/inner/b": {"n": 9}},
    },
    "gate_quorum": {
        "steps": [{**act("a"), "approval": {**APPROVED, **SEATED_BY, "required": 2}}],
        "decide": [("lea", "approve"), ("lou", "approve"), ("cleo", "approve")],
    },
    "gate_changed": {
        "steps": [agent("draft", output="a"), SEATED],
        "decide": [("lea", "request_changes"), ("lou", "approve"), ("cleo", "approve")],
    },
    "risky": {
        "steps": [act("a", 1), act("b", 2)],
        "risk": {
            "factors": {"again": {"weight": 1, "value": "before > 0 ? 0.8 : 0.1"}},
            "levels": {"low": {"at": 0}, "high": {"at": 50, "people": 1, "approvers": ["lead"]}},
        },
        "decide": [("lea", "approve")],
        "limits": Limits(governed=True),
    },
    "gate_seated": {
        "steps": [agent("draft", output="a"), SEATED, agent("after")],
        "decide": [*TAKEN_BACK, ("lou", "delegate", "lea"), ("lea", "approve"), ("cleo", "approve")],
        "limits": Limits(events_per_run=32),
    },
    "child": {"steps": [CHILD, act("after", 2)], "children": {"patching": [act("a", 1)]}},
    "child_undone": {"steps": [CHILD, agent("last", "dot")], "children": {"patching": [act("a", 1)]}},
    "gate_heard_late": {
        "steps": [act("b", 2, approval={**APPROVED, "timeout": "1s"})],
        "before": [("lea", "approve")],
        "after": [("lou", "reject")],
    },
    "gate_reminded": {"steps": [{**CLIMBED, "on_failure": {"unanswered": [agent("by_hand")]}}], "skip": True},
    "gate_told": {
        "steps": [CLIMBED, act("b", 2, approval=APPROVED)],
        "skip": True,
        "notify": True,
        "channels": {"reminded": [Delivery(sent=("post",)), Delivery(failed=("ops: it answered 404",)), broken()]},
    },
    "continued": {
        "steps": [LOOP, act("b", 2, approval=APPROVED)],
        "decide": [("lea", "approve")],
        "limits": Limits(events_per_run=16),
    },
    "climbed": {
        "steps": [agent("first", "dot", on_failure={"agent": {"agent": "eva", "else": "escalate"}}), agent("second")],
        "decide": [("cleo", "approve")],
        "limits": CURRENT,
    },
    "circled": {
        "steps": [{**LOOP, "loop": {**LOOP["loop"], "on_max": "escalate"}}, agent("after", "eva")],
        "agents": {"ann": {"n": 0}, "eva": {"n": 1}},
        "decide": [("cleo", "approve")],
        "limits": CURRENT,
    },
    "party_repeated": {
        "steps": [talking(rounds=9), agent("after", "cid")],
        "agents": {"ann": stance("yes"), "ben": stance("no"), "cid": {"n": 1, "confidence": 0.9}},
        "decide": [("cleo", "approve")],
        "limits": CURRENT,
    },
    "retried_by_chance": {
        "steps": [
            {
                "kind": "group",
                "step": "g",
                "steps": [act("file"), agent("check", "eva")],
                "retry": {"attempts": 2, "first": "5m"},
            }
        ],
        "skip": True,
        "limits": CURRENT,
    },
    "steered": {
        "steps": [
            agent("first", output="a"),
            act("a", 1),
            act("b", 2, approval=APPROVED),
            agent("last", context=["a"]),
        ],
        "steer": [
            ("waiting", "pause", ""),
            ("paused", "amend", ""),
            ("paused", "note", "last"),
            ("paused", "rollback", "a"),
            ("paused", "resume", ""),
        ],
        "with": {"amend": {"name": "a", "value": {"n": 7}}, "pause": {"interrupt": True}},
        "asked": "approval",
        "decide": [("lea", "approve")],
    },
    "letter": {
        "steps": [act("a", 1), agent("breaks", "dot", output="d"), agent("after", "dot", context=["d"])],
        "agents": {"dot": [broken(), broken(), {"n": 1}, broken()]},
        "steer": [
            ("dead_letter", "retry", "breaks"),
            ("dead_letter", "retry", "breaks"),
            ("dead_letter", "skip", "after"),
        ],
        "dead_letter": {"timeout": "1h"},
    },
    "spent": {
        "steps": [agent("first"), agent("spends", "dot")],
        "agents": {"dot": [spent("mission default/m"), {"n": 1}]},
        "steer": [("dead_letter", "amend", ""), ("dead_letter", "retry", "spends")],
        "with": {"amend": {"name": "mission.budget", "value": {"tokens": 200}}},
        "budget": {"tokens": 100},
    },
    "redirected": {
        "steps": [agent("breaks", "dot"), act("a", 1), agent("last")],
        "steer": [("dead_letter", "escalate", "breaks"), ("waiting", "redirect", "last")],
        "dead_letter": {},
        "asked": "override",
        "decide": [("cleo", "approve")],
    },
    "answered": {
        "steps": [
            agent("rate", "fay", output="r"),
            agent("breaks", "dot", on_failure={"any": {"agent": "fay"}}),
            agent("last", context=["r"]),
        ],
        "decide": [("eve", "answer"), ("lea", "answer"), ("lou", "answer")],
        "limits": Limits(events_per_run=24),
    },
    "asked_back": {
        "steps": [agent("look", "far", output="r"), agent("last", context=["r"])],
        "agents": {
            "far": [
                AgentResult(talk=Talk(task="t", context="c", question="Which host?")),
                AgentResult(talk=Talk(task="t", context="c", question="Sure?")),
                {"n": 1},
            ]
        },
        "decide": [("lea", "answer"), ("lou", "answer")],
        "answer": "web-01",
        "limits": Limits(events_per_run=16),
    },
    "aborted": {"steps": [act("a", 1), act("b", 2, approval=APPROVED)], "steer": [("waiting", "abort", "")]},
    "handed_over": {
        "steps": [LOOP, act("b", 2, approval=APPROVED)],
        "decide": [("lea", "approve")],
        "limits": Limits(events_per_run=16),
    },
}
"""Missions that began before rulings were ordinary activities and runs counted for themselves have histories too:
`gate_approved` and `continued` are such, `gate_ruled` and `handed_over` the same missions as they start now."""


def activities(tools: dict[str, Any]) -> Activities:
    """Return fakes: `ben` answers badly once, `cid` is unsure, `dot` fails, the others count."""
    fakes = Activities(tools=dict(tools))
    count = lambda _: {"n": len(fakes.asked)}  # noqa: E731
    fakes.agents = {
        "ann": count,
        "ben": [AgentResult(errors=("n is missing",)), {"n": 1}],
        "cid": {"confidence": 0.2},
        "dot": broken(),
        "eva": [broken(), {"n": 1}],
    }
    return fakes


async def play(started: Started, script: dict[str, Any]) -> None:
    """Let people do what the script says, and wait for the end."""
    nonce = ""
    for state, verb, step in script.get("steer", ()):
        await started.until_state(state)
        await started.command(verb, step, **script.get("with", {}).get(verb, {}))
    asked = script.get("asked", "")
    for person, verb, *to in script.get("decide", ()):
        opening = await started.until(lambda openings, last=nonce: bool(openings) and openings[0].nonce != last, asked)
        changes = {"changes": script.get("changes", {"n": 9})} if verb == "modify" else {}
        changes |= {"answer": script.get("answer", {"n": 9})} if verb == "answer" else {}
        receipt = await started.decide(opening, person, verb, **changes, **({"to": to[0]} if to else {}))
        nonce = opening.nonce if receipt.accepted and receipt.state not in {"heard", "open"} else ""
    if script.get("cancel"):
        await started.until()
        await started.handle.cancel(reason="recorded")
    try:
        await started.result()
    except WorkflowFailureError:
        return


RESET = "reset"
RULES = "rules_changed"
STARTED = "start_approved"
HEEDED = "rules_heeded"
CONSENTED = "plan_consented"
DEFERRED = "plan_deferred"
RECALLED = "rules_recalled"


async def record(client: Client, home: Path, name: str, folder: Path = FOLDER) -> None:
    """Play one mission and write the history of each of its runs."""
    script = MISSIONS[name]
    if "after" in script:
        started = await unattended(client, home, script["steps"], script["before"], script["after"])
        await attended(started)
        await write(client, started.handle.id, started.handle.first_execution_run_id, name, folder)
        return
    floors = {
        "cid": CodeAgent(callable="tests:none", confidence_floor=0.5),
        "far": A2AAgent(url="http://far", ask=("lead",)),
        "fay": PeopleAgent(by=("lead",), output={"type": "object", "required": ["n"]}),
    }
    skipping = TimeSkipper(client).client if script.get("skip") else client
    async with house(skipping, home, activities(script.get("tools", {}))) as h:
        h.activities.agents |= script.get("agents", {})
        h.activities.channels = dict(script.get("channels", {}))
        inner = {one: placed(plan_of(steps, mission=one), h.queue) for one, steps in script.get("children", {}).items()}
        switch, halted, notify = Switch(h), script.get("halt"), script.get("notify", False)
        more = {name: script[name] for name in ("dead_letter", "budget") if name in script}
        if halted:
            await switch.throw("halt", halted)
        if "risk" in script:
            more["change"] = lambda one: one.model_copy(update={"plan": weighing(one.plan, script["risk"])})
        started = await h.start(
            script["steps"], script.get("limits"), agents=floors, missions=inner, notify=notify, **more
        )
        if halted:
            await waiting(started)
            await switch.throw("lift", halted)
        await play(started, script)
        await write(client, started.handle.id, started.handle.first_execution_run_id, name, folder)
        if inner:
            child = client.get_workflow_handle(f"{started.handle.id}/{script['steps'][0]['step']}")
            with suppress(WorkflowFailureError):
                await child.result()
            await write(client, child.id, (await child.describe()).run_id, f"{name}_inside", folder)
        if halted:
            await write(
                client, switch.id, (await client.get_workflow_handle(switch.id).describe()).run_id, "tables/halts"
            )
        if name == LOCKED:
            await record_table(h)


def weighing(plan: Plan, risk: dict[str, Any]) -> Plan:
    return plan.model_copy(update={"risk": RiskFile.model_validate(risk)}).sealed()


async def write(client: Client, mission: str, run_id: str | None, name: str, folder: Path = FOLDER) -> None:
    """Write the history of each run of a chain, from its first."""
    number = 0
    while run_id:
        number += 1
        run = client.get_workflow_handle(mission, run_id=run_id)
        history = await run.fetch_history()
        content = scrubbed(json.loads(history.to_json()))
        (folder / f"{name}.{number}.json").write_text(json.dumps(content, indent=1) + "\n")
        last = history.events[-1].workflow_execution_continued_as_new_event_attributes
        run_id = last.new_execution_run_id
    print(f"{name}: {number} runs")


async def record_reset(client: Client, home: Path) -> None:
    """Terminate a mission in its action, reset it, let it go on, and write the history of the new run."""
    from tests.workflows.test_mission import isolate
    from tests.workflows.test_resets import Slow, found, settled, stopped, terminated

    tool = Slow()
    async with house(client, home) as h:
        h.activities.tools["isolate"] = tool
        mission = await terminated(h, tool, [act("a", 1), isolate(), agent("after")])
        await found(client, mission)
        await mission.seen(lambda view: stopped(view) and settled(view))
        await mission.command("resume")
        await mission.result()
        await write(client, mission.handle.id, (await mission.handle.describe()).run_id, RESET)


async def record_rules(client: Client, home: Path) -> None:
    """Have the rules change while people are asked, and again before the action, and write the history."""
    from tests.workflows.rules import Rules

    rules = Rules(home, home / "workspace")
    said = {"applied": "no", "governance": rules.governance.version(), "people": 2}
    tools = {"file": [ApplicationError("they have changed", said, type="outdated", non_retryable=True), {}]}
    async with house(client, home, activities(tools), governance=rules.governance) as h:
        started = await h.start([act("a", 1, approval=APPROVED)], Limits(governed=True))
        first = await started.until()
        rules.change()
        await started.decide(first, "lea")
        second = await started.until(lambda openings: bool(openings) and openings[0].nonce != first.nonce)
        await started.decide(second, "lea")
        rules.change_back()
        third = await started.until(lambda openings: bool(openings) and openings[0].nonce != second.nonce)
        for person in ("lea", "lou"):
            await started.decide(third, person)
        await started.result()
        await write(client, started.handle.id, started.handle.first_execution_run_id, RULES)


async def record_heeded(client: Client, home: Path) -> None:
    """Have the rules change while people are asked, tell the mission of it twice, and write the history."""
    from contracts.decision import RULES as SIGNAL
    from tests.workflows.rules import Rules

    rules = Rules(home, home / "heeded")
    async with house(client, home, activities({}), governance=rules.governance) as h:
        started = await h.start([act("a", 1, approval=APPROVED)], Limits(governed=True, heeds=True))
        first = await started.until()
        version = rules.change()
        await started.handle.signal(SIGNAL, version)
        second = await started.until(lambda openings: bool(openings) and openings[0].nonce != first.nonce)
        await started.handle.signal(SIGNAL, version)
        await started.decide(second, "lea")
        await started.decide(second, "lou")
        await started.result()
        await write(client, started.handle.id, started.handle.first_execution_run_id, HEEDED)


async def record_recalled(client: Client, home: Path) -> None:
    """Have people asked twice, shortly after admission has told which rules are in force, and write the history."""
    from tests.workflows.rules import Rules
    from tests.workflows.test_admission import admitting

    rules = Rules(home, home / "recalled")
    recalling = Limits(governed=True, recalls=True)
    async with house(client, home, activities({}), policy=rules.policy, governance=rules.governance) as h:
        steps = [act(name, number, approval=APPROVED) for number, name in enumerate("ab")]
        started = await h.start(steps, recalling, change=admitting)
        for step in "ab":
            opening = await started.until(lambda openings, step=step: [step] == [one.subject.step for one in openings])
            for person in ("lea", "lou"):
                await started.decide(opening, person)
        await started.result()
        await write(client, started.handle.id, started.handle.first_execution_run_id, RECALLED)


async def record_start(client: Client, home: Path) -> None:
    """Have people approve a start, and have it admitted again for a command, and write the history."""
    from tests.workflows.test_admission import admitting, policy
    from tests.workflows.test_admitted_again import ASKING

    async with house(client, home, activities({}), policy=policy(home, ASKING)) as h:
        steps = [agent("breaks", "dot"), agent("last")]
        started = await h.start(steps, Limits(governed=True), dead_letter={}, change=admitting)
        await started.decide(await started.until(), "lea")
        await started.until_state("dead_letter")
        await started.command("redirect", "last")
        await started.result()
        await write(client, started.handle.id, started.handle.first_execution_run_id, STARTED)


async def record_consented(client: Client, home: Path) -> None:
    """Have people approve what policy wants approved of a plan, and of a redirect later, and write the history."""
    from tests.workflows.test_admission import admitting, policy
    from tests.workflows.test_admitted_again import CAREFUL, HEEDING, WIDER

    async with house(client, home, activities({}), policy=policy(home, CAREFUL)) as h:
        started = await h.start(
            [agent("one"), agent("breaks", "dot"), agent("last")], HEEDING, dead_letter={}, change=admitting
        )
        await started.decide(await started.until(), "lea")
        await started.until_state("dead_letter")
        policy(home, WIDER)
        await started.command("redirect", "last")
        opening = await started.until(lambda openings: bool(openings) and "@admission" in openings[0].subject.step)
        for person in ("lea", "lou"):
            await started.decide(opening, person)
        await started.result()
        await write(client, started.handle.id, started.handle.first_execution_run_id, CONSENTED)


async def record_deferred(client: Client, home: Path) -> None:
    """Have people reject a plan that policy wants approved, and approve the next one, and write the history."""
    from tests.workflows.test_admission import admitting, policy
    from tests.workflows.test_admitted_again import ACTING
    from tests.workflows.test_plan_admitted import DEFERRING, FILING, OTHERWISE, planned

    async with house(client, home, activities({}), policy=policy(home, ACTING)) as h:
        h.activities.agents["eva"] = [{"steps": FILING}, {"steps": OTHERWISE}]
        started = await h.start([planned(revise=True), agent("after")], DEFERRING, change=admitting)
        first = await started.until()
        await started.decide(first, "lea", "reject")
        await started.decide(await started.until(lambda found: bool(found) and found[0].nonce != first.nonce), "lou")
        await started.result()
        await write(client, started.handle.id, started.handle.first_execution_run_id, DEFERRED)


STORIES = {
    RULES: record_rules,
    HEEDED: record_heeded,
    RECALLED: record_recalled,
    CONSENTED: record_consented,
    DEFERRED: record_deferred,
    STARTED: record_start,
    RESET: record_reset,
}
"""What is recorded otherwise than from a script."""


async def record_table(h: House) -> None:
    """Let two missions ask for what a third holds, and write the history of the table of locks."""
    let_go = asyncio.Event()
    h.activities.agents["ann"] = lambda call: let_go.wait() if call.path == "first" else {}
    first = await h.start([agent("first", locks=["k"])])
    while not await h.locks():
        await asyncio.sleep(0.05)
    others = [await h.start([agent("second", locks=["k"])]) for _ in range(2)]
    while len((await h.locks())[0].waiting) < len(others):
        await asyncio.sleep(0.05)
    let_go.set()
    await asyncio.gather(*(mission.result() for mission in (first, *others)))
    history = await h.client.get_workflow_handle(f"locks-{h.queue}").fetch_history()
    TABLES.mkdir(exist_ok=True)
    (TABLES / "locks.1.json").write_text(json.dumps(scrubbed(json.loads(history.to_json())), indent=1) + "\n")


def scrubbed(value: Any) -> Any:
    """Leave out what tells of the machine that recorded: where its files lie, what its processes are called."""
    if isinstance(value, dict):
        told = {"stackTrace": "", "identity": "recorder"}
        return {key: told.get(key, scrubbed(inner)) for key, inner in value.items()}
    return [scrubbed(inner) for inner in value] if isinstance(value, list) else value


async def main(names: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = populate(Path(folder))
        async with DevServer(home / "server.log", skip_time=True) as server:
            client = await Client.connect(server.address, data_converter=DATA_CONVERTER)
            for name in names or [*MISSIONS, *STORIES]:
                await (STORIES[name](client, home) if name in STORIES else record(client, home, name))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
