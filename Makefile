# Everything a person or CI runs. `make demo` and `make test` need only Python 3.11+, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
export PYTHONDONTWRITEBYTECODE :=
export UV_COMPILE_BYTECODE := 1

.PHONY: demo test check format setup peers clean

demo: $(VENV)/.core  ## the whole loop on the sample shop, then http://127.0.0.1:8000
	@$(BIN)/hookline demo $(ARGS)

test: check  ## lint, types, layers, then every test
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright

format: $(VENV)/.test
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

setup: $(VENV)/.test  ## everything a developer needs

peers: $(VENV)/.peers  ## what benchmarks compare with

clean:
	rm -rf $(VENV)

# uv installs ten times faster; plain pip does the same work where uv cannot be had.
$(VENV)/.base:
	$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv || echo "no uv, using pip"
	@touch $@

$(VENV)/.core: $(VENV)/.base pyproject.toml
	@echo "Installing Hookline into $(VENV) ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --editable . \
		|| $(BIN)/python -m pip install --quiet --editable .
	@touch $@

# A dependency group: `make setup` installs `test`, `make peers` installs `peers`.
$(VENV)/.%: $(VENV)/.core
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --group $* \
		|| ($(BIN)/python -m pip install --quiet --upgrade pip \
		&& $(BIN)/python -m pip install --quiet --group $*)
	@touch $@
