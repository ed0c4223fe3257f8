# bnc-stream and how long it lives: what ends a connection, what replaces it, and what is lost meanwhile

load ../lib
load stream

bats_require_minimum_version 1.5.0

@test "it comes back from every way in which a connection can end, and names what was missed" {
	local end ends=("cut fin" "cut tls" "cut rst" "cut mid-frame" "cut mid-header" "close 1000" "close 1001 bye" "close 1008"
		"close 1012" "close none" "close 4000" "garbage" "rsv" "bad-opcode" "stray" "interleave" "long-control"
		"split-control" "bad-length" "huge 3M")
	exchange --rate 100
	stream s -s -c book,agg,depth@100ms SOLUSDT
	live s 50
	for end in "${ends[@]}"; do
		order "$end"
		goes_on s 30 || { echo "not after: $end"; return 1; }
	done
	goes_on s 100
	stop s
	[[ $status -eq 0 ]]
	checked s.out --least 100
}

@test "it comes back from everything that can go wrong while connecting" {
	local fault faults=("tls silent" "tls garbage" "tls close" "tls rst" bad-accept not-http hang-up "headers 20000" extension
		"http 500" "http 200" "http 302 location=https://127.0.0.1:1/")
	exchange --rate 100
	stream s -s SOLUSDT
	live s 20
	for fault in "${faults[@]}"; do
		[[ $fault == "tls silent" ]] && continue # its own time is 5 s: the next test
		order "next $fault" "cut rst"
		goes_on s 20 || { echo "not after: $fault"; return 1; }
	done
	stop s
	checked s.out --least 100
}

@test "a handshake that is never answered is given up" {
	exchange --rate 100
	order "next no-answer"
	stream s SOLUSDT
	wait_for 20 has_lines s.out 5
	stop s
	grep -q 'next attempt' s.err
}

@test "a peer that is killed and comes back, far more often than any table is long" {
	local i port
	exchange --rate 200 --keep "$SCRATCH/authority"
	port=$MOCK_PORT
	stream s -s SOLUSDT
	live s 10
	for ((i = 0; i < 12; i++)); do
		kill -KILL "$mock_pid"
		wait_end mock 2
		rm -f mock.ready
		STDIN=$SCRATCH/script start mock bnc-mock -p "$port" --keep "$SCRATCH/authority" --rate 200 8>&-
		goes_on s 10 || { echo "not after kill number $i"; return 1; }
	done
	for ((i = 0; i < 40; i++)); do
		order "cut rst"
		goes_on s 5 || { echo "not after cut number $i"; return 1; }
	done
	stop s
	[[ $status -eq 0 ]]
	[[ $(states s | grep -c live) -ge 50 ]]
	jq -rs '[.[] | select(.type == null) | .data.E] | . == sort' s.out
}

@test "a connection that stalls is asked, dropped and replaced" {
	local fault
	exchange --rate 100
	stream s -s --stale 0.6 SOLUSDT
	live s 20
	for fault in half-open "slow 10s 1"; do
		order "$fault"
		goes_on s 30 || { echo "not after: $fault"; return 1; }
	done
	stop s
	has_said s 'neither data nor pong for 0\.'
	states s | grep -q stale
	checked s.out --least 50
}

@test "silence alone is no death as long as pings are answered; a missing pong is" {
	exchange --rate 50
	stream s --stale 0.6 SOLUSDT
	live s 10
	order silence
	wait_for 5 has_events ping-answered 0
	sleep 1.2
	[[ $(events open) -eq 1 ]]
	order no-pong
	wait_for 5 has_said s 'neither data nor pong'
	goes_on s
	stop s
}

@test "a stream that is acknowledged and never delivers is named, a quiet one is not" {
	exchange --rate 50
	stream s -s --stale 0.5 SOLUSDT nosuchusdt@aggTrade solusdt@newThing '!contractInfo'
	wait_for 5 has_said s 'nosuchusdt@aggTrade: acknowledged 0\..*nothing has come'
	wait_for 5 has_said s 'solusdt@newThing: acknowledged'
	goes_on s
	stop s
	! has_said s '!contractInfo'
	jq -es 'map(select(.state == "stale").stream) | sort == ["nosuchusdt@aggTrade", "solusdt@newThing"]' s.out
}

