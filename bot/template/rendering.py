"""A template and values in, text out: compiled once, counted while it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from jinja2 import Template, TemplateError

from bot.errors import TemplateFailed
from bot.template.allowance import MAX_OUTPUT, MAX_VALUE, Allowance, Trouble, too_long
from bot.template.data import Wanted, plain, wanted
from bot.template.grammar import ENVIRONMENT, read
from bot.template.problem import TemplateProblem, located
from bot.template.rewriting import guarded
from bot.text import clean, outside

_FILE = "<text>"


def render(
    source: str, values: Mapping[str, object], escape: Callable[[str], str] | None = None
) -> str:
    """The text, at most ``MAX_OUTPUT`` characters; ``escape`` is what every value goes through.

    Without one, values are redacted and cut only: plain text. Raises ``TemplateFailed`` with one line.
    """
    return _render(source, values, escape or _clean, mrkdwn=False)


def render_plain(source: str, values: Mapping[str, object]) -> str:
    """For a header, a file, a preview: the text as it was written, nothing escaped."""
    return _render(source, values, _clean, mrkdwn=False)


def render_mrkdwn(source: str, values: Mapping[str, object]) -> str:
    """For Slack: the author's styles, links and mentions count, those in values do nothing.

    A value in the address of an author's link is percent-encoded. For a terminal, put the result
    through ``bot.text.plain`` like any other mrkdwn.
    """
    return _render(source, values, _outside, mrkdwn=True)


def _clean(text: str) -> str:
    return clean(text, MAX_VALUE)


def _outside(text: str) -> str:
    return outside(text, MAX_VALUE)


def _render(
    source: str, values: Mapping[str, object], escape: Callable[[str], str], *, mrkdwn: bool
) -> str:
    template, only = _compiled(source, mrkdwn)
    try:
        data = plain(values, only)
        return _limited(template, {**data, **Allowance(escape).under()})
    except (Trouble, TemplateError) as error:
        failed = _failed(source, template, error, str(error))
    except (TypeError, ValueError) as error:
        reason = "values of different kinds can't be put together like this"
        failed = _failed(source, template, error, reason)
    raise failed


def _failed(source: str, template: Template, error: Exception, reason: str) -> TemplateFailed:
    """With the line of the source, where the error came from the template's own code."""
    place = error.__traceback__
    while place is not None and place.tb_frame.f_code.co_filename != _FILE:
        place = place.tb_next
    if place is None:
        return TemplateFailed(reason)
    offset = template.get_corresponding_lineno(place.tb_lineno)
    return TemplateFailed(str(located(source, offset, reason)))


@lru_cache(maxsize=256)
def _compiled(source: str, mrkdwn: bool) -> tuple[Template, Wanted]:
    """Compiling costs about 2 ms, and a run draws the same texts again and again."""
    outcome = read(source)
    if isinstance(outcome, TemplateProblem):
        raise TemplateFailed(str(outcome))
    tree, paths = outcome
    code = ENVIRONMENT.compile(guarded(tree, mrkdwn=mrkdwn), filename=_FILE)
    return Template.from_code(ENVIRONMENT, code, {}), wanted(paths)


def _limited(template: Template, values: dict[str, object]) -> str:
    pieces: list[str] = []
    size = 0
    for piece in template.root_render_func(template.new_context(values)):
        size += len(piece)
        if size > MAX_OUTPUT:
            raise too_long()
        pieces.append(piece)
    return "".join(pieces)
