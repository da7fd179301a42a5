# The front door; meson does the building. On a fresh Debian 12 this needs only
# git, make and a C compiler: tools/setup.sh brings the rest.
#   make            build/vedette
#   make run        build it and start it with examples/vedette.yaml
#   make test       everything there is, warnings as errors
#   make lint tidy format asan tsan fuzz mutants bench install clean
#   make test SUITES="unit e2e"   some of the tests
# CC=clang works. JOBS=n limits the compilers that run at once.

ifeq ($(origin CC),default)
CC = cc
endif
MESON ?= meson
NINJA ?= ninja
PYTHON ?= /usr/bin/python3
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 20
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

BUILD = build
CONFIG = examples/vedette.yaml

.PHONY: all run test lint tidy format asan tsan fuzz mutants bench install \
    clean build-dir setup-build setup-test setup-lint setup-bench test-suite

all: setup-build
	@$(MAKE) --no-print-directory build-dir BUILD=$(BUILD) \
	    OPTIONS="-Dtests=false"

setup-build setup-test setup-lint setup-bench: setup-%:
	@tools/setup.sh $* "$(CC)"

# Configure when there is nothing yet, with another compiler, or when a file
# came or went; then build.
build-dir:
	@CC="$(CC)" MESON="$(MESON)" tools/configure.sh $(BUILD) $(OPTIONS)
	@$(NINJA) -C $(BUILD) -j $(JOBS) $(TARGETS)

run: all
	$(BUILD)/vedette serve -c $(CONFIG)

# One suite for plain, asan and tsan builds: its own build directory with the
# fault points compiled in, which a released binary does not have.
test-suite:
	@$(MAKE) --no-print-directory build-dir BUILD=$(BUILD) \
	    OPTIONS="--werror -Dfaults=true $(OPTIONS)" || { \
	    echo "the build failed"; \
	    echo "0 passed, 1 failed, 0 skipped"; exit 1; }
	@VEDETTE=$(BUILD)/vedette $(WRAP) $(PYTHON) tools/runtests.py $(BUILD) \
	    $(SUITES)

test: setup-test
	@$(MAKE) --no-print-directory test-suite BUILD=build-test

asan: setup-test
	@$(MAKE) --no-print-directory test-suite BUILD=build-asan \
	    OPTIONS="-Dasan=true"

# gcc 12's runtime does not know the kernel's larger address randomisation.
tsan: setup-test
	@$(MAKE) --no-print-directory test-suite BUILD=build-tsan \
	    OPTIONS="-Dtsan=true" WRAP="$(shell setarch -R true 2>/dev/null && echo setarch -R)"

lint:
	@tools/lint.sh

tidy: setup-lint
	@$(MAKE) --no-print-directory build-dir BUILD=build-tidy CC=clang \
	    OPTIONS="-Dfaults=true"
	@tools/tidy.sh build-tidy

# Prints what clang-format would change; FILES="a.c b.c" or everything.
format: setup-lint
	@for f in $(or $(FILES),$$(find src tests -name '*.[ch]')); do \
	    clang-format $$f | diff -u --label $$f --label formatted $$f - ; \
	done || true

fuzz: setup-test
	@$(MAKE) --no-print-directory build-dir BUILD=build-fuzz CC=clang \
	    OPTIONS="-Dfuzz=true"
	@tools/fuzz.sh build-fuzz $(FUZZ_SECONDS)

mutants: setup-test
	@tools/mutants.sh

# BENCH="http scale --quick" for some of it.
bench: setup-bench
	@$(MAKE) --no-print-directory build-dir BUILD=build-bench \
	    OPTIONS="-Dtests=true" TARGETS="all $$(tools/sources.sh bench | \
	    sed 's|\.c$$||' | tr '\n' ' ')"
	@BUILD=build-bench VEDETTE=$(CURDIR)/build-bench/vedette $(PYTHON) \
	    tests/bench/bench.py $(BENCH)

install: all
	install -D -m 755 $(BUILD)/vedette $(DESTDIR)$(PREFIX)/bin/vedette
	@for f in docs/*.[1-8]; do [ -f "$$f" ] || continue; s=$${f##*.}; \
	    echo "install $$f"; install -D -m 644 "$$f" \
	    "$(DESTDIR)$(PREFIX)/share/man/man$$s/$${f##*/}"; done
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|g' packaging/vedette.service \
	    > $(DESTDIR)$(PREFIX)/lib/systemd/system/vedette.service
	install -D -m 644 examples/vedette.yaml \
	    $(DESTDIR)$(PREFIX)/share/doc/vedette/examples/vedette.yaml

clean:
	rm -rf build build-test build-asan build-tsan build-fuzz build-tidy \
	    build-bench build-mutants
