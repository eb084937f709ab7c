"""Find what is wrong with the channels by which people are told, in `notify.yaml`, and with sinks, in `events.yaml`.

The law: no secret stands in a file, and a name that nobody has would be told nothing.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from contracts.channel import NotifyFile
from contracts.secret import FORM, MARK, reference, wrong
from contracts.sink import EventsFile, WebhookSink
from contracts.workspace import PeopleFile
from language.entry import bad_name, unknown
from language.finding import Finding
from language.yaml_source import Value

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
ADDRESS = re.compile(r"[^@\s,;<>\"()]+@[^@\s,;<>\"()]+")
SECRET = f"write 'secret: {MARK}NAME'"
WEB, NATS = ("http", "https"), ("tls", "nats")
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
        yield from unnamed(here, "secret")
        if not hook.url and not hook.url_env:
            yield Finding("MISSING_KEY", f"the webhook '{name}' has no address", here.place, "write 'url: …'")
        if not hook.secret and not hook.secret_env:
            yield Finding("MISSING_KEY", f"the webhook '{name}' has no secret", here.place, SECRET)
        for number, who in enumerate(hook.to if names is not None else ()):
            yield from unknown("UNKNOWN_PERSON", "role or person", who, names or (), here.place_of("to", number))
    for name, mail in file.mail.items():
        here = value.find("mail", name)
        yield from bad_name("a mail server", name, value.find("mail"))
        yield from variables(here)
        yield from unnamed(here, "password")
        if wrong(mail.user):
            yield Finding("BAD_VALUE", "'user' names no secret", here.place_of("user"), FORM)
        yield from bad_address(mail.sender, here.find("sender"), "sender")
        if (mail.password or mail.password_env) and not mail.starttls and mail.host not in LOOPBACK:
            message, mend = "the password would be sent for everybody to read", "leave 'starttls: false' out"
            yield Finding("BAD_VALUE", message, here.place_of("starttls"), mend)
        for who, addresses in mail.to.items():
            if names is not None:
                place = here.find("to").key_places.get(who, here.place)
                yield from unknown("UNKNOWN_PERSON", "role or person", who, names, place)
            for number, address in enumerate(addresses):
                yield from bad_address(address, here.find("to", who, number), "to")


def check_sinks(file: EventsFile, value: Value) -> Iterator[Finding]:
    """Find addresses that are none, and variables that cannot be."""
    for section, sinks, schemes in (("webhooks", file.webhooks, WEB), ("nats", file.nats, NATS)):
        for name, sink in sinks.items():
            here = value.find(section, name)
            yield from bad_name("a sink", name, value.find(section))
            yield from bad_url(sink.url, here.find("url"), "url", schemes)
            yield from variables(here)
            yield from unnamed(here, "secret", "token")
            if not sink.url and not sink.url_env:
                message = f"the sink '{name}' has no address"
                yield Finding("MISSING_KEY", message, here.place, f"write 'url: {schemes[-1]}://…'")
            if isinstance(sink, WebhookSink) and not sink.secret and not sink.secret_env:
                yield Finding("MISSING_KEY", f"the sink '{name}' has no secret", here.place, SECRET)


def bad_url(url: str, value: Value, key: str, schemes: tuple[str, ...] = WEB) -> Iterator[Finding]:
    if MARK in url and key == "url":
        if reference(url) is None:
            yield Finding("BAD_VALUE", f"'{key}' names no secret", value.place, FORM)
        return
    try:
        parts = urlsplit(url)
        fine = parts.scheme in schemes and bool(parts.hostname)
    except ValueError:
        fine = False
    if url and (not fine or not url.isprintable() or " " in url):
        yield Finding("BAD_VALUE", f"'{key}' is no address", value.place, f"write '{schemes[-1]}://…'")
    elif url and (parts.username is not None or parts.password is not None):
        message = f"'{key}' has a password in it, for all who read the file"
        yield Finding("BAD_VALUE", message, value.place, f"name the secret that is the address: '{key}: {MARK}NAME'")


def bad_address(address: str, value: Value, key: str) -> Iterator[Finding]:
    if not ADDRESS.fullmatch(address) or not address.isprintable():
        yield Finding("BAD_VALUE", f"'{key}' has no address: {address[:80]!r}", value.place, "write 'name@example.com'")


def unnamed(value: Value, *keys: str) -> Iterator[Finding]:
    """Find secrets that stand in the clear, and names that are none."""
    for key in keys:
        text = value.find(key).data if isinstance(value.data, dict) and key in value.data else ""
        if text and reference(str(text)) is None:
            yield Finding("BAD_VALUE", f"'{key}' names no secret", value.place_of(key), FORM)


def variables(value: Value) -> Iterator[Finding]:
    """Find names that no environment variable can have: often a secret that was written where its name belongs."""
    for key, inner in value.data.items() if isinstance(value.data, dict) else ():
        if key.endswith("_env") and not VARIABLE.fullmatch(str(inner.data)):
            message, mend = f"'{key}' names no environment variable", "write its name; never the secret itself"
            yield Finding("BAD_VALUE", message, inner.place, mend)
