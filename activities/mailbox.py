"""Send a notice by mail, through a server of the workspace. In a thread: the library waits for its sockets."""

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate

from activities.held import Held
from activities.outward import AddressRefused, Outward
from activities.undelivered import Undelivered
from activities.wording import Words
from contracts.channel import Mail

PATIENCE = 10.0


class _Server(smtplib.SMTP):
    """A mail server at an address that was judged. TLS asks it for the name that the workspace has."""

    def __init__(self, mail: Mail, address: str) -> None:
        self._address = address
        super().__init__(mail.host, mail.port, timeout=PATIENCE)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        del host
        return socket.create_connection((self._address, port), timeout)


async def post(mail: Mail, to: Sequence[str], words: Words, held: Held, outward: Outward) -> None:
    """Send a notice to some addresses. What the server refuses for good (its 500s) is final."""
    login = await _login(mail, held)
    try:
        address = (await outward.addresses(mail.host, mail.port))[0]
        refused = await asyncio.to_thread(_post, mail, address, _message(mail, to, words), login)
    except AddressRefused as inside:
        raise Undelivered(str(inside), final=True) from None
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise Undelivered(f"{mail.host} takes mail for none of them", final=min(codes, default=0) >= 500) from None
    except smtplib.SMTPResponseException as error:
        raise Undelivered(f"{mail.host} answered {error.smtp_code}", final=error.smtp_code >= 500) from None
    except smtplib.SMTPNotSupportedError:
        raise Undelivered(f"{mail.host} does not offer what 'starttls' or the login needs", final=True) from None
    except (OSError, smtplib.SMTPException) as error:
        raise Undelivered(f"{mail.host} cannot be reached ({type(error).__name__})") from None
    if refused:
        raise Undelivered(f"{mail.host} does not take mail for {len(refused)} of {len(to)} addresses", final=True)


async def _login(mail: Mail, held: Held) -> tuple[str, str] | None:
    """Return the name and the password; none where the server asks for none."""
    if not (mail.user or mail.user_env or mail.password or mail.password_env):
        return None
    return await held.value(mail.user, mail.user_env), await held.value(mail.password, mail.password_env)


def _message(mail: Mail, to: Sequence[str], words: Words) -> EmailMessage:
    message = EmailMessage()
    message["From"] = mail.sender
    message["To"] = ", ".join(to)
    message["Subject"] = words.title
    message["Date"] = formatdate()
    # The same whenever it is sent again, so that mail readers show it once.
    message["Message-ID"] = f"<{words.id}@gonogo>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(words.text)
    return message


def _post(
    mail: Mail, address: str, message: EmailMessage, login: tuple[str, str] | None
) -> dict[str, tuple[int, bytes]]:
    with _Server(mail, address) as server:
        if mail.starttls:
            server.starttls(context=ssl.create_default_context())
        if login is not None:
            server.login(*login)
        return server.send_message(message)
