# Everything happens in .venv, made from the lock files. `make run` starts Milepost; `make test` tests it.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --require-hashes --only-binary :all: -r
# The lock brings the build tools, so that installing the project fetches nothing.
INSTALL_PROJECT := $(PIP) install --no-deps --no-build-isolation --editable .
COMPILE := $(BIN)/uv pip compile --quiet --native-tls --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header --no-annotate --upgrade

.PHONY: venv run test lint lock bench clean
.DEFAULT_GOAL := run

# What developing needs, without running anything.
venv: .venv/dev.stamp

run: .venv/run.stamp
	@exec $(BIN)/milepost up $(ARGS)

# Most tests wait for other processes, so more of them run at once than there are cores; a file stays together.
test: .venv/dev.stamp
	@exec $(BIN)/python -m pytest --numprocesses 3 --dist loadfile $(ARGS)

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict .
	git ls-files -co --exclude-standard -- '*.sh' .ci/run | xargs $(BIN)/shellcheck

bench: .venv/dev.stamp
	@exec $(BIN)/python -m tests.bench $(ARGS)

# The newest versions that install on every supported Python, pinned by hash.
lock: .venv/dev.stamp
	$(COMPILE) --group build pyproject.toml -o requirements/run.lock
	$(COMPILE) --group dev -c requirements/run.lock pyproject.toml -o requirements/dev.lock

clean:
	rm -rf .venv .cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Milepost needs Python 3.11 or newer: install it, or name it with make PYTHON=python3.x" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "$(PYTHON) has no venv: install your system's python3-venv package" >&2; exit 1; }
	@$(PYTHON) -m venv .venv

.venv/run.stamp: requirements/run.lock pyproject.toml | .venv/bin/python
	@echo "Installing the locked dependencies into .venv"
	@$(INSTALL) requirements/run.lock
	@$(INSTALL_PROJECT)
	@touch $@

# The development lock holds the whole of the run lock, in the same versions.
.venv/dev.stamp: requirements/dev.lock pyproject.toml | .venv/bin/python
	@echo "Installing the locked dependencies for development into .venv"
	@$(INSTALL) requirements/dev.lock
	@$(INSTALL_PROJECT)
	@touch $@ .venv/run.stamp
