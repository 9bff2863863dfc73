# `make` alone says what there is. Anything longer than a line or two lies in scripts/.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint bench peers torture fuzz compat docs build install clean

# Many containers set it. It makes a buffering Python child flush each line, and so hides mistakes.
unexport PYTHONUNBUFFERED

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

demo: ## Validate 5,000 users with a Python script, into out/validated-users.ndjson
	@echo 'building esteira (the first time takes a few minutes)'
	@cargo run --quiet -- run fixtures/pipelines/valid/users.toml

test: ## Check everything: what `lint` does, all tests, the validators, the fixtures
	@scripts/prepare
	@scripts/lint
	@scripts/step 'tests' cargo test
	@scripts/step 'compatibility' scripts/compat target/debug/esteira --check
	@scripts/step 'helpers' python3 validators/cases/helpers.py
	@scripts/step 'fixtures' python3 fixtures/records/make.py --check
	@scripts/tally

lint: ## Check format, lints and the docs of the code
	@scripts/lint

bench: ## Measure against the shell doing the same work, into out/bench.json
	@cargo build --release
	@cargo build --release --example sha2_alone --example json_check
	@mkdir -p out
	@python3 bench/run.py --esteira target/release/esteira --json out/bench.json

peers: ## Measure beside other programs that do the same work, into docs/peers.md
	@cargo build --release
	@python3 bench/run.py --esteira target/release/esteira --only peers-cat,peers-validator --markdown docs/peers.md

torture: ## Run the randomised tests for much longer, optimised
	@scripts/prepare
	ESTEIRA_TRIALS=1000 ESTEIRA_STATES=100000000 PROPTEST_CASES=100000 cargo test --release -- --nocapture

fuzz: ## Try changed input on all that reads it, a minute each (ESTEIRA_FUZZ_SECONDS)
	ESTEIRA_FUZZ_SECONDS=$${ESTEIRA_FUZZ_SECONDS:-60} cargo test --lib fuzz -- --nocapture

compat: ## Try the programs installed here, into docs/compatibility.md
	@cargo build
	@scripts/compat target/debug/esteira

docs: ## Write the JSON Schema of pipeline files and docs/reference.md
	@cargo build
	@target/debug/esteira schema > esteira.schema.json
	@target/debug/esteira schema --format markdown > docs/reference.md

build: ## Build target/release/esteira
	@cargo build --release

install: ## Install esteira for this user
	@cargo install --path . --locked

clean: ## Remove what was built, and out/
	@cargo clean
	@rm -rf out
