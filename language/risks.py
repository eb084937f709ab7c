"""Find what is wrong with `risk.yaml`: expressions that cannot answer, levels that contradict each other.

What is weighed, and by which variables, is in `language/weigh.py`.
"""

from collections.abc import Iterator
from itertools import pairwise

from contracts.risk import MOST_SCORE, RiskFile
from contracts.workspace import PeopleFile
from language.entry import bad_name, unknown
from language.expression import problems
from language.finding import Finding
from language.sites import Site
from language.weigh import VARIABLES
from language.yaml_source import Value


def check_risk(file: RiskFile, value: Value, people: PeopleFile | None) -> Iterator[Finding]:
    """Find factors and levels that cannot be meant; unread people fill any level."""
    for key in ("factors", "levels"):
        if not getattr(file, key):
            yield Finding("MISSING_KEY", f"no '{key}': nothing could be weighed", value.place, f"write '{key}: …'")
    for name, factor in file.factors.items():
        yield from bad_name("a factor", name, value.find("factors"))
        yield from _mistakes(Site(factor.value, value.find("factors", name, "value")))
    yield from _levels(file, value, people)


def _mistakes(site: Site) -> Iterator[Finding]:
    for problem in problems(site.source, VARIABLES):
        code = "UNKNOWN_VARIABLE" if problem.message.startswith("unknown variable") else "EXPRESSION"
        message, _, mend = problem.message.partition("; ")
        yield Finding(code, message, site.place(problem.line, problem.column), mend)


def _levels(file: RiskFile, value: Value, people: PeopleFile | None) -> Iterator[Finding]:
    ordered = sorted(file.levels.items(), key=lambda one: one[1].at)
    if ordered and ordered[0][1].at > 0:
        message = f"no level for a score below {ordered[0][1].at}"
        yield Finding("MISSING_KEY", message, value.place_of("levels"), "write one with 'at: 0'")
    for (lower, below), (name, level) in pairwise(ordered):
        here = value.find("levels", name)
        if level.at == below.at:
            message = f"'{lower}' and '{name}' are of the same score"
            yield Finding("BAD_VALUE", message, here.place_of("at"), f"write 0 to {MOST_SCORE}, each once")
        elif level.people < below.people:
            message = f"'{name}' is riskier than '{lower}', and asks for fewer people"
            yield Finding("BAD_VALUE", message, here.place_of("people"), f"write {below.people} or more")
    for name, level in file.levels.items():
        here = value.find("levels", name)
        yield from bad_name("a level", name, value.find("levels"))
        if people is not None:
            known = {*people.roles(), *people.people}
            for number, who in enumerate(level.approvers):
                yield from unknown("UNKNOWN_PERSON", "role or person", who, known, here.place_of("approvers", number))
            yield from _too_few(level.people, level.approvers, people, here)


def _too_few(wanted: int, approvers: tuple[str, ...], people: PeopleFile, here: Value) -> Iterator[Finding]:
    """Find a level that asks for more people than there are, where it is the one that says who is asked."""
    asked = approvers or ((people.escalation.role,) if people.escalation else ())
    able = {name for name, one in people.people.items() if name in asked or set(one.roles) & set(asked)}
    if len(able) < wanted:
        message = f"{wanted} must approve, and {len(able)} can: {', '.join(sorted(able)) or 'nobody'}"
        yield Finding("GATE_UNSATISFIABLE", message, here.place_of("people"), "lower it or name more 'approvers'")
