# SPDX-License-Identifier: BSD-2-Clause
O       ?= build
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
CLANG   ?= clang
BPFTOOL ?= bpftool
PKGS    := libbpf jansson libcyaml nettle

Q    := $(if $(filter 1,$(V)),,@)
say   = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(2)')

CFLAGS     ?= -O2 -g
WARNINGS   := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
              -Wno-format-nonliteral -Wpointer-arith -Wvla
SAN_FLAGS  := $(if $(filter 1,$(SAN)),-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -Iinclude -Iuser -I$(O) $(SAN_FLAGS) \
              $(shell pkg-config --cflags $(PKGS)) $(CFLAGS)
ALL_LIBS   := $(shell pkg-config --libs $(PKGS))
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Iinclude -Ivmlinux -Ibpf \
              -I/usr/include/$(shell $(CC) -print-multiarch)

BPF_OBJS  := $(patsubst bpf/%.bpf.c,$(O)/bpf/%.bpf.o,$(wildcard bpf/*.bpf.c))
SKELS     := $(BPF_OBJS:.bpf.o=.skel.h)
USER_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard user/*/*.c))
MAIN_OBJ  := $(O)/user/cmd/main.o

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all clean help

all: $(O)/kvgate ## build the binary

$(O)/kvgate: $(USER_OBJS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(ALL_LIBS) -o $@

$(O)/bpf/%.bpf.o: bpf/%.bpf.c
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(O)/bpf/%.skel.h: $(O)/bpf/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name kvg_$*_bpf > $@

# A first build has no .d files yet, so skeletons must exist before any C is compiled.
$(O)/%.o: %.c | $(SKELS)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# A test binary: tests/unit/test_x.c with everything but main.
$(O)/tests/unit/%: $(O)/tests/unit/%.o $(filter-out $(MAIN_OBJ),$(USER_OBJS))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(ALL_LIBS) -lcmocka -o $@

$(BPF_OBJS) $(USER_OBJS): Makefile

clean: ## remove the build folder
	$(Q)rm -rf $(O)

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n",$$1,$$2}' $(MAKEFILE_LIST)

-include $(shell find $(O) -name '*.d' 2>/dev/null)
