# The front door of Quanze: `make help` lists what there is.
#
# Everything is installed inside this folder (.venv and node_modules), from locked wheels and packages: no compiler
# and no Node of the machine is needed. Python 3.11 or later, with `venv`, is. `ledger.native` is compiled by a compiler
# that is such a wheel; where it cannot, the same work is done in Python.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_STAMP := $(VENV)/.uv-installed
PYTHON_STAMP := $(VENV)/.python-synced
NODE_STAMP := node_modules/.node-synced
NATIVE_STAMP := $(VENV)/.native-built

export HARDHAT_DISABLE_TELEMETRY := true
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help
help: ## List the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: setup
setup: $(PYTHON_STAMP) $(NODE_STAMP) $(NATIVE_STAMP) ## Install what is locked into .venv and node_modules (quick when done before).

$(UV_STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Quanze needs Python 3.11 or later; $(PYTHON) is older. Try: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Python's venv module is missing. On Debian: apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	@touch $@

$(PYTHON_STAMP): $(UV_STAMP) pyproject.toml uv.lock scripts/link_node.py
	$(BIN)/uv sync --frozen --no-build --quiet
	$(BIN)/python -m scripts.link_node
	@touch $@

$(NODE_STAMP): package.json package-lock.json | $(PYTHON_STAMP)
	$(BIN)/npm ci --ignore-scripts --no-fund --no-audit --loglevel=error
	@touch $@

$(NATIVE_STAMP): $(wildcard ledger/native/*.zig) ledger/native/library.py scripts/build_native.py | $(PYTHON_STAMP)
	@$(BIN)/python -m scripts.build_native
	@touch $@

.PHONY: demo
demo: setup ## Show the whole path on sample records; stays up until Ctrl-C.
	$(BIN)/python -m scripts.demo

.PHONY: test
test: setup ## Run every test, the contracts' and the browser's included.
	@scripts/system_packages.sh browser
	@$(BIN)/python -m pytest

.PHONY: check
check: setup ## Format, lint, types, layers, contracts' style, generated files.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy ledger api scripts
	$(BIN)/lint-imports
	$(BIN)/python -m ziglang fmt --check ledger/native
	@if find contracts -name '*.sol' | grep -q .; then \
		$(BIN)/node node_modules/solhint/solhint.js --disc --noPoster --max-warnings 0 'contracts/**/*.sol'; fi
	$(BIN)/node node_modules/prettier/bin/prettier.cjs --check --no-error-on-unmatched-pattern 'contracts/**/*.sol' hardhat.config.js package.json
	$(BIN)/python -m scripts.generate --check

.PHONY: format
format: setup ## Rewrite sources in the project's format.
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/python -m ziglang fmt ledger/native
	$(BIN)/node node_modules/prettier/bin/prettier.cjs --write --no-error-on-unmatched-pattern 'contracts/**/*.sol' hardhat.config.js package.json

.PHONY: generate
generate: setup ## Rewrite the generated files.
	$(BIN)/python -m scripts.generate

.PHONY: bench
bench: setup ## Measure everything; ARGS="ingest --immudb-server PATH …" for one of them, with its peer.
	$(BIN)/python -m scripts.bench $(ARGS)

.PHONY: clean
clean: ## Remove what was built (not what was installed).
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
