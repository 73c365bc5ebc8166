"""PagerDuty's Events API v2. One incident of ours is one of theirs, by its deduplication key.

Once that is acknowledged, another trigger of it calls nobody: what goes on after an answer is one of its own.

Limits and answers as PagerDuty documents them ("Send an Alert Event", "Response Codes & Retry Logic").
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import JsonValue

from bot.clock import at
from bot.http import Answer, Client
from bot.model.incident import Severity
from bot.model.message import Outcome, Sent, Unsure
from bot.model.way import Event, Page, PagerDutyWay
from bot.send.way.post import Post, compact, refusal, send, words_of
from bot.text import clean, cut, redacted

SUMMARY = 1_024  # characters, PagerDuty's limit
_TEXT = 8_000  # characters of the details: an event may have 512 KB in all
_PAUSE_MS = 30_000  # PagerDuty's advice after a 429
_SEVERITY = {
    Severity.SEV1: "critical",
    Severity.SEV2: "error",
    Severity.SEV3: "warning",
    Severity.SEV4: "info",
}
_ACTIONS: Mapping[Event, str] = {
    "page": "trigger",
    "acknowledged": "acknowledge",
    "resolved": "resolve",
}


class PagerDuty:
    """A service there. It calls whoever is on call there, again and again by its own rules."""

    idempotent = True  # a repeated trigger of an open alert is a line in its log, and calls nobody

    def __init__(self, name: str, settings: PagerDutyWay, client: Client) -> None:
        self.name = name
        self._settings = settings
        self._client = client

    async def tell(self, event: Event, page: Page) -> Outcome:
        key = self._settings.routing_key.get_secret_value()
        asked = {"routing_key": key, "event_action": _ACTIONS[event], "dedup_key": page.alert}
        more = redacted(_described(page)) if event == "page" else {}
        post = Post(self._settings.url, compact(asked | more), {}, self._settings.timeout)
        answer = await send(self._client, post)
        if not isinstance(answer, Answer):
            return answer
        if answer.status == 202:
            return Sent(self.name, page.alert)
        words = _reasons(answer) or words_of(answer, key)
        if 200 <= answer.status <= 299:
            return Unsure(f"HTTP {answer.status}, which is not PagerDuty's answer: {words}")
        return refusal(answer, clean(words.replace(key, "***"), 300), pause_ms=_PAUSE_MS)


def _described(page: Page) -> dict[str, JsonValue]:
    """What a trigger says beside its key."""
    details: dict[str, JsonValue] = {
        "incident": page.incident,
        "severity": page.severity,
        "reason": cut(page.reason, 1_000),
        "text": cut(page.text, _TEXT),
    }
    if page.readings:
        details["readings"] = dict(page.readings)
    payload: dict[str, JsonValue] = {
        "summary": cut(_summary(page), SUMMARY),
        "source": ", ".join(page.targets) or "iora-bot",
        "severity": _SEVERITY[page.severity],
        "timestamp": at(page.at).isoformat(timespec="milliseconds"),
        "class": "drill" if page.drill else "incident",
        "custom_details": details,
    }
    if page.targets:
        payload["component"] = page.targets[0]
    described: dict[str, JsonValue] = {"payload": payload, "client": "I.O.R.A. bot"}
    if page.link:
        described |= {
            "client_url": page.link,
            "links": [{"href": page.link, "text": f"{page.incident} in Slack"}],
        }
    return described


def _summary(page: Page) -> str:
    """One line: a title of any kind, then why."""
    return " ".join(clean(f"{page.subject}: {page.reason}").split())


def _reasons(answer: Answer) -> str:
    """The ``errors`` of a 400, which say what is wrong with the event."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    errors = found.get("errors") if isinstance(found, dict) else None
    return "; ".join(map(str, errors)) if isinstance(errors, list) else ""
