# Two commands are enough: `make up` runs Overt, `make test` proves it. Both install what they need.
# `make` alone lists the targets.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8765
DATA ?= overt-data
BIN := .venv/bin
PIP := $(BIN)/pip install --disable-pip-version-check --progress-bar on -c constraints.txt
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt

.DEFAULT_GOAL := help
.PHONY: help install up test check bench soak demo sdk extension format clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

install: .venv/installed  ## create .venv with Overt in it (the command line is .venv/bin/overt)

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Overt needs Python 3.11 or newer; say which with: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { echo "Python has no venv module here; on Debian: apt-get install python3-venv"; exit 1; }
	@touch $@

.venv/installed: pyproject.toml constraints.txt | .venv/python
	@echo "Installing Overt into .venv (about a minute) …"
	@$(PIP) -e '.[models,demo,desktop]'
	@touch $@

.venv/installed-test: .venv/installed
	@echo "Installing what the tests need …"
	@$(PIP) -q -e '.[models,demo,desktop,test]'
	@touch $@

.venv/installed-check: .venv/installed-test
	@echo "Installing linters and the type checker …"
	@$(PIP) -q -e '.[models,demo,desktop,test,check]'
	@touch $@

sdk/node_modules/installed: sdk/package-lock.json .venv/installed-test
	@$(BIN)/python tools/node.py npm --prefix sdk ci --no-audit --no-fund --loglevel=error
	@touch $@

up: install  ## start Overt on this machine and print its address (PORT=8765 DATA=overt-data)
	@$(BIN)/overt up --port $(PORT) --data-dir $(DATA)

test: .venv/installed-test sdk/node_modules/installed  ## install what tests need, then run them all
	@$(BIN)/python tools/chromium.py
	@$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -q -m "not soak"

check: .venv/installed-check sdk/node_modules/installed  ## lint, types of both languages, layout, words, SDK bundle
	@$(BIN)/ruff check --quiet src tests tools benchmarks examples
	@$(BIN)/ruff format --check --quiet src tests tools benchmarks examples
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/python tools/check_layout.py
	@$(BIN)/python tools/check_words.py
	@$(BIN)/python -m overt.schema.generate --check
	@$(BIN)/python tools/node.py node sdk/node_modules/.bin/tsc --noEmit -p sdk
	@$(BIN)/python tools/node.py node sdk/node_modules/.bin/tsc --noEmit -p src/overt/studio/web
	@$(BIN)/python tools/check_bundle.py
	@echo "All checks passed."

sdk: sdk/node_modules/installed  ## build the browser bundles from sdk/ and src/overt/studio/web/
	@$(BIN)/python -m overt.schema.generate
	@$(BIN)/python tools/node.py node sdk/build.mjs

extension: sdk/node_modules/installed  ## build the browser extension into build/ (for Chromium and Firefox)
	@$(BIN)/python tools/node.py node sdk/extension/build.mjs

.venv/installed-bench: .venv/installed-test sdk/node_modules/installed
	@echo "Installing the peers we measure against …"
	@$(PIP) -q -e '.[models,demo,desktop,test,bench]'
	@touch $@

bench: .venv/installed-bench  ## measure, side by side with peers, in one run
	@$(BIN)/python tools/chromium.py
	@$(BIN)/python -m benchmarks

soak: .venv/installed-test  ## the long tests: fifty kills, many seeds
	@$(BIN)/python tools/chromium.py
	@$(BIN)/python -m pytest -q -m soak

demo: install  ## the whole loop unattended in a headless Chromium, with a report
	@$(BIN)/python tools/chromium.py
	@$(BIN)/overt demo --html demo.html

format: .venv/installed-check  ## let the formatter have its way
	@$(BIN)/ruff check --fix --quiet src tests tools benchmarks examples; $(BIN)/ruff format --quiet src tests tools benchmarks examples

clean:  ## remove what make made (not your data)
	@rm -rf .venv sdk/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
