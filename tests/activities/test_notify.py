"""Notices go out by real sockets: signed, with no secret in them, and to each channel once."""

import base64
import json
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from activity_stage import failing, stage
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from post_office import mail_server, receiver, verified

from activities.books.database import Database
from activities.books.request import Requests
from activities.notify import Notifier
from activities.outward import Outward
from activities.people import Directory
from contracts.channel import NotifyFile
from contracts.notice import Delivery, Notice

SECRET = "a secret that nobody guesses"
ENVIRON = {"HOOK_SECRET": SECRET, "POST_USER": "gonogo", "POST_PASSWORD": "pass word"}
PEOPLE = """
people:
  lea: {roles: [lead]}
  lou: {roles: [lead]}
  cleo: {roles: [chief]}
"""


def notice(**fields) -> Notice:
    known = {
        "id": "0123456789abcdef",
        "about": "opened",
        "mission": "mission-1",
        "name": "incident_triage",
        "step": "remediate/isolate",
        "kind": "approval",
        "to": ("lead",),
        "at": datetime(2026, 1, 1, 9, 0, tzinfo=UTC),
        "deadline": datetime(2026, 1, 1, 9, 30, tzinfo=UTC),
        "tool": "isolate_host",
        "requested_by": "rita",
    }
    return Notice(**{**known, **fields})


@pytest.fixture
def desk(tmp_path):
    """Makes the activity for some channels; the lines that it says in the terminal are in `said`."""
    (tmp_path / "people.yaml").write_text(PEOPLE)

    def made(said=None, web="", environ=ENVIRON, requests=None, **channels):
        say = (said if said is not None else []).append
        directory = Directory(tmp_path / "people.yaml")
        known = {"web": web, "environ": environ, "requests": requests, "say": say}
        return Notifier(NotifyFile(**channels), directory, outward=Outward(("127.0.0.1", "localhost")), **known)

    return made


def hook(found, **more):
    return {"url": found.url, "secret_env": "HOOK_SECRET", **more}


def mailbox(found, **more):
    known = {"host": "127.0.0.1", "port": found.port, "starttls": False, "sender": "gonogo@example.com"}
    return {**known, "to": {"lea": ("lea@example.com",), "lead": ("leads@example.com",)}, **more}


async def sent(notifier, told=None, **info) -> Delivery:
    return await stage(**info).run(notifier.send, told or notice())


async def test_a_webhook_gets_who_decides_on_what_until_when_and_how(desk):
    async with receiver() as found:
        assert Delivery(sent=("ops",)) == await sent(desk(webhooks={"ops": hook(found)}, web="http://ui:8233/"))

    request, headers, body = found.requests[0]
    assert "POST /hooks/s3cret-path HTTP/1.1" == request
    assert "application/json" == headers["content-type"]
    facts = json.loads(body)
    assert "gonogo approve mission-1 remediate/isolate" == facts["command"]
    assert "http://ui:8233/namespaces/default/workflows/mission-1" == facts["link"]
    assert (
        "incident_triage: remediate/isolate waits for lead to allow isolate_host, until 2026-01-01 09:30 UTC"
        == facts["text"]
    )
    assert ("opened", ["lead"], "rita") == (facts["about"], facts["to"], facts["requested_by"])


async def test_a_receiver_can_tell_that_nobody_else_sent_it_and_that_nothing_was_changed(desk):
    async with receiver() as found:
        await sent(desk(webhooks={"ops": hook(found)}))

    _, headers, body = found.requests[0]
    assert verified(headers, body, SECRET.encode())
    assert not verified(headers, body.replace(b"lead", b"evil"), SECRET.encode())
    assert not verified({**headers, "webhook-timestamp": "1"}, body, SECRET.encode())
    assert not verified(headers, body, b"another secret of some length")
    assert abs(datetime.now(UTC).timestamp() - int(headers["webhook-timestamp"])) < 60


async def test_a_secret_with_the_standards_prefix_is_base64(desk):
    environ = {"HOOK_SECRET": "whsec_" + base64.b64encode(b"0123456789abcdefXY").decode()}
    async with receiver() as found:
        await sent(desk(environ=environ, webhooks={"ops": hook(found)}))

    _, headers, body = found.requests[0]
    assert verified(headers, body, b"0123456789abcdefXY")


async def test_a_server_that_stumbles_is_asked_again_under_the_same_id(desk):
    async with receiver(500, 503, 200) as found:
        notifier = desk(webhooks={"ops": hook(found)})
        for attempt in (1, 2):
            error = await failing(stage(attempt=attempt).run(notifier.send, notice()))
            assert ("unavailable", False) == (error.type, error.non_retryable)
            assert error.next_retry_delay is not None
        assert Delivery(sent=("ops",)) == await sent(notifier, attempt=3)

    assert ["0123456789abcdef"] * 3 == [headers["webhook-id"] for _, headers, _ in found.requests]
    assert all(verified(headers, body, SECRET.encode()) for _, headers, body in found.requests)