@test "refused requests are told in both shapes" {
	local shape
	for shape in bare wrapped; do
		exchange --errors "$shape"
		stream "$shape" -s SOLUSDT
		live "$shape" 5
		order "error $shape 2 Invalid request: odd"
		wait_for 5 has_said "$shape" 'refuses a request: code 2: Invalid request: odd'
		goes_on "$shape" 5
		stop "$shape"
		stop mock
	done
}

@test "too many streams: told, and it does not storm" {
	exchange --max-streams 1
	stream s -s -c book,trade SOLUSDT
	wait_for 5 has_said s 'code 4: Too many subscriptions'
	stop s
	[[ $status -eq 0 ]]
}

@test "no acknowledgement and no data: replaced" {
	exchange --rate 50
	order "#1 subscribe-silence" "#1 silence"
	stream s -s --stale 0.6 SOLUSDT
	goes_on s 10
	stop s
	[[ $(events open) -ge 2 ]]
}

@test "serverShutdown in three forms: a successor first, nothing lost, nothing twice" {
	local form
	exchange --rate 300
	stream s -s -c book,agg,depth@100ms,markPrice@1s SOLUSDT BTCUSDT
	live s 200
	for form in shutdown "shutdown stream" "shutdown api"; do
		before=$(events open)
		order "$form"
		wait_for 5 has_events open $((before + 2)) # two tiers
		wait_for 5 has_events close "$before"
		goes_on s 200
	done
	stop s
	[[ $(events open) -eq 8 ]]
	checked s.out --whole --least 10
}

@test "age: connections are replaced before they are cut, nothing lost, nothing twice" {
	exchange --rate 300
	stream s -s --max-age 0.7 -c book,agg SOLUSDT
	wait_for 10 has_events open 8
	goes_on s 100
	stop s
	checked s.out --whole --least 100
	[[ $(states s | tr '\n' ' ') == "connecting connecting live live end " ]]
}

@test "two lines: losing one again and again loses nothing" {
	local i
	exchange --rate 200
	stream s -s --lines 2 -c book,agg,depth@100ms SOLUSDT
	wait_for 5 has_events subscribe 4
	goes_on s 50
	for ((i = 0; i < 8; i++)); do
		# connections are numbered as they come: the oldest one of those that live
		before=$(events open)
		order "#$((i + 1)) cut rst"
		wait_for 5 has_events open $((before + 1))
		wait_for 5 has_events subscribe $((before + 1))
		goes_on s 60
	done
	kill -s USR1 "$s_pid"
	wait_for 5 has_said s 'line A first [0-9]*, line B first'
	stop s
	checked s.out --whole --least 100
}

@test "two lines: one fills the holes of the other" {
	exchange --rate 200
	stream s -s --lines 2 -c agg,depth@100ms SOLUSDT
	wait_for 5 has_events subscribe 4
	goes_on s 50
	order "#1 drop 10" "#2 drop 10" "#3 hold 0.1" "#4 hold 0.1"
	goes_on s 200
	stop s
	checked s.out --whole --least 20
}

@test "one line: a hole is told at once, with its ids" {
	exchange --rate 200
	stream s -s -c agg SOLUSDT
	live s 50
	order "drop 3"
	wait_for 5 has_said s 'gap: solusdt@aggTrade: last id [0-9]*, next id [0-9]*: 3 events missing between 20'
	goes_on s 20
	stop s
	jq -es 'map(select(.state == "gap")) | length == 1 and (.[0] | .stream == "solusdt@aggTrade" and
		(.nextId | tonumber) - (.lastId | tonumber) == 4 and (.detail | startswith("3 events missing")))' s.out
	checked s.out
}

@test "odd frames: split, fragmented, repeated, out of order, binary, broken: lines stay lines" {
	local fault
	exchange --rate 200
	stream s -s -c book,agg SOLUSDT
	live s 50
	for fault in "split 1" "split 100" heal "dup 5" "empty" "empty-fragments" "binary" "bad-utf8" "newline 5" "say {broken" \
		"say [1,2]" "say {\"stream\":\"x@y\",\"data\":{}}" "ping 125" "pings 5" "pong" "masked"; do
		order "$fault"
		goes_on s 20 || { echo "not after: $fault"; return 1; }
	done
	stop s
	[[ $status -eq 0 ]]
	jq -es 'all(type == "object")' s.out
	[[ $(jq -c 'select(.type == null) | .data' s.out | sort | uniq -d | wc -l) -eq 0 ]]
}
