# Everything a person or CI runs. `make demo` and `make test` need only Python 3.11+, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
export PYTHONDONTWRITEBYTECODE :=
export UV_COMPILE_BYTECODE := 1
# Matrices are small: a second thread only waits for the first.
export OPENBLAS_NUM_THREADS := 1

.PHONY: demo test test-train check format setup peers clean

demo: $(VENV)/.core  ## the whole loop on the sample shop, then http://127.0.0.1:8000
	@$(BIN)/hookline demo $(ARGS)

test: check  ## lint, types, layers, then every test
	$(BIN)/python -m pytest $(ARGS)

# torch is large, so that tuning is tested apart; the version is named, for without one pip may
# bring gigabytes of GPU libraries.
test-train: $(VENV)/.test  ## what needs torch: tuning an encoder or a writer, the house model, local models
	$(BIN)/python -m pip install --quiet torch==2.13.0 "transformers[serving]>=5.0" \
		"onnx>=1.17" "sentence-transformers>=5.0" \
		"trl>=1.16" "peft>=0.21" "accelerate>=1.15" "datasets>=5.2"
	$(BIN)/python -m pytest tests/prior/test_finetune.py tests/perceive/test_encoders_models.py \
		tests/house/test_house_train.py tests/writers/test_transformers_writer.py \
		tests/writers/test_openai_served.py tests/tune/test_tune_house.py \
		tests/tune/test_tune_house_pursued.py \
		tests/tune/test_tune_train.py $(ARGS)

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

# Torch named with its version, as for test-train.
$(VENV)/.peers: $(VENV)/.core
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --quiet torch==2.13.0 --group peers
	@touch $@

# A dependency group: `make setup` installs `test`, `make peers` installs `peers`.
$(VENV)/.%: $(VENV)/.core
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --group $* \
		|| ($(BIN)/python -m pip install --quiet --upgrade pip \
		&& $(BIN)/python -m pip install --quiet --group $*)
	@touch $@
