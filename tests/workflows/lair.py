"""Where the malicious agent is at work: missions, and people beside them, whose every other part is a real one.

The model is the tests' own server, which says what its script says; the tools are a real tool server's. In between are
the real runner of agents, the real executor with its real check, the judge, and the loader of plans.
"""

import asyncio
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError

from activities import keys
from activities.actions import ActionExecutor
from activities.agents import AgentRunner
from activities.authority import Authority
from activities.lineage import ServerLineage
from activities.mcp_tools import ToolServers
from activities.people import Directory
from activities.runtimes.cast import Cast
from activities.runtimes.model import Provider
from activities.statement import seal
from contracts.call import EXECUTE_ACTION, RUN_AGENT, AgentCall, AgentResult, ToolCall, ToolResult
from contracts.decision import DECIDE, Claims, Opening
from contracts.mind import ModelAgent
from contracts.plan import Limits, MissionInput
from proof.approved import decoded
from starter.problem import Refused
from starter.state import read_gates
from tests.activities.court import encoded
from tests.activities.service import HERE, HOST, Service, tools
from tests.activities.service import servers as at
from tests.model_server import Asked, ModelServer, Reply
from tests.policies import OPEN
from tests.workflows.house import Activities, House, Started, moved
from tests.workflows.malice import JWS, LIMITS, Script

CONTRACTS = {
    **tools(),
    "isolate_host": tools()["isolate_host"].model_copy(update={"approvals": 2, "compensated_by": ()}),
}
STEPS = {"type": "array", "items": {"type": "object"}}
THINKING = {"instructions": "Judge.", "limits": LIMITS, "output_retries": 1}
ANSWER = {"type": "object", "required": ["host"], "properties": HOST["properties"]}
PLANNED = {"type": "object", "required": ["steps"], "properties": {"steps": STEPS, "rationale": {"type": "string"}}}
MOLE = ModelAgent(**THINKING, output=ANSWER, tools=("look", *CONTRACTS.keys() - {"look", "homeless"}))
AGENTS = {
    "mole": MOLE,
    "planner": ModelAgent(**THINKING, output=PLANNED),
    **dict.fromkeys(("ann", "ben"), ModelAgent(**THINKING, output=ANSWER)),
}
GATE = {"approvers": ["lead"], "required": 2, "timeout": "1h", "on_reject": "continue"}
GOES_ON = {"on_failure": {"any": "continue"}, "retry": {"attempts": 1}}
NOBODY = {"value": {"host": "nobody"}}
THINK = {"kind": "agent", "step": "think", "agent": "mole", "task": "script ${{ item }}", "output": "answer"}
THINKS = {**THINK, **GOES_ON, "default": NOBODY}
ACTS = {"kind": "action", "step": "contain", "action": "isolate_host", "with": {"host": "${{ answer.host }}"}}
ALLOWED = {
    "kinds": ["agent", "action", "parallel"],
    "agents": ["ann"],
    "tools": ["file_ticket", "isolate_host"],
    "approvers": ["lead"],
}
PLAN = {"agent": "planner", "task": "script ${{ item }}", "allow": ALLOWED, "attempts": 2, "max_steps": 4}
ROUND = [
    {**THINK, "step": name, "agent": name, "context": ["heard"], "output": "heard", "default": NOBODY}
    for name in ("ann", "ben")
]
STAGES: dict[str, list[dict[str, Any]]] = {
    "acting": [THINKS, {**ACTS, "approval": GATE, **GOES_ON}],
    "asking": [
        THINKS,
        {"kind": "gate", "step": "ask", "gate": {**GATE, "context": ["answer"]}, "output": "said"},
        {
            "kind": "action",
            "step": "note",
            "action": "file_ticket",
            "with": {"title": "${{ answer.host }}"},
            "when": "said.approved",
        },
    ],
    "unguarded": [THINKS, {**ACTS, **GOES_ON}],
    "planning": [{"kind": "plan", "step": "plan", "plan": PLAN, "approval": GATE, **GOES_ON}],
    "talking": [
        {
            "kind": "loop",
            "step": "talk",
            "loop": {"do": ROUND, "until": "false", "max_iterations": 5, "on_max": "continue"},
            **GOES_ON,
        }
    ],
    "party": [
        {
            "kind": "party",
            "step": "talk",
            "party": {"topic": "script ${{ item }}", "members": ["ann", "ben"], "rounds": 3, "tokens": 60_000},
            **GOES_ON,
        }
    ],
}
SCRIPT = re.compile(r"\bscript (s\d{3})\b")
ITEM = re.compile(r"each\[(s\d{3})\]")


def mission(stage: str, names: Iterable[str]) -> list[dict[str, Any]]:
    """Return a mission in which each of these scripts is played once, all beside each other."""
    each = {"over": f"{list(names)}", "key": "item", "max_concurrency": 24, "do": STAGES[stage]}
    return [{"kind": "map", "step": "each", "map": each}]


