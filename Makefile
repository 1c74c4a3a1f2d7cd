# Everything a developer types. Needs python3 (3.11 or newer) and make, and sets up the rest in the checkout.
PYTHON ?= python3
UV := .tools/bin/uv
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv
# as pip does: tests and benchmarks start many processes, and each would compile all that it imports
export UV_COMPILE_BYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test quick faults fuzz bench lint matrix docs lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready ## install everything into .venv

.tools/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tuppence needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'

.venv/.ready: .tools/bin/uv pyproject.toml core/pyproject.toml $(wildcard providers/*/pyproject.toml) uv.lock
	$(UV) sync --quiet --frozen --python $(PYTHON)
	@touch $@

demo: setup ## a week of a chatbot's traffic, from capture to the report
	.venv/bin/tuppence demo

test: lint ## everything that must hold
	# workers that wait for an emulator leave their cores to others
	.venv/bin/pytest -n 4 --dist worksteal -p tuppence.testing.results --contract-results .pytest_cache/contracts.json
	.venv/bin/python scripts/provider_matrix.py --compare .pytest_cache/contracts.json

quick: setup ## the tests that take seconds
	.venv/bin/pytest -q -n 2 -m 'not slow'

faults: setup ## kill, fork and damage; KILLS=200 SEED=7 for more of it
	.venv/bin/pytest -q -n 2 tests/faults

fuzz: .venv-fuzz/.ready ## ten minutes of damaged input; FUZZ_SECONDS=3600 for more of it
	.venv-fuzz/bin/python fuzz/run.py

.venv-fuzz/.ready: .tools/bin/uv pyproject.toml core/pyproject.toml uv.lock
	UV_PROJECT_ENVIRONMENT=.venv-fuzz $(UV) sync --quiet --frozen --no-default-groups --group fuzz --python $(PYTHON)
	@touch $@

bench: .venv-bench/.ready ## fifty minutes beside peers: what a call costs, what is lost; BENCH='--quick' for less
	.venv-bench/bin/python benchmarks/peers.py $(BENCH)

.venv-bench/.ready: .tools/bin/uv pyproject.toml core/pyproject.toml $(wildcard providers/*/pyproject.toml) uv.lock
	UV_PROJECT_ENVIRONMENT=.venv-bench $(UV) sync --quiet --frozen --no-default-groups --group bench --python $(PYTHON)
	@touch $@

lint: setup ## style and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

matrix: setup ## hold each provider to its contracts, and write the page of what they found
	for provider in $(notdir $(wildcard tests/contract/*)); do \
		.venv/bin/pytest -q -p tuppence.testing.results tests/contract/$$provider \
			--contract-results docs/reference/provider-results/$$provider.json || exit 1; \
	done
	.venv/bin/python scripts/provider_matrix.py

docs: setup ## the documentation as a site, once all it shows has been run
	.venv/bin/pytest -q -n 2 --dist loadfile tests/docs
	rm -rf site
	.venv/bin/sphinx-build -q --fail-on-warning --nitpicky -c docs -d .sphinx_cache . site
	@echo "The examples ran. Read the documentation: site/index.html"

lock: .tools/bin/uv ## refresh uv.lock
	$(UV) lock

clean: ## remove what make made
	rm -rf .venv .venv-fuzz .venv-bench .fuzz .tools .mypy_cache .ruff_cache .pytest_cache .sphinx_cache dist site
