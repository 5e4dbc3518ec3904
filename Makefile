# make demo and make test do all set-up there is.
.DEFAULT_GOAL := help
export CARGO_TERM_COLOR ?= auto

.PHONY: help demo test quick soak cluster bench fmt deny

help: ## Show this
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Run Nightcap on a simulated platform: http://127.0.0.1:9095
	cargo run -q --bin nightcap -- demo

test: ## Check and test everything, on a real control plane too
	tests/setup.sh
	cargo fmt --all --check
	cargo clippy -q --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc -q --workspace --no-deps
	$(MAKE) -s deny
	cargo build -q --workspace
	cargo test --workspace

quick: ## The same without the control plane: a minute
	cargo fmt --all --check
	cargo clippy -q --workspace --all-targets -- -D warnings
	cargo test -q --workspace --exclude nightcap-tests
	cargo test -q -p nightcap-tests --test layers

soak: ## Faults by seed, of money (weeks of the demo) and of sleep (120,000 space-days): SEEDS=100, or SEED=7 alone
	NIGHTCAP_SOAK_SEEDS=$(or $(SEEDS),100) NIGHTCAP_SOAK_DAYS=$(or $(DAYS),15) NIGHTCAP_SOAK_SEED=$(SEED) \
	cargo test -q -p nightcap-sim --test world soak -- --nocapture
	NIGHTCAP_FAULT_SEEDS=$(or $(SEEDS),100) NIGHTCAP_FAULT_DAYS=$(or $(FAULT_DAYS),100) NIGHTCAP_FAULT_SEED=$(SEED) \
	cargo test -q -p nightcap-core --test faults no_fault -- --nocapture

cluster: ## Start a local control plane to try things on; Ctrl-C ends it
	cargo run -q -p nightcap-tests --bin control-plane

bench: ## Measure memory and speed of engine, daemon and history (docs/benchmarks.md)
	cargo bench -q -p nightcap --bench engine --bench bill
	cargo bench -q -p nightcap-history --bench history

fmt: ## Format
	cargo fmt --all

deny: ## Check licences and walls, where cargo-deny is installed
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --offline check bans licenses sources; \
	else echo "cargo-deny is not installed: licences are not checked here (cargo install cargo-deny)"; fi
