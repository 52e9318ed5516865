# Build, prove and show Noroshi. `make` does what is done before every push.
GO ?= go
BIN := bin/noroshi
LINT := tools/bin/golangci-lint
FUZZTIME ?= 10s
FUZZ ?= .

.PHONY: all build demo test race lint bench golden fuzz soak release-check cluster clean
all: build lint test

# A static binary, the same bytes from the same sources; its version is the commit.
build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags=-buildid= -o $(BIN) ./cmd/noroshi

# An account is taken over in eleven minutes; see the alerts arrive.
demo: build
	./$(BIN) demo

test:
	$(GO) test -timeout 30m ./...

race:
	$(GO) test -timeout 40m -race ./...

# Code for other systems is built, and checked with its tests; what it does there is not run here.
lint: build $(LINT)
	GOOS=windows CGO_ENABLED=0 $(GO) build ./...
	GOOS=darwin CGO_ENABLED=0 $(GO) build ./...
	@test -z "$$(gofmt -l cmd cli detector ingest internal rules sinks)" || { gofmt -l cmd cli detector ingest internal rules sinks; exit 1; }
	$(GO) mod tidy -diff
	$(GO) vet ./...
	GOOS=windows $(GO) vet ./...
	GOOS=darwin $(GO) vet ./...
	$(LINT) run ./...
	./$(BIN) check

$(LINT): tools/lint/go.mod
	cd tools/lint && GOBIN=$(CURDIR)/tools/bin $(GO) install tool
	@touch $(LINT)

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

# Rewrite what tests expect. Read the difference as if a stranger sent it.
golden:
	NOROSHI_UPDATE=1 $(GO) test ./...

fuzz:
	@GO=$(GO) FUZZTIME=$(FUZZTIME) tools/fuzz $(FUZZ)

# The long forms: 100,000 messages through faults on both brokers, instances and brokers killed many times, an hour of 3,000 records a second, alerts to receivers that take minutes to
# build or to start, ten minutes for each fuzz target.
soak:
	NOROSHI_SOAK=1 $(GO) test -count=1 -timeout 60m -v -run ExactlyOnce ./ingest/feed
	NOROSHI_SOAK=1 NOROSHI_KILLS=40 $(GO) test -count=1 -timeout 2h -v -run 'Killed|FindTheSame' ./cmd/noroshi
	NOROSHI_SOAK=1 $(GO) test -count=1 -timeout 2h -v -run Soak ./cmd/noroshi
	NOROSHI_SOAK=1 $(GO) test -count=1 -timeout 30m -v -run ShippedRulesAreProved ./cli
	NOROSHI_SOAK=1 $(GO) test -count=1 -timeout 60m -v -p 1 ./sinks/...
	$(MAKE) fuzz FUZZTIME=10m

# Three brokers, three detectors, two deliverers and a reader on loopback; one of each is killed, and nothing is lost.
cluster:
	NOROSHI_CLUSTER=1 $(GO) test -count=1 -timeout 20m -v -run TestCluster ./cmd/noroshi

# What deploy/ holds is built, rendered, checked by the programs that read it, and started. It takes minutes, as root on Debian, and fetches
# what is missing.
release-check:
	tools/release/deploy
	NOROSHI_RELEASE=1 $(GO) test -count=1 -run Prometheus ./cmd/noroshi
	tools/release/image

clean:
	rm -rf bin tools/bin
