# bnc-stream and its reader: slow, asleep, gone; and how it ends

load ../lib
load stream

bats_require_minimum_version 1.5.0

# a pipe whose reader does nothing: descriptor 7
sleeping_reader() { # ARGS...
	local url
	url
	mkfifo pipe
	start s bash -c 'exec bnc-stream "$@" >pipe' - "${url[@]}" "$@" 8>&-
	exec 7<pipe
}

# recorded frames that do not end
recording() {
	python3 - >recording <<-'E'
		for i in range(40000):
		    print('%d {"stream":"solusdt@aggTrade","data":{"e":"aggTrade","E":%d,"a":%d,"s":"SOLUSDT","p":"142.35","q":"1","f":1,"l":1,"T":1,"m":false}}'
		          % (1790526538000 + i, 1790526538000 + i, i + 1))
		    print('%d {"stream":"solusdt@bookTicker","data":{"e":"bookTicker","u":%d,"s":"SOLUSDT","b":"1.1","B":"1","a":"1.2","A":"1","T":%d,"E":%d}}'
		          % (1790526538000 + i, 3 * i + 1, 1790526538000 + i, 1790526538000 + i))
	E
}

@test "pings are answered while the reader sleeps, and nothing is lost" {
	exchange --rate 500 --ping-every 0.2 --pong-within 1
	sleeping_reader -s -c book,agg SOLUSDT
	wait_for 10 has_events pong 12
	cat <&7 >out 7<&- &
	wait_for 5 has_lines out 2000
	stop s
	wait
	[[ $status -eq 0 ]]
	[[ $(events open) -eq 2 ]]
	checked out --whole --least 500
}

@test "block: a full buffer drops the connection, the gap is told, and it goes on" {
	recording
	exchange --file recording -x max --start-after 2
	sleeping_reader -s --buffer 256k -c book,agg SOLUSDT
	wait_for 10 has_said s 'the reader is too slow: the buffer is full'
	order "clear"
	cat <&7 >out 7<&- &
	wait_for 10 has_events open 3
	wait_for 10 grep -q '"a":40000' out || true
	stop s
	wait
	[[ $status -eq 0 ]]
	checked out --least 100
	jq -e 'select(.state == "gap")' out | grep -q aggTrade
}

@test "conflate: the newest of each book is kept, trades are kept whole" {
	exchange --rate 1000
	sleeping_reader -s --on-full conflate --buffer 1M -c book,agg SOLUSDT
	wait_for 10 has_events subscribe 2
	sleep 1.5
	kill -s USR1 "$s_pid"
	wait_for 5 has_said s 'conflated [1-9]'
	cat <&7 >out 7<&- &
	wait_for 5 grep -q aggTrade out
	goes_on_out() { wait_for 5 has_lines out 2000; }
	goes_on_out
	stop s
	wait
	[[ $status -eq 0 ]]
	[[ $(events open) -eq 2 ]]
	# every trade is there, books are in order
	jq -es 'map(select(.stream == "solusdt@aggTrade") | .data.a) | . == [range(.[0]; .[0] + length)]' out
	jq -es 'map(select(.stream == "solusdt@bookTicker") | .data.u) | . == (unique)' out
}

@test "-n is exact" {
	local n url
	exchange --rate 500
	url
	for n in 1 2 100; do
		bnc-stream "${url[@]}" -n "$n" -c book,agg SOLUSDT >out
		[[ $(lines out) -eq $n ]]
	done
	bnc-stream "${url[@]}" -n 10 --on-full conflate SOLUSDT >out
	[[ $(lines out) -eq 10 ]]
	bnc-stream "${url[@]}" -s -n 10 SOLUSDT | jq -es '(map(select(.recv)) | length == 10) and (.[-1].state == "end")'
}

@test "-t ends it in time" {
	local url before=${EPOCHREALTIME/./} took
	exchange --rate 100
	url
	before=${EPOCHREALTIME/./}
	bnc-stream "${url[@]}" -t 1 SOLUSDT >out
	took=$((${EPOCHREALTIME/./} - before))
	((took >= 1000000 && took < 2500000))
	[[ -s out ]]
}

@test "SIGTERM and SIGINT: close frames, everything written, within a second" {
	local signal before took
	exchange --rate 500
	for signal in TERM INT; do
		stream s -s -c book,agg SOLUSDT
		live s 100
		before=${EPOCHREALTIME/./}
		kill -s "$signal" "$s_pid"
		wait_end s 2
		took=$((${EPOCHREALTIME/./} - before))
		[[ $status -eq 0 ]]
		((took < 1000000)) || { echo "$signal took $took us"; return 1; }
		[[ $(tail -n 1 s.out | jq -r .state) == end ]]
	done
	wait_for 2 has_events close 4
	[[ $(tail -n +2 mock.out | jq -r 'select(.event == "close").code' | sort -u) == 1000 ]]
}

@test "SIGTERM with a reader that takes nothing: what is lost is told, exit 3" {
	exchange --rate 1000
	sleeping_reader -c book,agg,trade,depth@100ms SOLUSDT BTCUSDT
	wait_for 10 has_events subscribe 2
	sleep 1
	kill "$s_pid"
	wait_end s 2
	exec 7<&-
	[[ $status -eq 3 ]]
	has_said s 'the reader takes nothing: [0-9]* bytes are lost'
}

@test "a reader that goes away: a quiet end, while frames come and in silence" {
	local url
	exchange --rate 100
	url
	run --separate-stderr bash -c 'bnc-stream "$@" | head -n 5; exit ${PIPESTATUS[0]}' - "${url[@]}" SOLUSDT
	[[ $status -eq 0 && -z $stderr && ${#lines[@]} -eq 5 ]]
	sleeping_reader solusdt@forceOrder '!contractInfo'
	wait_for 5 has_events subscribe 2
	exec 7<&-
	wait_end s 2
	[[ $status -eq 0 && ! -s s.err ]]
}

@test "a full disk ends it with 3; a file is written whole" {
	local url
	exchange --rate 500
	url
	run --separate-stderr bash -c 'bnc-stream "$@" >/dev/full' - "${url[@]}" SOLUSDT
	[[ $status -eq 3 && $stderr == *"standard output: No space left on device" ]]
	bnc-stream "${url[@]}" -n 300 SOLUSDT >out
	[[ $(jq -es length out) -eq 300 ]]
	bnc-stream "${url[@]}" -n 100 SOLUSDT >>out
	[[ $(jq -es length out) -eq 400 ]]
}

@test "a socket as standard output" {
	local url
	exchange --rate 500
	url
	python3 - bnc-stream "${url[@]}" -n 300 SOLUSDT >out <<-'E'
		import socket, subprocess, sys
		ours, theirs = socket.socketpair()
		child = subprocess.Popen(sys.argv[1:], stdout=theirs)
		theirs.close()
		while data := ours.recv(65536):
		    sys.stdout.buffer.write(data)
		sys.exit(child.wait())
	E
	[[ $(jq -es length out) -eq 300 ]]
}

@test "standard output of the shell stays as it was" {
	local url
	exchange --rate 100
	url
	mkfifo pipe
	cat pipe >/dev/null &
	exec 7>pipe
	bnc-stream "${url[@]}" -n 5 SOLUSDT >&7
	# O_NONBLOCK would be 04000
	[[ $(awk '/^flags/ { print $2 }' /proc/$$/fdinfo/7) == 01* || $(awk '/^flags/ { print $2 }' "/proc/$BASHPID/fdinfo/7") != *4001 ]]
	exec 7>&-
	wait
}
