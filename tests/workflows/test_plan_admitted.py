"""A plan that policy wants approved goes to people, and what they sign counts for the steps of exactly that plan."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError

from activities import keys
from activities.assent import Assents
from activities.authority import Authority
from activities.governance import Governance
from activities.lineage import ServerLineage
from activities.people import Directory
from activities.scales import Scales
from activities.statement import Refusal
from contracts.base import digest
from contracts.call import AgentCall, Assent, ToolCall
from contracts.plan import Limits, MissionInput
from contracts.policy import Answer, Question
from starter.beside import demand_planned, read_plan
from starter.chronicle import chronicle
from starter.problem import Refused
from starter.sign import demand_honest
from tests.interpreter.fakes import TOOLS, plan_of
from tests.workflows.house import house, moved, populate
from tests.workflows.record_histories import agent
from tests.workflows.test_admission import OPEN, admitting, policy, said
from tests.workflows.test_admitted_again import ACTING, CAREFUL, FILING, NO_FILING, regrant
from tests.workflows.test_group_approval import Checked
from tests.workflows.test_mission import replays
from workflows.interpreter.again import kept
from workflows.interpreter.steps import map as big

DEFERRING = Limits(governed=True, heeds=True, defers=True)
HERE, ADMISSION = "rollout/plan[1]", "rollout/plan[1]/@admission"
FINDING = "store: rehearsal: act file: needs approval by 1 lead by acts (policies/p.cedar:3:1)"
UNDOING = [{**FILING[0], "compensate": "unfile"}]
OTHERWISE = [{"step": "store", "action": "file", "with": {"n": 2}}]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return populate(tmp_path)


def planned(step: str = "rollout", **more: Any) -> dict[str, Any]:
    approval = {"approval": more.pop("approval")} if "approval" in more else {}
    allow = {"kinds": ["action", "agent"], "tools": ["file", "once"], "agents": ["ann"]}
    return {
        "kind": "plan",
        "step": step,
        "plan": {"agent": "eva", "task": "Plan it", "allow": allow, **more},
        **approval,
    }


def gate(*approvers: str, **more: Any) -> dict[str, Any]:
    return {"approvers": list(approvers), "timeout": "1h", "on_timeout": "refuse", **more}


def planning(client: Client, home: Path, rules: Any, *plans: Any, **tables: Any) -> Checked:
    """The fakes behind the executor's own check; the planner makes these plans in turn, the last one for ever."""
    authority = Authority(TOOLS, Directory(home / "people.yaml"), ServerLineage(client), policy=rules)
    told: list[AgentCall] = []

    def eva(call: AgentCall) -> dict[str, Any]:
        told.append(call)
        return {"steps": plans[min(len(told), len(plans)) - 1]}

    made = Checked(authority=authority, **tables)
    made.agents = {"eva": eva, "ann": {}, **made.agents}
    made.told = told  # type: ignore[attr-defined]
    return made


def hasty(given: MissionInput) -> MissionInput:
    """Let those who are asked by policy have a second."""
    escalation = given.plan.escalation.model_copy(update={"timeout": timedelta(seconds=1)})
    return admitting(
        given.model_copy(update={"plan": given.plan.model_copy(update={"escalation": escalation}).sealed()})
    )


async def test_a_plan_that_policy_wants_approved_is_shown_with_the_findings_and_runs_once_approved(
    client: Client, home: Path
) -> None:
    rules = policy(home, ACTING)
    made = planning(client, home, rules, FILING)
    async with house(client, home, made, policy=rules) as h:
        # The next run takes the question over, and what was approved.
        short = DEFERRING.model_copy(update={"decisions_per_run": 1})
        started = await h.start([planned(), agent("after", "ben")], short, change=admitting)
        opening = await started.until()
        subject, shown = opening.subject, opening.context["plan"]
        assert (ADMISSION, ("lead",), "approval", []) == (subject.step, subject.approvers, subject.kind, made.world)
        assert "rollout: 1 planned steps; policy wants them approved by 1 lead" == subject.message
        assert ((FINDING,), [FINDING]) == (subject.findings, opening.context["findings"])
        assert (FILING, subject.planned) == (shown["steps"], shown["digest"])
        for person in ("eve", "rita"):
            assert not (await started.decide(opening, person)).accepted
        assert (await started.decide(opening, "lea")).accepted
        result = await started.result()
        assert ("completed", 1, True) == (result.state, len(made.world), result.runs > 1)
        entries = await chronicle(client, started.handle.id)
        allowed = "rehearsal: act file: needs approval by 1 lead by acts (policies/p.cedar:3:1)"
        told = [one for one in said(entries, "rollout") if "run agent" not in one]
        assert (allowed, True) == (told[0], "lea (lead) said approve: lea says approve" in told)
        await replays(started.handle)


