"""Programs of other people that a test starts: found on the path, or the test is skipped aloud."""

from __future__ import annotations

import os
import shutil

import pytest


def installed(program: str, package: str) -> str:
    """Where it is; skipped without it, or failed where services are required, as in CI."""
    found = shutil.which(program)
    if found is None:
        reason = f"no {program} here: install it (Debian: apt install {package})"
        if os.environ.get("IORA_SERVICE_TESTS") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    return found
