"""Who really spoke in a record: the signed statements in it, held against the public keys of people.

The law: a decision that counted has its statement beside it: signed by the person whom the record names, and saying
what the record says.
"""

from typing import Any

from activities.statement import Refusal, unseal
from activities.verify import Suspect
from contracts.workspace import PeopleFile

COUNTED = frozenset({"decision accepted", "command accepted"})
SHORTEST = 200
"""How much of a long text the record keeps at least."""


class Statements:
    """Checks each statement in a record against the people who are registered."""

    def __init__(self, people: PeopleFile) -> None:
        self._people = people
        self.count = 0

    def __call__(self, entry: dict[str, Any]) -> None:
        token = entry.get("token")
        if not token:
            if entry.get("what") in COUNTED:
                raise Suspect(f"the {entry['what']} has no signed statement beside it")
            return
        try:
            claims = unseal(str(token), self._people)
        except Refusal as refusal:
            raise Suspect(f"the statement of {entry.get('who')!r} does not verify: {refusal}") from None
        detail = entry.get("detail") or {}
        said = {"who": claims.iss, "step": claims.step, "digest": claims.digest}
        told = {**{name: entry.get(name) for name in said}, "verb": detail.get("verb"), "jti": detail.get("jti")}
        for name, value in {**said, "verb": claims.verb, "jti": claims.jti}.items():
            if str(value)[:SHORTEST] != str(told[name] or "")[:SHORTEST]:
                raise Suspect(f"the statement says another {name} than the record: {value!r}, not {told[name]!r}")
        self.count += 1
