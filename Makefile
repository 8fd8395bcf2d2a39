# The two commands of this house are `make run` and `make test`; `make help` lists the others.
# All that is needed is make and Python 3.11 or newer. Paths are relative, so spaces do no harm.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq install -c constraints.txt
# Notebooks draw with their own backend, and print sets in one order.
CLEAN := env -u MPLBACKEND PYTHONHASHSEED=0

.DEFAULT_GOAL := help
.PHONY: help run test bench lint notebooks clean

help: ## list what make can do here
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' Makefile | while IFS='|' read -r name what; do \
		printf '%-18s %s\n' "$$name" "$$what"; done

run: .venv/installed-run ## a day of the reference site: KPI table, report with pictures
	@$(BIN)/twin run scenarios/reference_site.toml

test: .venv/installed-test .venv/browser ## every test, and every notebook against its stored outputs
	@$(CLEAN) $(BIN)/python -m pytest

bench: .venv/installed-bench ## the figures of benchmarks/README.md, measured on this machine
	@$(BIN)/python -m benchmarks

lint: .venv/installed-test ## style, types and layers, without the tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo --no-cache

notebooks: .venv/installed-test ## run every notebook afresh and store its outputs
	@$(CLEAN) $(BIN)/jupyter nbconvert --to notebook --execute --inplace \
		--ExecutePreprocessor.record_timing=False \
		--ExecutePreprocessor.store_widget_state=False notebooks/*.ipynb

clean: ## remove what make installed and what runs wrote
	rm -rf .venv out

# --- What is installed, each with a stamp: only a change of these two files installs again --------

.venv/installed-run: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing twin into .venv (a minute or two the first time)"
	@$(PIP) -e .
	@touch $@

.venv/installed-test: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing twin and its tools into .venv (a few minutes the first time)"
	@$(PIP) -e '.[serve,experiments,test,notebook,dev]'
	@touch .venv/installed-run $@

# The test in a real browser takes the machine's Chromium. Where none is and one may be installed,
# it is, once; else that test is skipped and says so.
.venv/browser: | $(BIN)/python
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		echo "Installing Chromium for the test in a real browser (half a minute, once)" && \
		export DEBIAN_FRONTEND=noninteractive && \
		timeout 120 apt-get -qq update >/dev/null 2>&1 && \
		timeout 300 apt-get -qq install -y --no-install-recommends chromium fonts-dejavu-core \
			>/dev/null 2>&1; } || true
	@touch $@

.venv/installed-bench: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing twin and what it is measured against into .venv"
	@$(PIP) -e '.[bench]'
	@touch .venv/installed-run $@

$(BIN)/python:
	@command -v "$(PYTHON)" >/dev/null || { \
		echo "twin needs Python 3.11 or newer, and there is no $(PYTHON) here."; \
		echo "Name one: make run PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "twin needs Python 3.11 or newer, but $(PYTHON) is $$("$(PYTHON)" -V 2>&1)."; \
		echo "Name another: make run PYTHON=python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make a virtual environment: its venv or ensurepip is missing."; \
		echo "On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@"$(PYTHON)" -m venv --clear .venv || { rm -rf .venv; exit 1; }
