load ../lib
load ../nats
bats_require_minimum_version 1.5.0

# A bus on one server: what is between collectors and readers when it goes, hangs or comes back, and who may use it.

setup() {
	lib_setup
	have_nats
}

# lines SPACING apart, as they would come from an exchange
live() { # FIRST LAST SYMBOLS
	SPACING=${SPACING:-500} trades "$@" >feed
	bnc-replay -x 1 feed
}

counter() { # NAME COUNTER: of the program, now
	local pid_name=$1_pid
	kill -USR1 "${!pid_name}"
	sleep 0.05
	grep '^bnc-[a-z]*: in ' "$1.err" | tail -n 1 | grep -o " $2 [0-9]*" | grep -o '[0-9]*$'
}

counts() { (($(counter "$1" "$2") >= $3)); }

# --- servers that go -------------------------------------------------------------------------------------------------

@test "a server killed under load, and one that hangs: each line once, in order" {
	start_nats
	pub --stream bnc <<<'{"type":"first"}'
	open_sub --status 'bnc.>'
	start pub bash -c 'bnc-replay -x 1 "$1" | exec bnc-pub -v -s "$2" --stream bnc --dedupe' bash <(SPACING=400 trades 1 10000 5) "$NATS"
	gets sub 1500
	kill_nats
	sleep 0.5
	start_nats
	gets sub 4500
	kill -STOP "$nats_pid"
	sleep 1
	kill -CONT "$nats_pid"
	wait_end pub 20
	[ "$status" -eq 0 ]
	seen() { (($(shown sub.out | wc -l) >= 10000)); }
	soon seen
	stop sub
	[ "$status" -eq 0 ]
	all_there sub.out 10000 5
	grep -q '"state":"connecting"' sub.out
	grep -q '"state":"live"' sub.out
	# and so is what is stored
	sub --from all -e 'bnc.>' >stored
	all_there stored 10000 5
	grep -q 'the connection is down' pub.err
	grep -q 'stored 10000 .* dropped 0 ' pub.err
}

@test "a server that hangs up at once, as a balancer with nobody behind it does, is tried again" {
	start_nats
	pub --stream bnc <<<'{"type":"first"}'
	stop nats
	start rude python3 -c 'import socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
	s.accept()[0].close()
	print("hung up", flush=True)' "$NATS_PORT"
	soon bash -c ": >/dev/tcp/127.0.0.1/$NATS_PORT"
	start sub bnc-sub -s "$NATS" --from all -n 2 'bnc.>'
	STDIN=<(echo '{"type":"second"}') start pub bnc-pub -s "$NATS" --stream bnc --patience 20s
	soon has_lines rude.out 7
	stop rude KILL
	start_nats
	wait_end pub 10
	[ "$status" -eq 0 ]
	wait_end sub 10
	[ "$status" -eq 0 ]
	cmp sub.out <(printf '{"type":"%s"}\n' first second)
}

@test "a full buffer waits no longer than --patience, and what is left out is told in the stream and counted" {
	start_nats
	open_pub --stream bnc --buffer 4M --patience 500ms -v
	trades 1 10 2 >&5
	soon counts pub stored 10
	kill_nats
	# ten megabytes, which a pipe would not hold
	local from=${EPOCHREALTIME/./}
	awk 'BEGIN { for (i = 0; i < 1000; i++) { printf "{\"type\":\"big\",\"pair\":\"A\",\"a\":\""; for (k = 0; k < 1000; k++) printf "0123456789"; print "\"}" } }' >&5
	trades 11 20 2 >&5
	local took=$(((${EPOCHREALTIME/./} - from) / 1000))
	echo "$took ms"
	((took < 5000))
	soon grep -q 'the buffer is full: lines are left out' pub.err
	start_nats
	soon grep -q 'lines are taken again' pub.err
	trades 21 30 2 >&5
	close_pub 20
	[ "$status" -eq 1 ]
	sub --from all -e 'bnc.>' >out
	[ "$(shown out | cut -d' ' -f2 | sort -n | paste -sd,)" = "$(seq -s, 1 10),$(seq -s, 21 30)" ]
	# what is missing of each subject is told there, in its place
	[ "$(sub --from all -e bnc.usdm.aggTrade.S1USDT | jq -r 'if .state then .detail | split(" ")[0] else .data.a end' | paste -sd,)" = \
		"1,3,5,7,9,5,21,23,25,27,29" ]
	[ "$(sub --from all -e bnc.usdm.aggTrade.S1USDT | jq -r 'select(.state) | .state + " " + .stream')" = "gap s1usdt@aggTrade" ]
	local big told
	big=$(grep -c '"type":"big"' out)
	told=$(sub --from all -e 'bnc.-.big.A' | jq -r 'select(.state) | .detail | split(" ")[0]')
	echo "$big stored, $told told"
	((big > 300 && big + told == 1000))
	grep -q "in 1030 .* dropped $((told + 10)) gaps 3 " pub.err
}

