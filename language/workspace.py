"""Load what a workspace names beside its missions: `agents.yaml`, `tools.yaml`, `people.yaml`, `notify.yaml`.

The law: these contracts say what an effect is and who may decide, so nothing in them is guessed. All findings of the
files come in one pass; `notify.yaml`, `money.yaml`, `pins.yaml`, `security.yaml`, `risk.yaml` and `events.yaml` need
not be there. The models are in `contracts/workspace.py` and the files beside it that each is called after.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from contracts.channel import NotifyFile
from contracts.money import MoneyFile
from contracts.risk import RiskFile
from contracts.security import SecurityFile
from contracts.sink import EventsFile
from contracts.step import Place
from contracts.workspace import AgentsFile, PeopleFile, PinsFile, Tool, ToolsFile, Workspace
from language.channels import check_channels, check_sinks
from language.document import read_document, read_file
from language.entry import bad_name, bad_schema, missions_queue, no_time, unknown
from language.finding import Finding, Rejected
from language.knowledge import check_knowledge
from language.minds import check_agents, check_answering, modelled
from language.policies import read_policies
from language.risks import check_risk
from language.secret import check_headers
from language.security import check_security
from language.yaml_source import Value

AGENTS, TOOLS, PEOPLE, NOTIFY = "agents.yaml", "tools.yaml", "people.yaml", "notify.yaml"
MONEY, PINS, SECURITY, RISK = "money.yaml", "pins.yaml", "security.yaml", "risk.yaml"
EVENTS = "events.yaml"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
OPTIONAL = frozenset((NOTIFY, MONEY, PINS, SECURITY, RISK, EVENTS))
Part = TypeVar(
    "Part", AgentsFile, ToolsFile, PeopleFile, NotifyFile, MoneyFile, PinsFile, SecurityFile, RiskFile, EventsFile
)
FIRST_LINES = {
    AGENTS: "write 'agents:' and under it each agent, at least with 'callable: package.module:function'",
    TOOLS: "write 'servers:' and 'tools:'; a tool has at least 'server' and 'effect'",
    PEOPLE: "write 'escalation: {role: …}' and 'people:' with the roles of each",
    NOTIFY: "",
    MONEY: "",
    PINS: "",
    RISK: "",
    SECURITY: "",
    EVENTS: "",
}


def load_workspace(root: Path, registered: PeopleFile | None = None, model: str | None = None) -> Workspace:
    """Return the workspace in a folder, its people merged with those registered elsewhere. Raises `Rejected`.

    `model` is the language model that the environment names. Who runs no agents says nothing of it: None.
    """
    findings: list[Finding] = []
    agents, agents_yaml = read_part(AgentsFile, root / AGENTS, findings)
    tools, tools_yaml = read_part(ToolsFile, root / TOOLS, findings)
    people, people_yaml = read_part(PeopleFile, root / PEOPLE, findings)
    notify, notify_yaml = read_part(NotifyFile, root / NOTIFY, findings)
    money, money_yaml = read_part(MoneyFile, root / MONEY, findings)
    pins, pins_yaml = read_part(PinsFile, root / PINS, findings)
    risk, risk_yaml = read_part(RiskFile, root / RISK, findings)
    security, security_yaml = read_part(SecurityFile, root / SECURITY, findings)
    events, events_yaml = read_part(EventsFile, root / EVENTS, findings)
    merged = people.merged(registered or PeopleFile())
    # A part that could not be read says nothing about the names in it.
    tools_read = not any(finding.place.file == TOOLS for finding in findings)
    people_read = not any(finding.place.file == PEOPLE for finding in findings)
    findings += check_agents(agents, agents_yaml, tools.tools if tools_read else None, model)
    findings += check_knowledge(agents, agents_yaml, root)
    findings += check_tools(tools, tools_yaml)
    findings += (
        [*check_people(merged, people_yaml), *check_answering(agents, agents_yaml, merged)] if people_read else []
    )
    findings += no_agents(merged, agents, people_yaml)
    findings += check_channels(notify, notify_yaml, merged if people_read else None)
    findings += check_sinks(events, events_yaml)
    findings += check_money(money, money_yaml)
    findings += check_security(security, security_yaml, merged if people_read else None)
    findings += check_pins(pins, pins_yaml, tools if tools_read else None)
    weighed = (root / RISK).exists()
    if weighed and not any(finding.place.file == RISK for finding in findings):
        findings += check_risk(risk, risk_yaml, merged if people_read else None)
    findings += check_policies(root, merged if people_read else None, agents, tools if tools_read else None)
    if findings:
        raise Rejected(finding.in_file(str(root / finding.place.file)) for finding in findings)
    known = {
        name: tool.model_copy(update={"approvals": stated(tool), "pin": pins.tools.get(name, tool.pin)})
        for name, tool in tools.tools.items()
    }
    return Workspace(
        root=str(root),
        agents=modelled(agents),
        servers=tools.servers,
        tools=known,
        people=merged,
        notify=notify,
        money=money,
        risk=risk if weighed else None,
        security=security,
        events=events,
        knowledge={name: str(root / folder) for name, folder in agents.knowledge.items()},
    )


def load_sinks(root: Path) -> tuple[EventsFile, SecurityFile]:
    """Return where events go and which hosts may be called: what a recorder needs to know. Raises `Rejected`."""
    findings: list[Finding] = []
    events, events_yaml = read_part(EventsFile, root / EVENTS, findings)
    security, security_yaml = read_part(SecurityFile, root / SECURITY, findings)
    findings += [*check_sinks(events, events_yaml), *check_security(security, security_yaml)]
    if findings:
        raise Rejected(finding.in_file(str(root / finding.place.file)) for finding in findings)
    return events, security


def stated(tool: Tool) -> int | None:
    """Return how many people a contract asks for, said where it is more than one, so that a plan is frozen with it."""
    return tool.quorum() if tool.quorum() > 1 else tool.approvals


def read_part(model: type[Part], path: Path, findings: list[Finding]) -> tuple[Part, Value]:
    """Return one file's document and YAML; an empty document where it cannot be used."""
    if path.name in OPTIONAL and not path.exists():
        return model(), Value(Place(file=path.name, line=1, column=1), {})
    try:
        text = read_file(path, FIRST_LINES[path.name])
    except Rejected as rejected:
        findings.extend(finding.in_file(path.name) for finding in rejected.findings)
        return model(), Value(Place(file=path.name, line=1, column=1), {})
    document, value, found = read_document(model, text, path.name)
    findings.extend(found)
    return document or model(), value


