"""Block Kit, as strict as Slack: every block, element and limit that an app may use."""
