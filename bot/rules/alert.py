"""What a request of another tool says: alerts, in the bot's own words. The times are the bot's where
the tool's can't be true."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from bot.model.alert import Alert, Labels, Told
from bot.model.intake import AlertmanagerSource, AlertSource, JsonSource
from bot.rules.foreign import Unreadable, found, moment, text_of

TITLE, TEXT, LABEL, LABELS, URL = 200, 500, 300, 64, 1_500
REST = "*"
"""The key of the group that takes what is too much."""
_TARGET_LABELS = ("target", "service", "job")


def told(name: str, source: AlertSource, body: object, targets: Collection[str], now: int) -> Told:
    """The alerts of a body. Raises ``Unreadable`` where there is none that can be read.

    ``targets``: the names that the config knows. One alert that can't be read costs none of the others.
    """
    alerts: list[Alert] = []
    unreadable: list[str] = []
    ignored = 0
    for item, payload in _items(source, body):
        try:
            alert = _alert(name, source, item, payload, targets, now)
        except Unreadable as error:
            unreadable.append(str(error))
            continue
        if alert is None:
            ignored += 1
        else:
            alerts.append(alert)
    if unreadable and not alerts and not ignored:
        raise Unreadable(unreadable[0])
    return Told(tuple(alerts), ignored, tuple(unreadable))


def not_taken(name: str, source: AlertSource, now: int) -> Alert:
    """Instead of alerts that are too many for the bot: whoever is told of this looks at the tool itself.

    Alertmanager does not send again what is too large, and so it would be told to nobody.
    """
    labels = {"alertname": "TooLarge"}
    return Alert(
        source=name,
        fingerprint="iora:too-large",
        title=f"{name} sends more at once than is taken",
        firing=True,
        since=now,
        severity=source.severity,
        group=tuple(labels.items()),
        labels=labels,
        summary=f"a message of over {source.size:,} bytes was not read: see its alerts there; then let it"
        " send fewer at once, or raise `size` of the source in the config",
    )


def key_of(target: str, group: Labels) -> str:
    """What a group of alerts is known by within its source: short, and the same after a restart."""
    text = json.dumps([target, group], ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _items(
    source: AlertSource, body: object
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each alert with the message that it came in."""
    if isinstance(source, AlertmanagerSource):
        payload = _payload(body)
        items: object = payload["alerts"]
    else:
        assert isinstance(source, JsonSource)
        payload = {}
        items = body if source.items is None else found(source.items, body)
    for item in items if isinstance(items, list) else [items]:
        yield (item if isinstance(item, dict) else {}), payload


def _payload(body: object) -> Mapping[str, Any]:
    """Alertmanager's own message ("webhook_config", version 4)."""
    if not isinstance(body, dict) or not isinstance(body.get("alerts"), list):
        raise Unreadable("expected Alertmanager's webhook message: an object with a list `alerts`")
    if body.get("version", "4") != "4":
        raise Unreadable(f"expected version 4 of the message, got {text_of(body['version'], 20)}")
    return body


def _alert(
    name: str,
    source: AlertSource,
    item: Mapping[str, Any],
    payload: Mapping[str, Any],
    targets: Collection[str],
    now: int,
) -> Alert | None:
    """One alert; None where its status says neither."""
    part = _Part(source, item, payload)
    title = part.title
    if not title:
        raise Unreadable(part.no_title)
    firing = source.means(part.status) if part.status else True
    if firing is None:
        return None
    labels, target = part.labels, part.target(targets)
    fingerprint = text_of(part.get("fingerprint") or item.get("fingerprint"), LABEL)
    return Alert(
        source=name,
        fingerprint=fingerprint or _digest(title, target, labels),
        title=title,
        firing=firing,
        since=min(moment(part.get("since") or item.get("startsAt")) or now, now),
        severity=source.severity_of(part.severity),
        target=target,
        group=part.group,
        labels=labels,
        summary=part.summary,
        url=part.url,
        cut=part.cut,
    )


