"""Nothing halted begins; who may halt; and what a worker does that cannot know."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities import keys
from activities.actions import ActionExecutor
from activities.agents import AgentRunner
from activities.authority import Authority
from activities.halts import FRESH, TRUSTED, Lookout, Unread, read_table
from activities.identity import approvals, judge
from activities.mcp_tools import ToolServers
from activities.people import Directory
from activities.statement import Refusal
from contracts.call import Grant
from contracts.decision import Hearing, Opening
from contracts.halt import HALTS, TABLE, Halt, HaltTable, HaltWatch
from contracts.lock import LOCKS, LocksInput
from contracts.workspace import PeopleFile
from tests.activities import office
from tests.activities.activity_stage import failing, stage, told
from tests.activities.office import NOW, SECONDS, call, claims
from tests.activities.service import Service, tools
from tests.activities.test_agent import MINDS
from tests.activities.test_agent import call as agent_call
from tests.policies import OPEN

HALT = Halt(target="tool:isolate_host", by="anna", reason="it does harm", since=NOW)
ASKED = HaltTable(turns={"tool:file": 4}).opening("tool:file", NOW, HALTS, "run-1")


def statement(home: Path, person: str = "anna", **said: Any) -> str:
    known = claims(
        ASKED.subject, iss=person, verb="halt", nonce=ASKED.nonce, digest=ASKED.digest, comment="it does harm"
    )
    return keys.sign(home, person, known.model_copy(update=said))


def ruled(home: Path, token: str, asked: Opening = ASKED, **people: Any) -> str:
    known = {"operators": ("secops",), **people}
    directory = keys.registered(home).model_copy(update=known)
    hearing = Hearing(token=token, received_at=NOW, mission=HALTS, first_run_id="run-1", openings=(asked,))
    ruling = judge(hearing, directory)
    return "accepted" if ruling.accepted else ruling.reason


@pytest.mark.parametrize("verb", ["halt", "lift"])
def test_an_operator_may_halt_and_lift(home: Path, verb: str) -> None:
    assert "accepted" == ruled(home, statement(home, verb=verb))


@pytest.mark.parametrize(
    ("people", "reason"),
    [
        ({"operators": ("legal",)}, "anna is none of the operators: legal"),
        ({"operators": (), "escalation": {"role": "legal"}}, "anna is none of the operators: legal"),
        ({"operators": ()}, "anna is none of the operators: nobody is"),
        ({"operators": ("anna",)}, "accepted"),
        ({"operators": (), "escalation": {"role": "secops"}}, "accepted"),
    ],
)
def test_operators_are_named_by_the_workspace_and_else_the_escalation_role_is_meant(
    home: Path, people: dict[str, Any], reason: str
) -> None:
    file = PeopleFile.model_validate(people)

    assert reason == ruled(home, statement(home), operators=file.operators, escalation=file.escalation)


WRONG = [
    ({"mission": "gonogo-other"}, "the decision is for mission 'gonogo-other', not for this one"),
    ({"run": "run-0"}, "the decision is for another mission that had the same id before"),
    ({"step": "tool:other"}, "no gate is open at step 'tool:other'"),
    ({"nonce": "3"}, "the decision is for another opening of this gate; look at the gate again"),
    ({"digest": "sha256:0"}, "what the decision was about has changed since; look at the gate again"),
    ({"exp": SECONDS}, "the decision expired at 2026-03-01T12:00:00+00:00"),
    ({"iat": SECONDS + 61}, "the decision is not yet valid: it was issued at 2026-03-01T12:01:01+00:00"),
    ({"comment": " "}, "the decision is to halt and says nothing"),
    ({"verb": "approve"}, "the decision is to approve, which nobody can at the table of halts"),
    ({"jti": ""}, "the decision has no id of its own, so it cannot be counted once"),
    ({"changes": {"a": 1}}, "the decision is to halt and carries changes; only 'modify' may"),
]


@pytest.mark.parametrize(
    ("said", "reason"), WRONG, ids=lambda value: next(iter(value)) if isinstance(value, dict) else ""
)
def test_each_statement_that_does_not_count_has_its_own_reason(home: Path, said: dict[str, Any], reason: str) -> None:
    assert reason == ruled(home, statement(home, **said))


def test_a_forged_statement_and_one_of_a_stranger_do_not_count(home: Path, tmp_path: Path) -> None:
    keys.create(tmp_path, "anna", ("secops",))
    token = statement(home)

    assert "registered to nobody" in ruled(home, statement(tmp_path))
    assert "the signature does not fit" in ruled(home, token[:-6] + "AAAAAA")


def test_nobody_halts_at_a_gate_of_a_mission(home: Path) -> None:
    hearing = office.hearing(keys.sign(home, "anna", claims(verb="halt", comment="x")))

    assert "the decision is to halt, which nobody can at a gate" == judge(hearing, keys.registered(home)).reason


def test_a_halt_approves_nothing(home: Path) -> None:
    """Its token lies in a public place; whoever reads it there cannot act with it."""
    grant = Grant(subject=ASKED.subject, nonce=ASKED.nonce, tokens=(statement(home),))
    with pytest.raises(Refusal, match="to halt, not to approve"):
        approvals(grant, keys.registered(home), NOW)


@dataclass
class Server:
    """A server that answers with a table, or as it is told to."""

    table: HaltTable = field(default_factory=HaltTable)
    broken: RPCError | None = None
    asked: int = 0

    def get_workflow_handle(self, _: str) -> "Server":
        return self

    async def describe(self, **_: Any) -> Any:
        self.asked += 1
        if self.broken is not None:
            raise self.broken

        async def memo_value(_: str, *, type_hint: type) -> HaltTable:
            del type_hint
            return self.table

        return SimpleNamespace(memo_value=memo_value)


@dataclass
class Watch:
    """A lookout with a clock that the test turns."""

    server: Server = field(default_factory=Server)
    now: float = 1_000.0

    def __post_init__(self) -> None:
        self.lookout = Lookout(self.server, clock=lambda: self.now)  # type: ignore[arg-type]

    async def targets(self, **wanted: Any) -> list[str]:
        return [halt.target for halt in await self.lookout(**wanted)]


def down(status: RPCStatusCode = RPCStatusCode.UNAVAILABLE) -> RPCError:
    return RPCError("it is down", status, b"")


async def test_what_stands_in_the_way_is_the_agent_the_tool_or_one_of_the_teams() -> None:
    halts = tuple(Halt(target=target) for target in ("agent:ann", "tool:ann", "team:blue"))
    watch = Watch(Server(HaltTable(halts=halts)))

    assert ["agent:ann"] == await watch.targets(agent="ann", teams=("red", ""))
    assert ["tool:ann"] == await watch.targets(tool="ann")
    assert ["team:blue"] == await watch.targets(agent="ben", teams=("red", "blue"))
    assert [] == await watch.targets(agent="blue", tool="blue", teams=("ann",))


async def test_the_table_is_read_once_in_two_seconds_and_what_is_new_is_known_then() -> None:
    watch = Watch()
    before = [await watch.targets(tool="isolate_host") for _ in range(50)]
    watch.server.table = HaltTable(halts=(HALT,))
    watch.now += FRESH - 0.1
    still = await watch.targets(tool="isolate_host")
    watch.now += 0.1

    assert ([[]] * 50, [], 1) == (before, still, watch.server.asked)
    assert ["tool:isolate_host"] == await watch.targets(tool="isolate_host")


async def test_a_table_that_was_never_made_halts_nothing() -> None:
    assert [] == await Watch(Server(broken=down(RPCStatusCode.NOT_FOUND))).targets(tool="isolate_host")


async def test_a_table_that_cannot_be_read_halts_everything_after_some_seconds_until_it_can() -> None:
    watch = Watch()
    await watch.targets(tool="file")
    watch.server.broken = down()
    watch.now += TRUSTED
    trusted = await watch.targets(tool="file")
    watch.now += 0.1
    [halt] = await watch.lookout(tool="file")
    watch.server.broken, watch.now = None, watch.now + FRESH

    assert ([], HALTS) == (trusted, halt.target)
    assert "cannot be read, so nothing begins: RPCError: it is down" in str(halt)
    assert [] == await watch.targets(tool="file")


async def test_a_worker_that_has_never_read_the_table_begins_nothing() -> None:
    assert [HALTS] == await Watch(Server(broken=down())).targets(tool="file")


async def test_a_server_that_does_not_answer_is_not_asked_by_everybody_in_turn() -> None:
    watch = Watch(Server(broken=down()))
    for _ in range(20):
        await watch.targets(tool="file")

    assert 1 == watch.server.asked


@pytest.mark.parametrize("other", [HaltTable(), HaltTable(turns={HALT.target: 1})])
async def test_an_older_table_in_the_place_of_the_one_that_was_read_lifts_nothing(other: HaltTable) -> None:
    """Who reaches the server can end the table and put a copy of what it once was there, or have it forgotten."""
    known = HaltTable(halts=(HALT,), turns={HALT.target: 2})
    watch = Watch(Server(known))
    assert [HALT.target] == await watch.targets(tool="isolate_host")
    watch.server.table, watch.now = other, watch.now + FRESH
    assert [HALT.target] == await watch.targets(tool="isolate_host")
    watch.now += TRUSTED
    [halt] = await watch.lookout(tool="isolate_host")
    assert (HALTS, True) == (halt.target, "older than what it was, at tool:isolate_host" in halt.reason)

    watch.server.table, watch.now = HaltTable(turns={HALT.target: 3}), watch.now + FRESH
    assert [] == await watch.targets(tool="isolate_host")


async def test_watching_ends_with_the_lifting_and_fails_until_then_to_be_tried_again() -> None:
    watch = Watch(Server(HaltTable(halts=(HALT,))))
    wanted = HaltWatch(path="file", targets=(HALT.target,))
    error = await failing(stage().run(watch.lookout.watch, wanted))
    watch.server.table, watch.now = HaltTable(), watch.now + FRESH

    assert ("unfinished", False) == (error.type, error.non_retryable)
    assert await stage().run(watch.lookout.watch, wanted)


async def test_watching_for_a_table_that_could_not_be_read_ends_when_it_can() -> None:
    watch = Watch(Server(broken=down()))
    wanted = HaltWatch(path="file", targets=(HALTS,))
    error = await failing(stage().run(watch.lookout.watch, wanted))
    watch.server.broken, watch.now = None, watch.now + FRESH

    assert "cannot be read" in error.message
    assert await stage().run(watch.lookout.watch, wanted)


async def test_a_workflow_that_holds_no_table_under_its_id_halts_everything(client: Client) -> None:
    """Whoever put it there, a halt cannot be read from it."""
    id_ = f"no-table-{datetime.now(UTC).timestamp()}"
    await client.start_workflow(LOCKS, LocksInput(), id=id_, task_queue="nobody")
    with pytest.raises(Unread, match="holds no table"):
        await read_table(client, id_)


async def test_a_table_that_was_ended_by_force_still_counts(client: Client) -> None:
    id_ = f"ended-{datetime.now(UTC).timestamp()}"
    table = HaltTable(halts=(HALT,))
    handle = await client.start_workflow(HALTS, id=id_, task_queue="nobody", memo={TABLE: table})
    await handle.terminate()

    assert table == await read_table(client, id_)


def braked(home: Path, servers: ToolServers, *targets: str) -> ActionExecutor:
    watch = Watch(Server(HaltTable(halts=tuple(Halt(target=target, by="anna", reason="harm") for target in targets))))
    authority = Authority(tools(), Directory(home / "people.yaml"), office.lineage, policy=OPEN)
    return ActionExecutor(tools(), servers, authority, watch.lookout)


@pytest.mark.parametrize(("target", "team"), [("tool:file_ticket", ""), ("team:blue", "blue")])
async def test_a_tool_that_is_halted_is_not_called(
    home: Path, servers: ToolServers, service: Service, target: str, team: str
) -> None:
    executor = braked(home, servers, target)
    error = await failing(stage().run(executor.execute, call("file_ticket", arguments={"title": "x"}, team=team)))
    what = target.replace(":", " ")

    assert f"file_ticket was not begun: {what} is halted by anna: harm" == error.message
    assert ("halted", "no", False) == told(error)
    assert ([target], 0) == ([one["target"] for one in error.details[0]["halts"]], error.details[0]["spent"])
    assert [] == service.calls


async def test_an_attempt_that_is_halted_after_others_cannot_say_that_nothing_was_done(
    home: Path, servers: ToolServers
) -> None:
    executor = braked(home, servers, "tool:file_ticket")
    error = await failing(stage(attempt=3).run(executor.execute, call("file_ticket", arguments={"title": "x"})))

    assert ("halted", "unknown", False, 2) == (*told(error), error.details[0]["spent"])


async def test_an_undoing_is_stopped_by_its_own_tool_s_halt_alone(home: Path, servers: ToolServers) -> None:
    undo = call("release_host", undoes="isolate_host", team="blue")
    free = await failing(stage().run(braked(home, servers, "team:blue", "tool:isolate_host").execute, undo))
    held = await failing(stage().run(braked(home, servers, "tool:release_host").execute, undo))

    assert ("refused", "halted") == (free.type, held.type)


def runner(servers: ToolServers, *targets: str) -> AgentRunner:
    watch = Watch(Server(HaltTable(halts=tuple(Halt(target=target, by="anna", reason="harm") for target in targets))))
    minds = {name: mind.model_copy(update={"team": "blue"}) for name, mind in MINDS.items()}
    return AgentRunner(minds, tools(), servers, watch.lookout, policy=OPEN)


@pytest.mark.parametrize("target", ["agent:answer", "team:blue", "team:red"])
async def test_an_agent_that_is_halted_is_not_asked(servers: ToolServers, service: Service, target: str) -> None:
    """By its name, by its own team, or by the team of the mission that asks."""
    error = await failing(stage().run(runner(servers, target).run, agent_call(team="red")))

    assert ("halted", "no", False) == told(error)
    assert [] == service.calls


@pytest.mark.parametrize("mind", ["answer", "plain", "careless"])
async def test_an_agent_whose_tool_is_halted_is_asked_again_later_whatever_it_makes_of_that(
    servers: ToolServers, service: Service, mind: str
) -> None:
    error = await failing(stage().run(runner(servers, "tool:look").run, agent_call(mind)))

    assert ("halted", "no", False) == told(error)
    assert "look was not begun: tool look is halted by anna: harm" == error.message
    assert [] == service.calls


async def test_an_agent_cannot_say_itself_that_it_was_halted(servers: ToolServers) -> None:
    error = await failing(stage().run(runner(servers).run, agent_call("pretender")))

    assert ("tool_failed", "no", True) == told(error)


def test_a_gate_s_approval_is_no_halt(home: Path) -> None:
    approval = keys.sign(home, "anna", claims())

    assert "the decision is for mission 'mission-1', not for this one" == ruled(home, approval)
