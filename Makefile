# A thin menu: each target names one script or one cargo command.
.DEFAULT_GOAL := help
.PHONY: help setup build run test lint bench compat fuzz soak clean
CARGO ?= cargo
# Rooms to test one by one, without the servers: make test ROOMS='wire broker'. Empty for everything.
ROOMS ?=
comma := ,

help: ## show this menu
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what building needs (Debian packages)
	@tests/setup build

build: setup ## build the release binary, target/release/logagent
	$(CARGO) build --release --package logagent

run: build ## start the pipeline on a demonstration, or on your files: make run LOGS='/var/log/nginx/*.log'
	@exec examples/nginx/run $(if $(LOGS),'$(LOGS)')

test: export PROPTEST_CASES ?= 64
test: ## install what the tests need, check the code, run the tests and the fast cases of compat
	@tests/setup build $(if $(ROOMS),,test)
	@$(if $(ROOMS),,compat/setup fast)
	@$(MAKE) --no-print-directory lint
	$(if $(ROOMS),$(foreach room,$(ROOMS),$(CARGO) test --package $(room) &&) true,$(CARGO) test --workspace --no-fail-fast)
	$(if $(ROOMS),,compat/run --fast --broker $(or $(CARGO_TARGET_DIR),target)/debug/logagent >/dev/null)

lint: ## formatting, clippy
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

bench: build ## run the benchmarks beside peers: make bench PARTS='agent broker transfer backlog flame'
	@tests/setup test bench $(filter flame,$(PARTS))
	@bench/run $(PARTS)

compat: build ## real clients and tools against ours and Apache Kafka, writes docs/compatibility.md: make compat CLIENTS='kcat sarama'
	@compat/setup
	@compat/run $(if $(CLIENTS),--clients '$(subst $() ,$(comma),$(strip $(CLIENTS)))')

fuzz: ## fuzz the parsers: make fuzz SECONDS_EACH=600 TARGETS='segment line' (needs a nightly toolchain and cargo-fuzz)
	@SECONDS_EACH='$(SECONDS_EACH)' TARGETS='$(TARGETS)' fuzz/run

soak: setup ## simulate failing disks under the log: make soak MINUTES=60, or SEEDS=0..100000
	LOGAGENT_SOAK_MINUTES='$(if $(SEEDS),$(MINUTES),$(or $(MINUTES),10))' LOGAGENT_SEEDS='$(SEEDS)' \
	$(CARGO) test --release --package broker --lib log::tests::sim::what_was_acknowledged -- --nocapture

clean: ## remove what was built
	$(CARGO) clean
