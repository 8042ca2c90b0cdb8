# `make` alone lists the targets. Each one is a call that also works by hand.
.DEFAULT_GOAL := help
.PHONY: help install run test test-all lint types bench lock clean

PYTHON ?= python3
BIN := .venv/bin

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

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

test: .venv/dev.stamp ## run every check and every test; installs what it needs
	$(BIN)/python -m tests.run
