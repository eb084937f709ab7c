"""The services without Docker: their own command lines, variables and health checks, against the real server.

Addresses and folders are replaced, and nothing else. Each run has a namespace of its own.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from deployment_file import BIN, ROOT, scripts, words
from sqlalchemy import text
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

from activities.books.database import Database
from contracts.attributes import ATTRIBUTES
from starter.ports import free_port
from tests.postgres import postgres_serving

pytestmark = pytest.mark.slow  # Until every part of a server knows a new namespace, polls are refused for seconds.
PATIENCE = 180.0
"""Five programs are imported at once, and each takes three seconds of a processor to itself."""
ALERT = ROOT / "missions" / "incident_triage" / "alerts" / "large_upload.json"


class Machine:
    """This machine in the place of all containers."""

    def __init__(self, services, folder: Path, address: str, books: Path) -> None:
        self.services, self.namespace = services, f"cluster-{uuid.uuid4().hex[:8]}"
        port = str(free_port())
        self.places = {
            "temporal:7233": address,
            "//company:8765": f"//127.0.0.1:{port}",
            "127.0.0.1:8765": f"127.0.0.1:{port}",
            "8765": port,
            "/app/missions": str(ROOT / "missions"),
            "@books/gonogo": f"@/postgres?host={books}",
            "/var/lib/gonogo": str(folder / "home"),
            "/var/lib/payloads": str(folder / "payloads"),
            "/var/lib/sealing": str(folder / "sealing"),
            "/var/lib/company": str(folder),
            "--namespace default": f"--namespace {self.namespace}",
        }
        self.running: list[subprocess.Popen[bytes]] = []
        self.log = (folder / "log").open("w+b")

    def here(self, text: str) -> str:
        """Return what stands for a text here. Each place is replaced once, the longest first."""
        for number, place in enumerate(self.places):
            text = text.replace(place, f"\0{number}\0")
        for number, stands in enumerate(self.places.values()):
            text = text.replace(f"\0{number}\0", stands)
        return text

    def environment(self, name: str) -> dict[str, str]:
        said = self.services[name].get("environment", {})
        here = {key: "" if value is None else self.here(value) for key, value in said.items()}
        path = {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": self.here("/var/lib/gonogo")}
        return path | here | {"TEMPORAL_NAMESPACE": self.namespace}

    def line(self, name: str, *more: str) -> list[str]:
        line = [*(self.here(word) for word in words(self.services[name])), *more]
        return [sys.executable if word == "python" else word for word in line]

    def once(self, name: str) -> None:
        """Run a service that ends, as often as its restart policy allows."""
        policy, _, most = self.services[name]["restart"].partition(":")
        assert policy == "on-failure"
        for attempt in range(int(most) + 1):
            time.sleep(0 if attempt == 0 else 0.1 * 2**attempt)  # as Docker does
            if not self.run(self.line(name), name).returncode:
                return
        self.log.seek(0)
        raise AssertionError(f"{name} never succeeded:\n{self.log.read().decode()}")

    def run(self, line: list[str], name: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            line,
            env=self.environment(name),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self.log,
            check=False,
            timeout=180,
        )

    def start(self, name: str) -> None:
        process = subprocess.Popen(
            self.line(name), env=self.environment(name), cwd=ROOT, stdout=self.log, stderr=self.log
        )
        self.running.append(process)

    def healthy(self, name: str) -> bool:
        """Run a service's health check once."""
        kind, *line = self.services[name]["healthcheck"]["test"]
        line = ["/bin/sh", "-c", line[0]] if kind == "CMD-SHELL" else [sys.executable, *line[1:]]
        return self.run([self.here(word) for word in line], name).returncode == 0

    def becomes_healthy(self, name: str) -> bool:
        end = time.monotonic() + PATIENCE
        while not (well := self.healthy(name)) and time.monotonic() < end:
            time.sleep(0.3)
        return well

    def stop(self) -> None:
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(PATIENCE)
        self.log.close()


