"""Deciding on several actions at once from the command line: shown, changed, approved, told of."""

import uuid

from stage import given

from contracts.definition import GroupStep
from starter.launch import launch
from starter.state import read_gates


def grouped():
    """The stage's mission, with its action and its ticket under one approval."""
    order = given()
    look, isolate, report = order.plan.definition.steps
    inside = (isolate.model_copy(update={"approval": None}), report)
    both = GroupStep(step="both", steps=inside, approval=isolate.approval)
    definition = order.plan.definition.model_copy(update={"steps": (look, both)})
    return order.model_copy(update={"plan": order.plan.model_copy(update={"definition": definition}).sealed()})


async def test_all_are_shown_one_is_changed_and_both_run_on_one_approval(gonogo, client, tmp_path):
    mission = f"both-{uuid.uuid4().hex[:8]}"
    await launch(client, grouped(), mission)
    while not await read_gates(client, mission):
        pass
    changes = tmp_path / "changes.json"
    changes.write_text('{"isolate": {"reason": "keep forensic access"}}')

    queue = await gonogo("queue", "--all")
    modified = await gonogo("modify", mission, "both", "--as", "maya", "--changes", str(changes))
    shown = await gonogo("show", mission, "both")
    approved = await gonogo("approve", mission, "both", "--as", "lena")
    await client.get_workflow_handle(mission).result()
    followed = await gonogo("follow", mission)
    audit = await gonogo("audit", mission, "--json")

    assert [0, 0, 0, 0] == [told.code for told in (queue, modified, shown, approved)], modified.err + approved.err
    assert "isolate_host(host='web-01'" in queue.out
    assert 'reason: "keep forensic access"' in shown.out
    assert shown.out.index("action 1") < shown.out.index("isolate_host") < shown.out.index("action 2")
    # The worker may still end what the test before has left.
    assert ["isolate_host", "file_ticket"] == [one["who"] for one in audit.json if one["what"] == "action executed"]
    assert "approved by lena at both" in followed.out
    ordered = [one["detail"]["approved"] for one in audit.json if one["what"] == "action ordered"]
    accepted = [one["digest"] for one in audit.json if one["what"] == "decision accepted"]
    assert [accepted[-1]] * 2 == ordered
