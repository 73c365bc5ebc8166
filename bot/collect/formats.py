"""Answers that hold metrics, by their format: each finds the values that the config names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Protocol

import jmespath
from jmespath.parser import ParsedResult
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from bot.model.target import Value
from bot.rules.foreign import NO_RESULT
from bot.rules.measured import Found, shown

_LAST_STEP = re.compile(r"(.*\.)?(?:\w+|\"[^\"]*\")")
_LINE = re.compile(r"([^\s{=:#][^\s{=]*?)(\{[^}]*\})?(?:\s*[=:]\s*|\s+)(\S.*)")


class Unreadable(ValueError):
    """The whole answer can't be read; the text says why."""


class Page(Protocol):
    """An answer that was read."""

    def find(self, value: Value) -> Found:
        """What is at the value's place."""
        ...


class JsonPage:
    """Places are JMESPath expressions."""

    def __init__(self, text: str) -> None:
        try:
            self._data = json.loads(text)
        except (ValueError, RecursionError):
            raise Unreadable("the answer is not JSON") from None
        if isinstance(self._data, dict) and self._data.get("ok") is False:
            raise Unreadable(f"it says {said(self._data) or 'that it is not ok'}")

    def find(self, value: Value) -> Found:
        try:
            raw = _compiled(value.path).search(self._data)
            beside = value.at or _beside(value.path)
            stamp = _compiled(beside).search(self._data) if beside else None
        except NO_RESULT as error:
            return Found(reason=f"`{value.path}` can't be read: {shown(str(error))}")
        return Found(reason=f"nothing at `{value.path}`") if raw is None else Found(raw, stamp)


class TextPage:
    """Places are the names that begin ``name value`` lines (``name: value`` and ``name=value`` too)."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, list[str]] = {}
        for line in text.splitlines():
            match = _LINE.fullmatch(line.strip())
            if match is not None:
                name, labels, rest = match.groups()
                self._lines.setdefault(name, []).append(rest)
                if labels:
                    self._lines.setdefault(name + labels, []).append(rest)

    def find(self, value: Value) -> Found:
        rest, reason = self._one(value.path)
        stamp = self._one(value.at)[0] if value.at else None
        return Found(rest and rest.split()[0], stamp, reason)

    def _one(self, name: str) -> tuple[str | None, str | None]:
        lines = self._lines.get(name, [])
        if len(set(lines)) == 1:
            return lines[0], None
        if not lines:
            return None, f"no line begins with `{name}`"
        return None, f"{len(lines)} lines begin with `{name}`: name one with its labels"


class PrometheusPage:
    """Places are the names of samples, told apart by their labels."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, list[str]] = {}
        for line in text.splitlines():
            name = re.split(r"[\s{]", line.strip(), maxsplit=1)[0]
            if name and name != "#":
                self._lines.setdefault(name, []).append(line)

    def find(self, value: Value) -> Found:
        try:
            samples = self._matching(value.path, value.labels)
            stamps = self._matching(value.at, {}) if value.at else []
        except (ValueError, IndexError, KeyError):
            return Found(reason=f"the lines of `{value.path}` are not in the Prometheus format")
        if len(samples) != 1:
            what = f"{len(samples)} samples" if samples else "no sample"
            more = ": tell them apart by `labels`" if samples else ""
            return Found(reason=f"{what} of `{value.path}`{_worded(value.labels)}{more}")
        at_ms = samples[0].timestamp
        stamp = stamps[0].value if len(stamps) == 1 else at_ms if not value.at else None
        return Found(samples[0].value, None if stamp is None else float(stamp))

    def _matching(self, name: str, labels: Mapping[str, str]) -> list[Sample]:
        """Only the lines of this name are parsed: the others may be many, and wrong."""
        return [
            sample
            for family in text_string_to_metric_families("\n".join(self._lines.get(name, ())))
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]


PAGES: Mapping[str, Callable[[str], Page]] = {
    "json": JsonPage,
    "text": TextPage,
    "prometheus": PrometheusPage,
}


def said(data: object) -> str:
    """The words of an answer such as {"ok": false, "error": "no oracle"}, or nothing."""
    error = data.get("error") if isinstance(data, dict) else None
    return f'error "{shown(error)}"' if isinstance(error, str) and error.strip() else ""


def _beside(path: str) -> str | None:
    """Where a value's time is if nothing else is said: in the same object."""
    match = _LAST_STEP.fullmatch(path)
    return f"{match[1] or ''}timestamp" if match else None


@lru_cache(maxsize=1_000)
def _compiled(expression: str) -> ParsedResult:
    return jmespath.compile(expression)


def _worded(labels: Mapping[str, str]) -> str:
    pairs: Iterable[str] = (f'{name}="{text}"' for name, text in labels.items())
    return f" with {', '.join(pairs)}" if labels else ""