async def test_nobody_signs_a_plan_whose_steps_are_not_those_that_are_shown(client: Client, home: Path) -> None:
    rules = policy(home, ACTING)
    async with house(client, home, planning(client, home, rules, FILING), policy=rules) as h:
        started = await h.start([planned()], DEFERRING, change=admitting)
        opening = await started.until()
        plan = await read_plan(client, started.handle.id, opening.subject.plan_digest)
        demand_planned(opening, plan)
        shown = opening.context["plan"]
        for steps in (OTHERWISE, [*FILING, *OTHERWISE], [], "none", [{**FILING[0], "uninvited": 1}]):
            context = {**opening.context, "plan": {**shown, "steps": steps}}
            subject = opening.subject.model_copy(update={"context_digest": digest(context)})
            other = opening.model_copy(update={"context": context, "subject": subject, "digest": subject.digest()})
            demand_honest(other)
            with pytest.raises(Refused, match="cannot be trusted: its steps do not come to the digest"):
                demand_planned(other, plan)
        with pytest.raises(Refused, match="cannot be trusted"):
            demand_planned(opening, None)
        assert (await started.decide(opening, "lea", "reject")).accepted
        await started.result()


async def test_a_rejected_plan_goes_back_to_a_planner_that_revises_and_else_ends_the_mission_refused(
    client: Client, home: Path
) -> None:
    rules = policy(home, ACTING)
    made = planning(client, home, rules, FILING, OTHERWISE)
    async with house(client, home, made, policy=rules) as h:
        started = await h.start([planned(revise=True)], DEFERRING, change=admitting)
        assert (await started.decide(await started.until(), "lea", "reject")).accepted
        second = await started.until(lambda them: bool(them) and them[0].subject.step != ADMISSION)
        assert "rollout/plan[2]/@admission" == second.subject.step
        assert ("lea rejected the plan: lea says reject",) == made.told[1].errors  # type: ignore[attr-defined]
        assert (await started.decide(second, "lou")).accepted
        assert ("completed", [{"n": 2}]) == ((await started.result()).state, [given for _, _, given in made.world])
        await replays(started.handle)

        for step in (planned(), planned(revise=True, attempts=1)):
            refused = await h.start([step], DEFERRING, change=admitting)
            assert (await refused.decide(await refused.until(), "lea", "reject")).accepted
            result = await refused.result()
            assert ("refused", f"{ADMISSION} was rejected: lea says reject") == (result.state, result.reason)
            await replays(refused.handle)
        assert 1 == len(made.world)


async def test_silence_about_a_plan_is_no_consent(client: Client, home: Path) -> None:
    rules = policy(home, ACTING)
    made = planning(client, home, rules, FILING)
    async with house(client, home, made, policy=rules) as h:
        for step in (planned(), planned(revise=True)):
            result = await (await h.start([step], DEFERRING, change=hasty)).result()
            assert ("refused", f"{ADMISSION} was timed out") == (result.state, result.reason)
        assert ([], 2) == (made.world, len(made.told))  # type: ignore[attr-defined]


async def test_nobody_is_asked_about_a_plan_of_which_policy_denies_a_part(client: Client, home: Path) -> None:
    rules = policy(home, ACTING + NO_FILING.replace('"file"', '"once"'))
    both = [*FILING, {"step": "more", "action": "once", "with": {"n": 1}}]
    made = planning(client, home, rules, both, FILING)
    async with house(client, home, made, policy=rules) as h:
        started = await h.start([planned()], DEFERRING, change=admitting)
        opening = await started.until()
        assert ("rollout/plan[2]/@admission", [FINDING]) == (opening.subject.step, opening.context["findings"])
        [errors] = [call.errors for call in made.told[1:]]  # type: ignore[attr-defined]
        assert [True, True] == [
            "needs approval" in errors[0] + errors[1],
            "denied by no_filing" in errors[0] + errors[1],
        ]
        assert (await started.decide(opening, "lea", "reject")).accepted
        assert ("refused", []) == ((await started.result()).state, made.world)
        await replays(started.handle)


