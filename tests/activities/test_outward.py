"""Addresses that lead inside: in all spellings, behind names, behind redirections, and when names change their mind."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

import httpx
import pytest
from test_notify import certified

from activities.mcp_tools import ToolFailed, ToolServers
from activities.notify import Notifier
from activities.outward import AddressRefused, Outward
from activities.people import Directory
from activities.runtimes.cast import Cast
from contracts.address import inside
from contracts.channel import NotifyFile
from contracts.mind import A2AAgent, HttpAgent
from tests.activities.activity_stage import failing, stage, told
from tests.activities.service import Service, tools
from tests.activities.service import servers as at
from tests.activities.test_notify import ENVIRON, notice
from tests.activities.thinkers import OUTPUT, asking, judging

INSIDE = (
    "127.0.0.1", "127.255.0.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
    "169.254.169.254", "169.254.0.1", "168.63.129.16", "100.100.100.200", "192.0.0.192", "0.0.0.0", "0.1.2.3",
    "100.127.255.255", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.0.0.8", "192.0.2.1",
    "198.18.0.1", "198.51.100.7", "203.0.113.9", "192.88.99.1",
    "::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd12:3456::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "3fff::1",
    "100::1", "2001::1", "2001:10::1", "5f00::1", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:c0a8:101::1",
)  # fmt: skip
OUTSIDE = ("1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")
SPELLINGS = (
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "0x7f.0x0.0.1",
    "127.0.0.1.", "127.1.", "localhost", "LOCALHOST", "localhost.", "LocalHost.localdomain", "0", "0.0.0.0", "0x0",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[::127.0.0.1]",
    "good.example@127.0.0.1", "good.example:80@127.0.0.1", "good.example%2f@127.0.0.1", "127%2e0%2e0%2e1",
    "127.0.0.1#@good.example", "127.0.0.1?@good.example", "127.0.0.1\\@good.example",
    "\uff11\uff12\uff17.\uff10.\uff10.\uff11", "127\u30020\u30020\u30021", "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460",
    "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3", "loc\u00adalhost", "\u2460\u2461\u2466.1",
)  # fmt: skip
ODD = ("localhost.", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]")


class Names:
    """A resolver: what it says of each name in turn, the last again and again, and how often it was asked."""

    def __init__(self, **said: list[str]) -> None:
        self.said = {name.replace("_", "."): answers for name, answers in said.items()}
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        del port
        self.asked += 1
        answers = self.said.get(host, [])
        if not answers:
            raise socket.gaierror(f"{host} is unknown")
        return (answers.pop(0) if len(answers) > 1 else answers[0]).split()


async def on_this_machine(host: str, port: int) -> list[str]:
    """Resolve as the machine does, and ask nobody: every spelling of an address, and its own names."""
    if host.lower().removesuffix(".") in {"localhost", "localhost.localdomain"}:
        return ["127.0.0.1"]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)
    return [str(address[0]) for *_, address in found]


class Listening:
    """A server on 127.0.0.1: who called, and by which name."""

    def __init__(self, *leads: str) -> None:
        self.leads = list(leads)
        self.hosts: list[str] = []
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
            self.hosts += [line.partition(": ")[2] for line in head if line.lower().startswith("host:")]
            lead = self.leads.pop(0) if self.leads else ""
            status = f"302 Elsewhere\r\nlocation: {lead}" if lead else "200 Fine"
            writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
            await writer.drain()
        except asyncio.IncompleteReadError:
            self.hosts.append("?")
        writer.close()


@asynccontextmanager
async def listening(*leads: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Listening]:
    found = Listening(*leads)
    server = await asyncio.start_server(found.answer, "127.0.0.1", 0, ssl=tls)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found


@pytest.mark.parametrize("text", INSIDE)
def test_what_leads_inside_is_known_by_its_kind(text: str) -> None:
    assert inside(ip_address(text))


@pytest.mark.parametrize("text", OUTSIDE)
def test_what_leads_outside_is_free(text: str) -> None:
    assert not inside(ip_address(text))


async def test_no_spelling_of_an_address_leads_inside() -> None:
    async with listening() as there:
        for spelt in SPELLINGS:
            async with Outward((), on_this_machine).client(timeout=5) as client:
                # Some are no address at all, or are nobody's; the rest are refused for where they lead.
                with pytest.raises((AddressRefused, httpx.InvalidURL, httpx.ConnectError)):
                    await client.get(f"http://{spelt}:{there.port}/")
    assert [] == there.hosts


async def test_what_the_workspace_names_is_reached_and_no_other_spelling_of_it() -> None:
    async with listening() as there:
        outward = Outward((f"127.0.0.1:{there.port}",), on_this_machine)
        async with outward.client(timeout=5) as client:
            assert 200 == (await client.get(f"http://127.0.0.1:{there.port}/")).status_code
            for spelt in ODD:
                with pytest.raises((AddressRefused, httpx.ConnectError, httpx.InvalidURL)):
                    await client.get(f"http://{spelt}:{there.port}/")
    assert [f"127.0.0.1:{there.port}"] == there.hosts


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [
        ((), "company leads to 127.0.0.1, which is a loopback address"),
        (("127.0.0.1",), "company leads to 127.0.0.1, which is a loopback address"),
        (("company:1",), "company leads to 127.0.0.1, which is a loopback address"),
        (("company",), ""),
        (("Company:80",), ""),
    ],
)
async def test_a_name_counts_as_it_is_written(allowed: tuple[str, ...], refused: str) -> None:
    outward = Outward(allowed, Names(company=["127.0.0.1"]))
    if not refused:
        assert ("127.0.0.1",) == await outward.addresses("company", 80)
        return
    with pytest.raises(AddressRefused, match=refused):
        await outward.addresses("company", 80)


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "224.0.0.1", "0.0.0.0", "fe80::1%eth0"])
async def test_a_name_that_is_allowed_leads_neither_to_metadata_nor_to_what_is_nobodys(address: str) -> None:
    with pytest.raises(AddressRefused, match="names that address"):
        await Outward(("company",), Names(company=[address])).addresses("company", 80)


async def test_one_address_inside_is_enough_to_refuse_a_name() -> None:
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1, which is a private address"):
        await Outward((), Names(mixed=["1.1.1.1 10.0.0.1"])).addresses("mixed", 443)


async def test_what_was_judged_is_dialled_though_the_name_says_otherwise_a_moment_later() -> None:
    """The name is asked once for a connection; asked again it would lead elsewhere."""
    names = Names(twice_example=["127.0.0.1", "127.0.0.2"])
    async with listening() as there:
        async with Outward(("twice.example",), names).client() as client:
            answer = await client.get(f"http://twice.example:{there.port}/")
        assert (200, 1) == (answer.status_code, names.asked)
        assert [f"twice.example:{there.port}"] == there.hosts
    turns = Outward((), Names(turns_example=["1.1.1.1", "127.0.0.1"]))
    assert ("1.1.1.1",) == await turns.addresses("turns.example", 80)
    with pytest.raises(AddressRefused):
        await turns.addresses("turns.example", 80)


async def test_each_redirection_is_judged() -> None:
    async with listening() as second:
        for lead in (f"http://127.0.0.1:{second.port}/", f"//localhost:{second.port}/", f"http://127.1:{second.port}/"):
            async with listening(lead) as first:
                names = Names(first_example=["127.0.0.1"], localhost=["127.0.0.1"], **{"127_1": ["127.0.0.1"]})
                async with Outward(("first.example",), names).client(follow_redirects=True) as client:
                    with pytest.raises(AddressRefused):
                        await client.get(f"http://first.example:{first.port}/")
                assert 1 == len(first.hosts)
    assert [] == second.hosts


async def test_a_proxy_of_the_environment_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as there, listening() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        async with Outward(("127.0.0.1",)).client() as client:
            await client.get(f"http://127.0.0.1:{there.port}/")
        failed = await _failed(ToolServers(at(f"http://127.0.0.1:{there.port}/mcp")))
    assert ([], 1, "refused") == (proxy.hosts, len(there.hosts), failed.code)


async def test_a_certificate_is_asked_for_the_name_and_not_for_the_address(tmp_path) -> None:
    tls, asked = certified(tmp_path), []
    tls.sni_callback = lambda _, name, __: asked.append(name)
    trusted = ssl.create_default_context(cafile=tmp_path / "cert.pem")
    names = Names(localhost=["127.0.0.1"], other_example=["127.0.0.1"])
    outward = Outward(("localhost", "other.example"), names, trusted)
    async with listening(tls=tls) as there, outward.client() as client:
        assert 200 == (await client.get(f"https://localhost:{there.port}/")).status_code
        with pytest.raises(httpx.ConnectError, match="certificate"):
            await client.get(f"https://other.example:{there.port}/")
    assert ["localhost", "other.example"] == asked


async def test_the_next_address_of_a_host_is_tried_where_one_does_not_answer() -> None:
    outward = Outward(("two.example",), Names(two_example=["127.0.0.9 127.0.0.1"]))
    async with listening() as there, outward.client() as client:
        assert 200 == (await client.get(f"http://two.example:{there.port}/")).status_code


async def _failed(connections: ToolServers) -> ToolFailed:
    try:
        with pytest.raises(ToolFailed) as found:
            await connections.call("look", tools()["look"], {"host": "web-01"})
        return found.value
    finally:
        await connections.close()


async def test_a_tool_inside_is_refused_before_anything_is_sent(service: Service) -> None:
    failed = await _failed(ToolServers(at(service.url)))
    assert ("refused", "no") == (failed.code, failed.applied)
    assert str(failed).startswith("look is not called: 127.0.0.1 is a loopback address: nothing may be called there")
    assert not service.calls


@pytest.mark.parametrize("kind", [HttpAgent, A2AAgent])
async def test_an_agent_inside_is_refused_before_anything_is_sent(kind, servers: ToolServers) -> None:
    async with listening() as there:
        agent = kind(url=f"http://127.0.0.1:{there.port}/agent", output=OUTPUT)
        error = await failing(stage().run(judging(agent, Cast(), servers).run, asking(agent)))
    assert ("refused", "no", False) == told(error)
    assert "judge is not asked: 127.0.0.1 is a loopback address" in error.message
    assert [] == there.hosts


async def test_a_channel_inside_is_refused_before_anything_is_sent(tmp_path) -> None:
    (tmp_path / "people.yaml").write_text("people: {}")
    async with listening() as there:
        channels = NotifyFile(
            webhooks={"ops": {"url": f"http://127.0.0.1:{there.port}/secret", "secret_env": "HOOK_SECRET"}},
            mail={"post": {"host": "localhost", "port": there.port, "sender": "a@b.c", "to": {"lead": ("d@e.f",)}}},
        )
        desk = Notifier(channels, Directory(tmp_path / "people.yaml"), environ=ENVIRON)
        delivery = await stage().run(desk.send, notice())
    assert [] == there.hosts
    assert ((), 2) == (delivery.sent, len(delivery.failed))
    assert all("loopback address" in reason and "secret" not in reason for reason in delivery.failed)