class _Part:
    """One alert's JSON: what the map says where it says something, and Alertmanager's own places."""

    def __init__(
        self, source: AlertSource, item: Mapping[str, Any], payload: Mapping[str, Any]
    ) -> None:
        self._source = source
        self._item = item
        self._payload = payload
        self._told = isinstance(source, AlertmanagerSource)
        self._own = _labels(item.get("labels")) if self._told else {}

    def get(self, field: str) -> object:
        """What the map finds; None where it says nothing."""
        expression = getattr(self._source.map, field)
        return None if expression is None else found(expression, self._item)

    @property
    def title(self) -> str:
        return text_of(self.get("title") or self._own.get("alertname"), TITLE)

    @property
    def no_title(self) -> str:
        path = self._source.map.title or "labels.alertname"
        return f"expected a title at `{path}` of each alert"

    @property
    def status(self) -> str:
        word = self.get("status")
        if word is None and self._told:
            word = self._item.get("status") or self._payload.get("status")
        return text_of(word, 100)

    @property
    def severity(self) -> str:
        return text_of(self.get("severity") or self._own.get("severity"), 100)

    @property
    def summary(self) -> str:
        notes = self._item.get("annotations") if self._told else None
        notes = notes if isinstance(notes, dict) else {}
        own = notes.get("summary") or notes.get("description") or notes.get("message")
        return text_of(self.get("summary") or own, TEXT)

    @property
    def url(self) -> str:
        """Empty where it is too long: half of an address leads nowhere."""
        url = text_of(
            self.get("url") or (self._item.get("generatorURL") if self._told else None), URL + 1
        )
        return url if len(url) <= URL else ""

    @property
    def labels(self) -> Mapping[str, str]:
        if self._told:
            return self._own
        paths = self._source.map.labels
        read = {name: text_of(found(path, self._item), LABEL) for name, path in paths.items()}
        return {name: value for name, value in read.items() if value}

    def target(self, targets: Collection[str]) -> str:
        """A name that the config knows goes before one that it doesn't."""
        mapped = text_of(self.get("target"), 100)
        if mapped or not self._told:
            return mapped
        named = [self._own[name] for name in _TARGET_LABELS if self._own.get(name)]
        return next((one for one in named if one in targets), named[0] if named else "")[:100]

    @property
    def group(self) -> Labels:
        wanted = self._source.group_by
        if wanted is None:
            return tuple(sorted(_labels(self._payload.get("groupLabels")).items()))
        labels = self.labels
        return tuple((name, labels.get(name, "")) for name in sorted(wanted))

    @property
    def cut(self) -> int:
        cut = self._payload.get("truncatedAlerts")
        return min(cut, 1_000_000) if isinstance(cut, int) and cut > 0 else 0


def _labels(given: object) -> dict[str, str]:
    if not isinstance(given, dict):
        return {}
    some = list(given.items())[:LABELS]
    return {text_of(name, 100): text_of(value, LABEL) for name, value in some}


def _digest(title: str, target: str, labels: Mapping[str, str]) -> str:
    text = json.dumps([title, target, sorted(labels.items())], ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def named(titles: Mapping[str, int], most: int = 3) -> str:
    """The titles, the most frequent first: ``HighErrorRate (8), DiskFull``."""
    ordered = sorted(titles.items(), key=lambda one: (-one[1], one[0]))
    words = [f"{title} ({count})" if count > 1 else title for title, count in ordered[:most]]
    more = len(ordered) - most
    return ", ".join([*words, f"{more} more"] if more > 0 else words)


def counted(firing: int, resolved: int) -> str:
    """``12 alerts firing, 3 resolved``."""
    if not firing:
        whole = "the alert is resolved" if resolved == 1 else f"all {resolved} alerts are resolved"
        return whole if resolved else "no alerts"
    noun = "alert" if firing == 1 else "alerts"
    return f"{firing} {noun} firing" + (f", {resolved} resolved" if resolved else "")


def titled(titles: Mapping[str, int], target: str, source: str, *, rest: bool) -> str:
    """What an incident for a group of alerts is called. It is said once, so it counts nothing."""
    ordered: Sequence[str] = sorted(titles, key=lambda title: (-titles[title], title))
    if rest or not ordered:
        return f"Many alerts from {source}"
    others = len(ordered) - 1
    more = f" and {others} other alert{'s' if others > 1 else ''}" if others else ""
    on = f"{target}: " if target and target.lower() not in ordered[0].lower() else ""
    return f"{on}{ordered[0]}{more}"
