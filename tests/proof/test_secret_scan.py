"""A key that somebody is about to commit is found, and neither said aloud nor overlooked."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from proof.secret_scan import ROOT, committed, findings, main

ACCESS_KEY = "AKIA" + "Z7Q3M5XWB2KJ4RTN"
PLANTED = {
    "a private key": ("Private Key", "{pem}"),
    "a cloud's key": ("AWS Access Key", f"key: {ACCESS_KEY}"),
    "a password in code": ("Secret Keyword", "password = 'correct-horse-battery'"),
    "a long hexadecimal text": ("Hex High Entropy String", "it = 'c3ab8ff13720e8ad9047dd39466b3c8974e592c2fa383d4a'"),
}


def pem() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def planted(folder: Path, place: str, text: str) -> list[str]:
    (folder / place).parent.mkdir(exist_ok=True)
    (folder / place).write_text(f"first = 1\n{text.format(pem=pem())}\n")
    return list(findings(folder, place))


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_secret_is_found_and_not_repeated(tmp_path, name):
    kind, text = PLANTED[name]

    assert [f"starter/new.py:2: {kind}"] == planted(tmp_path, "starter/new.py", text)


def test_in_tests_only_what_has_the_shape_of_a_secret_counts(tmp_path):
    found = {name: planted(tmp_path, "tests/new.py", text) for name, (_, text) in PLANTED.items()}

    assert {"a private key", "a cloud's key"} == {name for name, lines in found.items() if lines}


def test_a_token_of_a_service_is_one_only_where_it_begins_a_word(tmp_path):
    token = "ghs_" + "a1" * 18

    assert ["tests/a.py:2: GitHub Token"] == planted(tmp_path, "tests/a.py", f"it = '{token}'")
    assert [] == planted(tmp_path, "tests/b.py", f"def test_wei{token}(): ...")


def test_a_line_that_must_stay_says_so(tmp_path):
    assert [] == planted(tmp_path, "starter/new.py", f"key = '{ACCESS_KEY}'  # pragma: allowlist secret")


def test_what_is_not_committed_yet_is_searched_and_what_is_ignored_is_not(tmp_path):
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text(".gonogo/\n")
    planted(tmp_path, ".gonogo/ines.pem", "{pem}")
    planted(tmp_path, "new/ines.pem", "{pem}")

    assert [".gitignore", "new/ines.pem"] == committed(tmp_path)


def test_the_program_ends_with_1_at_a_finding_and_with_2_where_there_is_nothing_to_read(tmp_path, capsys):
    assert 2 == main([str(tmp_path)])
    planted(tmp_path, "new/ines.pem", "{pem}")
    capsys.readouterr()

    searched = subprocess.run(
        [sys.executable, "-m", "proof.secret_scan", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (1, "new/ines.pem:2: Private Key") == (searched.returncode, searched.stdout.partition(": take it out")[0])
