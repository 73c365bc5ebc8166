"""How a command ends that can't go on: one plain message, an exit code, never a traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bot.errors import ConfigError, IoraError

FINDING, WRONG_USE = 1, 2


@contextmanager
def plainly() -> Iterator[None]:
    """Errors of ours become their message: exit 1 for a file with findings, 2 for the rest."""
    try:
        yield
    except ConfigError as error:
        print(error, file=sys.stderr)
        sys.exit(FINDING)
    except IoraError as error:
        print(f"iora: {error}", file=sys.stderr)
        sys.exit(WRONG_USE)
    except BrokenPipeError:
        raise  # whoever read the output has gone; click ends quietly then
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"iora: {where}{error.strerror or error}", file=sys.stderr)
        sys.exit(WRONG_USE)
