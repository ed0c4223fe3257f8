# pipeline.sh under a real websocketd: who is let in, that there is one feed for all, and that nothing of what it starts is
# ever left behind. The feeds are small scripts, in place of feed.sh beside copies of the scripts.
load ../lib

WS=$TOOLS/ws
LIVE='{"type":"status","state":"live","ts":1}'
PRICE='{"type":"price_update","symbol":"SOL","price":"142.355","ts":1,"pair":"SOLUSDT","market":"usdm","source":"book"}'

setup() {
	lib_setup
	mkdir scripts
	cp "$ROOT"/scripts/{pipeline,hub,common}.sh scripts/
	mkfifo open # a standard input that does not end
	export BNC_IDLE=1s
	quiet_feed
}

feed() { # its text on standard input
	{ echo '#!/bin/bash' && cat; } >"$SCRATCH/scripts/feed.sh"
	chmod +x "$SCRATCH/scripts/feed.sh"
}

quiet_feed() {
	feed <<-E
		echo '$LIVE'
		sleep 1000 | sed -u s/a/b/ | cat
	E
}

busy_feed() {
	feed <<-E
		while echo '$PRICE'; do sleep 0.02; done | sed -u s/a/a/ | cat
	E
}

# the literal command, but for the place of the log, which is no test's to choose otherwise
serve() { # option...
	port=$(free_port)
	start websocketd websocketd --port="$port" --passenv="PATH,BNC_RUN,BNC_IDLE${PASS:+,$PASS}" "$@" ./scripts/pipeline.sh
	wait_for 5 listening
}

