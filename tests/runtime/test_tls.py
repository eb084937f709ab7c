"""A server behind TLS: our programs show their certificate as profile or environment say, and believe no other.

The embedded server knows no TLS: what ends it before that server here is of the test's own.
"""

import asyncio
import ipaddress
import os
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from runtime.connection import Unreachable, connect
from runtime.settings import Settings
from starter.server import DevServer

PATIENCE = 60.0
ROOT = Path(__file__).parents[2]
NOW = datetime.now(UTC)


class Authority:
    """Who signs certificates, in a folder: `NAME.pem` and `NAME.key`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.pem"
        built = self._built(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.file.write_bytes(built.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, address: str = "127.0.0.1") -> tuple[Path, Path]:
        """Issue a certificate to somebody; return it and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        signed = self._built(subject, key).add_extension(names, critical=False).sign(self._key, hashes.SHA256())
        files = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        files[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        plain = serialization.NoEncryption()
        files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
        return files

    def _built(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=1))
            .not_valid_after(NOW + timedelta(days=1))
        )


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours"), "ours")


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("others"), "others")


@pytest.fixture(scope="module")
async def door(server: DevServer, ours: Authority) -> AsyncIterator[str]:
    """Serve TLS before the server, for who shows a certificate of ours."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*ours.issue("temporal"))
    context.load_verify_locations(ours.file)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    host, _, port = server.address.rpartition(":")

    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection(host, int(port))
        await asyncio.gather(copied(reader, forth), copied(back, writer))

    listening = await asyncio.start_server(through, "127.0.0.1", 0, ssl=context)
    yield f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    listening.close()


async def copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what one side says, until it says no more."""
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


def shown(door: str, trusted: Authority, certificate: tuple[Path, Path] | None) -> dict[str, str]:
    """Return the environment of who trusts an authority and shows a certificate."""
    files = dict(zip(("CERT", "KEY"), map(str, certificate or ()), strict=False))
    own = {f"TEMPORAL_TLS_CLIENT_{what}_PATH": file for what, file in files.items()}
    return {
        "TEMPORAL_ADDRESS": door,
        "TEMPORAL_TLS": "true",
        "TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(trusted.file),
        **own,
    }


async def test_who_shows_a_certificate_gets_through_by_environment_and_by_profile(
    door: str, ours: Authority, tmp_path: Path
) -> None:
    settings, environ = Settings(workspace=tmp_path, home=tmp_path), shown(door, ours, ours.issue("worker"))
    client = await connect(settings, PATIENCE, environ)
    assert await client.count_workflows("WorkflowId = 'nobody'")

    certificate, key = ours.issue("operator")
    paths = {"server_ca_cert_path": ours.file, "client_cert_path": certificate, "client_key_path": key}
    profile = tmp_path / "temporal.toml"
    said = "".join(f'{name} = "{path}"\n' for name, path in paths.items())
    profile.write_text(f'[profile.default]\naddress = "{door}"\n[profile.default.tls]\n{said}')
    line = [sys.executable, "-m", "starter", "list", "--limit", "1"]
    known = {"PATH": os.environ["PATH"], "GONOGO_HOME": str(tmp_path), "TEMPORAL_CONFIG_FILE": str(profile)}
    process = await asyncio.create_subprocess_exec(
        *line, env=known, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, complaint = await process.communicate()
    assert (0, b"") == (process.returncode, complaint)


async def test_who_is_not_believed_or_does_not_believe_is_told_in_a_sentence(
    door: str, ours: Authority, others: Authority, tmp_path: Path
) -> None:
    settings, mine = Settings(workspace=tmp_path, home=tmp_path), ours.issue("another")
    untrusted = "its certificate is not to be trusted"
    name = {"TEMPORAL_TLS_SERVER_NAME": "other.example.com"}
    cases = [
        (shown(door, others, mine), f"{untrusted} (UnknownIssuer); a Temporal profile says who signs it, and its name"),
        ({**shown(door, ours, mine), **name}, f"{untrusted} (NotValidForName"),
        (shown(door, ours, None), ""),
        (shown(door, ours, others.issue("stranger")), ""),
        ({"TEMPORAL_ADDRESS": door}, ""),
    ]
    for environ, expected in cases:
        with pytest.raises(Unreachable) as caught:
            await connect(settings, PATIENCE, environ)
        # Who is refused is told in one of several ways, by whether the server's word comes before its end.
        assert str(caught.value).startswith(f"no Temporal server answers at {door}: {expected}")
        assert 1 == len(str(caught.value).splitlines())
    with pytest.raises(Unreachable, match=r"^the Temporal profile cannot be used: .*No such file"):
        await connect(settings, environ=shown(door, ours, (tmp_path / "none.pem", mine[1])))
