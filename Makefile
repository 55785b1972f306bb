# Postroom. `make` alone prints this list.
.DEFAULT_GOAL := help
.PHONY: help install lock run test soak lint format bench contracts migrate clean
SHELL := /bin/bash

PYTHON ?= python3
# Much of the suite waits for servers: four workers keep two cores busy. What fails then runs once more, and is shown.
PYTEST_FLAGS ?= -n 4 --dist worksteal --reruns 1
UV_VERSION := 0.13.9
BIN := .venv/bin
UV := $(BIN)/uv
PACKAGES := libs/common libs/embedded services/collector services/rewriter services/imagegen services/scheduler \
            services/publisher services/userbot services/api sandbox postroom
LOCK_FLAGS := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --quiet \
              --custom-compile-command "make lock" --group dev --all-extras \
              $(foreach package,common embedded collector rewriter imagegen scheduler publisher userbot api sandbox,--no-emit-package postroom-$(package)) \
              --no-emit-package postroom

help: ## Show this list
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  \033[1m%-10s\033[0m %s\n", $$1, $$2}'

install: .venv/.installed ## Create .venv from the lock; afterwards .venv/bin/postroom exists
	@$(BIN)/python services/api/api/panel/assets.py

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Postroom needs Python 3.11 or later; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"

.venv/.installed: $(UV) requirements.lock $(foreach package,$(PACKAGES),$(package)/pyproject.toml)
	@echo "Installing the locked dependencies into .venv (half a minute the first time)"
	@VIRTUAL_ENV=$(CURDIR)/.venv $(UV) pip install --quiet --require-hashes -r requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/.venv $(UV) pip install --quiet --no-deps --no-build-isolation \
	  $(foreach package,$(PACKAGES),--editable $(package))
	@touch $@

lock: $(UV) ## Compile requirements.lock anew from every pyproject.toml
	@$(UV) pip compile $(LOCK_FLAGS) pyproject.toml $(foreach package,$(PACKAGES),$(package)/pyproject.toml) -o requirements.lock

run: install ## Run everything on this machine with a live view; Ctrl-C stops it
	@$(BIN)/postroom up

test: install ## Run the whole suite, on embedded servers
	@$(BIN)/python -m pytest -m "not soak" $(PYTEST_FLAGS)

soak: install ## Run the long trials at their full size
	@$(BIN)/python -m pytest -m soak --timeout 3600

lint: install ## Check format, lint, types, import contracts and generated files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32
	@$(BIN)/lint-imports
	@$(BIN)/python -m common.contracts.generate --check
	@$(BIN)/python -m api.openapi --check
	@$(BIN)/python -m deploy.observability.generate --check
	@.ci/no-registry-hosts

format: install ## Format the code and mend what the linter can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: install ## Measure; writes benchmarks/results/latest.json
	@$(BIN)/python -m benchmarks

contracts: install ## Generate schemas, AsyncAPI, OpenAPI, docs/metrics.md and the dashboard
	@$(BIN)/python -m common.contracts.generate
	@$(BIN)/python -m api.openapi
	@$(BIN)/python -m deploy.observability.generate

migrate: install ## Bring the database (DATABASE_URL) and the streams (NATS_URL) up to date
	@$(BIN)/postroom migrate

clean: ## Delete .venv and everything that was kept in .postroom
	@rm -rf .venv .postroom
