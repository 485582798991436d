# The habits of developers. Everything runs in .venv with the development lock on top; nothing else is needed.
PYTHON := .venv/bin/python
NAME ?=
SCRATCH := build/check
SECURE := PORTAL_URL=https://watchbook.example.org

.PHONY: environment check format test bench lock

environment:
	@python3 -m portal.bootstrap

# One command a line, so that the first failure names itself. Settings come from nowhere but here.
check: export PORTAL_DATA := $(SCRATCH)
check: export PORTAL_ENV_FILE :=
check: unexport DATABASE_URL
check: unexport REDIS_URL
check: environment
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	git ls-files -z -- '*.html' | xargs -0 --no-run-if-empty .venv/bin/djade --check --target-version 5.2
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	$(PYTHON) manage.py makemigrations --check --dry-run
	$(SECURE) $(PYTHON) manage.py check --deploy --fail-level WARNING
	$(PYTHON) manage.py docs --check

# Mends what can be mended by itself.
format: environment
	$(PYTHON) -m ruff check --fix-only --quiet .
	$(PYTHON) -m ruff format .
	git ls-files -z -- '*.html' | xargs -0 --no-run-if-empty .venv/bin/djade --target-version 5.2

# Everything but what is marked slow, in under two minutes.
test: environment
	$(PYTHON) manage.py test -n 2 -m "not slow" -q

# A JSON object a line on standard output; NAME=deadlines runs one benchmark.
bench: environment
	@$(PYTHON) -m tests.bench $(NAME)

lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --upgrade \
		requirements.in -o requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --upgrade \
		-c requirements.txt requirements-dev.in -o requirements-dev.txt
