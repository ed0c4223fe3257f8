load ../lib
load ../nats
bats_require_minimum_version 1.5.0

setup() {
	lib_setup
	have_nats
}

@test "help and version go to standard output" {
	run --separate-stderr bnc-sub --help
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[0]} == "usage: bnc-sub "* ]]
	run --separate-stderr bnc-sub -V
	[[ $output =~ ^bnc-sub\ [0-9.]+$ ]]
}

@test "wrong calls say why and end with 2" {
	local call
	for call in "" "-x a" "a b" "a..b" "a.>.b" "-s http://a b" "-s nats://me:secret@a b" "--stream a.b c" "--from x a" \
		"--from seq:0 a" "--from seq:x a" "--from 2026-13-01 a" "--durable a.b c" "-n 0 a" "--cert x a" "--ready-fd 77 a"; do
		run --separate-stderr bnc-sub $call
		echo "$call: $status $stderr"
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[[ ${stderr_lines[0]} == bnc-sub:* && $stderr != *secret* ]]
	done
}

# --- from where ------------------------------------------------------------------------------------------------------

@test "--from all, seq and a time give what is stored, in order" {
	start_nats
	trades 1 500 3 | pub --stream bnc
	local middle
	middle=$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)
	trades 501 900 3 | pub --stream bnc
	sub --from all -e 'bnc.>' >out
	all_there out 900 3
	sub --from seq:401 -e 'bnc.>' | cmp - <(tail -n +401 out)
	[ "$(sub --from "$middle" -e 'bnc.>' | shown | cut -d' ' -f2 | sort -n | head -n 1)" -eq 501 ]
	[ "$(sub --from "$middle" -e 'bnc.>' | wc -l)" -eq 400 ]
	[ "$(sub --from seq:2000 -e 'bnc.>' | wc -l)" -eq 0 ]
	[ "$(sub --from all -e bnc.usdm.aggTrade.S1USDT | wc -l)" -eq 300 ]
	[ "$(sub --from all -n 7 'bnc.>' | wc -l)" -eq 7 ]
}

@test "--from new gives what comes from now on" {
	start_nats
	trades 1 10 | pub --stream bnc
	open_sub 'bnc.>'
	# what NATS_URL may hold is in no core file
	grep -q '^Max core file size *0 *0' "/proc/$sub_pid/limits"
	trades 11 30 | pub --stream bnc
	gets sub 20
	stop sub
	[ "$status" -eq 0 ]
	cmp sub.out <(trades 11 30)
}

@test "--from last gives the newest of each subject, then what comes" {
	start_nats
	trades 1 30 3 | pub --stream bnc
	open_sub --from last 'bnc.>'
	gets sub 3
	trades 31 36 3 | pub --stream bnc
	gets sub 9
	stop sub
	[ "$(shown sub.out | head -n 3 | sort | paste -sd,)" = "s0usdt 30,s1usdt 28,s2usdt 29" ]
	[ "$(shown sub.out | tail -n 6 | cut -d' ' -f2 | sort -n | paste -sd,)" = "31,32,33,34,35,36" ]
	[ "$(sub --from last -e 'bnc.>' | wc -l)" -eq 3 ]
	[ "$(sub --from last -e bnc.usdm.aggTrade.S1USDT | shown)" = "s1usdt 34" ]
}

@test "one that has nothing to read takes no processor" {
	start_nats
	pub --stream bnc <<<'{"type":"x"}'
	open_sub 'bnc.-.nothing.-'
	ticks() { awk '{ print $14 + $15 }' "/proc/$sub_pid/stat"; }
	local before
	before=$(ticks)
	for _ in {1..30}; do
		[ "$(sub --from all -e 'bnc.>' | wc -l)" -eq 1 ]
	done
	(($(ticks) - before < 10 * SLOW))
	stop sub
}

@test "it waits for a server, and for a stream, that are not there yet" {
	NATS_PORT=$(free_port) NATS=nats://127.0.0.1:$NATS_PORT
	printf 'listen: 127.0.0.1:%d\njetstream { store_dir: "%s" }\n' "$NATS_PORT" "$SCRATCH/nats-store" >nats.conf
	start sub bnc-sub -s "$NATS" --from all 'bnc.>'
	start told bnc-sub -s "$NATS" --status 'bnc.>'
	soon grep -q "bnc-sub: the connection is down: none has come about yet" sub.err
	soon has_lines told.out 1
	stop told
	[ "$(jq -r '.state + ": " + .detail' told.out)" = "connecting: $(cut -d' ' -f2- told.err)" ]
	start_nats
	soon grep -q "no stream has 'bnc.>' yet: waiting" sub.err
	trades 1 5 | pub --stream bnc
	gets sub 5
	stop sub
	[ "$status" -eq 0 ]
	cmp sub.out <(trades 1 5)
}

@test "of two streams one has to be named" {
	start_nats
	trades 1 1 | pub --stream a --subject 'x.a.{pair}'
	trades 2 2 | pub --stream b --subject 'x.b.{pair}'
	run --separate-stderr sub --from all -e 'x.>'
	[ "$status" -eq 3 ]
	[[ $stderr == "bnc-sub: several streams have 'x.>': --stream says which" ]]
	[ "$(sub --from all --stream b -e 'x.>' | shown)" = "s0usdt 2" ]
}

