# strongroom: every target is safe to run again, also after a kill.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Everything that is built or written while it runs lives in this one folder.
export STRONGROOM_SANDBOX_DIR ?= $(CURDIR)/.sandbox
BIN := $(STRONGROOM_SANDBOX_DIR)/bin
STRONGROOM := $(BIN)/strongroom
BUILT := $(STRONGROOM_SANDBOX_DIR)/build/strongroom
# Tests find the built tools here; without it they would look in the default place.
export STRONGROOM_TOOLS_BIN ?= $(BIN)

# As the tools are built, so that what they share with strongroom is compiled
# once; and no C compiler is needed.
export CGO_ENABLED := 0

# No debug information: a fifth less time and memory for a large package. A plain
# `go build` or `go test` compiles everything once more, with it.
COMPILER := -gcflags=all=-dwarf=false
# Nor a symbol table, as the tools: a third smaller, and less memory to link.
LINKER := -ldflags "-s -w"

.PHONY: help
help: ## Show this list
	@printf 'strongroom: a production Vault platform on AWS, provable on one machine\n\n'
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\nStart with: make up\n'

# What is compiled after strongroom is downloaded while it compiles.
up tools test bench: FETCH := tools

.PHONY: up
up: build ## Bring both stacks up on this machine (AWS is simulated, the rest is real)
	$(STRONGROOM) sandbox up

.PHONY: down
down: build ## Destroy both stacks, prove the simulated account empty, stop everything
	$(STRONGROOM) sandbox down

.PHONY: status
status: build ## Show what is running in the sandbox
	$(STRONGROOM) sandbox status

.PHONY: doctor
doctor: build ## Say what this machine lacks and how to get it
	$(STRONGROOM) doctor

.PHONY: build
build: requirements ## Build the strongroom command
	@mkdir -p "$(BIN)" "$(dir $(BUILT))"
	@[ -x "$(STRONGROOM)" ] || { echo "building strongroom (about 3 minutes the first time)"; scripts/fetch-modules.sh $(FETCH); }
	@# Go keeps no result of a test that looked at a file with another time or size. go build
	@# gives a new time to what it leaves as it is, and would write the commit into the program,
	@# so that every commit, and a changed document, would run the engine's tests again.
	@go build $(COMPILER) $(LINKER) -buildvcs=false -o "$(BUILT)" ./cmd/strongroom
	@cmp -s "$(BUILT)" "$(STRONGROOM)" || { cp "$(BUILT)" "$(BUILT).new" && mv "$(BUILT).new" "$(STRONGROOM)"; }

.PHONY: requirements
requirements:
	@command -v go >/dev/null || { echo 'strongroom needs Go 1.26 or newer: https://go.dev/doc/install (Debian and Fedora: package golang, macOS: brew install go)' >&2; exit 1; }

.PHONY: tools
tools: build ## Build the engine, the Kubernetes control plane, Vault and Flux, fetch the EKS component
	$(STRONGROOM) sandbox tools

.PHONY: charts
charts: build ## Fetch the charts that gitops/ pins, so that no stubs stand in for them (needs the internet)
	$(STRONGROOM) sandbox charts

# Debian packages with programs that tests run.
PACKAGES := shellcheck postgresql openvpn iproute2 util-linux mount procps openssl

.PHONY: packages
packages: ## Install the Debian packages that the tests use (as root; else say what is missing)
	@missing=''; for p in $(PACKAGES); do dpkg -s "$$p" >/dev/null 2>&1 || command -v "$$p" >/dev/null || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	elif [ -n "$$missing" ]; then \
		echo "not installed:$$missing: the tests that use it are skipped (Debian: apt-get install$$missing)" >&2; \
	fi

.PHONY: test
test: packages tools ## Run every test: unit, whole stacks, and the real engine
	@echo 'testing: the engine runs (tests/sandbox) come first and take the longest, and go test shows the others after them'
	go test $(COMPILER) $(LINKER) -vet=off -timeout 60m ./tests/sandbox ./... # make vet does it, and make lint

# vet reads each of the 1,700 packages behind ours as well: minutes where
# nothing is cached, so it is not a part of make test.
.PHONY: vet
vet: requirements ## Run go vet (a part of make lint, which takes longer to build)
	go vet $(COMPILER) ./...

.PHONY: test-unit
test-unit: requirements ## Run the tests that need no built tools
	go test $(COMPILER) $$(go list ./... | grep -v -e /tests/sandbox -e /sandbox/)

.PHONY: gitops-check
gitops-check: requirements ## Check the tree that Flux reads (gitops/) without a cluster
	go test $(COMPILER) -count=1 -run 'TestTree$$' ./tests/gitops/tree && echo 'gitops/: every rule is kept'

.PHONY: lint
lint: requirements ## Run golangci-lint (built from its module the first time)
	@mkdir -p "$(BIN)"
	cd tools/golangci-lint && go build -o "$(BIN)/golangci-lint" github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	"$(BIN)/golangci-lint" run ./...

.PHONY: fmt
fmt: requirements ## Format the Go code
	gofmt -w $$(git ls-files '*.go')

.PHONY: bench
bench: tools ## Measure and write docs/benchmarks.md (a part of it: make bench SECTION=warm)
	go run $(COMPILER) ./tests/bench $(if $(SECTION),-section "$(SECTION)")

.PHONY: clean
clean: ## Remove the sandbox folder with everything in it (run make down first)
	@if [ -e "$(STRONGROOM_SANDBOX_DIR)/daemon.json" ]; then echo 'the sandbox is up: run `make down` first' >&2; exit 1; fi
	rm -rf "$(STRONGROOM_SANDBOX_DIR)"
