# make train    make .venv, install minikeras with its optional extras, train LeNet-5 on the embedded digits
# make test     make .venv, install the test extra, run the tests; PARITY=1 adds Keras and PyTorch to compare with
# make lint     check the code's style
# make clean    remove .venv and everything that was built
#
# Needs Python 3.10 or later (PYTHON=python3.12 picks one) and make. The folder .venv is re-used; a stamp file in it
# says that an extra is installed, and is renewed when setup.cfg changes.

PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check
EXTRAS = test$(if $(filter 1,$(PARITY)),$(comma)parity)
comma = ,
PYTEST_ARGS ?=
TRAIN_ARGS ?=

.PHONY: train test lint clean

train: $(VENV)/installed-all
	$(BIN)/minikeras train $(TRAIN_ARGS)

test: $(VENV)/installed-$(EXTRAS)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/installed-ruff
	$(BIN)/ruff check

clean:
	rm -rf $(VENV) build dist *.egg-info runs .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("minikeras needs Python 3.10 or later; $(PYTHON) is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12") if sys.version_info < (3, 10) else None'
	$(PYTHON) -m venv $(VENV)

# Editable, so that a change in the source needs no new install.
$(VENV)/installed-%: setup.cfg pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --editable '.[$*]'
	@touch '$@'

$(VENV)/installed-ruff: Makefile | $(BIN)/python
	$(PIP) install --quiet 'ruff>=0.15,<0.18'
	@touch '$@'