listening() { (exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

only_websocketd() {
	left=$(left_over)
	[[ ${left%% *} == "$websocketd_pid" && $left != *$'\n'* ]]
}

feeds() { grep -c 'scripts/feed.sh' <<<"$(left_over)" || true; }

# the program as websocketd calls it; no websocketd needed to try many clients
called_with() { # NAME=VALUE...
	env GATEWAY_INTERFACE=websocketd-CGI/0.1 PATH_INFO=/ws REMOTE_ADDR=127.0.0.1 SERVER_NAME=localhost SERVER_PORT=8000 \
		"$@" scripts/pipeline.sh <&8 8<&- | head -n 1
}

refused() { # DETAIL NAME=VALUE...
	local detail=$1
	shift
	run called_with "$@" 8<>open
	echo "$* -> $output"
	((status == 0 && ${#lines[@]} == 1)) &&
		jq -e --arg detail "$detail" '.type == "status" and .state == "end" and .ts > 1.7e12 and (.detail | test($detail))' <<<"$output" >/dev/null
}

served() { # NAME=VALUE...
	run called_with "$@" 8<>open
	echo "$* -> $output"
	[[ $output == "$LIVE" || $output == *"from here on"* ]]
}

# --- who is let in --------------------------------------------------------------------------------------------------

@test "a client of loopback is served, with or without Origin" {
	serve
	"$WS" "ws://127.0.0.1:$port/ws" --until '"live"'
	"$WS" "ws://localhost:$port/ws" --until '"live"'
	"$WS" "ws://127.0.0.1:$port/ws?x=1" --until '"live"' --origin "http://localhost:$port"
	"$WS" "ws://[::1]:$port/ws" --until '"live"' --origin "http://[::1]:$port"
}

@test "websocketd takes every path, Host and Origin: pipeline.sh does not" {
	serve
	local evil=evil.example
	run "$WS" "ws://127.0.0.1:$port/" && [[ ${#lines[@]} == 1 && $output == *'"end"'*path* ]]
	run "$WS" "ws://127.0.0.1:$port/ws" --origin "http://$evil:$port" && [[ ${#lines[@]} == 1 && $output == *origin* ]]
	run "$WS" "ws://$evil:$port/ws" --address 127.0.0.1 && [[ ${#lines[@]} == 1 && $output == *host* ]]
	run "$WS" "ws://$evil:$port/ws" --address 127.0.0.1 --origin "http://$evil:$port"
	[[ ${#lines[@]} == 1 && $output == *'"end"'* && $output != *evil* ]]
	# nothing has been started for them
	wait_for 2 only_websocketd
	[[ ! -e run/hub.sock ]]
}

@test "a peer that is not loopback is refused" {
	local address
	read -r address _ < <(hostname -I)
	[[ -n $address ]] || skip "this machine has no address but loopback"
	[[ $address == *:* ]] && address="[$address]"
	serve
	run "$WS" "ws://localhost:$port/ws" --address "${address//[\[\]]/}"
	echo "$output"
	[[ ${#lines[@]} == 1 && $output == *address* ]]
}

@test "paths" {
	served PATH_INFO=/ws
	local path
	for path in / /ws/ /ws/x /WS //ws /wsx ''; do
		refused path PATH_INFO="$path"
	done
}

@test "peers" {
	local peer
	for peer in 192.0.2.7 ::ffff:192.0.2.7 fe80::1 1270.0.0.1 ''; do
		refused address REMOTE_ADDR=$peer
	done
	served REMOTE_ADDR=127.8.9.10
	served REMOTE_ADDR=::1 SERVER_NAME=::1
	served REMOTE_ADDR=192.0.2.7 BNC_ALLOW_PEER='10.0.0.1, 192.0.2.*'
	served REMOTE_ADDR=192.0.2.7 BNC_ALLOW_PEER='192.0.2.7' SERVER_NAME=192.0.2.1
	refused address REMOTE_ADDR=198.51.100.1 BNC_ALLOW_PEER='10.0.0.1, 192.0.2.*'
	refused 'host name' REMOTE_ADDR=192.0.2.7 BNC_ALLOW_PEER='192.0.2.*' SERVER_NAME=evil.example
}

@test "hosts" {
	local name
	for name in evil.example localhost.evil.example 127.0.0.1.evil.example 192.0.2.1 localhost. ''; do
		refused 'host name' SERVER_NAME=$name
	done
	served SERVER_NAME=LocalHost
	served SERVER_NAME=127.0.0.1
	served SERVER_NAME=bnc.example.org BNC_ALLOW_ORIGIN=https://bnc.example.org
	served SERVER_NAME=bnc.example.org BNC_ALLOW_ORIGIN='https://a.example https://bnc.example.org:8443'
	refused 'host name' SERVER_NAME=www.bnc.example.org BNC_ALLOW_ORIGIN=https://bnc.example.org
}

@test "origins" {
	local origin
	for origin in http://localhost:3000 http://localhost http://evil.example http://localhost:8000.evil.example null \
		file:// http://localhost:80001 'http://localhost:8000, http://evil.example' 'http://*:8000'; do
		refused origin HTTP_ORIGIN="$origin"
	done
	for origin in http://localhost:8000 https://localhost:8000 http://127.0.0.1:8000 'http://[::1]:8000'; do
		served HTTP_ORIGIN=$origin
	done
	served HTTP_ORIGIN=http://localhost SERVER_PORT=80
	served HTTP_ORIGIN=https://bnc.example.org SERVER_NAME=bnc.example.org BNC_ALLOW_ORIGIN=https://bnc.example.org
	refused origin HTTP_ORIGIN=https://evil.example BNC_ALLOW_ORIGIN=https://bnc.example.org
}

# --- what is handed on ----------------------------------------------------------------------------------------------

@test "nothing of a request goes on to feed, hub and tap, what is listed does" {
	feed <<<'jq -nc "{type: \"note\", env: env, fds: \"$(echo $(ls /proc/self/fd))\"}"; cat'
	PASS=BNC_SYMBOLS BNC_SYMBOLS="A B" serve
	exec 7<"$ROOT/LICENSE"
	start client "$WS" "ws://127.0.0.1:$port/ws" --header "Proxy: http://evil.example" --header "Cookie: secret" \
		--header "X.Odd'Name: evil" --seconds 20
	exec 7<&-
	wait_for 5 grep -q '"note"' client.out
	grep '"note"' client.out >out
	run ! grep -E 'evil|secret|HTTP_|REMOTE_' out
	[[ $(jq -r .env.BNC_SYMBOLS out) == "A B" && $(jq -r .env.BNC_RUN out) == "$SCRATCH/run" ]]
	[[ $(jq -r .fds out) == "0 1 2 3" ]] # 3 is the directory that ls reads
	local pid
	for pid in $(awk '/hub|bnc-tap|feed/ { print $1 }' <<<"$(left_over)"); do
		run ! grep -aE 'evil|secret' "/proc/$pid/environ" "/proc/$pid/cmdline"
		run ! ls -l "/proc/$pid/fd" '|' grep LICENSE
	done
}

@test "values that are handed on are no arguments, which all users see" {
	export BNC_API_SECRET=swordfish GATEWAY_INTERFACE=x PATH_INFO=/ws REMOTE_ADDR=127.0.0.1 SERVER_NAME=localhost
	feed <<<'echo "{\"type\":\"note\",\"is\":\"$BNC_API_SECRET ${SERVER_NAME-}\"}"; cat; sleep 1000'
	exec 8<>open
	STDIN=open start pipeline scripts/pipeline.sh
	wait_for 5 grep -q '"is":"swordfish "' pipeline.out
	left=$(left_over)
	echo "$left"
	[[ $left == *bnc-hub* && $left == *bnc-tap* && $left != *swordfish* ]]
}

# --- one feed for all -----------------------------------------------------------------------------------------------

@test "fifty clients at the same moment start one feed" {
	serve --loglevel=error
	local i
	for i in {1..50}; do
		"$WS" "ws://127.0.0.1:$port/ws" --until '"live"' --seconds 20 >"client$i" 2>&1 &
	done
	# one more stays while what they have started is counted
	start stays "$WS" "ws://127.0.0.1:$port/ws" --seconds 60
	wait_for 20 eval '(($(grep -l "\"live\"" client* | wc -l) == 50))'
	wait_for 20 grep -q '"live"' stays.out
	[[ $(feeds) == 1 ]]
	stop stays
	wait_for 6 only_websocketd
}

@test "a late comer sees at once what is known, and then what comes" {
	feed <<-E
		echo '$PRICE'
		echo '{"type":"position_update","symbol":"SOL","qty":"1","entryPrice":"1","ts":1,"pair":"SOLUSDT","market":"usdm","positionSide":"BOTH"}'
		for i in 1 2 3; do echo "{\"type\":\"equity_snapshot\",\"balance\":\"1\",\"unrealizedPnl\":\"0\",\"equity\":\"\$i\",\"ts\":\${i}000,\"asset\":\"USDT\"}"; done
		while sleep 0.1; do echo "{\"type\":\"heartbeat\",\"ts\":\$((n += 1))}"; done
	E
	# however long the second client takes to start: it is to find the hub of the first one
	BNC_IDLE=30s serve
	"$WS" "ws://127.0.0.1:$port/ws" --until '"heartbeat","ts":3}' >/dev/null
	"$WS" "ws://127.0.0.1:$port/ws" --seconds 1 >out
	jq -r '[.type, .equity // .state // ""] | join(" ")' out | grep -v heartbeat | tr '\n' , >order
	[[ $(<order) == "price_update ,position_update ,equity_snapshot 1,equity_snapshot 2,equity_snapshot 3,status live," ]]
	# heartbeats of the time before: the newest alone; nothing twice
	jq 'select(.type == "heartbeat").ts' out >beats
	sort -n -u beats | cmp - beats
	(($(head -n 1 beats) >= 3))
}

@test "BNC_RATE says how often a price comes, 0 for every one" {
	feed <<-E
		for ((i = 0; i < 4000; i++)); do echo '$PRICE' | sed "s/142.355/\$i/"; done
		echo '{"type":"note","last":true}'
		cat
	E
	BNC_RATE=0 PASS=BNC_RATE serve
	"$WS" "ws://127.0.0.1:$port/ws" --until '"last"' --seconds 60 >out
	wait_for 20 only_websocketd
	stop websocketd
	BNC_RATE=5 PASS=BNC_RATE serve
	SECONDS=0
	"$WS" "ws://127.0.0.1:$port/ws" --until '"last"' --seconds 60 >some
	# the first client may have come behind some of them; the second gets five a second at most
	echo "$(grep -c price_update out) $(grep -c price_update some) in $SECONDS s"
	(($(grep -c price_update out) > 1000))
	(($(grep -c price_update some) <= 5 * SECONDS + 7))
}

# --- leaving --------------------------------------------------------------------------------------------------------

@test "500 clients that leave in every way: one feed, and nothing is left, neither processes nor descriptors" {
	serve --loglevel=error
	"$TOOLS/ws-cycles" "$port" 20 >/dev/null
	start stays "$WS" "ws://127.0.0.1:$port/ws" --seconds 120
	wait_for 5 test -s stays.out
	local hub before after
	hub=$(awk '$2 == "bnc-hub" { print $1 }' <<<"$(left_over)")
	fds() { echo "$(ls "/proc/$websocketd_pid/fd" | wc -l) $(ls "/proc/$hub/fd" | wc -l)"; }
	memory() { echo $(($(awk '/VmRSS/ { print $2 }' "/proc/$hub/status"))); }
	sleep 1
	before="$(fds) $(memory)"
	run "$TOOLS/ws-cycles" "$port" 500
	echo "$output"
	((output >= 380))
	[[ $(feeds) == 1 ]]
	wait_for 5 eval '[[ "$(fds)" == "${before% *}" ]]'
	after=$(memory)
	echo "hub: $before kB before, $after kB after"
	((after - ${before##* } < 1000)) || [[ -n ${SAN:-} ]]
	[[ $(grep -c bnc-tap <<<"$(left_over)") == 1 ]]
	stop stays
	wait_for 4 only_websocketd
}

@test "300 clients that leave a busy feed in every way leave nothing" {
	busy_feed
	serve --loglevel=error
	run "$TOOLS/ws-cycles" "$port" 300
	echo "$output"
	((output >= 220))
	wait_for 4 only_websocketd
}

five_clients() {
	local i
	for i in 1 2 3 4 5; do
		start "client$i" "$WS" "ws://127.0.0.1:$port/ws" --seconds 60
	done
	for i in 1 2 3 4 5; do
		wait_for 10 test -s "client$i.out"
	done
}

only_clients() {
	left=$(left_over)
	[[ -z $left ]] || ! grep -v ws:// <<<"$left"
}

@test "websocketd terminated or killed, under a quiet feed and a busy one: all goes" {
	local signal kind
	for kind in quiet busy; do
		${kind}_feed
		for signal in TERM KILL; do
			serve
			five_clients
			kill -$signal "$websocketd_pid"
			wait_for 4 only_clients
			end_all
		done
	done
}

@test "a hub that is killed comes back, and clients keep their connections" {
	busy_feed
	serve
	five_clients
	kill -KILL "$(awk '$2 == "bnc-hub" { print $1 }' <<<"$(left_over)")"
	local i
	for i in 1 2 3 4 5; do
		wait_for 10 grep -q 'the hub has gone' "client$i.out"
		wait_for 10 eval '[[ $(sed "1,/the hub has gone/d" "client$i.out") == *price_update* ]]'
	done
	# every line is whole
	cat client?.out | jq -e -s 'all(type == "object")' >/dev/null
}

@test "a feed that ends or fails: clients are told, keep their connections, and it is started again" {
	feed <<-E
		echo '$LIVE'
		echo "feed.sh: no such thing" >&2
		exit 3
	E
	serve
	"$WS" "ws://127.0.0.1:$port/ws" --until 'the feed has ended with status 3: again in 1 s' \
		--until 'again in 2 s' --seconds 20
	grep -q 'no such thing' run/feed.log
}

@test "hub.sh itself killed: what it started goes, and the next client starts another" {
	feed <<<"echo '$LIVE'; while sleep 0.1; do :; done"
	serve
	start client "$WS" "ws://127.0.0.1:$port/ws" --seconds 60
	wait_for 5 test -s client.out
	kill -KILL "$(awk '/hub.sh --idle/ { print $1; exit }' <<<"$(left_over)")"
	wait_for 5 grep -q 'the hub has gone' client.out
	wait_for 3 eval '[[ $(feeds) == 0 ]]'
	"$WS" "ws://127.0.0.1:$port/ws" --until '"live"'
	# and the one that had waited is served too
	wait_for 5 eval '[[ $(sed "1,/the hub has gone/d" client.out) == *live* ]]'
	stop client
	wait_for 4 only_websocketd
}

@test "a feed that does not listen to signals, and one that stands still, go all the same" {
	feed <<-E
		trap '' TERM INT HUP
		echo '$LIVE'
		sleep 1000 | cat
	E
	serve
	"$WS" "ws://127.0.0.1:$port/ws" --until '"live"'
	wait_for 6 only_websocketd
	busy_feed
	start client "$WS" "ws://127.0.0.1:$port/ws" --seconds 60
	wait_for 5 many_lines client.out 3
	kill -STOP $(awk '/scripts\/feed.sh|sed/ { print $1 }' <<<"$(left_over)")
	stop client
	wait_for 6 only_websocketd
}

@test "a hub that cannot be started: the client is told, and the log says why" {
	mkdir run/hub.sock # in the way
	serve
	run "$WS" "ws://127.0.0.1:$port/ws" --seconds 15
	echo "$output"
	[[ ${#lines[@]} == 1 && $output == *'"state":"end"'*"could not be started"* ]]
	grep -q 'hub.sock: is there, and is no socket' run/feed.log
}

@test "a start so slow that websocketd kills its child meanwhile leaves nothing" {
	mkdir slow
	printf '%s\n' '#!/bin/bash' 'sleep 1.5' 'exec /usr/bin/setpriv "$@"' >slow/setpriv
	chmod +x slow/setpriv
	PATH=$SCRATCH/slow:$PATH serve
	run "$WS" "ws://127.0.0.1:$port/ws" --seconds 0.3
	[[ -z $output ]]
	wait_for 8 only_websocketd
}

# --- clients that are odd -------------------------------------------------------------------------------------------

@test "a client that does not read holds up nobody, and goes with all it has" {
	feed <<-E
		i=0
		while echo '{"type":"note","ts":'\$((i += 1))',"text":"$(printf %0200d 0)"}'; do ((i % 50)) || sleep 0.01; done
	E
	serve --loglevel=error
	start stalled "$WS" "ws://127.0.0.1:$port/ws" --seconds 60
	wait_for 5 test -s stalled.out
	kill -STOP "$stalled_pid"
	"$WS" "ws://127.0.0.1:$port/ws" --seconds 4 >out
	# all that came meanwhile, in order
	jq 'select(.type == "note").ts' out >numbers
	(($(wc -l <numbers) > 1000))
	seq "$(head -n 1 numbers)" "$(tail -n 1 numbers)" | cmp - numbers
	kill -KILL "$stalled_pid"
	wait_for 6 only_websocketd
}

@test "a client that floods does not stop its own stream, nor stay after its reset" {
	busy_feed
	serve --loglevel=error
	start flood "$WS" "ws://127.0.0.1:$port/ws" --flood 400000 --seconds 3 --reset
	wait_for 6 many_lines flood.out 30
	wait_end flood 10
	wait_for 4 only_websocketd
}

many_lines() { (($(wc -l <"$1") >= $2)); }

@test "what is no JSON, or too long for one WebSocket frame, reaches no client; a record says so" {
	long() { printf '{"type":"note","ts":17,"text":"%0*d"}\n' $(($1 - 34)) 0; } # of so many bytes, its end included
	{ printf '\n{"type":"note","text":"\xff\xfe"}\nnone\n\0\n' && long 4082 && long 4083 && echo '{"type":"note","last":"é"}'; } >lines
	feed <<<"cat '$SCRATCH/lines'; cat"
	PASS=BNC_RATE BNC_RATE=0 serve
	"$WS" "ws://127.0.0.1:$port/ws" --until '"last":"é"' >out
	[[ $(grep -c '"note"' out) == 1 || $(grep -c '"note"' out) == 2 ]] # the newest, or both
	jq -e -s 'all(type == "object")' out >/dev/null
	(($(awk '{ if (length > n) n = length } END { print n }' out) <= 4081))
	grep -q 'bnc-hub: line 2: ' run/feed.log
	start client "$WS" "ws://127.0.0.1:$port/ws" --seconds 30
	"$WS" "ws://127.0.0.1:$port/ws" --seconds 0.2 >/dev/null
}

# --- logs -----------------------------------------------------------------------------------------------------------

@test "errors of the feed go to a log, however long they are, which begins anew when it is long" {
	truncate -s 9M run/feed.log
	feed <<-'E'
		for i in {1..40}; do
			printf '%.0sx' {1..5000} >&2
			echo >&2
			echo "{\"n\":$i}"
		done
		cat; sleep 1000
	E
	serve
	"$WS" "ws://127.0.0.1:$port/ws" --until '"live"\|"connecting"' >out || true
	wait_for 5 eval '(($(grep -c "xxx" run/feed.log) == 40))'
	[[ -e run/feed.log.old ]]
	run ! grep -q xxx websocketd.out websocketd.err
}

@test "errors of a feed that lives long do not fill the disk" {
	# long already, without taking the room
	feed <<<'truncate -s 255M "$BNC_RUN/feed.log"; head -c 3M /dev/zero | tr "\0" x >&2; echo "{\"type\":\"note\",\"is\":\"still\"}"; cat; sleep 1000'
	serve
	"$WS" "ws://127.0.0.1:$port/ws" --until still >out
	(($(stat -c %s run/feed.log) == 256 << 20))
}

@test "a runtime directory that is not ours alone is not written to, and the client is told" {
	mkdir elsewhere
	mkdir -m 777 all
	chmod 777 all
	rmdir run && ln -s elsewhere run
	local dir
	for dir in run run/ all none/none; do
		[[ $dir != none/none ]] || : >none
		BNC_RUN=$SCRATCH/$dir
		serve
		run "$WS" "ws://127.0.0.1:$port/ws" --seconds 5
		[[ ${#lines[@]} == 1 && $output == *'"end"'*"ours alone"* ]]
		stop websocketd
		[[ -z $(ls -A elsewhere all) || $(ls -A elsewhere all) == $'all:\n\nelsewhere:' ]]
	done
	[[ $(stat -c %a all) == 777 ]]
}

@test "a log that cannot be written keeps no client, and tells nobody else" {
	mkdir run/pipeline.log
	serve
	"$WS" "ws://127.0.0.1:$port/ws" --until '"live"'
	[[ ! -s websocketd.err ]]
}

# --- how it is called -----------------------------------------------------------------------------------------------

@test "the literal command in a tree with blanks in its name, and from elsewhere" {
	mkdir "a tree"
	mv scripts "a tree/scripts"
	cd "a tree"
	sed -i "s|$SCRATCH/scripts|$SCRATCH/a tree/scripts|" scripts/feed.sh
	serve
	"$WS" "ws://127.0.0.1:$port/ws" --until '"live"'
	stop websocketd
	cd /
	port=$(free_port)
	start websocketd websocketd --port="$port" --passenv=PATH,BNC_RUN,BNC_IDLE "$SCRATCH/a tree/scripts/pipeline.sh"
	wait_for 5 listening
	"$WS" "ws://127.0.0.1:$port/ws" --until '"live"'
}

@test "by hand: the stream until the end of standard input" {
	busy_feed
	{ sleep 1; } | scripts/pipeline.sh >out
	(($(wc -l <out) >= 3))
	wait_for 4 nothing_left
}
