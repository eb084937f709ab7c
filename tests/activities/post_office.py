"""Where notices arrive: an HTTP server and a mail server of their own, each on a real socket."""

import asyncio
import base64
import hashlib
import hmac
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Receiver:
    """An HTTP server that answers with one status after the other, the last again and again."""

    statuses: list[int]
    port: int = 0
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/s3cret-path"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        self.requests.append((head[0], headers, await reader.readexactly(int(headers["content-length"]))))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        more = "location: http://127.0.0.1:1/\r\n" if status == 302 else ""
        writer.write(f"HTTP/1.1 {status} Fine\r\n{more}content-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@asynccontextmanager
async def receiver(*statuses: int) -> AsyncIterator[Receiver]:
    found = Receiver(list(statuses) or [200])
    server = await asyncio.start_server(found.answer, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found


def verified(headers: dict[str, str], body: bytes, secret: bytes) -> bool:
    """Whether a body is what was signed: what `docs/notifications.md` asks of a receiver."""
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(expected, headers["webhook-signature"])


@dataclass
class MailServer:
    """A mail server: enough of SMTP to be talked to by a real client. `refuses` are addresses it does not know."""

    tls: ssl.SSLContext | None = None
    login: tuple[str, str] | None = None
    refuses: frozenset[str] = frozenset()
    busy: int = 0
    """How often it has no time."""
    port: int = 0
    mails: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Session(self, reader, writer).hold()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


class Session:
    def __init__(self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.secure = self.known = False
        self.sender, self.to = "", list[str]()

    async def say(self, line: str) -> None:
        self.writer.write(f"{line}\r\n".encode())
        await self.writer.drain()

    async def hold(self) -> None:
        if self.server.busy:
            self.server.busy -= 1
            return await self.say("421 busy")
        await self.say("220 post.example.com")
        while True:
            line = (await self.reader.readuntil(b"\r\n")).decode().strip()
            verb = line.split(" ")[0].upper()
            if verb == "QUIT":
                return await self.say("221 bye")
            await self.hear(verb, line)

    async def hear(self, verb: str, line: str) -> None:
        match verb:
            case "EHLO":
                offers = ["STARTTLS"] * (self.server.tls is not None and not self.secure)
                offers += ["AUTH PLAIN"] * (self.server.login is not None)
                words = ["post.example.com", *offers]
                for number, word in enumerate(words):
                    await self.say(f"250{' ' if number + 1 == len(words) else '-'}{word}")
            case "STARTTLS":
                await self.say("220 go on")
                await self.writer.start_tls(self.server.tls)
                self.secure = True
            case "AUTH":
                said = base64.b64decode(line.split(" ")[2]).decode().split("\0")[1:]
                self.known = tuple(said) == self.server.login
                await self.say("235 welcome" if self.known else "535 no")
            case "MAIL":
                allowed = self.known or self.server.login is None
                self.sender, self.to = address(line), []
                await self.say("250 ok" if allowed else "530 who are you")
            case "RCPT":
                known = address(line) not in self.server.refuses
                self.to += [address(line)] * known
                await self.say("250 ok" if known else "550 no such address")
            case "DATA":
                await self.say("354 go on")
                body = await self.reader.readuntil(b"\r\n.\r\n")
                mail = message_from_bytes(body[:-5], policy=policy.default)
                self.server.mails.append((self.sender, self.to, mail))  # type: ignore[arg-type]
                self.server.encrypted.append(self.secure)
                await self.say("250 taken")
            case _:
                await self.say("250 ok")


def address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]


@asynccontextmanager
async def mail_server(**fields: object) -> AsyncIterator[MailServer]:
    found = MailServer(**fields)  # type: ignore[arg-type]
    server = await asyncio.start_server(found.answer, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found
