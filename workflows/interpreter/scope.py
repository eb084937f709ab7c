"""What a step handler may touch: the ports, the journal, the variables, the gates, and a way to run children."""

from collections import ChainMap
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from contracts.base import canonical
from contracts.call import Grant
from contracts.decision import Kin
from contracts.definition import Step, Target
from contracts.money import Payer
from contracts.plan import Limits, Plan
from contracts.record import Failure
from language.expression import ExpressionError, evaluate, evaluate_bool, names, render, template_expressions
from language.start import defaults
from language.steps import called_by, walk
from workflows.governance.control import Control
from workflows.governance.event import Eventbook
from workflows.governance.tally import Gatebook
from workflows.interpreter.ending import StepFailed, Suspended
from workflows.interpreter.join import halt_if_cancelled
from workflows.interpreter.journal import Journal
from workflows.interpreter.ports import Ports


@dataclass(frozen=True)
class Mission:
    """Who the mission is."""

    id: str
    first_run_id: str
    requested_by: str
    tells: bool = False
    """Whether people are told what it has cost so far: missions that began without that go on without it."""
    above: tuple[Kin, ...] = ()
    """The missions whose child it is, the nearest first."""
    payers: tuple[Payer, ...] = ()
    """The same missions, as those who pay for what is spent here."""
    began: datetime | None = None
    fresh: bool = False
    """Whether it was started to ask agents anew, whatever they answered before."""
    veil: str = ""
    """The secret by which items are called on the server."""


@dataclass
class Variables:
    """What steps have yielded so far, by the name that later steps use, and how each step stands."""

    values: MutableMapping[str, Any] = field(default_factory=dict)
    steps: MutableMapping[str, dict[str, Any]] = field(default_factory=dict)

    def apart(self) -> "Variables":
        """Return variables that see these, and keep to themselves what is set in them."""
        return Variables(ChainMap({}, self.values), ChainMap({}, self.steps))


RunStep = Callable[[Step, str, "Scope"], Awaitable[Any]]
RunTarget = Callable[[Target, str, "Scope"], Awaitable[Any]]


@dataclass
class Scope:
    """One mission's walk. `local` holds what only this part of it sees, such as a loop's `iteration`."""

    plan: Plan
    mission: Mission
    ports: Ports
    journal: Journal
    gates: Gatebook
    events: Eventbook
    variables: Variables
    by_name: dict[str, Step]
    called: frozenset[str]
    run_step: RunStep
    run_target: RunTarget
    local: dict[str, Any] = field(default_factory=dict)
    control: Control = field(default_factory=Control)
    limits: Limits = field(default_factory=Limits)
    held: frozenset[str] = frozenset()
    """The locks under which this part of it runs."""
    grant: Grant | None = None
    """What people approved of this part of it before its first action: all of them, with their arguments."""

    async def begin_effect(self, path: str = "") -> None:
        """Stop here rather than start an effect in a cancelled branch or at the end of a run, and wait out a pause.

        What a walk before this one has begun at the path is only waited for, and what a run before had begun when it
        was stopped from outside is asked for again: the journal must know of it.
        """
        halt_if_cancelled()
        if self.ports.stopping():
            raise Suspended
        while self._waits() and not (path and self._begun(path)):
            await self.ports.wait(lambda: not self._waits() or bool(path and self._begun(path)), None, "paused")
            halt_if_cancelled()
            if self.ports.stopping() and not (path and self.limits.attentive and self.control.begun(path)):
                raise Suspended

    def _waits(self) -> bool:
        return self.control.paused is not None or self.control.stopped()

    def _begun(self, path: str) -> bool:
        return self.ports.holds(path, self.generation(path)) or self.control.begun(path)

    def generation(self, path: str) -> int:
        """Return how often operators had begun something anew when a step began."""
        record = self.journal.get(path)
        return record.generation if record is not None else self.journal.generation

    def inside(self, **local: Any) -> "Scope":
        """Return the same scope with more local variables; everything else is shared."""
        return replace(self, local={**self.local, **local})

    def apart(self, **local: Any) -> "Scope":
        """Return a scope inside whose variables stay inside."""
        return replace(self.inside(**local), variables=self.variables.apart())

    def planned(self, steps: tuple[Step, ...]) -> "Scope":
        """Return a scope in which steps that were planned run: they know the mission's variables and set their own."""
        inner = self.apart()
        own = {step.step: step for step in walk(steps)}
        called = {name for step in own.values() for name in called_by(step)}
        inner.variables.steps.update({name: {"status": "not_run"} for name in own})
        inner.variables.values.update(defaults(walk(steps)))
        return replace(inner, by_name={**self.by_name, **own}, called=self.called | called)

    def lookup(self, wanted: set[str] | frozenset[str]) -> dict[str, Any]:
        """Return those of the wanted variables that are set."""
        known = {**self.variables.values, **self.local}
        found = {name: known[name] for name in wanted if name in known}
        if "steps" in wanted:
            found["steps"] = dict(self.variables.steps)
        if "mission" in wanted:
            definition = self.plan.definition
            found["mission"] = {
                "id": self.mission.id,
                "name": definition.mission,
                "version": definition.version,
                "requested_by": self.mission.requested_by,
            }
        return found

    def evaluate(self, source: str, path: str) -> Any:
        """Evaluate CEL; an error fails the step with its place."""
        try:
            return evaluate(source, self.lookup(names(source)))
        except ExpressionError as error:
            raise StepFailed(self._bad_expression(path, source, error)) from error

    def test(self, source: str, path: str) -> bool:
        """Evaluate CEL that must answer true or false. An error is never true."""
        try:
            return evaluate_bool(source, self.lookup(names(source)))
        except ExpressionError as error:
            raise StepFailed(self._bad_expression(path, source, error)) from error

    def render(self, value: Any, path: str, **more: Any) -> Any:
        """Resolve every `${{ expr }}` in a value."""
        sources = template_expressions(value)
        if not sources:
            return value
        wanted: set[str] = set().union(*(names(source) for source in sources))
        try:
            return render(value, {**self.lookup(wanted), **more})
        except ExpressionError as error:
            raise StepFailed(self._bad_expression(path, str(value)[:200], error)) from error

    def text(self, template: str, path: str) -> str:
        """Resolve a text that an agent or people read; a value that is no text stands in it as JSON."""
        value = self.render(template, path)
        return value if isinstance(value, str) else canonical(value).decode()

    def context(self, wanted: tuple[str, ...], path: str) -> dict[str, Any]:
        """Return the named variables; one that is not set fails the step."""
        found = self.lookup(set(wanted))
        missing = [name for name in wanted if name not in found]
        if missing:
            cause = f"no step on the way here has set {', '.join(missing)}"
            raise StepFailed(Failure(code="context_missing", step=path, operation="gather its context", cause=cause))
        return {name: found[name] for name in wanted}

    def everything(self) -> dict[str, Any]:
        """Return all variables: what people see when a mission turns to them."""
        return dict(self.variables.values)

    def _bad_expression(self, path: str, source: str, error: ExpressionError) -> Failure:
        cause = f"{error} in `{source}`"
        return Failure(code="expression_error", step=path, operation="evaluate an expression", cause=cause)
