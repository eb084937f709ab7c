"""Write the software bill of materials of what `requirements.lock` pins: `python -m proof.materials FILE`.

CycloneDX, made anew each time and the same each time. It names packages, versions and hashes, and no registry:
where a package comes from is the business of whoever installs it, who checks it against its hash.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    """Write the bill to the file that is named; exit 2 without one."""
    if len(arguments) != 1:
        print("name the file for the bill of materials, as in build/sbom.json", file=sys.stderr)
        return 2
    bill = materials(ROOT / "requirements.lock", ROOT / "pyproject.toml")
    text = json.dumps(bill, indent=2, sort_keys=True) + "\n"
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if wrong is not None:
        print(f"the bill of materials is no CycloneDX 1.6: {wrong}", file=sys.stderr)
        return 1
    target = Path(arguments[0])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    print(f"{target}: {len(bill['components'])} packages")
    return 0


def materials(lock: Path, project: Path) -> dict[str, Any]:
    """Return the bill of a lock."""
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", str(lock)]
    command += ["--pyproject", str(project), "--sv", "1.6", "--output-reproducible"]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    bill: dict[str, Any] = json.loads(made.stdout)
    pinned = [_pinned(component) for component in bill["components"]]
    kept = {key: bill[key] for key in ("$schema", "bomFormat", "specVersion", "version")}
    about = {"component": bill["metadata"]["component"]}
    return {**kept, "metadata": about, "components": sorted(pinned, key=lambda one: str(one["purl"]))}


def _pinned(component: dict[str, Any]) -> dict[str, Any]:
    """Return a package with the hashes of its files as its own, without the address that the tool took for granted."""
    hashes = [found for place in component["externalReferences"] for found in place["hashes"]]
    kept = {key: component[key] for key in ("name", "version", "type", "purl")}
    return {**kept, "bom-ref": component["purl"], "hashes": hashes}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
