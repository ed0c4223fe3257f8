load ../lib
load ../nats
bats_require_minimum_version 1.5.0

setup() {
	lib_setup
	have_nats
}

# --- options ------------------------------------------------------------------------------------------------------

@test "help and version go to standard output" {
	run --separate-stderr bnc-pub --help
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[0]} == "usage: bnc-pub "* ]]
	run --separate-stderr bnc-pub -V
	[[ $output =~ ^bnc-pub\ [0-9.]+$ ]]
}

@test "wrong calls say why and end with 2" {
	local call
	for call in "-x" "--nope" "-s" "-s http://a" "-s nats://a," "-s nats://me:secret@a" "-s nats://token@a" "--cert a" "--key a" \
		"--stream a.b" "--replicas 0" "--replicas 6" "--max-age x" "--max-bytes x" "--subject bnc." "--subject bnc.{x}" \
		"--subject bnc.>" "-m x" "--window 0" "--window 4097" "--buffer 1M" "--buffer x" "--patience x" "--spill-max 1k" \
		"--ready-fd x" "--ready-fd 77" "file"; do
		run --separate-stderr bnc-pub $call <<<'{}'
		echo "$call: $status $stderr"
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[[ ${stderr_lines[0]} == bnc-pub:* ]]
		[[ $stderr != *secret* ]]
	done
	run --separate-stderr env NATS_URL=http://me:secret@a bnc-pub <<<'{}'
	[ "$status" -eq 2 ]
	[[ $stderr != *secret* ]]
	run --separate-stderr bnc-pub --spill '' <<<'{}'
	[ "$status" -eq 2 ]
}

@test "a file that cannot be read is named, exit 3" {
	local option
	for option in --cacert --creds "--cert $BIN/bnc-pub --key" "--key $BIN/bnc-pub --cert"; do
		run --separate-stderr bnc-pub -s nats://127.0.0.1:1 $option none.pem <<<'{}'
		echo "$status $stderr"
		[ "$status" -eq 3 ]
		[[ $stderr == "bnc-pub: none.pem: No such file or directory" ]]
	done
	mkdir -p held
	run --separate-stderr bnc-pub -s nats://127.0.0.1:1 --spill none/there <<<'{}'
	[ "$status" -eq 3 ]
	[[ $stderr == "bnc-pub: --spill: none/there: No such file or directory" ]]
}

# --- what is stored ------------------------------------------------------------------------------------------------

@test "each line is a message, byte for byte, under the subject that it says" {
	start_nats
	printf '%s\n' '{"type":"price_update","symbol":"SOL","pair":"SOLUSDT","market":"usdm","source":"book"}' \
		'{ "type" : "heartbeat",  "ts":1 }' \
		'{"recv":1,"market":"spot","stream":"btcusdt@trade","data":{"e":"trade","t":7}}' \
		'{"type":"x.y","pair":"é"}' $'{"type":"balance_update","asset":"USDT"}\r' >lines
	run --separate-stderr pub --stream bnc -v <lines
	echo "$stderr"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[[ $stderr == *"in 5 stored 5 duplicates 0 refused 0 dropped 0 gaps 0 sent 5 again 0 "* ]]
	sub --from all -e 'bnc.>' | sort >out
	diff out <(sort lines)
	[ "$(sub --from all -e bnc.usdm.price_update.SOLUSDT)" = "$(sed -n 1p lines)" ]
	[ "$(sub --from all -e bnc.-.heartbeat.-)" = "$(sed -n 2p lines)" ]
	[ "$(sub --from all -e bnc.spot.trade.BTCUSDT)" = "$(sed -n 3p lines)" ]
	[ "$(sub --from all -e bnc.-.x%2Ey.%C3%A9)" = "$(sed -n 4p lines)" ]
	[ "$(sub --from all -e bnc.-.balance_update.USDT)" = "$(sed -n 5p lines)" ]
}

