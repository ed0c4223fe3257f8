# bnc-stream: options, exit statuses, messages. What needs an exchange is in e2e/stream-*.bats

load ../lib

# nothing listens there, and nothing beyond this machine is asked
nowhere() { nowhere=(-u "wss://127.0.0.1:$(free_port)"); }

refused() { # MESSAGE ARGS...
	local message=$1
	shift
	run --separate-stderr bnc-stream "$@"
	[[ $status -eq 2 ]]
	[[ -z $output ]]
	[[ ${stderr_lines[0]} == "bnc-stream: $message" ]] || { echo "said: ${stderr_lines[0]}"; return 1; }
}

bats_require_minimum_version 1.5.0

@test "help and version go to standard output" {
	run --separate-stderr bnc-stream --help
	[[ $status -eq 0 && -z $stderr ]]
	[[ ${lines[0]} == "usage: bnc-stream "* ]]
	run --separate-stderr bnc-stream -V
	[[ $status -eq 0 && $output == "bnc-stream "* ]]
}

@test "wrong options: one line, usage, exit 2" {
	refused "no symbol and no stream is named"
	refused "option '--nope' is not known, or takes no argument" --nope SOLUSDT
	refused "option '-x' is not known, or takes no argument" -x SOLUSDT
	refused "-m: 'paper' is none of usdm, coinm, spot" -m paper SOLUSDT
	refused "-n: '0' is not a number of frames" -n 0 SOLUSDT
	refused "-n: 'x' is not a number of frames" -n x SOLUSDT
	refused "-t: 'soon' is not a duration" -t soon SOLUSDT
	refused "--lines: '5' is not a number from 1 to 4" --lines 5 SOLUSDT
	refused "--max-age: '0' is not a duration from 100ms" --max-age 0 SOLUSDT
	refused "--stale: '-1s' is not a duration from 100ms" --stale -1s SOLUSDT
	refused "--on-full: 'drop' is not block or conflate" --on-full drop SOLUSDT
	refused "--buffer: '1k' is not a size from 64k to 4G" --buffer 1k SOLUSDT
	refused "--ready-fd: '77' is not an open descriptor" --ready-fd 77 SOLUSDT
}

@test "wrong names: one line, usage, exit 2" {
	refused "'SOL/USDT' is neither a symbol nor the name of a stream" SOL/USDT
	refused "'solusdt@bookticker' would stay silent: the exchange writes bookTicker" SOLUSDT@bookticker
	refused "'solusdt@depth@250ms' would stay silent: 250 ms is what the bare name gives" -c depth@250ms SOLUSDT
	refused "'solusdt@markPrice' is no stream of the spot market" -m spot -c markPrice SOLUSDT
	refused "'!bookTicker' is gone from spot since 2022-12-07" -m spot '!bookTicker'
}

@test "wrong URLs: one line, usage, exit 2" {
	refused "-u: 'paper' is neither live, testnet, demo nor a URL that begins wss://" -u paper SOLUSDT
	refused "-u: 'ws://example.org' is not encrypted; ws:// is for this machine alone" -u ws://example.org SOLUSDT
	refused "-u: 'wss://h/ws' names a path; the stream decides that" -u wss://h/ws SOLUSDT
	refused "-u: 'wss://[::1]:443' is an IPv6 address, for which libwebsockets would not check the certificate: use a name" \
		-u 'wss://[::1]:443' SOLUSDT
}

@test "wrong environment: exit 2" {
	BNC_BACKOFF=often run --separate-stderr bnc-stream SOLUSDT
	[[ $status -eq 2 && $stderr == "bnc-stream: BNC_BACKOFF: 'often' is not a duration, or two with a comma between" ]]
	BNC_CONNECT_LIMIT=7 run --separate-stderr bnc-stream SOLUSDT
	[[ $status -eq 2 && $stderr == "bnc-stream: BNC_CONNECT_LIMIT: '7' is not a number, '/' and a duration" ]]
}

@test "a file of authorities that cannot be read: exit 3" {
	nowhere
	run --separate-stderr bnc-stream "${nowhere[@]}" --cacert missing.pem SOLUSDT
	[[ $status -eq 3 && $stderr == "bnc-stream: "*missing.pem* ]]
	echo rubbish >rubbish.pem
	run --separate-stderr bnc-stream "${nowhere[@]}" --cacert rubbish.pem SOLUSDT
	[[ $status -eq 3 && $stderr == "bnc-stream: "*rubbish.pem* ]]
}

