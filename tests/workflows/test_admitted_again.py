"""What a mission may do is admitted again where it becomes another: planned, led elsewhere, given other values."""

from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from activities.assent import Assents
from activities.authority import Authority
from activities.lineage import ServerLineage
from activities.people import Directory
from activities.statement import Refusal
from contracts.call import AgentCall, Grant
from contracts.plan import Limits
from contracts.policy import Answer, Question
from tests.interpreter.fakes import TOOLS
from tests.workflows.house import Activities, house, populate
from tests.workflows.record_histories import agent
from tests.workflows.test_admission import OPEN, admitting, policy
from tests.workflows.test_group_approval import Checked
from tests.workflows.test_mission import replays

NO_FILING = '@id("no_filing")\nforbid(principal, action == Action::"act", resource == Tool::"file");\n'
ASKING = """
@id("others") permit(principal, action, resource) unless { action == Action::"start" };
@id("starts") @approval("lead:1") permit(principal, action == Action::"start", resource);
"""
CAREFUL = """
@id("others") permit(principal, action, resource) unless { action == Action::"run_agent" };
@id("careful") @approval("lead:1") permit(principal, action == Action::"run_agent", resource == Agent::"ann");
@id("rest") permit(principal, action == Action::"run_agent", resource) unless { resource == Agent::"ann" };
"""
WIDER = CAREFUL.replace('unless { resource == Agent::"ann" }', 'when { resource == Agent::"eva" }') + (
    '@id("two") @approval("lead:2") permit(principal, action == Action::"run_agent", resource == Agent::"dot");\n'
)
ACTING = """
@id("others") permit(principal, action, resource) unless { action == Action::"act" };
@id("acts") @approval("lead:1") permit(principal, action == Action::"act", resource);
"""
GOVERNED_ALONE = Limits(governed=True)
HEEDING = Limits(governed=True, heeds=True)
PLAN = {
    "kind": "plan",
    "step": "rollout",
    "plan": {"agent": "eva", "task": "Plan it", "allow": {"kinds": ["action", "agent"], "tools": ["file", "once"]}},
}
PLAN["plan"]["allow"]["agents"] = ["ann"]
FILING = [{"step": "store", "action": "file", "with": {"n": 1}}]
LOOKING = [{"step": "look", "agent": "ann", "task": "Look at it"}]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return populate(tmp_path)


def planning(*plans: Any) -> Activities:
    asked: list[Any] = []

    def eva(call: Any) -> dict[str, Any]:
        asked.append(call)
        return {"steps": plans[len(asked) - 1]}

    made = Activities(agents={"eva": eva, "ann": {}})
    made.asked_of_planner = asked  # type: ignore[attr-defined]
    return made


async def test_a_plan_that_policy_does_not_admit_goes_back_to_its_planner_with_what_was_found(
    client: Client, home: Path
) -> None:
    made = planning(FILING, LOOKING)
    async with house(client, home, made, policy=policy(home, OPEN + NO_FILING)) as h:
        started = await h.start([PLAN], change=admitting)
        assert "completed" == (await started.result()).state

        assert ["rollout/plan[1]", "rollout/plan[2]", "rollout/look"] == made.asked
        assert [] == made.world
        [found] = made.asked_of_planner[1].errors  # type: ignore[attr-defined]
        assert "store: rehearsal: act file: denied by no_filing (policies/p.cedar:3:1)" == found
        records = {record.path: record for record in (await started.state()).records}
        first, second = records["rollout/plan[1]"], records["rollout/plan[2]"]
        assert ("failed", "deny") == (first.status, first.policy[0].outcome)
        assert ("succeeded", "allow") == (second.status, second.policy[0].outcome)
        await replays(started.handle)


async def test_plans_that_policy_never_admits_end_as_refused_plans(client: Client, home: Path) -> None:
    made = planning(FILING, FILING, FILING)
    async with house(client, home, made, policy=policy(home, OPEN + NO_FILING)) as h:
        started = await h.start([PLAN], dead_letter={}, change=admitting)
        view = await started.until_state("dead_letter")

        assert ("plan_refused", []) == (view.letter.failure.code, made.world)
        assert "denied by no_filing" in view.letter.failure.cause


async def test_a_start_that_policy_wants_approved_goes_to_people_with_the_findings(client: Client, home: Path) -> None:
    made = Activities()
    async with house(client, home, made, policy=policy(home, ASKING)) as h:
        for verb, state in (("approve", "completed"), ("reject", "refused")):
            made.asked.clear()
            started = await h.start([agent("one")], Limits(governed=True), change=admitting)
            opening = await started.until()
            assert ("@admission", ("lead",), []) == (opening.subject.step, opening.subject.approvers, made.asked)
            assert "rita starts rehearsal; policy wants it approved by 1 lead" == opening.subject.message
            assert "needs approval by 1 lead by starts" in opening.context["findings"][0]
            assert not (await started.decide(opening, "eve")).accepted
            assert not (await started.decide(opening, "rita")).accepted
            assert (await started.decide(opening, "lea", verb)).accepted
            result = await started.result()
            assert state == result.state
            admission = (await started.state()).admission
            assert (state == "completed", ["one"] if state == "completed" else []) == (admission.admitted, made.asked)
            assert (("lea",) if admission.admitted else ()) == admission.by
            await replays(started.handle)


