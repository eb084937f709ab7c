"""`gonogo policy`: try the policies of a workspace on its table of cases, or see what they are asked.

No server and no worker is needed: policies answer by the files of the workspace alone.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import settings
from starter.options import Json
from starter.output import console, document
from starter.problem import DONE, REFUSED, Refused

if TYPE_CHECKING:
    from activities.policy import Policy
    from contracts.policy import Answer
    from language.cases import Case

verbs = typer.Typer(help="Try policies, and see what they are asked.", no_args_is_help=True)
Root = Annotated[Path | None, typer.Argument(metavar="[WORKSPACE]", help="Its folder; by default GONOGO_WORKSPACE.")]


@verbs.command("test")
def try_cases(root: Root = None, *, as_json: Json = False) -> int:
    """Ask the policies each case of policies/cases.yaml, and compare the answers."""
    from language.cases import read_cases
    from language.finding import Rejected

    root = root or settings().workspace
    try:
        cases = read_cases(root)
        policy = policy_of(root)
    except Rejected as rejected:
        raise Refused(str(rejected)) from None
    answers = [policy.ask(case.question()) for _, case in cases]
    wrong = [
        (place, case, answer) for (place, case), answer in zip(cases, answers, strict=True) if not fits(case, answer)
    ]
    if as_json:
        document([{"place": str(place), "answer": answer.model_dump(mode="json")} for place, _, answer in wrong])
        return REFUSED if wrong else DONE
    for place, case, answer in wrong:
        by = f" by {', '.join(case.policies)}" if case.policies is not None else ""
        console().print(f"{place}: expected {case.expect}{by}; {answer}", markup=False, soft_wrap=True)
    silent = sorted(set(policy.names()) - {name for answer in answers for name in answer.policies})
    if silent:
        console().print(f"no case is decided by {', '.join(silent)}", style="dim", markup=False)
    told = f"{len(wrong)} of {len(cases)} cases not as expected" if wrong else f"{len(cases)} cases, as expected"
    console().print(told, markup=False)
    return REFUSED if wrong else DONE


@verbs.command("schema")
def schema() -> int:
    """Print what policies are asked, as policies/schema.cedarschema has it."""
    from language.policies import shipped_schema

    sys.stdout.write(shipped_schema())
    return DONE


def policy_of(root: Path) -> "Policy":
    """Return the policies of a workspace, with its own people. Raises `Rejected`."""
    from activities.people import Directory
    from activities.policy import Policy
    from language.workspace import PEOPLE, load_workspace

    workspace = load_workspace(root)
    return Policy(root, Directory(root / PEOPLE), workspace.agents, workspace.tools)


def fits(case: "Case", answer: "Answer") -> bool:
    """Whether an answer is the one that a case expects."""
    named = case.policies is None or set(case.policies) == set(answer.policies)
    return answer.outcome == case.expect and named
