load ../lib
load hub

gone='the hub has gone: waiting for it to come back'

# a hub that knows more than a pipe and a socket hold
open_large_hub() {
	open_hub --history 20000
	seq 10000 | sed 's/.*/{"type":"equity_snapshot","equity":"&","ts":&,"asset":"USDT","unrealizedPnl":"0"}/' >&5
	soon metric_is 'lines_in_total{type="equity_snapshot"}' 10000
}

# within 100 ms, and 0; a machine that has no time for it gets another chance
ends_at_once() { # INPUT STATE SIGN
	local said i at=sock
	[[ $2 != waiting* ]] || at=nowhere
	for i in 1 2 3 4; do
		said=$("$TOOLS/tap-end" "$@" $at) || return 1
		echo "$*: $said"
		[[ $said == *' 0' ]] || return 1
		((${said% *} <= 100 * SLOW)) && return 0
	done
	return 1
}

# stands in for a hub at ./fake; STEP...
fake() {
	begin fake "$TOOLS/hub-fake" fake "$@"
	soon has fake listens
}

# the records of NAME in short
short() { jq -r '.n // .detail // .state' "$1.out" | xargs -d '\n'; }

elapsed() { echo $(((${EPOCHREALTIME/./} - began) / 1000)); }

# --- options ------------------------------------------------------------------------------------------------------

@test "help and version go to standard output" {
	run --separate-stderr bnc-tap --help
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[0]} == "usage: bnc-tap "* ]]
	run --separate-stderr bnc-tap -V
	[[ $output =~ ^bnc-tap\ [0-9.]+$ ]]
}

@test "wrong calls say why, and end with 2" {
	local call
	for call in "" "a b" "-x s" "-v s" "--nope s" "--wait x s" "--wait -1 s" "--wait 1y s" "--wait" "--rate x s" \
		"--rate 1001 s" "--rate 0.5 s" "--rate -1 s" "--rate" "--health=1 s" "--health --metrics s" "--metrics --health s"; do
		run --separate-stderr bnc-tap $call </dev/null
		echo "$call: $status $stderr"
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[[ ${stderr_lines[0]} == bnc-tap:* && ${stderr_lines[1]} == "usage: bnc-tap "* ]]
	done
	run --separate-stderr bnc-tap --rate 1k s
	[ "${stderr_lines[0]}" = "bnc-tap: --rate: '1k' is not a number of Hz up to 1000" ]
}

# --- a hub that is there, or comes ----------------------------------------------------------------------------------

@test "no hub: 3 at once, or after --wait; what no time will mend is not waited for" {
	local began=${EPOCHREALTIME/./}
	run --separate-stderr bnc-tap sock
	[[ $status -eq 3 && -z $output && $stderr == "bnc-tap: sock: No such file or directory" ]]
	run --separate-stderr bnc-tap --wait 0 sock
	[ "$status" -eq 3 ]
	open_hub
	stop hub KILL
	exec 5>&-
	run --separate-stderr bnc-tap sock
	[[ $status -eq 3 && $stderr == "bnc-tap: sock: Connection refused" ]]
	run --separate-stderr bnc-tap --wait 60 "$(printf 'x%.0s' {1..108})"
	[[ $status -eq 3 && $stderr == *": File name too long" ]]
	run --separate-stderr bnc-tap --wait 60 ready/sock
	[[ $status -eq 3 && $stderr == "bnc-tap: ready/sock: Not a directory" ]]
	(($(elapsed) < 5000 * SLOW))
	began=${EPOCHREALTIME/./}
	run --separate-stderr bnc-tap --wait 700ms sock
	[[ $status -eq 3 && -z $output && $stderr == "bnc-tap: sock: Connection refused" ]]
	(($(elapsed) >= 700 && $(elapsed) < 5000 * SLOW))
}

@test "--wait: a hub that comes in time" {
	begin one bnc-tap --wait 60 sock
	begin two bnc-tap --wait 60s sock
	# what is left of a hub that was killed is none
	open_hub
	stop hub KILL
	exec 5>&-
	open_hub
	price SOL 1 >&5
	soon has one '"price":"1"'
	soon has two '"price":"1"'
	close_hub
	wait_end one 5
	[ "$status" -eq 0 ]
	[ ! -s one.err ]
	[[ $(tail -n 1 one.out) == *'"state":"end"'* ]]
}

