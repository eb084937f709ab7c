"""`gonogo costs`: what agents have spent, told by whom it was spent."""

import asyncio
import json
from pathlib import Path

import pytest

from activities.books.account import Account, Accounts, Run
from activities.books.database import Database
from contracts.money import Past, Range
from contracts.usage import Usage
from runtime.settings import Settings
from starter.cli import run as gonogo
from starter.costs import booked
from starter.foreseen import remembered, usual

DAY = 86_400.0


@pytest.fixture
def spent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Books in which two missions have spent, one of them a week before."""
    monkeypatch.setenv("GONOGO_HOME", str(tmp_path))
    asyncio.run(_spend(Database(Settings.read().books())))


async def _spend(database: Database) -> None:
    import time

    clock = [time.time() - 8 * DAY]
    books = Accounts(database, now=lambda: clock[0])
    rows = (("old", "writer", "openai:gpt", 1.0), ("new", "writer", "openai:gpt", 0.25), ("new", "counter", "", 0.0))
    for number, (mission, agent, model, usd) in enumerate(rows):
        run = Run(f"w{number}", 1, mission, "incident_triage", "ops", "draft", agent, model, 60.0)
        most = Usage(tokens=5_000, usd=2.0) if model else Usage()
        await books.reserve(run, most, Account(f"mission {mission}"), Account("team ops"))
        used = Usage(tokens=1_200, input_tokens=1_000, output_tokens=200, usd=usd, model_calls=2) if model else Usage()
        await books.settle(run.key, used.model_copy(update={"unpriced": 1_200 if mission == "new" and model else 0}))
        clock[0] = time.time()
    lost = Run("w9", 1, "new", "incident_triage", "ops", "draft", "writer", "openai:gpt", 60.0)
    await books.reserve(lost, Usage(tokens=5_000, usd=2.0), Account("mission new"), Account("team ops"))
    await database.close()


def told(capsys: pytest.CaptureFixture[str], *words: str) -> list[tuple[str, int, int, float, float]]:
    assert 0 == gonogo(["costs", "--json", *words])
    found = json.loads(capsys.readouterr().out)
    return [(one["name"], one["runs"], one["tokens"], one["usd"], one["at_most"]) for one in found]


def test_costs_are_added_up_by_whom_one_asks_for(spent: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert [("ops", 4, 7_400, 3.25, 2.0)] == told(capsys)
    assert [("new", 3, 6_200, 2.25, 2.0), ("old", 1, 1_200, 1.0, 0.0)] == told(capsys, "--by", "mission")
    assert [("new", 3, 6_200, 2.25, 2.0)] == told(capsys, "--by", "mission", "--since", "7d")
    assert [("openai:gpt", 3, 7_400, 3.25, 2.0), ("", 1, 0, 0.0, 0.0)] == told(capsys, "--by", "model")
    assert [("writer", 3, 7_400, 3.25, 2.0), ("counter", 1, 0, 0.0, 0.0)] == told(capsys, "--by", "agent")

    assert 0 == gonogo(["costs", "--by", "mission"])
    shown = capsys.readouterr().out
    assert "$2.00 of it at the most; nobody knows the price of 1,200 tokens" in shown


async def test_a_mission_is_shown_with_what_only_the_books_know(spent: None, tmp_path: Path) -> None:
    more = "6,200 tokens, $2.25 ($2.00 of it at the most; nobody knows the price of 1,200 tokens), with what was"
    assert (await booked("new", Usage(tokens=1_200, usd=0.25))).startswith(more)
    assert ["", ""] == [await booked("old", Usage(tokens=1_200, usd=1.0)), await booked("nowhere", Usage())]


async def test_a_mission_is_not_among_those_before_it(spent: None, tmp_path: Path) -> None:
    settings = Settings.read()
    before = await remembered(settings, "incident_triage", "new")

    assert (2, 1) == ((await remembered(settings, "incident_triage")).missions, before.missions)
    assert (1.0, 1.0) == (before.usd.most if before.usd else None, before.steps_usd["draft"].least)
    assert "no such mission has run yet" == usual(await remembered(settings, "another", "new"))


def test_nothing_spent_and_a_day_that_is_none_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GONOGO_HOME", str(tmp_path))

    assert 0 == gonogo(["costs"])
    assert "nothing was spent\n" == capsys.readouterr().out
    assert 2 == gonogo(["costs", "--since", "monday"])
    assert "--since is 'monday'; write '7d', '12h', or a day" in capsys.readouterr().err
    assert 2 == gonogo(["costs", "--by", "agnet"])
    assert "'--by': 'agnet' is not one of 'team', 'mission', 'agent', 'model'; " in capsys.readouterr().err


def test_missions_that_cost_nothing_are_told_in_two_words() -> None:
    nothing = Range(least=0, usual=0, most=0)

    assert "3 such missions before cost nothing" == usual(Past(missions=3, usd=nothing, tokens=nothing))


def test_an_estimate_knows_what_such_missions_cost_before(spent: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == gonogo(["estimate", "missions/incident_triage"])
    told = capsys.readouterr().out
    assert "before          2 such missions before cost $1.00 to $2.25, usually $1.62 for 3,700 tokens\n" in told

    assert 0 == gonogo(["estimate", "missions/incident_triage", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert {"least": 0.0, "usual": 0.25, "most": 1.0} == found["before"]["steps_usd"]["draft"]
