"""The bill of materials names what the lock pins, with its hashes, and no place where it came from."""

import json
import re
from urllib.parse import urlsplit

from proof.materials import ROOT, main, materials


def test_the_bill_is_the_lock(tmp_path, capsys):
    target = tmp_path / "build" / "sbom.json"

    assert 0 == main([str(target)])
    bill = json.loads(target.read_text())
    lock = (ROOT / "requirements.lock").read_text()
    pinned = re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", lock, re.MULTILINE)
    assert sorted(pinned) == sorted((one["name"], one["version"]) for one in bill["components"])
    hashes = {found["content"] for one in bill["components"] for found in one["hashes"]}
    assert set(re.findall(r"sha256:([0-9a-f]{64})", lock)) == hashes
    assert "gonogo" == bill["metadata"]["component"]["name"]
    assert {"cyclonedx.org"} == {
        urlsplit(found).hostname for found in re.findall(r'https?://[^"\s]+', target.read_text())
    }
    assert f"{target}: {len(pinned)} packages\n" == capsys.readouterr().out


def test_the_same_lock_makes_the_same_bill(tmp_path):
    lock = tmp_path / "some.lock"
    lock.write_text(f"sound==1.0 \\\n    --hash=sha256:{'0' * 64}\n")

    assert materials(lock, ROOT / "pyproject.toml") == materials(lock, ROOT / "pyproject.toml")


def test_it_says_when_no_file_is_named(capsys):
    assert 2 == main([])
    assert capsys.readouterr().err.startswith("name the file")
