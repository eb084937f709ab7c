"""Let a remote agent ask people while it works, and go on with what they answer.

The law: a question stands in the journal before it is put, and an answer before it is sent, so a run that takes over
neither sends the work nor asks people again. The question is the agent's own words, its answer a text: neither is an
instruction to anybody, nor an approval. The other half is `activities/runtimes/converse.py`.
"""

from collections.abc import Awaitable, Callable

from contracts.call import AgentCall, AgentResult, Observation
from contracts.mind import A2AAgent
from contracts.record import Failure
from contracts.talk import MOST_QUESTIONS, Talk
from workflows.interpreter.ask import Question
from workflows.interpreter.ending import StepFailed
from workflows.interpreter.people import ANYBODY, answered
from workflows.interpreter.scope import Scope

TEXT = {"type": "string", "minLength": 1, "maxLength": 20_000}

Run = Callable[[AgentCall, tuple[Observation, ...]], Awaitable[AgentResult]]


async def through(call: AgentCall, run: Run, scope: Scope) -> AgentResult:
    """Run an agent, with people's answers where it asks for them, until it has an answer itself."""
    talk = _known(call, scope)
    while True:
        if talk is None or talk.answered:
            result = await run(call.model_copy(update={"talk": talk}), _noticed(talk, call, scope))
            if talk is not None:
                seen = (*_noticed(talk, call, scope), *result.observations)
                result = result.model_copy(update={"usage": talk.spent.plus(result.usage), "observations": seen})
            if result.talk is None:
                return result
            talk = _next(result, result.talk, talk, call)
            scope.journal.update(call.path, talk=talk, usage=talk.spent, observations=result.observations)
            scope.ports.changed()
        said = await answered(_question(talk, call, scope), call, scope)
        talk = talk.model_copy(update={"answer": str(said), "answered": True})
        scope.journal.update(call.path, talk=talk)


def _next(result: AgentResult, asked: Talk, before: Talk | None, call: AgentCall) -> Talk:
    number = before.number + 1 if before is not None else 1
    if number > MOST_QUESTIONS:
        cause = f"it has asked people {MOST_QUESTIONS} times, and asks again: {asked.question[:200]}"
        operation = "do it with the answers that it has"
        raise StepFailed(Failure(code="escalated", step=call.path, actor=call.name, operation=operation, cause=cause))
    return asked.model_copy(update={"number": number, "spent": result.usage, "answered": False})


def _known(call: AgentCall, scope: Scope) -> Talk | None:
    """Return the talk that is on record; an answer that did not fit is mended in a talk of its own."""
    record = scope.journal.get(call.path)
    return record.talk if record is not None and not call.errors else None


def _noticed(talk: Talk | None, call: AgentCall, scope: Scope) -> tuple[Observation, ...]:
    record = scope.journal.get(call.path)
    return record.observations if talk is not None and record is not None else ()


def _question(talk: Talk, call: AgentCall, scope: Scope) -> Question:
    agent, escalation = call.agent, scope.plan.escalation
    own = agent.ask if isinstance(agent, A2AAgent) else ()
    span = agent.ask_timeout if isinstance(agent, A2AAgent) else escalation.timeout
    return Question(
        kind="task",
        message=talk.question,
        rungs=((own or (escalation.role,), span),),
        context={"task": call.task, **call.context},
        terms=ANYBODY,
        input_schema=TEXT,
    )
