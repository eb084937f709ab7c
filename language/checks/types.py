"""Types: every field that is read can be there, and what is brought together goes together.

The other halves: `language/types` knows what variables and expressions may be; `checks/arguments.py` has those
arguments that no expression makes.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from contracts.definition import (
    ActionStep,
    CanaryStep,
    ConditionStep,
    LoopStep,
    MapStep,
    MissionStep,
    RaceStep,
    Step,
    WaitStep,
)
from contracts.workspace import Workspace
from language.cel_compile import ExpressionError, compile_expression
from language.checks.missions import inputs_of
from language.draft import Draft
from language.expression import position, split_template
from language.finding import Finding
from language.sites import Site, When, sites, verdict_sites, whole
from language.types.infer import Mistake, infer
from language.types.kind import BOOL, TEXT, Type, union
from language.types.output import Outputs, local_types
from language.types.schema import schema_type
from language.yaml_source import Value

Variables = Mapping[str, Type]
LIST = frozenset({"list"})


def check(draft: Draft, workspace: Workspace) -> Iterator[Finding]:
    """Find expressions that can never work, and answers that are never what is asked for."""
    outputs = Outputs(draft, workspace)
    variables = outputs.variables()
    for step in draft.steps():
        for site in sites(step, draft):
            yield from mistakes(site, local_types(variables, step, site.when, outputs))
        for demand in demands(step, draft):
            yield from no_answer(demand, local_types(variables, step, demand.when, outputs))
        if isinstance(step, ActionStep):
            yield from arguments(step, draft, workspace, outputs, variables)
        if isinstance(step, MissionStep) and step.with_ and (family := draft.family(step)):
            yield from misfits(draft.value(step, "with"), schema_type(inputs_of(family[0])), "with", variables)
    for site in verdict_sites(draft):
        yield from mistakes(site, variables)
        yield from no_verdict(site, draft, variables)


class Demand(NamedTuple):
    """An expression that must answer something of a kind, by the key that holds it."""

    key: str
    value: Value
    wanted: frozenset[str]
    words: str
    mend: str
    when: When = "before"


def question(key: str, value: Value, when: When = "before") -> Demand:
    return Demand(key, value, BOOL.kinds, "true or false", "compare it with something", when)


def demands(step: Step, draft: Draft) -> Iterator[Demand]:
    """Yield the expressions of a step of which one kind of answer is asked."""
    if step.when:
        yield question("when", draft.value(step, "when"))
    match step:
        case ConditionStep():
            yield question("if", draft.value(step, "condition", "if"))
        case LoopStep():
            yield question("until", draft.value(step, "loop", "until"), "iterating")
        case RaceStep() if step.good is not None:
            yield question("good", draft.value(step, "good"), "answered")
        case CanaryStep():
            yield question("healthy", draft.value(step, "canary", "healthy"), "answered")
        case MapStep():
            yield Demand("over", draft.value(step, "map", "over"), LIST, "a list", "name a list")
            if step.map.key is not None:
                yield Demand("key", draft.value(step, "map", "key"), TEXT.kinds, "a text", "use string(…)", "each")
        case WaitStep() if step.wait.until is not None:
            words, mend = "a moment as text", "write it as '2026-01-31T09:00:00Z'"
            yield Demand("until", draft.value(step, "wait", "until"), TEXT.kinds, words, mend)
        case _:
            return


def inferred(source: str, variables: Variables) -> tuple[Type, list[Mistake]]:
    """Return what an expression may answer, and its mistakes. One that cannot be compiled is found elsewhere."""
    try:
        return infer(compile_expression(source).tree, variables)
    except ExpressionError:
        return Type(frozenset()), []


def mistakes(site: Site, variables: Variables) -> Iterator[Finding]:
    for mistake in inferred(site.source, variables)[1] if site.source else ():
        place = site.place(*position(site.source, mistake.offset))
        yield Finding(mistake.code, mistake.message, place, mistake.mend)


def no_answer(demand: Demand, variables: Variables) -> Iterator[Finding]:
    """Find expressions that never answer what is asked of them."""
    for site in whole(demand.value):
        type_, wrong = inferred(site.source, variables)
        if not wrong and not type_.may(demand.wanted):
            message = f"'{demand.key}' asks for {demand.words}, and this answers {type_.described()}"
            yield Finding("TYPE_MISMATCH", message, site.place(), demand.mend)


def no_verdict(site: Site, draft: Draft, variables: Variables) -> Iterator[Finding]:
    """Find verdicts that are never a text, or none of the declared ones."""
    type_, wrong = inferred(site.source, variables)
    declared = draft.definition.verdict.one_of
    mend = f"one of: {', '.join(declared)}"
    if not wrong and not type_.may(TEXT.kinds):
        yield Finding("BAD_VERDICT", f"the verdict is a text, and this answers {type_.described()}", site.place(), mend)
    elif not wrong and type_.words and type_.kinds == TEXT.kinds and type_.words.isdisjoint(declared):
        known = compile_expression(site.source).tree.root
        if known.kind == "select":
            answers = ", ".join(sorted(type_.words))
            message = f"the verdict is none of those declared: this answers {answers}"
            yield Finding("BAD_VERDICT", message, site.place(), mend)


def arguments(
    step: ActionStep, draft: Draft, workspace: Workspace, outputs: Outputs, variables: Variables
) -> Iterator[Finding]:
    """Find arguments whose expressions never answer what the tool takes."""
    if step.action in workspace.tools and step.with_:
        wanted = schema_type(workspace.tools[step.action].input)
        known = local_types(variables, step, "before", outputs)
        yield from misfits(draft.value(step, "with"), wanted, "with", known)
    undo = step.compensate
    if undo and undo.with_ and undo.tool in workspace.tools:
        wanted = schema_type(workspace.tools[undo.tool].input)
        known = local_types(variables, step, "undoing", outputs)
        yield from misfits(draft.value(step, "compensate", "with"), wanted, "with", known)


def misfits(value: Value, wanted: Type, name: str, variables: Variables) -> Iterator[Finding]:
    """Find templates in a value that never become what is wanted there."""
    match value.data:
        case dict():
            for key, inner in value.data.items():
                yield from misfits(inner, wanted.field(key) or union(()), key, variables)
        case list():
            for inner in value.data:
                yield from misfits(inner, wanted.element(), name, variables)
        case str():
            yield from misfit(value, value.data, wanted, name, variables)
        case _:
            return


def misfit(value: Value, text: str, wanted: Type, name: str, variables: Variables) -> Iterator[Finding]:
    given = rendered(text, variables)
    if given is None or not given.kinds or not wanted.kinds:
        return
    if not wanted.may(like(given.kinds)):
        message = f"the argument '{name}' is {wanted.described()}, and this is {given.described()}"
        yield Finding("BAD_ARGUMENT", message, value.place, "write what the tool's schema asks for")
    elif given.words and wanted.words and given.kinds | wanted.kinds == TEXT.kinds and not given.words & wanted.words:
        message = f"the argument '{name}' is never {' or '.join(sorted(given.words))}"
        yield Finding("BAD_ARGUMENT", message, value.place, f"one of: {', '.join(sorted(wanted.words))}")


def like(kinds: frozenset[str]) -> frozenset[str]:
    """Return the kinds that JSON may take these for: a decimal without a fraction is a whole number there."""
    return kinds | {"int", "double"} if kinds & {"int", "double", "uint"} else kinds


def rendered(text: str, variables: Variables) -> Type | None:
    """Return what a template becomes; None for a plain text and for what cannot be told."""
    try:
        parts: tuple[Any, ...] = split_template(text)
    except ExpressionError:
        return None
    if not any(part.expression for part in parts):
        return None
    if len(parts) > 1:
        return TEXT
    type_, wrong = inferred(parts[0].text, variables)
    return None if wrong else type_
