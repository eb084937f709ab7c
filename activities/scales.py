"""What this worker weighs actions by: `risk.yaml` of its workspace, read again when the file changes.

Law: where a file is there and cannot be read, nobody can say how risky anything is, and nothing that acts may run.
`language/weigh.py` weighs.
"""

from pathlib import Path

from activities.people import Stamp, Unreadable, stamp
from contracts.risk import RiskFile
from language.document import read_document
from language.risks import check_risk


class Scales:
    """The factors and levels as they are on disk now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: Stamp = None
        self._file: RiskFile | None = None

    def file(self) -> RiskFile | None:
        """Return them; none where the workspace weighs nothing. `Unreadable` where they cannot be trusted."""
        now = stamp(self._path)
        if now != self._stamp:
            self._file = _read(self._path) if now is not None else None
            self._stamp = now
        return self._file


def _read(path: Path) -> RiskFile:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path} cannot be read: {error}") from None
    file, value, findings = read_document(RiskFile, text, str(path))
    findings += check_risk(file, value, None) if file is not None else []
    if findings or file is None:
        raise Unreadable(str(findings[0]))
    return file
