"""What Docker's tools cannot know: whether the code has what docker-compose.yml names. Each check returns sentences."""

import ast
import contextlib
import importlib.util
import io
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import typer
from deployment_file import BIN, ROOT, Service, commands, scripts, words
from temporalio.envconfig import ClientConfig

from contracts.workspace import Workspace
from demo.company import _read_options
from runtime import telemetry
from runtime.settings import SettingRefused, Settings
from starter.cli import app
from starter.setup import PASSWORDS
from worker import all_queues

Services = Mapping[str, Service]

READ_BY_IMAGE = {
    "postgres": {"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "POSTGRES_INITDB_ARGS", "PGDATA"},
    "temporalio/admin-tools": {"SQL_PASSWORD", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"},
    "temporalio/server": {
        *("DB", "DB_PORT", "POSTGRES_SEEDS", "POSTGRES_USER", "POSTGRES_PWD", "DBNAME", "VISIBILITY_DBNAME"),
        *("NUM_HISTORY_SHARDS", "BIND_ON_IP", "TEMPORAL_BROADCAST_ADDRESS", "DYNAMIC_CONFIG_FILE_PATH", "LOG_LEVEL"),
    },
    "temporalio/ui": {
        *("TEMPORAL_ADDRESS", "TEMPORAL_UI_PORT", "TEMPORAL_CORS_ORIGINS", "TEMPORAL_DEFAULT_NAMESPACE"),
        *("TEMPORAL_CODEC_ENDPOINT", "TEMPORAL_CODEC_PASS_ACCESS_TOKEN", "TEMPORAL_CODEC_INCLUDE_CREDENTIALS"),
    },
}
"""The variables that the images of others document, as far as they may matter here."""
SQL_TOOL = {"--plugin", "--ep", "-p", "-u", "--db", "create", "setup-schema", "-v", "update-schema", "-d"}
"""What temporal-sql-tool documents, as far as it matters here."""
READERS = {
    "sealing",
    "recorder",
    "setup",
    "codec",
    "reconciler",
    "operator",
    "worker-missions",
    "worker-agents",
    "worker-tools",
}
SEES_KEYS = {"keys": {"operator"}, "executor": {"keys", "signing", "worker-tools"}, "sealing": READERS}
SEES_KEYS["recorder"] = {"recorder-key", "recorder"}
"""Who may see which volume of private keys: people's, executors', those of what is encrypted."""
REGISTERS = {"operator", "keys", "signing", "recorder-key"}


def wrong_commands(services: Services, workspace: Workspace) -> list[str]:
    """Say which commands the code does not have: modules, verbs, options, queues, subcommands of Temporal's CLI."""
    return [
        f"{name}: {complaint}"
        for name, service in services.items()
        for complaint in (
            *(_complaints(words(service), workspace) if "build" in service else ()),
            *_script_complaints(service),
        )
    ]


def _complaints(line: list[str], workspace: Workspace) -> Iterator[str]:
    match line:
        case ["python", "-m", "starter", *rest]:
            yield from cli_complaints(rest)
        case ["python", "-m", "demo.company", *rest]:
            yield from _argparse_complaints(rest)
        case ["python", "worker.py", *rest]:
            yield from _worker_complaints(rest, workspace)
        case ["python", "-m", module, *_] if importlib.util.find_spec(module.partition(".")[0]) is None:
            yield f"there is no module {module}"
        case _:
            yield f"nobody here knows the program {' '.join(line)!r}"


def cli_complaints(arguments: Sequence[str]) -> Iterator[str]:
    """Say what is wrong with a command line of `gonogo`. Nothing runs."""
    command, context, rest = typer.main.get_command(app), None, list(arguments)
    try:
        while True:
            context = command.make_context(command.name or "gonogo", rest, parent=context)
            if not hasattr(command, "resolve_command"):
                return
            _, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
    except typer.Exit:
        return
    except typer.TyperException as error:
        yield error.format_message()


def _argparse_complaints(arguments: list[str]) -> Iterator[str]:
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            _read_options(arguments)
    except SystemExit:
        yield said.getvalue().splitlines()[-1]


def _worker_complaints(arguments: list[str], workspace: Workspace) -> Iterator[str]:
    known = {
        call.args[0].value
        for call in ast.walk(ast.parse((ROOT / "worker.py").read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"
    }
    yield from (f"worker.py has no option {word}" for word in arguments if word.startswith("-") and word not in known)
    yield from (f"no queue is named {queue}" for queue in set(queues(arguments)) - set(all_queues(workspace)))


def queues(line: Sequence[str]) -> list[str]:
    """Return the queues that a worker's command line names."""
    return [queue for word, value in pairwise(line) if word == "--queues" for queue in value.split(",")]


def _script_complaints(service: Service) -> Iterator[str]:
    for script in scripts(service):
        for line in commands(script, "temporal"):
            asked = subprocess.run([BIN / "temporal", *line, "--help"], capture_output=True, text=True, check=False)
            if asked.returncode:
                yield f"temporal {' '.join(line[:3])}: {asked.stderr.splitlines()[0]}"
        for line in [*commands(script, "sql=temporal-sql-tool"), *commands(script, "$sql")]:
            yield from (f"temporal-sql-tool has no {word}" for word in line if word[0] == "-" and word not in SQL_TOOL)


def polled(service: Service) -> set[str]:
    """Return the queues that a worker's health check looks at."""
    return {
        queue
        for script in scripts(service)
        for line in commands(script.replace("\n", " "), "for")
        for queue in line[2:]
    }


def misplaced_queues(services: Services, workspace: Workspace) -> list[str]:
    """Say which queues nobody serves, which two do, and which a health check forgets."""
    serving = {name: queues(words(service)) for name, service in services.items() if "--queues" in words(service)}
    every = [queue for some in serving.values() for queue in some]
    return [
        *(f"nobody serves {queue}" for queue in all_queues(workspace) if queue not in every),
        *(f"{queue} is served twice" for queue in sorted({queue for queue in every if every.count(queue) > 1})),
        *(
            f"{name}: the health check looks elsewhere"
            for name in serving
            if polled(services[name]) != set(serving[name])
        ),
    ]


def unread_variables(services: Services, workspace: Workspace) -> list[str]:
    """Say which variables nobody reads."""
    return [
        f"{name}: nothing reads {variable}"
        for name, service in services.items()
        for variable in service.get("environment", {})
        if not (is_read(variable, workspace) if "build" in service else variable in READ_BY_IMAGE[image(service)])
    ]


def is_read(variable: str, workspace: Workspace) -> bool:
    """Whether our programs behave differently for a variable."""
    probe = {variable: "7"}
    return (
        _settings(probe) != Settings.read({})
        or _profile(probe) != _profile({})
        or variable in telemetry.ENDPOINTS
        or variable in PASSWORDS
        or variable in {server.url_env for server in workspace.servers.values()}
    )


def _settings(environ: Mapping[str, str]) -> Settings | None:
    """Return the settings; none where a variable is read and refused."""
    try:
        return Settings.read(environ)
    except SettingRefused:
        return None


def _profile(environ: Mapping[str, str]) -> Any:
    return ClientConfig.load_client_connect_config(disable_file=True, override_env_vars=environ)


def image(service: Service) -> str:
    """Return the name of an image without its tag."""
    return str(service["image"]).rpartition(":")[0]


def one_shot(service: Service) -> bool:
    """Whether a service ends by itself."""
    return "profiles" in service or str(service.get("restart", "no")).startswith("on-failure")


def careless_waits(services: Services) -> list[str]:
    """Say who has no health check, who would stay down, and who waits for less than the other's being ready."""
    return [
        *(f"{name} runs on and has no health check" for name, service in services.items() if _unwatched(service)),
        *(
            f"{name} does not wait until {other} is {'done' if one_shot(services[other]) else 'healthy'}"
            for name, service in services.items()
            for other, wait in service.get("depends_on", {}).items()
            if wait["condition"]
            != ("service_completed_successfully" if one_shot(services[other]) else "service_healthy")
        ),
    ]


def _unwatched(service: Service) -> bool:
    return not one_shot(service) and ("healthcheck" not in service or service.get("restart") != "unless-stopped")


def privileges(model: Mapping[str, Any]) -> list[str]:
    """Say which containers may do more than they must."""
    return [f"{name} {fault}" for name, service in model["services"].items() for fault in _privileges(name, service)]


def _privileges(name: str, service: Service) -> Iterator[str]:
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add") or service.get("privileged"):
        yield "keeps capabilities"
    if service.get("security_opt") != ["no-new-privileges:true"]:
        yield "may gain privileges"
    if not service.get("read_only") and not service.get("configs"):
        yield "may write in its image"
    if any(port.get("host_ip") != "127.0.0.1" for port in service.get("ports", ())):
        yield "listens beyond this machine"
    if service.get("image", "").startswith("postgres:") and service.get("user") != "postgres":
        yield "starts as root"
    for mount in service.get("volumes", ()):
        if mount["type"] != "volume":
            yield f"sees {mount['source']} of this machine"
        if name not in SEES_KEYS.get(mount["source"], {name}):
            yield "sees private keys"
        if mount["source"] == "registry" and name not in REGISTERS and not mount.get("read_only"):
            yield "may say who decides"
