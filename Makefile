# What a person types. The work is done by `python -m local` (the embedded platform) and by the usual Python tools.
SHELL := /bin/sh
PYTHON := .venv/bin/python
ENVIRONMENT := .venv/.complete

.DEFAULT_GOAL := help
.PHONY: help env up preview down status test check unit live

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: $(ENVIRONMENT) ## Create .venv with the pinned packages

up: $(ENVIRONMENT) ## Tools, an embedded Kubernetes, and the whole installation on it
	@$(PYTHON) -m local up

preview: $(ENVIRONMENT) ## What `make up` would change
	@$(PYTHON) -m local preview

down: $(ENVIRONMENT) ## Destroy the stack, stop and remove the cluster
	@$(PYTHON) -m local down

status: $(ENVIRONMENT) ## Show what of the platform runs
	@$(PYTHON) -m local status

test: check unit live ## Every test

check: $(ENVIRONMENT) ## Format, lint and types
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy

unit: $(ENVIRONMENT) ## Tests without a cluster
	@$(PYTHON) -m pytest tests --ignore=tests/live --numprocesses 2

live: $(ENVIRONMENT) ## Tests on the embedded Kubernetes
	@$(PYTHON) -m pytest tests/live --numprocesses 4 --dist loadscope --no-loadscope-reorder

$(ENVIRONMENT): requirements.txt requirements-dev.txt
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; this is $$(python3 --version)"; exit 1; }
	@python3 -m venv .venv || \
		{ echo "python3 cannot create a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }
	@echo "python: installing what requirements.txt and requirements-dev.txt pin into .venv"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	@touch $@
