"""Operators at the command line: they pause, guide, begin anew and abort, and are told what came of it."""

import asyncio

import pytest


async def until(gonogo, mission, found):
    async with asyncio.timeout(30):
        while True:
            told = await gonogo("show", mission, "--json")
            if found(told.json):
                return told.json
            await asyncio.sleep(0.05)


async def test_a_mission_is_paused_guided_begun_anew_and_resumed(gonogo, waiting):
    steered = [
        await gonogo("pause", waiting, "--reason", "a look first", "--as", "lena"),
        await gonogo("note", waiting, "look", "mind the proxy", "--as", "lena"),
        await gonogo("rollback", waiting, "--to", "look", "--reason", "look again", "--as", "lena"),
    ]
    shown = await gonogo("show", waiting)
    resumed = await gonogo("resume", waiting, "--as", "lena")
    view = await until(gonogo, waiting, lambda view: view["waiting"])

    assert [0, 0, 0, 0] == [told.code for told in (*steered, resumed)]
    assert "● pause: paused" in steered[0].out
    assert "● note at look: the agent sees it when it runs again" in steered[1].out
    assert "● rollback at look: undone back to it: nothing had been done" in steered[2].out
    assert "paused by lena: a look first; gonogo resume" in shown.out
    assert ["pause", "note", "rollback", "resume"] == [one["verb"] for one in view["commands"]]
    assert [1, 1] == [record["generation"] for record in view["records"]]


async def test_abort_ends_it_and_says_how_to_see_that(gonogo, waiting):
    told = await gonogo("abort", waiting, "--reason", "not today", "--as", "lena")
    followed = await gonogo("follow", waiting)
    late = await gonogo("retry", waiting, "isolate", "--reason", "after all", "--as", "lena")

    assert (0, 1) == (told.code, followed.code)
    assert "aborted  lena aborted it: not today" in followed.out
    assert (1, True) == (late.code, f"`gonogo rerun {waiting} --from STEP` begins it anew" in late.err)


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (("pause", "--reason", "x", "--as", "otto"), 1, "refused: otto is none of the operators: "),
        (("skip", "nowhere", "--reason", "x", "--as", "lena"), 1, "this mission has no step 'nowhere'; it has look"),
        (("skip", "look", "--reason", "x", "--as", "lena"), 1, "look has succeeded; roll back to it, or amend what it"),
        (("retry", "report", "--reason", "x", "--as", "lena"), 1, "refused: report has not begun"),
        (("pause", "--reason", " ", "--as", "lena"), 2, "say why: --reason 'what happened'"),
        (("abort", "--reason", "x"), 2, "who steers? add --as PERSON to gonogo abort, or set GONOGO_PERSON"),
        (("rerun", "--from", "look", "--as", "lena"), 1, "still runs: `gonogo retry"),
    ],
)
async def test_what_cannot_be_done_is_one_sentence(gonogo, waiting, line, code, said):
    verb, *rest = line
    told = await gonogo(verb, waiting, *rest)

    assert (code, 1) == (told.code, len(told.err.splitlines()))
    assert said in told.err


async def test_a_mission_that_has_ended_begins_anew_from_a_step(gonogo, waiting):
    await gonogo("abort", waiting, "--reason", "not today", "--as", "lena")
    await gonogo("follow", waiting)
    early = await gonogo("rerun", waiting, "--from", "report", "--as", "otto")
    told = await gonogo("rerun", waiting, "--from", "isolate", "--as", "otto", "--json")
    again = f"{waiting}-rerun"
    view = await until(gonogo, again, lambda view: view["waiting"])
    [first, *_] = (await gonogo("audit", again, "--json")).json

    assert ("mission started", f"{waiting} from isolate") == (first["what"], first["detail"]["rerun_of"])
    assert (1, True) == (early.code, "isolate comes before report and was not done; begin from there" in early.err)
    assert (0, again, waiting) == (told.code, told.json["id"], told.json["rerun_of"])
    assert ["look", "isolate"] == [record["path"] for record in view["records"]]
    assert "otto" == view["requested_by"]
    await gonogo("abort", again, "--reason", "enough", "--as", "lena")
