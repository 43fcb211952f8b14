# Needs git, make, node (20 or newer) with npm. Bun itself comes from npm, in the version that package.json names.

BUN := node_modules/.bin/bun
INSTALLED := node_modules/.installed
BINARY := dist/panicly

# The writer and the reader of the ledger and the policy replay are Workers: each needs an entry of its own in the binary.
ENTRIES := src/main.ts src/ledger/sqlite/writer.ts src/ledger/sqlite/reader.ts src/operator/replay/worker.ts
SOURCES := $(shell find src db -type f 2>/dev/null) package.json

# No --minify-identifiers: Elysia tells errors apart by class names, and would stop validating numbers in queries.
COMPILE := --compile --minify-syntax --minify-whitespace --sourcemap=linked --format=esm \
	--no-compile-autoload-dotenv --no-compile-autoload-bunfig
RELEASES := $(addprefix dist/panicly-,linux-x64 linux-arm64 linux-x64-musl darwin-arm64 windows-x64.exe)

.PHONY: run build test unit e2e check dev clean release bench torture mutations nightly
.DELETE_ON_ERROR:

## run: build and start on 127.0.0.1:3000, with its data in ./panicly-data
run: build
	$(BINARY) serve

## build: make dist/panicly for this machine
build: $(BINARY)

$(BINARY): $(INSTALLED) $(SOURCES)
	@mkdir -p dist
	$(BUN) build $(COMPILE) --bytecode $(ENTRIES) --outfile $@

# npx is only needed until node_modules holds a Bun of its own.
$(INSTALLED): package.json bun.lock bunfig.toml
	@if [ -x $(BUN) ] && $(BUN) --version >/dev/null 2>&1; then \
		$(BUN) install --frozen-lockfile; \
	else \
		npx -y "bun@$$(node -p "require('./package.json').devDependencies.bun")" install --frozen-lockfile; \
	fi
	@touch $@

## test: everything that has to be green before a change goes in
test: unit e2e

## unit: tests in this process: units, scenarios, documents, the command line
unit: $(INSTALLED)
	$(BUN) test --parallel --only-failures --timeout 30000 --path-ignore-patterns='test/e2e/**'

## e2e: tests of the built binary
e2e: build
	$(BUN) test --parallel=2 --only-failures --timeout 60000 test/e2e

## check: types, lint, format, lock file
check: $(INSTALLED)
	$(BUN) check
	node_modules/.bin/oxlint --type-aware src test db
	$(BUN) fmt --check src test db/*.ts
	@if grep -q '://' bun.lock; then echo 'bun.lock names an address' >&2; exit 1; fi
	$(BUN) test --only-failures test/tidy.test.ts

## dev: run from source, start again on every change
dev: $(INSTALLED)
	$(BUN) --watch src/main.ts serve

## release: binaries for other systems, each with its SHA-256
release: $(RELEASES:%=%.sha256)

# Windows gets no bytecode: made on another system it was seen to crash there.
$(RELEASES): dist/panicly-%: $(INSTALLED) $(SOURCES)
	@mkdir -p dist
	$(BUN) build $(COMPILE) $(if $(findstring windows,$*),,--bytecode) --target=bun-$(*:.exe=) $(ENTRIES) --outfile $@

$(RELEASES:%=%.sha256): %.sha256: %
	@cd dist && { sha256sum $(<F) 2>/dev/null || shasum -a 256 $(<F); } > $(@F)

## bench: what a request costs, against a bare pass-through
bench: build
	$(BUN) test/bench/run.ts

## torture: every attack that we know, on the built binary; QUICK=1 in small, BITE=1 to see that each finds a planted defect
torture: build
	$(BUN) test/torture/run.ts $(if $(QUICK),--quick) $(if $(BITE),--bite) $(ROWS)

## mutations: put deliberate defects into a copy, one at a time; each has to turn a test red
mutations: $(INSTALLED)
	$(BUN) test/mutations/run.ts

## nightly: what takes half an hour: 100,000 random ledgers against a naive model, 100,000 random holds, ledgers in files
nightly: $(INSTALLED)
	$(BUN) test/nightly.ts

## clean: remove what was built and installed; the data directory stays
clean:
	rm -rf dist node_modules
