"""What the company's tools answer, and how they say no."""

import pytest
from company_program import ask, use
from mcp.client.client import Client

from demo.ledger import effects
from demo.seed import build_world
from demo.server import CompanyServer
from demo.store import Store

DAY = {"since": "2026-11-03T00:00:00Z", "until": "2026-11-03T23:59:59Z"}


def rejection(result):
    assert result.is_error
    assert (result.structured_content["applied"], result.structured_content["retry"]) == ("no", False)
    assert result.content[0].text == result.structured_content["reason"]
    return result.structured_content["reason"]


async def test_the_siem_holds_every_alert_as_a_detection_finding(company: CompanyServer):
    alerts = build_world()["alerts"]
    async with Client(company) as client:
        for alert in alerts:
            found = await ask(client, "get_alert", uid=alert["finding_info"]["uid"])

            assert {"found": True, "alert": alert} == found
    assert [(2004, 200401)] * 6 == [(alert["class_uid"], alert["type_uid"]) for alert in alerts]


async def test_an_alert_nobody_knows_is_not_found(company: CompanyServer):
    async with Client(company) as client:
        assert {"found": False, "alert": None} == await ask(client, "get_alert", uid="none")


@pytest.mark.parametrize(
    ("field", "value"), [("host", "fin-ws-07"), ("user", "mara.lindqvist"), ("address", "203.0.113.77")]
)
async def test_related_events_share_what_was_searched_for(company: CompanyServer, field: str, value: str):
    async with Client(company) as client:
        answer = await ask(client, "related_events", **{field: value}, **DAY)

    expected = [
        event for event in build_world()["events"] if event[field] == value and event["at"].startswith("2026-11-03")
    ]
    assert expected
    assert {"events": expected, "truncated": False} == answer


async def test_related_events_says_when_there_are_more(company: CompanyServer):
    async with Client(company) as client:
        answer = await ask(client, "related_events", host="fin-ws-07", limit=3, **DAY)

    assert (3, True) == (len(answer["events"]), answer["truncated"])


async def test_times_in_other_zones_mean_the_same_moment(company: CompanyServer):
    shifted = {"since": "2026-11-03T02:00:00+02:00", "until": "2026-11-04T01:59:59+02:00"}
    async with Client(company) as client:
        expected = await ask(client, "related_events", host="fin-ws-07", **DAY)

        assert expected == await ask(client, "related_events", host="fin-ws-07", **shifted)


@pytest.mark.parametrize(("since", "word"), [("yesterday", "is no time"), ("2026-11-03T00:00:00", "has no zone")])
async def test_a_time_that_is_none_is_rejected_with_an_example(company: CompanyServer, since: str, word: str):
    async with Client(company) as client:
        reason = rejection(await use(client, "related_events", host="web-01", since=since, until=DAY["until"]))

    assert word in reason
    assert "2026-11-03T09:42:00Z" in reason


async def test_a_search_for_nothing_in_particular_is_rejected(company: CompanyServer):
    async with Client(company) as client:
        assert "name a host" in rejection(await use(client, "related_events", **DAY))


async def test_an_asset_is_found_by_name_in_any_case_and_by_address(company: CompanyServer):
    async with Client(company) as client:
        by_name = await ask(client, "get_asset", host="DC-01")
        by_address = await ask(client, "get_asset", host="10.20.3.11")

    assert by_name == by_address
    assert ("critical", "Gwen Hollis") == (by_name["asset"]["criticality"], by_name["owner"]["name"])


async def test_a_host_outside_the_inventory_is_not_found(company: CompanyServer):
    async with Client(company) as client:
        assert {"found": False, "asset": None, "owner": None} == await ask(client, "get_asset", host="ghost-01")


async def test_changes_are_those_whose_window_touches_the_time(company: CompanyServer):
    async with Client(company) as client:
        inside = await ask(
            client, "recent_changes", host="scan-01", since="2026-11-04T23:00:00Z", until="2026-11-05T23:00:00Z"
        )
        after = await ask(
            client, "recent_changes", host="scan-01", since="2026-11-04T23:31:00Z", until="2026-11-05T23:00:00Z"
        )

    assert ["vulnerability_scan"] == [change["kind"] for change in inside["changes"]]
    assert [] == after["changes"]


async def test_an_indicator_that_nobody_knows_has_an_unknown_reputation(company: CompanyServer):
    async with Client(company) as client:
        known = await ask(client, "lookup_indicator", value="203.0.113.77")
        unknown = await ask(client, "lookup_indicator", value="203.0.113.78")

    assert ("malicious", 92) == (known["reputation"], known["confidence"])
    assert {"found": False, "value": "203.0.113.78", "reputation": "unknown", "confidence": 0} == unknown


async def test_knowledge_is_found_by_its_words_whatever_their_ending(company: CompanyServer):
    async with Client(company) as client:
        answer = await ask(client, "search_knowledge", query="beacons to commands", limit=2)

    assert answer["documents"][0]["title"] == "Runbook: beaconing to a command server"


@pytest.mark.parametrize(
    ("query", "found"), [("NEAR(beacon)", True), ("title:beaconing OR", True), ("beacon* AND (", True), ('"', False)]
)
async def test_a_query_in_the_index_s_own_language_is_read_as_plain_words(
    company: CompanyServer, query: str, found: bool
):
    async with Client(company) as client:
        assert found == bool((await ask(client, "search_knowledge", query=query))["documents"])


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("isolate_host", {"host": "web-01", "reason": "r"}, "case: Field required"),
        ("isolate_host", {"host": 7, "reason": "r", "case": "c"}, "host: Input should be a valid string"),
        ("isolate_host", {"host": "", "reason": "r", "case": "c"}, "host: String should have at least 1 character"),
        ("isolate_host", {"host": "web-01", "reasn": "r", "case": "c"}, "isolate_host knows no argument 'reasn'"),
        ("isolate_host", {"host": "ghost-01", "reason": "r", "case": "c"}, "no host is named 'ghost-01'"),
        ("release_host", {"host": "ghost-01", "case": "c"}, "no host is named 'ghost-01'"),
        ("open_ticket", {"case": "c", "title": "t", "body": "b", "severity": "awful"}, "severity: Input should be"),
        ("wipe_host", {"host": "web-01"}, "no tool is named 'wipe_host'"),
    ],
)
async def test_a_wrong_call_is_rejected_and_nothing_was_applied(
    company: CompanyServer, store: Store, tool: str, arguments: dict[str, object], words: str
):
    async with Client(company) as client:
        reason = rejection(await use(client, tool, key="k1", **arguments))

    assert words in reason
    assert [] == effects(store)
