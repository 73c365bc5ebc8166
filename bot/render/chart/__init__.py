"""Charts of readings: SVG for pages and post-mortems, PNG for Slack, words for all who can't see them.

Drawing takes matplotlib (the extra ``charts``) and some ten milliseconds: ask ``available()`` first, and call
it in a thread of its own. It is imported with the first chart, as it takes its time and its memory.
"""

from bot.render.chart.drawing import available as available
from bot.render.chart.drawing import chart_png as chart_png
from bot.render.chart.drawing import chart_svg as chart_svg
from bot.render.chart.words import words as words
