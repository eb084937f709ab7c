"""What the agents propose for the shipped alerts, and that nothing but the evidence decides it."""

import pytest
from other_world import changed, tell_otherwise, without
from triage_desk import AGENTS, ALERTS, OpenDesk, load_alert

from demo.seed import build_world

EXPECTED = {
    "beaconing_workstation": ("auto_remediate", "sure"),
    "encrypting_workstation": ("auto_remediate", "sure"),
    "internal_port_sweep": ("dismiss", "sure"),
    "large_upload": ("dismiss", "sure"),
    "directory_credentials": ("escalate", "sure"),
    "unlikely_travel": ("dismiss", "below the floor"),
}


def stand(answer):
    floor = AGENTS["correlator"].confidence_floor
    return answer["verdict"], "sure" if answer["confidence"] >= floor else "below the floor"


def test_every_shipped_alert_is_expected_to_lead_somewhere():
    assert set(EXPECTED) == {path.stem for path in ALERTS.iterdir()}
    assert {"auto_remediate", "dismiss", "escalate"} == {
        verdict for verdict, sure in EXPECTED.values() if sure == "sure"
    }


@pytest.mark.parametrize("name", EXPECTED)
async def test_each_alert_leads_to_its_verdict(open_desk: OpenDesk, name: str):
    async with open_desk() as desk:
        answer = await desk.triage(load_alert(name))

    assert EXPECTED[name] == stand(answer)


@pytest.mark.parametrize("seed", range(4))
async def test_names_words_order_and_dates_decide_nothing(open_desk: OpenDesk, seed: int):
    world = tell_otherwise(build_world(), seed)
    for alert in build_world()["alerts"]:
        assert alert["device"]["hostname"] not in str(world)
    names = {name: load_alert(name)["finding_info"]["attacks"] for name in EXPECTED}
    by_attack = {str(attacks): name for name, attacks in names.items()}
    async with open_desk(world) as desk:
        found = {
            by_attack[str(alert["finding_info"]["attacks"])]: await desk.triage(alert) for alert in world["alerts"]
        }

    assert EXPECTED == {name: stand(found[name]) for name in EXPECTED}


async def test_the_same_numbers_come_out_of_a_world_told_otherwise(open_desk: OpenDesk):
    async with open_desk() as desk:
        expected = (await desk.triage(load_alert("beaconing_workstation")))["probability"]
    world = tell_otherwise(build_world(), seed=11)
    (alert,) = (one for one in world["alerts"] if one["finding_info"]["attacks"][0]["technique"]["uid"] == "T1071")
    async with open_desk(world) as desk:
        assert expected == (await desk.triage(alert))["probability"]


WORLD = build_world()
QUIET = {"events": [], "changes": [], "indicators": [], "documents": []}


@pytest.mark.parametrize(
    ("name", "world", "expected"),
    [
        pytest.param(
            "internal_port_sweep",
            without(WORLD, "changes", host="scan-01"),
            ("dismiss", "below the floor"),
            id="a sweep outside a change window is for people",
        ),
        pytest.param(
            "internal_port_sweep",
            changed(WORLD, "changes", {"host": "scan-01"}, status="rejected"),
            ("dismiss", "below the floor"),
            id="a change that was rejected explains nothing",
        ),
        pytest.param(
            "large_upload",
            changed(
                changed(WORLD, "indicators", {"reputation": "benign"}, reputation="malicious"),
                "changes",
                {"host": "bak-02"},
                host="bak-01",
            ),
            ("auto_remediate", "sure"),
            id="bad indicators and no change outweigh a habit",
        ),
        pytest.param(
            "beaconing_workstation",
            changed(WORLD, "assets", {"host": "fin-ws-07"}, criticality="critical"),
            ("escalate", "sure"),
            id="a critical host is for people",
        ),
        pytest.param(
            "beaconing_workstation",
            without(WORLD, "assets", host="fin-ws-07"),
            ("escalate", "sure"),
            id="a host that nobody knows is for people",
        ),
        pytest.param(
            "beaconing_workstation",
            {**WORLD, **QUIET},
            ("auto_remediate", "below the floor"),
            id="an alert alone convinces nobody",
        ),
        pytest.param(
            "directory_credentials",
            changed(WORLD, "assets", {"host": "dc-01"}, criticality="medium"),
            ("escalate", "sure"),
            id="what has moved on is not ended by one isolation",
        ),
        pytest.param(
            "directory_credentials",
            without(
                changed(WORLD, "assets", {"host": "dc-01"}, criticality="medium"), "events", tactic="Lateral Movement"
            ),
            ("auto_remediate", "sure"),
            id="what sits on one common host is isolated",
        ),
    ],
)
async def test_the_evidence_decides(open_desk: OpenDesk, name: str, world: dict, expected: tuple[str, str]):
    async with open_desk(world) as desk:
        assert expected == stand(await desk.triage(load_alert(name)))


async def test_the_reasoning_names_each_source_and_adds_up(open_desk: OpenDesk):
    async with open_desk() as desk:
        answer = await desk.triage(load_alert("internal_port_sweep"))

    assert {"change CHG-4100", "earlier events", "knowledge"} >= {
        piece["source"] for piece in answer["evidence"] if piece["weight"] < 0
    }
    assert any("probability of harm 0.01" in line for line in answer["reasoning"])
    assert answer["reasoning"][-1] in answer["explanation"]


async def test_links_are_by_shared_host_user_and_address_nearest_first(open_desk: OpenDesk):
    async with open_desk() as desk:
        answer = await desk.triage(load_alert("directory_credentials"))

    links = answer["links"]
    assert sorted((link["strength"] for link in links), reverse=True) == [link["strength"] for link in links]
    assert {"vpn-01", "dc-01", "dc-02", "db-01"} <= {link["host"] for link in links}
    assert ["host", "user", "address"] == links[0]["shared"]
