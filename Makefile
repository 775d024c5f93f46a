# What a person types. The work is done by `python -m local` (the embedded platform) and by the usual Python tools.
SHELL := /bin/sh
PYTHON := .venv/bin/python
ENVIRONMENT := .venv/.complete
# Of the live tests; each has a cluster of its own. They wait for more than half of the time.
WORKERS := 5

.DEFAULT_GOAL := help
.PHONY: help env lock up preview down status test check unit live bench docs

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: $(ENVIRONMENT) ## Create .venv with the pinned packages

lock: $(ENVIRONMENT) ## Pin every package of requirements*.in with its hashes; UPGRADE=--upgrade for newer ones
	@for name in requirements requirements-build requirements-dev policy/requirements; do \
		.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $(UPGRADE) \
			--custom-compile-command "uv pip compile --universal --python-version=3.11 --generate-hashes --output-file=$$name.txt $$name.in" \
			--output-file $$name.txt $$name.in || exit 1; \
	done

up: $(ENVIRONMENT) ## Tools, an embedded Kubernetes, and the whole installation on it
	@$(PYTHON) -m local up

preview: $(ENVIRONMENT) ## What `make up` would change
	@$(PYTHON) -m local preview

down: $(ENVIRONMENT) ## Destroy the stack, stop and remove the cluster
	@$(PYTHON) -m local down

status: $(ENVIRONMENT) ## Show what of the platform runs
	@$(PYTHON) -m local status

# mypy needs one processor, and leaves the other one to the unit tests.
test: $(ENVIRONMENT) ## Every test
	@$(MAKE) --no-print-directory --jobs 2 check unit
	@$(MAKE) --no-print-directory live

check: $(ENVIRONMENT) ## Format, lint, types, workflows and locked packages
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@$(PYTHON) -m scripts.requirements_lock
	@.venv/bin/zizmor --quiet --offline --no-progress .github
	@if command -v go > /dev/null; then \
		go -C .github/lint run github.com/rhysd/actionlint/cmd/actionlint -shellcheck= -pyflakes=; \
	else \
		echo "actionlint: not run, because Go is not installed"; \
	fi

# Some wait until a hostile server has used up its time.
unit: $(ENVIRONMENT) ## Tests without a cluster
	@$(PYTHON) -m pytest tests --ignore=tests/live --numprocesses 3 --dist worksteal

live: $(ENVIRONMENT) ## Tests on the embedded Kubernetes; K=PATTERN for some, LAST_FAILED=1 for those that failed
	@$(PYTHON) -m pytest tests/live --numprocesses $(WORKERS) --dist loadscope $(if $(K),-k '$(K)') \
		$(if $(LAST_FAILED),--last-failed --last-failed-no-failures none)

ROUNDS := 5
bench: $(ENVIRONMENT) ## Measure beside the manual's steps, and write docs/performance.md; ROUNDS=5
	@$(PYTHON) -m bench --rounds $(ROUNDS)

# The theme says at each build that it gets fixes only, until May 2027; docs/development/changing.md has what follows.
docs: $(ENVIRONMENT) ## The documentation as a site, in site/index.html; needs npm
	@command -v npm > /dev/null || { echo "npm is needed for the diagrams of the site; it comes with Node.js"; exit 1; }
	@npm ci --prefix docs/site --ignore-scripts --no-audit --no-fund --silent
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict

$(ENVIRONMENT): requirements.txt requirements-dev.txt
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; this is $$(python3 --version)"; exit 1; }
	@python3 -m venv .venv || \
		{ echo "python3 cannot create a virtual environment; on Debian: apt-get install python3-venv"; exit 1; }
	@echo "python: installing what requirements-dev.txt pins into .venv"
	@$(PYTHON) -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