@test "-t ends it with 0 although nothing came; the reasons are told" {
	nowhere
	BNC_BACKOFF=50ms,100ms run --separate-stderr bnc-stream "${nowhere[@]}" -s -t 0.5 SOLUSDT
	[[ $status -eq 0 ]]
	[[ $stderr == *"connection refused; next attempt in "* ]]
	jq -es 'map(.state) | .[0] == "connecting" and .[-1] == "end" and length > 2' <<<"$output"
	jq -es 'all(.source == "demo" and .type == "status")' <<<"$output"
	jq -es 'any(.detail | contains("refused"))' <<<"$output"
}

@test "a name without an address is told and tried again" {
	# a label of 64 bytes: no resolver asks anybody about it
	local name
	name=$(printf 'x%.0s' {1..64})
	BNC_BACKOFF=10ms,10ms start s bnc-stream -u "wss://$name.test" SOLUSDT
	wait_for 20 eval '(($(grep -c "^bnc-stream: wss://$name.test:443/public/stream: .*; next attempt" s.err) >= 2))'
	stop s
	[[ $status -eq 0 && ! -s s.out ]]
}

@test "SIGTERM and SIGINT end it within a second, also while there is no connection" {
	local signal
	nowhere
	for signal in TERM INT; do
		start s bnc-stream "${nowhere[@]}" SOLUSDT
		wait_for 20 grep -q refused s.err
		kill -s "$signal" "$s_pid"
		wait_end s 2
		[[ $status -eq 0 ]]
	done
}

@test "a reader that goes away ends it in silence" {
	nowhere
	mkfifo pipe
	start s bash -c 'exec bnc-stream "$@" >pipe' - "${nowhere[@]}" SOLUSDT
	exec 7<pipe
	wait_for 20 grep -q refused s.err
	exec 7<&-
	wait_end s 2
	[[ $status -eq 0 ]]
	run ! grep -v refused s.err
}

@test "a full disk ends it with 3" {
	nowhere
	run --separate-stderr bash -c 'bnc-stream "$@" >/dev/full' - "${nowhere[@]}" -s SOLUSDT
	[[ $status -eq 3 && $stderr == *"standard output: No space left on device"* ]]
}

@test "SIGUSR1 gives a line of counters" {
	nowhere
	start s bnc-stream "${nowhere[@]}" SOLUSDT
	wait_for 20 grep -q refused s.err
	kill -s USR1 "$s_pid"
	wait_for 20 grep -q '^bnc-stream: received 0, out 0, copies 0, .* connects [1-9]' s.err
	stop s
	[[ $status -eq 0 ]]
}

@test "a stream that nobody knows is taken, with a warning" {
	nowhere
	run --separate-stderr bnc-stream "${nowhere[@]}" -t 0.2 SOLUSDT@somethingNew
	[[ $status -eq 0 ]]
	[[ ${stderr_lines[0]} == "bnc-stream: solusdt@somethingNew: not a stream that this program knows; the exchange may stay silent about it" ]]
}

@test "connections are counted together with other programs, also at one time" {
	local name
	nowhere
	export BNC_CONNECT_LIMIT=9/1h BNC_BACKOFF=1ms,1ms
	for name in a b c; do
		start "$name" bnc-stream "${nowhere[@]}" SOLUSDT
	done
	for name in a b c; do
		wait_for 20 grep -q 'waiting 35' "$name.err"
		stop "$name"
		[[ $status -eq 0 ]]
	done
	[[ $(cat a.err b.err c.err | grep -c refused) -eq 9 ]]
	start d bnc-stream "${nowhere[@]}" SOLUSDT
	wait_for 20 grep -q 'waiting 35' d.err
	stop d
	[[ $(grep -c refused d.err) -eq 0 ]]
	[[ $(stat -c '%a %s' run/bnc/connections) == "600 4096" ]]
}

@test "a place for the count that cannot be trusted is told, and each counts for itself" {
	nowhere
	export BNC_CONNECT_LIMIT=2/1h BNC_BACKOFF=1ms,1ms
	mkdir -m 777 run/bnc
	chmod 777 run/bnc
	start s bnc-stream "${nowhere[@]}" SOLUSDT
	wait_for 20 grep -q 'waiting 35' s.err
	stop s
	[[ $(grep -c refused s.err) -eq 2 ]]
	grep -q 'not counted together with other programs: .*run/bnc: others may write there' s.err
}

@test "closed descriptors do no harm" {
	! under_valgrind || skip "valgrind opens them"
	nowhere
	run bash -c 'bnc-stream "$@" >&-' - "${nowhere[@]}" -s -t 0.3 SOLUSDT
	[[ $status -eq 3 ]]
	run bash -c 'bnc-stream "$@" <&- 2>&-' - "${nowhere[@]}" -t 0.3 SOLUSDT
	[[ $status -eq 0 ]]
}
