# Two commands need nothing but Linux, Python 3.11 or newer and make; both do all set-up themselves:
#
#   make demo     makes a virtual environment, installs, and runs the line on the Adult census table
#   make test     the same, and what the tests need, and runs all of them
#
# For people who change the code:
#
#   make check    what has to be true before a change is merged: format, lint, types, layers, house rules, tests, docs
#   make fix      formats, and mends what ruff can mend
#   make lock     writes the hash-pinned locks anew from pyproject.toml
#   make test-server   installs an inference server (1.2 GB) and runs the test against it, which else is skipped
#   make clean    removes the virtual environments and every cache

.DEFAULT_GOAL := help
.PHONY: help demo test check static format lint types layers house docs fix lock clean test-server
MAKEFLAGS += --no-builtin-rules

# The first interpreter that runs, is new enough and can make virtual environments. Newer than the newest tested
# version comes last: the lock may hold no wheels for it.
FINDS := import sys, venv, ensurepip; v = sys.version_info[:2]
PYTHON ?= $(shell \
	for p in python3 python3.13 python3.12 python3.11 python; do \
	  $$p -c '$(FINDS); sys.exit(not (3, 11) <= v <= (3, 13))' >/dev/null 2>&1 && { echo $$p; exit; }; done; \
	for p in python3 python; do \
	  $$p -c '$(FINDS); sys.exit(not (3, 11) <= v)' >/dev/null 2>&1 && { echo $$p; exit; }; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-input
LOCKED := $(PIP) --require-hashes --no-build-isolation --only-binary :all:
SOURCE_ONLY := --no-binary jsonpath-rw
# The stamps name the folder: a checkout that was moved is installed again.
HERE := $(shell pwd | cksum | cut -d' ' -f1)
READY := $(VENV)/.ready-$(HERE)
READY_DEV := $(VENV)/.ready-dev-$(HERE)
SERVER := .venv-server
READY_SERVER := $(SERVER)/.ready-$(HERE)
WORKERS ?= 2

help:
	@sed -n 's/^#   //p' Makefile

# --------------------------------------------------------------------------------------------------------- set-up
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer with its venv module was found. Install one (Debian, \
	Ubuntu: apt-get install python3-venv), or name it: make demo PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Making a virtual environment in $(VENV) with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv --clear $(VENV)

$(READY): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what Synthwright needs (versions and hashes from requirements.lock) …"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@$(LOCKED) -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@$(BIN)/python tools/check_system.py
	@touch $@

$(READY_DEV): requirements-dev.lock tests/plugin/pyproject.toml $(READY)
	@echo "Installing what the tests need (requirements-dev.lock) …"
	@$(LOCKED) $(SOURCE_ONLY) -r requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation --editable tests/plugin
	@touch $@

# ----------------------------------------------------------------------------------------------------------- use
demo: $(READY)
	@$(BIN)/synthwright demo

test: $(READY_DEV)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

# The server runs in an environment of its own. Its lock holds PyTorch's build for processors alone (Python 3.11, x86-64),
# which is not on PyPI: pip must know a place that has it (PIP_FIND_LINKS, PIP_EXTRA_INDEX_URL). Any other environment
# with `transformers[serving]` does as well: SYNTHWRIGHT_SERVER_PYTHON=/path/to/its/python make test
$(READY_SERVER): requirements-server.lock | $(READY_DEV)
	@echo "Installing an inference server (requirements-server.lock) …"
	@$(BIN)/python -m venv --clear $(SERVER)
	@$(SERVER)/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes --only-binary :all: \
	  -r requirements-server.lock
	@touch $@

test-server: $(READY_SERVER)
	@$(BIN)/python -m pytest tests/test_real_server.py

# --------------------------------------------------------------------------------------------------------- checks
check: static test

static: format lint types layers house

format: $(READY_DEV)
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; exit 1; }

lint: $(READY_DEV)
	@$(BIN)/ruff check --quiet --output-format concise .

types: $(READY_DEV)
	@$(BIN)/python -m mypy --no-error-summary

layers: $(READY_DEV)
	@$(BIN)/python -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --no-logo

house: $(READY_DEV)
	@$(BIN)/python tools/check_size.py
	@$(BIN)/python tools/check_house.py
	@$(BIN)/python tools/embed.py --check

docs: $(READY_DEV)
	@$(BIN)/python -m pytest tests/test_docs.py

fix: $(READY_DEV)
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .
	@$(BIN)/python tools/embed.py

# ---------------------------------------------------------------------------------------------------------- locks
UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-annotate --upgrade pyproject.toml --group build

lock: $(READY)
	@$(PIP) 'uv>=0.7'
	@$(UV_COMPILE) --output-file requirements.lock
	@$(UV_COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock

clean:
	rm -rf $(VENV) $(SERVER) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
