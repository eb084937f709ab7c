"""Ask people for a value: to do an agent's step, or to answer what an agent asks. Whoever answers first is heard.

The law: an answer is data that fits a schema, and it approves nothing. Silence is no answer: at the deadline the step
fails as `unanswered`, and one who declines fails it as `refused`. The opening is `ask.py`'s; who may answer, and
whether the answer fits, is judged in `activities/identity.py`.
"""

import asyncio
from datetime import timedelta
from typing import Any

from contracts.call import AgentCall
from contracts.duration import show_duration
from contracts.mind import PeopleAgent
from contracts.record import Failure
from contracts.step import UNANSWERED
from workflows.interpreter.ask import Question, put
from workflows.interpreter.ending import StepFailed
from workflows.interpreter.scope import Scope
from workflows.interpreter.terms import Terms

OPERATORS = "what operators said"
"""Where people see it in the context: no variable has such a name."""
ANYBODY = Terms(excluded=())
"""Who asked for the mission may answer too: nothing is allowed by that."""


async def done_by_people(call: AgentCall, agent: PeopleAgent, span: timedelta, scope: Scope) -> Any:
    """Return what people answer to a step's task."""
    context = {**({OPERATORS: list(call.guidance)} if call.guidance else {}), **call.context}
    question = Question(
        kind="task",
        message=call.task,
        rungs=((agent.by, span),),
        context=context,
        terms=ANYBODY,
        input_schema=agent.output,
    )
    return await answered(question, call, scope)


async def answered(question: Question, call: AgentCall, scope: Scope) -> Any:
    """Return what people answer to a question at an agent's step. `StepFailed` where nobody does."""
    try:
        answer = await put(question, call.path, scope)
    except asyncio.CancelledError:
        scope.gates.close(call.path)
        raise
    scope.journal.update(call.path, status="running")
    if answer.decided == "answered":
        return answer.said
    who, span = question.rungs[0]
    if answer.decided == "timed_out":
        asked = f"{' or '.join(who)}{f' for {show_duration(span)}' if span else ''}"
        code, cause = UNANSWERED, f"nobody answered in time; asked were {asked}"
    else:
        code, cause = "refused", f"{' and '.join(answer.by)} declined{f': {answer.comment}' if answer.comment else ''}"
    raise StepFailed(Failure(code=code, step=call.path, actor=call.name, operation="have an answer", cause=cause))
