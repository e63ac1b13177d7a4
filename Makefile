# The front door; meson does the work. `make help` lists the targets.
BUILD := build
RELEASE := $(BUILD)/release
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60

# What is installed, without the tests. The name of the shared library's file ends in its version.
BUILD_PRODUCTS = @tools/progress.sh ninja -C $(RELEASE) src/cli/latchstring sigv4/liblatchstring.a \
	sigv4/$$(basename $$(readlink -f $(RELEASE)/sigv4/liblatchstring.so))

.PHONY: all help deps run test test-long bench bench-growth fuzz check format install uninstall clean

all: $(RELEASE)/build.ninja ## build build/latchstring, build/liblatchstring.a and .so
	$(BUILD_PRODUCTS)
	@ln -sfn release/src/cli/latchstring $(BUILD)/latchstring
	@ln -sfn release/sigv4/liblatchstring.a $(BUILD)/liblatchstring.a
	@ln -sfn release/sigv4/liblatchstring.so $(BUILD)/liblatchstring.so

$(RELEASE)/build.ninja: | tools/packages.sh
	@tools/packages.sh --check build
	@echo "Configuring the build in $(RELEASE)"
	@meson setup $(RELEASE) --buildtype=release >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@mv $(BUILD).log $(RELEASE)/setup.log

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

deps: ## install the Debian packages that the build needs (as root, or with sudo)
	@tools/packages.sh build

# A variable beats a configuration file, so where there is one, that alone says which buckets are made.
FIRST_BUCKET = $(if $(findstring --config,$(ARGS))$(LATCHSTRING_CONFIG),,LATCHSTRING_BUCKETS=$${LATCHSTRING_BUCKETS-photos})

run: deps ## install what is missing, build, and start the server (ARGS='--listen ...' to change how)
	@$(MAKE) --no-print-directory all
	@$(FIRST_BUCKET) exec $(BUILD)/latchstring serve $(ARGS)

test: ## run every test (FILTER=name for those with that in their name)
	@tools/packages.sh build test
	@tests/run $(if $(FILTER),-k '$(FILTER)')

test-long: ## the same tests on the full sizes
	@tools/packages.sh build test
	@tests/run --long $(if $(FILTER),-k '$(FILTER)')

bench: deps ## measure, and hold the ratios against their targets
	@tools/packages.sh bench
	@$(MAKE) --no-print-directory all
	@ninja -C $(RELEASE) --quiet bench/sign bench/gate bench/store_bench bench/put_load bench/growth
	@bench/run

bench-growth: all ## measure how costs grow up to 10,000,000 objects; draw docs/growth.svg
	@ninja -C $(RELEASE) --quiet bench/growth
	@python3 bench/growth.py

fuzz: ## run every fuzzer for FUZZ_SECONDS (60)
	@tools/packages.sh build fuzz
	@tools/fuzz.sh $(BUILD)/fuzz $(FUZZ_SECONDS) $(FILTER)

check: ## formatting, warnings of gcc and clang, clang-tidy, cppcheck
	@tools/packages.sh build check
	@tools/check.sh $(BUILD)

format: ## put every C file into the house's format
	@tools/packages.sh check
	@tools/check.sh --format

install: all ## install under PREFIX (/usr/local), with DESTDIR before it
	@tools/install.sh install $(RELEASE) $(PREFIX)

uninstall: $(RELEASE)/build.ninja ## remove what install put there; settings that were changed stay
	@tools/install.sh uninstall $(RELEASE) $(PREFIX)

clean: ## remove all that was built
	@rm -rf $(BUILD)
