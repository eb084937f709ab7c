"""Read what must come of a rehearsal. The rest of the file is read by `rehearsal/read.py`."""

from collections.abc import Iterable
from typing import get_args

from contracts.record import Status
from contracts.risk import MOST_SCORE
from contracts.view import MissionState
from language.finding import Finding
from language.form import Form
from language.name import nearest
from rehearsal.script import Expected, Wait, Weighed

COSTS = ("agent_runs", "tool_calls", "seconds", "usd", "tokens")
STATUSES = ("not_run", *get_args(Status))
PASSING = (MissionState.RUNNING, MissionState.COMPENSATING)
ENDS = tuple(str(state) for state in MissionState if state not in PASSING)
"""How a mission can stand for good: ended, or waiting for what never comes."""


class Expectations:
    """Reads the key `expect`, and notes what is wrong on the way."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def _expected(self, form: Form) -> Expected:
        inner = form.form("expect", "'expect'", required=True)
        if inner is None:
            return Expected()
        if not inner.data:
            inner.add("BAD_VALUE", "'expect' is empty", inner.value.place, "write at least 'verdict' or 'state'")
        expected = Expected(
            verdict=inner.text("verdict") or None,
            state=self._one_of(inner, "state", ENDS) or None,
            reason=inner.text("reason") or None,
            steps=self._statuses(inner),
            ran=self._names(inner, "ran"),
            compensations=self._names(inner, "compensations"),
            waits=self._waits(inner),
            refused=self._names(inner, "refused") or (),
            usage=self._usage(inner),
            risk=self._risk(inner),
            places=inner.value.key_places,
        )
        inner.done()
        return expected

    def _statuses(self, form: Form) -> dict[str, str] | None:
        inner = form.form("steps", "'steps'")
        return {name: self._one_of(inner, name, STATUSES) for name in inner.data} if inner else None

    def _names(self, form: Form, key: str) -> tuple[str, ...] | None:
        """Return a list of names in which one may stand twice: a tool runs as often as it runs."""
        value = form.take(key)
        if value is None:
            return None
        if isinstance(value.data, str):
            return (value.data,)
        if not isinstance(value.data, list):
            form.wrong(value, f"'{key}' is a list of names", "start each with '- '; nothing at all is []")
            return None
        return tuple(form.as_text(item, key) for item in value.data)

    def _waits(self, form: Form) -> tuple[Wait, ...] | None:
        if "waits" not in form.data:
            return None
        return tuple(self._wait(Form(item, "a wait", self.findings)) for item in form.items("waits"))

    def _wait(self, form: Form) -> Wait:
        wait = Wait(at=form.text("at", required=True), asked=form.texts("asked"))
        form.done()
        return wait

    def _usage(self, form: Form) -> dict[str, float] | None:
        inner = form.form("usage", "'usage'")
        if inner is None:
            return None
        usage = {name: inner.number(name, 0, 1e12, 0) for name in COSTS if name in inner.data}
        for name in COSTS:
            inner.take(name)
        inner.done()
        return usage

    def _risk(self, form: Form) -> dict[str, Weighed] | None:
        inner = form.form("risk", "'risk'")
        if inner is None:
            return None
        return {name: self._weighed(Form(value, "a risk", self.findings)) for name, value in inner.data.items()}

    def _weighed(self, form: Form) -> Weighed:
        score = form.integer("score", 0, MOST_SCORE, 0) if "score" in form.data else None
        people = form.integer("people", 0, 100, 0) if "people" in form.data else None
        weighed = Weighed(score=score, level=form.text("level") or None, people=people)
        form.done()
        return weighed

    def _one_of(self, form: Form, key: str, known: Iterable[str], *, required: bool = False) -> str:
        text = form.text(key, required=required)
        if text and text not in known:
            meant = nearest(text, known)
            mend = f"did you mean '{meant}'?" if meant else f"write one of: {', '.join(known)}"
            form.add("BAD_VALUE", f"'{key}' is '{text[:80]}'", form.data[key].place, mend)
            return ""
        return text