@test "the longest line there is goes through where the server takes it, else it is told" {
	start_nats 'max_payload: 2MB'
	awk 'BEGIN { printf "{\"type\":\"x\",\"a\":\""; for (i = 0; i < 1048557; i++) printf "x"; print "\"}" }' >long
	[ "$(wc -c <long)" -eq 1048577 ]
	pub --stream bnc <long
	sub --from all -e 'bnc.>' | cmp - long
	stop nats
	sed -i '/max_payload/d' nats.conf
	start_nats
	{ cat long && trades 1 1; } >two
	run --separate-stderr pub --stream bnc <two
	echo "$stderr"
	[ "$status" -eq 1 ]
	[[ $stderr == *"bnc.-.x.-: refused: longer than the server takes"* ]]
	sub --from all -e 'bnc.*.aggTrade.*' | cmp - <(trades 1 1)
	# and in the stream its subject says so
	[[ $(sub --from last -e 'bnc.-.x.-' | jq -r .detail) == "1 line not published between "*": the server refused them" ]]
}

@test "the stream is made with the limits that are named, and one that is there is left alone" {
	start_nats
	trades 1 3 | pub --stream bnc --max-age 2h --max-bytes 10M --subject 'my.{pair}.{type}'
	[ "$(stream_info '.config | [.subjects[0], .max_age, .max_bytes, .num_replicas, .storage, .discard, .duplicate_window] | @csv')" = \
		'"my.*.*",7200000000000,10485760,1,"file","old",120000000000' ]
	trades 4 6 | pub --stream bnc --max-age 1h --subject 'my.{pair}.{type}'
	[ "$(stream_info .config.max_age)" = 7200000000000 ]
	[ "$(stream_info .state.messages)" = 6 ]
	# without a name: whichever takes them
	trades 7 9 | pub --subject 'my.{pair}.{type}'
	[ "$(stream_info .state.messages)" = 9 ]
}

@test "without a stream nothing is lost: it is told, and waited for" {
	start_nats
	open_pub
	trades 1 100 >&5
	soon grep -q 'no stream takes them: lines are held and tried again' pub.err
	trades 101 102 | pub --stream bnc
	close_pub
	[ "$status" -eq 0 ]
	[ "$(stream_info .state.messages)" = 102 ]
}

@test "another stream has the subject: refused, told, exit 1" {
	start_nats
	trades 1 1 | pub --stream other --subject 'bnc.{market}.{type}.{pair}'
	run --separate-stderr pub --stream bnc --patience 1s <<<'{"type":"x"}'
	echo "$stderr"
	[ "$status" -eq 3 ]
	[[ $stderr == *"the stream cannot be had: "*"overlap"* ]]
}

@test "--dedupe: what two collectors have of one feed is stored once" {
	start_nats
	trades 1 600 3 >feed
	# each lacks some, and they came at other times
	awk 'NR % 7' feed >a
	awk 'NR % 5' feed | sed 's/"recv":179052653/"recv":179052659/' >b
	awk '!(NR % 35)' feed | wc -l >missing
	pub --stream bnc --dedupe -v <a 2>a.err & pub --stream bnc --dedupe -v <b 2>b.err
	wait $!
	[ "$(grep -ho 'duplicates [0-9]*' a.err b.err | awk '{ n += $2 } END { print n }')" -eq $(($(wc -l <a) + $(wc -l <b) - 600 + $(<missing))) ]
	sub --from all -e 'bnc.>' >out
	[ "$(wc -l <out)" -eq $((600 - $(<missing))) ]
	[ "$(shown out | sort | uniq -d | wc -l)" -eq 0 ]
}

@test "without --dedupe equal lines are so many messages" {
	start_nats
	trades 1 50 >feed
	cat feed feed feed | pub --stream bnc
	pub --stream bnc <feed
	[ "$(sub --from all -e 'bnc.>' | wc -l)" -eq 200 ]
}

