"""What runs on the servers: packages by host, how a healthy one feels, what a version breaks, when may be patched."""

VERSIONS = {
    "web-01": {"openssl": "3.5.1-1", "libc6": "2.41-12", "nginx": "1.28.0-2"},
    "web-02": {"openssl": "3.5.1-1", "libc6": "2.41-12", "nginx": "1.28.0-2"},
    "api-01": {"openssl": "3.5.1-1", "libc6": "2.41-12"},
    "api-02": {"openssl": "3.5.1-1", "libc6": "2.41-12"},
    "db-01": {"openssl": "3.5.1-1", "libc6": "2.41-10"},
    "db-02": {"openssl": "3.5.1-1", "libc6": "2.41-10"},
    "mail-01": {"openssl": "3.5.0-2", "libc6": "2.41-12"},
    "scan-01": {"openssl": "3.5.1-1", "libc6": "2.41-12"},
    "siem-01": {"openssl": "3.5.1-1", "libc6": "2.41-12"},
    "bak-01": {"openssl": "3.4.10-1", "libc6": "2.41-10"},
    "bak-02": {"openssl": "3.4.10-1", "libc6": "2.41-10"},
    "git-01": {"openssl": "3.5.4-1", "libc6": "2.41-12"},
    "build-01": {"openssl": "3.5.4-1", "libc6": "2.41-12"},
    "build-02": {"openssl": "3.5.1-1", "libc6": "2.41-12"},
    "plc-gw-02": {"openssl": "3.0.17-1", "libc6": "2.36-9"},
}

VITALS = {
    "web server": (0.002, 38.0, ("https", "metrics")),
    "API server": (0.004, 55.0, ("api", "metrics")),
    "orders database": (0.0005, 6.0, ("sql", "replication")),
    "database replica": (0.0005, 7.0, ("sql", "replication")),
    "mail gateway": (0.006, 120.0, ("smtp", "smtp-tls")),
    "vulnerability scanner": (0.01, 210.0, ("scanner",)),
    "log collector": (0.001, 15.0, ("collector", "search")),
    "backup server": (0.003, 90.0, ("backup",)),
    "source repositories": (0.002, 44.0, ("ssh", "https")),
    "build runner": (0.012, 75.0, ("runner",)),
    "line controller gateway": (0.0, 12.0, ("gateway",)),
}
"""By role: share of requests that fail, latency in milliseconds, services."""

QUIRKS = (
    ("mail-01", "openssl", "3.5.4-1", 0.35, 1.2, ("smtp-tls",), "an old partner's cipher is gone"),
    ("api-01", "libc6", "2.41-14", 0.09, 2.4, (), "a resolver option changed its meaning"),
    ("api-02", "libc6", "2.41-14", 0.09, 2.4, (), "a resolver option changed its meaning"),
    ("web-02", "libc6", "2.41-14", 0.2, 1.1, ("https",), "a module was built against the older one"),
    ("scan-01", "libc6", "2.41-14", 0.4, 1.0, ("scanner",), "the scanner's plug-ins do not load"),
)
"""Host, package, the version that hurts it, failing share and latency factor on top, services down, why."""

WINDOWS = {
    "production": ((2, "03:00", 120), (6, "02:00", 240)),
    "office": ((0, "19:00", 240), (3, "19:00", 240)),
    "plant": ((5, "05:00", 240),),
}
"""By environment: day of the week (Monday is 0), start in UTC, minutes."""
