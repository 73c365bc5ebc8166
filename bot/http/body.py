"""A body as it comes in."""

from __future__ import annotations

import zlib

BODY_LIMIT = 1024 * 1024
ENCODINGS = "gzip, deflate"
_DEFLATED = frozenset({"gzip", "x-gzip", "deflate"})


class Body:
    """Takes a body in, decompressing as it comes: never more than the limit is held."""

    def __init__(self, encoding: str, limit: int = BODY_LIMIT) -> None:
        encoding = encoding.strip().lower()
        if encoding not in _DEFLATED | {"", "identity"}:
            raise ValueError(f"an encoding that was not asked for: {encoding[:40]}")
        self._inflate = _inflater() if encoding in _DEFLATED else None
        self._limit = limit
        self._arrived = 0
        self._held = bytearray()

    def add(self, chunk: bytes) -> None:
        """Raises ``zlib.error`` where it is not what its encoding says."""
        self._arrived += len(chunk)
        while chunk and not self.too_large:
            if self._inflate is None:
                self._held += chunk
                return
            if self._inflate.eof:  # gzip may have several members
                self._inflate = _inflater()
            self._held += self._inflate.decompress(chunk, self._limit + 1 - len(self._held))
            chunk = self._inflate.unconsumed_tail or self._inflate.unused_data

    @property
    def too_large(self) -> bool:
        return max(self._arrived, len(self._held)) > self._limit

    @property
    def whole(self) -> bool:
        return self._inflate is None or self._inflate.eof or not self._arrived

    def taken(self) -> bytes:
        return bytes(self._held)


def _inflater() -> zlib._Decompress:
    return zlib.decompressobj(zlib.MAX_WBITS | 32)  # either header, gzip's or zlib's
