"""How a server knows the bot."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bot.model.record import Written, shaped


def _token(token: SecretStr) -> SecretStr:
    text = token.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("expected a token: ASCII characters that can be printed, no spaces")
    return token


Token = Annotated[SecretStr, AfterValidator(_token)]


class HmacKey(Written):
    """Requests carry the hex HMAC-SHA256 of their compact JSON body; of ``{}`` where they have none."""

    header: Annotated[str, shaped(r"[A-Za-z0-9-]{1,100}", "the name of a header")] = (
        "x-iora-signature"
    )
    secret: Annotated[SecretStr, Field(min_length=1)]


class Auth(Written):
    """How the target knows the bot; sent to this target's URLs only, not to its agent or a Prometheus."""

    hmac_sha256: HmacKey | None = None
    bearer: Token | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.hmac_sha256 is None) == (self.bearer is None):
            raise ValueError("expected exactly one of hmac_sha256 and bearer")
        return self
