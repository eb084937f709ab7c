"""Agents for tests: what a workspace could name, well-behaved and not."""

import asyncio
import sys
import threading
from typing import Any

from temporalio.exceptions import ApplicationError

from contracts.agent import AskLater, Escalate, Observe, Toolbox
from contracts.call import AgentCall

entered = asyncio.Event()
released = threading.Event()


async def answer(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    observe("looking", source="look", kind="progress")
    seen = await tools.call("look", host=call.context["host"])
    observe("it is fine", source="look")
    return {"verdict": "dismiss", "seen": seen, "asked_again_for": list(call.errors)}


def plain(call: AgentCall, tools: Any, observe: Observe) -> dict[str, Any]:
    observe("from a thread")
    return {"verdict": "dismiss", "seen": tools.call("look", host="web-01"), "thread": threading.current_thread().name}


async def worded(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    return {"verdict": "dismiss", "host": call.context["host"], "summary": "The code says so."}


async def wrong(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    return {"verdict": "shrug"}


async def unwritable(call: AgentCall, tools: Toolbox, observe: Observe) -> Any:
    return {"verdict": {1, 2}}


async def endless(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    return {"verdict": "dismiss", "text": "x" * 500_000}


async def chatty(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    for number in range(600):
        observe(f"{number} " + "x" * 5_000)
    return {"verdict": "dismiss"}


async def acting(call: AgentCall, tools: Toolbox, observe: Observe) -> Any:
    return await tools.call("isolate_host", host="web-01")


async def reaching(call: AgentCall, tools: Toolbox, observe: Observe) -> Any:
    return await tools.call("file_ticket", title="x")


async def misusing(call: AgentCall, tools: Toolbox, observe: Observe) -> Any:
    return await tools.call("look", host=7)


async def falling(call: AgentCall, tools: Toolbox, observe: Observe) -> Any:
    raise KeyError("host")


async def leaving(call: AgentCall, tools: Toolbox, observe: Observe) -> Any:
    sys.exit(3)


async def babbling(call: AgentCall, tools: Toolbox, observe: Observe) -> Any:
    observe("x", kind="shout")


async def waiting(call: AgentCall, tools: Toolbox, observe: Observe) -> Any:
    observe("waiting")
    entered.set()
    await asyncio.Event().wait()


not_callable = 7


async def careless(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    try:
        await tools.call("look", host="web-01")
    except Exception:
        observe("it goes without")
    return {"verdict": "dismiss"}


async def pretender(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    raise ApplicationError("I am halted", {"halts": []}, type="halted", non_retryable=True)


async def waiting_in_line(call: AgentCall, tools: Toolbox, observe: Observe) -> Any:
    raise AskLater("the model is busy", 90)


async def doubting(call: AgentCall, tools: Toolbox, observe: Observe) -> Any:
    observe("is that so?", kind="thought", confidence=0.4)
    raise KeyError("host")


async def sure(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    return {"verdict": "dismiss", "confidence": 0.7}


async def asking(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    raise Escalate("two hosts have this name", call.context["so_far"])


async def leaving_files(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    await tools.artifact(call.context["name"], "text/plain", "old")
    await tools.artifact(call.context["name"], "text/markdown", "# The plan")
    return {"verdict": "dismiss"}


def leaving_files_plainly(call: AgentCall, tools: Any, observe: Observe) -> dict[str, Any]:
    tools.artifact(call.context["name"], "text/markdown", b"# The plan")
    return {"verdict": "dismiss"}


async def searching(call: AgentCall, tools: Toolbox, observe: Observe) -> Any:
    return await tools.call("search_knowledge", query=call.context["query"], limit=3)
