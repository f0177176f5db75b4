# Chequer. The two commands that a newcomer needs: `make run`, `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Most tests wait for a clock, a broker or a person at a desk, so three share two cores well.
WORKERS ?= 3

.PHONY: help run test test-faults check format bench generate lock firmware clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(VENV)/run.stamp: requirements/run.lock pyproject.toml
	@scripts/venv $(PYTHON) $(VENV)
	@echo "installing what Chequer runs on (about half a minute) ..."
	@$(PIP) install --require-hashes -r requirements/run.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/test.stamp: requirements/test.lock requirements/provision.lock requirements/stubs.lock $(VENV)/run.stamp
	@echo "installing what the tests need ..."
	@$(PIP) install --require-hashes -r requirements/test.lock
	@$(PIP) install --require-hashes -r requirements/provision.lock
	@$(PIP) install --require-hashes --upgrade --target $(VENV)/esp32-stubs -r requirements/stubs.lock
	@touch $@

run: $(VENV)/run.stamp ## a simulated room on the real firmware; the page is at http://127.0.0.1:8080
	@$(BIN)/chequer demo

test: $(VENV)/test.stamp ## everything, on real services
	@scripts/services
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-faults: $(VENV)/test.stamp ## every fault under load, as one table (about ten minutes)
	@scripts/services
	@$(BIN)/python -m tests.faults $(ARGS)

check: $(VENV)/test.stamp ## format, lint, types, drift of generated files
	@scripts/check

format: $(VENV)/test.stamp ## let ruff format the sources
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: $(VENV)/test.stamp ## benchmarks, as ratios measured in one run
	@$(BIN)/python -m tests.bench

generate: $(VENV)/test.stamp ## write again what is generated: pins, schemas, wiring
	@$(BIN)/python -m hardware.generate
	@$(BIN)/python -m host_bridge.contract.generate

lock: $(VENV)/test.stamp ## pin the requirements again, with hashes
	@scripts/lock

firmware: $(VENV)/test.stamp ## build/firmware: ready to be copied to an ESP32; KEY=file signs it
	@$(BIN)/python scripts/build_firmware.py $(if $(KEY),--key $(KEY))

clean: ## remove what was made here, but not your data in var/
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
