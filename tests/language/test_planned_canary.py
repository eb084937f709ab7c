"""A canary that is planned is held to what its plan is allowed in each of its parts."""

from test_planned import APPROVED, STEPS, codes, loaded

from language.steps import walk

INSIDE = STEPS.replace("kinds: [", "kinds: [canary, ")
CANARY = {
    "stages": [1, 100],
    "do": {
        "action": "write_file",
        "with": {"name": "${{ stage }}x"},
        "compensate": "delete_file",
        "approval": APPROVED,
    },
    "last": {**APPROVED, "timeout": "2h"},
    "bake": "5m",
    "probe": {"action": "list_files", "with": {"folder": "x"}},
    "healthy": "result.count < 3",
    "incident": {"action": "open_ticket", "with": {"what": "${{ result }}"}},
}


def planned(**parts: object) -> dict[str, object]:
    return {"step": "roll", "canary": {**CANARY, **parts}}


def test_a_planned_canary_loads_where_canaries_are_allowed():
    plan = loaded(planned(), inside=INSIDE)

    assert () == plan.findings
    assert ["roll", "write_file", "write_file", "list_files", "open_ticket"] == [step.step for step in walk(plan.steps)]
    assert ["[0]: PLAN_NOT_ALLOWED"] == codes(planned())


def test_each_part_keeps_within_what_the_plan_may_use_and_ask():
    money = {"action": "send_money", "with": {"sum": 1}, "approval": APPROVED}
    stands = {name: part for name, part in CANARY["do"].items() if name != "compensate"}
    director = {**APPROVED, "approvers": ["director"], "required": 1}

    for part, expected in {
        "incident": (money, {"incident.action: PLAN_NOT_ALLOWED", "incident.action: UNKNOWN_TOOL"}),
        "do": (stands, {"do.action: CANARY_STANDS"}),
        "last": (director, {"last: PLAN_NOT_ALLOWED", "last.required: PLAN_NOT_ALLOWED"}),
        "probe": ({"agent": "analyst", "task": "T"}, {"probe.agent: PLAN_NOT_ALLOWED", "healthy: UNKNOWN_FIELD"}),
    }.items():
        given, found = expected
        assert {f"[0].canary.{one}" for one in found} == set(codes(planned(**{part: given}), inside=INSIDE)), part
