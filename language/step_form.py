"""Read steps: the YAML form of each kind becomes its model.

A step that cannot be read becomes an empty group of its name, so that what refers to it still finds it.
The other halves: `kind_form.py` reads what each kind has of its own, `contracts/definition.py` has the models.
"""

from contracts.definition import Compensation, GroupStep, Step, Target
from contracts.failure_class import ANY, WAYS
from contracts.gate import Gate, Rung
from contracts.step import ABORT, CONTINUE, ESCALATE, REFUSE, Default, Fallback, Place, Retry
from language.finding import Finding
from language.form import Form, described, spare
from language.gate_form import excluded, last_resort, seats, when_paused
from language.kind_form import EVERY_KEY, READERS, WORDS
from language.name import STEP, nearest
from language.yaml_source import Value

MOST_STEPS = 500
ALIASES = {"escalate_to_human": ESCALATE}


class StepReader:
    """Reads a mission's steps and remembers the YAML of each."""

    def __init__(self, findings: list[Finding], named: frozenset[str]) -> None:
        self.findings = findings
        self.nodes: dict[Place, Value] = {}
        self._named = named
        self._left = MOST_STEPS + 1

    def steps(self, values: list[Value], *, named: bool) -> tuple[Step, ...]:
        """Return a list of steps. Where names are needed to refer to steps, each must have one."""
        taken: set[str] = set()
        found = []
        for value in values:
            if self._left <= 0:
                # One too many is enough for a finding; the rest would only take time.
                break
            self._left -= 1
            found.append(self.step(value, taken, named=named))
        return tuple(found)

    def step(self, value: Value, taken: set[str], *, named: bool) -> Step:
        kinds = [kind for kind in READERS if isinstance(value.data, dict) and kind in value.data]
        kind = kinds[0] if kinds else ""
        form = Form(value, WORDS.get(kind, "a step"), self.findings)
        self.nodes[value.place] = value
        common = {
            "step": self._name(form, kind, taken, named=named),
            "needs": form.texts("needs") if form.take("needs") else None,
            "output": form.text("output") or None,
            "when": form.text("when") or None,
            "retry": self.retry(form),
            "timeout": form.duration("timeout"),
            "on_failure": self.on_failure(form),
            "default": self.default(form),
            "locks": form.texts("locks"),
            "place": value.place,
        }
        if kind:
            form.take(kind)
        if len(kinds) != 1:
            self._kindless(form, kinds)
            return GroupStep(**common, steps=())
        step = READERS[kind](self, form, common)
        form.done()
        return step

    def _name(self, form: Form, kind: str, taken: set[str], *, named: bool) -> str:
        name = form.text("step", required=named)
        if name and not STEP.fullmatch(name):
            mend = "write letters, digits, '_' and '-', starting with a letter, at most 64"
            form.add("BAD_NAME", f"'{name[:80]}' is no name for a step", form.data["step"].place, mend)
        if name:
            taken.add(name)
            return name
        acting = form.data.get(kind)
        base = (
            acting.data if acting and isinstance(acting.data, str) and STEP.fullmatch(acting.data) else kind or "step"
        )
        name = unused(base, taken | self._named)
        taken.add(name)
        return name

    def _kindless(self, form: Form, kinds: list[str]) -> None:
        """Note that a step is of no kind, or of several."""
        if kinds:
            message = f"a step is of one kind, and this has {' and '.join(map(repr, kinds))}"
            form.add("STEP_KIND", message, form.value.key_places[kinds[1]], "make two steps of it")
            return
        for key in form.data:
            if key not in EVERY_KEY and nearest(key, READERS):
                form.unknown(key, READERS)
                return
        if isinstance(form.value.data, dict):
            mend = f"give it one of: {', '.join(READERS)}"
            form.add("STEP_KIND", "this step says nothing to do", form.value.place, mend)

    def target(self, form: Form, key: str, otherwise: Target, *, required: bool = False) -> Target:
        """Return where control goes: a name, a built-in word, or a list of steps written in place."""
        value = form.take(key, required=required)
        if value is None:
            return otherwise
        if isinstance(value.data, list) and value.data:
            return self.steps(value.data, named=False)
        if isinstance(value.data, str) and value.data.strip():
            return ALIASES.get(value.data, value.data)
        form.wrong(value, f"'{key}' is a step's name or a list of steps, not {described(value)}")
        return otherwise

    def on_failure(self, form: Form) -> dict[str, Target | Fallback]:
        """Return where control goes by class of failure; a target alone is for all of them."""
        value = form.take("on_failure")
        if value is None:
            return {}
        if not isinstance(value.data, dict):
            return {ANY: self.target(form, "on_failure", ESCALATE)}
        inner = Form(value, "'on_failure'", self.findings)
        for name in value.data:
            if name not in WAYS:
                inner.unknown(name, WAYS)
        return {name: self.way(inner, name) for name in value.data if name in WAYS}

    def default(self, form: Form) -> Default | None:
        """Return the value that the step's variable has until the step sets it."""
        value = form.take("default")
        if value is None:
            return None
        if "output" not in form.data:
            message = "'default' is the value of a variable, and this step sets none"
            form.add("MISSING_KEY", message, form.value.key_places["default"], "write 'output: …' beside it")
        return Default(value=value.plain())

    def way(self, form: Form, key: str) -> Target | Fallback:
        value = form.data[key]
        if not isinstance(value.data, dict):
            return self.target(form, key, ESCALATE)
        form.take(key)
        inner = Form(value, "a fallback", self.findings)
        otherwise = self.way(inner, "else") if inner.take("else") else None
        fallback = Fallback(agent=inner.text("agent", required=True), **{"else": otherwise})
        inner.done()
        return fallback

    def gate(self, form: Form) -> Gate:
        kind = form.text("type") or "approval"
        if kind != "approval":
            form.add("BAD_VALUE", f"unknown type of gate '{kind}'", form.data["type"].place, "write 'approval'")
        wanted = seats(form)
        gate = Gate(
            approvers=form.texts("approvers", required=not wanted) or tuple(wanted),
            required=form.integer("required", 1, 100, 1),
            **{"from": wanted},
            exclude=excluded(form),
            reject_quorum=form.integer("reject_quorum", 1, 100, 1),
            message=form.text("message"),
            context=form.texts("context"),
            timeout=form.duration("timeout"),
            remind=form.durations("remind"),
            on_timeout=self.target(form, "on_timeout", REFUSE),
            escalation=tuple(self.rung(Form(item, "a rung", self.findings)) for item in form.items("escalation")),
            on_reject=self.target(form, "on_reject", ABORT),
            when_paused=when_paused(form),
            on_changes=self.target(form, "on_changes", CONTINUE) if form.take("on_changes") else None,
        )
        form.done()
        return gate

    def rung(self, form: Form) -> Rung:
        wanted = seats(form)
        rung = Rung(
            approvers=form.texts("approvers", required=not wanted) or tuple(wanted),
            required=form.integer("required", 1, 100, 0) or None,
            **{"from": wanted},
            timeout=spare(form.duration("timeout", required=True), Retry().most),
            remind=form.durations("remind"),
            on_timeout=last_resort(form),
        )
        form.done()
        return rung

    def retry(self, form: Form) -> Retry | None:
        inner = form.form("retry", "'retry'")
        if inner is None:
            return None
        usual = Retry()
        retry = Retry(
            attempts=inner.integer("attempts", 1, 100, usual.attempts),
            first=spare(inner.duration("first"), usual.first),
            factor=inner.number("factor", 1, 10, usual.factor),
            most=spare(inner.duration("most"), usual.most),
        )
        inner.done()
        return retry

    def compensation(self, form: Form) -> Compensation | None:
        value = form.take("compensate")
        if value is None:
            return None
        if isinstance(value.data, str):
            return Compensation(tool=value.data)
        inner = Form(value, "'compensate'", self.findings)
        words = {"with": inner.mapping("with"), "retry": self.retry(inner)}
        compensation = Compensation(tool=inner.text("tool", required=True), **words)
        inner.done()
        return compensation


def unused(base: str, taken: set[str] | frozenset[str]) -> str:
    """Return a name that no sibling and no author has used: `base`, then `base-2` and so on."""
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name