@pytest.mark.parametrize("status", [400, 401, 404, 302])
async def test_what_a_server_refuses_is_not_sent_again(desk, status):
    async with receiver(status) as found:
        delivery = await sent(desk(webhooks={"ops": hook(found)}))

    assert Delivery(failed=(f"ops: 127.0.0.1 answered {status}",)) == delivery
    assert 1 == len(found.requests)


@pytest.mark.parametrize("status", [408, 425, 429])
async def test_a_server_that_asks_to_come_again_is_asked_again(desk, status):
    async with receiver(status) as found:
        error = await failing(stage().run(desk(webhooks={"ops": hook(found)}).send, notice()))

    assert f"ops: 127.0.0.1 answered {status}" == error.message


async def test_the_last_attempt_says_what_failed_instead_of_failing(desk):
    async with receiver(500) as found:
        delivery = await sent(desk(webhooks={"ops": hook(found)}), attempt=3)

    assert ("ops: 127.0.0.1 answered 500",) == delivery.failed


async def test_nobody_there_names_the_host_and_never_the_address(desk):
    async with receiver() as found:
        pass
    delivery = await sent(desk(webhooks={"ops": hook(found)}), attempt=3)

    assert ("ops: 127.0.0.1 cannot be reached (ConnectError)",) == delivery.failed


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({}, "the variable HOOK_SECRET is not set"),
        ({"HOOK_SECRET": "short"}, "the secret in HOOK_SECRET is shorter than 16 bytes"),
        ({"HOOK_SECRET": "whsec_!!"}, "the secret in HOOK_SECRET is no base64 after 'whsec_'"),
    ],
)
async def test_nothing_is_sent_unsigned(desk, environ, reason):
    async with receiver() as found:
        delivery = await sent(desk(environ=environ, webhooks={"ops": hook(found)}))

    assert ((f"ops: {reason}",), []) == (delivery.failed, found.requests)


async def test_an_address_may_be_a_secret_of_the_environment(desk):
    async with receiver() as found:
        environ = {**ENVIRON, "HOOK_URL": found.url}
        given = {"url_env": "HOOK_URL", "secret_env": "HOOK_SECRET"}
        assert Delivery(sent=("ops",)) == await sent(desk(environ=environ, webhooks={"ops": given}))
        lost = await sent(desk(webhooks={"ops": given}))

    assert ("ops: the variable HOOK_URL is not set",) == lost.failed


async def test_channels_name_their_secrets_as_other_definitions_do(desk, tmp_path):
    (tmp_path / "post.json").write_text('{"user": "gonogo", "password": "pass word"}')
    login = {"user": "secret://file/post.json#user", "password": "secret://file/post.json#password"}
    async with receiver() as found, mail_server(login=("gonogo", "pass word")) as post:
        environ = {**ENVIRON, "HOOK_URL": found.url, "GONOGO_SECRETS": str(tmp_path)}
        hooked = {"url": "secret://HOOK_URL", "secret": "secret://env/HOOK_SECRET"}
        channels = {"webhooks": {"ops": hooked}, "mail": {"post": mailbox(post, **login)}}
        assert Delivery(sent=("ops", "post")) == await sent(desk(environ=environ, **channels))
        environ.pop("HOOK_SECRET")
        (tmp_path / "post.json").write_text('{"user": "gonogo"}')
        lost = await sent(desk(environ=environ, **channels))

    [(_, headers, body)] = found.requests
    assert verified(headers, body, SECRET.encode())
    assert 1 == len(post.mails)
    assert (
        "ops: the secret secret://env/HOOK_SECRET cannot be had: that variable is not set",
        "post: the secret secret://file/post.json#password cannot be had: it has no field 'password'",
    ) == lost.failed


async def test_a_channel_gets_what_concerns_it(desk):
    channels = [
        ("all", {}, True),
        ("lead", {"to": ["lead"]}, True),
        ("her", {"to": ["lea"]}, True),
        ("chief", {"to": ["chief"]}, False),
        ("late", {"about": ["reminded", "escalated"]}, False),
        ("open", {"about": ["opened"]}, True),
    ]
    async with receiver() as found:
        delivery = await sent(desk(webhooks={name: hook(found, **more) for name, more, _ in channels}))

    assert tuple(name for name, _, gets in channels if gets) == delivery.sent


