# make run: the whole graph on the sample archive.  make test: the test suite.  Both make .venv first.
VENV := .venv
PYTHON ?= python3.11
BIN := $(VENV)/bin
HOME_FOLDER ?= microcoder-home
export MICROCODER_HOME = $(abspath $(HOME_FOLDER))
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM ?= false

.PHONY: help run ui test lint bench wheel clean

help:
	@echo "make run    install, then materialize the whole graph on the sample archive"
	@echo "make ui     the Dagster web UI over the same runs, on port 3000"
	@echo "make test   install, then the tests"
	@echo "make lint   ruff and mypy"
	@echo "make bench  the benchmarks' tables"
	@echo "make wheel  build the wheel into dist/"

# torch comes first and by name: its CPU build is enough, and nothing else then chooses another.
$(VENV)/.installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet "$$(grep -E '^torch==' constraints.txt)"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[train,dev]'
	@touch $@

run: $(VENV)/.installed
	$(BIN)/microcoder run

ui: $(VENV)/.installed
	$(BIN)/microcoder ui

test: $(VENV)/.installed
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.installed
	@for script in bench/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

wheel: $(VENV)/.installed
	$(BIN)/python -m build --no-isolation --outdir dist

clean:
	rm -rf $(VENV) dist build
