# Everything sets itself up: `make demo` and `make test` work as the first command after a clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: test demo bench kills faults snapshots lint clean

test: $(READY) lint
	$(BIN)/python -m pytest -n 3 --dist loadfile

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

demo: $(READY)
	$(BIN)/python examples/demo.py

bench: $(READY)
	$(BIN)/python -m benchmarks

kills: $(READY)
	$(BIN)/python -m tests.kills --runs 200 --seed 1

faults: $(READY)
	$(BIN)/python -m tests.faults --runs 1000 --seed 1

snapshots: $(READY)
	$(BIN)/python -m tests.snapshots

$(READY): pyproject.toml requirements/test.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/test.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $(READY)

clean:
	rm -rf $(VENV) .demo
