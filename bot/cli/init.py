"""``iora init``: the first ``config.yaml``, by asking."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from pydantic import TypeAdapter, ValidationError

from bot.cli.first_config import HEALTHY, Answers, written
from bot.errors import ConfigError, TargetError
from bot.files.config import load_config_text
from bot.files.shipped import copy_shipped
from bot.http import Answer, Client
from bot.model.config import Channel, Team
from bot.model.incident import Severity
from bot.model.person import Person
from bot.model.settings import Settings
from bot.model.target import Name, Url
from bot.web.control import login_of

_SHOWN = 300
_TIMEOUT_MS = 5_000
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORD_KEYS = ("status", "state", "health")

Parse = Callable[[str], str]


@dataclass(frozen=True)
class Look:
    """What a health URL answered: in words, and where its status word is (empty for none)."""

    words: str
    good: bool
    path: str = ""
    word: str = ""


def look_at(answer: Answer) -> Look:
    """Describe an answer and find its status word, at the top or one level below."""
    said = answer.body.decode("utf-8", "replace")[:_SHOWN]
    shown = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    words = f"{answer.status} in {answer.elapsed_ms:.0f} ms: {shown or '(nothing)'}"
    good = 200 <= answer.status < 300
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        return Look(words, good)
    path, word = next(_status_words(data), ("", ""))
    return Look(words, good, path, word)


def _status_words(data: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(data, dict):
        return
    for key in _WORD_KEYS:
        value = data.get(key)
        if isinstance(value, str) and value.isprintable() and 0 < len(value) <= 40:
            yield key, value
    for name, below in data.items():
        if isinstance(below, dict) and _PLAIN_KEY.fullmatch(name):
            for key in _WORD_KEYS:
                value = below.get(key)
                if isinstance(value, str) and value.isprintable() and 0 < len(value) <= 40:
                    yield f"{name}.{key}", value


async def _fetch(url: str) -> Answer:
    async with Client() as client:
        return await client.get(url, timeout_ms=_TIMEOUT_MS)


def _as(kind: Any) -> Parse:
    """A prompt's parser from a type of the config: the same words as ``iora check``."""
    adapter: TypeAdapter[str] = TypeAdapter(kind)

    def parse(text: str) -> str:
        try:
            return adapter.validate_python(text.strip())
        except ValidationError as error:
            reason = error.errors()[0]
            raised = reason.get("ctx", {}).get("error")
            raise click.BadParameter(str(raised or reason["msg"])) from None

    return parse


def _or_empty(parse: Parse) -> Parse:
    return lambda text: parse(text) if text.strip() else ""


def _target_name(text: str) -> str:
    name = _as(Name)(text)
    if name in set(Severity):
        raise click.BadParameter("expected a name that is not a severity")
    return name


def _people(text: str) -> str:
    person = _as(Person)
    found = [person(part) for part in re.split(r"[,\s]+", text.strip()) if part]
    if not found:
        raise click.BadParameter("expected at least one member id such as U02BOB")
    return ",".join(dict.fromkeys(found))


@dataclass(frozen=True)
class _Interview:
    """Asks for what no option gave. ``quiet`` takes defaults and accepts what was found."""

    quiet: bool

    def ask(self, question: str, given: str | None, parse: Parse, default: str | None) -> str:
        if given is not None:
            return parse(given)
        if self.quiet:
            if default is None:
                raise click.UsageError(f"with --yes an option must say: {question}")
            return parse(default)
        answer: str = click.prompt(
            question, default=default, value_proc=parse, show_default=bool(default)
        )
        return answer

    def accept(self, question: str, *, default: bool) -> bool:
        return self.quiet or click.confirm(question, default=default)


def _health(
    interview: _Interview, url: str | None, status: str | None
) -> tuple[str, str, tuple[str, ...]]:
    """The accepted URL, the path to its status word, and the words that mean healthy."""
    while True:
        asked = interview.ask("Its health URL", url, _as(Url), "http://127.0.0.1:8080/api/health")
        look = _seen(asked)
        url = None
        question = "Use this URL?" if look.good else "Use this URL all the same?"
        if interview.accept(question, default=look.good):
            break
    if status is not None or not look.path:
        return asked, status or "", HEALTHY
    if look.word.lower() in HEALTHY:
        return asked, look.path, HEALTHY
    question = f'Does the word "{look.word}" mean healthy?'
    if not interview.quiet and click.confirm(question, default=False):
        return asked, look.path, (*HEALTHY, look.word)
    return asked, look.path, HEALTHY


