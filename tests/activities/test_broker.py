"""Credentials for a call: issued after every check, for this call alone, and shown to the tool's own server."""

import time
from pathlib import Path

import jwt
import pytest

from activities import keys, public_key, service_keys
from activities.actions import ActionExecutor
from activities.authority import Authority
from activities.broker import Broker
from activities.mcp_tools import ToolServers
from activities.people import Directory
from contracts.base import digest
from contracts.credential import StepCredential
from contracts.workspace import Server
from tests.activities import office
from tests.activities.activity_stage import failing, stage, told
from tests.activities.office import call, lineage
from tests.activities.service import Service, tools
from tests.policies import OPEN


@pytest.fixture(scope="module")
def brokered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("brokered")
    office.populate(home)
    service_keys.make(home, "broker")
    return home


def executor(home: Path, service: Service, servers: ToolServers, credential: str = "step") -> ActionExecutor:
    contracts = {name: one.model_copy(update={"resource": "host"}) for name, one in tools().items()}
    places = {"company": Server.model_validate({"url": service.url, "credential": credential})}
    authority = Authority(contracts, Directory(home / "people.yaml"), lineage, policy=OPEN)
    return ActionExecutor(contracts, servers, authority, broker=Broker(home, places, lineage))


def read(home: Path, bearer: str) -> StepCredential:
    kind, _, token = bearer.partition(" ")
    [spelt] = service_keys.public(home)["broker"]
    header = jwt.get_unverified_header(token)
    assert ("Bearer", "gonogo-step+jwt", "EdDSA", public_key.kid(spelt)) == (
        kind,
        header["typ"],
        header["alg"],
        header["kid"],
    )
    claims = jwt.decode(token, public_key.load(spelt), ["EdDSA"], audience="company", issuer="gonogo/broker")
    return StepCredential.model_validate(claims)


async def test_an_approved_call_shows_who_approved_it_and_for_whom(
    brokered: Path, service: Service, servers: ToolServers
) -> None:
    sent = call(grant=office.grant(brokered, office.subject(), "anna"))
    await stage().run(executor(brokered, service, servers).execute, sent)
    await stage(attempt=2).run(executor(brokered, service, servers).execute, sent)

    first, second = (read(brokered, one.headers["authorization"]) for one in service.calls)
    assert ("mission-1", "run-1", "remediate/isolate") == (first.mission, first.first_run, first.step)
    assert ("isolate_host", "web-01", digest({"host": "web-01"})) == (first.tool, first.resource, first.arguments)
    assert (sent.key, "rita", ("anna",)) == (first.key, first.sub, first.approved_by)
    assert 0 < first.exp - time.time() <= 120
    assert first.jti != second.jti, "each attempt has one of its own"
    assert first.key == second.key


async def test_a_call_that_nobody_approves_is_for_whom_the_mission_names(
    brokered: Path, service: Service, servers: ToolServers
) -> None:
    sent = call("ring_once", arguments={"title": "x"}).model_copy(update={"requested_by": "noor"})
    await stage().run(executor(brokered, service, servers).execute, sent)

    issued = read(brokered, service.calls[0].headers["authorization"])
    assert ("file_ticket", "noor", ()) == (issued.tool, issued.sub, issued.approved_by), "as its server calls it"


async def test_a_server_that_wants_none_gets_none(brokered: Path, service: Service, servers: ToolServers) -> None:
    await stage().run(executor(brokered, service, servers, "none").execute, call("file_ticket", arguments={}))
    await servers.call("look", tools()["look"], {"host": "web-01"})

    assert [False, False] == ["authorization" in one.headers for one in service.calls]


async def test_without_the_broker_s_key_nothing_is_sent(tmp_path: Path, service: Service, servers: ToolServers) -> None:
    keys.create(tmp_path, "anna", ("secops",))
    error = await failing(stage().run(executor(tmp_path, service, servers).execute, call("file_ticket", arguments={})))

    why = f"there is no key at {tmp_path}/services/broker.pem; 'gonogo keys make broker' makes one"
    assert f"file_ticket was refused: its server wants a credential, and none can be issued: {why}" in error.message
    assert ("refused", "no", False) == told(error)
    assert [] == service.calls
