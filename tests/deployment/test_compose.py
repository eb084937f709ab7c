"""docker-compose.yml: what it names exists, and what it sets is what the embedded server has."""

import json
import re
import subprocess

import pytest
import yaml
from deployment_check import (
    careless_waits,
    image,
    misplaced_queues,
    privileges,
    queues,
    unread_variables,
    wrong_commands,
)
from deployment_file import BIN, PASSWORDS, ROOT, compose, render, words

from runtime.settings import Settings
from starter.codec import PORT as CODEC_PORT
from starter.ports import HOST
from starter.server import TUNING, command
from starter.stack import Ports

PORTS = Ports()
TUNED = ("temporal", "may write in its image")
"""Compose can lay a setting of its file only into a container that is not read-only."""


def test_the_file_fits_the_compose_specification(text):
    done = compose(text, "--quiet", **PASSWORDS)

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("healthcheck:", "helthcheck:", ".helthcheck false schema"),
        ("service_healthy", "service_helthy", "must be one of"),
        ('"registry:/var/lib/gonogo:ro"', '"regstry:/var/lib/gonogo:ro"', "undefined volume regstry"),
        ("networks: [database]", "networks: [databse]", "undefined network databse"),
        ("source: tuning", "source: tunning", "undefined config tunning"),
        ("    setup: {condition", "    stup: {condition", 'depends on undefined service "stup"'),
    ],
)
def test_what_does_not_fit_the_specification_is_refused(text, right, wrong, said):
    done = compose(planted(text, {right: wrong}), "--quiet", **PASSWORDS)

    assert done.returncode != 0
    assert said in done.stderr


def test_without_a_password_nothing_starts_and_the_guide_is_named(text):
    done = compose(text, "--quiet")

    assert done.returncode != 0
    assert "POSTGRES_PASSWORD is missing a value: set it to a password" in done.stderr
    assert "docs/deployment.md" in done.stderr


def test_no_secret_is_in_the_file(text):
    secrets = re.findall(r"(?im)^\s*\w*(?:PASSWORD|PWD|SECRET|TOKEN|API_KEY)\w*:\s*(.+)$", text)

    assert ["*password", "*password"] == [value for value in secrets if not value.startswith(("&password ${", "${"))]


def test_each_container_has_its_own_secrets_and_no_others(services):
    held = {
        variable: {name for name, service in services.items() if secret in json.dumps(service)}
        for variable, secret in PASSWORDS.items()
    }

    assert {
        "POSTGRES_PASSWORD": {"postgres", "schema", "temporal"},
        "BOOKS_PASSWORD": {"books", "setup"},
        "RECORDER_PASSWORD": {"setup", "recorder"},
        "WORKER_PASSWORD": {"operator", "setup", "worker-agents", "worker-missions"},
    } == held


def test_who_carries_missions_out_serves_nothing_else_and_reaches_no_tool(services):
    missions = services["worker-missions"]

    assert ["gonogo"] == queues(words(missions))
    assert {"cluster", "books"} == set(missions["networks"])
    assert set() == set(missions["environment"]) & {"GONOGO_COMPANY_URL", "GONOGO_MODEL_KEY"}


def test_every_command_exists(services, workspace):
    assert [] == wrong_commands(services, workspace)


def test_misspelt_commands_are_found(text, workspace):
    mistakes = {
        "starter, setup, --recorder, gonogo_recorder, --worker, gonogo_worker]": "starter, setup, --zzz]",
        "entrypoint: [python, -m, starter]": "entrypoint: [python, -m, stater]",
        "demo.company, --host": "demo.company, --hots",
        "worker.py, --queues, gonogo": "worker.py, --queue, gonogo",
        'secops-analysis"': 'secops-anlysis"',
        "task-queue describe": "task-queue descrbe",
        "--retention 24h": "--retenton 24h",
        "setup-schema -v 0.0": "setup-schema --vers 0.0",
    }
    found = sorted(wrong_commands(render(planted(text, mistakes))["services"], workspace))

    assert [
        "company: company: error: unrecognized arguments: --hots 0.0.0.0",
        "namespace: temporal operator namespace create: Error: unknown flag: --retenton",
        "operator: there is no module stater",
        "schema: temporal-sql-tool has no --vers",
        "setup: No such option: --zzz",
        "worker-agents: no queue is named secops-anlysis",
        "worker-agents: temporal task-queue descrbe --task-queue: Error: unknown flag: --task-queue",
        "worker-missions: temporal task-queue descrbe --task-queue: Error: unknown flag: --task-queue",
        "worker-missions: worker.py has no option --queue",
        "worker-tools: temporal task-queue descrbe --task-queue: Error: unknown flag: --task-queue",
    ] == found