def check_tools(file: ToolsFile, value: Value) -> Iterator[Finding]:
    """Find tools with bad names or schemas, on no server, or undone by tools that do not exist."""
    for name, server in file.servers.items():
        yield from check_headers(server, value.find("servers", name))
    for name, tool in file.tools.items():
        here = value.find("tools", name)
        yield from bad_name("a tool", name, value.find("tools"))
        yield from unknown("UNKNOWN_SERVER", "server", tool.server, file.servers, here.place_of("server"))
        yield from bad_schema(tool.input, here.find("input"), "input")
        yield from bad_schema(tool.output, here.find("output"), "output")
        yield from no_time(tool.timeout, here.find("timeout"))
        yield from missions_queue(tool.queue, here)
        yield from bad_promises(name, tool, here)
        yield from approvals(tool, here)
        for number, other in enumerate(tool.compensated_by):
            yield from unknown("UNKNOWN_TOOL", "tool", other, file.tools, here.place_of("compensated_by", number))


def check_pins(file: PinsFile, value: Value, tools: ToolsFile | None) -> Iterator[Finding]:
    """Find pins of tools that do not exist, and what is no digest."""
    for name, pin in file.tools.items():
        place = value.find("tools").key_places[name]
        if tools is not None:
            yield from unknown("UNKNOWN_TOOL", "tool", name, tools.tools, place)
        if not DIGEST.fullmatch(pin):
            yield Finding(
                "BAD_VALUE",
                f"the pin of '{name}' is no digest",
                value.place_of("tools", name),
                "let `gonogo admit` write it",
            )


