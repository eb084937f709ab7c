"""How what goes wrong on the way to a language model fails: one sentence, and a code that says whether to try again."""

from datetime import timedelta

import httpx2
from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelRequestTimeout,
    ModelTimeoutError,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
    UserError,
)
from temporalio.exceptions import ApplicationError

from activities.failure import Code, explained, failure
from activities.mcp_tools import ToolFailed

LONGEST = 300


def fault(name: str, model: str, error: Exception) -> ApplicationError:
    """Return the failure to raise for what went wrong while an agent was thinking."""
    code, final = sorted_out(error)
    match error:
        case ApplicationError():
            return error
        case ToolFailed():
            return failure(error.code, f"{name}: {error}", "no", final=error.final, after=error.after, tool=True)
        case UsageLimitExceeded():
            return failure(code, f"{name} went as far as it may: {str(error).split('. ')[0]}", final=True)
        case ModelRateLimitError():
            after = timedelta(seconds=error.retry_after) if error.retry_after else None
            return failure(code, f"{name}: {model} wants to be asked later", after=after)
        case TimeoutError():
            return failure(code, f"{name}: {model} did not come to an answer in the time that there was")
        case ModelAPIError():
            return failure(code, f"{name}: {model}: {said(error)}", final=final)
        case _:
            return failure(code, f"{name}: {model}: {explained(error)}", final=final)


def sorted_out(error: Exception) -> tuple[Code, bool]:
    """Return the code for an error, and whether another attempt is of no use although the code would allow it."""
    match error:
        case UsageLimitExceeded():
            return "over_budget", True
        case ModelRateLimitError():
            return "rate_limited", False
        case ModelAuthenticationError():
            return "refused", True
        case ModelNotFoundError() | UserError() | ImportError():
            return "not_found", True
        case ModelQuotaExceededError():
            return "unavailable", True
        case ModelRequestRejectedError():
            return "bad_input", True
        case ModelRequestTimeout() | ModelTimeoutError() | TimeoutError():
            return "timed_out", False
        case ModelHTTPError() if error.status_code < 500:
            return "bad_input", True
        case ModelAPIError():
            return "unavailable", False
        case UnexpectedModelBehavior():
            return "tool_failed", False
        case _:
            return "tool_failed", False


def said(error: ModelAPIError) -> str:
    """Return what a provider said, without what only its programmers need."""
    words = error.message
    if isinstance(error, ModelHTTPError):
        body = error.body if isinstance(error.body, dict) else {}
        words = f"status {error.status_code}: {body.get('message') or error.body or 'no reason given'}"
    return " ".join(words.split())[:LONGEST]


def free(error: ModelAPIError) -> bool:
    """Whether a call surely cost nothing: it was turned away by a status, or never reached anybody."""
    if isinstance(error, ModelHTTPError):
        return not error.in_stream
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    return any(isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout) for cause in causes)
