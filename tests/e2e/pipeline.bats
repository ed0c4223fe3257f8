# pipeline.sh under a real websocketd: who is let in, and that nothing of what it starts is ever left behind.
# The feeds are small scripts, in place of feed.sh beside a copy of pipeline.sh.
load ../lib

WS=$TOOLS/ws

setup() {
	lib_setup
	mkdir scripts
	cp "$ROOT/scripts/pipeline.sh" "$ROOT/scripts/common.sh" scripts/
	mkfifo open # a standard input that does not end
	quiet_feed
}

feed() { # its text on standard input
	{ echo '#!/bin/bash' && cat; } >"$SCRATCH/scripts/feed.sh"
	chmod +x "$SCRATCH/scripts/feed.sh"
}

quiet_feed() {
	feed <<-'E'
		echo '{"type":"status","state":"live","ts":1}'
		sleep 1000 | sed -u s/a/b/ | cat
	E
}

busy_feed() {
	feed <<-'E'
		while echo '{"type":"price_update","symbol":"SOL","price":"142.355","ts":1}'; do sleep 0.02; done | sed -u s/a/a/ | cat
	E
}

# the literal command, but for the place of the log, which is no test's to choose otherwise
serve() { # option...
	port=$(free_port)
	start websocketd websocketd --port="$port" --passenv="PATH,BNC_RUN${PASS:+,$PASS}" "$@" ./scripts/pipeline.sh
	wait_for 5 listening
}

