# CostOps: every target is safe to repeat. `make demo` shows a running site, `make test` green tests.

SHELL := /bin/bash
PYTHON_BIN := .venv/bin/python
COMPILE = .tools/bin/uv pip compile --generate-hashes --no-emit-index-url --python-version 3.11 --quiet $(UPGRADE)

.DEFAULT_GOAL := help
.PHONY: help demo run stop test soak containers check advisories format bench docs screenshots setup requirements

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 24

demo: ## a running site with two months of a simulated company up to yesterday (DEMO_END=2026-11-01: up to then)
	@scripts/setup.sh base
	@scripts/demo.sh

run: ## web, worker and beat in the foreground; Ctrl-C stops them
	@scripts/setup.sh base
	@$(PYTHON_BIN) scripts/run.py

stop: ## stops what `make demo` left running
	@scripts/setup.sh base
	@$(PYTHON_BIN) scripts/run.py --stop

test: ## the whole suite, on SQLite and on PostgreSQL
	@scripts/setup.sh dev
	@scripts/ensure_servers.sh
	@scripts/test.sh

soak: ## faults and requests for hours (KILLS=1000 RESTARTS=200 MUTATIONS=10000 SECONDS=7200 each at most); JSON under var/soak/
	@scripts/setup.sh dev
	@scripts/ensure_servers.sh
	@COSTOPS_TEST_SOAK=1 COSTOPS_TEST_KILLS=$(or $(KILLS),1000) COSTOPS_TEST_RESTARTS=$(or $(RESTARTS),200) \
	  COSTOPS_TEST_MUTATIONS=$(or $(MUTATIONS),10000) COSTOPS_TEST_SOAK_SECONDS=$(or $(SECONDS),7200) \
	  COSTOPS_TEST_HUNT=1 COSTOPS_TEST_EXAMPLES=$(or $(EXAMPLES),100) \
	  $(PYTHON_BIN) -m pytest -q tests/faults tests/api/test_schemathesis.py

containers: ## the image and docker-compose.yml on a real engine, of Debian packages alone (root; installs podman; minutes)
	@scripts/setup.sh tools
	@scripts/containers.sh

check: ## layout, lint, types, floors, templates, migrations, architecture
	@scripts/setup.sh dev
	@scripts/check.sh

advisories: ## known vulnerabilities of what is pinned (needs the network; ADVISORIES_URL=address of a mirror of OSV)
	@scripts/setup.sh tools
	@scripts/advisories.sh

format: ## mends layout and what the linter can mend by itself
	@scripts/setup.sh dev
	@.venv/bin/ruff check --fix-only --quiet .
	@.venv/bin/ruff format .
	@.venv/bin/djlint --reformat --quiet . || true

bench: ## speed and memory against named floors (DATA=folder: goals on public files too); JSON under var/bench/
	@scripts/setup.sh dev
	@mkdir -p var/bench
	@$(PYTHON_BIN) -m bench $(if $(DATA),--data $(DATA))

docs: ## the documentation as a site, below var/site/
	@scripts/setup.sh dev
	@$(PYTHON_BIN) scripts/commands_page.py
	@NO_MKDOCS_2_WARNING=1 $(PYTHON_BIN) -m mkdocs build --strict
	@echo "The documentation is in var/site; to read and search it: python3 -m http.server -d var/site 8080"

screenshots: ## the pictures of the documentation, taken from what `DEMO_END=2026-11-01 make demo` made (NAMES="team why": some of them)
	@scripts/setup.sh dev
	@$(PYTHON_BIN) scripts/screenshots.py $(NAMES)

setup: ## .venv with everything for work on the code
	@scripts/setup.sh dev

requirements: ## compiles requirements/*.in again (UPGRADE=--upgrade takes newer versions)
	@scripts/setup.sh tools
	$(COMPILE) requirements/base.in -o requirements/base.txt
	$(COMPILE) requirements/alibaba.in -o requirements/alibaba.txt
	$(COMPILE) requirements/dev.in -o requirements/dev.txt
	$(COMPILE) requirements/bench.in -o requirements/bench.txt
	$(COMPILE) requirements/fonts.in -o requirements/fonts.txt
	$(COMPILE) requirements/places.in -o requirements/places.txt
	$(COMPILE) requirements/telemetry.in -o requirements/telemetry.txt
	$(COMPILE) requirements/saml.in -o requirements/saml.txt
	$(COMPILE) requirements/spark.in -o requirements/spark.txt
	$(COMPILE) requirements/sbom.in -o requirements/sbom.txt
	$(COMPILE) requirements/containers.in -o requirements/containers.txt
	$(COMPILE) --no-deps requirements/shapes.in -o requirements/shapes.txt
	$(COMPILE) requirements/advisories.in -o requirements/advisories.txt
	$(COMPILE) requirements/tools.in -o requirements/tools.txt
