"""One conversation with an SMTP server: one message, to one person."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from bot.model.message import Failed, Refused, Unsure
from bot.model.way import EmailWay
from bot.text import clean

_GOODBYE_S = 1  # the message is theirs by then


async def hand(settings: EmailWay, address: str, mail: bytes) -> Failed | Refused | Unsure | None:
    """Hand the message over; None: the server has taken it (its 250 after the data).

    An answer of 400 to 499 is ``Failed``, of 500 to 599 ``Refused``, at whatever point it comes. Where
    there is no answer it depends on whether the data may have arrived: before it ``Failed``, from then on
    ``Unsure``. Without TLS, where it is asked for, nothing is sent.
    """
    client = _client(settings)
    handing = False
    try:
        async with asyncio.timeout(settings.timeout / 1000):
            await client.connect()
            await client.mail(settings.sender)
            await client.rcpt(address)
            handing = True
            await client.data(mail)
    except TimeoutError:
        return _unanswered(f"not done within {settings.timeout / 1000:g} s", handing=handing)
    except SMTPResponseException as error:
        return _answered(error, handing=handing)
    except (SMTPException, OSError) as error:
        return _unanswered(_words(error), handing=handing)
    else:
        await _part(client)
        return None
    finally:
        client.close()


def _client(settings: EmailWay) -> SMTP:
    return SMTP(
        hostname=settings.host,
        port=settings.port,
        username=settings.user,
        password=settings.password.get_secret_value() if settings.password else None,
        # The library would ask DNS for it, which may be what is out of order.
        local_hostname=socket.gethostname(),
        use_tls=settings.tls == "tls",
        start_tls=settings.tls == "starttls",
        timeout=settings.timeout / 1000,
    )


def _answered(error: SMTPResponseException, *, handing: bool) -> Failed | Refused | Unsure:
    reason = f"{error.code} {_words(error)}"
    if 400 <= error.code <= 499:
        return Failed(reason)
    if 500 <= error.code <= 599:
        return Refused(reason)
    return _unanswered(reason, handing=handing)


def _unanswered(reason: str, *, handing: bool) -> Failed | Unsure:
    return Unsure(reason) if handing else Failed(reason)


def _words(error: Exception) -> str:
    text = error.message if isinstance(error, SMTPException) else str(error)
    return " ".join(clean(text, 300).split()) or type(error).__name__


async def _part(client: SMTP) -> None:
    """Take leave, for good manners: the message is theirs, whatever becomes of that."""
    with contextlib.suppress(SMTPException, OSError):
        async with asyncio.timeout(_GOODBYE_S):
            await client.quit()