def test_every_queue_is_served_by_one_worker_and_watched(services, workspace):
    assert [] == misplaced_queues(services, workspace)


def test_a_queue_left_out_served_twice_or_unwatched_is_found(text, workspace):
    left_out = planted(text, {"secops-intel,": "gonogo,"})

    assert [
        "nobody serves secops-intel",
        "gonogo is served twice",
        "worker-agents: the health check looks elsewhere",
    ] == misplaced_queues(render(left_out)["services"], workspace)


def test_every_variable_is_read(services, workspace):
    assert [] == unread_variables(services, workspace)


def test_misspelt_variables_are_found(text, workspace):
    mistakes = {
        "  GONOGO_HOME:": "  GONOGO_HOEM:",
        "  TEMPORAL_NAMESPACE:": "  TEMPORAL_NAME_SPACE:",
        "  OTEL_EXPORTER_OTLP_ENDPOINT:": "  OTEL_EXPORTER_ENDPOINT:",
        "GONOGO_COMPANY_URL:": "GONOGO_COMPANY_URI:",
        "POSTGRES_SEEDS:": "POSTGRES_SEED:",
        "TEMPORAL_UI_PORT:": "UI_PORT:",
        "SQL_PASSWORD:": "SQL_PASSWD:",
    }
    found = unread_variables(render(planted(text, mistakes))["services"], workspace)
    shared = ("GONOGO_HOEM", "TEMPORAL_NAME_SPACE", "OTEL_EXPORTER_ENDPOINT")

    assert {
        *(f"{name}: nothing reads {one}" for name in ("setup", "reconciler", "recorder", "operator") for one in shared),
        *(f"worker-{name}: nothing reads {one}" for name in ("missions", "agents", "tools") for one in shared),
        *(f"worker-{name}: nothing reads GONOGO_COMPANY_URI" for name in ("agents", "tools")),
        *(f"{name}: nothing reads GONOGO_HOEM" for name in ("keys", "signing", "recorder-key", "codec")),
        "codec: nothing reads TEMPORAL_NAME_SPACE",
        "temporal: nothing reads POSTGRES_SEED",
        "ui: nothing reads UI_PORT",
        "schema: nothing reads SQL_PASSWD",
    } == set(found)


def test_every_service_is_watched_or_ends_and_is_waited_for(services):
    assert [] == careless_waits(services)


def test_a_missing_health_check_and_a_hasty_wait_are_found(text):
    mistakes = {
        "schema: {condition: service_completed_successfully}": "schema: {condition: service_started}",
        "    healthcheck: &polling": "    x-unused: &polling",
    }

    assert [
        "worker-missions runs on and has no health check",
        "temporal does not wait until schema is done",
    ] == careless_waits(render(planted(text, mistakes))["services"])


def test_no_container_may_do_more_than_it_must(model):
    assert [] == privileges(model)


def test_privileges_too_many_are_found(text):
    mistakes = {
        "  read_only: true\n": "",
        "  cap_drop: [ALL]\n": "",
        "no-new-privileges:true": "no-new-privileges:false",
        '"127.0.0.1:7233:7233"': '"7233:7233"',
        "    user: postgres\n": "",
        "registry:/var/lib/gonogo:ro": "registry:/var/lib/gonogo",
        '"company:/var/lib/company"': '"keys:/var/lib/company", "./missions:/missions"',
    }
    model = render(planted(text, mistakes))
    everybody = ("keeps capabilities", "may gain privileges", "may write in its image")

    assert {
        *(f"{name} {fault}" for name in model["services"] for fault in everybody if (name, fault) != TUNED),
        "temporal listens beyond this machine",
        "postgres starts as root",
        "books starts as root",
        *(f"{name} may say who decides" for name in ("worker-missions", "worker-agents", "worker-tools", "codec")),
        "company may say who decides",
        "recorder may say who decides",
        "company sees private keys",
        f"company sees {ROOT / 'missions'} of this machine",
    } == set(privileges(model))


