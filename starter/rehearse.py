"""`gonogo rehearse`: play missions against their scripts: no server, no network, no waiting. The play is `rehearsal/`.

A rehearsal that comes out as expected is one line; one that does not tells its story and the differences.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.lint import workspace_of
from starter.options import Json
from starter.output import console, document
from starter.problem import DONE, REFUSED, Refused, Usage

if TYPE_CHECKING:
    from datetime import datetime

    from activities.policy import Policy
    from contracts.view import MissionView
    from contracts.workspace import Workspace
    from language.admitted import Ask
    from rehearsal.play import Performance
    from rehearsal.rehearse import Rehearser, Result

Paths = Annotated[
    list[Path],
    typer.Argument(metavar="PATH...", help="Rehearsals, missions, or folders of them.", show_default=False),
]
Show = Annotated[bool, typer.Option("--show", help="Tell the story of each, also of those that come out as expected.")]
Invent = Annotated[bool, typer.Option("--invent", help="Make up answers that a script leaves out.")]


def rehearse(paths: Paths, *, show: Show = False, invent: Invent = False, as_json: Json = False) -> int:
    """Play missions without a server, and compare what comes of them with what was expected."""
    files = {file: path for path in paths for file in _files(path)}
    stages: dict[Path, Rehearser] = {}
    results = []
    for file, path in files.items():
        root = workspace_of(path)
        if root not in stages:
            stages[root] = _stage(root, invents=invent)
        results.append(stages[root].rehearse(file))
        if not as_json:
            _tell(results[-1], stages[root], show=show)
    if as_json:
        document([_plain(result) for result in results])
    else:
        _sum_up(results)
    return DONE if all(result.passed for result in results) else REFUSED


def _files(path: Path) -> list[Path]:
    from rehearsal.rehearse import FOLDER, find

    if not path.exists():
        raise Usage(f"there is no {path}")
    found = list(find(path))
    if not found:
        raise Usage(f"{path} has no rehearsals; write the first as {FOLDER}/NAME.yaml beside a mission")
    return found


def _stage(root: Path, *, invents: bool) -> "Rehearser":
    from language.policies import FOLDER
    from rehearsal.rehearse import Rehearser

    workspace = _workspace(root)
    policy = _policy(root, workspace) if (root / FOLDER).is_dir() else None
    return Rehearser(workspace, invents=invents, policy=policy)


def _policy(root: Path, workspace: "Workspace") -> "Ask":
    """Return how a workspace's policies are asked. They are read once somebody plans: most missions have no planner."""

    @cache
    def policies() -> "Policy":
        from activities.people import Directory
        from activities.policy import Policy
        from language.workspace import PEOPLE

        return Policy(root, Directory(root / PEOPLE), workspace.agents, workspace.tools)

    return lambda question: policies().ask(question)


def _workspace(root: Path) -> "Workspace":
    from language.finding import Rejected
    from language.workspace import load_workspace

    try:
        return load_workspace(root)
    except Rejected as error:
        raise Refused(f"nothing can be rehearsed; the workspace is refused:\n{error}") from None


def _tell(result: "Result", stage: "Rehearser", *, show: bool) -> None:
    from rich.text import Text

    from starter.escape import visible

    out = console()
    sign = Text("● ", "green") if result.passed else Text("✖ ", "bold red")
    line = sign.append(visible(str(result.file)), "default")
    if result.script:
        line.append(f"  {visible(result.script.description)}", "dim")
    out.print(line, soft_wrap=True)
    if result.came and (show or not result.passed):
        out.print(_story(result, stage))
    for finding in result.findings:
        out.print(Text(f"  {visible(str(finding))}", "red"), soft_wrap=True)
    for difference in result.differences:
        out.print(Text(f"  {visible(str(difference))}", "red"), soft_wrap=True)


def _story(result: "Result", stage: "Rehearser") -> Any:
    """Return the timeline. It is played once more, since only who looks on sees it in its order."""
    from rich.console import Group

    from starter import render
    from starter.timeline import Line, Timeline

    timeline, lines = Timeline(), list[Line]()

    def watch(view: "MissionView", now: "datetime") -> None:
        # Whoever looks at each change sees everything in the moment in which it happens.
        lines.extend(replace(line, at=now) for line in timeline.news(view))

    played = stage.rehearse(result.file, watch).came
    if played is None:
        return ""
    width = max((len(record.path) for record in played.view.records), default=0)
    began = played.view.started_at or lines[0].at
    return Group(*(render.line(line, began, width) for line in lines), render.ending(played.view))


def _sum_up(results: "list[Result]") -> None:
    failed = sum(not result.passed for result in results)
    count = f"{len(results)} rehearsal{'' if len(results) == 1 else 's'}"
    how = f", {failed} not as expected" if failed else ", as expected"
    console().print(count + how, style="bold red" if failed else "dim")


def _plain(result: "Result") -> dict[str, Any]:
    """Return a result as programs read it."""
    from starter.lint import plain_finding

    return {
        "file": str(result.file),
        "description": result.script.description if result.script else "",
        "passed": result.passed,
        "findings": [plain_finding(finding) for finding in result.findings],
        "differences": [
            {"what": one.what, "expected": one.expected, "came": one.came, "told": str(one)}
            for one in result.differences
        ],
        "came": _came(result.came) if result.came else None,
    }


def _came(came: "Performance") -> dict[str, Any]:
    view = came.view
    return {
        "state": view.state,
        "verdict": view.verdict,
        "reason": view.reason,
        "stalled": came.stalled,
        "steps": {record.path: record.status for record in view.records},
        "acts": [
            {
                "at": act.at.isoformat(),
                "tool": act.tool,
                "path": act.path,
                "undoes": act.undoes,
                "arguments": act.arguments,
                "applied": act.applied,
            }
            for act in came.acts
        ],
        "asked": [{"at": one.subject.step, "asked": one.subject.approvers} for one in came.asked],
        "spent": view.spent,
    }
