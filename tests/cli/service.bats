# service.sh and the units of systemd that run it. What systemd makes of them, packaging/check-deb tries in a machine.
load ../lib

SERVICE=$ROOT/scripts/service.sh

setup() {
	lib_setup
	export BNC_BIN=$BIN RUNTIME_DIRECTORY=$SCRATCH:$SCRATCH/run WATCHDOG_USEC=4000000
}

# --- systemd, as far as a unit sees it -----------------------------------------------------------------------------

# what is told at $NOTIFY_SOCKET comes into told, a line each
listen() {
	command -v systemd-notify >/dev/null || skip "no systemd-notify"
	export NOTIFY_SOCKET=$SCRATCH/notify
	start told /usr/bin/python3 -c '
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("notify")
while True:
    print(s.recv(4096).decode().replace("\n", " "), flush=True)'
	wait_for 5 test -S notify
}

told() { grep -q "^$1" "$SCRATCH/told.out"; }
alive() { grep -c '^WATCHDOG=1' "$SCRATCH/told.out"; }
alive_for() { (($(alive) >= $1)); }

# nothing of a life is told any more; what was on its way when this began may come
falls_silent() {
	local before
	sleep 2
	before=$(alive)
	sleep 2
	(($(alive) == before))
}

pid_of() { "$TOOLS/left-over" "$SCRATCH" | awk -v name="$1" '$0 ~ "(^|[ /])" name "( |$)" { print $1; exit }'; }

# --- the units ---------------------------------------------------------------------------------------------------------

# nothing is built for it
staged() { # TARGET VARIABLE...
	make -C "$ROOT" -s -o all "$1" BUILD="$BUILD" DESTDIR="$SCRATCH/stage" PREFIX=/usr "${@:2}" >/dev/null
}

# units with the script where it is
units() {
	command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
	mkdir -p units
	for unit in bnc-feed@ bnc-record@ bnc-web; do
		sed "s|@LIBEXEC@|$ROOT/scripts|" "$ROOT/packaging/systemd/$unit.service" >"units/$unit.service"
	done
}

@test "make install puts everything below DESTDIR, make uninstall takes it away" {
	local page
	staged install UNITDIR=/lib/systemd/system
	cd stage
	for page in usr/bin/bnc-stream usr/share/man/man7/bnc-service.7 usr/share/bnc/service.sh usr/share/bnc/env/demo.env \
		usr/share/bash-completion/completions/bnc-tap usr/share/zsh/site-functions/_bnc-tap \
		usr/share/fish/vendor_completions.d/bnc-tap.fish lib/systemd/system/bnc-feed@.service usr/lib/sysusers.d/bnc.conf; do
		[[ -f $page ]] || { echo "no $page"; return 1; }
	done
	grep -qx 'ExecStart=/usr/share/bnc/service.sh feed' lib/systemd/system/bnc-feed@.service
	! grep -r "@LIBEXEC@\|$ROOT" lib usr/lib usr/share || return 1
	staged uninstall UNITDIR=/lib/systemd/system
	[[ -z "$(find . ! -type d)" ]]
}

@test "systemd has nothing to say about the units" {
	units
	run systemd-analyze verify --man=no units/*.service
	echo "$output"
	[[ $status -eq 0 && -z $output ]]
	sed -i 's/^WatchdogSec=/WatchdogSecs=/' units/bnc-web.service
	run systemd-analyze verify --man=no units/bnc-web.service
	[[ $output == *WatchdogSecs* ]]
}

@test "their exposure is below 2.0" {
	units
	for unit in units/*.service; do
		run systemd-analyze security --offline=true --no-pager --threshold=20 "$unit"
		echo "$output" | tail -n 1
		[ "$status" -eq 0 ]
	done
	sed -i '/^SystemCall/d; /^Capab/d; /^Private/d' units/bnc-web.service
	run systemd-analyze security --offline=true --no-pager --threshold=20 units/bnc-web.service
	[ "$status" -ne 0 ]
}

@test "files of variables have such as there are" {
	local name
	while IFS= read -r name; do
		grep -qE "^\.(It )?Ev .*\b$name\b" "$ROOT/man/bnc.7" || { echo "$name"; return 1; }
	done < <(sed -nE 's/^#?(BNC_[A-Z_]+)=.*/\1/p' "$ROOT"/packaging/env/*)
	for name in demo web; do
		(set -a && . "$ROOT/packaging/env/$name.env" && "$ROOT/scripts/feed.sh" --check)
	done
}

# --- service.sh --------------------------------------------------------------------------------------------------------

