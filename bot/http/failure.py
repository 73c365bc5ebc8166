"""How a request failed, as types."""

from __future__ import annotations

import errno

import aiohttp

from bot.errors import TargetError
from bot.http.door import ForbiddenAddress
from bot.model.reading import Reach


class RequestFailed(TargetError):
    """The request got no whole answer. ``elapsed_ms`` is how long that took.

    ``sent`` is False where it is certain that nothing of the request left this machine.
    """

    sent = True

    def __init__(self, reason: str, elapsed_ms: float) -> None:
        super().__init__(reason)
        self.elapsed_ms = elapsed_ms


class Refused(RequestFailed):
    """Nothing listens there: the host said so."""


class TimedOut(RequestFailed):
    """Connected or not, no whole answer within the time limit."""


class Unreachable(RequestFailed):
    """No way from here to the host: name, route or certificate."""


class Forbidden(Unreachable):
    """The bot itself does not ask there: not in the config, or a network that is off limits."""


class BrokenAnswer(RequestFailed):
    """It answered, but not with HTTP, or not to the end."""


class TooLarge(RequestFailed):
    """It answers, with more than is read."""


class Reset(BrokenAnswer):
    """The connection broke off."""


def reach(error: RequestFailed) -> Reach:
    """How far the request got, as a word."""
    match error:
        case Refused():
            return Reach.REFUSED
        case TimedOut():
            return Reach.TIMED_OUT
        case Unreachable():
            return Reach.UNREACHABLE
        case TooLarge():
            return Reach.TOO_LARGE
    return Reach.BROKEN


def failure(error: Exception, elapsed_ms: float) -> RequestFailed:
    """The error of a library as one of ours."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return Unreachable(f"certificate not accepted: {error.certificate_error}", elapsed_ms)
        case aiohttp.ClientConnectorError():
            return _connect_error(error, elapsed_ms)
        case aiohttp.InvalidURL():
            return Unreachable(f"not a URL that can be asked: {_first_line(error)}", elapsed_ms)
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError() | ConnectionError():
            return Reset(f"broken answer: {_first_line(error)}", elapsed_ms)
        case aiohttp.ClientOSError(errno=errno.ECONNRESET | errno.EPIPE):
            return Reset("broken answer: the connection was reset", elapsed_ms)
    return BrokenAnswer(f"broken answer: {_first_line(error)}", elapsed_ms)


def _connect_error(error: aiohttp.ClientConnectorError, elapsed_ms: float) -> RequestFailed:
    match error:
        case aiohttp.ClientConnectorError(os_error=ForbiddenAddress()):
            return Forbidden(str(error.os_error.strerror), elapsed_ms)
        case aiohttp.ClientConnectorDNSError():
            return Unreachable(f"the name {error.host} is not known here", elapsed_ms)
        case aiohttp.ClientConnectorSSLError():
            return Unreachable("TLS failed: is it https?", elapsed_ms)
    if error.os_error.errno == errno.ECONNREFUSED:
        return Refused(f"nothing listens on {error.host}:{error.port}", elapsed_ms)
    what = error.os_error.strerror or str(error.os_error)
    return Unreachable(f"no way to {error.host}:{error.port} from here ({what})", elapsed_ms)


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]
