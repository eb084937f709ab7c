"""Where people are told: `notify.yaml` is read as strictly as the files beside it, and keeps no secret."""

from pathlib import Path

import pytest
from desk import mission, written
from test_workspace import STEPS, folder, refused

from contracts.secret import FORM
from language.freeze import freeze
from language.loader import load_mission
from language.workspace import load_workspace

NOTIFY = """
    web: https://ui.example.com
    terminal: true
    webhooks:
      ops: {url: 'https://hooks.example.com/x', secret_env: HOOK_SECRET, to: [tech_lead, cy], about: opened}
    mail:
      post: {host: smtp.example.com, sender: us@example.com, to: {tech_lead: [leads@example.com], cy: cy@example.com}}
    """


def test_channels_are_read_with_the_workspace(tmp_path: Path):
    written(folder(tmp_path), "notify.yaml", NOTIFY.replace("opened", "[opened]").replace("cy@example.com", "[cy@x.y]"))
    channels = load_workspace(tmp_path).notify

    assert channels.has_channels()
    assert ("tech_lead", "cy") == channels.webhooks["ops"].to
    assert (587, True) == (channels.mail["post"].port, channels.mail["post"].starttls)


def test_a_workspace_needs_no_channels(tmp_path: Path):
    assert not load_workspace(folder(tmp_path)).notify.has_channels()


BAD_CHANNELS = {
    "an unknown key": ("webhook: {}", "1:1: UNKNOWN_KEY unknown key 'webhook' (did you mean 'webhooks'?)"),
    "no secret": (
        "webhooks: {ops: {url: 'https://x.y'}}",
        "1:17: MISSING_KEY the webhook 'ops' has no secret (write 'secret: secret://NAME')",
    ),
    "a secret where its variable belongs": (
        "webhooks: {ops: {url: 'https://x.y', secret_env: 'pass word'}}",
        ("1:50: BAD_VALUE 'secret_env' names no environment variable (write its name; never the secret itself)"),
    ),
    "a secret in the clear": (
        "webhooks: {ops: {url: 'https://x.y', secret: hunter2hunter2}}",
        f"1:46: BAD_VALUE 'secret' names no secret ({FORM})",
    ),
    "an address that names no secret": (
        "webhooks: {ops: {url: 'secret://', secret_env: S}}",
        f"1:23: BAD_VALUE 'url' names no secret ({FORM})",
    ),
    "a password of mail in the file": (
        "mail: {post: {host: h, user: 'secret://file/user', password: 'pass word', sender: us@x.y, to: {}}}",
        f"1:62: BAD_VALUE 'password' names no secret ({FORM})",
    ),
    "a user that names no secret": (
        "mail: {post: {host: h, user: 'secret://', password: 'secret://P', sender: us@x.y, to: {}}}",
        f"1:30: BAD_VALUE 'user' names no secret ({FORM})",
    ),
    "no address": (
        "webhooks: {ops: {secret_env: S}}",
        "1:17: MISSING_KEY the webhook 'ops' has no address (write 'url: …')",
    ),
    "an address that is none": (
        "webhooks: {ops: {url: 'file:///etc/passwd', secret_env: S}}",
        "1:23: BAD_VALUE 'url' is no address (write 'https://…')",
    ),
    "a password in an address": (
        "webhooks: {ops: {url: 'https://me:secret@x.y', secret_env: S}}",
        (
            "1:23: BAD_VALUE 'url' has a password in it, for all who read the file "
            "(name the secret that is the address: 'url: secret://NAME')"
        ),
    ),
    "a role that nobody has": (
        "webhooks: {ops: {url: 'https://x.y', secret_env: S, to: [tech_leed]}}",
        "1:58: UNKNOWN_PERSON unknown role or person 'tech_leed' (did you mean 'tech_lead'?)",
    ),
    "a kind of notice that there is not": (
        "webhooks: {ops: {url: 'https://x.y', secret_env: S, about: [closed]}}",
        "1:61: BAD_VALUE '0': input should be 'opened', 'reminded', 'escalated', 'settled', 'dead_letter' or 'budget'",
    ),
    "mail for nobody": (
        "mail: {post: {host: h, sender: us@x.y, to: {eve: [eve@x.y]}}}",
        "1:45: UNKNOWN_PERSON unknown role or person 'eve' (known here: ada, cy, director, tech_lead)",
    ),
    "an address with more in it": (
        'mail: {post: {host: h, sender: us@x.y, to: {cy: ["cy@x.y\\r\\nBcc: eve@x.y"]}}}',
        "1:50: BAD_VALUE 'to' has no address: 'cy@x.y\\r\\nBcc: eve@x.y' (write 'name@example.com')",
    ),
    "a password in the clear": (
        "mail: {post: {host: h, starttls: false, password_env: P, user_env: U, sender: us@x.y, to: {cy: [c@x.y]}}}",
        "1:34: BAD_VALUE the password would be sent for everybody to read (leave 'starttls: false' out)",
    ),
    "a password that names a secret, in the clear on its way": (
        "mail: {post: {host: h, starttls: false, user: u, password: 'secret://P', sender: us@x.y, to: {}}}",
        "1:34: BAD_VALUE the password would be sent for everybody to read (leave 'starttls: false' out)",
    ),
    "a web that is a secret": ("web: 'secret://WEB'", "1:6: BAD_VALUE 'web' is no address (write 'https://…')"),
    "a web that is none": ("web: temporal", "1:6: BAD_VALUE 'web' is no address (write 'https://…')"),
}


