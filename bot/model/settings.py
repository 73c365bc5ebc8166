"""The settings that come from the environment; the names are in the README."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.errors import WrongSettings

SLACK_API = "https://slack.com/api/"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a program was started with."""

    bot_token: str = ""
    app_token: str = ""
    signing_secret: str = ""
    slack_api: str = SLACK_API
    config: Path = Path("config.yaml")
    runbooks: Path = Path("runbooks")
    database: Path = Path("data/iora.db")
    host: str = "127.0.0.1"
    port: int = 3000
    environ: Mapping[str, str]

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """Raises ``WrongSettings`` with the name, what was expected and what to do."""
        url = environ.get("IORA_DATABASE_URL", "sqlite:///data/iora.db")
        database = Path(url.removeprefix("sqlite:///"))
        if not url.startswith("sqlite:///") or not database.name:
            raise WrongSettings(
                "IORA_DATABASE_URL: expected sqlite:///PATH, such as sqlite:///data/iora.db"
            )
        port = environ.get("PORT", "") or "3000"
        if not (port.isascii() and port.isdigit()) or not 0 <= int(port) <= 65_535:
            raise WrongSettings(f"PORT: expected a number from 0 to 65535, got {port!r}")
        api = environ.get("SLACK_API_URL", "") or SLACK_API
        config = Path(environ.get("IORA_CONFIG", "") or "config.yaml")
        return cls(
            bot_token=environ.get("SLACK_BOT_TOKEN", "").strip(),
            app_token=environ.get("SLACK_APP_TOKEN", "").strip(),
            signing_secret=environ.get("SLACK_SIGNING_SECRET", "").strip(),
            slack_api=api if api.endswith("/") else f"{api}/",
            config=config,
            runbooks=Path(environ.get("IORA_RUNBOOKS", "") or config.parent / "runbooks"),
            database=database,
            host=environ.get("HOST", "") or "127.0.0.1",
            port=int(port),
            environ=environ,
        )

    def check_for_serving(self) -> None:
        """Raises ``WrongSettings`` where the bot could not talk to Slack."""
        if not self.bot_token:
            raise WrongSettings(
                "SLACK_BOT_TOKEN is not set: install the app and copy its bot token (xoxb-...); "
                "to try the bot without Slack, run `iora local`"
            )
        if self.bot_token.startswith("xapp-") or self.app_token.startswith("xoxb-"):
            raise WrongSettings(
                "SLACK_BOT_TOKEN begins with xoxb-, SLACK_APP_TOKEN with xapp-: they are swapped"
            )
        if not self.app_token and not self.signing_secret:
            raise WrongSettings(
                "neither SLACK_APP_TOKEN (Socket Mode) nor SLACK_SIGNING_SECRET (HTTP) is set: "
                "the bot would hear nothing; set one of them"
            )
