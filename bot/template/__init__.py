"""Texts that people write with Jinja: runbook steps, notify messages, escalation reasons, post-mortems.

Who wrote what decides what is escaped. The source is written by the team, beside its config: its own
text goes out as it is (``*bold*``, a link). What stands in ``{{ }}`` comes from outside (readings, titles,
notes): it is redacted before a template can touch it, cut, and escaped once, at the very end, when it
leaves the expression. So filters see plain text, no filter can undo an escape, and there is no ``safe``.
Values are never read as templates: one pass.

The language is Jinja's with little left in it: ``{{ }}``, ``if``, ``for``, comments, a short list of filters
and tests; nothing is called, nothing is assigned, nothing is included. Data is plain: dict, list, text,
number, bool, None. ``None`` is *unknown*, stays so through every filter and sum, and is shown as "unknown".
"""

from bot.template.allowance import MAX_OUTPUT as MAX_OUTPUT
from bot.template.grammar import MAX_SOURCE as MAX_SOURCE
from bot.template.grammar import check as check
from bot.template.problem import TemplateProblem as TemplateProblem
from bot.template.rendering import render as render
from bot.template.rendering import render_mrkdwn as render_mrkdwn
from bot.template.rendering import render_plain as render_plain
