# Two commands are enough: `make up` runs Overt, `make test` proves it. Both install what they need.
# `make` alone lists the targets.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8765
DATA ?= overt-data
BIN := .venv/bin
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export UV_CONSTRAINT := constraints.txt
export UV_BUILD_CONSTRAINT := constraints.txt
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
# Where nothing compiled may be kept, each of hundreds of processes compiles torch's sources anew.
unexport PYTHONDONTWRITEBYTECODE
# uv is three times as fast; where it does not come through (only pip knows of a mirror), pip does it.
INSTALL = $(BIN)/uv pip install --python $(BIN)/python -e '.[$(EXTRAS)]' || \
  $(BIN)/pip install --no-compile --disable-pip-version-check -e '.[$(EXTRAS)]'

.DEFAULT_GOAL := help
.PHONY: help install chromium up test check lint types words bundle bench federated soak demo sdk package extension format clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

install: .venv/installed  ## create .venv with Overt in it (the command line is .venv/bin/overt)

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Overt needs Python 3.11 or newer; say which with: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { echo "Python has no venv module here; on Debian: apt-get install python3-venv"; exit 1; }
	@$(BIN)/pip install -q --no-compile --disable-pip-version-check uv || true
	@touch $@

.venv/installed: EXTRAS = models,private,demo,desktop
.venv/installed-dev: EXTRAS = models,private,demo,desktop,test,check
.venv/installed-bench: EXTRAS = models,private,demo,desktop,test,check,bench
.venv/installed-soak: EXTRAS = models,private,demo,desktop,test,check,formats
.venv/installed .venv/installed-dev .venv/installed-bench .venv/installed-soak: pyproject.toml constraints.txt | .venv/python
	@echo "Installing Overt with $(EXTRAS) into .venv (about a minute) …"
	@$(INSTALL)
	@touch .venv/installed $@

sdk/node_modules/installed: sdk/package-lock.json | .venv/installed-dev
	@$(BIN)/python tools/node.py npm --prefix sdk ci --no-audit --no-fund --loglevel=error
	@touch $@

chromium:
	@$(PYTHON) tools/chromium.py

up: install  ## start Overt on this machine and print its address (PORT=8765 DATA=overt-data)
	@$(BIN)/overt up --port $(PORT) --data-dir $(DATA)

.venv/compiled: .venv/installed-dev
	@$(BIN)/python tools/kernels.py
	@touch $@

test: .venv/compiled sdk/node_modules/installed chromium  ## install what tests need, then run them all
	@$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -q -m "not soak"

check: lint types words bundle  ## lint, types of both languages, layout, words, SDK bundle
	@echo "All checks passed."

lint: .venv/installed-dev
	@$(BIN)/ruff check --quiet src tests tools benchmarks examples
	@$(BIN)/ruff format --check --quiet src tests tools benchmarks examples

types: .venv/installed-dev sdk/node_modules/installed
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/python tools/node.py node sdk/node_modules/.bin/tsc --noEmit -p sdk
	@$(BIN)/python tools/node.py node sdk/node_modules/.bin/tsc --noEmit -p src/overt/studio/web

words: .venv/installed-dev
	@$(BIN)/python tools/check_layout.py
	@$(BIN)/python tools/check_words.py
	@$(BIN)/python -m overt.schema.generate --check

bundle: .venv/installed-dev sdk/node_modules/installed
	@$(BIN)/python tools/check_bundle.py

sdk: sdk/node_modules/installed  ## build the browser bundles from sdk/ and src/overt/studio/web/
	@$(BIN)/python -m overt.schema.generate
	@$(BIN)/python tools/node.py node sdk/build.mjs

package: sdk/node_modules/installed  ## build the npm package @overt/sdk into build/
	@$(BIN)/python tools/node.py node sdk/package/build.mjs
	@$(BIN)/python tools/node.py npm pack ./build/sdk --pack-destination build --silent

extension: sdk/node_modules/installed  ## build the browser extension into build/ (for Chromium and Firefox)
	@$(BIN)/python tools/node.py node sdk/extension/build.mjs

# pynput without what it needs for other ways of listening, which would have to be compiled.
.venv/installed-pynput: .venv/installed-bench
	@$(BIN)/uv pip install --python $(BIN)/python --no-deps pynput || $(BIN)/pip install --no-deps pynput
	@touch $@

bench: .venv/installed-pynput sdk/node_modules/installed chromium  ## measure, side by side with peers, in one run
	@$(BIN)/python -m benchmarks

# Flower pins older typer, rich, packaging and web servers than ours: an environment of its own.
.venv-federated/installed: pyproject.toml | .venv/python
	@echo "Installing Flower with Overt into .venv-federated (about two minutes) …"
	@$(PYTHON) -m venv .venv-federated
	@PIP_CONSTRAINT= .venv-federated/bin/pip install -q --no-compile --disable-pip-version-check -e '.[federated]'
	@touch $@

federated: .venv-federated/installed  ## install Flower beside Overt, in an environment of its own

soak: .venv/installed-soak .venv-federated/installed chromium  ## the long tests: fifty kills, many seeds, exports in others' libraries
	@$(PYTHON) tools/chromium.py --soak
	@$(BIN)/python -m pytest -q -m soak

demo: install chromium  ## the whole loop unattended in a headless Chromium, with a report
	@$(BIN)/overt demo --html demo.html

format: .venv/installed-dev  ## let the formatter have its way
	@$(BIN)/ruff check --fix --quiet src tests tools benchmarks examples; $(BIN)/ruff format --quiet src tests tools benchmarks examples

clean:  ## remove what make made (not your data)
	@rm -rf .venv .venv-federated sdk/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
