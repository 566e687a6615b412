# The daily commands. `make` lists them; CONTRIBUTING.md says when to use which.

VENV    := .venv
BIN     := $(VENV)/bin
WORKERS ?= 3
KILLS   ?= 200
SHIPMENTS ?= 5000
ORDERS  ?= 100000
SIZE_MB ?= 1000
CASES   ?= 100000
RULES   ?= 200
PIP_COMPILE := build/pins/bin/pip-compile

# The tests start a thousand commands; each would compile the sources again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check lint tests coverage fix golden docs bench kill rehearse tell damage freight ranking pins clean packages

help: ## List these targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## Install what is needed (no root) and run the main job in demo/, with sandbox platforms.
	@$(BIN)/orderctl demo

test: packages check ## Install Debian packages the tests need (as root), then run everything. ALLOW_MISSING=1 forgives absent ones.

check: lint tests ## All that CI runs: format, lint, types, import contracts, tests.

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

tests: $(VENV)/.installed-dev
	$(if $(ALLOW_MISSING),ORDERCTL_ALLOW_MISSING_TESTS=1 )$(BIN)/pytest --quiet --numprocesses $(WORKERS) --dist worksteal

coverage: $(VENV)/.installed-dev ## Run the tests and tell which lines none of them walks; takes half as long again.
	$(BIN)/pytest --quiet --numprocesses $(WORKERS) --dist worksteal --cov --cov-report=term

fix: $(VENV)/.installed-dev ## Format, and repair what the linter can.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

golden: $(VENV)/.installed-dev ## Rewrite the golden files; read the diff before committing it.
	ORDERCTL_GOLDEN=write $(BIN)/pytest --quiet $(wildcard tests/golden tests/ports tests/docs)

docs: $(VENV)/.installed-dev ## Write the generated parts of the documentation anew.
	$(BIN)/python scripts/build_docs.py

bench: $(VENV)/.installed-dev ## Compare the designs in use with their floors; prints ratios.
	$(BIN)/python -m bench

kill: $(VENV)/.installed-dev ## Kill commands at KILLS random instants (default 200) and count what was done twice.
	ORDERCTL_KILLS=$(KILLS) $(BIN)/pytest -m kill -o faulthandler_timeout=0

rehearse: $(VENV)/.installed-dev ## Fetch ORDERS orders (default 100000) of all stand-ins with faults, killed on the way.
	ORDERCTL_REHEARSE=$(ORDERS) $(BIN)/pytest -m rehearse -o faulthandler_timeout=0

tell: $(VENV)/.installed-dev ## Tell all stand-ins of SHIPMENTS shipments (default 5000) with faults and kills.
	ORDERCTL_SHIPMENTS=$(SHIPMENTS) $(BIN)/pytest tests/cli/test_ship_campaign.py -s -o faulthandler_timeout=0

damage: $(VENV)/.installed-dev ## Normalize SIZE_MB of raw orders (default 1000), one line in a hundred damaged, and check each line.
	ORDERCTL_DAMAGE_MB=$(SIZE_MB) $(BIN)/pytest tests/properties/test_damage.py -s -o faulthandler_timeout=0

freight: $(VENV)/.installed-dev ## Price CASES shipments (default 100000) by random tariffs, as columns and in decimals.
	ORDERCTL_FREIGHT_CASES=$(CASES) $(BIN)/pytest tests/stages/rules/test_freight_cases.py -s -o faulthandler_timeout=0

ranking: $(VENV)/.installed-dev ## Weigh couriers for RULES x 40 random shipments (default 200), as columns and one after the other.
	ORDERCTL_RANKING_RULES=$(RULES) $(BIN)/pytest tests/stages/rules/test_ranking.py -k asking -o faulthandler_timeout=0

pins: ## Resolve the newest versions of all dependencies into requirements*.txt, with hashes and no address.
	python3.11 -m venv build/pins # the oldest supported one: newer ones need fewer packages, never more
	build/pins/bin/pip install --quiet --upgrade pip pip-tools
	$(call compile,requirements.txt,--extra sandbox --build-deps-for editable)
	$(call compile,requirements-dev.txt,--extra sandbox --extra keyring --extra dev --build-deps-for editable --constraint requirements.txt)

define compile
	printf '# Pinned by `make pins` from pyproject.toml: edit that, not this.\n' > build/$(1)
	$(PIP_COMPILE) --quiet --upgrade --generate-hashes --allow-unsafe --no-strip-extras --annotation-style line \
	  --no-header --no-emit-options --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	  $(2) --output-file build/pins/$(1) pyproject.toml
	cat build/pins/$(1) >> build/$(1) && mv build/$(1) $(1)
endef

clean: ## Remove what can be made again: environments, caches, the demo.
	rm -rf $(VENV) build dist demo .coverage* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

packages:
	@scripts/test-packages.sh

$(VENV)/.installed: requirements.txt pyproject.toml scripts/bootstrap.sh
	@scripts/bootstrap.sh $(VENV) requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@scripts/bootstrap.sh $(VENV) requirements-dev.txt
	@touch $@