@test "order of a subject is kept, whatever the window" {
	start_nats
	local window
	for window in 1 7 4096; do
		trades 1 3000 5 >feed
		pub --stream "w$window" --subject "w$window.{type}.{pair}" --window "$window" <feed
		sub --from all -e "w$window.>" >out
		all_there out 3000 5
	done
}

@test "what is no record is refused and told, the rest is stored" {
	start_nats
	printf '%s\n' '{"type":"x"}' 'no' '[1]' '' '{"type":"y"' '{"type":"z"}' >lines
	printf '{"type":"nul\000"}\n{"type":"\377"}\n{"type":"last"}' >>lines
	run --separate-stderr pub --stream bnc <lines
	echo "$stderr"
	[ "$status" -eq 1 ]
	[ "$(sub --from all -e 'bnc.>' | jq -r .type | paste -sd,)" = "x,z,last" ]
	[[ $stderr == *"bnc-pub: line 2: byte 0: "* && $stderr == *"bnc-pub: 6 lines refused" ]]
	run --separate-stderr pub --stream bnc --strict <lines
	[ "$status" -eq 1 ]
	[[ $stderr == *"bnc-pub: 1 line refused" ]]
}

# a server whose answers to messages are these codes, one after the other; 0: stored
start_answers() { # CODE...
	start answers python3 -c 'import json, socket, sys
f = socket.create_connection(("127.0.0.1", int(sys.argv[1]))).makefile("rwb")
codes = [int(code) for code in sys.argv[2:]]
f.write(b"CONNECT {\"verbose\":false,\"headers\":true}\r\nSUB bnc.> 1\r\nPING\r\n")
f.flush()
for line in f:
	words = line.split()
	if words[0] == b"PONG":
		print("ready", flush=True)
	elif words[0] == b"HMSG":
		f.read(int(words[-1]) + 2)
		code = codes.pop(0)
		answer = json.dumps({"error": {"code": code, "description": "no"}} if code else {"stream": "s", "seq": 1}).encode()
		f.write(b"PUB %s %d\r\n%s\r\n" % (words[3], len(answer), answer))
		f.flush()' "$NATS_PORT" "$@"
	soon grep -q ready answers.out
}

@test "what is the trouble of the server is tried again, what is ours is refused" {
	start_nats
	start_answers 500 503 0 499 400 0 0
	run --separate-stderr pub -v <<<'{"type":"x"}'
	echo "$stderr"
	[ "$status" -eq 0 ]
	[[ $stderr == *"the server says: no: lines are held and tried again"*" stored 1 "*" refused 0 "*" sent 3 again 2 "* ]]
	run --separate-stderr pub -v <<<$'{"type":"x"}\n{"type":"y"}'
	echo "$stderr"
	[ "$status" -eq 1 ]
	[[ $stderr == *"bnc.-.x.-: refused: no"*"bnc.-.y.-: refused: no"*" refused 2 "*" gaps 2 sent 4 again 0 "* ]]
}

@test "what is held when the end comes is counted once" {
	awk 'BEGIN { for (n = 0; n < 6; n++) {
		printf "{\"type\":\"x\",\"a\":\""; for (i = 0; i < 100000; i++) printf "xxxxxxxxxx"; print "\"}"
	} }' >long
	mkfifo in
	start feeder bash -c 'exec cat long >in'
	STDIN=in start pub bnc-pub -v -s nats://127.0.0.1:1 --buffer 4M --patience 60s
	soon grep -q 'the connection is down' pub.err
	fifth_is_held() {
		kill -USR1 "$pub_pid"
		grep -q 'in 5 .* waiting 4 ' pub.err
	}
	soon fifth_is_held
	stop pub
	[ "$status" -eq 3 ]
	[[ $(tail -n 4 pub.err) == *" dropped 1 "*" waiting 4 "*"4 lines are not stored"* ]]
}

# --- beside it ------------------------------------------------------------------------------------------------------

