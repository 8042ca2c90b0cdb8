# `make` alone lists the targets. Each one is a call that also works by hand.
.DEFAULT_GOAL := help
.PHONY: help install run check test test-mariadb format messages bench lock clean

PYTHON ?= python3
BIN := .venv/bin

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/dev.stamp: requirements-dev.txt | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ .venv/run.stamp

install: .venv/run.stamp ## install what the portal needs into .venv

run: .venv/run.stamp ## start the portal with its demo: web, worker, scheduler, demo API
	@exec $(BIN)/python manage.py serve

check: .venv/dev.stamp ## run the gates alone: no server, what a commit must pass
	$(BIN)/python -m tests.run check

test: .venv/dev.stamp ## run every check and every test; installs what it needs
	$(BIN)/python -m tests.run

test-mariadb: .venv/dev.stamp ## run the tests of SQL data sources on a real MariaDB
	$(BIN)/python -m tests.run mariadb

format: .venv/dev.stamp ## lay the code out
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

messages: .venv/dev.stamp ## collect and compile the Korean messages
	$(BIN)/python -m tests.translations

bench: .venv/dev.stamp ## measure, and print the tables of benchmarks/
	$(BIN)/python -m benchmarks

lock: ## compile the requirements with hashes (needs uv)
	uv pip compile -q --generate-hashes --no-strip-extras --python-version 3.11 --no-emit-index-url \
		--no-emit-find-links --no-header requirements.in -o requirements.txt
	uv pip compile -q --generate-hashes --no-strip-extras --python-version 3.11 --no-emit-index-url \
		--no-emit-find-links --no-header requirements-dev.in -o requirements-dev.txt

clean: ## remove the environment and all local data
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .coverage*
