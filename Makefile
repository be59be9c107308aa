# SPDX-License-Identifier: BSD-2-Clause
# `make help` lists the targets. Variables: V=1 shows commands, CC=gcc|clang, SAN=1 adds ASan and
# UBSan, O=folder to build in. Each compiler and sanitizer has a folder of its own.

CC         := $(if $(filter default,$(origin CC)),gcc,$(CC))
CLANG      ?= clang
CLANG_TIDY ?= clang-tidy
BPFTOOL    ?= bpftool
PREFIX     ?= /usr/local
O          ?= build$(patsubst %,-%,$(filter-out gcc,$(notdir $(CC))))$(addprefix -,$(SAN:1=san))
PKGS       := libbpf jansson libcyaml nettle libnl-3.0 libnl-route-3.0 libsystemd libcares libpcap \
              libmicrohttpd audit

Q    := $(if $(filter 1,$(V)),,@)
say   = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(2)')

# SAN=fuzz is for `make fuzz`: the same sanitizers, and libFuzzer's coverage.
SAN_1    := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN_fuzz := $(SAN_1) -fsanitize=fuzzer-no-link

CFLAGS     ?= -O2 -g
WARNINGS   := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
              -Wno-format-nonliteral -Wpointer-arith -Wvla
INCLUDES   := -Iinclude -Iuser -I$(O)
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(INCLUDES) $(SAN_$(SAN)) \
              $(shell pkg-config --cflags $(PKGS) 2>/dev/null) $(CFLAGS) $(DEFINES)
ALL_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lresolv
BPF_OPT    ?= -O2
BPF_CFLAGS := -target bpf -mcpu=v3 $(BPF_OPT) -g -Wall -Wextra -Werror -Iinclude -Ivmlinux -Ibpf \
              -I/usr/include/$(shell $(CC) -print-multiarch 2>/dev/null) $(DEFINES)

