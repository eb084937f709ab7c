"""What policy says: the one place where it is asked, by whoever is about to act.

Law: deny by default. Policies that are missing, broken or cannot be read deny everything, and say so; so does whatever
Cedar cannot make an answer of. They are parsed once and read again when a file changes, as people are.
`language/policies.py` reads them, `contracts/policy.py` is what is asked and answered.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from activities.people import Directory, Stamp, Unreadable, stamp
from activities.signature import why_unsigned
from contracts.mind import Agent
from contracts.policy import KINDS, Answer, Outcome, Question
from contracts.signed import POLICIES
from contracts.workspace import PeopleFile, Tool
from language.finding import Rejected
from language.policies import ENDING, FOLDER, SCHEMA, Policies, read_policies
from language.signatures import read_signatures


class Policy:
    """The policies of one workspace, as they are on disk now."""

    def __init__(
        self,
        root: Path,
        directory: Directory,
        agents: Mapping[str, Agent],
        tools: Mapping[str, Tool],
        required: Sequence[str] = (),
    ) -> None:
        self._required = required
        """Of which roles or people one must have signed the policies."""
        self._root = root
        self._directory = directory
        self._agents = agents
        self._tools = tools
        self._stamps: tuple[tuple[str, Stamp], ...] | None = None
        self._policies: Policies | None = None
        self._broken = ""

    def ask(self, question: Question) -> Answer:
        """Return what the policies say. It never raises: what cannot be asked is denied, with the reason."""
        asked: dict[str, Any] = question.model_dump(include={"verb", "who", "what", "at"})
        policies = self._read()
        if policies is None:
            return Answer(**asked, reason=f"no policy can be read, so everything is denied: {self._broken}")
        try:
            people = self._directory.people()
        except Unreadable as error:
            return Answer(**asked, version=policies.version, reason=f"nobody's roles can be read: {error}")
        if why := self._unsigned(policies, people):
            return Answer(**asked, version=policies.version, reason=f"the policies count for nothing: {why}")
        return Answer(
            **asked, version=policies.version, **_decided(question, policies, self._entities(question, people))
        )

    def _unsigned(self, policies: Policies, people: PeopleFile) -> str:
        """Return why the policies do not count, of those that somebody must have signed."""
        if not self._required:
            return ""
        try:
            given = read_signatures(self._root / FOLDER)
        except Rejected as rejected:
            return str(rejected.findings[0])
        return why_unsigned(self._required, given, POLICIES, policies.version, people)

    def version(self) -> str:
        """Return the digest of the policies; empty where they cannot be read."""
        policies = self._read()
        return policies.version if policies is not None else ""

    def names(self) -> tuple[str, ...]:
        """Return the names of the policies; none where they cannot be read."""
        policies = self._read()
        return tuple(policies.rules) if policies is not None else ()

    def _read(self) -> Policies | None:
        stamps: tuple[tuple[str, Stamp], ...] | None = self._stamped()
        if stamps != self._stamps:
            self._policies, self._broken = None, ""
            try:
                self._policies = read_policies(self._root)
            except Rejected as rejected:
                # Not remembered: what cannot be read now may be read the next time, with no file changed.
                self._broken, stamps = str(rejected.findings[0]), None
            self._stamps = stamps
        return self._policies

    def _stamped(self) -> tuple[tuple[str, Stamp], ...]:
        folder = self._root / FOLDER
        try:
            paths = sorted(path for path in folder.iterdir() if path.name.endswith((ENDING, SCHEMA)))
        except OSError:
            return ()
        return tuple((path.name, stamp(path)) for path in paths)

    def _entities(self, question: Question, people: PeopleFile) -> list[dict[str, Any]]:
        """Return what there is to know of who asks and of what it is about."""
        kinds = KINDS[question.verb]
        names = (question.who, question.what)
        found = [self._entity(kind, name, question.team, people) for kind, name in zip(kinds, names, strict=True)]
        if kinds[1] == "Step":
            found.append(self._entity("Mission", question.what.partition("/")[0], question.team, people))
        return found

    def _entity(self, kind: str, name: str, team: str, people: PeopleFile) -> dict[str, Any]:
        above: list[tuple[str, str]] = []
        attributes: dict[str, Any] = {}
        match kind:
            case "Person" if name in people.people:
                above = [("Role", role) for role in people.people[name].roles]
            case "Mission":
                above = [("Team", team)] if team else []
            case "Step":
                above = [("Mission", name.partition("/")[0])]
            case "Agent":
                known = self._agents.get(name)
                above = [("Team", known.team)] if known is not None and known.team else []
                attributes = {"runtime": known.runtime if known is not None else ""}
            case "Tool":
                attributes = _tool(self._tools.get(name))
            case "Model":
                provider, found, _ = name.partition(":")
                attributes = {"provider": provider if found else ""}
            case _:
                pass
        parents = [{"type": sort, "id": one} for sort, one in above]
        return {"uid": {"type": kind, "id": name}, "attrs": attributes, "parents": parents}


def _tool(tool: Tool | None) -> dict[str, Any]:
    if tool is None:
        return {"effect": "unknown", "needs_approval": True, "server": ""}
    return {"effect": tool.effect, "needs_approval": tool.needs_approval(), "server": tool.server}


def _decided(question: Question, policies: Policies, entities: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the outcome, the policies that decided, and why where none did."""
    from cedarpy import Decision, is_authorized

    who, what = KINDS[question.verb]
    request = {
        "principal": {"type": who, "id": question.who},
        "action": {"type": "Action", "id": question.verb},
        "resource": {"type": what, "id": question.what},
        "context": question.context,
    }
    try:
        found = is_authorized(request, policies.parsed, json.dumps(entities), policies.schema)
        decision, reasons, errors = found.decision, found.diagnostics.reasons, found.diagnostics.errors
    except Exception as error:
        # Whatever Cedar cannot take is no permission.
        return {"reason": f"policy could not be asked: {error}"[:500]}
    named = {name: str(policies.rules[name].place) for name in sorted(reasons)}
    if errors or decision == Decision.NoDecision:
        return {"policies": named, "reason": f"policy could not be asked: {'; '.join(errors)}"[:500]}
    if decision != Decision.Allow:
        return {"policies": named, "reason": "" if named else "no policy permits it"}
    approval: dict[str, int] = {}
    for name in named:
        for role, number in policies.rules[name].approval.items():
            approval[role] = max(number, approval.get(role, 0))
    outcome: Outcome = "needs approval" if approval else "allow"
    return {"outcome": outcome, "policies": named, "approval": approval}
