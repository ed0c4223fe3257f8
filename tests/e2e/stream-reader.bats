# bnc-stream and its reader: slow, asleep, gone; and how it ends

load ../lib
load stream

bats_require_minimum_version 1.5.0

# two streams with so many frames each
recording() { # N
	python3 - "$1" >recording <<-'P'
		import sys
		for i in range(int(sys.argv[1])):
		    t = 1790526538000 + i
		    print('%d {"stream":"solusdt@aggTrade","data":{"e":"aggTrade","E":%d,"a":%d,"s":"SOLUSDT","p":"142.35","q":"1","f":1,"l":1,"T":1,"m":false}}' % (t, t, i + 1))
		    print('%d {"stream":"solusdt@bookTicker","data":{"e":"bookTicker","u":%d,"s":"SOLUSDT","b":"1.1","B":"1","a":"1.2","A":"1","T":%d,"E":%d}}' % (t, 3 * i + 1, t, t))
	P
}

reader_ends() { wait_for $PATIENCE ended "$reader_pid"; }

has_end() { tail -n 1 "$1" | grep -q '"state":"end"'; }

@test "pings are answered while the reader sleeps, and nothing is lost" {
	exchange --rate 500 --ping-every 0.2 --pong-within 1
	sleeping s -s -c book,agg SOLUSDT
	await pong 20 # of two connections: two seconds
	awake out
	wait_for $PATIENCE has_frames out 2000
	stop s
	reader_ends
	[[ $status -eq 0 && $(events open) -eq 2 ]]
	has_end out
	checked out --whole --least 500
}

@test "block: a full buffer drops the connections, the gap is told, and it goes on" {
	recording 40000
	exchange --file recording -x max --start-after 2
	sleeping s -s --buffer 256k -c book,agg SOLUSDT
	hears s 'the reader is too slow: the buffer is full'
	await close 2
	# nothing is asked for while nobody reads
	[[ $(events open) -eq 2 ]]
	awake out
	await open 4
	wait_for $PATIENCE grep -q '"state":"gap"' out
	kill -s USR1 "$s_pid"
	hears s 'dropped 0, .* pauses [1-9]'
	stop s
	reader_ends
	[[ $status -eq 0 ]]
	checked out --least 100
	[[ $(jq -r 'select(.state == "gap").stream' out | sort -u | xargs) == "solusdt@aggTrade solusdt@bookTicker" ]]
	jq -es 'map(select(.state == "stale" or .state == "connecting").detail) |
		any(test("buffer is full")) and any(test("taken half of the buffer"))' out
}

@test "memory is bounded whatever the reader does" {
	local peak
	recording 150000
	exchange --file recording -x max --start-after 2
	sleeping s --buffer 4M -c book,agg SOLUSDT
	hears s 'the reader is too slow: the buffer is full'
	awake out
	wait_for $PATIENCE has_frames out 80000
	[[ -z ${SAN:-} && ! $BUILD =~ san ]] || skip "a sanitizer takes memory of its own"
	peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$s_pid/status")
	stop s
	((peak < 40000)) || { echo "$peak kB"; return 1; }
}

@test "conflate: the newest of each book is kept, trades are kept whole" {
	exchange --rate 1000
	sleeping s -s --on-full conflate --buffer 8M -c book,agg SOLUSDT
	await subscribe 2
	counted() { kill -s USR1 "$s_pid" && has_said s 'conflated [1-9][0-9]{2}'; }
	wait_for $PATIENCE counted
	awake out
	wait_for $PATIENCE has_frames out 3000
	stop s
	reader_ends
	[[ $status -eq 0 && $(events open) -eq 2 ]]
	# every trade is there, books are in order and fewer
	jq -es 'map(select(.stream == "solusdt@aggTrade") | .data.a) | length > 1000 and . == [range(.[0]; .[0] + length)]' out
	jq -es 'map(select(.stream == "solusdt@bookTicker") | .data.u) | length > 100 and . == unique' out
	jq -es 'map(select(.recv).recv) | . == sort' out
	(($(grep -c bookTicker out) < $(grep -c aggTrade out)))
}

@test "-n is exact" {
	local n
	exchange --rate 500
	for n in 1 2 100; do
		[[ $(now -n "$n" -c book,agg SOLUSDT | wc -l) -eq $n ]]
	done
	[[ $(now -n 10 --on-full conflate SOLUSDT | wc -l) -eq 10 ]]
	[[ $(now -n 10 --lines 2 SOLUSDT | wc -l) -eq 10 ]]
	now -s -n 10 SOLUSDT | jq -es '(map(select(.recv)) | length == 10) and (.[-1].state == "end")'
}

