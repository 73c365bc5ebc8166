"""Who another tool is: by the token that it sends, in a header, as tools can."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping

from pydantic import SecretStr


def given(headers: Mapping[str, str]) -> str:
    """The token of ``Authorization: Bearer``, or the password of ``Basic``; empty where there is none.

    Never in the URL: that one is written into logs on the way.
    """
    scheme, _, rest = headers.get("Authorization", "").partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip()
        case "basic":
            return _password(rest.strip())
    return ""


def suits(token: SecretStr, sent: str) -> bool:
    """Whether it is the token, in a time that says nothing about it."""
    wanted = token.get_secret_value().encode()
    return hmac.compare_digest(wanted, sent.encode("utf-8", "replace"))


def _password(encoded: str) -> str:
    try:
        pair = base64.b64decode(encoded, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
    return pair.partition(":")[2]
