"""An SVG document as a part of a page: no ids, no links, no styles that reach beyond it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_FONT = "'DejaVu Sans', Verdana, sans-serif"  # measured in the widest of them
_STYLE = "background: #fff; border-radius: 6px; stroke-linejoin: round"
_KEPT = {"g", "path", "text"}
_SHEET = "http://www.w3.org/2000/svg"


def inline(document: str, title: str, description: str, texts: Mapping[str, str]) -> str:
    """What matplotlib wrote, to be put into HTML as it is, several in one page.

    It is as wide as its place. ``texts`` is what each named text says, in signs that the font may not have.
    """
    drawn = ElementTree.fromstring(document)
    root = ElementTree.Element(
        "svg",
        {
            "xmlns": _SHEET,
            "viewBox": drawn.attrib["viewBox"],
            "width": "100%",
            "class": "chart",
            "role": "img",
            "font-family": _FONT,
            "style": _STYLE,
        },
    )
    ElementTree.SubElement(root, "title").text = title
    ElementTree.SubElement(root, "desc").text = description
    root.extend(_kept(drawn, texts))
    return ElementTree.tostring(root, encoding="unicode")


def _kept(parent: ElementTree.Element, texts: Mapping[str, str]) -> Iterator[ElementTree.Element]:
    """The drawing below an element, without groups that group nothing."""
    for element in parent:
        tag = element.tag.rpartition("}")[2]
        name = element.get("id", "")
        if tag not in _KEPT:
            continue
        if tag != "g":
            yield _plain(tag, element)
        elif name in texts:
            (text,) = _kept(element, texts)
            text.text = texts[name]
            yield text
        elif name.startswith("chart-"):
            group = ElementTree.Element("g", {"class": name})
            group.extend(_kept(element, texts))
            yield group
        else:
            yield from _kept(element, texts)


def _plain(tag: str, element: ElementTree.Element) -> ElementTree.Element:
    kept = {
        name: _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.2f}", value)
        for name, value in element.attrib.items()
        if name in {"d", "x", "y", "style"}
    }
    if tag == "text":
        styles = [part for part in kept.get("style", "").split("; ") if "font-family" not in part]
        kept["style"] = "; ".join(styles)
    plain = ElementTree.Element(tag, kept)
    plain.text = element.text
    return plain
