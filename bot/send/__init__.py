"""The ways out: Slack's Web API, and who is who there."""
