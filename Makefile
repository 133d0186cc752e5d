# Only make and Python 3.11 or newer are needed; everything else goes into .venv, once.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check
# Processes that run the tests, and whatever else should reach the command: make test ARGS="-k fork"
JOBS   ?= 2
ARGS   ?=

PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist worksteal
SETUP  := pyproject.toml src/lineal/_version.py

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check lint bench torture clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1#\2/p' Makefile | while IFS='#' read -r a b; do printf '%-16s %s\n' "$$a" "$$b"; done

demo: $(VENV)/.stamp-demo ## train real models on real data and print the leaderboard
	@$(BIN)/lineal demo $(ARGS)

test: $(VENV)/.stamp-dev ## every test but the torture ones
	$(PYTEST) $(ARGS)

check: lint ## lint, types, layers and unit tests: before every commit
	$(PYTEST) tests/unit $(ARGS)

lint: $(VENV)/.stamp-dev ## ruff, mypy and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.stamp-dev ## Lineal beside its peers, each in its own environment
	$(BIN)/python -m benchmarks $(ARGS)

torture: $(VENV)/.stamp-dev ## the long hostile tests too, with fresh random seeds (hours)
	LINEAL_TEST_PROFILE=torture $(PYTEST) --timeout=0 $(ARGS)

clean: ## remove what make built; never a .lineal folder
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
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