@pytest.mark.parametrize("name", BAD_CHANNELS)
def test_a_mistake_in_the_channels_is_found_at_its_place(tmp_path: Path, name: str):
    text, expected = BAD_CHANNELS[name]
    written(folder(tmp_path), "notify.yaml", text)

    assert refused(tmp_path) == [f"notify.yaml:{expected}"]


def test_a_plan_knows_whether_there_are_channels(tmp_path: Path):
    folder(tmp_path)
    mission_file = written(tmp_path, "try_out/mission.yaml", mission(STEPS))
    quiet = load_workspace(tmp_path)
    written(tmp_path, "notify.yaml", "terminal: true\n")
    loud = load_workspace(tmp_path)

    definition = load_mission(mission_file, quiet)
    assert (False, True) == (freeze(definition, quiet).notify, freeze(definition, loud).notify)


BAD_SINKS = {
    "a token in the clear": (
        "nats: {bus: {url: 'nats://x.y', token: t0ken}}",
        f"1:40: BAD_VALUE 'token' names no secret ({FORM})",
    ),
    "no address": ("nats: {bus: {}}", "1:13: MISSING_KEY the sink 'bus' has no address (write 'url: nats://…')"),
    "an address of another kind": (
        "nats: {bus: {url: 'https://x.y'}}",
        "1:19: BAD_VALUE 'url' is no address (write 'nats://…')",
    ),
    "a password in an address": (
        "nats: {bus: {url: 'nats://me:secret@x.y'}}",
        (
            "1:19: BAD_VALUE 'url' has a password in it, for all who read the file "
            "(name the secret that is the address: 'url: secret://NAME')"
        ),
    ),
    "a secret where its variable belongs": (
        "webhooks: {siem: {url: 'https://x.y', secret_env: 'pass word'}}",
        "1:51: BAD_VALUE 'secret_env' names no environment variable (write its name; never the secret itself)",
    ),
    "no secret": (
        "webhooks: {siem: {url: 'https://x.y'}}",
        "1:18: MISSING_KEY the sink 'siem' has no secret (write 'secret: secret://NAME')",
    ),
}


@pytest.mark.parametrize("name", BAD_SINKS)
def test_a_sink_that_cannot_be_is_found(tmp_path, name):
    text, said = BAD_SINKS[name]
    written(folder(tmp_path), "events.yaml", text)

    assert [said] == [line.partition("events.yaml:")[2] for line in refused(tmp_path)]


def test_sinks_are_read_with_the_workspace(tmp_path):
    written(folder(tmp_path), "events.yaml", "nats: {bus: {url: 'nats://x.y', topics: [end]}}")

    assert ("end",) == load_workspace(tmp_path).events.nats["bus"].topics