@test "memory stays what it is, however long the server is gone" {
	start_nats
	open_pub --stream bnc --buffer 4M --patience 0
	kill_nats
	awk 'BEGIN { for (i = 0; i < 5000; i++) { printf "{\"type\":\"big\",\"a\":\""; for (k = 0; k < 1000; k++) printf "0123456789"; print "\"}" } }' >&5
	local kib
	kib=$(awk '/VmHWM/ { print $2 }' "/proc/$pub_pid/status")
	echo "$kib KiB"
	[[ -n ${SAN:-} ]] || ((kib < 24000)) # a sanitizer has memory of its own
	close_pub 3
	[ "$status" -eq 3 ]
	grep -q 'lines are not stored' pub.err
}

# --- files -----------------------------------------------------------------------------------------------------------

@test "--spill: what memory does not hold waits in files, and nothing is missing" {
	start_nats
	open_pub --stream bnc --dedupe --buffer 4M --spill held -v
	trades 1 100 20 >&5
	soon counts pub stored 100
	kill_nats
	trades 101 30000 20 >&5
	soon counts pub in 30000
	soon counts pub spilled 5000
	compgen -G 'held/spill-*.ndjson.zst*'
	start_nats
	# and go on coming meanwhile
	trades 30001 31000 20 >&5
	close_pub 30
	[ "$status" -eq 0 ]
	sub --from all -e 'bnc.>' >out
	all_there out 31000 20
	[ -z "$(find held -type f)" ]
}

