"""Agents that say one secret everywhere that an agent can: each channel has its own word, made from the mission's."""

import logging
from typing import Any

from opentelemetry import metrics, trace
from temporalio import activity

from contracts.agent import AgentCall, Observe, Toolbox

logger = logging.getLogger("leaks")


async def leaky(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Notice, leave, log, measure and answer secrets."""
    word = call.context["word"]
    observe(f"{word}-observation", f"{word}-source", "finding")
    await tools.artifact(f"{word}-artifact-name.txt", "text/plain", f"{word}-artifact-content")
    logger.warning("%s-log", word)
    activity.logger.warning("%s-activity-log", word)
    with trace.get_tracer("leaks").start_as_current_span(f"{word}-span", attributes={"said": f"{word}-attribute"}):
        trace.get_current_span().add_event(f"{word}-span-event")
    metrics.get_meter("leaks").create_counter("asked").add(1, {"said": f"{word}-metric"})
    activity.metric_meter().create_counter("leaks_asked").add(1, {"said": f"{word}-sdk-metric"})
    return {"said": f"{word}-output"}


async def large(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Answer more than a history takes."""
    del tools, observe
    return {"said": f"{call.context['word']}-large " * 5_000}


async def raising(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Fail with a secret, with another as its cause, out of code that is called by a third; log it all."""
    del tools, observe
    word = call.context["word"]
    try:
        exec(compile("raise KeyError(word + '-cause')", f"{word}-stack-trace", "exec"), {"word": word})
    except KeyError as cause:
        logger.exception("it went wrong")
        raise ValueError(f"{word}-exception") from cause


async def asking(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Ask who repeats the credential that came with the question."""
    observe("asking", "vendor", "progress")
    return {"said": await tools.call("vendor_record", name=call.context["word"])}


async def quoting(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Say what was given, as a prompt would have it."""
    del tools
    observe(str(call.context), "given", "finding")
    return {"said": str(call.context)}


async def naming(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Answer what is sensitive, and what items are called by."""
    del tools, observe
    return {"names": [f"{call.context['word']}-named"]}
