"""Search what is committed for secrets, as `make check` does with `python -m proof.secret_scan`.

What has the shape of a secret (a private key, a token of a known service) is looked for everywhere. What only looks
like one (much entropy, a word such as password) is not looked for in tests, which are full of made ones. A line that
must stay says so itself: `pragma: allowlist secret`.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parent.parent
GUESSING = (
    "Base64HighEntropyString",
    "HexHighEntropyString",
    "KeywordDetector",
    "BasicAuthDetector",
    "JwtTokenDetector",
)
UNREAD = {".lock", ".png", ".svg"}
"""Hashes of packages, and pictures."""
HISTORIES = "tests/histories/"
"""What they hold is base64, in which no shape is seen; it was signed with keys that were made for that."""
SHAPES = {"GitHub Token": re.compile(r"\bgh[oprsu]_[A-Za-z0-9]{36}")}
"""What is surer than the library: a test whose name goes "weighs_nothing_…" is none."""
KNOWN = {
    ("demo/data/indicators.py", "Hex High Entropy String"): "digests of files that the company takes for hostile",
    ("missions/incident_triage/alerts", "Hex High Entropy String"): "digests of files that an alert names",
    ("docs/costs.md", "Basic Auth Credentials"): "an address that shows where a password would stand",
    ("runtime/settings.py", "Basic Auth Credentials"): "the same, in a sentence",
    ("contracts/secret.py", "Secret Keyword"): "how a secret is named",
    ("starter/setup.py", "Secret Keyword"): "the name of a variable",
}


def main(arguments: list[str]) -> int:
    """Print every finding; exit 1 if there is one, 2 if there was nothing to read."""
    folder = Path(arguments[0]).resolve() if arguments else ROOT
    files = [file for file in committed(folder) if _is_read(folder, file)]
    if not files:
        print(f"{folder} has no files to search for secrets: name the folder of the project", file=sys.stderr)
        return 2
    with ProcessPoolExecutor() as pool:
        found = [line for lines in pool.map(_searched, [folder] * len(files), files, chunksize=20) for line in lines]
    for line in found:
        print(f"{line}: take it out and revoke it, or mark the line with 'pragma: allowlist secret' and a reason")
    return 1 if found else 0


def committed(folder: Path) -> list[str]:
    """Return the files that are, or with the next commit could be, in the repository; without one, all that show."""
    asked = ["git", "-C", str(folder), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(asked, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [name for name in listed.stdout.split("\0") if name]
    hidden = (path.relative_to(folder) for path in folder.rglob("*"))
    return sorted(str(path) for path in hidden if not any(part.startswith(".") for part in path.parts))


def _is_read(folder: Path, file: str) -> bool:
    return (folder / file).is_file() and not file.startswith(HISTORIES) and Path(file).suffix not in UNREAD


def _searched(folder: Path, file: str) -> list[str]:
    return list(findings(folder, file))


def findings(folder: Path, file: str) -> Iterator[str]:
    """Yield where a file holds what should not be there, never the secret itself."""
    text = (folder / file).read_text(errors="replace")
    known: dict[str, Any] = get_mapping_from_secret_type_to_class()
    kinds = [kind for kind in known.values() if _may_hold(text, kind)]
    if file.startswith("tests/"):
        kinds = [kind for kind in kinds if kind.__name__ not in GUESSING]
    if not kinds:
        return
    with transient_settings({"plugins_used": [{"name": kind.__name__} for kind in kinds]}):
        for secret in scan_file(str(folder / file)):
            shape = SHAPES.get(secret.type)
            if shape is not None and not shape.search(text.splitlines()[secret.line_number - 1]):
                continue
            if not any(file.startswith(place) and secret.type == kind for place, kind in KNOWN):
                yield f"{file}:{secret.line_number}: {secret.type}"


def _may_hold(text: str, kind: Any) -> bool:
    """Whether a shape is anywhere in a file: the scan, line by line, takes a hundred times as long."""
    return not hasattr(kind, "denylist") or any(shape.search(text) for shape in kind.denylist)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