async def test_a_channel_that_took_it_is_not_given_it_again_while_another_is_tried(desk):
    async with receiver() as good, receiver(500, 200) as bad, receiver(404) as gone:
        notifier = desk(webhooks={"good": hook(good), "bad": hook(bad), "gone": hook(gone)})
        environment = stage()
        beats = []
        environment.on_heartbeat = lambda *details: beats.append(details)
        await failing(environment.run(notifier.send, notice()))
        delivery = await sent(notifier, attempt=2, heartbeat_details=beats[-1])

    assert ("good", "bad") == delivery.sent
    assert ("gone: 127.0.0.1 answered 404",) == delivery.failed
    assert (1, 2, 1) == (len(good.requests), len(bad.requests), len(gone.requests))


async def test_nobody_speaks_for_another_mission(desk):
    error = await failing(stage(workflow_id="mission-2").run(desk(terminal=True).send, notice()))

    assert ("refused", True) == (error.type, error.non_retryable)


async def test_the_terminal_gets_one_line(desk):
    said = []
    assert Delivery(sent=("terminal",)) == await sent(desk(said, terminal=True))

    [line] = said
    assert (
        "notice: incident_triage: remediate/isolate waits for lead to allow isolate_host, until 2026-01-01 09:30 UTC; "
        "gonogo approve mission-1 remediate/isolate"
    ) == line


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"about": "reminded"}, "still waits for lead to allow isolate_host, until"),
        ({"about": "escalated", "to": ("chief",)}, "was not answered and now waits for chief to allow isolate_host"),
        ({"about": "dead_letter", "tool": None, "deadline": None}, "could not be undone and waits for lead"),
        (
            {"about": "dead_letter", "kind": "failure", "tool": None, "deadline": None, "to": ("operator",)},
            "remediate/isolate failed and waits for operator to say how to go on; gonogo show mission-1",
        ),
        (
            {"about": "dead_letter", "kind": "stopped", "tool": None, "deadline": None, "to": ("operator",)},
            "isolate was stopped from outside and waits for operator to say how to go on; gonogo show mission-1",
        ),
        ({"about": "settled", "decision": "withdrawn"}, "no longer waits for lead to allow isolate_host; gonogo show"),
        ({"about": "settled", "decision": "timed_out"}, "was timed out; gonogo show mission-1"),
        ({"about": "settled", "decision": "approved", "by": ("lea", "lou")}, "was approved by lea, lou; gonogo show"),
        ({"kind": "review", "tool": None}, "gonogo reject mission-1 remediate/isolate"),
        ({"step": "hosts[it's]/x"}, """gonogo approve mission-1 'hosts[it'"'"'s]/x'"""),
    ],
)
async def test_each_kind_of_notice_has_its_words_and_its_command(desk, fields, line):
    said = []
    await sent(desk(said, terminal=True), notice(**fields))

    assert line in said[0]


async def test_of_too_many_requests_one_line_tells_and_the_record_says_so(desk, tmp_path):
    (tmp_path / "people.yaml").write_text(f"{PEOPLE}at_most: {{requests: 2, per: 30m}}\n")
    said, database = [], Database(f"sqlite+aiosqlite:///{tmp_path / 'gonogo.db'}")
    async with receiver() as found:
        notifier = desk(said, webhooks={"ops": hook(found)}, requests=Requests(database), terminal=True)
        came = [await sent(notifier, notice(id=f"{n:016}")) for n in range(5)]
        came += [await sent(notifier, notice(id="settled", about="settled", decision="approved"))]
        came += [await sent(notifier, notice(id="dead", about="dead_letter"))]
    await database.close()

    both = ("ops", "terminal")
    assert [both, both, both, (), (), both, both] == [tuple(sorted(one.sent)) for one in came]
    instead = [one.instead for one in came]
    assert ["", "", "one of more than 2 requests within 30m: one notice told of all"] == instead[:3]
    assert ["one of more than 2 requests within 30m: a notice before told of all"] * 2 + ["", ""] == instead[3:]
    assert "notice: more than 2 requests within 30m wait for lead; gonogo queue --role lead" == said[2]
    assert "summary" == json.loads(found.requests[2][2])["about"]


async def test_where_nobody_can_keep_count_each_request_is_told(desk, tmp_path):
    said, database = [], Database(f"sqlite+aiosqlite:///{tmp_path}")
    notifier = desk(said, requests=Requests(database), terminal=True)
    for number in range(12):
        await sent(notifier, notice(id=f"{number:016}"))

    assert 12 == len(said)


HOSTILE = "x\r\nBcc: eve@example.com\x1b[2J\u202e"


async def test_what_is_hidden_in_a_name_is_spelt_out_everywhere(desk):
    said = []
    async with receiver() as found, mail_server() as post:
        channels = {"webhooks": {"ops": hook(found)}, "mail": {"post": mailbox(post)}}
        await sent(desk(said, terminal=True, **channels), notice(step=f"hosts[{HOSTILE}]", name=HOSTILE, tool=HOSTILE))

    _, to, mail = post.mails[0]
    assert ["lea@example.com", "leads@example.com"] == to
    assert mail["Bcc"] is None
    everything = [said[0], str(mail["Subject"]), *json.loads(found.requests[0][2])["text"].splitlines()]
    assert all(line.isprintable() for line in everything)
    assert "x<U+000D><U+000A>Bcc: eve@example.com<U+001B>[2J<U+202E>" in said[0]


