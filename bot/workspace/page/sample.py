"""The sample service's switch: which way it is broken, and how to break it."""

from __future__ import annotations

from typing import NamedTuple

import aiohttp

TIME_LIMIT = aiohttp.ClientTimeout(total=3)


class Mode(NamedTuple):
    word: str
    name: str
    meaning: str


MODES = (
    Mode("healthy", "Healthy", "Answers fast, no errors"),
    Mode("slow", "Slow", "Answers late"),
    Mode("failing", "Failing", "Many requests end in errors"),
    Mode("leaking", "Leaking memory", "Takes memory and keeps it"),
    Mode("burning", "Burning CPU", "Keeps the processor busy"),
    Mode("overloaded", "Slow and burning", "Answers late, and keeps the processor busy"),
    Mode("down", "Down", "Does not answer at all"),
)


class State(NamedTuple):
    """The mode that the sample is in, or why that isn't known."""

    mode: str = ""
    why: str = ""


class Switch:
    """The sample's control address; `None` where the workspace runs without the sample."""

    def __init__(self, control: str | None) -> None:
        self.control = control.rstrip("/") if control else None

    async def read(self) -> State:
        return await self._ask("GET", "/")

    async def turn(self, mode: str) -> State:
        """Put the sample into a mode (one of MODES)."""
        if mode not in {known.word for known in MODES}:
            return State(why=f"There is no mode called {mode[:40]!r}.")
        state = await self._ask("POST", "/mode", {"mode": mode})
        return state if state.why or state.mode else await self.read()

    async def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> State:
        if self.control is None:
            return State(why="No sample service was started with this workspace.")
        try:
            async with (
                aiohttp.ClientSession(timeout=TIME_LIMIT) as session,
                session.request(method, self.control + path, json=body) as answer,
            ):
                if answer.status >= 400:
                    return State(why=f"The sample service refused this ({answer.status}).")
                said = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError):
            return State(
                why="The sample service's switch does not answer. Is `iora local` still running?"
            )
        except ValueError:
            return State(why="The sample service's switch answered something else than JSON.")
        return State(mode=str(said.get("mode", "")) if isinstance(said, dict) else "")