async def test_whom_policy_wants_is_not_asked_again_by_the_plans_own_gate(client: Client, home: Path) -> None:
    rules = policy(home, ACTING)
    made = planning(client, home, rules, FILING)
    async with house(client, home, made, policy=rules) as h:
        # Whoever requested the mission is never one of those whom policy wants, whatever the gate says.
        started = await h.start([planned(approval=gate("lead", exclude=[]))], DEFERRING, change=admitting)
        opening = await started.until()
        assert (HERE, (FINDING,)) == (opening.subject.step, opening.subject.findings)
        assert [FINDING] == opening.context["plan"]["findings"]
        assert not (await started.decide(opening, "rita")).accepted
        assert (await started.decide(opening, "lea")).accepted
        assert ("completed", 1) == ((await started.result()).state, len(made.world))
        assert ADMISSION not in {record.path for record in (await started.state()).records}
        await replays(started.handle)

        # A gate that asks others is one, and that of policy another.
        twice = await h.start([planned(approval=gate("chief"))], DEFERRING, change=admitting)
        first = await twice.until()
        assert HERE == first.subject.step
        assert (await twice.decide(first, "cleo")).accepted
        second = await twice.until(lambda them: bool(them) and them[0].subject.step == ADMISSION)
        assert (await twice.decide(second, "lou")).accepted
        assert ("completed", 2) == ((await twice.result()).state, len(made.world))
        await replays(twice.handle)


async def test_what_policy_says_by_the_time_that_a_plan_is_approved_counts(client: Client, home: Path) -> None:
    rules = policy(home, ACTING)
    made = planning(client, home, rules, FILING, OTHERWISE)
    async with house(client, home, made, policy=rules) as h:
        started = await h.start([planned(attempts=1)], DEFERRING, dead_letter={}, change=admitting)
        opening = await started.until()
        policy(home, ACTING.replace("lead:1", "chief:1"))
        assert (await started.decide(opening, "lea")).accepted
        again = await started.until(lambda them: bool(them) and them[0].subject.step != ADMISSION)
        assert (f"{ADMISSION}[2]", ("chief",)) == (again.subject.step, again.subject.approvers)
        policy(home, ACTING + NO_FILING)
        assert (await started.decide(again, "cleo")).accepted
        view = await started.until_state("dead_letter")
        assert ("plan_refused", []) == (view.letter.failure.code, made.world)
        assert "denied by no_filing" in view.letter.failure.cause
        await replays(started.handle)


async def test_the_plans_own_gate_counts_only_for_what_was_found_when_it_was_asked(client: Client, home: Path) -> None:
    rules = policy(home, ACTING)
    made = planning(client, home, rules, FILING)
    async with house(client, home, made, policy=rules) as h:
        started = await h.start([planned(approval=gate("lead"))], DEFERRING, change=admitting)
        opening = await started.until()
        policy(home, ACTING.replace('"acts"', '"acts_now"'))
        assert (await started.decide(opening, "lea")).accepted
        again = await started.until(lambda them: bool(them) and them[0].subject.step != HERE)
        assert (ADMISSION, (FINDING.replace("acts", "acts_now"),)) == (again.subject.step, again.subject.findings)
        assert (await started.decide(again, "lea")).accepted
        assert ("completed", 1) == ((await started.result()).state, len(made.world))
        await replays(started.handle)


async def test_a_plan_that_waits_is_asked_about_again_when_the_rules_change(client: Client, home: Path) -> None:
    rules, people = policy(home, ACTING), Directory(home / "people.yaml")
    governance = Governance(people, rules, Scales(home / "risk.yaml"), TOOLS)
    made = planning(client, home, rules, FILING)
    async with house(client, home, made, policy=rules, governance=governance) as h:
        started = await h.start([planned(approval=gate("lead"))], DEFERRING, change=admitting)
        first = await started.until()
        keys.create(home, "lee", ("lead",))
        receipt = await started.decide(first, "lea")
        assert (False, True) == (receipt.accepted, "asked again" in receipt.reason)
        again = await started.until(lambda them: bool(them) and them[0].nonce != first.nonce)
        assert (HERE, (FINDING,)) == (again.subject.step, again.subject.findings)
        assert (await started.decide(again, "lee")).accepted
        assert ("completed", 1) == ((await started.result()).state, len(made.world))
        await replays(started.handle)


