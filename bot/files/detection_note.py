"""What valid rules leave open: targets where one can never fire, as nothing measures what it asks for."""

from __future__ import annotations

from collections.abc import Iterator

from bot.files.note import Note, unmeasured
from bot.model.config import Config


def detection_notes(config: Config) -> Iterator[Note]:
    """A note a rule; a source for the same metric mends all of its targets."""
    for number, rule in enumerate(config.detection):
        watched = {name: one for name, one in config.targets.items() if rule.watches(name)}
        found = {name: unmeasured(target, rule.when) for name, target in watched.items()}
        blind = {name: lost for name, lost in found.items() if lost}
        if not blind:
            continue
        lost = " and ".join(dict.fromkeys(one for metrics in blind.values() for one in metrics))
        if len(blind) == len(watched):
            text = f"nothing measures {lost} on any target of it: this rule never fires"
        else:
            text = f"nothing measures {lost} on {', '.join(blind)}: this rule never fires there"
        fix = "add agent: to it, or name it in the values of its metrics"
        yield Note(at=f"detection[{number}].when", text=text, fix=fix)
