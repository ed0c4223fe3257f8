load ../lib
load ../nats
bats_require_minimum_version 1.5.0

# Three servers, one stream on all of them, two collectors of one feed and two readers; one server after the other is
# killed under load and comes back. A table of what each of them cost is told at the end. BUS_SPACING=700: more load.

setup() {
	lib_setup
	have_nats
	PORTS=() ROUTES=() WATCH=()
	local i
	for i in 1 2 3; do
		PORTS[i]=$(free_port) ROUTES[i]=$(free_port) WATCH[i]=$(free_port)
	done
	for i in 1 2 3; do
		cat >node$i.conf <<-END
			server_name: node$i
			listen: 127.0.0.1:${PORTS[i]}
			http: 127.0.0.1:${WATCH[i]}
			jetstream { store_dir: "$SCRATCH/store$i" }
			cluster { name: bus, listen: 127.0.0.1:${ROUTES[i]}, routes: [$(printf 'nats://127.0.0.1:%d,' "${ROUTES[@]}")] }
		END
		start_node $i
	done
	NATS=$(printf 'nats://127.0.0.1:%d,' "${PORTS[@]}")
	NATS=${NATS%,}
}

start_node() {
	start "node$1" nats-server -c "node$1.conf" 5>&- 6>&-
}

# all three have all there is, as the two others say, and as each says of itself: only then may the next one fail, since
# of three servers a quorum is two that have caught up
all_current() { # PORT
	local i
	for i in 1 2 3; do
		curl -fs "http://127.0.0.1:${WATCH[i]}/healthz" | jq -e '.status == "ok"' >/dev/null || return 1
	done
	NATS_PORT=$1
	[[ $(stream_info '.cluster.leader != null and ([.cluster.replicas[] | select(.current and (.offline | not))] | length) == 2' 2>/dev/null) == true ]]
}

# a collector at its feed, which can be ended
collect() { # NAME
	mkfifo "$1.in"
	start "feed_$1" bash -c 'exec bnc-replay -x 1 feed >"$1.in"' bash "$1"
	STDIN=$1.in start "$1" bnc-pub -v -s "$NATS" --stream bnc --replicas 3 --dedupe
}

# the longest that a reader had to wait between two lines, in milliseconds: the lines with the time when they came
stamped() { perl -MTime::HiRes=time -ne 'BEGIN { $| = 1; $last = time } $now = time; $most = $now - $last if $now - $last > $most; $last = $now; if (-e "mark") { unlink "mark"; printf STDERR "%d\n", 1000 * $most; $most = 0 } print'; }

@test "one of three servers killed at a time: every line once, in order" {
	local lines i from
	SPACING=${BUS_SPACING:-2000} trades 1 100000 5 >feed
	soon grep -hq 'Server is ready' node1.err
	collect a
	soon all_current "${PORTS[1]}"
	collect b
	export -f stamped
	start reader bash -c 'bnc-sub -v -s "$1" --from all "bnc.>" | stamped' bash "$NATS"
	start durable bnc-sub -v -s "$NATS" --from all --durable me 'bnc.>'
	gets reader 500
	{
		echo 'killed  lines read  longest wait of a reader'
		for i in 1 2 3; do
			touch mark
			soon test ! -e mark
			from=$(wc -l <reader.out)
			eval "kill -KILL \$node${i}_pid"
			wait_end "node$i" 5
			# lines go on coming without it; an election takes the servers up to 9 s, and several may have to be held
			wait_for 60 has_lines reader.out $((from + 300))
			start_node $i
			wait_for 60 all_current "${PORTS[i % 3 + 1]}"
			touch mark
			soon test ! -e mark
			printf 'node%d   %10d  %d ms\n' $i $(($(wc -l <reader.out) - from)) "$(grep -E '^[0-9]+$' reader.err | tail -n 1)"
		done
	} >table
	stop feed_a
	stop feed_b
	wait_end a 30
	[ "$status" -eq 0 ]
	wait_end b 30
	[ "$status" -eq 0 ]
	sub --from all -e 'bnc.>' >stored
	lines=$(shown stored | awk '$2 > most { most = $2 } END { print most }')
	all_there stored "$lines" 5
	wait_for 20 has_lines reader.out "$lines"
	wait_for 20 has_lines durable.out "$lines"
	for i in reader durable; do
		all_there $i.out "$lines" 5
	done
	sed 's/^/# /' table >&3
	grep -h 'stored' a.err b.err | sed 's/^/# /' >&3
	grep -h 'dropped 0 gaps 0 ' a.err
	stop durable
	grep 'gaps 0 ' durable.err | sed 's/^/# /' >&3
}
