"""The knowledge base: short runbooks and policies, as the security operations team wrote them.

`advice` is the document's own summary for readers in a hurry: `contain`, `expected` (harmless under the kinds of change
in `expects`), `verify` or `policy`. Techniques are those of MITRE ATT&CK.
"""

from typing import TypedDict


class Document(TypedDict):
    """One page of the knowledge base."""

    title: str
    advice: str
    techniques: tuple[str, ...]
    expects: tuple[str, ...]
    body: str


DOCUMENTS: tuple[Document, ...] = (
    {
        "title": "Runbook: beaconing to a command server",
        "advice": "contain",
        "techniques": ("T1071", "T1573"),
        "expects": (),
        "body": (
            "Regular, small connections to one outside address are how an implant asks for orders. Confirm with the "
            "address's reputation, the spacing of the connections and what started on the host before the first one. "
            "If two of the three agree, isolate the workstation before anything else: the operator may act at any "
            "minute. Keep it powered, so that memory can be taken."
        ),
    },
    {
        "title": "Runbook: files are being encrypted",
        "advice": "contain",
        "techniques": ("T1486", "T1490"),
        "expects": (),
        "body": (
            "Mass renaming of files, deleted shadow copies and a stopped protection agent mean encryption has begun. "
            "Every minute costs files. Isolate the host, then its user's other sessions, then look at file shares "
            "that the user can write to. Do not switch it off: keys may still be in memory."
        ),
    },
    {
        "title": "Runbook: credentials dumped from memory",
        "advice": "contain",
        "techniques": ("T1003",),
        "expects": (),
        "body": (
            "A process that reads the memory of the logon service is after passwords and tickets. Treat every account"
            " that was signed in on the host as known to the attacker. On a workstation, isolate. On a directory "
            "server, see the policy on critical hosts: cutting it off stops sign-in for the whole company, so people "
            "decide."
        ),
    },
    {
        "title": "Note: authorised vulnerability scans",
        "advice": "expected",
        "techniques": ("T1046", "T1595"),
        "expects": ("vulnerability_scan",),
        "body": (
            "The scanner sweeps the server networks every Wednesday evening, with a change entry. Sweeps from the "
            "scanner inside that window are expected. A sweep outside the window, or from any other host, is not, and"
            " neither is a sign-in that succeeds during the sweep."
        ),
    },
    {
        "title": "Note: large transfers to the backup provider",
        "advice": "expected",
        "techniques": ("T1048", "T1567", "T1537"),
        "expects": ("backup_job",),
        "body": (
            "Backup servers copy to the offsite vault every night. A full copy, once a quarter and with a change "
            "entry, moves forty times as much as a usual night and sets off the volume rule. Check that the far side "
            "is the vault and that the backup agent started the transfer."
        ),
    },
    {
        "title": "Guide: sign-ins from unlikely places",
        "advice": "verify",
        "techniques": ("T1078",),
        "expects": ("travel_notice",),
        "body": (
            "Two sign-ins too far apart for the time between them are often a privacy service, a new mobile carrier "
            "or a colleague on the road, and sometimes a stolen session. The sign-in alone decides nothing. Look at "
            "the second factor, at mail rules made afterwards and at a travel notice, and when these disagree call "
            "the user."
        ),
    },
    {
        "title": "Policy: hosts that are never cut off without a lead",
        "advice": "policy",
        "techniques": (),
        "expects": (),
        "body": (
            "Hosts of criticality critical carry sign-in, orders or the production line. Their isolation stops the "
            "company and is a decision of the incident commander with the owner on the phone. Automation prepares, it"
            " never proposes isolation for them."
        ),
    },
    {
        "title": "Procedure: isolating and releasing a host",
        "advice": "policy",
        "techniques": (),
        "expects": (),
        "body": (
            "Isolation leaves only the connection to endpoint protection. The user sees a banner with the case and "
            "the number of the service desk. Release lifts the hold of one case; the host is back on the network when"
            " no case holds it. Before release: implant removed, passwords changed, a clean scan on record."
        ),
    },
    {
        "title": "Runbook: mail with a harmful attachment",
        "advice": "contain",
        "techniques": ("T1566", "T1204"),
        "expects": (),
        "body": (
            "Find everyone who got the mail, withdraw it, and see who opened it. An office program that starts a "
            "shell within minutes of the opening is the sign that it worked. From then on follow the runbook on "
            "beaconing."
        ),
    },
    {
        "title": "Guide: moving from host to host",
        "advice": "contain",
        "techniques": ("T1021", "T1570"),
        "expects": (),
        "body": (
            "One account that signs in on several servers within minutes, from a host where it never worked, is "
            "lateral movement until shown otherwise. Isolating the first host alone no longer ends it. Hand over to "
            "the incident commander with the list of hosts."
        ),
    },
    {
        "title": "Guide: service accounts",
        "advice": "verify",
        "techniques": ("T1078", "T1098"),
        "expects": (),
        "body": (
            "Service accounts do one job from known hosts. Anything else by them is worth a look at once: they have "
            "no owner who would notice, and their passwords live long."
        ),
    },
    {
        "title": "Guide: writing the note to the engineer on call",
        "advice": "policy",
        "techniques": (),
        "expects": (),
        "body": (
            "Say first what is asked, then why, then what it will break, then how to undo it. Name the owner and the "
            "evidence with its source. An engineer at three in the morning reads the first four lines."
        ),
    },
    {
        "title": "Guide: handing over to people",
        "advice": "policy",
        "techniques": (),
        "expects": (),
        "body": (
            "What automation cannot settle goes to people with everything so far: what was found and where, what "
            "speaks for harm and what against, and the one question that would settle it. Do not soften the open "
            "points."
        ),
    },
)