@test "what is known, a border, and then every line as it is; --rate: the newest" {
	local began=${EPOCHREALTIME/./}
	open_hub
	price SOL 1 >&5
	printf '%s\n' ' { "a" : [1, 2.50, "\u00e9é"] }	' >line
	tap all
	tap one --rate 1
	[ "$(head -n 1 one.out)" = "$(price SOL 1)" ]
	stream 3000 3 >lines
	cat line >&5
	split -l 250 lines part.
	local part
	for part in part.*; do
		cat "$part" >&5
		soon has all "$(tail -n 1 "$part")"
	done
	border all | cmp - <(cat line lines)
	soon has one '"price":"2999.5"'
	cmp <(border one | grep -v price_update) <(cat line lines | grep -v price_update)
	(($(border one | grep -c price_update) < 2 * ($(elapsed) / 1000 + 2)))
	close_hub
	wait_end all 5
	[ "$status" -eq 0 ]
	wait_end one 5
	[ "$status" -eq 0 ]
}

@test "it asks as it was told to, at each hub" {
	fake '{"n":1}\n' close '{"n":2}\n' '{"type":"status","state":"end"}\n' close
	begin one bnc-tap --wait 60 --rate 20 fake
	wait_end one 20
	[ "$status" -eq 0 ]
	[ "$(short one)" = "1 $gone 2 end" ]
	[ "$(<fake.out)" = $'listens\nasked: rate 20\nasked: rate 20' ]
}

# --- the end --------------------------------------------------------------------------------------------------------

@test "it ends within 100 ms of a signal, also while its reader takes nothing, and while it waits for a hub" {
	open_large_hub
	local sign
	for sign in TERM INT; do
		ends_at_once null idle $sign
		ends_at_once pipe blocked $sign
		ends_at_once socket waiting $sign
	done
	close_hub
}

@test "it ends within 100 ms of the end of standard input: of a pipe, a socket, a terminal" {
	open_large_hub
	local input
	for input in pipe socket terminal; do
		ends_at_once $input idle eof
		ends_at_once $input blocked eof
		ends_at_once $input waiting eof
	done
	close_hub
}

@test "it ends within 100 ms of its reader's end, also while nothing is written" {
	open_large_hub
	ends_at_once pipe idle reader
	ends_at_once null idle reader
	ends_at_once pipe blocked reader
	ends_at_once null waiting reader
	close_hub
}

@test "what stands on standard input is taken, whatever its reader does; a file says nothing" {
	open_large_hub
	local input state
	for input in pipe socket terminal; do
		for state in idle blocked waiting; do
			ends_at_once $input $state+flood eof
		done
	done
	[ "$("$TOOLS/tap-end" null idle none sock)" = on ]
	[ "$("$TOOLS/tap-end" pipe idle none sock)" = on ]
	# a shell has it in the background
	[ "$("$TOOLS/tap-end" behind idle none sock)" = on ]
	echo text >file
	STDIN=file begin one bnc-tap sock
	soon has one 'from here on'
	price SOL 1 >&5
	soon has one '"price":"1"'
	close_hub
}

@test "SIGUSR1 is no end; a reader that goes is a quiet one" {
	open_hub
	tap one
	kill -USR1 "$one_pid"
	price SOL 1 >&5
	soon has one '"price":"1"'
	run --separate-stderr bash -c 'bnc-tap sock </dev/null | head -n 1; exit "${PIPESTATUS[0]}"'
	[[ $status -eq 0 && -z $stderr && $output == "$(price SOL 1)" ]]
	close_hub
}

@test "output that cannot be written is told, exit 3" {
	open_hub
	price SOL 1 >&5
	soon metric_is 'lines_in_total{type="price_update"}' 1
	local question
	for question in '' --health --metrics; do
		run --separate-stderr bash -c "bnc-tap $question sock >/dev/full"
		[[ $status -eq 3 && $stderr == "bnc-tap: standard output: No space left on device" ]]
	done
	close_hub
}

# --- the hub goes ---------------------------------------------------------------------------------------------------

@test "a hub that dies: one record, and the next hub's stream" {
	open_hub
	price SOL 1 >&5
	tap one --wait 60
	stop hub KILL
	exec 5>&-
	soon has one "$gone"
	open_hub
	soon eval '(($(grep -c "from here on" one.out) == 2))'
	price SOL 2 >&5
	soon has one '"price":"2"'
	[ "$(grep -cF "$gone" one.out)" -eq 1 ]
	[ "$(jq -c '[.type, .state // .price]' one.out | xargs)" = \
		"[price_update,1] [status,live] [status,connecting] [status,connecting] [price_update,2]" ]
	[ "$(jq -r 'select(.detail == "'"$gone"'") | (.ts - now * 1000 | fabs) < 60000' one.out)" = true ]
	close_hub
	wait_end one 5
	[ "$status" -eq 0 ]
	[ ! -s one.err ]
}