async def test_an_executor_lets_an_approval_count_for_the_plan_that_people_signed_and_for_no_other(
    client: Client, home: Path
) -> None:
    rules = policy(home, ACTING)
    made = planning(client, home, rules, FILING, OTHERWISE, FILING)
    authority, told, first = made.authority, dict[str, str](), list[Assent]()
    assert authority is not None

    async def refused(call: ToolCall) -> str:
        with pytest.raises(Refusal) as refusal:
            await authority.check(call)
        return str(refusal.value)

    async def file(call: ToolCall) -> dict[str, Any]:
        right = call.assent
        assert right is not None
        if first:
            told[call.path] = await refused(call.model_copy(update={"assent": first[0]}))
            return {}
        first.append(right)
        grant = right.grant
        signed = {
            "another mission": {"mission": "m-other"},
            "another run": {"first_run_id": "r"},
            "another plan of the step": {"step": "rollout/plan[2]/@admission"},
            "no plan": {"planned": ""},
            "more findings": {"findings": (*grant.subject.findings, "more")},
        }
        sent = {
            "another plan's steps": {"steps": ({**right.steps[0], "with": {"n": 2}},)},
            "no steps": {"steps": ()},
            "no signature": {"grant": grant.model_copy(update={"tokens": ()})},
            **{name: {"grant": regrant(grant, **fields)} for name, fields in signed.items()},
        }
        calls: dict[str, dict[str, Any]] = {
            "nothing": {"assent": None},
            "other arguments": {"arguments": {"n": 2}},
            "another tool": {"tool": "once"},
            "a step that is not in it": {"path": "rollout/other"},
            "a step elsewhere": {"path": "store"},
            **{name: {"assent": right.model_copy(update=fields)} for name, fields in sent.items()},
        }
        for name, fields in calls.items():
            told[name] = await refused(call.model_copy(update=fields))
        return {}

    made.tools = {"file": file}
    async with house(client, home, made, policy=rules) as h:
        started = await h.start([planned(), planned("elsewhere")], DEFERRING, change=admitting)
        assert (await started.decide(await started.until(), "lea")).accepted
        second = await started.until(lambda them: bool(them) and "elsewhere" in them[0].subject.step)
        assert 13 == len(told)
        assert told["another plan's steps"] == told["no steps"] == "the plan is not the one that people approved"
        assert all("is no step of the plan" in told[f"a step {name}"] for name in ("that is not in it", "elsewhere"))
        assert "needs approval by 1 lead" in told["other arguments"]
        assert told["another mission"] == told["another run"] == "what people approved is of another mission"

        assert (await started.decide(second, "lou")).accepted
        assert "completed" == (await started.result()).state
        assert "is no step of the plan that people approved at 'rollout/plan[1]/@admission'" in told["elsewhere/store"]

        # The same plan of the same step, approved in another mission.
        other = await h.start([planned()], DEFERRING, change=admitting)
        assert (await other.decide(await other.until(), "lea")).accepted
        assert "completed" == (await other.result()).state
        assert "what people approved is of another mission" == told["rollout/store"]


async def test_an_argument_that_is_called_a_place_is_part_of_what_people_sign(client: Client, home: Path) -> None:
    rules = policy(home, ACTING)
    here = [{"step": "store", "action": "file", "with": {"n": {"place": "here"}}}]
    made, told = planning(client, home, rules, here), list[str]()
    authority = made.authority
    assert authority is not None

    async def file(call: ToolCall) -> dict[str, Any]:
        assert call.assent is not None
        there = {"n": {"place": "there"}}
        steps = ({**call.assent.steps[0], "with": there},)
        assent = call.assent.model_copy(update={"steps": steps})
        with pytest.raises(Refusal) as refusal:
            await authority.check(call.model_copy(update={"arguments": there, "assent": assent}))
        told.append(str(refusal.value))
        return {}

    made.tools = {"file": file}
    async with house(client, home, made, policy=rules) as h:
        started = await h.start([planned()], DEFERRING, change=admitting)
        opening = await started.until()
        assert (await started.decide(opening, "lea")).accepted
        assert "completed" == (await started.result()).state
        assert ["the plan is not the one that people approved"] == told
        await replays(started.handle)


