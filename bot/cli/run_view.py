"""A run on a terminal: what is over scrolls up, the step that it is at is drawn live below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.live import Live
from rich.text import Text

from bot.render import run_lines
from bot.render.run_lines import Shown
from bot.text import plain, without_controls

_STYLES = {"ok": "green", "failed": "bold red", "unknown": "yellow", "stuck": "bold yellow"}
_WORDS, _NEXT = 6, 3
_KEYS = "Enter: say something to it. Ctrl-C: leave it, or cancel it."


def changed(before: Shown | None, run: Shown) -> Iterator[Shown]:
    """The steps that are in another state than before, or asked anew."""
    known = {} if before is None else {one["mark"]: one["state"] for one in before["steps"]}
    for step in run["steps"]:
        if step["state"] != "waiting" and known.get(step["mark"]) != step["state"]:
            yield step


class Screen:
    """Draws on a console; there is either a live part below, or an open question."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._question: object = None

    def tell(self, run: Shown, before: Shown | None, now: int) -> None:
        """What is over since before, with what came out of it; nothing while there is nothing new."""
        if before is None:
            self.say([run_lines.head(run, now)])
        for step in changed(before, run):
            if run_lines.is_over(step):
                self.say([run_lines.step_line(step, now)], _STYLES.get(step["state"], "dim"))
                self.say(f"    {line}" for line in run_lines.results(step))

    def say(self, lines: Iterable[str], style: str = "") -> None:
        """Lines that stay. An open question is asked again afterwards."""
        for line in lines:
            if self._question is not None:
                self._console.print()
                self._question = None
            self._console.print(Text(line, style=style), soft_wrap=True)

    @property
    def watching(self) -> bool:
        """Whether the live part is drawn."""
        return self._live is not None

    def watch(self, run: Shown, now: int) -> None:
        """Draw the step that it is at, as it is now."""
        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(frame(run, now), refresh=True)

    def is_open(self, question: object) -> bool:
        """Whether it is this question that waits for its answer."""
        return self._question == question

    def ask(self, question: object, lines: Iterable[str], prompt: str) -> None:
        """Ask it, and leave the cursor behind it."""
        self.close()
        self.say(lines)
        self._console.print(Text(f"{prompt} > "), end="")
        self._question = question

    def answered(self) -> None:
        """Somebody typed a line: no question is open any more."""
        self._question = None

    def close(self) -> None:
        """Without the live part."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def frame(run: Shown, now: int) -> Text:
    """The live part: how far it is, the step with its text and its progress, and what comes next."""
    shown = Text(run_lines.head(run, now), style="bold")
    step = run_lines.current(run)
    if step is not None:
        shown.append(f"\n» {run_lines.step_line(step, now)}", style="cyan")
        words = plain(step["output"].get("words", "")).splitlines()
        for line in words[:_WORDS]:
            shown.append(f"\n  {without_controls(line)}", style="not bold")
        after = [one["title"] for one in run["steps"][run["current"] + 1 :]]
        if after:
            more = f" and {len(after) - _NEXT} more" if len(after) > _NEXT else ""
            shown.append(f"\n  Then: {'; '.join(after[:_NEXT])}{more}", style="not bold dim")
    shown.append(f"\n{_KEYS}", style="not bold dim")
    return shown
