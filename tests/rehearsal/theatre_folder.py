"""A workspace of a few lines in a folder, with one mission and the rehearsals that a test writes beside it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from language.workspace import load_workspace
from rehearsal.rehearse import Rehearser, Result

AGENTS = """
agents:
  ann: {callable: 'a:a', timeout: 1m, output: {type: object, required: [k], properties: {k: {type: integer}}}}
  ben: {callable: 'a:b', timeout: 1m}
"""
TOOLS = """
servers: {s: {url: 'http://127.0.0.1:1'}}
tools:
  isolate:
    server: s
    effect: write
    idempotency: key
    compensated_by: [release]
    input: {type: object, required: [host], properties: {host: {type: string}}}
    output: {type: object, required: [done], properties: {done: {type: boolean}}}
  release: {server: s, effect: write, idempotency: key, autonomy: allowed}
  file: {server: s, effect: write, idempotency: key, autonomy: allowed, compensated_by: [unfile]}
  unfile: {server: s, effect: write, idempotency: key, autonomy: allowed}
  once: {server: s, effect: write, autonomy: allowed}
"""
PEOPLE = """
escalation: {role: chief}
people:
  lea: {roles: [lead]}
  leo: {roles: [lead]}
  cho: {roles: [chief]}
  rita: {name: Rita Moss, roles: [lead]}
"""
HEAD = """
mission: trial
version: '1'
team: tests
inputs: {type: object, properties: {k: {type: integer, default: 0}}}
verdict: {one_of: [done, other], value: '"done"'}
steps:
"""
REHEARSAL = """
description: a trial
inputs: {}
requested_by: rita
"""


@dataclass
class Theatre:
    root: Path

    def mission(self, steps: str) -> None:
        folder = self.root / "trial" / "rehearsals"
        folder.mkdir(parents=True, exist_ok=True)
        (folder.parent / "mission.yaml").write_text(HEAD + steps)

    def script(self, text: str, name: str = "one", head: str = REHEARSAL) -> Path:
        file = self.root / "trial" / "rehearsals" / f"{name}.yaml"
        file.write_text(head + text)
        return file

    def rehearse(self, text: str, watch: Any = None, *, invents: bool = False, head: str = REHEARSAL) -> Result:
        return Rehearser(load_workspace(self.root), invents=invents).rehearse(self.script(text, head=head), watch)

    def findings(self, text: str, head: str = REHEARSAL) -> list[str]:
        """Return what is wrong with a script, without the folder's own path."""
        folder = f"{self.root / 'trial' / 'rehearsals'}/"
        return [str(finding).replace(folder, "") for finding in self.rehearse(text, head=head).findings]


def told(result: Result) -> list[str]:
    """Return the differences of a rehearsal that could be played."""
    assert () == result.findings
    return [str(difference) for difference in result.differences]


def ends(result: Result) -> dict[str, tuple[float, str]]:
    """Return when each step ended, in seconds, and how."""
    assert result.came
    view = result.came.view
    return {
        record.path: ((record.ended_at - view.started_at).total_seconds(), record.status)
        for record in view.records
        if record.ended_at
    }
