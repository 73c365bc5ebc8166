"""The page's colours are far enough apart to be read (WCAG 2.2, level AA), light and dark."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

import bot.workspace.page

STYLE = (Path(bot.workspace.page.__file__).parent / "static" / "page.css").read_text()
READ, SEEN = 4.5, 3.0


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))


LIGHT, DARK = (colours(block) for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[:2])

PAIRS = [
    *product(("ink", "soft"), ("ground", "paper", "raised", "accent-wash", "danger-wash"), (READ,)),
    *product(("accent", "danger"), ("ground", "paper", "raised"), (READ,)),
    ("accent", "accent-wash", READ),
    ("danger", "danger-wash", READ),
    ("accent-ink", "accent", READ),
    ("accent-ink", "accent-hover", READ),
    ("note-ink", "note-wash", READ),
    ("ink", "note-wash", READ),
    ("ink", "code-wash", READ),
    ("paper", "danger", READ),
    ("line-strong", "paper", SEEN),
    ("line-strong", "raised", SEEN),
    ("line-strong", "ground", SEEN),
]


def luminance(colour: str) -> float:
    """WCAG's relative luminance of #rrggbb."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_what_is_written_can_be_read(
    scheme: dict[str, str], front: str, back: str, least: float
) -> None:
    assert contrast(scheme[front], scheme[back]) >= least


@pytest.mark.parametrize("colour", re.findall(r"--tone: (#[0-9a-f]{6});", STYLE))
def test_initials_can_be_read_on_each_avatar(colour: str) -> None:
    assert contrast("#ffffff", colour) >= READ
