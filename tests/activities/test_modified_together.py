"""Changes to actions that people approve together: of named actions, each held against its own tool's contract."""

from pathlib import Path
from typing import Any

import pytest

from activities import keys
from activities.identity import judge
from contracts.decision import Action, Opening
from tests.activities import office
from tests.activities.office import HOST, claims, hearing, opening

NESTED = {"type": "object", "properties": {"tag": {"$ref": "#/$defs/tag"}}, "$defs": {"tag": {"type": "string"}}}
"""A contract that refers to a part of itself."""
CONTRACTS = {"type": "object", "properties": {"both/a": HOST, "both/b": NESTED}}


def asked() -> Opening:
    actions = (
        Action(step="both/a", tool="isolate_host", arguments={"host": "web-01"}),
        Action(step="both/b", tool="tag_host", arguments={"tag": "x"}),
    )
    subject = office.subject(step="both", tool=None, arguments=None, compensation=None, actions=actions)
    return opening(subject, input_schema=CONTRACTS)


def told(home: Path, changes: dict[str, Any]) -> str:
    gate = asked()
    token = keys.sign(home, "anna", claims(gate.subject, verb="modify", changes=changes))
    return judge(hearing(token, gate), keys.registered(home)).reason


def test_changes_that_fit_each_tool_are_taken(home: Path) -> None:
    assert "" == told(home, {"both/b": {"tag": "y"}})
    assert "" == told(home, {"both/a": {"host": "web-02"}, "both/b": {"tag": "y"}})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"both/c": {"host": "web-02"}}, "both/c is none of the actions here, or its arguments are no object"),
        ({"host": "web-02"}, "host is none of the actions here, or its arguments are no object"),
        ({"both/a": "web-02"}, "both/a is none of the actions here, or its arguments are no object"),
        ({"both/a": {"host": 7}}, 'both/a: host: 7 is not of type "string"'),
        ({"both/a": {"host": "web-02"}, "both/b": {"tag": 7}}, 'both/b: tag: 7 is not of type "string"'),
    ],
)
def test_changes_that_name_no_action_or_do_not_fit_are_refused(home: Path, changes: Any, reason: str) -> None:
    assert f"the changed arguments do not fit the tool: {reason}" == told(home, changes)
