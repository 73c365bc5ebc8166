"""Two tokens in each other's place are the commonest mistake: it is said before anything starts."""

from __future__ import annotations

import pytest

from bot.errors import WrongSettings
from bot.model.settings import Settings


@pytest.mark.parametrize("swapped", [{"SLACK_BOT_TOKEN": "xapp-1"}, {"SLACK_APP_TOKEN": "xoxb-1"}])
def test_swapped_tokens_are_named(swapped):
    environ = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"} | swapped
    with pytest.raises(WrongSettings, match="they are swapped"):
        Settings.read(environ).check_for_serving()
