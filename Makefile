# `make course` and `make test` set up whatever is missing on a fresh machine and then do their work.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Threads beyond the cores make every step slower on a shared machine.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1

.PHONY: course test test-thorough site lint lock pictures clean

course:
	@$(PYTHON) course/bootstrap.py course
	@course up

test:
	@$(PYTHON) course/bootstrap.py test
	@$(MAKE) --no-print-directory lint
	@python -m pytest -n 2 --no-loadscope-reorder

# What `make test` leaves out because it takes hours: lectures run three times more, labs run whole, mutants of every lab.
test-thorough:
	@$(PYTHON) course/bootstrap.py test
	@python -m pytest -n 2 --no-loadscope-reorder -m thorough

site:
	@$(PYTHON) course/bootstrap.py course
	@course site build

lint:
	@ruff check .
	@ruff format --check .

# After a change of the dependencies in pyproject.toml: resolve again, and write the same pins to environment.yml.
lock:
	@python -m course.lockfile

# The README's pictures of the portal, taken from one that runs.
pictures:
	@python -m services.portal.pictures book/images

clean:
	@rm -rf build .pytest_cache .ruff_cache
