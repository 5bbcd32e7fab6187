# make run     the manager on the embedded local cloud, nothing else needed
# make test    all tests, but for what test-matrix looks at
# make test-matrix  the same views at further sizes: how they look, and what axe finds
# make lint    what .ci/run checks besides
# make bundle  builds what the browser gets from the components' JavaScript and style sheets
# make docs    builds the documentation into docs/_build/index.html
# make clean   removes everything that the above made, data of the local cloud included

PYTHON ?= python3
DATA ?= .local-cloud
PORT ?= 8866
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SHELL := /bin/bash
# A file's tests share what they need; no worker begins a long file when the other one has ended.
LONGEST_FIRST := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# One run, so that both workers are busy up to the end. Pytest draws all tests with a browser together,
# after the first of them: its driver leaves a loop in the worker, beside which none may be run.
TOGETHER := tests/contract/test_gcloud_exports.py tests/faults tests/package tests/notebook tests/contract \
  tests/security tests/e2e

# The local cloud is a package of its own, whose tests know nothing of this one.
LOCAL_CLOUD := cd local_cloud && ../$(BIN)/python -m pytest
COMPONENTS := llm_widgets/widgets/built
PAGE := llm_widgets/server/built
NODE_MODULES := node_modules/.package-lock.json

.PHONY: run test test-matrix test-fast pictures lint bundle docs lock clean
.DEFAULT_GOAL := run

run: $(READY)
	@exec $(BIN)/llm-widgets run --data "$(DATA)" --port "$(PORT)"

test: $(READY) $(NODE_MODULES)
	@npm run --silent test
	@$(BIN)/python tests/install_chromium.py
	@$(LOCAL_CLOUD) tests/unit -n $(WORKERS)
	@$(LOCAL_CLOUD) tests/contract/gcloud tests/faults tests/contract $(LONGEST_FIRST)
	@$(BIN)/python -m pytest tests/unit -n $(WORKERS)
	@$(BIN)/python -m pytest $(TOGETHER) -m "not matrix" $(LONGEST_FIRST) --durations=40 --durations-min=5

test-matrix: $(READY)
	@$(BIN)/python tests/install_chromium.py
	@$(BIN)/python -m pytest tests/e2e -m matrix $(LONGEST_FIRST)

# The pictures of the guide to the page.
pictures: $(READY)
	@$(BIN)/python tests/install_chromium.py
	@$(BIN)/python -m pytest tests/e2e/test_pictures.py
	@mkdir -p docs/pictures
	@cp build/guide/*.png docs/pictures

test-fast: $(READY)
	@$(LOCAL_CLOUD) tests/unit tests/contract -m "not slow" -n $(WORKERS) --dist loadfile
	@$(BIN)/python -m pytest tests/unit tests/contract -m "not slow" -n $(WORKERS) --dist loadfile

lint: $(READY) $(NODE_MODULES)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@cd local_cloud && ../$(BIN)/mypy
	@$(BIN)/python .ci/undone.py
	@node_modules/.bin/biome ci .
	@node_modules/.bin/tsc
	@npm run --silent bundle:components -- --outdir=node_modules/.cache/components
	@npm run --silent bundle:page -- --outdir=node_modules/.cache/page
	@npm run --silent licences:components -- node_modules/.cache/components/LICENSES.txt
	@npm run --silent licences:page -- node_modules/.cache/page/LICENSES.txt
	@diff -rq $(COMPONENTS) node_modules/.cache/components && diff -rq $(PAGE) node_modules/.cache/page \
	  || { echo "What is built differs from its sources: run make bundle."; exit 1; }

bundle: $(NODE_MODULES)
	@npm run --silent bundle:components -- --outdir=$(COMPONENTS)
	@npm run --silent bundle:page -- --outdir=$(PAGE)
	@npm run --silent licences:components -- $(COMPONENTS)/LICENSES.txt
	@npm run --silent licences:page -- $(PAGE)/LICENSES.txt

# What is built asks no other host; a warning fails.
docs: $(READY)
	@rm -rf docs/_build docs/reference
	@$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going docs docs/_build
	@echo "The documentation is in docs/_build/index.html"

lock:
	@for extras in "" "--extra page" "--extra page --extra local" "--extra page --extra local --extra lab --extra dev"; do \
	  case "$$extras" in *dev) name=dev;; *local) name=local;; *page) name=page;; *) name=core;; esac; \
	  $(BIN)/uv pip compile -q --universal --python-version 3.11 --no-emit-index-url --no-header \
	    --generate-hashes --no-emit-package cloud-run-local-cloud --no-emit-package llm-widgets \
	    pyproject.toml $$extras -c requirements/dev.txt -o requirements/$$name.txt; \
	done

clean:
	@rm -rf $(VENV) node_modules "$(DATA)" test-results docs/_build docs/reference .mypy_cache .pytest_cache .ruff_cache

$(READY): pyproject.toml local_cloud/pyproject.toml requirements/dev.txt requirements/samples.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v < (3, 14) else \
	  "Python 3.11, 3.12 or 3.13 is needed, and $(PYTHON) is " + ".".join(map(str, v)) + \
	  ". Choose another one: make $(or $(MAKECMDGOALS),run) PYTHON=python3.12")' \
	  || { test "$$(command -v $(PYTHON))" || echo "There is no $(PYTHON) on this machine: install Python 3.11 or later."; exit 1; }
	@echo "Setting up $(VENV) (once: downloads packages, a minute or more) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/samples.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . --editable local_cloud
	@touch $@

$(NODE_MODULES): package.json package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed for the JavaScript: install Node.js 20 or later."; exit 1; }
	@npm ci --silent --no-audit --no-fund
