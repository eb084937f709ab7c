"""Groups that people approve as a whole: everything that runs in one is known before the first action runs.

The law: what people are shown is a plain list, and it runs from its first line to its last. So such a group holds
actions alone, in order; nothing in it hangs on what happens in it. The other half is
`workflows/interpreter/together.py`.
"""

from collections.abc import Iterator

from contracts.definition import ActionStep, Definition, GroupStep, Step
from contracts.gate import MOST_TOGETHER
from contracts.step import BaseStep
from contracts.workspace import Workspace
from language.cel_compile import ExpressionError, compile_expression
from language.draft import Draft
from language.expression import position
from language.finding import Finding
from language.kind_form import WORDS
from language.sites import Site, templates
from language.steps import called_names, every_step

CODE = "GROUP_UNSETTLED"
ELSEWHERE = {"approval": "people are asked once, at the group", "when": "what people approved runs whole"}
ELSEWHERE |= {"needs": "what people approved runs in the order that they read"}
ELSEWHERE |= {"on_failure": "where one of them fails, the group has failed", "retry": "a group is tried again whole"}


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:  # noqa: ARG001 (every check has these arguments)
    """Find what could not be shown to people before the first action of a group runs."""
    called = called_names(draft.definition)
    for group in draft.steps():
        if isinstance(group, GroupStep) and group.approval is not None:
            inside = list(held(group, called))
            yield from size(group, inside, draft)
            for step in inside:
                yield from unplain(step, draft)
                yield from early(step, inside, draft)


def covered(definition: Definition) -> frozenset[int]:
    """Return the identities of the actions that the approval of a group covers."""
    called = called_names(definition)
    groups = (step for step in every_step(definition) if isinstance(step, GroupStep) and step.approval is not None)
    return frozenset(id(step) for group in groups for step in held(group, called) if isinstance(step, ActionStep))


def held(group: GroupStep, called: frozenset[str]) -> Iterator[Step]:
    """Yield what runs in a group, in order: its own steps and those of groups in it."""
    for step in group.steps:
        if step.step not in called:
            yield step
            if isinstance(step, GroupStep):
                yield from held(step, called)


def size(group: GroupStep, inside: list[Step], draft: Draft) -> Iterator[Finding]:
    count = sum(isinstance(step, ActionStep) for step in inside)
    if not count:
        mend = "leave the approval out, or write the actions into the group"
        yield draft.find(CODE, "there is no action here to approve", group, "approval", mend=mend)
    elif count > MOST_TOGETHER:
        message = (
            f"{count} actions are more than people can look at, and at most {MOST_TOGETHER} may be approved at once"
        )
        yield draft.find(CODE, message, group, "approval", mend="make two groups of it, each with its approval")


def unplain(step: Step, draft: Draft) -> Iterator[Finding]:
    """Find what makes a step more than a line of a list."""
    if not isinstance(step, ActionStep | GroupStep):
        word = WORDS.get(step.kind, "a step")
        message = f"a group that people approve as a whole holds actions, and '{step.step}' is {word}"
        yield draft.find(CODE, message, step, mend="write it before the group, or behind it")
        return
    for key, why in ELSEWHERE.items():
        usual = BaseStep.model_fields[key].get_default(call_default_factory=True) if key != "approval" else None
        if getattr(step, key) != usual and not (key == "retry" and isinstance(step, ActionStep)):
            message = f"'{key}' cannot stand inside a group that people approve as a whole: {why}"
            yield draft.find(CODE, message, step, key, mend="write it at the group, or leave it out")


def early(step: Step, inside: list[Step], draft: Draft) -> Iterator[Finding]:
    """Find arguments that only another action of the group yields."""
    if not isinstance(step, ActionStep) or not step.with_:
        return
    outputs = {other.output: other for other in inside if other.output}
    names = {other.step: other for other in inside if other.step in draft.named}
    for site in templates(draft.value(step, "with")):
        for other, offset in late_reads(site, outputs, names):
            message = f"what '{other.step}' yields is not known when people are asked for '{step.step}'"
            mend = "read what is set before the group, or give the actions approvals of their own"
            yield Finding(CODE, message, site.place(*position(site.source, offset)), mend)


def late_reads(site: Site, outputs: dict[str, Step], names: dict[str, Step]) -> Iterator[tuple[Step, int]]:
    """Yield the steps whose results an expression reads, and where in it."""
    try:
        tree = compile_expression(site.source).tree if site.source else None
    except ExpressionError:
        return
    if tree is None:
        return
    yield from ((outputs[name], offset) for name, offset in tree.first_seen.items() if name in outputs)
    for path in tree.reads.get("steps", ()):
        if path and path[0] in names:
            yield names[path[0]], tree.first_seen.get("steps", 0)
