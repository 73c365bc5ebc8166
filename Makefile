# Two commands on a fresh machine: `make run` (try it) and `make test` (all that CI runs).
# Only relative paths, so that a checkout may live in a folder with spaces in its name.

# The newest one that starts: a name on the path may be a version manager's shim for a version that is switched off.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v "$$python" && break; done)
BIN := .venv/bin
RUN := $(BIN)/python -m

.PHONY: run test faults bench lock clean
.DEFAULT_GOAL := run

run: .venv/run
	@$(RUN) bot local

test: .venv/dev
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(BIN)/lint-imports --no-logo
	@$(RUN) pytest -q -n auto --dist worksteal

# The faults in full, each with its figures; FAULTS_SEED=7 plays one again.
faults: .venv/dev
	@FAULTS_FULL=1 $(RUN) pytest -q -rA -s tests/faults

bench: .venv/dev
	@$(RUN) bench

# The environment is made once, and again when the locked versions change.
.venv/bin/python:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: install it (Debian: apt install python3 python3-venv), or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null \
		|| { echo "Python's venv module is missing: install it (Debian: apt install python3-venv), then run make again" >&2; exit 1; }
	@"$(PYTHON)" -m venv .venv || { rm -rf .venv; exit 1; }

.venv/run: .venv/bin/python requirements.lock pyproject.toml
	@echo "Installing the locked versions into .venv (once)"
	@$(RUN) pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[charts]'
	@touch $@

.venv/dev: .venv/bin/python requirements.lock pyproject.toml
	@echo "Installing the locked versions into .venv (once)"
	@$(RUN) pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[dev]'
	@touch $@ .venv/run

# Writes requirements.lock anew from what pyproject.toml allows.
lock:
	@rm -rf .venv/lock && "$(PYTHON)" -m venv .venv/lock
	@.venv/lock/bin/python -m pip install --quiet --disable-pip-version-check '.[dev]' hatchling editables
	@.venv/lock/bin/python -m pip freeze --exclude iora-bot > requirements.lock
	@rm -rf .venv/lock

clean:
	@rm -rf .venv