async def test_nobody_is_asked_about_what_policy_denies(client: Client, home: Path) -> None:
    denied = ASKING + '@id("no_ann") forbid(principal, action == Action::"run_agent", resource == Agent::"ann");\n'
    async with house(client, home, Activities(), policy=policy(home, denied)) as h:
        result = await (await h.start([agent("one")], change=admitting)).result()

        assert "refused" == result.state
        assert "denied by no_ann" in result.reason
        assert "needs approval by 1 lead" in result.reason


async def test_commands_that_lead_elsewhere_are_admitted_again_by_the_policy_of_now(client: Client, home: Path) -> None:
    rules = policy(home, OPEN)
    fakes = Activities(agents={"dot": ValueError("no")})
    async with house(client, home, fakes, policy=rules) as h:
        steps = [agent("breaks", "dot", retry={"attempts": 1}), agent("last")]
        inputs = {"type": "object", "properties": {"size": {"type": "integer"}}}
        started = await h.start(steps, given={"size": 1}, dead_letter={}, inputs=inputs, change=admitting)
        await started.until_state("dead_letter")
        policy(
            home, OPEN + '@id("no_dot") forbid(principal, action == Action::"run_agent", resource == Agent::"dot");\n'
        )
        for verb, step, changes in (("amend", "", {"name": "size", "value": 2}), ("redirect", "last", {})):
            assert (await started.command(verb, step, **changes)).accepted
            view = await started.seen(lambda view, verb=verb: any(note.verb == verb for note in view.commands))
            assert (
                "policy does not admit it: breaks: rehearsal: run agent dot: denied by no_dot"
                in view.commands[-1].refused
            )
        assert [] == [path for path in fakes.asked if path == "last"]
        policy(home, OPEN)
        assert (await started.command("redirect", "last")).accepted
        assert "completed" == (await started.result()).state
        await replays(started.handle)


async def test_whatever_policy_wants_approved_goes_to_people_before_the_first_step_and_they_approve_exactly_that(
    client: Client, home: Path
) -> None:
    rules, people = policy(home, CAREFUL), Directory(home / "people.yaml")
    assents, told = Assents(people, ServerLineage(client)), {}

    def asked(agent: str) -> Answer:
        context = {"admitted": True, "data": []}
        return rules.ask(Question(verb="run_agent", who="rehearsal", what=agent, context=context))

    async def ann(call: AgentCall) -> dict[str, Any]:
        right = call.assent
        assert right is not None
        told["call"] = call
        given = await assents.of(call)
        told["allowed"] = given.applied(asked("ann"))
        moved = asked("ann").model_copy(update={"policies": {"careful": "policies/p.cedar:9:9"}})
        told["moved"] = given.applied(moved).outcome
        told["more"] = given.applied(asked("ann").model_copy(update={"approval": {"chief": 1}})).outcome
        for name, other in {
            "findings": right.model_copy(update={"findings": ("other",)}),
            "mission": right.model_copy(update={"grant": regrant(right.grant, mission="m-other")}),
            "run": right.model_copy(update={"grant": regrant(right.grant, first_run_id="r")}),
            "step": right.model_copy(update={"grant": regrant(right.grant, step="one")}),
            "subject": right.model_copy(update={"grant": regrant(right.grant, plan_digest="sha256:0")}),
        }.items():
            with pytest.raises(Refusal):
                await assents.of(call.model_copy(update={"assent": other}))
            told[name] = True
        return {}

    made = Activities(agents={"ann": ann})
    async with house(client, home, made, policy=rules) as h:
        started = await h.start([agent("one")], HEEDING, change=admitting)
        opening = await started.until()
        finding = "one: rehearsal: run agent ann: needs approval by 1 lead by careful (policies/p.cedar:3:1)"
        assert ("@admission", ("lead",), [], [finding]) == (
            opening.subject.step, opening.subject.approvers, made.asked, opening.context["findings"],
        )  # fmt: skip
        assert (await started.decide(opening, "lea")).accepted
        assert "completed" == (await started.result()).state
        words = "rehearsal: run agent ann: allowed by careful (policies/p.cedar:3:1), approved by 1 lead"
        assert (words, "needs approval", "needs approval") == (str(told["allowed"]), told["moved"], told["more"])
        assert {"findings", "mission", "run", "step", "subject"} <= set(told)
        assert "needs approval" == (await Assents(people, ServerLineage(client)).of(bare(told["call"]))).applied(
            asked("ann")
        ).outcome  # fmt: skip
        await replays(started.handle)

        refused = await h.start([agent("one")], HEEDING, change=admitting)
        assert (await refused.decide(await refused.until(), "lea", "reject")).accepted
        assert ("refused", finding in (await refused.result()).reason) == ((await refused.result()).state, True)
        denied = await h.start([agent("one"), agent("two", "dot")], HEEDING, change=admitting)
        assert (await denied.until()).context["findings"] == [finding]
        policy(home, CAREFUL + '@id("no_dot") forbid(principal, action, resource == Agent::"dot");\n')
        # What is asked is asked under the policies of now: people cannot approve what these deny outright.
        assert (await denied.decide(await denied.until(), "lea")).accepted
        result = await denied.result()
        assert ("refused", True) == (result.state, "denied by no_dot" in result.reason)
        at_once = await (await h.start([agent("two", "dot")], HEEDING, change=admitting)).result()
        assert ("refused", ["one"]) == (at_once.state, made.asked)


