"""The change log: host, kind, status, starts, ends, requester, summary. Numbers are given in this order."""

CHANGES = (
    (
        *("scan-01", "vulnerability_scan", "approved", "2026-11-04T20:00:00Z", "2026-11-04T23:30:00Z", "k.brandvold"),
        "Weekly authenticated scan of the server networks, all ports",
    ),
    (
        *("bak-02", "backup_job", "approved", "2026-11-05T00:30:00Z", "2026-11-05T05:00:00Z", "k.brandvold"),
        "Quarterly full copy to the offsite vault instead of the nightly difference",
    ),
    (
        *("vpn-01", "network_change", "approved", "2026-11-05T06:00:00Z", "2026-11-05T09:00:00Z", "k.brandvold"),
        "Moved remote access to a second provider; some users appear from new countries",
    ),
    (
        *("sales-lt-21", "hardware_swap", "approved", "2026-11-05T07:00:00Z", "2026-11-05T18:00:00Z", "p.aldous"),
        "Replacement laptop for the travelling sales team, first sign-in abroad",
    ),
    (
        *("fin-ws-07", "software_update", "approved", "2026-10-29T18:00:00Z", "2026-10-29T20:00:00Z", "r.castellan"),
        "Spreadsheet add-in for the year-end closing",
    ),
    (
        *("eng-ws-12", "software_update", "approved", "2026-10-30T17:00:00Z", "2026-10-30T18:00:00Z", "i.vantongeren"),
        "New version of the drawing program",
    ),
    (
        *("dc-01", "patching", "approved", "2026-10-28T21:00:00Z", "2026-10-28T23:00:00Z", "adm.hollis"),
        "Monthly operating system patches",
    ),
    (
        *("db-01", "patching", "rejected", "2026-11-05T21:00:00Z", "2026-11-05T23:00:00Z", "luca.meszaros"),
        "Minor database release; postponed to after the quarter's end",
    ),
    (
        *("web-01", "deployment", "approved", "2026-11-03T14:00:00Z", "2026-11-03T14:30:00Z", "devi.ramanathan"),
        "Shop front 4.18",
    ),
    (
        *("web-02", "deployment", "approved", "2026-11-03T14:30:00Z", "2026-11-03T15:00:00Z", "devi.ramanathan"),
        "Shop front 4.18",
    ),
    (
        *("build-01", "patching", "approved", "2026-11-02T19:00:00Z", "2026-11-02T20:00:00Z", "devi.ramanathan"),
        "Compiler and base images",
    ),
    (
        *("plc-gw-02", "maintenance", "planned", "2026-11-14T05:00:00Z", "2026-11-14T09:00:00Z", "oona.pritchard"),
        "Firmware of line controllers during the plant stop",
    ),
)
