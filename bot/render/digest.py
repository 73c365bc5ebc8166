"""Many pages of one person as one message."""

from __future__ import annotations

from bot.model.digest import Digest
from bot.model.incident import Incident
from bot.model.message import Block, Drawing
from bot.render.blocks import button, context, paragraphs, section
from bot.text import outside

_OPENED = 5  # incidents with a button of their own


def digest(found: Digest, *, repeated: bool = False) -> Drawing:
    """How many wait for an answer, the worst of them first, and how to see the rest."""
    mark = "(possible repeat) " if repeated else ""
    headline = mark + heading(found)
    lines = [line(one) for one in found.first]
    blocks: list[Block] = [section(f"*{headline}*")]
    for one, told in zip(found.first[:_OPENED], lines, strict=False):
        show = button(f"Open {one.key}", "iora:incident:open", one.key)
        blocks.append({**section(told), "accessory": show})
    blocks += paragraphs(lines[_OPENED:])
    more = found.listed - len(found.first)
    if more > 0:
        lines.append(f"And {more:,} more: `/iora incidents open`.")
        blocks.append(section(lines[-1]))
    blocks.append(context("Told in one message, for so many came at once. It is kept up to date."))
    return Drawing(" ".join([headline, *lines]), blocks)


def heading(found: Digest) -> str:
    """The whole in one sentence."""
    if not found.asking:
        return f"{found.listed:,} incidents: each has somebody who is on it, or is over."
    if found.asking == found.listed:
        return f"{found.listed:,} incidents need you, and nobody has acknowledged."
    return f"{found.asking:,} of {found.listed:,} incidents still need somebody."


def line(incident: Incident) -> str:
    """``INC-7 SEV2 OPEN API slow``. Escaped."""
    drill = "DRILL " if incident.drill else ""
    said = f"{drill}{incident.key} {incident.severity.upper()} {incident.status.upper()}"
    return f"{said} {outside(incident.title, 150)}"
