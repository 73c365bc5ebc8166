"""The runbooks that come with the bot."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def shipped() -> Path:
    """Their folder: within the package where it was installed, at the root of a checkout."""
    inside = _PACKAGE / "shipped"
    return inside if inside.is_dir() else _PACKAGE.parent / "runbooks"


def copy_shipped(folder: Path) -> tuple[Path, ...]:
    """Copy them into a folder that holds no runbook yet; the files that were written, or none."""
    if any(path.suffix in {".yaml", ".yml"} for path in folder.glob("*")):
        return ()
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path in sorted(shipped().glob("*.yaml")):
        copy = folder / path.name
        with copy.open("xb") as file:  # never over what somebody else wrote meanwhile
            file.write(path.read_bytes())
        written.append(copy)
    return tuple(written)
