# Everything a checkout can do. `make` alone lists it.
PYTHON ?= python3
BIN := .venv/bin
SETUP := .venv/.globalmail-setup

.DEFAULT_GOAL := help
.PHONY: help setup run demo test lint check bench shots soak stress messages clean

help: ## List the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## Make the environment, the front-end files and the translations
	@$(PYTHON) deploy/bootstrap.py

run: setup ## Start every server (no demo data; see create_domain and create_account)
	@$(BIN)/python manage.py serve

demo: setup ## Start with a demo company and print its accounts
	@$(BIN)/python manage.py serve --demo

test: ## Install what the tests need and run them on SQLite and on PostgreSQL
	@$(PYTHON) deploy/bootstrap.py --dev
	@$(BIN)/python -m deploy.run_tests

lint: ## Formatting, lint, types, layers, templates, translations
	@$(PYTHON) deploy/bootstrap.py --dev
	@$(BIN)/ruff check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports
	@$(BIN)/python deploy/messages.py --check

check: lint ## Lint, and what Django says of models and settings
	@$(BIN)/python manage.py check
	@$(BIN)/python manage.py makemigrations --check --dry-run

messages: ## Extract, update and compile the translations
	@$(BIN)/python deploy/messages.py

bench: ## The small set of measurements (docs/bench.md)
	@$(PYTHON) deploy/bootstrap.py --dev
	@$(BIN)/python -m bench

shots: ## Screenshots of every page into shots/
	@$(PYTHON) deploy/bootstrap.py --dev
	@$(BIN)/python manage.py shots

soak: ## Mail flows while processes are killed; SECONDS=60
	@$(PYTHON) deploy/bootstrap.py --dev
	@$(BIN)/python manage.py soak --seconds $(or $(SECONDS),60)

stress: ## Random IMAP clients whose every answer is checked, imapd killed in between; SECONDS=60
	@$(PYTHON) deploy/bootstrap.py --dev
	@$(BIN)/python manage.py stress --seconds $(or $(SECONDS),60)

clean: ## Remove what setup made (never data/)
	rm -rf .venv node_modules static/vendor staticfiles shots
