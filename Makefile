# crm_api: `make run` starts everything, `make test` checks everything. Needs Python 3.11 or newer, make and pip.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
    $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
# Where Python comes without ensurepip (Debian without python3-venv), the system's pip fills the environment from outside.
PIP = $(if $(wildcard $(BIN)/pip),$(BIN)/python -m pip,$(PYTHON) -m pip --python $(BIN)/python)
INSTALL = $(PIP) install --quiet --disable-pip-version-check
WORKERS ?= 2
# Which tests `make test` runs; `make test MARK=` runs all of them.
MARK ?= not slow

# Compiled modules are kept even where the environment forbids it: the checks and tests start this program a hundred times.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run test test-long pytest lint types imports check openapi migrate bench chaos lock clean openapi-check

help:  ## show these lines
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: $(VENV)/.run  ## install and start everything with demonstration data (UP="--port 9000" for other options)
	$(BIN)/crm-api up --demo $(UP)

test: check pytest  ## lint, types, layers, OpenAPI and the tests (but those of minutes)

test-long: MARK = slow
test-long: export CRM_NEW_EXAMPLES = 1
test-long: pytest  ## the tests that take minutes

pytest: $(VENV)/.dev
	CRM_COMPLIANCE=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder -m "$(MARK)" $(TESTS)

check: lint types imports openapi-check  ## all checks but the tests

lint: $(VENV)/.dev  ## ruff
	$(BIN)/ruff check .

types: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy

imports: $(VENV)/.dev  ## import-linter: layers and independence
	$(BIN)/lint-imports --no-logo

openapi-check: $(VENV)/.dev
	$(BIN)/crm-api openapi --check

openapi: $(VENV)/.dev  ## write openapi/openapi.json
	$(BIN)/crm-api openapi --output openapi/openapi.json

migrate: $(VENV)/.run  ## bring the database of DATABASE_OWNER_URL (or of a running `make run`) up to date
	$(BIN)/crm-api migrate

bench: $(VENV)/.dev  ## measure against hand-written SQL in the same run
	$(BIN)/python -m benchmarks $(BENCH)

chaos: $(VENV)/.dev  ## kill a hundred processes and more (ten minutes), and prove that nothing is lost
	$(BIN)/python -m pytest -m chaos -s

lock: $(VENV)/.uv  ## write requirements/*.txt anew (LOCK=--upgrade for the newest versions)
	UV=$(VENV)/tools/bin/uv scripts/lock.sh $(LOCK)

clean:  ## remove what was installed and cached, but no data
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .schemathesis
	find . -name __pycache__ -not -path './node_modules/*' -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed (set PYTHON=…)."; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); $(PYTHON) -m venv --without-pip $(VENV); }

# Stamps: a second run installs nothing. The development set contains the other one.
$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "installing what the program needs (half a minute) …"
	$(INSTALL) --require-hashes -r requirements/run.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo "installing what the checks need (a minute) …"
	$(INSTALL) --require-hashes -r requirements/dev.txt
	$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.run $@

$(VENV)/.uv: | $(BIN)/python
	$(PYTHON) -m venv $(VENV)/tools
	$(VENV)/tools/bin/python -m pip install --quiet uv
	@touch $@
