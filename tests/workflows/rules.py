"""Rules that change while missions run: policies, what is weighed, and people, in folders of a test's own."""

from itertools import count
from pathlib import Path

from activities.governance import Governance
from activities.people import Directory
from activities.policy import Policy
from activities.scales import Scales
from contracts.workspace import Tool
from tests.interpreter.fakes import TOOLS
from tests.policies import permit_all

NOBODY = '@id("more-{0}") forbid (principal == Person::"nobody", action, resource);\n'


class Rules:
    """The rules in a workspace, with the people of a home."""

    def __init__(self, home: Path, root: Path, tools: dict[str, Tool] | None = None) -> None:
        self.people = Directory(home / "people.yaml")
        self.root = permit_all(root)
        self.policy = Policy(root, self.people, {}, tools or TOOLS)
        self.governance = Governance(self.people, self.policy, Scales(root / "risk.yaml"), tools or TOOLS)
        self._changes = count(1)

    def change(self) -> str:
        """Add a policy that changes nothing for anybody here; return the version from now on."""
        number = next(self._changes)
        (self.root / "policies" / f"more-{number}.cedar").write_text(NOBODY.format(number))
        return self.governance.version()

    def change_back(self) -> str:
        for path in (self.root / "policies").glob("more-*.cedar"):
            path.unlink()
        return self.governance.version()