SKELS      := $(patsubst %.bpf.c,$(O)/%.skel.h,$(wildcard bpf/*.bpf.c))
TEST_SKELS := $(patsubst %.bpf.c,$(O)/%.skel.h,$(wildcard tests/bpf/*.bpf.c))
BENCH_SKELS := $(patsubst %.bpf.c,$(O)/%.skel.h,$(wildcard tools/bench/*.bpf.c))
USER_OBJS  := $(patsubst %.c,$(O)/%.o,$(wildcard user/*/*.c))
MAIN_OBJ   := $(O)/user/cmd/main.o
LIB        := $(O)/libkvgate.a
UNIT_TESTS := $(patsubst %.c,$(O)/%,$(wildcard tests/unit/test_*.c))
BPF_TESTS  := $(patsubst %.c,$(O)/%,$(wildcard tests/bpf/test_*.c))
BPF_COMMON := $(patsubst %.c,$(O)/%.o,$(filter-out tests/bpf/test_%,$(wildcard tests/bpf/*.c)))
LOADER     := $(O)/tests/kernels/load
BENCHES    := $(patsubst %.c,$(O)/%,$(filter-out %.bpf.c,$(wildcard tools/bench/*.c)))
ATTACKS    := $(patsubst %.c,$(O)/%,$(wildcard tests/e2e/attacks/*.c))
OBSERVE    := $(O)/tests/e2e/discover/observe
FLOOD      := $(O)/tests/e2e/record/flood
CLOCK      := $(O)/tests/e2e/agent/clock.so
FUZZERS    := $(patsubst %.c,$(O)/%,$(wildcard tests/fuzz/fuzz_*.c))
C_FILES    := $(wildcard include/*.h bpf/*.[ch] vmlinux/*.h user/*/*.[ch] tests/*/*.[ch] \
              tests/e2e/*/*.c tools/bench/*.[ch])

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps demo check check-unit check-bpf check-e2e fuzz fuzz-smoke bench install format lint \
        tidy clean help unit-tests bpf-tests kernel-tests attacks others fuzzers check-kernels

all: $(O)/kvgate ## build the binary

deps: ## install what building, testing and the demo need (root)
	$(Q)tools/deps build test demo

demo: ## install what it needs, build, and show a vault client behind the gate (root)
	$(Q)tools/deps build demo
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all
	$(Q)KVGATE=$(abspath $(O))/kvgate tools/demo/run

check: ## install what it needs, build with gcc and clang, and run all tests (root)
	$(Q)tools/deps build test demo
	$(Q)tests/run --build $(abspath $(O)) --quick house unit bpf fuzz e2e machines

check-unit: ## run the unit tests under sanitizers
	$(Q)tests/run --build $(abspath $(O)) unit

check-bpf: ## run the BPF programs against packets (root)
	$(Q)tests/run --build $(abspath $(O)) bpf

check-e2e: ## run the end-to-end tests (root)
	$(Q)tests/run --build $(abspath $(O)) e2e

check-kernels: ## run the BPF and end-to-end tests in stock kernels since 5.10, docs/operations.md too (an hour)
	$(Q)tools/deps build test
	$(Q)tests/run --build $(abspath $(O)) machines

fuzz-smoke: ## 30 seconds of fuzzing over all harnesses
	$(Q)tests/run --build $(abspath $(O)) fuzz

FUZZ_SECONDS ?= 3600
fuzz: ## fuzz for FUZZ_SECONDS over all harnesses, then judge millions of random packets and frames
	$(Q)tests/run --build $(abspath $(O)) --fuzz-seconds $(FUZZ_SECONDS) fuzz model

bench: all $(BENCHES) $(BENCH_SKELS) ## measure how fast it is, and its peers (root); BENCH="--only live"
	$(Q)BENCH_BUILD=$(abspath $(O)) tools/bench/run $(BENCH)

# Since version 253 systemd waits for the end of a reload.
NOTIFY := $(shell pkg-config --atleast-version=253 libsystemd 2>/dev/null && \
            echo '-e s/^Type=notify$$/Type=notify-reload/ -e /^ExecReload=/d')

# $(1): files, $(2): folder below the prefix, which is named in them
install_text = $(Q)mkdir -p $(DESTDIR)$(PREFIX)/$(2) && for file in $(1); do \
	sed -e 's|/usr/local/|$(PREFIX)/|g' $(NOTIFY) $$file >$(DESTDIR)$(PREFIX)/$(2)/$${file\#\#*/} && \
	chmod 644 $(DESTDIR)$(PREFIX)/$(2)/$${file\#\#*/} || exit 1; done

install: all ## install to $(DESTDIR)$(PREFIX)
	$(call say,INSTALL,$(DESTDIR)$(PREFIX))
	$(Q)install -D -m 755 $(O)/kvgate $(DESTDIR)$(PREFIX)/sbin/kvgate
	$(Q)install -D -m 644 packaging/man/kvgate.8 $(DESTDIR)$(PREFIX)/share/man/man8/kvgate.8
	$(call install_text,packaging/systemd/kvgate.service,lib/systemd/system)
	$(call install_text,$(wildcard packaging/systemd/*.conf packaging/oci/*.json),share/kvgate)
	$(call install_text,$(wildcard packaging/prometheus/*.rules.yml),share/kvgate/prometheus)
	$(call install_text,$(wildcard packaging/grafana/*.json),share/kvgate/grafana)
	$(call install_text,$(wildcard docs/*.md docs/*.json),share/doc/kvgate)

format: ## bring all C files into shape
	$(Q)clang-format -i $(C_FILES)

lint: ## check the house rules: include direction, sizes, licences, shape, shell, spelling
	$(Q)for check in tools/check-*; do $$check || failed=1; done; [ -z "$$failed" ]

# The analyzer is slow; tests prove themselves under sanitizers.
TIDY_FILES := $(wildcard user/*/*.c)
tidy: $(SKELS) ## look for slips with clang-tidy
	$(Q)printf '%s\n' $(TIDY_FILES) | xargs -P $$(nproc) -n 4 \
		sh -c '$(CLANG_TIDY) --quiet "$$@" -- $(ALL_CFLAGS) 2>/dev/null' tidy

clean: ## remove the build folders
	$(Q)rm -rf $(O) build build-*

help: ## this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-12s %s\n",$$1,$$2}' $(firstword $(MAKEFILE_LIST))

# --- how files come to be ------------------------------------------------------------------------

$(O)/kvgate: $(MAIN_OBJ) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(ALL_LIBS) -o $@

$(LIB): $(filter-out $(MAIN_OBJ),$(USER_OBJS))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/%.bpf.o: %.bpf.c | $(O)/deps
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(O)/%.skel.h: $(O)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name kvg_$(notdir $*)_bpf >$@

# A first build has no .d files yet, so skeletons must exist before any C is compiled.
$(O)/%.o: %.c | $(O)/deps $(SKELS)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(BPF_TESTS:%=%.o): | $(TEST_SKELS)
$(BPF_TESTS): %: %.o $(BPF_COMMON) $(LIB)
$(UNIT_TESTS) $(LOADER) $(OBSERVE): %: %.o $(LIB)

$(UNIT_TESTS) $(BPF_TESTS) $(LOADER) $(OBSERVE):
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(ALL_LIBS) -lcmocka -o $@

$(BENCHES:%=%.o): | $(BENCH_SKELS)
$(BENCHES): %: %.o $(BPF_COMMON) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(ALL_LIBS) -lcmocka -o $@

$(FUZZERS): %: %.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $(LDFLAGS) $^ $(ALL_LIBS) -o $@

$(ATTACKS) $(FLOOD): %: %.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ -pthread -o $@

# Preloaded by a test: without sanitizers, which want to be first.
$(CLOCK): $(O)/%.so: %.c Makefile
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -fPIC -shared $< -o $@

unit-tests: $(UNIT_TESTS) ## only build them
bpf-tests: $(BPF_TESTS) ## only build them
kernel-tests: all attacks $(BPF_TESTS) $(LOADER) ## only build what check-kernels runs
attacks: $(ATTACKS) $(OBSERVE) $(FLOOD) $(CLOCK) ## only build them

# kvgate with other programs, and with another layout of its maps.
others: ## only build what upgrades are tested with
	$(Q)$(MAKE) --no-print-directory O=$(O)/programs BPF_OPT=-Os all
	$(Q)$(MAKE) --no-print-directory O=$(O)/layout DEFINES=-DKVG_ABI=99 all

fuzzers: $(FUZZERS) ## only build them (CC=clang SAN=fuzz)

# What is missing is said once, by name, and not by the first compiler error.
$(O)/deps: tools/deps
	$(Q)tools/deps --check build && mkdir -p $(@D) && touch $@

$(SKELS:.skel.h=.bpf.o) $(TEST_SKELS:.skel.h=.bpf.o) $(USER_OBJS): Makefile
$(addsuffix .o,$(UNIT_TESTS) $(BPF_TESTS) $(LOADER) $(ATTACKS) $(OBSERVE) $(FLOOD) $(FUZZERS)): Makefile
$(BPF_COMMON): Makefile

-include $(shell find $(O) -name '*.d' 2>/dev/null)