@pytest.mark.parametrize("undo", ["unfile", {"tool": "unfile", "with": {"n": 1}}])
async def test_what_undoes_a_step_of_a_plan_undoes_what_people_were_shown(
    client: Client, home: Path, undo: Any
) -> None:
    rules, told = policy(home, ACTING), list[str]()
    made = planning(client, home, rules, [{**FILING[0], "compensate": undo}], agents={"dot": ValueError("no")})
    authority = made.authority
    assert authority is not None

    async def unfile(call: ToolCall) -> dict[str, Any]:
        try:
            told.append(str(await authority.check(call.model_copy(update={"arguments": {"n": 2}}))))
        except Refusal as refusal:
            told.append(str(refusal))
        return {}

    made.tools = {"unfile": unfile}
    steps = [planned(), agent("breaks", "dot", retry={"attempts": 1})]
    async with house(client, home, made, policy=rules) as h:
        started = await h.start(steps, DEFERRING, change=admitting)
        assert (await started.decide(await started.until(), "lea")).accepted
        with pytest.raises(WorkflowFailureError):
            await started.result()
        assert (1, True) == (len(told), "act unfile: needs approval by 1 lead" in told[0])
        assert "done" == await undone(started, "rollout/store")
        await replays(started.handle)


async def test_whoever_let_an_action_happen_where_policy_has_them_asked_let_it_be_undone(
    client: Client, home: Path
) -> None:
    rules = policy(home, ACTING)
    made = planning(client, home, rules, agents={"dot": ValueError("no")})
    filing = {**FILING[0], "kind": "action", "compensate": {"tool": "unfile"}, "approval": gate("lead")}
    async with house(client, home, made, policy=rules) as h:
        steps = [filing, agent("breaks", "dot", retry={"attempts": 1})]
        started = await h.start(steps, DEFERRING, change=admitting)
        opening = await started.until()
        assert "store" == opening.subject.step
        assert (await started.decide(opening, "lea")).accepted
        with pytest.raises(WorkflowFailureError):
            await started.result()
        assert "done" == await undone(started, "store")
        await replays(started.handle)


