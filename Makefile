# The habits of developers. Everything runs in .venv with the development lock on top; nothing else is needed.
PYTHON := .venv/bin/python
NAME ?=
SCRATCH := build/check
SECURE := PORTAL_URL=https://watchbook.example.org

.PHONY: environment check format-check lint types layers migrations secure docs format test bench lock

environment:
	@python3 -m portal.bootstrap

# `make -k check` goes on after a failure. Settings come from nowhere but here.
CHECKS := format-check lint types layers migrations secure docs
check: $(CHECKS)

$(CHECKS): environment
$(CHECKS): export PORTAL_DATA := $(SCRATCH)
$(CHECKS): export PORTAL_ENV_FILE :=
$(CHECKS): export DATABASE_URL :=
$(CHECKS): export MIGRATION_DATABASE_URL :=
$(CHECKS): export REDIS_URL :=

format-check:
	$(PYTHON) -m ruff format --check .
	@find templates -name '*.html' -print0 | xargs -0 --no-run-if-empty .venv/bin/djade --check --target-version 5.2

lint:
	$(PYTHON) -m ruff check .

types:
	$(PYTHON) -m mypy

layers:
	.venv/bin/lint-imports

migrations:
	$(PYTHON) manage.py makemigrations --check --dry-run

secure:
	$(SECURE) $(PYTHON) manage.py check --deploy --fail-level WARNING

docs:
	$(PYTHON) manage.py docs --check

# Mends what can be mended by itself.
format: environment
	$(PYTHON) -m ruff check --fix-only --quiet .
	$(PYTHON) -m ruff format .
	find templates -name '*.html' -print0 | xargs -0 --no-run-if-empty .venv/bin/djade --target-version 5.2

# Everything but what is marked slow; the goal is two minutes.
test: environment
	$(PYTHON) manage.py test -n auto -m "not slow" -q

# A JSON object a line on standard output; NAME=deadlines runs one benchmark.
bench: environment
	@$(PYTHON) -m tests.bench $(NAME)

lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --upgrade \
		requirements.in -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --upgrade \
		-c requirements.txt requirements-dev.in -o requirements-dev.txt
