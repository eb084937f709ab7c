"""Canaries: whatever a stage does can be taken back, the probe only looks, and `stage` means one thing."""

from collections.abc import Iterator

from contracts.canary import STAGE
from contracts.definition import ActionStep, CanaryStep
from contracts.workspace import Tool, Workspace
from language.draft import Draft
from language.finding import Finding


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find stages that nothing takes back, probes that act, and variables that have a stage's name."""
    for step in draft.steps():
        if isinstance(step, CanaryStep):
            yield from for_good(step.canary.do, workspace.tools, draft)
            yield from acting(step.canary.probe, workspace.tools, draft)
            yield from clashing(step, draft)


def for_good(do: ActionStep, tools: dict[str, Tool], draft: Draft) -> Iterator[Finding]:
    if do.compensate is None and do.action in tools and tools[do.action].acts():
        message = f"nothing undoes '{do.action}', so a stage that goes wrong would stand"
        mend = "give the action a 'compensate' with a tool that its contract names under 'compensated_by'"
        yield draft.find("CANARY_STANDS", message, do, "action", mend=mend)


def acting(probe: object, tools: dict[str, Tool], draft: Draft) -> Iterator[Finding]:
    if isinstance(probe, ActionStep) and probe.action in tools and tools[probe.action].acts():
        message = f"'{probe.action}' changes the world, and a probe only looks"
        mend = "name a tool whose effect is 'read', or an agent"
        yield draft.find("CANARY_PROBE_ACTS", message, probe, "action", mend=mend)


def clashing(step: CanaryStep, draft: Draft) -> Iterator[Finding]:
    properties = draft.definition.inputs.get("properties")
    outputs = {other.output for other in draft.steps()}
    if STAGE in outputs | set(properties if isinstance(properties, dict) else ()):
        message = f"an input or an output is called '{STAGE}', and so is what a canary's parts see"
        yield draft.find("NAME_CLASH", message, step, "canary", mend="give the variable another name")
