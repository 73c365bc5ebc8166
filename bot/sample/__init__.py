"""A sample I.O.R.A. service whose health a visitor can break. It imports nothing of the bot."""
