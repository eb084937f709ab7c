"""Tell people, and go on unless one of them objects in time.

The one place where silence lets a mission go on: the language refuses it where anything could follow that acts.
"""

from contracts.definition import ReviewStep
from contracts.step import ABORT
from contracts.view import MissionState
from workflows.interpreter.ask import Question, ask
from workflows.interpreter.ending import MissionEnded
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope

WORDS = {"approved": "approved", "rejected": "objected", "timed_out": "unopposed"}


async def run_review(step: ReviewStep, path: str, scope: Scope) -> Outcome:
    """Open the review for its time; an approval ends it early, an objection goes where the definition points."""
    review = step.review
    question = Question(
        kind="review",
        message=scope.text(review.message, path) or step.step.replace("_", " "),
        rungs=((review.reviewers, review.timeout),),
        context=scope.context(review.context, path),
    )
    answer = await ask(question, path, scope)
    objected = answer.decided == "rejected"
    output = {
        "objected": objected,
        "decision": WORDS[answer.decided],
        "by": list(answer.by),
        "comment": answer.comment,
    }
    if objected and review.on_object == ABORT:
        raise MissionEnded(MissionState.REFUSED, f"{path} met an objection: {answer.comment}")
    if objected:
        await scope.run_target(review.on_object, path, scope)
    return Outcome(output=output, kept=output)
