"""Alerts in the Open Cybersecurity Schema Framework: Detection Finding, class 2004."""

import uuid
from datetime import datetime
from typing import Any

from demo.data.alerts import Alert

SEVERITIES = {1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"}
OBSERVABLES = {
    "host": (1, "Hostname", "device.hostname"),
    "domain": (1, "Hostname", "dst_endpoint.hostname"),
    "address": (2, "IP Address", "dst_endpoint.ip"),
    "user": (4, "User Name", "actor.user.name"),
    "hash": (8, "Hash", "actor.process.file.hashes"),
}
NAMESPACE = uuid.UUID("6f4c6f0e-6c1c-5d0a-9d2b-52c1a1b7f3c4")


def detection_finding(alert: Alert, address: str) -> dict[str, Any]:
    """Return the finding for an alert on a host with this address. Its uid depends on what it says and nothing else."""
    time = int(datetime.fromisoformat(alert["at"]).timestamp() * 1000)
    uid = str(uuid.uuid5(NAMESPACE, f"{alert['host']} {alert['title']} {time}"))
    return {
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "category_uid": 2,
        "category_name": "Findings",
        "activity_id": 1,
        "activity_name": "Create",
        "type_uid": 200401,
        "severity_id": alert["severity"],
        "severity": SEVERITIES[alert["severity"]],
        "status_id": 1,
        "status": "New",
        "time": time,
        "message": alert["title"],
        "metadata": {"version": "1.6.0", "product": {"name": "Larkfield SIEM", "vendor_name": "Larkfield Instruments"}},
        "finding_info": {
            "uid": uid,
            "title": alert["title"],
            "desc": alert["description"],
            "created_time": time,
            "attacks": [
                {
                    "tactic": {"uid": alert["tactic"][0], "name": alert["tactic"][1]},
                    "technique": {"uid": alert["technique"][0], "name": alert["technique"][1]},
                }
            ],
        },
        "device": {"hostname": alert["host"], "ip": address, "type_id": 0},
        "actor": {"user": {"name": alert["user"]}, "process": {"name": alert["process"]}},
        "observables": _observables(alert, address),
    }


def _observables(alert: Alert, address: str) -> list[dict[str, Any]]:
    device = (("host", alert["host"]), ("user", alert["user"]))
    rows = [(*OBSERVABLES[kind], value) for kind, value in (*device, *alert["observables"])]
    rows.append((2, "IP Address", "device.ip", address))
    return [{"name": name, "type_id": number, "type": label, "value": value} for number, label, name, value in rows]