@test "a feed is ready when readers may come, and lives while its hub answers" {
	listen
	BNC_SOURCE=demo start service "$SERVICE" feed
	wait_for 20 told READY=1
	[ -S run/hub.sock ]
	wait_for 20 told 'STATUS=prices: ok'
	wait_for 10 alive_for 2
	kill -STOP "$(pid_of bnc-hub)"
	falls_silent
	kill -CONT "$(pid_of bnc-hub)"
	wait_for 10 alive_for $(($(alive) + 1))
	stop service
	[ "$status" -eq 0 ]
	wait_for 3 test -z "$(pid_of bnc-hub)$(pid_of bnc-mock)"
}

@test "a feed whose variables are wrong is never ready" {
	listen
	BNC_SOURCE=odd run "$SERVICE" feed
	[[ $status -eq 2 && $output == "feed.sh: BNC_SOURCE is "* ]]
	BNC_POSITIONS=nowhere run "$SERVICE" feed
	[[ $status -eq 3 && $output == "feed.sh: cannot read the positions"* ]]
	! told READY || return 1
}

# the exchange, and what records it
recording() {
	start_mock
	export BNC_URL=wss://127.0.0.1:$MOCK_PORT BNC_CACERT=$MOCK_CA STATE_DIRECTORY=$SCRATCH/state
	start service "$SERVICE" record
	wait_for 20 told READY=1
}

@test "a recording is ready when its file is open, and holds what came until the end" {
	listen
	recording
	compgen -G 'state/*.part'
	wait_for 20 told 'STATUS=in [0-9]* recorded [1-9]'
	wait_for 10 alive_for 2
	stop service
	[ "$status" -eq 0 ]
	! compgen -G 'state/*.part' || return 1
	bnc-replay --check state | jq -e 'select(.type == "recording") | .lines > 2'
	# the last word is that of bnc-stream
	bnc-replay -x max state | tail -n 1 | jq -e '.state == "end" and .detail == "SIGTERM"'
	# counters are for systemd
	! grep 'recorded\|received' service.err || return 1
}

@test "a recording lives while both of its programs answer" {
	local program
	listen
	recording
	wait_for 20 alive_for 2
	for program in bnc-record bnc-stream; do
		kill -STOP "$(pid_of $program)"
		falls_silent
		kill -CONT "$(pid_of $program)"
		wait_for 10 alive_for $(($(alive) + 1))
	done
}

@test "a service ends when what it runs has ended" {
	listen
	recording
	kill -KILL "$(pid_of bnc-record)"
	wait_end service 5
	((status != 0))
	[ -z "$(pid_of bnc-stream)" ]
}

@test "only what is live is recorded" {
	BNC_SOURCE=demo run "$SERVICE" record
	[[ $status -eq 2 && $output == *"only what is live is recorded"* ]]
}

@test "what keeps a recording from starting is said" {
	BNC_ROTATE=odd BNC_URL=wss://127.0.0.1:1 run "$SERVICE" record
	[[ $status -eq 2 && $output == *"bnc-record: --rotate: 'odd'"* ]]
	BNC_MARKET=odd run "$SERVICE" record
	[[ $status -eq 2 && $output == *"bnc-stream: -m: 'odd'"* ]]
}

@test "the page is ready when it is served, and lives while it is" {
	command -v websocketd >/dev/null || skip "no websocketd"
	listen
	BNC_PORT=$(free_port)
	export BNC_PORT BNC_SOURCE=demo
	start service "$SERVICE" web
	wait_for 20 told READY=1
	curl -fs "http://localhost:$BNC_PORT/" >/dev/null
	wait_for 20 told 'STATUS=prices: ok'
	wait_for 10 alive_for 2
	# logs are the journal's
	! compgen -G 'run/*.log' || return 1
	kill -STOP "$(pid_of websocketd)"
	falls_silent
	stop service
	[ "$status" -eq 0 ]
	[[ -z "$(pid_of websocketd)$(pid_of bnc-hub)" ]]
}

@test "a key that systemd loads is the account's, one that is missing is none" {
	mkdir creds
	export CREDENTIALS_DIRECTORY=$SCRATCH/creds
	(umask 077 && echo none >creds/key)
	fake_feed() { printf '#!/bin/bash\necho "key ${BNC_KEY_FILE-none}" >&2\nexit 3\n' >"$1" && chmod +x "$1"; }
	mkdir scripts && cp "$ROOT"/scripts/{common,service}.sh scripts && fake_feed scripts/feed.sh
	run scripts/service.sh feed
	[[ $status -eq 3 && $output == 'key none' ]]
	echo BNC_API_KEY=x >creds/key
	run scripts/service.sh feed
	[[ $output == "key $SCRATCH/creds/key" ]]
}

@test "it is called with one word" {
	for words in '' 'feed web' 'odd' '--help'; do
		# shellcheck disable=SC2086 # words
		run "$SERVICE" $words
		[[ $status -eq 2 && $output == "usage: service.sh feed|record|web" ]]
	done
}
