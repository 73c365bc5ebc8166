"""A small Slack on this machine, as strict as Slack, for trying the bot out and for its tests.

It imports nothing of the bot, and the bot imports nothing of it: limits that both shared would prove nothing.
"""
