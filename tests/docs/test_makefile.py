"""The Makefile finds a Python that starts, whatever a version manager left on the path."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def chosen(path: str) -> str:
    """What `make lock` would run, with nothing set but the path."""
    run = subprocess.run(
        ["make", "-n", "lock"],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PATH": path},
    )
    return run.stdout


def test_a_name_on_the_path_that_does_not_start_is_passed_over(tmp_path: Path) -> None:
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\necho 'pyenv: python3.13: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)

    told = chosen(f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    assert str(shim) not in told
    assert "python3" in told.splitlines()[0]


def test_where_no_python_starts_make_says_what_to_install(tmp_path: Path) -> None:
    for tool in ("make", "sh"):
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / tool).symlink_to(found)
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())

    run = subprocess.run(
        [tmp_path / "make", "SHELL=" + str(tmp_path / "sh"), "test"],
        check=False, cwd=tmp_path, capture_output=True, text=True, env={"PATH": str(tmp_path)},
    )  # fmt: skip

    assert run.returncode == 2
    assert (
        "Python 3.11 or newer is needed: install it (Debian: apt install python3 python3-venv)"
        in run.stderr
    )
