# bnc: Binance market data as composable Unix filters.
#
#   make          the programs, into build/bin
#   make demo     installs what is missing, builds, serves ws://localhost:8000/ws from the offline exchange
#   make run      the same on the live exchange
#   make check    installs what is missing, builds and runs every test      (SAN=1: under ASan and UBSan)
#   make fuzz     T=name SECONDS=n: one fuzzer;  make bench, make lint, make install, make uninstall, make clean
#
# Site settings (CC, PREFIX, CFLAGS ...) may stand in config.mk.

-include config.mk

VERSION = 0.1.0
PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man
LIBEXEC ?= $(PREFIX)/share/bnc
BUILD   ?= build$(if $(SAN),/san)

# --- what there is -----------------------------------------------------------------------------------------------

PROGRAMS = bnc-stream bnc-normalize bnc-equity bnc-heartbeat bnc-mock

# lib/, room by room (bnc(7) has the map; scripts/dev/check-arrows holds the includes against it)
CORE  = span num dec clock err backoff rate
CORE += scan json jsonw io line fields ring budget proxy
CORE += event symbol equity heartbeat arbiter outbox
CORE += binance binance_book_ticker binance_agg_trade binance_trade binance_mark_price binance_kline \
        binance_ticker binance_force_order binance_field binance_depth binance_control binance_stream binance_ids \
        binance_news binance_session
CORE += filter
NET   = ws ws_conn ws_lws ws_dial ws_tls source
# the offline exchange, apart from lib/ so that it cannot agree with its mistakes
MOCK  = $(patsubst mock/%.c,%,$(wildcard mock/*.c))

# what each program links, beyond the core archive
LINK_bnc-stream = $(BUILD)/libbnc-net.a -lwebsockets -lssl -lcrypto -lpthread
LINK_bnc-mock   = $(BUILD)/libbnc-mock.a -lssl -lcrypto

# --- how it is built -----------------------------------------------------------------------------------------------

CC      ?= cc
OPT     ?= -O2 -g
WARN     = -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
           -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough
HARDEN   = -fPIE -fstack-protector-strong -fno-strict-aliasing $(if $(SAN),,-D_FORTIFY_SOURCE=2)
SAN_FLAGS = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SANITIZE = $(if $(SAN),$(SAN_FLAGS))
CPPFLAGS += -D_GNU_SOURCE -DBNC_VERSION='"$(VERSION)"' -Ilib -Imock
CFLAGS  += -std=c11 $(OPT) $(WARN) $(HARDEN) $(SANITIZE)
LDFLAGS += -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE)

core = $(CORE:%=$(BUILD)/lib/%.o)
net  = $(NET:%=$(BUILD)/lib/%.o)
mock = $(MOCK:%=$(BUILD)/mock/%.o)
bins = $(PROGRAMS:%=$(BUILD)/bin/%)
unit = $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test-*.c))

.PHONY: all check deps demo run fuzz bench lint install uninstall clean tests FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(bins)

$(bins): $(BUILD)/bin/%: $(BUILD)/cmd/%.o $(BUILD)/libbnc-core.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(filter %.a,$(LINK_$*)) $(BUILD)/libbnc-core.a $(filter-out %.a,$(LINK_$*))
$(BUILD)/bin/bnc-stream: $(BUILD)/libbnc-net.a
$(BUILD)/bin/bnc-mock: $(BUILD)/libbnc-mock.a

$(BUILD)/libbnc-core.a: $(core)
$(BUILD)/libbnc-net.a: $(net)
$(BUILD)/libbnc-mock.a: $(mock)
$(BUILD)/%.a:
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
-include $(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d)

# another compiler or other flags: everything is built anew
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)' | cmp -s - $@ || echo '$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)' >$@
FORCE:

# --- tests ---------------------------------------------------------------------------------------------------------

check: deps
	$(MAKE) tests
	BUILD=$(BUILD) SAN=$(SAN) tests/run

tests: all $(unit) $(BUILD)/tests/ready

$(BUILD)/tests/ready:
	@mkdir -p $(@D) && touch $@

$(unit): $(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libbnc-core.a $(BUILD)/libbnc-mock.a $(BUILD)/libbnc-net.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(LINK_$*) $(BUILD)/libbnc-mock.a $(BUILD)/libbnc-core.a -lcmocka -lssl -lcrypto
LINK_test-ws = $(LINK_bnc-stream)
LINK_test-ws_tls = $(LINK_bnc-stream)
LINK_test-source = $(LINK_bnc-stream)

fuzz:
	tests/fuzz/run "$(T)" "$(SECONDS)"

bench: all
	tests/bench/run

lint: all
	scripts/dev/lint

# --- for people ------------------------------------------------------------------------------------------------------

deps:
	@scripts/deps.sh

demo: deps
	$(MAKE) all
	BNC_BIN="$$(cd "$(BUILD)/bin" && pwd)" BNC_SOURCE=demo scripts/serve.sh

run: deps
	$(MAKE) all
	BNC_BIN="$$(cd "$(BUILD)/bin" && pwd)" BNC_SOURCE=live scripts/serve.sh

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7 $(DESTDIR)$(LIBEXEC)
	install -m 755 $(bins) $(DESTDIR)$(BINDIR)
	for page in man/*.[157]; do install -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.} || exit; done
	install -m 755 scripts/*.sh $(DESTDIR)$(LIBEXEC)

uninstall:
	cd $(DESTDIR)$(BINDIR) && rm -f $(PROGRAMS)
	for page in man/*.[157]; do rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done
	cd $(DESTDIR)$(LIBEXEC) && rm -f $(notdir $(wildcard scripts/*.sh))
	-rmdir $(DESTDIR)$(LIBEXEC)

clean:
	rm -rf build