listening() { (exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

only_websocketd() {
	left=$(left_over)
	[[ ${left%% *} == "$websocketd_pid" && $left != *$'\n'* ]]
}

# the program as websocketd calls it; no websocketd needed to try many clients
called_with() { # NAME=VALUE...
	env GATEWAY_INTERFACE=websocketd-CGI/0.1 PATH_INFO=/ws REMOTE_ADDR=127.0.0.1 SERVER_NAME=localhost SERVER_PORT=8000 \
		"$@" scripts/pipeline.sh <&8 8<&-
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
	[[ $output == fed ]]
}

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
	wait_for 2 only_websocketd
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
	feed <<<'echo fed'
	served PATH_INFO=/ws
	local path
	for path in / /ws/ /ws/x /WS //ws /wsx ''; do
		refused path PATH_INFO="$path"
	done
}

@test "peers" {
	feed <<<'echo fed'
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
	feed <<<'echo fed'
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
	feed <<<'echo fed'
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

@test "nothing of a request goes on to the feed, what is listed does" {
	feed <<<'env | tr "\n" " "; echo; ls /proc/self/fd | tr "\n" " "; echo'
	PASS=BNC_SYMBOLS BNC_SYMBOLS="A B" serve
	exec 7<"$ROOT/LICENSE"
	run "$WS" "ws://127.0.0.1:$port/ws" --header "Proxy: http://evil.example" --header "Cookie: secret" \
		--header "X.Odd'Name: evil" --seconds 2
	exec 7<&-
	echo "$output"
	[[ $output != *evil* && $output != *secret* && $output != *HTTP_* && $output != *REMOTE_* ]]
	[[ ${lines[0]} == *"BNC_SYMBOLS=A B"* && ${lines[0]} == *"BNC_RUN=$SCRATCH/run"* ]]
	[[ ${lines[1]} == "0 1 2 3 " ]] # 3 is the directory that ls reads
}

@test "values that are handed on are no arguments, which all users see" {
	export BNC_API_SECRET=swordfish GATEWAY_INTERFACE=x PATH_INFO=/ws REMOTE_ADDR=127.0.0.1 SERVER_NAME=localhost
	feed <<<'echo "$BNC_API_SECRET ${SERVER_NAME-}"; cat; sleep 1000'
	exec 8<>open
	# as the leader of a group: then setsid stays
	STDIN=open start pipeline scripts/pipeline.sh
	wait_for 5 test -s pipeline.out
	[[ $(<pipeline.out) == "swordfish " ]]
	left=$(left_over)
	echo "$left"
	[[ $left == *setsid*SERVER_NAME* && $left != *swordfish* ]]
}

@test "200 clients that leave in every way leave nothing: a quiet feed" {
	serve --loglevel=error
	run "$TOOLS/ws-cycles" "$port" 200
	echo "$output"
	((output >= 150))
	wait_for 3 only_websocketd
}

@test "200 clients that leave in every way leave nothing: a busy feed" {
	busy_feed
	serve --loglevel=error
	run "$TOOLS/ws-cycles" "$port" 200
	echo "$output"
	((output >= 150))
	wait_for 3 only_websocketd
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

@test "websocketd terminated: its children go" {
	serve
	five_clients
	left=$(left_over)
	(($(grep -c 'sleep 1000' <<<"$left") == 5))
	kill -TERM "$websocketd_pid"
	wait_for 2 only_clients
}

@test "websocketd killed: its children go" {
	serve
	five_clients
	kill -KILL "$websocketd_pid"
	wait_for 2 only_clients
}

@test "websocketd killed under a busy feed: its children go" {
	busy_feed
	serve
	five_clients
	kill -KILL "$websocketd_pid"
	wait_for 2 only_clients
}

@test "pipeline.sh itself killed: what it started goes when the client does" {
	serve
	start client "$WS" "ws://127.0.0.1:$port/ws" --seconds 60
	wait_for 5 test -s client.out
	left=$(left_over)
	kill -KILL "$(awk '/pipeline.sh --feed/ { print $1; exit }' <<<"$left")"
	stop client
	wait_for 2 only_websocketd
}

@test "a feed that does not listen to signals goes all the same" {
	feed <<-'E'
		trap '' TERM INT HUP
		echo stubborn
		sleep 1000 | cat
	E
	serve
	"$WS" "ws://127.0.0.1:$port/ws" --until stubborn
	wait_for 2 only_websocketd
}

@test "a feed that stands still goes all the same" {
	busy_feed
	serve
	start client "$WS" "ws://127.0.0.1:$port/ws" --seconds 60
	wait_for 5 many_lines client.out 3
	left=$(left_over)
	# all but the watcher
	kill -STOP $(awk '/scripts\/feed.sh|sed/ { print $1 } /pipeline.sh --feed/ && !n++ { print $1 }' <<<"$left")
	stop client
	wait_for 3 only_websocketd
}

@test "a start so slow that websocketd kills its child meanwhile leaves nothing" {
	mkdir slow
	printf '%s\n' '#!/bin/bash' 'sleep 1.5' 'exec /usr/bin/setpriv "$@"' >slow/setpriv
	chmod +x slow/setpriv
	PATH=$SCRATCH/slow:$PATH serve
	run "$WS" "ws://127.0.0.1:$port/ws" --seconds 0.3
	[[ -z $output ]]
	wait_for 4 only_websocketd
}

@test "a client that does not read holds up nobody, and goes with all it has" {
	feed <<<'yes "{\"type\":\"note\",\"ts\":1,\"text\":\"$(printf %0200d 0)\"}"'
	serve --loglevel=error
	start stalled "$WS" "ws://127.0.0.1:$port/ws" --seconds 60
	wait_for 5 test -s stalled.out
	kill -STOP "$stalled_pid"
	"$WS" "ws://127.0.0.1:$port/ws" --seconds 2 >out
	(($(wc -l <out) > 1000))
	kill -KILL "$stalled_pid"
	wait_for 4 only_websocketd
}

@test "a feed that ends: its last line arrives, the connection ends, nothing stays" {
	feed <<<'seq 500; echo last'
	serve
	local i
	for i in {1..20}; do
		run "$WS" "ws://127.0.0.1:$port/ws" --seconds 5
		[[ $status == 0 && ${#lines[@]} == 501 && ${lines[500]} == last ]]
	done
	wait_for 2 only_websocketd
}

@test "a feed that ends and leaves a process: that ends too, and so does the connection" {
	feed <<<'sleep 1000 & echo last'
	serve
	SECONDS=0
	run "$WS" "ws://127.0.0.1:$port/ws" --seconds 8
	[[ $output == last ]]
	((SECONDS < 4))
	wait_for 2 only_websocketd
}

@test "a feed that fails: the client is told, and the log says why" {
	feed <<<'echo "feed.sh: no such thing" >&2; exit 3'
	serve
	run "$WS" "ws://127.0.0.1:$port/ws" --seconds 5
	echo "$output"
	[[ ${#lines[@]} == 1 && $output == *'"state":"end"'*"status 3"* ]]
	grep -q 'no such thing' run/pipeline.log
}

@test "a feed that cannot be started: the client is told" {
	rm scripts/feed.sh
	serve
	run "$WS" "ws://127.0.0.1:$port/ws" --seconds 5
	[[ ${#lines[@]} == 1 && $output == *'"state":"end"'* ]]
}

@test "a client that floods does not stop its own stream, nor stay after its reset" {
	busy_feed
	serve --loglevel=error
	start flood "$WS" "ws://127.0.0.1:$port/ws" --flood 400000 --seconds 3 --reset
	wait_for 6 many_lines flood.out 60
	wait_end flood 10
	wait_for 2 only_websocketd
}

many_lines() { (($(wc -l <"$1") >= $2)); }

@test "errors of the feed go to a log, however long they are, which begins anew when it is long" {
	truncate -s 9M run/pipeline.log
	feed <<-'E'
		for i in {1..40}; do
			printf '%.0sx' {1..5000} >&2
			echo >&2
			echo "{\"n\":$i}"
		done
		cat
	E
	serve
	"$WS" "ws://127.0.0.1:$port/ws" --until '"n":40}' >out
	wait_for 2 only_websocketd
	(($(wc -c <run/pipeline.log) == 40 * 5001))
	[[ -e run/pipeline.log.old ]]
	run ! grep -q xxx websocketd.out websocketd.err
}

@test "errors of a feed that lives long do not fill the disk" {
	# long already, without taking the room
	feed <<<'truncate -s 255M "$BNC_RUN/pipeline.log"; head -c 3M /dev/zero | tr "\0" x >&2; echo still; cat'
	serve
	"$WS" "ws://127.0.0.1:$port/ws" --until still >out
	(($(stat -c %s run/pipeline.log) == 256 << 20))
}

@test "a runtime directory that is not ours alone is not written to, the stream goes on" {
	feed <<<'echo "told ${BNC_RUN-nothing}" >&2; echo "${BNC_RUN-nothing}"; cat'
	mkdir elsewhere
	mkdir -m 777 all
	chmod 777 all
	rmdir run && ln -s elsewhere run
	local dir
	for dir in run run/ all none/none; do
		[[ $dir != none/none ]] || : >none
		BNC_RUN=$SCRATCH/$dir
		serve
		"$WS" "ws://127.0.0.1:$port/ws" --until '^nothing$'
		stop websocketd
		[[ -z $(ls -A elsewhere all) || $(ls -A elsewhere all) == $'all:\n\nelsewhere:' ]]
		run ! grep told websocketd.out websocketd.err
	done
	[[ $(stat -c %a all) == 777 ]]
}

@test "a log that cannot be written keeps no client, and tells nobody else" {
	feed <<<'echo told >&2; echo fed; cat'
	mkdir run/pipeline.log
	serve
	"$WS" "ws://127.0.0.1:$port/ws" --until fed
	run ! grep told websocketd.out websocketd.err
}

@test "the literal command in a tree with blanks in its name, and from elsewhere" {
	mkdir "a tree"
	mv scripts "a tree/scripts"
	cd "a tree"
	serve
	"$WS" "ws://127.0.0.1:$port/ws" --until '"live"'
	stop websocketd
	cd /
	port=$(free_port)
	start websocketd websocketd --port="$port" --passenv=PATH,BNC_RUN "$SCRATCH/a tree/scripts/pipeline.sh"
	wait_for 5 listening
	"$WS" "ws://127.0.0.1:$port/ws" --until '"live"'
}

@test "by hand: the stream until the end of standard input" {
	busy_feed
	{ sleep 0.3; } | scripts/pipeline.sh >out
	(($(wc -l <out) >= 3))
	wait_for 2 nothing_left
}
