"""Whether a call is of the plan that people approved: the executor's own check, trusting no mission.

Law: the steps that come with a call are those whose digest people signed, and the call lies below the step that was
planned. A call that none of these steps makes is refused; one that a step makes otherwise than it was shown is not
what they approved.
"""

import re
from typing import Any

from pydantic import ValidationError

from activities.statement import Refusal, show
from contracts.base import canonical
from contracts.call import AgentCall, Assent, ToolCall
from contracts.definition import ActionStep, AgentStep, Compensation, PartyStep, Step
from contracts.planned import LoadedPlan
from contracts.planning import STEPS
from language.expression import template_expressions
from language.named import named_by
from language.planned import digest_of
from language.steps import walk

ASKED = re.compile(r"(?P<around>.+)/plan\[\d+\](/@admission(\[\d+\])?)?")
"""Where people are asked about a plan: at its own gate, or where policy has them asked."""


def approved_so(call: AgentCall | ToolCall, assent: Assent) -> bool:
    """Whether a call is as the plan shows it. Raises `Refusal` where the plan, or the call, is another."""
    subject = assent.grant.subject
    found = ASKED.fullmatch(subject.step)
    if found is None or subject.kind != "approval" or subject.acts():
        raise Refusal("what people approved is no plan that policy wanted approved")
    try:
        steps = LoadedPlan.model_validate({"id": subject.step, STEPS: assent.steps}).steps
    except ValidationError:
        raise Refusal("the plan that people approved cannot be read here") from None
    if digest_of(assent.steps, steps) != subject.planned:
        raise Refusal("the plan is not the one that people approved")
    around = f"{found['around']}/"
    passed = {part.partition("[")[0].partition("#")[0] for part in call.path.removeprefix(around).split("/")}
    making = [step for step in walk(steps) if step.step in passed and _makes(step, call)]
    if not call.path.startswith(around) or not making:
        raise Refusal(f"{show(call.path)} is no step of the plan that people approved at {show(subject.step)}")
    return any(_as_shown(step, call) for step in making)


def _makes(step: Step, call: AgentCall | ToolCall) -> bool:
    """Whether a step runs an agent, or uses a tool, so that the call may be its."""
    if isinstance(call, AgentCall):
        return call.name in named_by([step])[0]
    undo = step.compensate.tool if isinstance(step, ActionStep) and step.compensate is not None else None
    acts = step.action if isinstance(step, ActionStep) else None
    return (acts, undo) == (call.undoes, call.tool) if call.undoes else acts == call.tool


def _as_shown(step: Step, call: AgentCall | ToolCall) -> bool:
    """Whether a call says what its step says, where that hangs on nothing that was known only later."""
    match step, call:
        case AgentStep(), AgentCall() if call.name != step.watch:
            return _fits(step.task, call.task)
        case PartyStep(), AgentCall():
            return _fits(step.party.topic, call.task)
        case ActionStep(compensate=Compensation(with_=written)), ToolCall() if call.undoes:
            # Without arguments of its own it gets those of the action, and of what the action came to.
            shared = {name: value for name, value in step.with_.items() if name in call.arguments}
            return _fits(shared if written is None else written, call.arguments, beside=written is None)
        case ActionStep(), ToolCall():
            return _fits(step.with_, call.arguments)
        case _:
            return True


def _fits(written: Any, given: Any, *, beside: bool = False) -> bool:
    """Whether a value is what was written of it; `beside` that it may have more."""
    match written:
        case dict():
            same = isinstance(given, dict) and (written.keys() == given.keys() or beside)
            return same and all(_fits(value, given[name]) for name, value in written.items())
        case list() | tuple():
            same = isinstance(given, list | tuple) and len(written) == len(given)
            return same and all(_fits(*pair) for pair in zip(written, given, strict=True))
        case str() if template_expressions(written):
            return True
        case _:
            return canonical(written) == canonical(given)
