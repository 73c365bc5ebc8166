"""What blocks are drawn on: a message or a modal, for one reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from bot.workspace.page import emoji, mrkdwn
from bot.workspace.page.mrkdwn import INLINE
from bot.workspace.page.reader import Reader
from bot.workspace.page.tag import key
from bot.workspace.records import Json


@dataclass(frozen=True, kw_only=True)
class Surface:
    """`scope` names the message or modal, so that ids differ between them; `errors` go by block id."""

    reader: Reader
    scope: str
    errors: Mapping[str, str] = field(default_factory=dict)

    def key(self, block: str, action: str) -> str:
        return key(self.scope, block, action)

    def text(self, thing: Json | None) -> Markup:
        """A text object, as mrkdwn or plain."""
        if not thing:
            return Markup()
        words = str(thing.get("text", ""))
        if thing.get("type") == "mrkdwn":
            return mrkdwn.draw(words, self.reader)
        return with_emoji(words) if thing.get("emoji", True) else escape(mrkdwn.plain(words))

    def words(self, thing: Json | None) -> str:
        """A text object where only words fit: in an attribute, in a menu."""
        return words(str(thing.get("text", ""))) if thing else ""


def words(text: str) -> str:
    """Text without markup; emoji as pictures."""
    return INLINE.sub(
        lambda found: emoji.EMOJI.get(found["emoji"] or "", found[0]), mrkdwn.plain(text)
    )


def with_emoji(text: str) -> Markup:
    """Plain text: escaped, with emoji and line ends."""
    out: list[Markup] = []
    at = 0
    for found in INLINE.finditer(text):
        picture = emoji.draw(found["emoji"]) if found["emoji"] else None
        if picture:
            out += [escape(mrkdwn.plain(text[at : found.start()])), picture]
            at = found.end()
    out.append(escape(mrkdwn.plain(text[at:])))
    return Markup("<br>").join(Markup().join(out).split("\n"))
