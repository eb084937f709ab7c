"""What threat intelligence knows: value, kind, reputation, confidence, last seen, source, description.

Addresses are of the ranges kept for documentation.
"""

IMPLANT = "4f1b6c0d9e7a35528e13c6a0b7d94f2186c05a3ee1d27b94c8306f5da91be740"
ENCRYPTOR = "b82ce0175f9a4d63c1e70f2b8846ad395e0c7719d2f6a83b40c5e91d67f20a8c"
DUMPER = "07d3a9e45c61b28ff04e83d5a91c76b2e8f05d1437ca69be2085f3d61ba97c4e"
ARCHIVER = "d15a7e02c94b863f70e1ad5c286fb9340c7e51d8a3f0629be47c18d50963fa2b"

INDICATORS = (
    (
        "203.0.113.77",
        "address",
        "malicious",
        92,
        "2026-11-02",
        "abuse exchange",
        "Command server of a commodity loader",
    ),
    ("stats-relay.example", "domain", "malicious", 88, "2026-11-01", "abuse exchange", "Beacon domain, new in October"),
    (IMPLANT, "sha256", "malicious", 95, "2026-10-30", "sandbox sharing", "Loader delivered by invoice mails"),
    (ENCRYPTOR, "sha256", "malicious", 97, "2026-11-03", "sandbox sharing", "File encryptor, sold to affiliates"),
    (
        "203.0.113.140",
        "address",
        "malicious",
        85,
        "2026-10-31",
        "sector exchange",
        "Staging server of an intrusion set",
    ),
    (DUMPER, "sha256", "malicious", 90, "2026-10-28", "sandbox sharing", "Dumps credentials from process memory"),
    ("198.51.100.20", "address", "benign", 95, "2026-11-05", "vendor list", "Offsite vault of the backup provider"),
    (
        "vault.safekeep.example",
        "domain",
        "benign",
        95,
        "2026-11-05",
        "vendor list",
        "Offsite vault of the backup provider",
    ),
    (ARCHIVER, "sha256", "benign", 90, "2026-09-20", "software catalogue", "Backup agent, signed by its vendor"),
    ("192.0.2.55", "address", "suspicious", 45, "2026-10-12", "abuse exchange", "Shared exit of a privacy service"),
    ("192.0.2.200", "address", "suspicious", 30, "2026-06-02", "abuse exchange", "Once hosted a phishing page"),
    ("198.51.100.90", "address", "benign", 80, "2026-11-01", "vendor list", "Update mirror of an operating system"),
)