def bad_promises(name: str, tool: Tool, here: Value) -> Iterator[Finding]:
    """Find a resource that no argument names, and approvals called routine that could not be taken back."""
    properties = tool.input.get("properties", {})
    if tool.resource and tool.resource not in properties:
        message = f"the resource of '{name}' is none of its arguments: '{tool.resource}'"
        mend = f"write one of {', '.join(properties)}" if properties else "describe the arguments under 'input'"
        yield Finding("BAD_VALUE", message, here.place_of("resource"), mend)
    if tool.routine and not (tool.effect == "write" and tool.compensated_by):
        message = f"'{name}' cannot be routine: nothing undoes it"
        yield Finding("BAD_VALUE", message, here.place_of("routine"), "name under 'compensated_by' what undoes it")


def approvals(tool: Tool, value: Value) -> Iterator[Finding]:
    """Find contracts that free what nobody can undo, ask too few people for it, or ask for nothing at all."""
    if tool.effect == "irreversible" and tool.autonomy == "allowed":
        mend = "leave 'autonomy' out: nobody can undo what it does"
        yield Finding("BAD_VALUE", "an irreversible tool never acts unasked", value.place_of("autonomy"), mend)
    elif tool.approvals is not None and not tool.needs_approval():
        mend = "leave it out, or let the tool need approval"
        yield Finding("BAD_VALUE", "'approvals' of a tool that asks nobody", value.place_of("approvals"), mend)
    elif tool.approvals is not None and tool.approvals < tool.quorum():
        message = f"'approvals' is {tool.approvals}, and what nobody can undo takes {tool.quorum()} people"
        yield Finding("BAD_VALUE", message, value.place_of("approvals"), f"write {tool.quorum()} or more")


def check_policies(
    root: Path, people: PeopleFile | None, agents: AgentsFile, tools: ToolsFile | None
) -> Iterator[Finding]:
    """Find what keeps policies from being read, and names in them that nothing here has."""
    known: dict[str, Iterable[str]] = {"Agent": agents.agents}
    known |= {"Role": people.roles(), "Person": people.people} if people is not None else {}
    known |= {"Tool": tools.tools} if tools is not None else {}
    try:
        read_policies(root, known)
    except Rejected as rejected:
        yield from rejected.findings


def check_money(file: MoneyFile, value: Value) -> Iterator[Finding]:
    """Find quotas that bound nothing."""
    for team, quota in file.quotas.items():
        if not quota.limits():
            place = value.place_of("quotas", team)
            yield Finding(
                "BAD_VALUE", f"the quota of '{team}' bounds nothing", place, "write usd, tokens or agent_runs"
            )


def no_agents(people: PeopleFile, agents: AgentsFile, value: Value) -> Iterator[Finding]:
    """Find people who are called like an agent: agents decide nothing, and nobody is to be taken for one."""
    known = {name.casefold() for name in agents.agents}
    for name in people.people:
        if name.casefold() in known:
            place = value.find("people").key_places.get(name, value.place)
            yield Finding("BAD_NAME", f"'{name}' is an agent, and agents decide nothing", place, "rename one of them")


def check_people(file: PeopleFile, value: Value) -> Iterator[Finding]:
    """Find a missing escalation, or one that turns to nobody, and operators whom nobody knows."""
    known = {*file.roles(), *file.people}
    for number, name in enumerate(file.operators):
        yield from unknown("UNKNOWN_PERSON", "role or person", name, known, value.place_of("operators", number))
    if file.escalation is None:
        message = "no 'escalation': a mission that cannot go on has nobody to turn to"
        yield Finding("MISSING_KEY", message, value.place, "write 'escalation: {role: …}'")
        return
    place = value.place_of("escalation", "role")
    yield from unknown("UNKNOWN_PERSON", "role", file.escalation.role, file.roles(), place)
    yield from no_time(file.escalation.timeout, value.find("escalation", "timeout"))
