# Every target sets up what it needs, once: uv, the locked environment, a browser for the tests.
# It takes a machine with Python 3.11 to 3.13, pip and make; for uv's own users: see docs/operators/install.md.

PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .make/uv/bin/uv)
BIN := .venv/bin
HAS_DOCKER := docker version >/dev/null 2>&1

# What is compiled is kept, also where the shell says otherwise: every process starts from it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install check test properties demo docs reference benchmark audit sbom pin-images clean \
	check-types check-style check-imports check-documents

help:
	@echo "make install     uv, and the locked environment in .venv"
	@echo "make demo        real ads through Postgres, Prefect and its workers, on recorded data"
	@echo "make test        the whole test suite"
	@echo "make properties  longer runs of the property tests, other examples each time"
	@echo "make check       format, lint, types, imports, compose files, documentation, lock"
	@echo "make docs        the documentation as a site, in site/"
	@echo "make reference   the reference pages in docs/reference, made from the code"
	@echo "make benchmark   ratios against peers and limits"
	@echo "make audit       known vulnerabilities of the locked packages"
	@echo "make sbom        the locked packages as CycloneDX, in sbom.cdx.json"
	@echo "make pin-images  write the digests of the images of other people into .env"
	@echo "make clean       remove the environment and everything built"

install: .make/installed

demo: .make/installed .make/chromium
	@$(BIN)/adspark demo

# Four at once for two cores, for many tests wait; tests/support/scheduling.py says in which order.
test: .make/installed .make/chromium
	@echo "Runs tests/unit, integration, flows and acceptance: about 20 minutes on two cores."
	@if $(HAS_DOCKER); then echo "Then tests/containers, on Docker: about 12 minutes more."; \
	else echo "No Docker engine answers: tests/containers are left out."; fi
	@$(BIN)/python -m compileall -q adspark blocks deployments flows orchestration tasks
	@$(BIN)/python -m pytest -n 4 tests/acceptance tests/flows tests/integration tests/unit
	@if $(HAS_DOCKER); then $(BIN)/python -m pytest tests/containers; fi

properties: .make/installed
	@$(BIN)/python -m pytest --hypothesis-profile=long --timeout=7200 tests/integration/*/*_properties.py

# The types take longest, on one core; the others are checked beside them.
check: .make/installed
	@$(MAKE) --no-print-directory --jobs=2 check-types check-style check-imports check-documents

check-types: .make/installed
	@$(BIN)/mypy

check-style: .make/installed
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(UV) lock --check

check-imports: .make/installed
	@$(BIN)/lint-imports

check-documents: .make/installed
	@$(BIN)/python -m pytest -q tests/unit/docker/test_compose.py tests/unit/documentation

# What a link or an anchor does not find ends the build.
docs: .make/installed
	@$(BIN)/zensical build --strict --clean --config-file mkdocs.yml
	@echo "Open site/index.html through a server: $(BIN)/python -m http.server --directory site"

reference: .make/installed
	@$(BIN)/python -m scripts.reference

benchmark: .make/installed .make/chromium
	@$(BIN)/python -m benchmarks.ingest
	@$(BIN)/python -m benchmarks.sweep
	@$(BIN)/python -m benchmarks.due
	@$(BIN)/python -m benchmarks.limit
	@$(BIN)/python -m benchmarks.render
	@$(BIN)/python -m benchmarks.cleanup
	@$(BIN)/python -m benchmarks.archive
	@$(BIN)/python -m benchmarks.words
	@$(BIN)/python -m benchmarks.library
	@$(BIN)/python -m benchmarks.export
	@$(BIN)/python -m benchmarks.gallery
	@$(BIN)/python -m benchmarks.mcp
	@$(BIN)/python -m benchmarks.dispatch
	@$(BIN)/python -m benchmarks.runs
	@$(BIN)/python -m benchmarks.batch
	@$(BIN)/python -m benchmarks.chaos

# The locked packages of all extras, by name, version and hash; nothing is resolved anew.
audit: | $(filter .make/%,$(UV))
	@mkdir -p .make
	@$(UV) export --locked --quiet --all-extras --no-dev --no-emit-project \
		--format requirements.txt --output-file .make/audited.txt
	@$(UV) run --isolated --locked --quiet --only-group audit python scripts/audit.py \
		pip-audit --vulnerability-service osv --disable-pip --require-hashes \
		--requirement .make/audited.txt

sbom: | $(filter .make/%,$(UV))
	@$(UV) export --locked --quiet --all-extras --no-dev \
		--format cyclonedx1.5 --output-file sbom.cdx.json >/dev/null
	@echo "sbom.cdx.json lists the locked packages (CycloneDX 1.5)."

pin-images: .make/installed
	@$(BIN)/python -m deployments.docker.image_digests

clean:
	rm -f sbom.cdx.json
	rm -rf site .cache .hypothesis .make .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# Bytecode is compiled at once: it halves the start of every process.
.make/installed: pyproject.toml uv.lock | $(filter .make/%,$(UV))
	@echo "Installing the locked environment into .venv …"
	@mkdir -p .make
	@$(UV) sync --locked --extra ocr --extra export --compile-bytecode --quiet
	@touch $@

.make/uv/bin/uv:
	@echo "Installing uv into .make …"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .make/uv "uv>=0.9.15,<1"

# An installed browser, else Playwright's own, else Debian's; of them the shell draws fastest.
.make/chromium: .make/installed
	@if { command -v chromium-headless-shell || command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null; then :; \
	elif $(BIN)/playwright install chromium; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Debian's Chromium …"; \
		apt-get update -qq && \
		apt-get install -y -qq --no-install-recommends chromium-headless-shell >/dev/null; \
	else echo "Install Chromium, then run make again." >&2; exit 1; fi
	@touch $@
