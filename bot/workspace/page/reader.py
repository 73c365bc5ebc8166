"""Who reads a drawing: whose names, which time zone, what time it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from urllib.parse import urlencode


@dataclass(frozen=True, kw_only=True)
class Reader:
    """The person a drawing is for. `people` and `channels` map ids to shown names."""

    person: str
    zone: tzinfo
    now: datetime
    people: Mapping[str, str]
    channels: Mapping[str, str]

    def href(self, channel: str, thread: str | None = None) -> str:
        """Where this reader reads a channel, or one of its threads."""
        query = {"as": self.person, "in": channel}
        if thread is not None:
            query["thread"] = thread
        return "/?" + urlencode(query)

    def local(self, seconds: float) -> datetime:
        """Seconds since the epoch as the reader's local time."""
        return datetime.fromtimestamp(seconds, self.zone)

    def day(self, moment: datetime, plain: str) -> str:
        """`today`, `yesterday` or `tomorrow` where that is so, else `plain`."""
        days = (moment.date() - self.now.astimezone(self.zone).date()) / timedelta(days=1)
        return {0.0: "today", -1.0: "yesterday", 1.0: "tomorrow"}.get(days, plain)