@test "-t ends it in time" {
	local began
	exchange --rate 100
	began=${EPOCHREALTIME/./}
	now -t 1 SOLUSDT >out
	((${EPOCHREALTIME/./} - began >= 1000000 && ${EPOCHREALTIME/./} - began < 5000000))
	[[ -s out ]]
}

@test "SIGTERM and SIGINT: close frames, everything written, within a second or so" {
	local signal began took
	exchange --rate 500
	for signal in TERM INT; do
		stream s -s -c book,agg SOLUSDT
		live s 100
		began=${EPOCHREALTIME/./}
		kill -s "$signal" "$s_pid"
		wait_end s $PATIENCE
		took=$((${EPOCHREALTIME/./} - began))
		[[ $status -eq 0 ]]
		((took < 2500000)) || { echo "$signal took $took us"; return 1; }
		[[ $(tail -n 1 s.out | jq -r '.state + .detail') == "endSIG$signal" ]]
		checked s.out --whole
	done
	await close 4
	[[ $(told close | jq -r .code | sort -u) == 1000 ]]
}

@test "SIGTERM while the exchange does not answer, and a second one" {
	exchange --rate 500
	stream s -s SOLUSDT
	live s 10
	order half-open
	stop s
	[[ $status -eq 0 ]]
	has_end s.out
	order heal
	sleeping t -c book,agg,trade,depth@100ms SOLUSDT BTCUSDT ETHUSDT
	wait_for $PATIENCE eval '(($(wc -l <served) > 3000))'
	kill "$t_pid"
	kill "$t_pid"
	wait_end t $PATIENCE
	exec 7<&-
	[[ $status -eq 3 ]]
}

@test "SIGTERM with a reader that takes nothing: what is lost is told, exit 3" {
	exchange --rate 1000
	sleeping s -c book,agg,trade,depth@100ms SOLUSDT BTCUSDT
	# more than the pipe takes
	wait_for $PATIENCE eval '(($(wc -l <served) > 3000))'
	kill "$s_pid"
	wait_end s $PATIENCE
	exec 7<&-
	[[ $status -eq 3 ]]
	has_said s 'the reader takes nothing: [0-9]+ bytes are lost'
}

@test "a reader that goes away: a quiet end, while frames come and in silence" {
	exchange --rate 100
	run --separate-stderr bash -c 'bnc-stream "$@" | head -n 5; exit ${PIPESTATUS[0]}' - "${url[@]}" SOLUSDT
	[[ $status -eq 0 && -z $stderr && ${#lines[@]} -eq 5 ]]
	sleeping s '!contractInfo'
	await subscribe 2
	exec 7<&-
	wait_end s $PATIENCE
	[[ $status -eq 0 && ! -s s.err ]]
}

@test "a full disk ends it with 3; a file is written whole, and added to" {
	exchange --rate 500
	run --separate-stderr bash -c 'bnc-stream "$@" >/dev/full' - "${url[@]}" SOLUSDT
	[[ $status -eq 3 && $stderr == *"standard output: No space left on device" ]]
	now -n 300 SOLUSDT >out
	[[ $(jq -es length out) -eq 300 ]]
	now -n 100 SOLUSDT >>out
	[[ $(jq -es length out) -eq 400 ]]
}

@test "a socket as standard output" {
	exchange --rate 500
	python3 - bnc-stream "${url[@]}" -n 300 SOLUSDT >out <<-'P'
		import socket, subprocess, sys
		ours, theirs = socket.socketpair()
		child = subprocess.Popen(sys.argv[1:], stdout=theirs)
		theirs.close()
		while data := ours.recv(65536):
		    sys.stdout.buffer.write(data)
		sys.exit(child.wait())
	P
	[[ $(jq -es length out) -eq 300 ]]
}

@test "a terminal as standard output" {
	exchange --rate 500
	script -qec "bnc-stream ${url[*]} -n 50 SOLUSDT" /dev/null >out 3>&- 8>&-
	[[ $(tr -d '\r' <out | jq -es length) -eq 50 ]]
}

@test "standard output of the shell stays as it was" {
	exchange --rate 100
	mkfifo pipe
	cat pipe >out 3>&- 8>&- &
	exec 7>pipe
	now -n 5 SOLUSDT >&7
	# O_NONBLOCK would be 04000
	(((8#$(awk '/^flags/ { print $2 }' "/proc/$BASHPID/fdinfo/7") & 8#4000) == 0))
	exec 7>&-
	wait_for $PATIENCE has_frames out 5
}

@test "standard error that nobody reads stops nothing" {
	exchange --rate 200
	mkfifo errors
	start s bash -c 'exec bnc-stream "$@" 2>errors' - "${url[@]}" -vv SOLUSDT 8>&-
	exec 7<errors
	order "each at 5 cut rst" # each end and beginning is told
	wait_for 60 has_events fault 60
	order clear
	more s 20
	stop s
	exec 7<&-
	[[ $status -eq 0 ]]
}
