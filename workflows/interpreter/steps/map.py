"""Run the same for each item of a list, some at once, and tolerate as many failures as the definition says.

An item that failed is abandoned, so what it did is undone before the map goes on.
"""

import asyncio
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from contracts.base import canonical
from contracts.definition import MapStep
from contracts.record import Failure
from workflows.interpreter.ending import MissionEnded, StepFailed
from workflows.interpreter.join import run_all
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope
from workflows.interpreter.undo import undo_below

MOST_ITEMS = 10_000
MOST_SHOWN = 100
"""Items of which every step inside stays in the journal. In larger maps only what may have to be undone does."""
KEY = re.compile(r"[A-Za-z0-9_.:@-]{1,80}")


@dataclass
class Item:
    """One item: its place in the list, the name of its path, its value."""

    index: int
    key: str
    path: str
    value: Any


async def run_map(step: MapStep, path: str, scope: Scope) -> Outcome:
    """Run every item; return the results in the order of the list."""
    items = _items(step, path, scope)
    allowed = max(step.map.tolerate, int(step.map.tolerate_share * len(items)))
    left = iter(items)

    async def work() -> None:
        for item in left:
            if scope.journal.settled(item.path) is None:
                await _run(item, step, path, allowed, scope)
                if len(items) > MOST_SHOWN:
                    scope.journal.fold(item.path, item.path)

    await run_all([work] * min(step.map.max_concurrency, len(items)))
    output = _gathered(items, scope)
    if len(items) > MOST_SHOWN:
        for item in items:
            scope.journal.drop(item.path, path)
    return Outcome(output=output, kept=output)


def _gathered(items: list[Item], scope: Scope) -> dict[str, Any]:
    results: list[Any] = []
    failures: list[dict[str, Any]] = []
    for item in items:
        record = scope.journal.get(item.path)
        results.append(record.output if record is not None else None)
        if record is not None and record.failure is not None:
            why = {"code": record.failure.code, "cause": record.failure.cause}
            failures.append({"index": item.index, "key": item.key, **why})
    return {"results": results, "failures": failures}


async def _run(item: Item, step: MapStep, path: str, allowed: int, scope: Scope) -> None:
    """Run one item. Where it fails and may, undo what it did."""
    await scope.begin_effect(item.path)
    scope.journal.start(item.path, "item", "", scope.ports.now())
    record = scope.journal.get(item.path)
    failure, output = record.failure if record is not None else None, None
    try:
        if failure is None:
            inner = scope.apart(**{step.map.as_: item.value, "index": item.index})
            output = await scope.run_target(step.map.do, item.path, inner)
    except StepFailed as failed:
        failure = failed.failure
        scope.journal.update(item.path, failure=failure)
    except (asyncio.CancelledError, MissionEnded):
        scope.journal.finish(item.path, "cancelled", scope.ports.now())
        raise
    if failure is not None:
        _demand_tolerable(item, step, path, allowed, scope)
        await undo_below(item.path, scope)
    scope.journal.finish(item.path, "recovered" if failure else "succeeded", scope.ports.now(), output=output)
    scope.ports.changed()


def _demand_tolerable(item: Item, step: MapStep, path: str, allowed: int, scope: Scope) -> None:
    """Fail the map when more items have failed than it tolerates."""
    prefix = f"{path}["
    of_mine = (one for one in scope.journal.records() if one.kind == "item" and one.path.startswith(prefix))
    failures = [one.failure for one in of_mine if one.failure is not None]
    if len(failures) <= allowed:
        return
    scope.journal.finish(item.path, "failed", scope.ports.now())
    if not step.map.tolerate and not step.map.tolerate_share:
        raise StepFailed(failures[-1])
    cause = f"{len(failures)} of its items failed, and {allowed} may; the last: {failures[-1]}"
    raise StepFailed(Failure(code="too_many_failed", step=path, operation="run each item", cause=cause))


def _items(step: MapStep, path: str, scope: Scope) -> list[Item]:
    """Return the items. The list is answered once: what items change must not change it."""
    record = scope.journal.get(path)
    if record is None or record.output is None:
        answer = _listed(scope.evaluate(step.map.over, path), path)
        keys = [_key(step, path, index, value, scope) for index, value in enumerate(answer)]
        for key, times in Counter(keys).items():
            if times > 1:
                raise _bad(path, f"{times} items have the key {key!r}; make `key` tell them apart")
        scope.journal.update(path, output={"items": answer, "keys": keys})
    else:
        answer, keys = record.output["items"], record.output["keys"]
    return [
        Item(index, key, f"{path}[{key}]", value) for index, (key, value) in enumerate(zip(keys, answer, strict=True))
    ]


def _listed(answer: Any, path: str) -> list[Any]:
    if not isinstance(answer, list):
        raise _bad(path, f"`over` gave {canonical(answer).decode()[:100]}, which is no list")
    if len(answer) > MOST_ITEMS:
        raise _bad(path, f"`over` gave {len(answer)} items; at most {MOST_ITEMS} are allowed")
    return answer


def _key(step: MapStep, path: str, index: int, value: Any, scope: Scope) -> str:
    if step.map.key is None:
        return str(index)
    key = scope.inside(**{step.map.as_: value, "index": index}).evaluate(step.map.key, path)
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise _bad(path, f"the key {str(key)[:100]!r} of item {index} is no text of letters, digits, and any of _.:@-")
    return key


def _bad(path: str, cause: str) -> StepFailed:
    return StepFailed(Failure(code="bad_input", step=path, operation="list its items", cause=cause))
