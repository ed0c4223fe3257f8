# bnc-stream where two connections bring the same: successors, two lines, and the holes that stay

load ../lib
load stream

bats_require_minimum_version 1.5.0

@test "serverShutdown in three forms: a successor first, nothing lost, nothing twice" {
	local form before
	exchange --rate 300
	stream s -s -c book,agg,depth@100ms,mark,kline_1m SOLUSDT BTCUSDT
	live s 200
	for form in shutdown "shutdown stream" "shutdown api"; do
		before=$(events open)
		more s 300 # a successor's successor waits a second
		order "$form"
		await open $((before + 2)) # two tiers
		await close "$before"
		more s 200
	done
	stop s
	[[ $(events open) -eq 8 ]]
	# each was closed by us, and in order
	[[ $(told close | jq -r '"\(.code) \(.why)"' | sort -u) == "1000 the client closed" ]]
	checked s.out --whole --least 3
}

@test "age: connections are replaced before they are cut, hundreds of times, nothing lost, nothing twice" {
	local name
	exchange --rate 300
	for name in a b c d e f g h; do
		stream "$name" -s --max-age 0.1 -c book,agg,trade,mark SOLUSDT
	done
	wait_for 60 has_events open 120
	for name in a b c d e f g h; do
		stop "$name"
		checked "$name.out" --whole --least 5
		[[ $status -eq 0 && $(states "$name" | xargs) == "connecting connecting live live end" ]]
		[[ ! -s $name.err ]]
	done
	# a successor that was being opened at the end has not come so far
	run ! jq -e 'select(.code != 1000 and .served > 0)' <(told close)
}

@test "an old connection that lags behind its successor gives all it has before it is closed" {
	local i began slow=0
	exchange --rate 200
	stream s -s -c agg,mark SOLUSDT
	for i in 1 2 3; do
		more s 300 # a successor's successor waits a second
		order "#$i shutdown" "wait 10ms" "#$i hold 0.8"
		await open $((i + 1))
		began=${EPOCHREALTIME/./}
		await close "$i"
		((${EPOCHREALTIME/./} - began < 600000)) || ((++slow))
	done
	more s 100
	stop s
	[[ $(told close | jq -r '"\(.code) \(.why)"' | sort -u) == "1000 the client closed" ]]
	checked s.out --whole --least 3
	# in time to hold what it still had, at least once
	((slow > 0))
}

@test "two lines: losing one again and again loses nothing" {
	local i before tier victim
	exchange --rate 200
	stream s -s --lines 2 -c book,agg,depth@100ms SOLUSDT
	await subscribe 4
	more s 50
	for ((i = 0; i < 12; i++)); do
		tier=$( ((i % 2)) && echo market || echo public)
		victim=$(conns "$tier" | sed -n "$((i / 2 + 1))p") # the oldest that lives
		before=$(events subscribe)
		order "#$victim cut rst"
		await subscribe $((before + 1))
		more s 60
	done
	kill -s USR1 "$s_pid"
	hears s 'line A first [0-9]+, line B first [0-9]+'
	stop s
	[[ $(events open) -eq 16 ]]
	checked s.out --whole --least 30
}

@test "two lines: one fills the holes of the other" {
	local a b
	exchange --rate 200
	stream s -s --lines 2 -c agg,trade SOLUSDT
	await subscribe 4
	more s 50
	for tier in market public; do
		{ read -r a; read -r b; } <<<"$(conns $tier)"
		order "#$b hold 0.1" "#$a drop 10"
		more s 100
		order "#$a hold 0.1" "#$b drop 10"
		more s 100
	done
	kill -s USR1 "$s_pid"
	hears s 'late fills [1-9]'
	stop s
	checked s.out --whole --least 100
}

@test "one line: a hole is told at once, with its ids" {
	exchange --rate 200
	stream s -s -c agg SOLUSDT
	live s 50
	order "drop 3"
	hears s 'gap: solusdt@aggTrade: last id [0-9]+, next id [0-9]+: 3 events missing between 20'
	more s 20
	stop s
	jq -es 'map(select(.state == "gap")) | length == 1 and (.[0] | .stream == "solusdt@aggTrade" and
		(.nextId | tonumber) - (.lastId | tonumber) == 4 and (.detail | startswith("3 events missing")))' s.out
	# right before the frame behind it
	jq -es '. as $all | map(.state == "gap") | index(true) as $i | ($all[$i + 1].data.a | tostring) == $all[$i].nextId
		and ($all[$i - 1].data.a | tostring) == $all[$i].lastId' s.out
	checked s.out
}

