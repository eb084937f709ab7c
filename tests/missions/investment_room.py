"""The shipped investment party with its real members: cases, single turns, and whole debates without a server."""

import copy
import json
from importlib import import_module
from pathlib import Path
from typing import Any

from contracts.call import AgentCall
from contracts.decision import Opening, Ruling
from contracts.plan import Plan
from language import schema
from language.freeze import freeze
from language.loader import load_mission
from language.workspace import load_workspace
from tests.interpreter.fakes import FakePorts, Run, rehearse

MISSIONS = Path(__file__).parents[2] / "missions"
FOLDER = MISSIONS / "technology_investment"
CASES = sorted(path.stem for path in (FOLDER / "cases").glob("*.json"))
WORKSPACE = load_workspace(MISSIONS)
MEMBERS = ("cto", "cfo", "ciso", "coo")
FAVOUR = {"reject": 0, "defer": 1, "invest": 2}


def plan() -> Plan:
    return freeze(load_mission(FOLDER / "mission.yaml", WORKSPACE), WORKSPACE)


PLAN = plan()
PARTY = PLAN.definition.steps[0].party


def load_case(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / "cases" / f"{name}.json").read_text())["case"]


def changed(case: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**copy.deepcopy(case), **more}


async def answer(call: AgentCall) -> dict[str, Any]:
    """Let the workspace's own agent answer; what it says must fit what it is asked for."""
    module, _, name = WORKSPACE.agents[call.name].callable.partition(":")
    said = await getattr(import_module(module), name)(call, None, lambda *_, **__: None)
    assert schema.errors(call.agent.output, said) == []
    return said


async def turn(member: str, case: dict[str, Any], *heard: dict[str, Any]) -> dict[str, Any]:
    """Let one member take one turn, having heard what is given."""
    about = {"you": member, "members": list(MEMBERS), "round": 2, "transcript": list(heard)}
    contract = WORKSPACE.agents[member].model_copy(update={"output": PARTY.schema_for(member)})
    context = {"case": case, "party": about}
    return await answer(AgentCall(mission="m", path="p", name=member, agent=contract, task="", context=context))


def says(member: str, *reasons: str, position: str = "defer") -> dict[str, Any]:
    return {"round": 1, "by": member, "position": position, "reasons": list(reasons), "confidence": 0.8}


async def debate(case: dict[str, Any], verb: str | None = None) -> Run:
    """Hold the whole mission; the board says one thing, or nothing."""

    def board(opening: Opening) -> tuple[str, str] | None:
        if not verb or opening.subject.kind != "approval":
            return None
        # The fakes let one person speak at an opening, and the board is two.
        said = {"step": opening.subject.step, "nonce": opening.nonce, "digest": opening.digest, "jti": "first"}
        ports.book.count(Ruling(accepted=True, person="odile", verb=verb, **said))
        return ("tomasz", verb)

    ports = FakePorts(agents=dict.fromkeys(PLAN.agents, answer), people=board)
    return await rehearse(PLAN, ports, {"case": case})


def advice(run: Run) -> dict[str, Any]:
    return run.scope.variables.values["advice"]