@test "--tee passes lines on, also while nobody stores them" {
	start_nats
	trades 1 2000 3 >feed
	pub --stream bnc --tee <feed | cmp - feed
	stop nats
	bnc-pub -s "$NATS" --tee --patience 100ms <feed >out 2>err || status=$?
	[ "$status" -eq 3 ]
	cmp out feed
	grep -q '2000 lines are not stored' err
}

@test "--tee: a reader that begins late gets all, and one that fails is told" {
	start_nats
	trades 1 10000 5 >feed # more than a pipe takes
	mkfifo out
	STDIN=feed start pub bash -c 'exec bnc-pub -s "$1" --stream bnc --tee >out' bash "$NATS"
	exec 6<out
	all_stored() { [ "$(stream_info .state.messages)" = 10000 ]; }
	soon all_stored
	cmp - feed <&6
	exec 6<&-
	wait_end pub 5
	[ "$status" -eq 0 ]
	[ ! -s pub.err ]
	run --separate-stderr bash -c 'bnc-pub -s "$1" --stream bnc --tee <<<"{}" >/dev/full' bash "$NATS"
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-pub: standard output: No space left on device" ]
}

@test "a reader of --tee that goes away is a quiet end" {
	start_nats
	open_pub --stream bnc --tee
	close_pub
	trades 1 100000 | bnc-pub -s "$NATS" --stream bnc --tee 2>err | head -n 1 >out
	local each=("${PIPESTATUS[@]}")
	echo "${each[@]}" "$(<err)"
	[ "${each[1]}" -eq 0 ]
	[ ! -s err ]
}

@test "SIGUSR1 tells counters, SIGTERM ends behind what was read" {
	start_nats
	open_pub --stream bnc
	trades 1 100 >&5
	counted() { # LINES
		kill -USR1 "$pub_pid"
		grep -q "^bnc-pub: in $1 stored $1 duplicates 0 refused 0 dropped 0 gaps 0 sent $1 again 0 spilled 0 waiting 0 bytes 0\$" pub.err
	}
	soon counted 100
	# in one write, so that with the last whole line the half one has been read, too
	printf '%s\n{"type":"half' "$(trades 101 110)" >&5
	soon counted 110
	kill -TERM "$pub_pid"
	(printf '"}\n{"type":"late"}\n' >&5) 2>/dev/null || true # it may have gone
	wait_end pub 5
	exec 5>&-
	[ "$status" -eq 0 ]
	[ "$(sub --from all -e 'bnc.>' | wc -l)" -eq 111 ]
	[ "$(sub --from all -e 'bnc.-.half.-' | wc -l)" -eq 1 ]
}

@test "no secret is in arguments, environment or messages" {
	start_nats 'authorization { user: me, password: s3cr3t }'
	local NATS_URL=nats://me:s3cr3t@127.0.0.1:$NATS_PORT
	export NATS_URL
	mkfifo pub.in
	STDIN=pub.in start pub bash -c 'exec "$@" 9>"$0"' pub.ready bnc-pub --ready-fd 9 --stream bnc
	exec 5>pub.in
	soon test -s pub.ready
	[ "$(tr '\0' '\n' <"/proc/$pub_pid/cmdline" | grep -c s3cr3t)" -eq 0 ]
	# what the kernel shows there is valgrind's
	under_valgrind || [ "$(grep -c s3cr3t "/proc/$pub_pid/environ")" -eq 0 ]
	grep -q '^Max core file size *0 *0' "/proc/$pub_pid/limits"
	trades 1 3 >&5
	close_pub
	[ "$status" -eq 0 ]
	[ "$(timeout 20 bnc-sub --from all -e 'bnc.>' | wc -l)" -eq 3 ]
	# a wrong one ends it
	run --separate-stderr env NATS_URL="nats://me:wr0ng@127.0.0.1:$NATS_PORT" bnc-pub --patience 5s <<<'{"type":"x"}'
	echo "$status $stderr"
	[ "$status" -eq 3 ]
	[[ $stderr != *wr0ng* ]]
}