@test "without --wait the hub's death is the end: 3, told, and no record" {
	open_hub
	price SOL 1 >&5
	tap one
	stop hub KILL
	wait_end one 5
	[ "$status" -eq 3 ]
	[ "$(<one.err)" = "bnc-tap: sock: the hub has gone" ]
	[ "$(wc -l <one.out)" -eq 2 ]
	exec 5>&-
	# one that goes down by a signal has said so itself
	open_hub
	tap two --wait 0
	stop hub
	wait_end two 5
	[ "$status" -eq 3 ]
	[ "$(short two)" = "from here on as it comes; no price has come yet the hub goes down" ]
	exec 5>&-
}

@test "hubs that hang up: what is told of them, a line that breaks off, and when it is enough" {
	fake '{"n":1}\n' close close close '{"n":2}\n{"n":' close close '4}\n' '{"type":"status","state":"end"}\n' close
	begin one bnc-tap --wait 60 fake
	wait_end one 20
	[ "$status" -eq 0 ]
	# the rest of a line is not that of another hub's
	[ "$(sed 's/"ts":[0-9]*/"ts":0/' one.out)" = "$(printf '%s\n' '{"n":1}' \
		'{"type":"status","state":"connecting","ts":0,"detail":"'"$gone"'"}' '{"n":2}' \
		'{"type":"status","state":"connecting","ts":0,"detail":"'"$gone"'"}' '4}' '{"type":"status","state":"end"}')" ]
	stop fake
	rm fake
	# one that never says a word has not come back
	fake '{"n":1}\n' close quit
	begin two bnc-tap --wait 0.5 fake
	wait_end two 20
	[ "$status" -eq 3 ]
	[ "$(short two)" = "1 $gone" ]
	fake close
	begin three bnc-tap --wait 0.5 fake
	wait_end three 20
	[[ $status -eq 3 && ! -s three.out && $(<three.err) == "bnc-tap: fake: the hub has gone" ]]
}

@test "its own record waits for a reader like any line" {
	mkfifo out
	fake 'count 20000' close '{"n":0}\n' '{"type":"status","state":"end"}\n' close
	local files
	files=$(ls "/proc/$fake_pid/fd" | wc -l)
	begin one bash -c 'bnc-tap --wait 60 fake </dev/null >out'
	exec 7<out
	# the first hub has gone while the pipe is full
	soon has fake asked
	soon eval '(($(ls "/proc/$fake_pid/fd" | wc -l) == files))'
	cat <&7 >lines
	exec 7<&-
	jq -r '.n // .detail // .state' lines | diff - <(seq 20000; printf '%s\n' "$gone" 0 end)
	wait_end one 5
	[ "$status" -eq 0 ]
}

# --- the hub's last word --------------------------------------------------------------------------------------------