@test "--spill: what one leaves behind the next one publishes first, in order, and before what comes" {
	start_nats
	pub --stream bnc <<<'{"type":"first"}'
	kill_nats
	trades 1 25000 20 >first
	run --separate-stderr bnc-pub -s "$NATS" --stream bnc --buffer 4M --spill held --patience 200ms <first
	echo "$stderr"
	[ "$status" -eq 3 ]
	[[ $stderr == *"lines that are not stored are kept in held, for the next time" ]]
	# killed, it leaves at least what is in the files
	mkfifo pub.in
	STDIN=pub.in start pub bnc-pub -s "$NATS" --stream bnc --buffer 4M --spill held
	exec 5>pub.in
	trades 25001 25100 20 >&5
	has_more() { compgen -G 'held/*.part' && (($(cat held/*.part | zstdcat 2>/dev/null | wc -l) >= 100)); }
	soon has_more
	# and nobody else takes them
	run --separate-stderr bnc-pub -s "$NATS" --stream bnc --spill held </dev/null
	[ "$status" -eq 3 ]
	[[ $stderr == "bnc-pub: --spill: held: another program has it" ]]
	kill -KILL "$pub_pid"
	wait_end pub 5
	exec 5>&-
	start_nats
	trades 25101 25200 20 | bnc-pub -s "$NATS" --stream bnc --buffer 4M --spill held 2>err
	cat err
	sub --from all -e 'bnc.>' >out
	all_there out 25200 20
	[ -z "$(find held -type f)" ]
}

@test "--spill-max: beyond it lines are left out, told and counted" {
	start_nats
	pub --stream bnc <<<'{"type":"first"}'
	kill_nats
	mkfifo pub.in
	STDIN=pub.in start pub bnc-pub -s "$NATS" --stream bnc --buffer 4M --spill held --spill-max 1M
	exec 5>pub.in
	head -c 9000000 /dev/urandom | base64 -w 9000 | sed 's/.*/{"type":"big","a":"&"}/' >noise
	local lines
	lines=$(wc -l <noise)
	cat noise >&5
	soon grep -q 'held: no room: lines are left out' pub.err
	soon counts pub in "$lines"
	start_nats
	close_pub 30
	sub --from all -e 'bnc.>' >out
	local there told
	there=$(grep -c '"type":"big"' out)
	told=$(jq -r 'select(.state == "gap") | .detail | split(" ")[0]' out | paste -sd+ | bc)
	echo "$there + $told of $lines"
	((told > 0 && there + told == lines))
	# what is there is what was there
	diff <(grep '"type":"big"' out) <(head -n "$there" noise)
}

@test "--spill: a disk that is full is told, what it did not take is counted, and the rest goes on" {
	unshare -m true 2>/dev/null || skip "no mount namespace can be made here"
	start_nats
	pub --stream bnc <<<'{"type":"first"}'
	kill_nats
	mkdir small
	mkfifo pub.in
	STDIN=pub.in start pub unshare -m sh -c 'mount -t tmpfs -o size=600k bnc-test small && exec bnc-pub -v -s "$1" --stream bnc --buffer 4M \
		--patience 200ms --spill small/held' sh "$NATS"
	exec 5>pub.in
	head -c 9000000 /dev/urandom | base64 -w 9000 | sed 's/.*/{"type":"big","a":"&"}/' >noise
	cat noise >&5
	soon grep -q 'No space left on device' pub.err
	start_nats
	nothing_waits() { [ "$(counter pub waiting)" = 0 ] && (($(counter pub stored) > 100)); }
	soon nothing_waits
	trades 1 10 >&5
	close_pub 30
	[ "$status" -eq 3 ]
	sub --from all -e 'bnc.>' >out
	[ "$(shown out | wc -l)" -eq 10 ]
	local there told
	there=$(grep -c '"type":"big"' out)
	told=$(jq -r 'select(.state == "gap") | .detail | split(" ")[0]' out | paste -sd+ | bc)
	echo "$there + $told of $(wc -l <noise)"
	((told > 0 && there + told == $(wc -l <noise)))
}

# --- who may ----------------------------------------------------------------------------------------------------------

make_certificates() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca 2>/dev/null
	local name
	for name in server client; do
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -out $name.csr -subj /CN=$name 2>/dev/null
		openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out $name.pem \
			-extfile <(echo "subjectAltName=${1:-IP:127.0.0.1}") 2>/dev/null
	done
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=other 2>/dev/null
}

refused() { # ARGS...
	run --separate-stderr timeout 20 bnc-pub --patience 300ms "$@" <<<'{"type":"x"}'
	echo "$status $stderr"
	[ "$status" -eq 3 ]
	[[ $stderr == *"bnc-pub: "@("the server refuses the connection: "|"1 line is not stored")* ]]
}

@test "TLS: with the authority's certificate and our own, and not without" {
	make_certificates
	start_nats 'tls { cert_file: "server.pem", key_file: "server.key", ca_file: "ca.pem", verify: true }'
	local mine=(--cacert ca.pem --cert client.pem --key client.key)
	trades 1 100 | pub --stream bnc "${mine[@]}"
	sub --from all -e "${mine[@]}" 'bnc.>' | cmp - <(trades 1 100)
	NATS=tls://127.0.0.1:$NATS_PORT sub --from all -e "${mine[@]}" 'bnc.>' | cmp - <(trades 1 100)
	refused -s "$NATS" --cacert other.pem --cert client.pem --key client.key
	refused -s "$NATS" --cacert ca.pem
	refused -s "$NATS" --cacert ca.pem --cert other.pem --key other.key
	[ "$(sub --from all -e "${mine[@]}" 'bnc.>' | wc -l)" -eq 100 ]
}

@test "TLS: a certificate of another name is none" {
	make_certificates DNS:bus.example.org
	start_nats 'tls { cert_file: "server.pem", key_file: "server.key" }'
	refused -s "$NATS" --cacert ca.pem
	# nor does a plain connection do
	refused -s "$NATS"
}

@test "--creds: who has them is served, others are not" {
	"$TOOLS/nats-creds" .
	start_nats 'include auth.conf'
	trades 1 100 | pub --stream bnc --creds user.creds
	sub --from all -e --creds user.creds 'bnc.>' | cmp - <(trades 1 100)
	refused -s "$NATS" --creds other.creds
	refused -s "$NATS"
	run --separate-stderr sub 'bnc.>'
	echo "$status $stderr"
	[ "$status" -eq 3 ]
	[[ $stderr == "bnc-sub: the server refuses the connection: "* ]]
}
