"""What is known of the pinned packages is said; what could not be asked is never called harmless."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from proof.dependencies import FOUND, NONE, UNASKED, judged, main

FLAW = {
    "id": "PYSEC-1",
    "aliases": ["CVE-1"],
    "summary": "it falls over",
    "affected": [
        {
            "package": {"name": "weak", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
        }
    ],
}


@contextmanager
def library(status: int = 200) -> Iterator[str]:
    """Serve what is known of vulnerabilities, as OSV does: the package `weak` has one."""

    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = {"vulns": [FLAW]} if asked["package"]["name"] == "weak" else {}
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, *_: Any) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Desk)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def ask(tmp_path):
    def asked(url: str, *packages: str) -> int:
        lock = tmp_path / "some.lock"
        lock.write_text("".join(f"{name}==1.0 --hash=sha256:{'0' * 64}\n" for name in packages))
        cache = str(tmp_path / "cache")
        where = ["--vulnerability-service", "osv", "--osv-url", url, "--cache-dir", cache, "--timeout", "5"]
        return main(["--requirement", str(lock), *where])

    return asked


def test_nothing_known_is_said_with_how_many_were_asked_about(ask, capfd):
    with library() as url:
        assert NONE == ask(url, "sound", "solid")
    assert "no known vulnerability in 2 packages\n" == capfd.readouterr().out


def test_a_known_vulnerability_is_named_with_what_mends_it(ask, capfd):
    with library() as url:
        assert FOUND == ask(url, "sound", "weak")
    assert "weak 1.0: PYSEC-1, CVE-1, mended by 1.1\n" == capfd.readouterr().err


def test_whoever_cannot_be_reached_was_not_asked(ask, capfd):
    with library() as url:
        pass
    assert UNASKED == ask(url, "sound")
    told = capfd.readouterr()
    assert ("", "could not be asked whether anything is vulnerable") == (told.out, told.err.partition(":")[0])


def test_whoever_answers_with_an_error_was_not_asked(ask, capfd):
    with library(status=503) as url:
        assert UNASKED == ask(url, "sound")
    assert "could not be asked" in capfd.readouterr().err


def test_a_package_that_nobody_knows_is_not_taken_for_harmless():
    """What pip-audit itself reports as success, with the reason in a field."""
    skipped = [{"name": name, "skip_reason": "Dependency not found"} for name in "abcde"]
    sound = {"name": "sound", "version": "1", "vulns": []}
    weak = {"name": "weak", "version": "1", "vulns": [{"id": "X-1", "fix_versions": [], "aliases": []}]}

    assert (UNASKED, ["could not be asked about 5 of 6 packages: a, b, c and 2 more"]) == said(sound, *skipped)
    assert (FOUND, ["weak 1: X-1, mended by nothing yet", "could not be asked about 1 of 2 packages: a"]) == said(
        weak, skipped[0]
    )
    assert UNASKED == said()[0]
    assert UNASKED == judged("[]", "")[0]


def said(*known: Any) -> tuple[int, list[str]]:
    return judged(json.dumps({"dependencies": known}), "No known vulnerabilities found")
