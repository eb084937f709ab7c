"""Admission on a real server: policy is asked of the whole mission, and nothing begins that it does not allow."""

import asyncio
import time
from pathlib import Path

import pytest
from temporalio.client import Client

from activities import keys
from activities.people import Directory
from activities.policy import Policy
from activities.signature import of_mission, sign
from contracts.base import digest
from contracts.order import OrderClaims, rest
from contracts.plan import MissionInput, Plan
from contracts.signed import content
from starter.chronicle import chronicle
from starter.why import reasons
from tests.interpreter.fakes import plan_of
from tests.workflows.house import Activities, House, house, moved, populate

OPEN = '@id("open")\npermit(principal, action, resource);\n'
SIGNED = '@id("signed")\nforbid(principal, action == Action::"start", resource) unless { context.signed };\n'
STEPS = [
    {"kind": "agent", "step": "look", "agent": "ann", "task": "look"},
    {"kind": "action", "step": "file", "action": "file", "with": {}},
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return populate(tmp_path)


def policy(home: Path, text: str) -> Policy:
    (home / "policies").mkdir(exist_ok=True)
    (home / "policies" / "p.cedar").write_text(text)
    return Policy(home, Directory(home / "people.yaml"), {}, {})


def admitting(given: MissionInput) -> MissionInput:
    return given.model_copy(update={"limits": given.limits.model_copy(update={"admits": True})})


def said(entries, step: str) -> list[str]:
    return [one["said"] for one in reasons(entries, step)]


async def refused(h: House, change=admitting) -> str:
    """The reason why a mission was refused, in which nothing began."""
    before = len(h.activities.asked), len(h.activities.world)
    mission = await h.start(STEPS, change=change)
    result = await mission.result()
    assert "refused" == result.state
    assert before == (len(h.activities.asked), len(h.activities.world))
    return result.reason


def signing(h: House, mission: str, who: str = "rita", key: str = "", **changes):
    """Sign what is started as its requester, or as somebody changes it afterwards."""

    def sign(given: MissionInput) -> MissionInput:
        given = admitting(given)
        sent, now = given.model_dump(mode="json"), int(time.time())
        known = {"iss": who, "iat": now, "exp": now + 300, "mission": mission, "plan": given.plan.digest}
        known |= {"inputs": digest(sent["inputs"]), "more": rest(sent)}
        claims = OrderClaims(**{**known, **changes})
        return given.model_copy(update={"order": keys.sign(h.home, claims.iss, claims)})

    return sign


async def test_every_step_is_asked_for_and_all_findings_end_it_before_the_first(client: Client, home: Path):
    rules = policy(home, OPEN)
    async with house(client, home, Activities(), policy=rules) as h:
        mission = await h.start(STEPS, change=admitting)
        assert "completed" == (await mission.result()).state
        view = await mission.state()
        assert view.admission is not None
        assert (True, False, 3) == (view.admission.admitted, view.admission.signed, view.admission.asked)
        entries = await chronicle(client, mission.handle.id)
        assert ["rita: start rehearsal: allowed by open (policies/p.cedar:1:1)"] == said(entries, "")
        assert ["rehearsal: run agent ann: allowed by open (policies/p.cedar:1:1)"] == said(entries, "look")
        assert [] == said(entries, "nowhere")
        assert ["mission admitted"] == [one.what for one in entries if one.topic == "admission"]

        policy(home, OPEN + '@id("no_ann")\nforbid(principal, action, resource) when { resource == Agent::"ann" };\n'
               '@id("no_filing")\nforbid(principal, action == Action::"act", resource == Tool::"file");')  # fmt: skip
        reason = await refused(h)
        assert "look: rehearsal: run agent ann: denied by no_ann (policies/p.cedar:3:1)" in reason
        assert "file: rehearsal: act file: denied by no_filing (policies/p.cedar:5:1)" in reason

        (home / "policies" / "p.cedar").unlink()
        assert "no policy can be read, so everything is denied" in await refused(h)

        policy(home, OPEN + '@id("rich")\nforbid(principal, action == Action::"start", resource)\n'
               "unless { context.budget has cents && context.budget.cents < 500 };")  # fmt: skip
        assert "rita: start rehearsal: denied by rich" in await refused(h)


async def test_a_mission_that_was_started_past_admission_says_so_at_each_call(client: Client, home: Path):
    seen = []
    rules = policy(home, OPEN)
    fakes = Activities(agents={"ann": lambda call: seen.append(call.admitted) or {}})
    async with house(client, home, fakes, policy=rules) as h:
        await (await h.start(STEPS)).result()
        await (await h.start(STEPS, change=admitting)).result()

    assert [False, True] == seen


async def test_only_the_requester_s_own_signature_under_exactly_this_start_counts(client: Client, home: Path):
    async with house(client, home, Activities(), policy=policy(home, OPEN + SIGNED)) as h:

        async def started(name: str, change) -> str:
            mission = await h.start(STEPS, change=change, id=name)
            return (await mission.result()).reason

        assert "rita: start rehearsal: denied by signed" in await started("order-1", admitting)
        order = signing(h, "order-2")
        once = {}

        def replayed(given: MissionInput) -> MissionInput:
            """Start what was started before once more, order and all, as whoever reads the history could."""
            return once.setdefault("given", order(given))

        assert "" == await started("order-2", replayed)
        assert "a mission was started on it before, and it is good for one" in await started("order-2", replayed)
        assert "" == await started("order-2", signing(h, "order-2", exp=int(time.time()) + 200))
        assert "it is for another id" in await started("order-3", signing(h, "order-2"))
        assert "it is by eve, and the mission says it is requested by 'rita'" in await started(
            "order-4", signing(h, "order-4", who="eve")
        )
        assert "it was given for another time" in await started("order-5", signing(h, "order-5", exp=1))
        assert "it is for another plan" in await started("order-6", signing(h, "order-6", plan="sha256:0"))
        assert "it is for another inputs" in await started("order-7", signing(h, "order-7", inputs="sha256:0"))
        assert "it is for another beginning" in await started("order-8", signing(h, "order-8", more=""))

        def forged(given: MissionInput) -> MissionInput:
            whole = signing(h, "order-9")(given)
            return whole.model_copy(update={"order": whole.order[:-8] + "AAAAAAAA"})

        def tampered(given: MissionInput) -> MissionInput:
            whole = signing(h, "order-10")(given)
            plan = whole.plan.model_copy(update={"operators": ("eve",)})
            return whole.model_copy(update={"plan": plan})

        def carried_over(given: MissionInput) -> MissionInput:
            from contracts.plan import Carried
            from contracts.policy import Admission

            return admitting(given).model_copy(update={"carried": Carried(admission=Admission(admitted=True))})

        assert "the signature does not fit" in await started("order-9", forged)
        assert "is not what it holds" in await started("order-10", tampered)
        assert "denied by signed" in await started("order-11", carried_over)
        assert 2 == len(h.activities.asked)


async def test_a_child_that_has_to_be_signed_is_refused_unsigned_whatever_its_parent_is(client: Client, home: Path):
    def vouched(plan: Plan) -> Plan:
        definition = plan.definition
        signature = sign(home, "cleo", of_mission(definition.mission, definition.version), content(plan))
        return plan.model_copy(update={"signatures": (signature,)}).sealed()

    async with house(client, home, Activities(), policy=policy(home, OPEN), required=("chief",)) as h:
        inner = moved(plan_of([STEPS[0]], mission="inner"), h.queue)
        child = {"kind": "mission", "step": "below", "mission": "inner", "with": {}, "accept": ["done"]}
        child["on_parent_close"] = "undo"

        async def ended(signed: bool, change=lambda given: given):
            below = vouched(inner) if signed else inner

            def begun(given: MissionInput) -> MissionInput:
                plan = given.plan.model_copy(update={"missions": {"inner": below}})
                return change(admitting(given).model_copy(update={"plan": vouched(plan)}))

            mission = await h.start([child], change=begun, dead_letter={})
            async with asyncio.timeout(60):
                while (view := await mission.state()).state not in {"dead_letter", "completed", "refused"}:
                    await asyncio.sleep(0.02)
            return view

        assert "completed" == (await ended(signed=True)).state
        assert ["below/look"] == [path if "/" in path else f"below/{path}" for path in h.activities.asked]
        unsigned = await ended(signed=False)
        assert ("dead_letter", 1) == (unsigned.state, len(h.activities.asked))
        assert "mission inner 1 has to be signed by chief: nobody has signed it" in unsigned.letter.failure.cause
        unvouched = await h.start([child], missions={"inner": vouched(inner)}, change=admitting)
        result = await unvouched.result()
        assert ("refused", True) == (result.state, "has to be signed by chief: nobody has signed it" in result.reason)
