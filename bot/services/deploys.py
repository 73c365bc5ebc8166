"""Deploys: a team, or whatever deploys for it, tells the bot when something new runs on a target."""

from __future__ import annotations

from bot.model.actor import BOT
from bot.model.answer import Answer, Refusal
from bot.model.command import RecordDeploy
from bot.model.config import Config
from bot.model.deploy import Deploy
from bot.model.nearest import nearest
from bot.services import before
from bot.services.incidents import Asked, add_reply
from bot.store import deploys, incidents, outbox
from bot.store.database import Tx
from bot.text import clean, outside

TITLE = 100
SAME_MS = 60_000
"""So long the same deploy, told again, is one: a pipeline that tries again after a lost answer."""
_AHEAD_MS = 300_000  # so far another machine's clock may be ahead


def ask(tx: Tx, config: Config, command: RecordDeploy, asked: Asked) -> Answer | Refusal:
    """Somebody tells of a deploy that was done just now."""
    done = record(tx, config, command.target, tx.now, command.title, asked.actor.text)
    if isinstance(done, Refusal):
        return done
    facts = {"target": done.target, "title": done.title, "source": done.source, "at": done.at}
    return Answer(kind="deployed", facts=facts)


def record(
    tx: Tx, config: Config, target: str, at: int, title: str, source: str
) -> Deploy | Refusal:
    """Keep a deploy of ``at`` (milliseconds), and tell the open incidents of its target.

    ``source`` is an actor, or the name of a source that reports by itself. The same one again within a
    minute is the one that is there.
    """
    if target not in config.targets:
        near = nearest(target, config.targets)
        hint = f"Did you mean `{near}`?" if near else f"There are: {', '.join(config.targets)}."
        return Refusal(f"There is no target `{outside(target, 40)}`.", hint)
    if at > tx.now + _AHEAD_MS:
        return Refusal("A deploy can't be in the future.", "Tell of it when it is done.")
    deploy = Deploy(target, min(at, tx.now), clean(" ".join(title.split()), TITLE), source)
    near_by = deploys.between(tx, target, deploy.at - SAME_MS, deploy.at + SAME_MS)
    for known in near_by:
        if (known.title, known.source) == (deploy.title, deploy.source):
            return known
    deploys.add(tx, target, deploy.at, deploy.title, source)
    _tell(tx, deploy)
    return deploy


def forget(tx: Tx, kept: int) -> int:
    """Remove the deploys that are older than ``kept`` milliseconds; how many."""
    return deploys.forget(tx, tx.now - kept)


def _tell(tx: Tx, deploy: Deploy) -> None:
    """What changes during an incident, or shortly before it and told late, is on its timeline."""
    for incident in incidents.on_target(tx, deploy.target, tx.now, tx.now):
        if not incident.live or deploy.at < incident.declared_at - before.WITHIN_MS:
            continue
        facts = before.facts(deploy, incident)
        seq = incidents.add_entry(tx, incident.id, BOT, before.KIND, facts)
        outbox.revise(tx, incident.id, ("card",))
        add_reply(tx, incident, seq)