@test "a message that is no line is left out and told" {
	start_nats 'max_payload: 2MB'
	trades 1 1 | pub --stream bnc
	exec 7<>"/dev/tcp/127.0.0.1/$NATS_PORT"
	printf 'CONNECT {"verbose":false}\r\nPUB bnc.a.b.c 3\r\n1\n2\r\nPUB bnc.a.b.c 0\r\n\r\nPUB bnc.a.b.c 1\r\n\377\r\nPUB bnc.a.b.c 2\r\n{}\r\n' >&7
	printf 'PUB bnc.a.b.c 1048577\r\n%1048577s\r\nPING\r\n' '' >&7
	timeout 5 sed -u '/PONG/q' <&7 >/dev/null
	exec 7>&-
	run --separate-stderr sub --from all -e 'bnc.>'
	echo "$stderr"
	[ "$status" -eq 1 ]
	[ "${lines[1]}" = "{}" ]
	[ "${#lines[@]}" -eq 2 ]
	[[ $stderr == *"sequence: line 2: byte 1: a line end inside a message"* && $stderr == *"longer than 1 MiB"* && $stderr == *"4 lines refused" ]]
}

# --- durable ---------------------------------------------------------------------------------------------------------

@test "--durable goes on where it ended, also after kill -9" {
	start_nats
	trades 1 300 3 | pub --stream bnc
	sub --durable me --from all -n 100 'bnc.>' >out
	open_sub --durable me 'bnc.>'
	gets sub 200
	cat sub.out >>out
	# what was written has been acknowledged by now, or comes again
	trades 301 400 3 | pub --stream bnc
	gets sub 300
	kill -KILL "$sub_pid"
	wait_end sub 5
	tail -n 100 sub.out >>out
	trades 401 500 3 | pub --stream bnc
	sub --durable me -e 'bnc.>' >more
	cat more >>out
	all_there out 500 3
	[ "$(wc -l <more)" -eq 100 ]
	[ "$(sub --durable me -e 'bnc.>' | wc -l)" -eq 0 ]
}

@test "--durable: what could not be written comes again, in order" {
	start_nats
	trades 1 20000 2 | pub --stream bnc
	mkfifo slow
	exec 6<>slow
	start sub bash -c 'exec bnc-sub -s "$1" --durable me --from all "bnc.>" >slow' bash "$NATS"
	blocked() { [[ $(<"/proc/$sub_pid/wchan") == *pipe* || $(awk '{ print $3 }' "/proc/$sub_pid/stat") == S ]]; }
	read -r -u 6 first
	soon blocked
	kill -KILL "$sub_pid"
	wait_end sub 5
	# what stands in the pipe, without the line that was cut
	{ echo "$first" && timeout 1 cat <&6; } >out || true
	exec 6<&-
	[ -z "$(tail -c 1 out)" ] || sed -i '$d' out
	sub --durable me -e 'bnc.>' >rest
	[ "$(wc -l <out)" -gt 100 ]
	[ "$(wc -l <rest)" -gt 100 ]
	[ "$(shown out rest | sort -u | wc -l)" -eq 20000 ]
	shown rest | awk '{ if ($2 <= last[$1]) exit 1; last[$1] = $2 }'
}

# --- the end ---------------------------------------------------------------------------------------------------------

@test "a reader that goes away is a quiet end; SIGUSR1 tells counters" {
	start_nats
	trades 1 5000 | pub --stream bnc
	timeout 20 bnc-sub -s "$NATS" --from all 'bnc.>' 2>err | head -n 1 >out
	[ "${PIPESTATUS[0]}" -eq 0 ]
	[ ! -s err ]
	open_sub --from all 'bnc.>'
	gets sub 5000
	kill -USR1 "$sub_pid"
	soon grep -q '^bnc-sub: in 5000 out 5000 refused 0 repeated 0 gaps 0 restarts 0 pulls [0-9]* pending 0$' sub.err
	stop sub
	[ "$status" -eq 0 ]
}

@test "a slow reader costs no memory, and gets all" {
	start_nats
	awk 'BEGIN { for (i = 0; i < 4000; i++) { printf "{\"type\":\"x\",\"n\":%d,\"a\":\"", i; for (k = 0; k < 1000; k++) printf "0123456789"; print "\"}" } }' >feed
	pub --stream bnc --max-bytes 1G <feed
	mkfifo slow
	start sub bash -c 'exec bnc-sub -s "$1" --from all -e "bnc.>" >slow' bash "$NATS"
	exec 6<slow
	read -r -u 6
	sleep 1
	local kib
	kib=$(awk '/VmHWM/ { print $2 }' "/proc/$sub_pid/status")
	echo "$kib KiB"
	[[ -n ${SAN:-} ]] || ((kib < 60000))
	cat <&6 >rest
	exec 6<&-
	wait_end sub 10
	[ "$status" -eq 0 ]
	{ echo "$REPLY" && cat rest; } | cmp - feed
}
