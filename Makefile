# bnc: Binance market data as composable Unix filters.
#
#   make          the programs, into build/bin
#   make demo     installs what is missing, builds, serves ws://localhost:8000/ws from the offline exchange
#   make run      the same on the live exchange
#   make check    installs what is missing, builds and runs every test      (SAN=1: under ASan, LSan and UBSan;
#                 SAN=thread: what has threads under TSan; VALGRIND=1: tests/cli under memcheck;
#                 FAULT=1: with a fault in each call there is, also those of libraries)
#   make soak     SECONDS=n: the service for a week that passes in so long (3600)
#   make web      the page, into web/dist; demo, run and check see to it themselves
#   make deb      packages of Debian, into build/deb, and what lintian says; make check-deb installs and runs them in
#                 trees of a clean Debian 12
#   make fuzz     T=name SECONDS=n: one fuzzer, of libFuzzer or with ENGINE=afl of AFL++; make bench, make lint, make install, make uninstall, make clean
#
# Site settings (CC, PREFIX, CFLAGS ...) may stand in config.mk.

-include config.mk

VERSION = 0.1.0
PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man
LIBEXEC ?= $(PREFIX)/share/bnc
UNITDIR ?= $(PREFIX)/lib/systemd/system
USERDIR ?= $(PREFIX)/lib/sysusers.d
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR  ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d
BUILD   ?= build$(if $(SAN),/san)$(if $(filter thread,$(SAN)),-thread)

# --- what there is -----------------------------------------------------------------------------------------------

PROGRAMS = bnc-stream bnc-normalize bnc-paper bnc-position bnc-equity bnc-heartbeat bnc-merge bnc-record bnc-replay bnc-hub bnc-tap bnc-account bnc-mock bnc-pub bnc-sub

# those two are built where libnats is (libnats-dev); NATS= leaves them out, too
NATS ?= $(shell echo '\#include <nats/nats.h>' | $(CC) $(CPPFLAGS) -E - >/dev/null 2>&1 && echo 1)
ifeq ($(NATS),)
PROGRAMS := $(filter-out bnc-pub bnc-sub,$(PROGRAMS))
endif

# lib/, room by room (bnc(7) has the map; scripts/dev/check-arrows holds the includes against it)
CORE  = span num dec clock err backoff rate
CORE += scan json jsonw io line layout fields ring budget proxy when outlet refuse intake unpack keys sandbox
CORE += sentence event symbol fills pairs cost position order trader paper equity heartbeat arbiter merge outbox rec pace hub hub_report \
        bus_api bus_pub bus_sub
CORE += binance binance_book_ticker binance_agg_trade binance_trade binance_mark_price binance_kline \
        binance_ticker binance_force_order binance_field binance_depth binance_control binance_stream binance_ids \
        binance_fast binance_track binance_check binance_merge binance_news binance_session binance_bus
CORE += binance_call binance_error binance_rows binance_inbox binance_follow binance_follow_conn binance_follow_ask
CORE += binance_user binance_account_update binance_order_trade_update binance_trade_lite \
        binance_execution_report binance_account_position binance_margin_call binance_account_config \
        binance_algo_update binance_balance_change binance_stream_over binance_rest
