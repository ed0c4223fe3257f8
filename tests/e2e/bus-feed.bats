load ../lib
load ../nats
bats_require_minimum_version 1.5.0

# The layout of several machines in one: two collectors, a bus, and nodes that serve what comes from it.

setup() {
	lib_setup
	have_nats
	export BNC_BIN=$BIN
}

collector() { # NAME: at the exchange that start_mock made
	start "$1" env BNC_BUS="$NATS" BNC_SOURCE=live BNC_URL="wss://127.0.0.1:$MOCK_PORT" BNC_CACERT="$MOCK_CA" BNC_RUN="$SCRATCH/$1.run" \
		BNC_CHANNELS=aggTrade "$ROOT/scripts/feed.sh"
}

has() { grep -q "$2" "$1"; }

@test "two collectors, one bus, two nodes: all have the same trades, each once, and one collector is enough" {
	start_nats
	start_mock --walk 7 --symbols SOLUSDT --rate 200
	collector one
	soon has one.out '"source":"trade"'
	collector two
	soon has two.out '"source":"trade"'
	local i
	for i in a b; do
		start "node_$i" env BNC_BUS="$NATS" "$ROOT/scripts/feed.sh"
	done
	soon has node_a.out '"equity_snapshot"'
	soon has node_b.out '"equity_snapshot"'
	local before
	before=$(grep -c '"source":"trade"' node_a.out)
	stop one
	more() { (($(grep -c '"source":"trade"' node_a.out) > before + 300)); }
	soon more
	stop node_a
	stop node_b
	ids() { jq -r 'select(.source == "trade") | .id' "$1"; }
	# every one from the first on, in order
	ids node_a.out >a
	diff a <(seq "$(head -n 1 a)" "$(tail -n 1 a)")
	ids node_b.out >b
	diff b <(seq "$(head -n 1 b)" "$(tail -n 1 b)")
	run ! grep -q '"state":"gap"' node_a.out
	# what the stream says of itself comes along
	grep -q '"state":"live"' node_a.out
}

@test "pipeline.sh: with BNC_BUS alone a client gets the stream of the bus, through one reader of it" {
	start_nats
	trades 1 50 2 | pub --stream bnc
	export BNC_BUS=$NATS BNC_IDLE=1s
	mkfifo client.in other.in
	STDIN=client.in start client "$ROOT/scripts/pipeline.sh"
	STDIN=other.in start other "$ROOT/scripts/pipeline.sh"
	exec 5>client.in 6>other.in
	soon has client.out '"pair":"S1USDT"'
	soon has other.out '"pair":"S1USDT"'
	trades 51 60 2 | pub --stream bnc
	soon has client.out '"id":"60"'
	soon has other.out '"id":"60"'
	[ "$(grep -c bnc-sub <<<"$(left_over)")" -eq 1 ]
	exec 5>&- 6>&-
	wait_end client 5
	wait_end other 5
}

@test "a bus that is not there holds up no feed, and --check says what is missing" {
	BNC_SOURCE=demo BNC_BUS=nats://127.0.0.1:1 start feed "$ROOT/scripts/feed.sh"
	soon has feed.out '"equity_snapshot"'
	stop feed
	run --separate-stderr env BNC_SOURCE=bus "$ROOT/scripts/feed.sh" --check
	[ "$status" -eq 2 ]
	[[ $stderr == *"BNC_SOURCE is bus, and BNC_BUS names no server" ]]
	BNC_BUS=nats://127.0.0.1:1 "$ROOT/scripts/feed.sh" --check
	run --separate-stderr env BNC_SOURCE=nonsense "$ROOT/scripts/feed.sh" --check
	[ "$status" -eq 2 ]
}

@test "a password of the bus is in no argument, nor in an environment" {
	start_nats 'authorization { user: me, password: s3cr3t }'
	local with=nats://me:s3cr3t@127.0.0.1:$NATS_PORT
	BNC_SOURCE=demo BNC_BUS=$with start feed "$ROOT/scripts/feed.sh"
	soon has feed.out '"equity_snapshot"'
	BNC_BUS=$with start node "$ROOT/scripts/feed.sh"
	soon has node.out '"equity_snapshot"'
	local list
	list=$(left_over)
	[[ $list == *bnc-pub* && $list == *bnc-sub* ]]
	run holders s3cr3t
	[ -z "$output" ]
	stop node
	# a whole node, by hand and as a unit begins it; a variable that is the programs' own
	export BNC_PORT STDIN=open
	mkfifo open
	exec 6<>open
	BNC_PORT=$(free_port)
	local begin
	for begin in serve.sh "service.sh feed"; do
		# shellcheck disable=SC2086 # words are meant
		NATS_URL=$with BNC_BUS=$with start service "$ROOT/scripts/"$begin 6>&-
		soon test -S run/hub.sock
		start tap bnc-tap run/hub.sock 6>&-
		soon has tap.out '"equity_snapshot"'
		list=$(left_over)
		[[ $list == *hub.sh* && $list == *bnc-sub* ]]
		run holders s3cr3t
		[ -z "$output" ]
		stop tap
		stop service
		[ "$status" -eq 0 ]
	done
	exec 6>&-
}
