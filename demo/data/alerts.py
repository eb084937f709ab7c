"""The six alerts of one week, in short; `demo/finding.py` makes OCSF Detection Findings of them.

Observables are pairs of OCSF type and value beside host, address and user, which every alert has.
"""

from typing import TypedDict

from demo.data.indicators import ARCHIVER, DUMPER, ENCRYPTOR, IMPLANT


class Alert(TypedDict):
    """What a detection rule saw."""

    file: str
    at: str
    title: str
    description: str
    severity: int
    tactic: tuple[str, str]
    technique: tuple[str, str]
    host: str
    user: str
    process: str
    observables: tuple[tuple[str, str], ...]


ALERTS: tuple[Alert, ...] = (
    {
        "file": "beaconing_workstation",
        "at": "2026-11-03T09:42:00Z",
        "title": "Regular connections to a rare outside address",
        "description": "One process opens a short connection to the same outside address every five minutes.",
        "severity": 4,
        "tactic": ("TA0011", "Command and Control"),
        "technique": ("T1071", "Application Layer Protocol"),
        "host": "fin-ws-07",
        "user": "mara.lindqvist",
        "process": "wscript.exe",
        "observables": (("address", "203.0.113.77"), ("domain", "stats-relay.example"), ("hash", IMPLANT)),
    },
    {
        "file": "encrypting_workstation",
        "at": "2026-11-03T16:05:00Z",
        "title": "Many files renamed within a minute",
        "description": "A process rewrote and renamed over four hundred documents in sixty seconds.",
        "severity": 5,
        "tactic": ("TA0040", "Impact"),
        "technique": ("T1486", "Data Encrypted for Impact"),
        "host": "eng-ws-12",
        "user": "tobias.okafor",
        "process": "drawview.exe",
        "observables": (("hash", ENCRYPTOR),),
    },
    {
        "file": "internal_port_sweep",
        "at": "2026-11-04T20:50:00Z",
        "title": "Sweep of ports across the server networks",
        "description": "One host opened connections to over a thousand ports of forty hosts.",
        "severity": 3,
        "tactic": ("TA0007", "Discovery"),
        "technique": ("T1046", "Network Service Discovery"),
        "host": "scan-01",
        "user": "svc-scanner",
        "process": "scand",
        "observables": (),
    },
    {
        "file": "large_upload",
        "at": "2026-11-05T02:10:00Z",
        "title": "Unusual volume sent to an outside address",
        "description": "Over two terabytes left the network for one address within the night.",
        "severity": 4,
        "tactic": ("TA0010", "Exfiltration"),
        "technique": ("T1567", "Exfiltration Over Web Service"),
        "host": "bak-02",
        "user": "svc-backup",
        "process": "vaultagent",
        "observables": (("address", "198.51.100.20"), ("domain", "vault.safekeep.example"), ("hash", ARCHIVER)),
    },
    {
        "file": "directory_credentials",
        "at": "2026-11-05T13:20:00Z",
        "title": "Memory of the logon service read",
        "description": "A process that is not part of the system opened the logon service's memory.",
        "severity": 5,
        "tactic": ("TA0006", "Credential Access"),
        "technique": ("T1003", "OS Credential Dumping"),
        "host": "dc-01",
        "user": "adm.hollis",
        "process": "svchelper.exe",
        "observables": (("address", "203.0.113.140"), ("hash", DUMPER)),
    },
    {
        "file": "unlikely_travel",
        "at": "2026-11-05T08:15:00Z",
        "title": "Sign-ins too far apart for the time between them",
        "description": "The same user signed in from two countries within forty minutes.",
        "severity": 3,
        "tactic": ("TA0001", "Initial Access"),
        "technique": ("T1078", "Valid Accounts"),
        "host": "sales-lt-21",
        "user": "nadia.ferreira",
        "process": "",
        "observables": (("address", "192.0.2.55"),),
    },
)
