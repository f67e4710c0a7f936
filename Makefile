.DEFAULT_GOAL := help

.PHONY: help
help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: ## Run all tests with the race detector
	go test -race -timeout 15m ./...

.PHONY: test-short
test-short: ## Run the quick tests, without the race detector
	go test -short ./...

.PHONY: lint
lint: ## Lint, vet, and check the format and go.mod
	.ci/run lint vet format tidy

.PHONY: fmt
fmt: ## Format the code
	.ci/run fmt

.PHONY: fuzz
fuzz: ## Run every fuzz target for a few seconds
	.ci/run fuzz

.PHONY: bench
bench: ## Run the Go benchmarks
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: kafka-test
kafka-test: ## Run the tests against Apache Kafka, fetched and started without containers
	.ci/run realkafka

.PHONY: ci
ci: ## Run everything a change has to pass
	.ci/run

.PHONY: demo
demo: ## Show payments of all four providers reaching their final status, everything embedded
	go run ./cmd/paystatus demo

.PHONY: generate
generate: ## Generate what is generated: schemas, documentation tables, golden files
	go generate ./...

.PHONY: build
build: ## Build bin/paystatus
	CGO_ENABLED=0 go build -trimpath -o bin/paystatus ./cmd/paystatus

.PHONY: clean
clean: ## Remove what was built and fetched
	deployments/kafka/kafka stop
	rm -rf bin dist deployments/kafka/.work
