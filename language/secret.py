"""What can be wrong with how a workspace names secrets: names that are none, and values that stand in the clear."""

import re
from collections.abc import Iterator

from contracts.secret import FORM, MARK, wrong
from contracts.workspace import Server
from language.finding import Finding
from language.yaml_source import Value

HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_|~-]+", re.ASCII)
SECRET = re.compile(r"authorization|cookie|(?:^|[-_])(?:key|token|secret|password|signature)$|api-?key", re.IGNORECASE)


def check_headers(server: Server, here: Value) -> Iterator[Finding]:
    """Find headers that cannot be sent, secrets in the clear, and a bearer where the step's credential is one."""
    for name, text in server.headers.items():
        place = here.place_of("headers", name)
        if not HEADER.fullmatch(name) or not text.isascii() or not text.isprintable():
            yield Finding(
                "BAD_VALUE", f"'{name[:80]}' is no header of one line of ASCII", place, "write 'X-Name: value'"
            )
        elif wrong(text):
            yield Finding("BAD_VALUE", f"the header '{name}' names no secret", place, FORM)
        elif SECRET.search(name) and MARK not in text:
            yield Finding("BAD_VALUE", f"the header '{name}' has its secret in the clear", place, FORM)
        elif name.lower() == "authorization" and server.credential == "step":
            message = "'credential: step' is sent as 'Authorization' already"
            yield Finding("BAD_VALUE", message, place, "leave one of them out")


def check_key(key: str, here: Value) -> Iterator[Finding]:
    """Find a key that stands in the clear, or names no secret."""
    if key and (wrong(key) or not key.startswith(MARK)):
        yield Finding("BAD_VALUE", "'key' names no secret", here.place_of("key"), FORM)
