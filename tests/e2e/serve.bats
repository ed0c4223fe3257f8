# serve.sh: one owner of everything it starts; what it lets websocketd do and serve; health.
load ../lib

WS=$TOOLS/ws
PRICE='{"type":"price_update","symbol":"SOL","price":"142.355","ts":1,"pair":"SOLUSDT","market":"usdm","source":"book"}'

setup() {
	lib_setup
	feed <<<'echo "{\"type\":\"status\",\"state\":\"live\",\"ts\":1}"; while sleep 0.1; do :; done'
	export BNC_FEED=$SCRATCH/feed BNC_PORT
	BNC_PORT=$(free_port)
}

feed() { # its text on standard input
	{ echo '#!/bin/bash' && cat; } >"$SCRATCH/feed"
	chmod +x "$SCRATCH/feed"
}

serve() { # [SCRIPTS DIRECTORY]
	rm -f ready
	start serve bash -c 'exec "$@" 9>ready' bash "${1:-$ROOT/scripts}/serve.sh" --ready-fd 9
	wait_for 10 test -s ready
}

client() { "$WS" "ws://127.0.0.1:$BNC_PORT/ws" --until '"live"' "$@"; }

three_clients() {
	local i
	for i in 1 2 3; do
		start "client$i" "$WS" "ws://127.0.0.1:$BNC_PORT/ws" --seconds 60
	done
	for i in 1 2 3; do
		wait_for 10 test -s "client$i.out"
	done
}

get() { curl --noproxy '*' -s -m 5 "$@"; }

pid_of() { # PATTERN: of the first process that is called so
	left=$(left_over)
	awk -v pattern="$1" '$0 ~ pattern { print $1; exit }' <<<"$left"
}

websocketd_pid() { pid_of '^[0-9]+ websocketd '; }
hub_pid() { pid_of '^[0-9]+ bnc-hub '; }
feeds() { grep -c "$SCRATCH/feed" <<<"$(left_over)" || true; }

@test "one line says where, what and which log; both addresses of localhost answer" {
	serve
	[[ $(<serve.out) == "bnc: ws://localhost:$BNC_PORT/ws  page http://localhost:$BNC_PORT/  source live  log $SCRATCH/run" ]]
	client
	[[ ! -e /proc/net/if_inet6 ]] || "$WS" "ws://[::1]:$BNC_PORT/ws" --until '"live"' --origin "http://localhost:$BNC_PORT"
	[[ $(stat -c %a run) == 700 ]]
}

@test "it listens on loopback alone" {
	local address
	read -r address _ < <(hostname -I)
	[[ -n $address && $address != *:* ]] || skip "this machine has no address but loopback"
	serve
	run ! get "http://$address:$BNC_PORT/"
	get "http://127.0.0.1:$BNC_PORT/" >/dev/null
}

@test "a second one is refused and changes nothing" {
	serve
	local port=$BNC_PORT
	BNC_PORT=$(free_port) run timeout 10 "$ROOT/scripts/serve.sh"
	[[ $status == 3 && $output == "serve.sh: already running in $SCRATCH/run: ws://localhost:$port/ws, process $serve_pid" ]]
	client
	stop serve
	serve
	client
}

