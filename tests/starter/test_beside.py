"""What a person is told beside a question: worked out from the plan that is signed, and the cost is signed too."""

from stage import given, wait_at_gate

from contracts.usage import Usage
from starter.beside import read_plan, tell
from starter.launch import launch
from starter.state import read_gates


async def test_a_person_is_told_the_risk_the_ways_on_and_back_and_whose_words_they_read(gonogo, waiting):
    told = await gonogo("show", waiting, "isolate")

    for line in (
        "finding  ❝ agent looker",
        "words of         host: who asked for it",
        "reason: agent looker",
        "risk             reversible: it can be undone",
        "if approved      isolate_host runs with exactly these arguments",
        "if rejected      the mission ends as refused, and what it did is undone",
        "at the deadline  it counts as rejected: the mission ends as refused, and what it did is undone",
        "way back         │ release_host undoes isolate_host, should the mission come to nothing later",
        "cost             1 agent run, 2 tool calls, 0.1s of work, $0.00 so far; the whole mission takes 1 agent run,",
        "asked for by     otto",
    ):
        assert line in told.out, told.out


async def test_what_it_had_cost_is_part_of_what_is_signed(client, waiting):
    (gate,) = await read_gates(client, waiting)

    assert Usage(agent_runs=1, tool_calls=2, seconds=0.1) == gate.subject.spent
    assert gate.digest != gate.subject.model_copy(update={"spent": Usage()}).digest()


async def test_a_plan_that_is_not_the_one_that_is_signed_tells_nothing(client, waiting):
    (gate,) = await read_gates(client, waiting)
    other = gate.model_copy(update={"subject": gate.subject.model_copy(update={"plan_digest": "sha256:0"})})

    assert (await tell(client, gate)).briefing is not None
    assert (await tell(client, other)).briefing is None


async def test_the_plan_is_read_without_the_mission(client, cast):
    mission = "check-nobody-serves"
    order = given()
    await launch(client, order, mission)

    assert order.plan == await read_plan(client, mission, order.plan.digest)


async def test_a_mission_whose_plan_cannot_be_told_says_so_where_it_asks(gonogo, client, cast):
    mission = await wait_at_gate(client)
    (gate,) = await read_gates(client, mission)

    from starter.beside import Told, rows

    ((name, text),) = rows(gate, Told(None))
    assert ("risk", True) == (name, "cannot be told" in str(text))