@pytest.fixture(scope="module")
def books():
    """A real PostgreSQL, with the owner that the file names."""
    with postgres_serving() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def machine(services, server, books, tmp_path_factory):
    """Everything up, in the order that the file asks for."""
    machine = Machine(services, tmp_path_factory.mktemp("machine"), server.address, books.home)
    try:
        machine.once("sealing")
        machine.once("keys")
        machine.once("signing")
        machine.once("recorder-key")
        machine.start("company")
        machine.once("namespace")
        machine.once("setup")
        machine.start("worker-missions")
        machine.start("worker-agents")
        machine.start("worker-tools")
        machine.start("recorder")
        yield machine
    finally:
        machine.stop()


@pytest.mark.parametrize("name", ["company", "worker-missions", "worker-agents", "worker-tools", "recorder"])
def test_a_service_becomes_healthy(machine, name):
    assert machine.becomes_healthy(name)


def test_the_company_answers_to_the_name_that_workers_call_it_by(machine):
    url = machine.services["worker-tools"]["environment"]["GONOGO_COMPANY_URL"]
    name = httpx.URL(url).netloc.decode()
    accept = {"host": name, "accept": "application/json, text/event-stream"}
    assert machine.becomes_healthy("company")
    answer = httpx.post(machine.here(url), json={"jsonrpc": "2.0", "id": 1, "method": "ping"}, headers=accept)

    assert "company:8765" == name
    assert 200 == answer.status_code


def test_the_health_check_of_a_worker_that_is_not_there_fails(machine):
    script = next(scripts(machine.services["worker-missions"])).replace("queue in gonogo", "queue in nobody-polls")

    assert machine.run(["/bin/sh", "-c", script], "worker-missions").returncode == 1


async def test_the_namespace_keeps_ended_missions_as_long_as_the_embedded_one(machine, client):
    ask = client.workflow_service.describe_namespace
    made = await ask(DescribeNamespaceRequest(namespace=machine.namespace))
    embedded = await ask(DescribeNamespaceRequest(namespace="default"))

    assert embedded.config.workflow_execution_retention_ttl == made.config.workflow_execution_retention_ttl
    assert embedded.config.history_archival_state == made.config.history_archival_state
    assert timedelta(days=1) == made.config.workflow_execution_retention_ttl.ToTimedelta()


async def test_setup_registers_the_search_attributes_of_missions(machine, client):
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=machine.namespace)
    )

    assert ATTRIBUTES.keys() <= listed.custom_attributes.keys()


def test_the_namespace_may_be_made_again(machine):
    machine.once("namespace")


def test_a_mission_goes_through_all_workers_to_its_verdict(machine):
    start = ["start", "incident_triage", "--input", str(ALERT), "--as", "noor", "--id", "first", "--follow", "--json"]
    line = [word for word in machine.line("operator") if word != "--help"]
    machine.run([*line, "people", "add", "noor"], "operator")
    done = machine.run([*line, *start], "operator")

    told = json.loads(done.stdout)

    assert (0, "completed", "dismiss") == (done.returncode, told["state"], told["verdict"])


async def test_the_archive_is_the_recorders_and_nobody_elses_role_owns_a_table(machine, books):
    """The mission before is archived by the recorder, and its cost stands in the books of the worker."""
    owner = Database(books.url)
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
    mighty = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'gonogo%' AND rolsuper"
    end = time.monotonic() + PATIENCE
    async with owner.reading() as connection:
        while (
            not (kept := await connection.scalar(text("SELECT count(*) FROM audit_heads"))) and time.monotonic() < end
        ):
            await asyncio.sleep(0.3)
        ran = await connection.scalar(text("SELECT count(*) FROM runs"))
        owned = [list(await connection.scalars(text(one))) for one in (owners, mighty)]
    await owner.close()

    assert [["gonogo"], ["gonogo"]] == owned
    assert kept == 1
    assert ran
