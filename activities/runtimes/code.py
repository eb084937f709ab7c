"""The runtime `code`: a Python callable that the workspace names. `contracts/agent.py` is its other half."""

import asyncio
import inspect
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import Any

from temporalio.exceptions import ApplicationError

from activities.failure import explained, failure
from activities.mcp_tools import ToolFailed
from activities.runtimes.runtime import Work
from activities.toolbox import WaitingTools
from contracts.agent import AskLater, Escalate

THREADS = ThreadPoolExecutor(max_workers=100, thread_name_prefix="agent")


class CodeRuntime:
    """Runs one callable, awaited or in a thread."""

    def __init__(self, place: str) -> None:
        self._place = place

    async def answer(self, work: Work) -> Any:
        """Run the code and turn whatever it raises into a failure with one clear sentence."""
        call, observe = work.call, work.notebook.observe
        code = _callable(call.name, self._place)
        try:
            if inspect.iscoroutinefunction(code) or inspect.iscoroutinefunction(type(code).__call__):
                return await code(call, work.tools, observe)
            return await _in_a_thread(code, call, WaitingTools(work.tools), observe)
        except ToolFailed as failed:
            raise failure(failed.code, f"{call.name}: {failed}", "no", final=failed.final, after=failed.after) from None
        except Escalate:
            raise
        except AskLater as later:
            after = timedelta(seconds=max(0.0, later.seconds))
            raise failure("rate_limited", f"{call.name}: {later}", after=after) from None
        except PermissionError as error:
            raise failure("refused", f"{call.name} was refused: {error}") from None
        except ApplicationError as error:
            if error.type == "halted":  # Only a worker says so, of what it would not begin.
                raise failure("tool_failed", f"{call.name} failed: {error.message}") from None
            raise
        except (Exception, SystemExit) as error:
            raise failure("tool_failed", f"{call.name} failed: {explained(error)}") from None


def _callable(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    try:
        work = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise failure("not_found", f"{name}: {place} cannot be loaded: {explained(error)}") from None
    if not callable(work):
        raise failure("not_found", f"{name}: {place} cannot be called")
    return work


async def _in_a_thread(work: Any, *arguments: Any) -> Any:
    """Run a plain function with the activity's context, in a pool that no slow agent can block for the others."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(THREADS, partial(copy_context().run, work, *arguments))
