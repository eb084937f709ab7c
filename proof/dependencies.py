"""Ask whether what `requirements.lock` pins has known vulnerabilities, as `make audit-deps` does.

pip-audit takes a package that nobody could be asked about for one without findings. Here that is no answer, and no
success. Options are those of pip-audit:
`--vulnerability-service osv --osv-url URL` asks a mirror of one's own.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
NONE, FOUND, UNASKED = 0, 1, 3


def main(options: list[str]) -> int:
    """Ask, and print what is known: exit 0 for nothing, 1 for a finding, 3 when somebody could not be asked."""
    lock = [] if {"-r", "--requirement"} & set(options) else ["--requirement", str(LOCK)]
    quiet = ["--format", "json", "--progress-spinner", "off", "--desc", "off"]
    command = [sys.executable, "-m", "pip_audit", *lock, "--no-deps", "--disable-pip", *quiet, *options]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    code, lines = judged(asked.stdout, asked.stderr)
    print("\n".join(lines), file=sys.stdout if code == NONE else sys.stderr)
    return code


def judged(report: str, complaint: str) -> tuple[int, list[str]]:
    """Return the exit code and the sentences that a report of pip-audit comes to."""
    try:
        known: list[dict[str, Any]] = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = next(iter(reversed(complaint.strip().splitlines())), "pip-audit said nothing")
        return UNASKED, [f"could not be asked whether anything is vulnerable: {last}"]
    unasked = [one["name"] for one in known if "skip_reason" in one]
    found = [f"{one['name']} {one['version']}: {_said(flaw)}" for one in known for flaw in one.get("vulns", ())]
    if unasked or not known:
        found.append(f"could not be asked about {len(unasked)} of {len(known)} packages: {_some(unasked)}")
        return (FOUND if len(found) > 1 else UNASKED), found
    return (FOUND, found) if found else (NONE, [f"no known vulnerability in {len(known)} packages"])


def _said(flaw: dict[str, Any]) -> str:
    names = ", ".join((flaw["id"], *flaw.get("aliases", ())))
    mended = " or ".join(flaw.get("fix_versions", ())) or "nothing yet"
    return f"{names}, mended by {mended}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
