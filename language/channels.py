"""Find what is wrong with the channels by which people are told, in `notify.yaml`.

The law: no secret stands in a file, and a name that nobody has would be told nothing.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from contracts.channel import NotifyFile
from contracts.workspace import PeopleFile
from language.entry import bad_name, unknown
from language.finding import Finding
from language.yaml_source import Value

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
ADDRESS = re.compile(r"[^@\s,;<>\"()]+@[^@\s,;<>\"()]+")
LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))


def check_channels(file: NotifyFile, value: Value, people: PeopleFile | None) -> Iterator[Finding]:
    """Find addresses that are none, variables that cannot be, and names that nobody has; unread people have any."""
    yield from bad_url(file.web, value.find("web"), "web")
    names = {*people.people, *people.roles()} if people else None
    for name, hook in file.webhooks.items():
        here = value.find("webhooks", name)
        yield from bad_name("a webhook", name, value.find("webhooks"))
        yield from bad_url(hook.url, here.find("url"), "url")
        yield from variables(here)
        if not hook.url and not hook.url_env:
            yield Finding("MISSING_KEY", f"the webhook '{name}' has no address", here.place, "write 'url: …'")
        for number, who in enumerate(hook.to if names is not None else ()):
            yield from unknown("UNKNOWN_PERSON", "role or person", who, names or (), here.place_of("to", number))
    for name, mail in file.mail.items():
        here = value.find("mail", name)
        yield from bad_name("a mail server", name, value.find("mail"))
        yield from variables(here)
        yield from bad_address(mail.sender, here.find("sender"), "sender")
        if mail.password_env and not mail.starttls and mail.host not in LOOPBACK:
            message, mend = "the password would be sent for everybody to read", "leave 'starttls: false' out"
            yield Finding("BAD_VALUE", message, here.place_of("starttls"), mend)
        for who, addresses in mail.to.items():
            if names is not None:
                place = here.find("to").key_places.get(who, here.place)
                yield from unknown("UNKNOWN_PERSON", "role or person", who, names, place)
            for number, address in enumerate(addresses):
                yield from bad_address(address, here.find("to", who, number), "to")


def bad_url(url: str, value: Value, key: str) -> Iterator[Finding]:
    try:
        parts = urlsplit(url)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        fine = False
    if url and (not fine or not url.isprintable() or " " in url):
        yield Finding("BAD_VALUE", f"'{key}' is no address", value.place, "write 'https://…'")
    elif url and (parts.username is not None or parts.password is not None):
        message = f"'{key}' has a password in it, for all who read the file"
        yield Finding("BAD_VALUE", message, value.place, "name a variable that holds the address, with 'url_env'")


def bad_address(address: str, value: Value, key: str) -> Iterator[Finding]:
    if not ADDRESS.fullmatch(address) or not address.isprintable():
        yield Finding("BAD_VALUE", f"'{key}' has no address: {address[:80]!r}", value.place, "write 'name@example.com'")


def variables(value: Value) -> Iterator[Finding]:
    """Find names that no environment variable can have: often a secret that was written where its name belongs."""
    for key, inner in value.data.items() if isinstance(value.data, dict) else ():
        if key.endswith("_env") and not VARIABLE.fullmatch(str(inner.data)):
            message, mend = f"'{key}' names no environment variable", "write its name; never the secret itself"
            yield Finding("BAD_VALUE", message, inner.place, mend)