async def test_what_policy_wants_approved_of_a_command_goes_to_people_and_once_approved_it_is_approved(
    client: Client, home: Path
) -> None:
    rules = policy(home, CAREFUL)
    fakes = Activities(agents={"dot": [ValueError("no"), {}]})
    async with house(client, home, fakes, policy=rules) as h:
        steps = [agent("one"), agent("breaks", "dot", retry={"attempts": 1}), agent("last", "eva")]
        started = await h.start(steps, HEEDING, dead_letter={}, change=admitting)
        first = await started.until()
        assert (await started.decide(first, "lea")).accepted
        await started.until_state("dead_letter")
        policy(home, WIDER)
        for number, (verb, done) in enumerate((("reject", False), ("approve", True)), 2):
            assert (await started.command("redirect", "last")).accepted
            opening = await started.until(lambda them: bool(them) and them[0].subject.step.startswith("@admission"))
            assert f"@admission[{number}]" == opening.subject.step
            assert [True, True] == [
                any(name in one for one in opening.context["findings"]) for name in ("by careful", "by two")
            ]
            for person in ("lea", "lou") if done else ("lea",):
                assert (await started.decide(opening, person, verb)).accepted
            view = await started.seen(lambda view, number=number: len(view.commands) == number - 1)
            said = view.commands[-1]
            assert (True, "") == (said.after != "", said.refused) if done else "was rejected" in said.refused
        assert "completed" == (await started.result()).state
        admission = (await started.state()).admission
        assert admission is not None
        assert (("lea", "lou"), "@admission[3]") == (admission.by, admission.path)
        await replays(started.handle)

        # While people are asked about a command, the mission can be aborted all the same.
        fakes.agents["dot"] = ValueError("no")
        left = await h.start(steps, HEEDING, dead_letter={}, change=admitting)
        opening = await left.until()
        for person in ("lea", "lou"):
            assert (await left.decide(opening, person)).accepted
        await left.until_state("dead_letter")
        policy(home, WIDER.replace("lead:2", "chief:1"))
        assert (await left.command("redirect", "last")).accepted
        await left.until(lambda them: bool(them) and them[0].subject.step == "@admission[2]")
        assert (await left.command("abort")).accepted
        assert "aborted" == (await left.result()).state
        await replays(left.handle)


async def test_an_executor_believes_what_people_signed_before_the_first_step_and_no_mission(
    client: Client, home: Path
) -> None:
    rules = policy(home, ACTING)
    authority = Authority(TOOLS, Directory(home / "people.yaml"), ServerLineage(client), policy=rules)
    made = Checked(authority=authority)
    act = {"kind": "action", "step": "store", "action": "file", "with": {"n": 1}}
    async with house(client, home, made, policy=rules) as h:
        started = await h.start([act], HEEDING, change=admitting)
        assert (await started.decide(await started.until(), "lea")).accepted
        assert ("completed", 1) == ((await started.result()).state, len(made.world))
        past = await h.start([act], GOVERNED_ALONE, dead_letter={})
        view = await past.until_state("dead_letter")
        assert ("refused", 1) == (view.letter.failure.code, len(made.world))

        # An action whose own gate asks those people needs no approval of its mission.
        gated = {**act, "approval": {"approvers": ["lead"], "timeout": "1h", "on_timeout": "refuse"}}
        begun = await h.start([gated], HEEDING, change=admitting)
        opening = await begun.until()
        assert "store" == opening.subject.step
        assert (await begun.decide(opening, "lea")).accepted
        assert ("completed", 2) == ((await begun.result()).state, len(made.world))


def regrant(grant: Grant, **fields: Any) -> Grant:
    return grant.model_copy(update={"subject": grant.subject.model_copy(update=fields)})


def bare(call: AgentCall) -> AgentCall:
    return call.model_copy(update={"assent": None})
