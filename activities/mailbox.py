"""Send a notice by mail, through a server of the workspace. In a thread: the library waits for its sockets."""

import asyncio
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.utils import formatdate

from activities.undelivered import Undelivered
from activities.wording import Words
from contracts.channel import Mail

PATIENCE = 10.0


async def post(mail: Mail, to: Sequence[str], words: Words, environ: Mapping[str, str]) -> None:
    """Send a notice to some addresses. What the server refuses for good (its 500s) is final."""
    login = _login(mail, environ)
    try:
        refused = await asyncio.to_thread(_post, mail, _message(mail, to, words), login)
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


def _login(mail: Mail, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the name and the password; none where the server asks for none."""
    if not (mail.user_env or mail.password_env):
        return None
    for variable in (mail.user_env, mail.password_env):
        if not environ.get(variable):
            raise Undelivered(f"the variable {variable or 'of the login'} is not set", final=True)
    return environ[mail.user_env], environ[mail.password_env]


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


def _post(mail: Mail, message: EmailMessage, login: tuple[str, str] | None) -> dict[str, tuple[int, bytes]]:
    with smtplib.SMTP(mail.host, mail.port, timeout=PATIENCE) as server:
        if mail.starttls:
            server.starttls(context=ssl.create_default_context())
        if login is not None:
            server.login(*login)
        return server.send_message(message)