@test "0 at the end of the stream, 1 where it was cut off, 3 where it is not served" {
	end() { printf '{"type":"status","state":"end","ts":1,"detail":"%s"}\\n' "$1"; }
	local said
	for said in "0 the stream has ended" "1 cut off: too slow" "3 refused: too many"; do
		fake '{"n":1}\n' "$(end "${said#* }")" quit
		run --separate-stderr bnc-tap --wait 60 fake
		echo "$said: $status $stderr"
		[ "$status" -eq "${said%% *}" ]
		[ "${lines[1]}" = "$(end "${said#* }" | sed 's/\\n//')" ]
		[[ $status -eq 3 && $stderr == "bnc-tap: fake: the hub does not serve one more like this" || -z $stderr ]]
		wait_end fake 5
	done
	# only the last one is
	fake "$(end "cut off: no")" '{"n":1}\n' close "$(end "the stream has ended")" quit
	run bnc-tap --wait 60 fake
	[ "$status" -eq 0 ]
	[ "$(jq -r '.n // .detail' <<<"$output" | xargs -d '\n')" = "cut off: no 1 $gone the stream has ended" ]
	wait_end fake 5
}

@test "what is no hub: a line without an end is told and left out, and costs no memory" {
	fake 'hold 5000000' '\n{"n":1}\n' '{"type":"status","state":"end"}\n' close
	begin one bnc-tap fake
	wait_end one 20
	[ "$status" -eq 0 ]
	[[ $(short one) == *"1 end" ]]
	[[ $(head -n 1 one.err) == "bnc-tap: fake: a line of more than "*" bytes is left out: is that a hub?" ]]
	[ "$(wc -l <one.out)" -eq 2 ]
}

# --- questions ------------------------------------------------------------------------------------------------------

@test "--health: 0 while prices are fresh, else 1" {
	local down='{"status":"down","ageMs":null,"streams":[],"readers":0,"uptime":0,"source":""}'
	run --separate-stderr bnc-tap --health sock
	[[ $status -eq 1 && $output == "$down" && $stderr == "bnc-tap: sock: No such file or directory" ]]
	open_hub --stale "$((2 * SLOW))s"
	run --separate-stderr bnc-tap --health sock
	[[ $status -eq 1 && -z $stderr ]]
	[ "$(jq -c '[.status, .ageMs, .streams, .readers, .source]' <<<"$output")" = '["down",null,[],0,"live"]' ]
	tap one
	echo '{"type":"status","state":"live","source":"demo"}' >&5
	price SOL 1 >&5
	soon has one '"price":"1"'
	run --separate-stderr bnc-tap --health sock
	echo "$output"
	[[ $status -eq 0 && -z $stderr && ${#lines[@]} -eq 1 ]]
	[ "$(jq -c '[.status, (.ageMs < '$((2000 * SLOW))'), .readers, (.uptime < 60), .source]' <<<"$output")" = \
		'["ok",true,1,true,"demo"]' ]
	[ "$(jq -c '.streams[] | .ageMs = (.ageMs < '$((2000 * SLOW))')' <<<"$output")" = \
		'{"market":"usdm","pair":"SOLUSDT","source":"book","ageMs":true}' ]
	soon eval '[[ $(bnc-tap --health sock) == "{\"status\":\"stale\","* ]]'
	run bnc-tap --health sock
	[ "$status" -eq 1 ]
	close_hub
}

@test "--health and --metrics wait for a hub as long as they are told" {
	begin health bnc-tap --health --wait 60 sock
	begin metrics bnc-tap --metrics --wait 60 sock
	open_hub
	wait_end health 20
	[ "$status" -eq 1 ]
	[[ $(<health.out) == '{"status":"down","ageMs":null,'* && ! -s health.err ]]
	wait_end metrics 20
	[ "$status" -eq 0 ]
	grep -qx 'bnc_hub_readers 0' metrics.out
	close_hub
	run --separate-stderr bnc-tap --metrics --wait 0.1 sock
	[[ $status -eq 3 && -z $output && $stderr == "bnc-tap: sock: No such file or directory" ]]
}

@test "--health and --metrics of a hub that stands still: down, and nothing, within two seconds" {
	open_hub
	tap one
	price SOL 1 >&5
	soon has one '"price":"1"'
	kill -STOP "$hub_pid"
	local began=${EPOCHREALTIME/./}
	begin metrics bnc-tap --metrics sock
	run --separate-stderr bnc-tap --health sock
	[[ $status -eq 1 && $output == '{"status":"down","ageMs":null,'* ]]
	[ "$stderr" = "bnc-tap: sock: the hub does not answer" ]
	wait_end metrics 5
	[[ $status -eq 3 && ! -s metrics.out && $(<metrics.err) == "bnc-tap: sock: the hub does not answer" ]]
	(($(elapsed) >= 2000 && $(elapsed) < 4000 * SLOW))
	# a signal does not have to wait for it
	begin health bnc-tap --health sock
	soon eval '[[ $(</proc/$health_pid/comm) == @(bnc-tap|memcheck*) ]]'
	stop health
	# its readers do not mind
	goes_on one
	kill -CONT "$hub_pid"
	price SOL 2 >&5
	soon has one '"price":"2"'
	bnc-tap --health sock
	close_hub
}

@test "--health and --metrics take only what a hub would say" {
	local said
	for said in '' 'hello\n' '{"type":"status","state":"end","detail":"refused: too many"}\n'; do
		fake ${said:+"$said"} close
		run --separate-stderr bnc-tap --health fake
		[[ $status -eq 1 && $output == '{"status":"down",'* && $stderr == "bnc-tap: fake: the hub does not answer" ]]
		run --separate-stderr bnc-tap --metrics fake
		[[ $status -eq 3 && -z $output && $stderr == "bnc-tap: fake: the hub does not answer" ]]
		[ "$(<fake.out)" = $'listens\nasked: health\nasked: metrics' ]
		stop fake
		rm fake
	done
}

@test "--metrics: all that the page names, and nothing else" {
	open_hub
	price SOL 1 >&5
	soon metric_is 'lines_in_total{type="price_update"}' 1
	bnc-tap --metrics sock >metrics
	sed -n '/^\.Ss Metrics/,/^\.Ss/ s/^\.It Cm //p' "$ROOT/man/bnc-hub.1" | tr -d ' ' | tr ',' '\n' | sort >page
	sed -n 's/^# TYPE bnc_hub_\([a-z_]*\) .*/\1/p' metrics | sort | diff page -
	run bash -c 'bnc-tap --metrics sock | true; exit "${PIPESTATUS[0]}"'
	[[ $status -eq 0 && -z $output ]]
	close_hub
}