@dataclass
class Lair(Activities):
    """A worker's activities, the real ones, and what the model and the tool of all scripts say."""

    servers: ToolServers | None = None
    runner: AgentRunner | None = None
    executor: ActionExecutor | None = None

    async def aclose(self) -> None:
        """Hang up on the tool server."""
        assert self.servers is not None
        await self.servers.close()

    @activity.defn(name=RUN_AGENT)
    async def run(self, call: AgentCall) -> AgentResult:
        assert self.runner is not None
        return await self.runner.run(call)

    @activity.defn(name=EXECUTE_ACTION)
    async def execute(self, call: ToolCall) -> ToolResult:
        assert self.executor is not None
        return await self.executor.execute(call)


def lair(client: Client, home: Path, service: Service, models: ModelServer) -> Lair:
    servers = ToolServers(at(service.url), outward=HERE)
    cast = Cast(Provider(model="small", url=models.url))
    authority = Authority(CONTRACTS, Directory(home / "people.yaml"), ServerLineage(client), policy=OPEN)
    runner = AgentRunner(AGENTS, CONTRACTS, servers, cast=cast, policy=OPEN)
    return Lair(servers=servers, runner=runner, executor=ActionExecutor(CONTRACTS, servers, authority))


@dataclass
class Book:
    """What was said, and what people saw and said to it."""

    scripts: dict[str, Script]
    asked: dict[str, int] = field(default_factory=dict)
    """By script: how often the model was asked."""
    proposed: dict[str, list[Opening]] = field(default_factory=dict)
    """By script: what people were asked."""
    honest: set[str] = field(default_factory=set)
    """What people signed and sent."""

    def reply(self, asked: Asked) -> Reply:
        """Say the next of a script: which one, and how far it is, stands in what the model was told."""
        [name, *_] = SCRIPT.findall(asked.said())
        script = self.scripts[name]
        self.asked[name] = number = self.asked.get(name, 0) + 1
        turn = sum(message["role"] == "assistant" for message in asked.body["messages"])
        reply = script.replies[min(turn, len(script.replies) - 1)]
        if script.varies:
            word = "position" if script.stage == "party" else "host"
            return Reply(answer={**reply.answer, word: f"{reply.answer[word]} ({number})"})
        return reply

    def seen(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return what the tool tells the script that asks it."""
        script = self.scripts.get(str(arguments.get("host")))
        return script.found if script is not None and script.found else {"ok": True}


async def begin(h: House, stage: str, names: Iterable[str]) -> Started:
    def real(given: MissionInput) -> MissionInput:
        return given.model_copy(update={"plan": moved(given.plan.model_copy(update={"tools": CONTRACTS}), h.queue)})

    return await h.start(mission(stage, names), Limits(ladder=True), change=real, agents=AGENTS)


async def attend(started: Started, book: Book) -> None:
    """Be the people of a mission until it is over: pass on what is forged, then say what each script's people say."""
    met: set[tuple[str, str]] = set()
    over = asyncio.ensure_future(started.handle.result())
    while not over.done():
        gates: list[Opening] = []
        with suppress(RPCError, Refused):
            gates = await read_gates(started.house.client, started.handle.id)
        for one in gates:
            if (one.subject.step, one.nonce) not in met:
                met.add((one.subject.step, one.nonce))
                await decide(started, one, book)
        await asyncio.wait([over], timeout=0.1)
    await over


async def decide(started: Started, opening: Opening, book: Book) -> None:
    """Say what people say at one opening."""
    [name] = ITEM.findall(opening.subject.step)
    script = book.scripts[name]
    book.proposed.setdefault(name, []).append(opening)
    if script.relay:
        await started.handle.signal(DECIDE, forged(script, started, opening))
    allowed = script.people == "both" or (script.people == "plan" and opening.subject.step.endswith("/plan[1]"))
    said = [("lea", "approve"), ("lou", "approve" if allowed else "reject")]
    for person, verb in said if allowed or script.people == "one" else said[1:]:
        token = started.token(opening, person, verb)
        book.honest.add(token)
        await started.handle.signal(DECIDE, token)


def forged(script: Script, started: Started, opening: Opening) -> str:
    """Return a token that should not count at an opening which it knows everything of."""
    home = started.house.home
    honest = started.token(opening, "lea")
    head, body, tail = honest.split(".")
    match script.relay:
        case "signed by a stranger":
            kid = keys.kid(keys.registered(home).people["lea"].keys[0])
            return seal(Ed25519PrivateKey.generate(), kid, Claims.model_validate_json(decoded(body)))
        case "signed by nobody":
            return f"{encoded({'alg': 'none', 'typ': 'gonogo-decision+jwt'})}.{body}."
        case "cut short":
            return f"{head}.{body}.{tail[:40]}"
        case "turned round":
            no = started.token(opening, "lea", "reject").split(".")
            return f"{no[0]}.{body}.{no[2]}"
        case "of the requester":
            return started.token(opening, "rita")
        case "of one without the role":
            return started.token(opening, "eve")
        case "for something else":
            return started.token(opening, "lea", digest="sha256:" + "0" * 64)
        case "for another step":
            return started.token(opening, "lea", step="each[s999]/contain")
        case "a command of no operator":
            return started.order("skip", opening.subject.step, person="lea")
        case _:
            return JWS + script.name
