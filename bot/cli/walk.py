"""Staying with a run: lines as it changes, and, at a terminal, questions to the person there."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from bot.cli.keyboard import END, INTERRUPT, Keyboard
from bot.cli.line import Line
from bot.cli.run_view import Screen, changed
from bot.cli.talk import Said
from bot.clock import Clock
from bot.errors import StoreError
from bot.render import run_lines
from bot.render.run_lines import Shown
from bot.text import escape

POLL_S = 0.5
_ON_STEP = {"do", "done", "skip", "approve", "reject", "repeat"}
_LEAVE = {"leave", "exit", "quit"}
_LEAVING, _SPEAKING = "leaving", "speaking"
_HELP = """\
approve, reject REASON       the step waits for an approval
done [NOTE], done 2 [NOTE]   a person did it: all of its lines, or one
do, skip REASON              the step is to be done, or not
repeat                       call an action again of which nobody knows whether it was done
preview                      what is still to come, with the exact requests
undo                         take back what was done, the last first
pause, resume, cancel        the run as a whole
leave                        go; it can be come back to"""

Tell = Callable[[str], None]


class Walk:
    """``run`` is the run as it was last seen, ``waiting`` how many messages Slack has not got yet."""

    def __init__(self, line: Line, clock: Clock, said: Said) -> None:
        self._line = line
        self._clock = clock
        self._told: Shown | None = None
        self.run: Shown = said["json"]
        self.waiting: int = said["waiting"]

    async def alone(self, tell: Tell) -> None:
        """Until it is over or wants a person; ``tell`` gets a line a change."""
        try:
            self._tell(tell)
            while run_lines.live(self.run) and not run_lines.for_a_person(self.run):
                await asyncio.sleep(POLL_S)
                await self._look(lambda text: print(text, file=sys.stderr))
                self._tell(tell)
        except asyncio.CancelledError:
            tell(self.left())
            return
        for text in self._end():
            tell(text)

    def _tell(self, tell: Tell) -> None:
        now = self._clock.now()
        if self._told is None:
            tell(run_lines.head(self.run, now))
        asked = run_lines.current(self.run) if run_lines.for_a_person(self.run) else None
        for step in changed(self._told, self.run):
            if step is not asked:  # that comes at the end, with all that it needs
                tell(run_lines.step_line(step, now))
        self._told = self.run

    def _end(self) -> list[str]:
        if not run_lines.live(self.run):
            return [run_lines.head(self.run, self._clock.now())]
        first, *others = run_lines.replies(self.run)
        typed = f"Type: iora run {self.run['run']} {first}  (or: {' | '.join(others)})"
        return [*run_lines.asks(self.run), typed]

    def left(self) -> str:
        """What becomes of a run that is left."""
        key = self.run["run"]
        if self._line.here:
            return f"{key} stays as it is until the bot runs, or `iora run {key}` comes back to it."
        return f"{key} goes on with the bot. `iora run {key}` comes back to it."

    async def with_a_person(self, keyboard: Keyboard, screen: Screen) -> None:
        """Until it is over, or the person leaves it."""
        talk = _Talk(self, keyboard, screen)
        try:
            while run_lines.live(self.run) and not talk.left:
                self._draw(screen)
                talk.show(self._clock.now())
                typed = await keyboard.next(POLL_S)
                if typed is None:
                    await self._look(lambda text: screen.say([text], "yellow"))
                else:
                    await talk.heard(typed)
        except asyncio.CancelledError:
            talk.left = True
        finally:
            screen.close()
        if talk.left:
            screen.say([self.left()])
        else:
            self._draw(screen)
            screen.say([run_lines.head(self.run, self._clock.now())])

    async def say(self, words: str) -> Said:
        """Words to the run; those about a step are about the one that was shown."""
        step = run_lines.current(self.run)
        verb = words.split(maxsplit=1)[0].lower()
        key = step["mark"] if step is not None and verb in _ON_STEP else self.run["run"]
        said = await self._line.say(f"run {key} {escape(words)}")
        if not said["refused"] and "run" in said["json"] and "state" in said["json"]:
            self._seen(said)
        return said

    async def _look(self, tell: Tell) -> None:
        self._seen(await self._line.look(f"run {self.run['run']}", tell))

    def _seen(self, said: Said) -> None:
        self.run, self.waiting = said["json"], said["waiting"]

    def _draw(self, screen: Screen) -> None:
        screen.tell(self.run, self._told, self._clock.now())
        self._told = self.run


class _Talk:
    """The person's side: which question is open, and what is done with an answer."""

    def __init__(self, walk: Walk, keyboard: Keyboard, screen: Screen) -> None:
        self._walk = walk
        self._keyboard = keyboard
        self._screen = screen
        self._about = ""  # a question that the person brought up
        self.left = False

    def show(self, now: int) -> None:
        """Ask what there is to ask; else draw the step that it is at."""
        run = self._walk.run
        replies = " | ".join((*run_lines.replies(run), "leave"))
        if self._about == _LEAVING:
            self._ask(_LEAVING, (), f"{self._walk.left()} leave | cancel | Enter: stay")
        elif run_lines.for_a_person(run):
            asks = tuple(run_lines.asks(run))
            self._ask(asks, asks, replies)
        elif self._about == _SPEAKING:
            self._ask(_SPEAKING, (), f"{replies} | Enter: go on watching")
        else:
            if not self._screen.watching:
                self._keyboard.fresh(echo=False)
            self._screen.watch(run, now)

    def _ask(self, question: object, lines: tuple[str, ...], prompt: str) -> None:
        """What was typed before a question is seen is no answer to it."""
        if not self._screen.is_open(question):
            self._keyboard.fresh(echo=True)
            self._screen.ask(question, lines, prompt)

    async def heard(self, typed: str) -> None:
        """A line, Ctrl-C or Ctrl-D."""
        about, self._about = self._about, ""
        self._screen.answered()
        if typed == END or (typed == INTERRUPT and about == _LEAVING):
            self.left = True
            self._screen.say([""])
        elif typed == INTERRUPT:
            self._about = _LEAVING
            self._screen.say([""])
        elif not typed:
            waits = run_lines.for_a_person(self._walk.run)
            self._about = "" if about or waits else _SPEAKING
        elif typed.lower() in _LEAVE:
            self.left = True
        elif typed.lower() in {"help", "?"}:
            self._screen.say(_HELP.splitlines())
        else:
            await self._say(typed)

    async def _say(self, words: str) -> None:
        try:
            said = await self._walk.say(words)
        except StoreError as error:
            self._screen.say([f"{error}. Say it again."], "yellow")
            return
        if said["refused"]:
            self._screen.say(said["text"].splitlines(), "yellow")
        elif "state" not in said["json"]:
            self._screen.say(said["text"].splitlines())
