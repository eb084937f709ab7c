"""A plan is shown to people as what it changes, and nothing else passes for one."""

from datetime import UTC, datetime

import pytest
from rich.console import Console

from contracts.decision import Opening, Subject
from starter import shown as page

CHANGE = {
    "happened": "added",
    "about": "effect",
    "step": "store",
    "key": "",
    "after": {"kind": "action", "action": "file"},
}
PLAN = {"id": "m/rollout/plan[1]", "digest": "sha256:1", "changes": [CHANGE], "steps": [{"step": "store"}]}


def shown(step: str, plan: object) -> str:
    subject = Subject(mission="m", first_run_id="r", name="n", step=step, approvers=("lead",))
    opening = Opening(
        subject=subject, digest="d", nonce="n", opened_at=datetime(2026, 1, 1, tzinfo=UTC), context={"plan": plan}
    )
    console = Console(width=120, force_terminal=False)
    with console.capture() as captured:
        console.print(page.context(opening))
    return captured.get()


@pytest.mark.parametrize("asked", ["", "/@admission", "/@admission[2]"])
def test_a_plan_is_shown_as_its_changes_in_words_with_its_digest(asked):
    text = shown(f"rollout/plan[1]{asked}", PLAN)

    assert "What happens to the world" in text
    assert "+ step store added" in text
    assert "sha256:1" in text
    assert "happened" not in text


def test_a_variable_that_is_called_plan_is_shown_as_the_data_that_it_is():
    text = shown("ask", PLAN)

    assert "+ step store added" not in text
    assert "happened" in text


def test_nothing_in_a_plan_speaks_to_the_terminal():
    hostile = {**CHANGE, "step": "a\x1b[2Jb", "after": {"kind": "\x1b]0;x\x07"}}

    assert "\x1b" not in shown("rollout/plan[1]", {**PLAN, "changes": [hostile]})


def test_a_plan_in_which_something_is_hidden_is_shown_as_the_data_that_is_left():
    for plan in ({**PLAN, "changes": [{**CHANGE, "about": "<hidden>"}]}, {**PLAN, "changes": ["<hidden>"]}):
        assert '"<hidden>"' in shown("rollout/plan[1]", plan)
    assert "digest" in shown("rollout/plan[1]", {"<hidden>": [CHANGE], "digest": "sha256:1"})
