"""The rules in force: their version, and how many people the risk of a call asks for.

Law: whatever says who may decide, or how many must, is in the version: policies, what is weighed, people with their
roles and keys. A decision counts for the version that it was asked under, and where one of these cannot be read nobody
decides. `workflows/interpreter/stakes.py` asks again what was approved under another.
"""

from collections.abc import Mapping

from activities.people import Directory
from activities.policy import Policy
from activities.scales import Scales
from contracts.base import digest
from contracts.call import ToolCall
from contracts.decision import Action
from contracts.risk import Facts
from contracts.workspace import Tool
from language.weigh import weigh


class Governance:
    """What decides who decides, as it is on disk now. `Unreadable` where it cannot be trusted."""

    def __init__(self, directory: Directory, policy: Policy, scales: Scales, tools: Mapping[str, Tool]) -> None:
        self._tools = tools
        self._directory = directory
        self._policy = policy
        self._scales = scales

    def version(self) -> str:
        """Return the digest of the rules in force."""
        known = self._directory.people()
        people = {
            name: {"name": one.name, "roles": sorted(one.roles), "keys": sorted(one.keys)}
            for name, one in known.people.items()
        }
        risk = self._scales.file()
        weighed = risk.model_dump(mode="json") if risk is not None else None
        operators = sorted(known.operating())
        return digest({"policies": self._policy.version(), "people": people, "operators": operators, "risk": weighed})

    def demanded(self, call: ToolCall) -> int:
        """Return how many people the risk of a call asks for.

        Of what nobody was asked about nothing is signed: then the mission's word counts for what it alone can know.
        """
        file = self._scales.file()
        if file is None:
            return 0
        shown = call.grant.subject if call.grant is not None else None
        acts, reading = (shown.acts(), shown.risk) if shown is not None else ((), call.risk)
        if all((act.step, act.tool) != (call.path, call.tool) or act.arguments != call.arguments for act in acts):
            known = {"arguments": call.arguments, "compensation": call.compensation}
            acts = (Action(step=call.path, tool=call.tool, **known),)
        return weigh(file, acts, self._tools, reading.facts if reading is not None else Facts()).people
