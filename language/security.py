"""Find what is wrong in `security.yaml`.

The law: an entry that could never fit, or that says more than one host, is refused.
"""

import re
from collections.abc import Iterator
from ipaddress import ip_address

from contracts.security import SecurityFile
from contracts.workspace import PeopleFile
from language.entry import unknown
from language.finding import Finding
from language.yaml_source import Value

NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*", re.ASCII)
PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.ASCII)
MEND = "write one host as 'name', 'name:port' or an address; no scheme, no path, no pattern"


def check_security(file: SecurityFile, value: Value, people: PeopleFile | None = None) -> Iterator[Finding]:
    """Find hosts that are none, and roles that nobody holds; unread people hold any."""
    known = {*people.people, *people.roles()} if people else None
    for number, who in enumerate(file.require_signed if known is not None else ()):
        yield from unknown(
            "UNKNOWN_PERSON", "role or person", who, known or (), value.place_of("require_signed", number)
        )
    for number, entry in enumerate(file.allow_hosts):
        if not is_host(entry):
            yield Finding("BAD_VALUE", f"'{entry[:80]}' is no host", value.place_of("allow_hosts", number), MEND)


def is_host(entry: str) -> bool:
    """Whether an entry names one host, in the one way in which hosts are compared."""
    text, colon, port = entry.rpartition(":") if entry.count(":") == 1 or "]:" in entry else (entry, "", "")
    if colon and (not PORT.fullmatch(port) or int(port) > 65_535):
        return False
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") and colon else text
    try:
        return str(ip_address(bare)) == bare.lower()
    except ValueError:
        # A last part that is a number makes some resolvers read the whole as an address, in one of its odd spellings.
        return bool(NAME.fullmatch(bare.lower())) and not NUMBER.fullmatch(bare.lower().rpartition(".")[2])
