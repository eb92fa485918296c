# CI, the README and CONTRIBUTING call these targets and nothing else.
.DEFAULT_GOAL := help
.PHONY: help install demo test lint format lab notebooks demo-data lock bench study clean

VENV := .venv
BIN := $(VENV)/bin
CXKIT := $(BIN)/cxkit
# the first Python from 3.11 to 3.13 that starts
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
UV ?= $(shell command -v uv 2>/dev/null)
# Python keeps what it has compiled, whatever the shell asks of it (as many containers do): an audit starts a dozen
# processes and the tests some hundreds, each of which would compile pandas, ibis and matplotlib anew
export PYTHONDONTWRITEBYTECODE :=

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: $(VENV)/installed ## make .venv from requirements.lock (done by the targets below where needed)

$(VENV)/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "cxkit needs Python 3.11, 3.12 or 3.13; none was found. Install one, or name it: make PYTHON=/path/to/python3.12 demo"; exit 2; }
ifneq ($(UV),)
	$(UV) venv --quiet --allow-existing --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
else
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	@touch $@

demo: install ## audit the made-up client and say where its report lies
	$(CXKIT) run demo --jobs 2

# two workers share two cores: with threads of their own, models would spend their time waiting for each other; files in
# the order of their names, since a file of few tests, put last otherwise, may be a whole audit that one core waits for
test: export OMP_NUM_THREADS = 1
test: install lint ## everything: unit and property tests, the whole audit, the notebooks under nbval, the pages in a browser
	$(BIN)/python -m pytest tests -n 2 --dist loadfile --no-loadscope-reorder

lint: install ## style of code and notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: install ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lab: install ## open JupyterLab on the notebooks
	@mkdir -p $(VENV)/share/jupyter/lab/settings
	@echo '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}' \
		> $(VENV)/share/jupyter/lab/settings/overrides.json
	$(BIN)/jupyter lab --LabApp.news_url=None notebooks

notebooks: install ## run the notebooks on the demo client in place and store their outputs
	$(BIN)/python tests/store_outputs.py

demo-data: install ## make data/demo anew
	$(CXKIT) demo-data --customers 4000 --seed 1 --out data/demo

lock: ## resolve requirements.lock anew for Python 3.11 to 3.13 on every system (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras --upgrade --generate-hashes \
		--no-header --no-annotate --quiet --output-file requirements.lock

bench: install ## measure against the peers (minutes; writes benchmarks/*.md)
	for bench in benchmarks/bench_*.py; do $(BIN)/python $$bench || exit 1; done

study: install ## studies over many seeds (minutes to hours; writes studies/*.md)
	for study in studies/*.py; do $(BIN)/python $$study || exit 1; done

clean: ## remove .venv and the demo's reports
	rm -rf $(VENV) reports/demo