@test "a port that is taken is one line and exit 3, though somebody answers there" {
	start other /usr/bin/python3 -m http.server --bind 127.0.0.1 "$BNC_PORT"
	wait_for 5 get "http://127.0.0.1:$BNC_PORT/" >/dev/null
	run timeout 10 "$ROOT/scripts/serve.sh"
	echo "$output"
	[[ $status == 3 && ${#lines[@]} == 1 && $output == "serve.sh: "*"address already in use" ]]
}

@test "half of localhost being taken is a port that is taken" {
	[[ -e /proc/net/if_inet6 ]] || skip "no IPv6 here"
	start other /usr/bin/python3 -m http.server --bind ::1 "$BNC_PORT"
	wait_for 5 get "http://[::1]:$BNC_PORT/" >/dev/null
	run timeout 10 "$ROOT/scripts/serve.sh"
	[[ $status == 3 && ${#lines[@]} == 1 && $output == "serve.sh: "*"address already in use" ]]
	wait_for 2 only other
}

only() { # NAME
	local pid_name=$1_pid
	left=$(left_over)
	[[ ${left%% *} == "${!pid_name}" && $left != *$'\n'* ]]
}

@test "wrong calls are told and end with 2 or 3" {
	local words
	for words in "BNC_PORT=http" "BNC_PORT=0" "BNC_PORT=65536" "BNC_PORT=99999999999999999999" "BNC_PORT=8000x" "BNC_SOURCE=paper" "BNC_SOURCE=replay:" "BNC_BACKOFF=x" "BNC_BACKOFF=1s,"; do
		run timeout 10 env "$words" "$ROOT/scripts/serve.sh"
		((status == 2 && ${#lines[@]} == 1))
	done
	for words in "--port 1" "--ready-fd" "--ready-fd x" "--ready-fd 77" "-x"; do
		run timeout 10 "$ROOT/scripts/serve.sh" $words
		((status == 2 && ${#lines[@]} == 1))
	done
	ln -s "$SCRATCH" elsewhere
	mkdir -m 770 shared
	mkdir -m 500 narrow
	: >file
	local dir
	for dir in elsewhere elsewhere/ shared file file/x; do
		BNC_RUN=$dir run timeout 10 "$ROOT/scripts/serve.sh"
		[[ $status == 3 && ${#lines[@]} == 1 && $output == "serve.sh: "*"not a directory that is ours alone to write" ]]
	done
	[[ $(stat -c %a shared) == 770 ]]
	unset BNC_FEED
	BNC_SOURCE=replay:nothing run timeout 10 "$ROOT/scripts/serve.sh"
	[[ $status == 3 && $output == *"cannot read the recording 'nothing'" ]]
	mkdir empty
	BNC_BIN=$SCRATCH/empty PATH=/usr/bin:/bin run timeout 10 "$ROOT/scripts/serve.sh"
	[[ $status == 3 && $output == *"bnc-"*" is not there: "* ]]
}

gone() {
	left=$(left_over)
	[[ -z $left ]] || ! grep -qv ws:// <<<"$left"
}

@test "SIGTERM and SIGINT end it and all it started" {
	local signal
	for signal in TERM INT; do
		serve
		three_clients
		stop serve $signal
		((status == 0))
		wait_for 2 gone
	done
}

@test "Ctrl-C at a terminal, which is for all of them at once, is a quiet end" {
	serve
	three_clients
	kill -INT -- "-$serve_pid"
	wait_end serve 5
	((status == 0))
	wait_for 2 gone
	[[ ! -s serve.err ]]
	run ! grep 'has ended' run/websocketd.log
}

@test "a websocketd that stands still does not keep it" {
	serve
	kill -STOP "$(websocketd_pid)"
	stop serve
	wait_for 2 gone
}

@test "killed, all it started goes; the next start is not hindered" {
	serve
	three_clients
	stop serve KILL
	wait_for 2 gone
	serve
	client
}

@test "websocketd killed: its children go, and it comes back" {
	serve
	three_clients
	local was now
	was=$(websocketd_pid)
	kill -KILL "$was"
	back() { now=$(websocketd_pid) && [[ -n $now && $now != "$was" ]] && client; }
	wait_for 10 back
	wait_for 2 eval '! grep -q bnc-tap <<<"$(left_over)"'
	grep -q 'websocketd has ended with status 137; again in 1 s' run/websocketd.log
	# the feed knows nothing of it
	[[ $(feeds) == 1 && $(wc -l <run/feed.log) == 0 ]]
}

@test "the hub killed, and what runs it: clients are told, keep their connections, and it comes back" {
	serve
	three_clients
	local what i n=0
	for what in '^[0-9]+ bnc-hub ' 'hub.sh --www' "$SCRATCH/feed" '^[0-9]+ bnc-hub '; do
		kill -KILL "$(pid_of "$what")"
		((n += 1))
		for i in 1 2 3; do
			wait_for 15 eval '(($(grep -c "\"live\"" client'$i'.out) > '$n'))'
		done
		[[ $(feeds) == 1 ]]
	done
	grep -q 'hub has ended with status 137; again in 1 s' run/hub.log
}

@test "BNC_BACKOFF says how long it waits for what has ended, at first and at most" {
	feed <<<'exit 3'
	BNC_BACKOFF=50ms,0.2s serve
	"$WS" "ws://127.0.0.1:$BNC_PORT/ws" --until 'the feed has ended with status 3: again in 0.2 s'
	wait_for 5 eval '(($(grep -c "again in 0.2 s" run/feed.log) >= 2))'
	grep -o 'again in .*' run/feed.log | head -n 4 | cmp - <(printf 'again in %s s\n' 0.05 0.1 0.2 0.2)
}

# --- health ---------------------------------------------------------------------------------------------------------

health() { get -o /dev/null -w '%{http_code}' "http://127.0.0.1:$BNC_PORT/health"; }
is() { [[ $(health) == "$1" ]]; }

@test "/health is there while prices are fresh, gone within --stale and two seconds, and back within two" {
	mkfifo prices
	feed <<<'exec cat prices'
	BNC_STALE=2s serve
	exec 5<>prices
	is 404
	ticks() { while echo "$PRICE" >&5; do sleep 0.2; done; }
	ticks 3>&- &
	local ticks=$!
	wait_for 3 is 200
	[[ $(get "http://127.0.0.1:$BNC_PORT/health") == ok ]]
	get "http://127.0.0.1:$BNC_PORT/health.json" | jq -e '.status == "ok" and .ageMs < 2000 and .streams[0].pair == "SOLUSDT"'
	get "http://127.0.0.1:$BNC_PORT/metrics" | grep -q '^bnc_hub_up 1$'
	# the feed goes silent
	kill "$ticks"
	wait "$ticks" || true
	SECONDS=0
	wait_for 5 is 404
	((SECONDS <= 4))
	wait_for 2 eval '[[ $(get "http://127.0.0.1:$BNC_PORT/health.json" | jq -r .status) == stale ]]'
	# and comes back
	ticks 3>&- &
	ticks=$!
	wait_for 2 is 200
	# the hub stands still
	local hub
	hub=$(hub_pid)
	kill -STOP "$hub"
	SECONDS=0
	wait_for 6 is 404
	((SECONDS <= 5))
	kill -CONT "$hub"
	wait_for 2 is 200
	# and is killed: the next one begins without the file of the one before, and has its own as soon as there is a price
	kill -KILL "$hub"
	wait_for 8 eval 'another=$(hub_pid) && [[ -n $another && $another != "$hub" ]]'
	wait_for 8 is 200
	kill "$ticks"
	exec 5>&-
}

@test "/health is gone within --stale and two seconds for whoever asks, also of a hub that stands still" {
	mkfifo prices
	feed <<<'exec cat prices'
	BNC_STALE=1s serve
	exec 5<>prices
	ticks() { while echo "$PRICE" >&5; do sleep 0.2; done; }
	ticks 3>&- &
	local ticks=$! hub begun asked i
	hub=$(hub_pid)
	# whoever asks notes when: the last one who is told that all is well counts
	still_well() { asked=${EPOCHREALTIME/./} && is 200; }
	for i in 1 2 3; do
		wait_for 5 is 200
		kill -STOP "$hub"
		begun=${EPOCHREALTIME/./}
		while still_well; do
			((asked - begun < 3000000))
		done
		kill -CONT "$hub"
	done
	kill "$ticks"
	exec 5>&-
}

@test "no CGI is needed for it, and a page from elsewhere cannot read it by script" {
	serve
	run get -i "http://127.0.0.1:$BNC_PORT/health.json"
	[[ $output != *Access-Control* && $output == *"X-Content-Type-Options: nosniff"* ]]
}

# --- what it holds open ---------------------------------------------------------------------------------------------

@test "nothing the caller has open goes on to what lives for hours" {
	exec 7<"$ROOT/LICENSE"
	serve
	exec 7<&-
	start client "$WS" "ws://127.0.0.1:$BNC_PORT/ws" --seconds 60
	wait_for 5 test -s client.out
	local pid n=0
	for pid in $(awk '/websocketd|bnc-|hub.sh|\/feed/ && !/ws:/ { print $1 }' <<<"$(left_over)"); do
		run ls -l "/proc/$pid/fd"
		echo "$output"
		[[ $output != *LICENSE* && $output != *serve.lock* && $output != *ready* ]]
		((n += 1))
	done
	((n >= 5))
}

# a tree of its own, with a page
tree() {
	mkdir -p tree/scripts tree/web/dist/assets tree/web/dist/.git
	cp "$ROOT"/scripts/*.sh tree/scripts/
	echo '<title>the page</title>' >tree/web/dist/index.html
	echo 'let a' >tree/web/dist/assets/a.js
	echo secret >tree/web/dist/.git/config
	echo secret >tree/web/dist/.env
	echo secret >secret
	ln -s "$SCRATCH/secret" tree/web/dist/link
	ln -s "$SCRATCH" tree/web/dist/links
	mkfifo tree/web/dist/fifo
}

@test "the page is a copy: no dot file, no symbolic link, no FIFO, no listing" {
	tree
	serve "$SCRATCH/tree/scripts"
	[[ $(get "http://127.0.0.1:$BNC_PORT/") == *"the page"* ]]
	[[ $(get "http://127.0.0.1:$BNC_PORT/assets/a.js") == "let a" ]]
	local path
	for path in .env .git/config link links/secret fifo; do
		[[ $(get -o /dev/null -w '%{http_code}' "http://127.0.0.1:$BNC_PORT/$path") == 404 ]]
	done
	[[ $(get "http://127.0.0.1:$BNC_PORT/assets/") == "" ]]
	[[ $(get --path-as-is -o /dev/null -w '%{http_code}' "http://127.0.0.1:$BNC_PORT/../secret") != 200 ]]
	[[ -f secret && -p tree/web/dist/fifo ]]
}

@test "without a page there is one that says how to read the stream; every answer has the security headers" {
	mkdir -p tree/scripts
	cp "$ROOT"/scripts/*.sh tree/scripts/
	serve "$SCRATCH/tree/scripts"
	run get -i "http://127.0.0.1:$BNC_PORT/"
	echo "$output"
	[[ $output == *"ws://localhost:$BNC_PORT/ws"* && $output != *"<script"* ]]
	[[ $output == *"Content-Security-Policy: default-src 'self'; connect-src 'self' ws://localhost:$BNC_PORT ws://127.0.0.1:$BNC_PORT;"*"frame-ancestors 'none'"* ]]
	[[ $output == *"X-Content-Type-Options: nosniff"* && $output == *"X-Frame-Options: DENY"* && $output == *"Cache-Control: no-cache"* ]]
}

@test "websocketd is never given --cgidir or --dir, and never more than 64 clients" {
	serve
	run cat "/proc/$(websocketd_pid)/cmdline"
	[[ $output =~ --maxforks=64([^0-9]|$) && $output != *cgi* && $output != *--dir* ]]
	# a comment may name it
	run ! grep -nE '^[^#]*--(cgidir|dir)\b' "$ROOT"/scripts/*.sh
	# in 0.4.1 CONNECT gets past the cleaning of paths
	[[ $(get -X CONNECT --path-as-is -o /dev/null -w '%{http_code}' "http://127.0.0.1:$BNC_PORT/../feed") != 200 ]]
}

@test "pages of other origins are refused here too, clients without Origin are not" {
	serve
	client
	client --origin "http://127.0.0.1:$BNC_PORT"
	run "$WS" "ws://127.0.0.1:$BNC_PORT/ws" --origin http://evil.example
	[[ ${#lines[@]} == 1 && $output == *'"end"'* ]]
	run "$WS" "ws://evil.example:$BNC_PORT/ws" --address 127.0.0.1
	[[ ${#lines[@]} == 1 && $output == *'"end"'* ]]
}

@test "its variables reach the feed" {
	feed <<<'echo "{\"type\":\"note\",\"is\":\"$BNC_SOURCE|$BNC_SYMBOLS|${BNC_READY_FD:-}\"}"; cat; sleep 1000'
	BNC_SOURCE=demo BNC_SYMBOLS="SOLUSDT,ETHUSDT" serve
	"$WS" "ws://127.0.0.1:$BNC_PORT/ws" --until '"is":"demo\|SOLUSDT,ETHUSDT\|"'
}

@test "a secret reaches the feed as it is, and stands in no environment but its own" {
	feed <<<'jq -nc "{type: \"note\", env: env}"; exec sleep 1000'
	BNC_API_KEY=swordfish BNC_API_SECRET=$'  two\nlines of swordfish "\\\n' BNC_BUS='' serve
	start client "$WS" "ws://127.0.0.1:$BNC_PORT/ws" --seconds 60
	wait_for 5 grep -q '"note"' client.out
	grep '"note"' client.out | jq -e '.env | .BNC_API_KEY == "swordfish" and
		.BNC_API_SECRET == "  two\nlines of swordfish \"\\\n" and (has("BNC_SECRETS_FD") | not)'
	run holders swordfish
	[[ $output =~ ^[0-9]+\ sleep\ 1000$ ]]
	stop serve
	((status == 0))
	# a script that takes secrets ends as ever
	BNC_API_SECRET=swordfish run timeout 10 "$ROOT/scripts/serve.sh" -x
	((status == 2 && ${#lines[@]} == 1))
}

@test "what a killed feed could not tidy up is tidied, what a living one uses is not" {
	start living bash -c 'exec -a feed.sh sleep 1000'
	mkdir run/demo.999999999.abc "run/demo.$$.abc" "run/demo.$living_pid.abc"
	serve
	[[ ! -e run/demo.999999999.abc && ! -e run/demo.$$.abc && -d run/demo.$living_pid.abc ]]
}

@test "the logs are kept short while it runs" {
	truncate -s 9M run/websocketd.log run/pipeline.log run/feed.log run/hub.log
	echo last >>run/websocketd.log
	serve
	[[ -s run/websocketd.log.old && -s run/pipeline.log.old && ! -s run/pipeline.log ]]
	[[ -s run/feed.log.old && -s run/hub.log.old && ! -s run/hub.log ]]
	(($(stat -c %s run/websocketd.log) < 10000))
}

@test "in a tree with blanks in its name, called from elsewhere and through a link" {
	mkdir -p "a tree/scripts" "a directory"
	cp "$ROOT"/scripts/*.sh "a tree/scripts"
	ln -s "../a tree/scripts/serve.sh" "a directory/serve.sh"
	mkdir -m 700 "a directory/run"
	export BNC_RUN="$SCRATCH/a directory/run"
	cd /
	rm -f "$SCRATCH/ready"
	start serve bash -c 'exec "$0" --ready-fd 9 9>"$SCRATCH/ready"' "$SCRATCH/a directory/serve.sh"
	wait_for 10 test -s "$SCRATCH/ready"
	client
	[[ $(get "http://127.0.0.1:$BNC_PORT/") == *"<title>bnc"* ]]
}
