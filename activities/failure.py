"""How an activity fails: one clear sentence, a code, and whether the world was changed.

Law: `applied` is `no` only when the effect surely did not happen. What trying again cannot mend is never tried again;
the rest waits longer each time, with jitter, so that many who failed together do not come back together.
`workflows/ports.py` reads what is raised here.
"""

from datetime import timedelta
from random import SystemRandom
from typing import Any, Literal

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

Code = Literal[
    "bad_input",
    "refused",
    "not_found",
    "over_budget",
    "halted",
    "outdated",
    "unavailable",
    "rate_limited",
    "timed_out",
    "tool_failed",
]
Applied = Literal["no", "yes", "unknown"]

FINAL: frozenset[Code] = frozenset({"bad_input", "refused", "not_found", "over_budget", "halted", "outdated"})
LONGEST = 1_000
LATEST = timedelta(hours=1)
"""The longest wait that somebody else may ask for: an attempt that is further off is none."""
DICE = SystemRandom()


def failure(
    code: Code,
    sentence: str,
    applied: Applied = "no",
    *,
    final: bool = False,
    after: timedelta | None = None,
    **details: Any,
) -> ApplicationError:
    """Return the error to raise. `final` forbids another attempt where the code would allow it; none before `after`."""
    final = final or code in FINAL or (after is not None and after > LATEST)
    if after:
        details["after"] = after.total_seconds()
    return ApplicationError(
        sentence[:LONGEST],
        {"applied": applied, "tried": _tried(), "attempt": activity.info().attempt, **details},
        type=code,
        non_retryable=final,
        next_retry_delay=None if final else _delay(after or timedelta()),
        # What is halted goes on later, and what is outdated is asked again: no fault, and so no alarm.
        category=ApplicationErrorCategory.BENIGN
        if code in {"halted", "outdated"}
        else ApplicationErrorCategory.UNSPECIFIED,
    )


def adding(error: ApplicationError, more: dict[str, Any]) -> ApplicationError:
    """Return a failure that takes more along."""
    first = error.details[0] if error.details and isinstance(error.details[0], dict) else {}
    return ApplicationError(
        error.message,
        {**first, **more},
        *error.details[1:],
        type=error.type,
        non_retryable=error.non_retryable,
        next_retry_delay=error.next_retry_delay,
        category=error.category,
    )


def explained(error: BaseException) -> str:
    """Return a stranger's exception as a clause: its kind and the first line of what it says."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


def _tried() -> str:
    info = activity.info()
    most = info.retry_policy.maximum_attempts if info.retry_policy else 0
    return f"attempt {info.attempt} of {most}" if most else f"attempt {info.attempt}"


def _delay(after: timedelta) -> timedelta | None:
    """Return what was asked for and the policy's backoff for this attempt, this shortened at random by up to a half."""
    info = activity.info()
    policy = info.retry_policy
    if policy is None:
        return after or None
    most = policy.maximum_interval or policy.initial_interval * 100
    growth = min(policy.backoff_coefficient ** min(info.attempt - 1, 64), most / policy.initial_interval)
    return after + policy.initial_interval * growth * DICE.uniform(0.5, 1.0)