def test_the_database_and_the_company_have_no_way_out_and_few_neighbours(model):
    inside = {name for name, network in model["networks"].items() if network.get("internal")}
    members = {
        name: {service for service, said in model["services"].items() if name in said.get("networks", ())}
        for name in inside
    }

    assert {
        "database": {"postgres", "schema", "temporal"},
        "books": {"books", "operator", "setup", "recorder", "worker-missions", "worker-agents"},
        "company": {"company", "worker-agents", "worker-tools"},
    } == members


def test_images_are_pinned_and_what_is_built_here_is_never_pulled(services):
    assert [] == [name for name, service in services.items() if ("build" in service) == ("image" in service)]
    tags = [service["image"].rpartition(":")[2] for service in services.values() if "image" in service]
    assert [] == [tag for tag in tags if not re.fullmatch(r"\d+\.\d+(\.\d+)?(-[a-z]+)?", tag)]


def test_the_cluster_runs_the_versions_that_the_embedded_server_has(services):
    said = subprocess.run([BIN / "temporal", "--version"], capture_output=True, text=True, check=True).stdout
    server, ui = re.search(r"Server ([\d.]+), UI ([\d.]+)", said).groups()

    assert {"temporalio/server": server, "temporalio/admin-tools": server, "temporalio/ui": ui} == {
        image(service): service["image"].rpartition(":")[2]
        for service in services.values()
        if service.get("image", "").startswith("temporalio/")
    }


def test_the_server_is_tuned_like_the_embedded_one(model):
    tuned = yaml.safe_load(model["configs"]["tuning"]["content"])

    assert {key: [{"value": json.loads(value)}] for key, value in TUNING.items()} == tuned


def test_the_tuning_is_where_the_server_looks_for_it(services):
    laid = [config["target"] for config in services["temporal"]["configs"]]

    assert [services["temporal"]["environment"]["DYNAMIC_CONFIG_FILE_PATH"]] == laid


def test_the_server_logs_what_the_embedded_one_logs(services):
    line = command("temporal", PORTS.server, PORTS.ui, None)

    assert line[line.index("--log-level") + 1] == services["temporal"]["environment"]["LOG_LEVEL"]


def test_people_find_the_server_and_its_pages_where_the_embedded_ones_are(services):
    published = {
        name: [(port["host_ip"], int(port["published"]), port["target"]) for port in service["ports"]]
        for name, service in services.items()
        if "ports" in service
    }

    assert {
        "temporal": [(HOST, PORTS.server, 7233)],
        "ui": [(HOST, PORTS.ui, PORTS.ui)],
        "codec": [(HOST, CODEC_PORT, CODEC_PORT)],
    } == published
    assert f"http://{HOST}:{CODEC_PORT}" == services["ui"]["environment"]["TEMPORAL_CODEC_ENDPOINT"]
    assert str(PORTS.ui) == services["ui"]["environment"]["TEMPORAL_UI_PORT"]


def test_our_programs_differ_from_the_embedded_ones_by_addresses_and_folders_alone(services):
    folders = {"/app/missions", "/var/lib/gonogo", "/var/lib/payloads", "/var/lib/sealing/payload_keys.yaml"}
    places = {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "GONOGO_COMPANY_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"}
    places |= {"GONOGO_DATABASE", "GONOGO_ALLOW_HOSTS", "GONOGO_RECORDER_PASSWORD"}
    places |= {"GONOGO_WORKER_PASSWORD"}
    settings = {
        key: value
        for service in services.values()
        if "build" in service
        for key, value in service.get("environment", {}).items()
    }

    assert set() == {key for key, value in settings.items() if value not in folders} - places
    assert Settings.read({}).max_cached_workflows == Settings.read(settings).max_cached_workflows


def test_the_company_is_where_workers_look_for_it(services):
    line = words(services["company"])
    url = f"http://company:{line[line.index('--port') + 1]}/mcp"

    assert f"http://company:{PORTS.company}/mcp" == url
    assert [url, url] == [
        services[f"worker-{name}"]["environment"]["GONOGO_COMPANY_URL"] for name in ("agents", "tools")
    ]


def planted(text: str, mistakes: dict[str, str]) -> str:
    """Return the text with mistakes in it."""
    for right, wrong in mistakes.items():
        assert right in text
        text = text.replace(right, wrong)
    return text
