# SPDX-License-Identifier: Apache-2.0
# Needs python3 (3.11 or newer, with venv), make and git. Everything is installed into this folder.

PYTHON ?= python3
# Many tests wait for real nodes most of their time. Those of a file stay together and in order.
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
SOURCES := libs services cli clients tests
MEMBERS := $(patsubst %/pyproject.toml,%,$(wildcard libs/*/pyproject.toml services/*/pyproject.toml cli/pyproject.toml clients/*/pyproject.toml))
PINS := requirements-uv.txt requirements.txt requirements-data.txt
STAMP := $(VENV)/.installed
# An environment holds absolute paths: one that came along with a moved folder is made anew.
ifneq ($(shell cat $(VENV)/.checkout 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif

.DEFAULT_GOAL := help
.PHONY: help install run test check fmt lock clean nightly-chaos nightly-containers nightly-mutation nightly-risk nightly-simulation nightly-unknown

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' $(MAKEFILE_LIST)

install: $(STAMP) ## make .venv with the pinned packages and .venv/bin/tradewind
	@:

$(STAMP): tools/install.sh $(PINS) $(addsuffix /pyproject.toml,$(MEMBERS))
	@PYTHON="$(PYTHON)" VENV="$(VENV)" bash tools/install.sh $(MEMBERS)
	@touch $@

run: install ## start the whole suite with the simulated venue
	@exec $(BIN)/tradewind up --demo

test: install ## run the tests, WORKERS of their files at a time
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile

nightly-mutation: install ## how many wrong changes of the core, and controls left out, tests notice
	$(BIN)/python -m tests.mutation.checks
	$(BIN)/python -m tests.mutation

check: install ## formatting, lint, types, import contracts
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports

fmt: install ## format, and fix what can be fixed
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

nightly-chaos: install ## every scenario of tradewind chaos, then every planted bug
	@bash tools/nightly-chaos.sh

nightly-containers: install ## the stack in containers, scaled, and losing containers under load
	@bash tools/nightly-containers.sh

nightly-risk: install ## both models of orders and bounds from 50 seeds; 50 drills of the kill switch
	$(BIN)/python -m tests.property --seeds 0:50 --steps 20000
	$(BIN)/python -m tests.drills --drills 50

nightly-simulation: install ## 10,000 seeds of the simulation, and every planted bug within 5,000
	$(BIN)/python -m tests.simulation --seeds 0:10000
	$(BIN)/python -m tests.simulation --seeds 0:5000 --bug all

nightly-unknown: install ## every failure class of a venue 100 times under load, connectors dying
	@bash tools/nightly-unknown.sh

lock: ## choose versions anew and write them, with hashes, to the requirements files
	@PYTHON="$(PYTHON)" VENV="$(VENV)" bash tools/lock.sh

clean: ## remove what install, check and test made; state of suites stays
	rm -rf $(VENV) .cache .tradewind-data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(SOURCES) -name __pycache__ -prune -exec rm -rf {} +
