# Everything that a developer or CI runs. `make setup` is quick when nothing changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TOOLS := $(VENV)/.tools-installed

# Tests start hundreds of processes, each of which would compile ctui anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test test-fast coverage check fmt bench soak gallery docs clean

setup: $(STAMP)
	@# Half of a command's start, wherever bytecode is not written as it runs.
	@$(BIN)/python -m compileall -q ctui
	@sh docker/engine.sh
	@$(BIN)/ctui image build

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@# Dependency groups (PEP 735) need pip 25.1; Debian's is older.
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/pip install --quiet -c constraints.txt --group build
	$(BIN)/pip install --quiet -c constraints.txt --no-build-isolation -e '.[serve,mcp]'
	@touch $@

$(TOOLS): $(STAMP)
	$(BIN)/pip install --quiet -c constraints.txt --group test --group check
	@touch $@

demo: setup
	$(BIN)/ctui demo

test: setup $(TOOLS)
	$(BIN)/pytest -n 3 -m "not engine and not soak"
	$(BIN)/pytest -n 3 -m "engine and not soak"

# What to run while working: no engine, under a minute.
test-fast: $(TOOLS)
	$(BIN)/pytest -n 3 -q -m "not engine and not soak and not slow"

# Branch coverage of the whole, then of the folders that can lose a person's work.
coverage: setup $(TOOLS)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2 -m "not soak"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/coverage report --skip-covered --fail-under=90 --include='ctui/worktrees/*,ctui/git/*,ctui/tasks/*'

check: $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: $(TOOLS)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup $(TOOLS)
	$(BIN)/python -m tests.bench.bench

soak: setup $(TOOLS)
	$(BIN)/pytest -m soak --timeout 3600

gallery: setup $(TOOLS)
	$(BIN)/python -m tests.tui.gallery docs/gallery

docs: setup $(TOOLS)
	$(BIN)/python -m tests.docs.generate

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