async def test_mail_goes_to_the_role_and_to_those_who_hold_it(desk):
    async with mail_server(login=("gonogo", "pass word")) as post:
        given = mailbox(post, user_env="POST_USER", password_env="POST_PASSWORD")
        delivery = await sent(desk(mail={"post": given}, web="http://ui"))

    assert Delivery(sent=("post",)) == delivery
    sender, to, mail = post.mails[0]
    assert ("gonogo@example.com", ["lea@example.com", "leads@example.com"]) == (sender, to)
    assert "<0123456789abcdef@gonogo>" == mail["Message-ID"]
    assert mail["Subject"].startswith("[gonogo] incident_triage: remediate/isolate waits for lead")
    assert [
        "Mission mission-1",
        "Decide  gonogo approve mission-1 remediate/isolate",
        "Web UI  http://ui/namespaces/default/workflows/mission-1",
    ] == mail.get_content().splitlines()[-3:]


async def test_who_has_no_address_is_sent_no_mail(desk):
    async with mail_server() as post:
        assert Delivery() == await sent(desk(mail={"post": mailbox(post)}), notice(to=("chief",)))


async def test_mail_is_encrypted_where_it_says_so(desk, tmp_path, monkeypatch):
    context = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    async with mail_server(tls=context) as post:
        delivery = await sent(desk(mail={"post": mailbox(post, host="localhost", starttls=True)}))

    assert (("post",), [True]) == (delivery.sent, post.encrypted)


async def test_mail_that_cannot_be_encrypted_is_not_sent(desk):
    async with mail_server() as post:
        delivery = await sent(desk(mail={"post": mailbox(post, starttls=True)}))

    assert ("post: 127.0.0.1 does not offer what 'starttls' or the login needs",) == delivery.failed
    assert [] == post.mails


@pytest.mark.parametrize(
    ("server", "environ", "reason", "final"),
    [
        ({"busy": 1}, ENVIRON, "127.0.0.1 answered 421", False),
        ({"login": ("gonogo", "other")}, ENVIRON, "127.0.0.1 answered 535", True),
        ({"login": ("gonogo", "pass word")}, {}, "the variable POST_USER is not set", True),
        (
            {"refuses": frozenset(("lea@example.com", "leads@example.com"))},
            ENVIRON,
            "127.0.0.1 takes mail for none of them",
            True,
        ),
        (
            {"refuses": frozenset(("lea@example.com",))},
            ENVIRON,
            "127.0.0.1 does not take mail for 1 of 2 addresses",
            True,
        ),
    ],
)
async def test_what_a_mail_server_refuses_for_good_is_final(desk, server, environ, reason, final):
    async with mail_server(**server) as post:
        login = {"user_env": "POST_USER", "password_env": "POST_PASSWORD"} if "login" in server else {}
        notifier = desk(environ=environ, mail={"post": mailbox(post, **login)})
        if final:
            assert (f"post: {reason}",) == (await sent(notifier)).failed
        else:
            assert f"post: {reason}" == (await failing(stage().run(notifier.send, notice()))).message
            assert Delivery(sent=("post",)) == await sent(notifier)


async def test_no_failure_has_a_secret_in_it(desk):
    async with receiver(500) as found, mail_server(login=("x", "y")) as post:
        login = {"user_env": "POST_USER", "password_env": "POST_PASSWORD"}
        channels = {"webhooks": {"ops": hook(found)}, "mail": {"post": mailbox(post, **login)}}
        error = await failing(stage().run(desk(**channels).send, notice()))
        delivery = await sent(desk(**channels), attempt=3)

    told = f"{error.message} {error.details} {delivery}"
    assert not any(secret in told for secret in (*ENVIRON.values(), "s3cret-path", "example.com"))


def certified(folder) -> ssl.SSLContext:
    """Make a certificate for localhost; return the server's context."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, no_password))
    (folder / "cert.pem").write_bytes(certificate.public_bytes(encoding))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def test_what_the_guide_tells_a_receiver_to_do_finds_notices_genuine(desk):
    guide = (Path(__file__).parents[2] / "docs/notifications.md").read_text()
    given: dict = {}
    exec(guide.partition("```python\n")[2].partition("```")[0], given)
    async with receiver() as found:
        await sent(desk(webhooks={"ops": hook(found)}))

    _, headers, body = found.requests[0]
    assert given["genuine"](headers, body, SECRET.encode())
    assert not given["genuine"](headers, body + b" ", SECRET.encode())
    assert not given["genuine"]({**headers, "webhook-timestamp": "1"}, body, SECRET.encode())
