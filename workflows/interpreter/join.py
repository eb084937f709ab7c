"""Run branches at once, and come back only when every branch has.

One failure cancels the others; what they had begun reports before anybody goes on, so that the saga knows every
effect. A hand-over cancels nothing: the other branches run to their own next step.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from workflows.interpreter.ending import Suspended

T = TypeVar("T")
Branch = Callable[[], Awaitable[Any]]


async def run_all(branches: Sequence[Branch]) -> list[Any]:
    """Return the branches' results in their order, or raise the first failure when all have ended.

    `asyncio.TaskGroup` and `asyncio.wait` are not safe on replay; `gather` is.
    """
    failures: list[BaseException] = []
    tasks: list[asyncio.Task[Any]] = []

    async def guarded(branch: Branch) -> Any:
        try:
            return await branch()
        except (Suspended, asyncio.CancelledError):
            raise
        except Exception as failure:
            if not failures:
                failures.append(failure)
                for task in tasks:
                    if task is not asyncio.current_task():
                        task.cancel()
            raise

    tasks.extend(asyncio.ensure_future(guarded(branch)) for branch in branches)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    if failures:
        raise failures[0]
    for kind in (asyncio.CancelledError, Suspended):
        for result in results:
            if isinstance(result, kind):
                raise result
    return list(results)


async def see_through(work: Coroutine[Any, Any, T]) -> T:
    """See work through in a task of its own: a cancellation does not reach it. Return what came of it."""
    task = asyncio.create_task(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
    return task.result()


def halt_if_cancelled() -> None:
    """Stop a task that was asked to, even if the effect it waited for swallowed the request by ending well."""
    if is_cancelled():
        raise asyncio.CancelledError


def is_cancelled() -> bool:
    """Say whether this task was ever asked to stop."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
