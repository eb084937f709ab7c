"""From a rehearsal's YAML to its script, with every finding in one pass.

The same strict YAML and the same forms as definitions have. What the script says about its mission is held against
that mission in `rehearsal/check.py`.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from contracts.decision import CommandVerb, Verb
from contracts.step import Place
from language.document import read_file
from language.finding import Finding, Rejected
from language.form import Form
from language.yaml_source import Value, read_yaml
from rehearsal.expectation import Expectations
from rehearsal.script import (
    APPLIED,
    CODES,
    COMMANDS,
    START,
    VERBS,
    Answer,
    Command,
    Cue,
    Decision,
    Happening,
    Held,
    Rehearsal,
)

LONG = ("answer", "fails", "cause", "applied", "after", "usd", "tokens", "tool_calls")
"""A map that has only such keys is the long form of an answer."""
MOST = 1_000_000


def read_rehearsal(path: Path, root: Path) -> Rehearsal:
    """Return the script in a file. Raises `Rejected`. What it takes from other files lies below `root`."""
    return Reader(path, root).rehearsal()


class Reader(Expectations):
    """Reads one file, and notes what is wrong on the way."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.root = root
        super().__init__()

    def rehearsal(self) -> Rehearsal:
        tree, found = read_yaml(read_file(self.path), str(self.path))
        if tree is None:
            raise Rejected(found)
        self.findings += found
        script = self._script(Form(tree, "a rehearsal", self.findings))
        if self.findings:
            raise Rejected(self.findings)
        return script

    def _script(self, form: Form) -> Rehearsal:
        before = self._like(form)
        agents = self._cues(form, "agents", tool=False)
        tools = self._cues(form, "tools", tool=True)
        script = Rehearsal(
            description=form.text("description", required=True),
            inputs=self._inputs(form, before),
            requested_by=form.text("requested_by", required="like" not in form.data)
            or (before.requested_by if before else ""),
            starts=self._moment(form) or (before.starts if before else START),
            agents={**(before.agents if before else {}), **agents},
            tools={**(before.tools if before else {}), **tools},
            people=tuple(self._decision(Form(item, "a decision", self.findings)) for item in form.items("people")),
            operators=tuple(self._command(Form(item, "a command", self.findings)) for item in form.items("operators")),
            events=tuple(self._happening(Form(item, "an event", self.findings)) for item in form.items("events")),
            locks=tuple(self._held(Form(item, "a lock", self.findings)) for item in form.items("locks")),
            expect=self._expected(form),
            source=str(self.path),
            places=form.value.key_places,
        )
        form.done()
        return script

    def _like(self, form: Form) -> Rehearsal | None:
        """Return the rehearsal beside this one whose inputs, requester and answers this one takes over."""
        name = form.text("like")
        if not name:
            return None
        place = form.data["like"].place
        path = self._beside(name, place)
        if path is None:
            return None
        if "like" in {key for key, _ in _keys(path)}:
            form.add("BAD_VALUE", f"'{name}' is itself like another rehearsal", place, "name that other one")
            return None
        try:
            return read_rehearsal(path, self.root)
        except Rejected as rejected:
            self.findings += rejected.findings
            return None

    def _inputs(self, form: Form, before: Rehearsal | None) -> dict[str, Any]:
        inline, file = form.mapping("inputs"), form.text("inputs_from")
        if inline is not None and file:
            place = form.value.key_places["inputs_from"]
            form.add("BAD_VALUE", "'inputs' and 'inputs_from' both stand here", place, "keep one of them")
        if inline is not None:
            return inline
        if file:
            return self._json(file, form.data["inputs_from"].place)
        if "like" not in form.data and isinstance(form.value.data, dict):
            mend = "write 'inputs: …', or 'inputs_from: ../file.json'"
            form.add("MISSING_KEY", "a rehearsal needs the key 'inputs'", form.value.place, mend)
        return before.inputs if before else {}

    def _json(self, name: str, place: Place) -> dict[str, Any]:
        path = self._beside(name, place)
        if path is None:
            return {}
        try:
            text = path.read_text(encoding="utf-8")[: MOST + 1]
            found = json.loads(text) if len(text) <= MOST else None
        except (OSError, ValueError, RecursionError) as error:
            self.findings.append(Finding("FILE", f"'{name}' cannot be read as JSON: {error}", place))
            return {}
        if not isinstance(found, dict):
            self.findings.append(Finding("FILE", f"'{name}' is no JSON object of at most {MOST} bytes", place))
            return {}
        return found

    def _beside(self, name: str, place: Place) -> Path | None:
        """Return a file named in this one. It lies in the workspace: a rehearsal reaches nowhere else."""
        path = (self.path.parent / name).resolve()
        if not path.is_relative_to(self.root.resolve()):
            mend = "name a file of the workspace"
            self.findings.append(Finding("FILE", f"'{name}' leads out of the workspace", place, mend))
            return None
        if not path.is_file():
            self.findings.append(Finding("FILE", f"there is no file '{name}' beside this one", place))
            return None
        return self.path.parent / name

    def _cues(self, form: Form, key: str, *, tool: bool) -> dict[str, Cue]:
        inner = form.form(key, f"'{key}'")
        return {name: self._cue(value, tool=tool) for name, value in inner.data.items()} if inner else {}

    def _cue(self, value: Value, *, tool: bool) -> Cue:
        items = value.data if isinstance(value.data, list) else [value]
        if not items:
            mend = "write at least one answer; an answer that is a list is written {answer: […]}"
            self.findings.append(Finding("BAD_VALUE", "a list without answers", value.place, mend))
        answers = tuple(self._answer(item, tool=tool) for item in items)
        return Cue(answers=answers, each_time=not isinstance(value.data, list), place=value.place)

    def _answer(self, value: Value, *, tool: bool) -> Answer:
        if not isinstance(value.data, dict) or not value.data or not set(value.data) <= set(LONG):
            return Answer(answer=value.plain(), place=value.place)
        form = Form(value, "an answer", self.findings)
        given = form.take("answer")
        fails = self._one_of(form, "fails", CODES)
        if ("answer" in form.data) == ("fails" in form.data):
            form.add("MISSING_KEY", "it answers or it fails", value.place, "write one of 'answer' and 'fails'")
        answer = Answer(
            answer=None if given is None else given.plain(),
            fails=fails,
            cause=form.text("cause"),
            applied=cast(Any, self._one_of(form, "applied", APPLIED) or "unknown") if tool else "unknown",
            after=self._span(form),
            usd=form.number("usd", 0, 1_000_000, 0),
            tokens=form.integer("tokens", 0, 1_000_000_000, 0),
            tool_calls=form.integer("tool_calls", 0, 1_000_000, 0),
            place=value.place,
        )
        form.done()
        return answer

    def _decision(self, form: Form) -> Decision:
        given = form.take("answer")
        decision = Decision(
            at=form.text("at", required=True),
            by=form.text("by", required=True),
            decide=cast(Verb, self._one_of(form, "decide", VERBS, required=True) or "reject"),
            comment=form.text("comment"),
            changes=form.mapping("changes"),
            to=form.text("to"),
            answer=None if given is None else given.plain(),
            after=self._span(form),
            place=form.value.place,
        )
        form.done()
        return decision

    def _command(self, form: Form) -> Command:
        command = Command(
            command=cast(CommandVerb, self._one_of(form, "command", COMMANDS, required=True) or "pause"),
            by=form.text("by", required=True),
            at=form.text("at"),
            comment=form.text("comment"),
            changes=form.mapping("changes"),
            once=form.text("once"),
            after=self._span(form),
            place=form.value.place,
        )
        form.done()
        return command

    def _happening(self, form: Form) -> Happening:
        payload = form.take("payload")
        happening = Happening(
            event=form.text("event", required=True),
            key=form.text("key"),
            payload=None if payload is None else payload.plain(),
            id=form.text("id"),
            after=self._span(form),
            place=form.value.place,
        )
        form.done()
        return happening

    def _held(self, form: Form) -> Held:
        held = Held(
            lock=form.text("lock", required=True),
            by=form.text("by") or "another_mission",
            for_=form.duration("for"),
            place=form.value.place,
        )
        form.done()
        return held

    def _moment(self, form: Form) -> datetime | None:
        """Return when the mission begins: a time with its zone, in UTC."""
        text = form.text("starts")
        try:
            moment = datetime.fromisoformat(text) if text else None
        except ValueError:
            moment = None
        if text and (moment is None or moment.tzinfo is None):
            mend = "write a time with its zone, as in '2026-03-02T10:00:00Z'"
            form.add("BAD_VALUE", f"'starts' is '{text[:80]}'", form.data["starts"].place, mend)
            return None
        return moment.astimezone(UTC) if moment is not None else None

    def _span(self, form: Form) -> Any:
        span = form.duration("after")
        if span is not None and span.total_seconds() < 0:
            form.add("BAD_VALUE", "'after' is before it began", form.data["after"].place, "write '0s' or more")
        return span or Answer().after


def _keys(path: Path) -> Iterable[tuple[str, Value]]:
    tree, _ = read_yaml(read_file(path), str(path))
    return tree.data.items() if tree is not None and isinstance(tree.data, dict) else ()