CORE += filter opt opt_bus rec_read rec_write bus_spill bus_backlog hub_socket hub_www hub_serve
NET   = ws ws_conn ws_receive ws_send ws_frame ws_upgrade ws_lws ws_dial ws_tls source uplink sign http
# what knows libnats
NATSLIB = nats_conn
# the offline exchange, apart from lib/ so that it cannot agree with its mistakes
MOCK  = $(patsubst mock/%.c,%,$(wildcard mock/*.c))

# what each program links, beyond the core archive
LINK_bnc-record = -lzstd -lz -lpthread
LINK_bnc-replay = -lzstd -lz
LINK_bnc-merge  = -lzstd -lz
LINK_bnc-stream = $(BUILD)/libbnc-net.a -lwebsockets -lssl -lcrypto -lpthread
LINK_bnc-account = $(LINK_bnc-stream) -lcurl
LINK_bnc-pub    = $(BUILD)/libbnc-nats.a -lnats -lzstd -lz -lpthread
LINK_bnc-sub    = $(BUILD)/libbnc-nats.a -lnats -lpthread
LINK_bnc-mock   = $(BUILD)/libbnc-mock.a -lssl -lcrypto -lzstd -lz

# --- how it is built -----------------------------------------------------------------------------------------------

CC      ?= cc
OPT     ?= -O2 -g
WARN     = -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
           -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough
HARDEN   = -fPIE -fstack-protector-strong -fno-strict-aliasing $(if $(SAN),,-D_FORTIFY_SOURCE=2)
SAN_FLAGS = $(if $(filter thread,$(SAN)),-fsanitize=thread,-fsanitize=address$(comma)undefined -fno-sanitize-recover=all) \
            -fno-omit-frame-pointer
comma := ,
SANITIZE = $(if $(SAN),$(SAN_FLAGS))
CPPFLAGS += -D_GNU_SOURCE -DBNC_VERSION='"$(VERSION)"' -Ilib -Imock
CFLAGS  += -std=c11 $(OPT) $(WARN) $(HARDEN) $(SANITIZE)
LDFLAGS += -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE)

core = $(CORE:%=$(BUILD)/lib/%.o)
net  = $(NET:%=$(BUILD)/lib/%.o)
mock = $(MOCK:%=$(BUILD)/mock/%.o)
bins = $(PROGRAMS:%=$(BUILD)/bin/%)
unit = $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test-*.c))

.PHONY: all check demo run web page fuzz soak bench lint deb check-deb install uninstall clean tests FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(bins)

$(bins): $(BUILD)/bin/%: $(BUILD)/cmd/%.o $(BUILD)/libbnc-core.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(filter %.a,$(LINK_$*)) $(BUILD)/libbnc-core.a $(filter-out %.a,$(LINK_$*))
$(BUILD)/bin/bnc-stream $(BUILD)/bin/bnc-account: $(BUILD)/libbnc-net.a
$(BUILD)/bin/bnc-mock: $(BUILD)/libbnc-mock.a
$(BUILD)/bin/bnc-pub $(BUILD)/bin/bnc-sub: $(BUILD)/libbnc-nats.a

$(BUILD)/libbnc-core.a: $(core)
$(BUILD)/libbnc-net.a: $(net)
$(BUILD)/libbnc-nats.a: $(NATSLIB:%=$(BUILD)/lib/%.o)
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

check:
	@scripts/deps.sh serve web check
	$(MAKE) tests
	BUILD=$(BUILD) SAN=$(SAN) VALGRIND=$(VALGRIND) FAULT=$(FAULT) tests/run

tests: all $(unit) $(BUILD)/tests/ready page

$(BUILD)/tests/ready:
	@mkdir -p $(@D) && touch $@

# A Binance client of the npm registry, installed once, beside a copy of the script that uses it. Where there is no node,
# no npm or no network its test says so and is skipped.
ifneq ($(shell command -v node >/dev/null && command -v npm),)
tests: $(BUILD)/node/installed $(BUILD)/node/binance-client.mjs $(BUILD)/web-test/installed $(BUILD)/web-test/copied
endif
NPM_CI = npm ci --include=dev $(NPM_QUIETLY)
NPM_QUIETLY = --ignore-scripts --no-audit --no-fund \
              --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-timeout=30000

$(BUILD)/node/installed: $(BUILD)/node/package.json $(BUILD)/node/package-lock.json
	@rm -f $@
	@cd $(@D) && if $(NPM_CI) >npm.log 2>&1; then touch $(@F); else \
		echo "tests/node: npm ci has failed, the test that needs it is skipped: $(@D)/npm.log"; fi

$(BUILD)/node/%: tests/node/%
	@mkdir -p $(@D) && cp $< $@

$(unit): $(BUILD)/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libbnc-core.a $(BUILD)/libbnc-mock.a $(BUILD)/libbnc-net.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $< $(LINK_$*) $(BUILD)/libbnc-mock.a $(BUILD)/libbnc-core.a -lcmocka -lssl -lcrypto -lzstd -lz -lpthread
LINK_test-fuzz_peers = $(LINK_bnc-stream) -ljansson -lgmp
LINK_test-sandbox = -lseccomp
LINK_test-ws = $(LINK_bnc-stream)
LINK_test-ws_tls = $(LINK_bnc-stream)
LINK_test-ws_frame = $(LINK_bnc-stream)
LINK_test-source = $(LINK_bnc-stream)
LINK_test-sign = $(LINK_bnc-account)
LINK_test-http = $(LINK_bnc-account)

# what makes the calls of a program fail, one by one (tests/fault)
tests: $(BUILD)/fault/fault.so
$(BUILD)/fault/fault.so: tests/fault/fault.c
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE -std=c11 -O2 -g $(WARN) -fPIC -shared -o $@ $<

# what tries what a program has given up (tests/sandbox)
tests: $(BUILD)/sandbox/trespass.so
$(BUILD)/sandbox/trespass.so: tests/sandbox/trespass.c
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE -std=c11 -O2 -g $(WARN) -fPIC -shared -o $@ $<

# what the page is tested with, which is more than what it is built with
$(BUILD)/web-test/installed: web/package.json web/package-lock.json
	@mkdir -p $(@D) && rm -f $@ && cp $^ $(@D)
	@cd $(@D) && if $(NPM_CI) >npm.log 2>&1; then touch $(@F); else \
		echo "web: npm ci has failed, the tests that need it are skipped: $(@D)/npm.log"; fi

fuzz:
	BUILD=$(BUILD) ENGINE=$(ENGINE) tests/fuzz/run "$(T)" "$(SECONDS)"

soak: all page
	@scripts/deps.sh serve check
	BUILD=$(BUILD) SAN=$(SAN) tests/soak/run "$(SECONDS)"

# the programs of tests/bench, of which tests use the first, and the WebSocket client of the npm registry that
# bnc-stream is measured against
BENCH = frames copier spent delay blast reader
bench: all $(BENCH:%=$(BUILD)/bench/%)
	@scripts/deps.sh serve check bench
	BUILD=$(BUILD) tests/bench/run $(RUN)
tests: $(BUILD)/bench/frames
ifneq ($(shell command -v node >/dev/null && command -v npm),)
bench: $(BUILD)/bench/node/installed $(BUILD)/bench/node/reader.mjs
endif

$(BENCH:%=$(BUILD)/bench/%): $(BUILD)/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/libbnc-core.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ -lssl -lcrypto -lpthread

$(BUILD)/bench/node/installed: $(BUILD)/bench/node/package.json $(BUILD)/bench/node/package-lock.json
	@rm -f $@
	@cd $(@D) && if $(NPM_CI) >npm.log 2>&1; then touch $(@F); else \
		echo "tests/bench: npm ci has failed, its client is left out: $(@D)/npm.log"; fi

$(BUILD)/bench/node/%: tests/bench/node/%
	@mkdir -p $(@D) && cp $< $@

lint: all
	@scripts/deps.sh lint
	BUILD=$(BUILD) scripts/dev/lint

# --- the page --------------------------------------------------------------------------------------------------------
# Built in a copy of its sources, so that nothing but web/dist stands beside them. No program needs node: where there is
# none, or no network for npm, the rest goes on, and serve.sh has a page that says so.

web_files := $(shell find web \( -name node_modules -o -name dist -o -name screenshots \) -prune -o -type f -print)

web: web/dist/index.html

page:
	@if command -v node >/dev/null && command -v npm >/dev/null; then \
		$(MAKE) --no-print-directory web || echo "web: the page could not be built; the stream is served without it"; \
	else echo "web: node or npm is missing (scripts/deps.sh web installs them); the stream is served without its page"; fi

$(BUILD)/web/copied $(BUILD)/web-test/copied: $(web_files)
	@mkdir -p $(@D) && rm -rf $(@D)/src $(@D)/public $(@D)/tests
	@cp -R $(filter-out web/dist web/node_modules web/screenshots,$(wildcard web/*)) $(@D) && touch $@

$(BUILD)/web/installed: web/package.json web/package-lock.json
	@mkdir -p $(@D) && rm -f $@ && cp $^ $(@D)
	@cd $(@D) && npm ci --omit=dev $(NPM_QUIETLY) >npm.log 2>&1 && touch $(@F) || \
		{ echo "web: npm ci has failed: $(@D)/npm.log" >&2; false; }

# another address of the stream (VITE_WS_URL) is another page
$(BUILD)/web/address: FORCE
	@mkdir -p $(@D)
	@echo '$(VITE_WS_URL)' | cmp -s - $@ || echo '$(VITE_WS_URL)' >$@

web/dist/index.html: $(BUILD)/web/copied $(BUILD)/web/installed $(BUILD)/web/address
	cd $(BUILD)/web && node_modules/.bin/vite build --outDir "$(CURDIR)/web/dist" --emptyOutDir --logLevel warn

# --- for people ------------------------------------------------------------------------------------------------------

demo:
	@scripts/deps.sh serve
	@scripts/deps.sh web || true
	$(MAKE) all page
	BNC_BIN="$$(cd "$(BUILD)/bin" && pwd)" BNC_SOURCE=demo scripts/serve.sh

run:
	@scripts/deps.sh serve
	@scripts/deps.sh web || true
	$(MAKE) all page
	BNC_BIN="$$(cd "$(BUILD)/bin" && pwd)" BNC_SOURCE=live scripts/serve.sh

# packaging/debian says what goes where
deb:
	@scripts/deps.sh deb
	$(MAKE) page
	BUILD=$(BUILD) packaging/deb $(VERSION)

check-deb: deb
	BUILD=$(BUILD) packaging/check-deb

# what shells complete, made from what the programs say with -h
all: $(BUILD)/completions/made
$(BUILD)/completions/made: scripts/dev/completions $(bins)
	@rm -rf $(@D) && scripts/dev/completions $(@D) $(bins) && touch $@

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man7 $(DESTDIR)$(LIBEXEC)
	install -m 755 $(bins) $(DESTDIR)$(BINDIR)
	for page in man/*.[157]; do install -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.} || exit; done
	install -m 755 scripts/*.sh $(DESTDIR)$(LIBEXEC)
	chmod a-x $(DESTDIR)$(LIBEXEC)/common.sh
	rm -rf $(DESTDIR)$(LIBEXEC)/web
	for file in $$(cd web/dist 2>/dev/null && find . -type f); do \
		install -D -m 644 web/dist/$$file $(DESTDIR)$(LIBEXEC)/web/$$file || exit; done
	install -d $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR)
	install -m 644 $(BUILD)/completions/bash/* $(DESTDIR)$(BASHDIR)
	install -m 644 $(BUILD)/completions/zsh/* $(DESTDIR)$(ZSHDIR)
	install -m 644 $(BUILD)/completions/fish/* $(DESTDIR)$(FISHDIR)
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(USERDIR) $(DESTDIR)$(LIBEXEC)/env
	for unit in packaging/systemd/*.service; do \
		sed 's|@LIBEXEC@|$(LIBEXEC)|' $$unit >$(DESTDIR)$(UNITDIR)/$${unit##*/} || exit; done
	install -m 644 packaging/systemd/bnc.sysusers $(DESTDIR)$(USERDIR)/bnc.conf
	install -m 644 packaging/env/* $(DESTDIR)$(LIBEXEC)/env

uninstall:
	cd $(DESTDIR)$(BINDIR) && rm -f $(PROGRAMS)
	for page in man/*.[157]; do rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done
	cd $(DESTDIR)$(LIBEXEC) && rm -rf web env $(notdir $(wildcard scripts/*.sh))
	-rmdir $(DESTDIR)$(LIBEXEC)
	cd $(DESTDIR)$(BASHDIR) && rm -f $(PROGRAMS)
	cd $(DESTDIR)$(ZSHDIR) && rm -f $(PROGRAMS:%=_%)
	cd $(DESTDIR)$(FISHDIR) && rm -f $(PROGRAMS:%=%.fish)
	cd $(DESTDIR)$(UNITDIR) && rm -f $(notdir $(wildcard packaging/systemd/*.service))
	rm -f $(DESTDIR)$(USERDIR)/bnc.conf

clean:
	rm -rf build web/dist
