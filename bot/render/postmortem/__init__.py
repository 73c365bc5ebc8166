"""Drafts of post-mortems: what is said, drawn as Markdown and as a page."""

from bot.render.postmortem.figure import Figure as Figure
from bot.render.postmortem.figure import figures as figures
from bot.render.postmortem.html import html as html
from bot.render.postmortem.layout import Sheet as Sheet
from bot.render.postmortem.layout import sheet as sheet
from bot.render.postmortem.markdown import markdown as markdown
