"""What the failure of an activity means to the interpreter. `activities/failure.py` makes what is read here."""

from collections.abc import Mapping
from typing import Any

from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.exceptions import TimeoutError as ActivityTimeout

from contracts.halt import HALTED, RESUME, Halt
from contracts.observation import observed
from contracts.usage import billed
from workflows.interpreter.ending import OUTDATED, Applied, EffectFailed
from workflows.interpreter.halted import Halted
from workflows.interpreter.ports import Effort

LEFT: dict[str, Any] = {"observations": observed, "usage": billed}
"""What an attempt leaves that came to nothing, in the details of its failure or of its last heartbeat."""


def translated(error: ActivityError, effort: Effort) -> EffectFailed | Halted:
    """Return what an activity's failure means: that the effect failed, or that it was not begun."""
    cause, most = error.cause, effort.retry.attempts
    attempts = f"at most {most} attempts"
    if isinstance(cause, ApplicationError):
        details = cause.details[0] if cause.details and isinstance(cause.details[0], dict) else {}
        applied: Applied = "no" if details.get("applied") == "no" else "unknown"
        if details.get("applied") == "yes":
            applied = "yes"
        if cause.type == HALTED:
            return _halted(details, applied)
        tried = details.get("tried") or attempts
        number = int(details.get("attempt", 1 if cause.non_retryable else most))
        code, over = cause.type or "failed", str(details.get("over", ""))
        told: dict[str, Any] = {"tried": str(tried), "over": over}
        if code == OUTDATED:
            people = details.get("people")
            told |= {
                "governance": str(details.get("governance", "")),
                "people": people if isinstance(people, int) else 0,
            }
        told |= {name: read(cause.details) for name, read in LEFT.items()}
        return EffectFailed(code, cause.message, applied=applied, attempts=number, **told)
    if isinstance(cause, ActivityTimeout):
        kind = cause.type.name.lower().replace("_", " ") if cause.type else "a"
        said = f"no answer within {effort.timeout} ({kind} timeout)"
        left = {name: read(cause.last_heartbeat_details) for name, read in LEFT.items()}
        return EffectFailed("timed_out", said, tried=attempts, attempts=most, **left)
    return EffectFailed("failed", str(cause or error), tried=attempts, attempts=most)


def _halted(details: Mapping[str, Any], applied: Applied) -> Halted:
    """Return what a refusal to begin says. What cannot be read of it is left out: the next refusal says it again."""
    try:
        halts = tuple(Halt.model_validate(one) for one in details.get("halts", ()))
        spent = max(0, int(details.get("spent", 0)))
    except (TypeError, ValueError):
        halts, spent = (), 0
    return Halted(halts, applied, spent, str(details.get(RESUME, "")))
