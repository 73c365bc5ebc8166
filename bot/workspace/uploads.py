"""Uploads that are on their way: an address each, until they are completed."""

from __future__ import annotations

import mimetypes
import secrets
from dataclasses import dataclass

from bot.workspace.clock import Clock
from bot.workspace.records import File
from bot.workspace.state import Workspace


@dataclass
class Upload:
    """``content`` is None until it was sent; ``length`` is what was announced, in bytes."""

    file: str
    name: str
    length: int
    alt_text: str
    content: bytes | None = None


class Uploads:
    """The three steps: an address, the content, the file."""

    def __init__(self, workspace: Workspace, clock: Clock) -> None:
        self._workspace = workspace
        self._clock = clock
        self._by_ticket: dict[str, Upload] = {}

    def begin(self, name: str, length: int, alt_text: str) -> tuple[str, Upload]:
        """A ticket for the upload's address, and the id of the file to be."""
        ticket = secrets.token_urlsafe(16)
        upload = Upload(self._workspace.new_id("F"), name, length, alt_text)
        self._by_ticket[ticket] = upload
        return ticket, upload

    def receive(self, ticket: str, content: bytes) -> bool:
        """Keep the content; False for an unknown ticket or another length than was announced."""
        upload = self._by_ticket.get(ticket)
        if upload is None or len(content) != upload.length:
            return False
        upload.content = content
        return True

    def ready(self, file: str) -> bool:
        upload = self._find(file)
        return upload is not None and upload.content is not None

    def finish(self, file: str, title: str, owner: str) -> File:
        """Make a received upload a file of the workspace."""
        upload = self._find(file)
        if upload is None or upload.content is None:
            raise KeyError(file)
        made = File(
            id=upload.file,
            name=upload.name,
            mimetype=mimetypes.guess_type(upload.name)[0] or "application/octet-stream",
            content=upload.content,
            title=title or upload.name,
            owner=owner,
            created=int(self._clock.now()),
            alt_text=upload.alt_text,
        )
        self._by_ticket = {key: item for key, item in self._by_ticket.items() if item is not upload}
        self._workspace.files[made.id] = made
        self._workspace.announce("file")
        return made

    def _find(self, file: str) -> Upload | None:
        return next((item for item in self._by_ticket.values() if item.file == file), None)
