# `make demo` does the whole job; `make test` runs every test. Both set up everything they need.
PYTHON ?= python3
BIN := .venv/bin
# Tests start hundreds of interpreters: none is to compile again what another has compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check lock clean

demo: .venv/ready
	$(BIN)/seenbefore --home var/demo demo
	@echo 'The command is $(BIN)/seenbefore; after `source $(BIN)/activate` it is `seenbefore`, as printed above.'

test: .venv/ready
	$(BIN)/python -m pytest

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The versions that the tests passed with; neither file names where packages come from.
lock:
	uv pip compile pyproject.toml --all-extras --universal --no-emit-index-url --no-header --no-annotate -q -o constraints.txt
	uv pip compile pyproject.toml --universal --no-emit-index-url --no-header --no-annotate --generate-hashes -q -o requirements.lock

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Seenbefore needs Python 3.11 or newer; set PYTHON=python3.x")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable ".[test]" --constraint constraints.txt
	touch .venv/ready

clean:
	rm -rf .venv var dist
