"""Expressions: each compiles, is within its bounds, and names only what exists somewhere in the mission."""

from collections.abc import Iterator

from contracts.canary import STAGE
from contracts.definition import CanaryStep, MapStep
from contracts.workspace import Workspace
from language.cel_compile import ExpressionError, compile_expression
from language.cel_tree import Node
from language.draft import Draft
from language.expression import problems
from language.finding import Finding
from language.name import BUILT_IN_VARIABLES
from language.sites import Site, sites, verdict_sites


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:  # noqa: ARG001 (every check has these arguments)
    """Find expressions that cannot be evaluated, each mistake with its place."""
    known = variables(draft) | BUILT_IN_VARIABLES
    for step in draft.steps():
        for site in sites(step, draft):
            yield from mistakes(site, known)
    for site in verdict_sites(draft):
        yield from mistakes(site, known)
        yield from impossible_verdict(site, draft)


def variables(draft: Draft) -> frozenset[str]:
    """Return every variable that a mission ever has: its inputs, and the outputs of its steps."""
    properties = draft.definition.inputs.get("properties")
    inputs = properties if isinstance(properties, dict) else {}
    items = (step.map.as_ for step in draft.steps() if isinstance(step, MapStep))
    stage = (STAGE for step in draft.steps() if isinstance(step, CanaryStep))
    return frozenset((*inputs, *items, *stage, *(step.output for step in draft.steps() if step.output)))


def mistakes(site: Site, known: frozenset[str]) -> Iterator[Finding]:
    if site.broken:
        yield Finding("EXPRESSION", site.broken, site.place(), "close it with '}}'")
        return
    for problem in problems(site.source, known):
        code = "UNKNOWN_VARIABLE" if problem.message.startswith("unknown variable") else "EXPRESSION"
        message, _, mend = problem.message.partition("; ")
        yield Finding(code, message, site.place(problem.line, problem.column), mend)


def impossible_verdict(site: Site, draft: Draft) -> Iterator[Finding]:
    """Find texts that the verdict's expression may answer and the mission does not declare."""
    try:
        root = compile_expression(site.source).tree.root
    except ExpressionError:
        return
    declared = draft.definition.verdict.one_of
    for text in answers(root):
        if text not in declared:
            message = f"the verdict may be '{text}', which 'one_of' does not name"
            yield Finding("BAD_VERDICT", message, site.place(), f"one of: {', '.join(declared)}")


def answers(node: Node) -> Iterator[str]:
    """Yield the texts that an expression may answer, as far as they are written in it."""
    if node.kind == "const":
        yield from [] if node.text is None else [node.text]
    elif node.kind == "call" and node.name == "_?_:_":
        for part in node.parts[1:]:
            yield from answers(part)