async def test_what_was_approved_of_a_plan_lets_it_be_undone_after_its_item_was_folded(
    client: Client, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(big, "MOST_SHOWN", 0)
    rules = policy(home, ACTING)
    made = planning(client, home, rules, UNDOING, agents={"dot": ValueError("no")})
    each = {"kind": "map", "step": "each", "map": {"over": "[1]", "do": [planned()]}}
    async with house(client, home, made, policy=rules) as h:
        steps = [each, agent("breaks", "dot", retry={"attempts": 1})]
        started = await h.start(steps, DEFERRING.model_copy(update={"events_per_run": 40}), change=admitting)
        assert (await started.decide(await started.until(), "lea")).accepted
        with pytest.raises(WorkflowFailureError):
            await started.result()
        assert ["file", "unfile"] == [tool for tool, _, _ in made.world]
        await replays(started.handle)


async def undone(started: Any, path: str) -> str:
    """Return how it stands with the undoing of an effect."""
    [effect] = [one.effect for one in (await started.state()).records if one.path == path]
    return str(effect.undo_status)


async def test_an_agent_of_a_plan_runs_by_what_people_approved_of_that_plan(client: Client, home: Path) -> None:
    rules, told = policy(home, OPEN), list[str]()
    assents = Assents(Directory(home / "people.yaml"), ServerLineage(client))

    def asked() -> Answer:
        context = {"admitted": True, "data": []}
        return rules.ask(Question(verb="run_agent", who="rehearsal", what="ann", context=context))

    def eva(call: AgentCall) -> dict[str, Any]:
        policy(home, CAREFUL)
        return {"steps": [{"step": "look", "agent": "ann", "task": "Look at it"}]}

    async def ann(call: AgentCall) -> dict[str, Any]:
        told.append((await assents.of(call)).applied(asked()).outcome)
        for fields in ({}, {"watches": "rollout/look"}):
            other = await assents.of(call.model_copy(update={"task": "Look away", **fields}))
            told.append(other.applied(asked()).outcome)
        if call.assent is not None and call.assent.steps:
            with pytest.raises(Refusal):
                await assents.of(call.model_copy(update={"name": "dot"}))
        return {}

    made = planning(client, home, rules, agents={"eva": eva, "ann": ann})
    async with house(client, home, made, policy=rules) as h:
        started = await h.start([planned()], DEFERRING, change=admitting)
        assert (await started.decide(await started.until(), "lea")).accepted
        assert ("completed", ["allow", "needs approval", "needs approval"]) == ((await started.result()).state, told)
        await replays(started.handle)

        # Who may be planned is approved before the first step, and nobody is asked again about just that sentence.
        again = await h.start([planned()], DEFERRING, change=admitting)
        opening = await again.until()
        assert ("@admission", 3) == (opening.subject.step, len(told))
        assert (await again.decide(opening, "lea")).accepted
        assert ("completed", ["allow"] * 3) == ((await again.result()).state, told[3:])
        await replays(again.handle)


async def test_what_was_approved_of_a_plan_holds_while_operators_lead_the_mission_elsewhere(
    client: Client, home: Path
) -> None:
    rules = policy(home, ACTING)
    made = planning(client, home, rules, UNDOING, agents={"dot": ValueError("no")})
    steps = [planned(), agent("breaks", "dot", retry={"attempts": 1}), agent("last", "ben")]
    inputs = {"type": "object", "properties": {"size": {"type": "integer"}}}
    short = DEFERRING.model_copy(update={"events_per_run": 40})
    async with house(client, home, made, policy=rules) as h:
        started = await h.start(steps, short, given={"size": 1}, dead_letter={}, inputs=inputs, change=admitting)
        assert (await started.decide(await started.until(), "lea")).accepted
        await started.until_state("dead_letter")
        assert (await started.command("amend", "", name="size", value=2)).accepted
        # Begun anew, what was approved is undone by that approval, and the new plan is another question.
        assert (await started.command("rollback", "rollout")).accepted
        opening = await started.until()
        assert (ADMISSION, ["file", "unfile"]) == (opening.subject.step, [tool for tool, _, _ in made.world])
        assert (await started.decide(opening, "lou")).accepted
        await started.until_state("dead_letter")
        assert (await started.command("redirect", "last")).accepted
        result = await started.result()
        assert ("completed", 3, True) == (result.state, len(made.world), result.runs > 1)
        await replays(started.handle)

        # Begun anew as another mission behind the plan: what was done stays done, and nobody is asked about it.
        view, given = await started.state(), moved(plan_of(steps, inputs=inputs), h.queue)
        carried = kept(view.records, given, "last", datetime.now(UTC))
        anew = await h.start(
            steps, DEFERRING, inputs=inputs, change=lambda one: admitting(one.model_copy(update={"carried": carried}))
        )
        assert ("completed", 3) == ((await anew.result()).state, len(made.world))
        await replays(anew.handle)

        # From the plan on, it is planned and asked about anew: the approval of before was another mission's.
        carried = kept(view.records, given, "rollout", datetime.now(UTC))
        planned_anew = await h.start(
            [planned()], DEFERRING, change=lambda one: admitting(one.model_copy(update={"carried": carried}))
        )
        assert (await planned_anew.decide(await planned_anew.until(), "lea")).accepted
        assert ("completed", 4) == ((await planned_anew.result()).state, len(made.world))


async def test_nobody_gets_past_those_whom_policy_has_asked_about_a_plan(client: Client, home: Path) -> None:
    rules = policy(home, ACTING)
    made = planning(client, home, rules, FILING)
    async with house(client, home, made, policy=rules) as h:
        started = await h.start([planned(), agent("last", "ben")], DEFERRING, change=admitting)
        await started.until()
        assert (await started.command("skip", "rollout")).accepted
        asked = await started.until(kind="override")
        assert ("lead",) == asked.subject.approvers
        assert (await started.decide(asked, "lou")).accepted
        assert ("completed", [], [HERE, "last"]) == ((await started.result()).state, made.world, made.asked)
        await replays(started.handle)


async def test_a_mission_of_before_has_its_plan_refused(client: Client, home: Path) -> None:
    rules = policy(home, ACTING)
    made = planning(client, home, rules, FILING)
    async with house(client, home, made, policy=rules) as h:
        before = DEFERRING.model_copy(update={"defers": False})
        started = await h.start([planned(attempts=1)], before, dead_letter={}, change=admitting)
        view = await started.until_state("dead_letter")
        assert ("plan_refused", []) == (view.letter.failure.code, made.world)
