"""A shipped mission tells people by channels of its own, with the worker as it is put together and a real receiver."""

import json
from pathlib import Path

import pytest
from live_mission import live_missions, load_input
from temporalio.client import Client

from contracts.channel import NotifyFile
from starter.chronicle import chronicle
from tests.activities.post_office import mail_server, receiver, verified

ALERT = load_input("incident_triage", "alerts/beaconing_workstation.json")
SECRET = "the secret of this receiver"


async def test_people_are_told_and_the_audit_says_so(
    client: Client, keyed_home: Path, company_url: str, monkeypatch: pytest.MonkeyPatch
):
    """A receiver that stumbles is asked again; the mail that was taken is not sent again for it."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    async with receiver(500, 200) as hook, mail_server() as post:
        mail = {"host": "127.0.0.1", "port": post.port, "starttls": False, "sender": "gonogo@example.com"}
        channels = NotifyFile(
            web="http://ui.example.com",
            webhooks={"ops": {"url": hook.url, "secret_env": "HOOK_SECRET"}},
            mail={"post": {**mail, "to": {"ines": ["ines@example.com"]}}},
        )
        async with live_missions(client, keyed_home, company_url, channels) as live:
            started = await live.start("incident_triage", ALERT)
            await started.answer("isolate", "ines")
            result = await started.result()
            audit = await chronicle(client, started.handle.id)

    assert ("completed", "auto_remediate") == (result.state, result.verdict)
    told = [json.loads(body) for _, _, body in hook.requests]
    assert all(verified(headers, body, SECRET.encode()) for _, headers, body in hook.requests)
    assert {"opened": "remediate/isolate", "settled": "remediate/isolate"} == {
        one["about"]: one["step"] for one in told
    }
    assert 3 == len(told)
    assert 2 == len({one["id"] for one in told})
    assert f"gonogo approve {started.handle.id} remediate/isolate" in {one["command"] for one in told}
    assert "beacon" not in json.dumps([{**one, "mission": ""} for one in told]).lower()
    assert [["ines@example.com"]] * 2 == [to for _, to, _ in post.mails]
    said = [(entry.what, entry.detail["about"]) for entry in audit if entry.what.startswith("notice")]
    assert {("notice ordered", "opened"), ("notice sent", "opened"), ("notice sent", "settled")} < set(said)
    [sent] = [entry for entry in audit if entry.what == "notice sent" and entry.detail["about"] == "opened"]
    assert ("secops_oncall", ["ops", "post"]) == (sent.who, sorted(sent.detail["by"]))