def _seen(url: str) -> Look:
    """Ask the URL and print what it says."""
    try:
        look = look_at(asyncio.run(_fetch(url)))
    except TargetError as error:
        look = Look(f"no answer: {error}", good=False)
    click.echo(f"  {look.words}")
    if look.path:
        known = "means healthy" if look.word.lower() in HEALTHY else "is not a word I know"
        click.echo(f'  The status word is at {look.path}: "{look.word}", which {known}.')
    elif look.good:
        click.echo("  No status word in it: any successful answer counts as healthy.")
    return look


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="IORA_CONFIG",
    default=Path("config.yaml"),
    show_default=True,
    help="The file to write (or IORA_CONFIG).",
)
@click.option("--team", help="Team id; empty: the token's own.")
@click.option("--channel", help="Where incidents are announced.")
@click.option("--responders", help="Member ids, with commas.")
@click.option("--commanders", help="Member ids, with commas.")
@click.option("--target", help="The watched service's name.")
@click.option("--health-url", help="Its health URL.")
@click.option("--status", help="JMESPath to the status word; default: found in the answer.")
@click.option("--agent-url", help="Its agent's URL; empty: none.")
@click.option("--yes", is_flag=True, help="Ask nothing: take defaults, accept what the URL says.")
@click.option("--force", is_flag=True, help="Overwrite an existing file without asking.")
def init(  # one parameter an option
    config: Path,
    team: str | None,
    channel: str | None,
    responders: str | None,
    commanders: str | None,
    target: str | None,
    health_url: str | None,
    status: str | None,
    agent_url: str | None,
    *,
    yes: bool,
    force: bool,
) -> None:
    """Write a config by asking: team, channel, people, one target."""
    interview = _Interview(quiet=yes)
    _may_write(config, interview, force=force)
    ask = interview.ask
    people = "(member ids, with commas)"
    team = ask("Slack team id (empty: the token's own)", team, _or_empty(_as(Team)), "")
    channel = ask("Channel for incidents", channel, _as(Channel), "incidents")
    responders = ask(f"Who responds {people}", responders, _people, None)
    commanders = ask(f"Who commands {people}", commanders, _people, responders)
    target = ask("Name of the service to watch", target, _target_name, "iora")
    url, path, healthy = _health(interview, health_url, status)
    agent_url = ask("URL of its agent (empty: none)", agent_url, _or_empty(_as(Url)), "")
    answers = Answers(
        team=team,
        channel=channel,
        responders=tuple(responders.split(",")),
        login=login_of(os.getuid()),
        commanders=tuple(commanders.split(",")),
        target=target,
        health_url=url,
        status=path,
        healthy=healthy,
        agent_url=agent_url,
    )
    _write(config, written(answers))
    click.echo(f"Wrote {config}.")
    click.echo(_with_runbooks(Settings.read(os.environ | {"IORA_CONFIG": str(config)}).runbooks))
    click.echo("Next: iora check, iora doctor, iora serve")


def _may_write(config: Path, interview: _Interview, *, force: bool) -> None:
    if force or not config.exists():
        return
    if interview.quiet:
        raise click.ClickException(f"{config} exists already; add --force to overwrite it")
    if not click.confirm(f"{config} exists already. Overwrite it?", default=False):
        raise click.ClickException(f"{config} was left as it is")


def _write(config: Path, text: str) -> None:
    """Nothing that `iora check` would refuse is written, and never half a file."""
    try:
        load_config_text(text, str(config), os.environ)
    except ConfigError as error:
        raise click.ClickException(f"nothing was written:\n{error}") from None
    draft = config.with_name(config.name + ".new")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(config)
    except OSError as error:
        raise click.ClickException(f"{config} can't be written: {error.strerror}") from None


def _with_runbooks(folder: Path) -> str:
    """Put the runbooks that come with the bot where the bot looks for them; what was done, in words."""
    try:
        copied = copy_shipped(folder)
    except OSError as error:
        raise click.ClickException(f"{folder} can't be written: {error.strerror}") from None
    if not copied:
        return f"{folder} has runbooks already: they are left as they are."
    return f"Wrote {len(copied)} runbooks into {folder}: they are yours to change."
