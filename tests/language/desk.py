"""A small workspace for the tests of the language, and the shortest mission that is right."""

import textwrap
from pathlib import Path
from typing import Any

from contracts.definition import Definition
from contracts.mind import CodeAgent
from contracts.workspace import Escalation, PeopleFile, Person, Server, Tool, Workspace
from language.finding import Rejected
from language.loader import load_text

CHILDREN = Path(__file__).parent / "children"
"""Missions that others may start: those that read, that act, that ask, that let silence pass, and that are wrong."""
AGENTS = ("architect", "security_engineer", "cost_analyst", "reviewer")

HEAD = """
mission: try_out
version: '1.0'
team: platform
inputs:
  type: object
  required: [requirements_document, existing_system_overview, alert]
  properties:
    requirements_document: {type: string}
    existing_system_overview: {type: string}
    alert: {type: object}
verdict:
  one_of: [good, bad]
  value: "'good'"
"""


ANALYSIS = {
    "type": "object",
    "required": ["complexity_score", "title", "verdict", "tags", "parts"],
    "properties": {
        "complexity_score": {"type": "integer"},
        "confidence": {"type": "number"},
        "title": {"type": "string"},
        "verdict": {"enum": ["approve", "revise"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/part"}},
        "owner": {"type": ["object", "null"], "properties": {"name": {"type": "string"}}},
        "notes": {"type": "object", "properties": {"first": {}}, "additionalProperties": True},
        "risk": {"anyOf": [{"type": "string"}, {"type": "number"}]},
    },
    "$defs": {
        "part": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "cost": {"type": "number"},
                "parts": {"type": "array", "items": {"$ref": "#/$defs/part"}},
            },
        }
    },
}


PLAN = {
    "type": "object",
    "required": ["steps"],
    "properties": {"steps": {"type": "array", "items": {"type": "object"}}, "rationale": {"type": "string"}},
}


def workspace(**more: Any) -> Workspace:
    """A workspace with agents, one of whom says what it answers, tools of every kind of effect, and three people."""
    text = {"type": "string"}
    tools = {
        "look_up": Tool(server="company", effect="read"),
        "list_files": Tool(
            server="company",
            effect="read",
            input={
                "type": "object",
                "required": ["folder"],
                "properties": {
                    "folder": text,
                    "limit": {"type": "integer"},
                    "order": {"enum": ["name", "size"]},
                    "filter": {"type": "object", "properties": {"at_least": {"type": "number"}}},
                },
                "additionalProperties": False,
            },
            output={
                "type": "object",
                "required": ["count", "names"],
                "properties": {"count": {"type": "integer"}, "names": {"type": "array", "items": text}},
            },
        ),
        "write_file": Tool(
            server="company",
            effect="write",
            compensated_by=("delete_file",),
            input={
                "type": "object",
                "required": ["name"],
                "properties": {"name": text, "size": {"type": "integer"}},
                "additionalProperties": False,
            },
        ),
        "delete_file": Tool(server="company", effect="write"),
        "send_money": Tool(server="company", effect="irreversible"),
        "open_ticket": Tool(
            server="company", effect="write", autonomy="allowed", compensated_by=("close_ticket", "delete_file")
        ),
        "close_ticket": Tool(server="company", effect="write", autonomy="allowed"),
    }
    people = {
        "ada": Person(roles=("tech_lead", "architect")),
        "bob": Person(roles=("tech_lead",)),
        "cy": Person(roles=("director",)),
    }
    given = {
        "root": str(CHILDREN),
        "agents": {
            **{name: CodeAgent(callable="somewhere.agents:answer") for name in AGENTS},
            "planner": CodeAgent(callable="somewhere.agents:plan", output=PLAN),
            "analyst": CodeAgent(callable="somewhere.agents:analyse", output=ANALYSIS, confidence_floor=0.5),
        },
        "servers": {"company": Server(url="http://127.0.0.1:1/mcp")},
        "tools": tools,
        "people": PeopleFile(escalation=Escalation(role="director"), people=people),
    }
    return Workspace(**{**given, **more})


def mission(steps: str, head: str = HEAD) -> str:
    """A mission's text. The steps come first, so that their lines count from 1."""
    return textwrap.dedent(steps).lstrip("\n") + head


def load(steps: str, head: str = HEAD, **more: Any) -> Definition:
    return load_text(mission(steps, head), "m.yaml", workspace(**more))


def findings(text: str, **more: Any) -> list[str]:
    """Every finding of a text, as it is printed; none when it loads."""
    try:
        load_text(text, "m.yaml", workspace(**more))
    except Rejected as rejected:
        return [str(finding) for finding in rejected.findings]
    return []


def codes(text: str, **more: Any) -> list[str]:
    """Every finding as `line:column: CODE`."""
    return [" ".join(finding.removeprefix("m.yaml:").split(" ")[:2]) for finding in findings(text, **more)]


def written(folder: Path, name: str, text: str) -> Path:
    """Write a file below a folder, and the folders on the way."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return path
