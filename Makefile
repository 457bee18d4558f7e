# make demo    the market simulation, from nothing
# make test    everything that must hold: lint, types, tests, examples, docs, the wheel
# make help    the rest

PYTHON ?= python3
VENV ?= .venv
# What `make test-local` installs as torch: say TORCH='torch==2.13.0' for a build of your own.
TORCH ?= torch
WORKERS ?= 2
PYTEST_ARGS ?=
BENCH_ARGS ?=
DEMO_ARGS ?=
PEERS := autogen-core pykka thespian

BIN := $(VENV)/bin
PACKAGES := ambient runtime backends agents
FILES := $(shell find $(PACKAGES) -type f ! -path '*/__pycache__/*' | LC_ALL=C sort)
# A strict editable install links the files that exist, so a new file needs a new install.
EDITABLE := --config-settings editable_mode=strict

.PHONY: help demo test test-local lint types format bench bench-peers clean FORCE

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.installed  ## run the double auction and write its timeline page
	$(BIN)/callboard demo $(DEMO_ARGS)

test: lint types $(VENV)/.dev  ## lint, types and every test that needs no model
	$(BIN)/pytest -n $(WORKERS) $(PYTEST_ARGS)

test-local: $(VENV)/.local  ## the tests of the in-process model (installs torch)
	$(BIN)/pytest -m local $(PYTEST_ARGS)

lint: $(VENV)/.dev  ## ruff, and the formatter's opinion
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## mypy and pyright, both strict
	$(BIN)/mypy $(PACKAGES:%=-p callboard.%)
	$(BIN)/pyright

format: $(VENV)/.dev  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev  ## ratios against raw anyio, raw aiohttp and the plain SDK
	$(BIN)/python benchmarks/startup.py $(BENCH_ARGS)
	$(BIN)/python benchmarks/actors.py $(BENCH_ARGS)
	$(BIN)/python benchmarks/journal.py $(BENCH_ARGS)
	$(BIN)/python benchmarks/middleware.py $(BENCH_ARGS)
	$(BIN)/python benchmarks/calls.py $(BENCH_ARGS)

bench-peers: $(VENV)/.dev $(PEERS:%=$(VENV)-peers/%/.installed)  ## the same against other actor systems
	$(BIN)/python benchmarks/peer_actors.py $(VENV)-peers $(BENCH_ARGS)

$(VENV)-peers/%/.installed:
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet '$*'
	@touch $@

clean:  ## remove everything that make made
	rm -rf $(VENV) $(VENV)-peers build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

# Changes only when the list of files does.
$(VENV)/.files: FORCE | $(VENV)/bin/python
	@echo '$(FILES)' | cmp -s - $@ || echo '$(FILES)' > $@

$(VENV)/.installed: pyproject.toml $(VENV)/.files
	$(BIN)/python -m pip install --quiet --editable '.[aiohttp]' $(EDITABLE)
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

$(VENV)/.local: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet '$(TORCH)'
	$(BIN)/python -m pip install --quiet --editable '.[aiohttp,local]' $(EDITABLE)
	@touch $@
