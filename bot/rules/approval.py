"""Who may approve a step: asked at the click, and again when the action is called."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model.actor import Actor
from bot.model.answer import Refusal
from bot.model.config import Config
from bot.model.run import Progress, StepRun
from bot.model.step import ActionStep, Approval, Step
from bot.rules import access


def wanted(definition: Step, step: StepRun) -> Approval | None:
    """The approval that a step needs: an action always does, and a probe of which its agent says so."""
    if isinstance(definition, ActionStep):
        return definition.asks
    if definition.approval is None and step.output.get("must_approve"):
        return Approval()
    return definition.approval


def valid(config: Config, progress: Progress, step: StepRun) -> tuple[str, ...]:
    """Whose yes counts now: roles may have changed since it was said."""
    approval = wanted(progress.definition(step), step)
    if approval is None:
        return ()
    return tuple(
        actor
        for actor in dict.fromkeys(progress.approvers(step))
        if _may(config, approval, progress, Actor(actor))
    )


def refuse(config: Config, progress: Progress, step: StepRun, actor: Actor) -> Refusal | None:
    """Why this person can't approve, or reject, the step; None if they can."""
    approval = wanted(progress.definition(step), step)
    assert approval is not None
    title = progress.definition(step).title
    if not any(config.roles.values()):
        return Refusal(
            f"Nobody can approve “{title}”: the config names no roles.",
            "List people under `roles` in the config.",
        )
    if approval.not_requester and actor.text == progress.run.by:
        return Refusal(
            f"Whoever started {progress.run.key} can't approve “{title}”.",
            f"Who may: {who(config, approval, progress)}.",
        )
    if not _may(config, approval, progress, actor):
        return Refusal(
            f"You may not approve “{title}”.", f"Who may: {who(config, approval, progress)}."
        )
    return None


def who(config: Config, approval: Approval, progress: Progress) -> str:
    """The people who can approve, as a line for a person."""
    found = holders(config, approval, progress)
    named = f"list people under `roles: {approval.roles[0]}` in the config"
    return listed(found) if found else f"nobody: {named}"


def holders(config: Config, approval: Approval, progress: Progress) -> tuple[str, ...]:
    """The people and logins that can approve."""
    found = dict.fromkeys(
        holder
        for role in approval.roles
        for holder in config.holders(role)
        if not (approval.not_requester and holder == Actor(progress.run.by).holder)
    )
    return tuple(found)


def listed(holders: Iterable[str]) -> str:
    """People and logins as a line."""
    return ", ".join(access.mention(holder) for holder in holders)


def _may(config: Config, approval: Approval, progress: Progress, actor: Actor) -> bool:
    if approval.not_requester and actor.text == progress.run.by:
        return False
    if not _in_team(config, actor.text):
        return False
    return any(actor.holder in config.holders(role) for role in approval.roles)


def _in_team(config: Config, actor: str) -> bool:
    """A member id is unique in its team only; where the config names no team, the click was checked."""
    team = config.slack.team
    return team is None or not actor.startswith("slack:") or actor.startswith(f"slack:{team}:")
