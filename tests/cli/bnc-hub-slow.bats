load ../lib
load hub

# --- slow readers ---------------------------------------------------------------------------------------------------

@test "a reader that stops reading delays neither the input nor another reader" {
	open_hub --queue 64M
	stuck stuck 20 'rate 0\n'
	tap one
	stream 200000 100000 >all
	local from=${EPOCHREALTIME/./} took i
	cat all >&5
	soon has one '"id":1'
	price END 1 >&5
	soon has one '"symbol":"END"'
	took=$(((${EPOCHREALTIME/./} - from) / 1000))
	echo "40 MB in $took ms"
	((took < 15000 * SLOW))
	# and while they are stuck, single lines pass at once
	for i in {1..5}; do
		from=${EPOCHREALTIME/./}
		price ONE "$i" >&5
		wait_for 2 has one "\"ONE\",\"price\":\"$i\""
		((${EPOCHREALTIME/./} - from < 500000))
	done
	(($(metric lines_conflated_total) > 100000))
	# nor are they cut off: what they did not take is worth nothing any more
	release
	close_hub
	wait_end stuck 5
	[ "$(grep -c 'the stream has ended' stuck.out)" -eq 20 ]
}

@test "a slow reader gets every line that may not be left out, and of the others the newest" {
	open_hub --queue 64M
	stuck stuck 3 'rate 0\n'
	stuck rated 1 'rate 50\n'
	stream 60000 10 >all
	mkfifo go
	begin slow bash -c 'bnc-tap sock </dev/null | { read -r line; echo "$line"; read -r <go; cat; }'
	soon has slow 'from here on'
	cat all >&5
	soon metric_is 'lines_in_total{type="trade_executed"}' 6000
	echo >go
	soon has slow '"id":5999'
	price END 1 >&5
	soon has slow '"symbol":"END"'
	jq -c 'select(.type == "trade_executed").id' slow.out | cmp - <(seq 0 5999)
	# nothing comes twice, nothing out of order, and the last of each is the newest
	border slow | jq -c 'select(.type == "price_update").bid | select(. != null) | tonumber' >bids
	awk '$1 <= before[$1 % 3] { print "out of order: " $1; exit 1 } { before[$1 % 3] = $1 }' bids
	(($(wc -l <bids) < 54000))
	[ "$(tail -n 3 bids | sort -n | xargs)" = "59997 59998 59999" ] || { tail bids; false; }
	release
	close_hub
}

@test "a reader that leaves too much of what may not be left out is cut off, and told so" {
	open_hub --queue 64k
	stuck stuck 2 'rate 0\n'
	mkfifo go
	begin taken bash -c 'bnc-tap sock </dev/null | { read -r <go; cat; }; echo "${PIPESTATUS[0]}"'
	soon metric_is readers 3
	tap one
	stream 20000 2 >all
	split -l 1000 all part.
	local part n=0
	for part in part.*; do
		cat "$part" >&5
		((n += 500))
		soon eval '(($(grep -c trade_executed one.out) == n))'
	done
	soon metric_is readers_cut_total 3
	# one that reads now gets to its last word; the others are not waited for long
	echo >go
	wait_end taken 4
	[ "$(tail -n 1 taken.out)" = 1 ]
	[ "$(tail -n 2 taken.out | head -n 1 | jq -c '[.type, .state, .detail]')" = \
		'["status","end","cut off: more than 65536 bytes of lines that must not be left out were not taken"]' ]
	wait_for 8 metric_is readers 1
	price END 1 >&5
	soon has one '"symbol":"END"'
	close_hub
	[ "$status" -eq 0 ]
	jq -c 'select(.type == "trade_executed").id' one.out | cmp - <(seq 0 9999)
}

@test "clients that talk, and clients that never stop talking, are readers like others" {
	open_hub
	price SOL 1 >&5
	soon metric_is 'lines_in_total{type="price_update"}' 1
	run "$CLIENT" flood sock $((4 << 20))
	echo "$output"
	[ "$output" = "$(price SOL 1) 4194304" ]
	soon metric_is readers 0
	close_hub
}

# --- the end --------------------------------------------------------------------------------------------------------

@test "at the end of the input readers get the rest, a last word, and 0" {
	open_hub --queue 64M
	tap one
	mkfifo go
	begin slow bash -c 'bnc-tap sock </dev/null | { read -r line; echo "$line"; read -r <go; cat; }'
	soon has slow 'from here on'
	soon metric_is readers 2
	stream 20000 1 >all
	cat all >&5
	exec 5>&-
	soon has one '"state":"end"'
	wait_end one 5
	[ "$status" -eq 0 ]
	# the slow one is waited for, nobody else may come
	[ ! -e sock ]
	goes_on hub
	echo >go
	wait_end hub 5
	[ "$status" -eq 0 ]
	wait_end slow 5
	border one | head -n -1 | cmp - all
	border slow | head -n -1 | cmp - all
	[ "$(tail -n 1 slow.out | jq -c '[.state, .detail]')" = '["end","the stream has ended"]' ]
}

@test "who has only just come at the end is served" {
	local i files
	for i in {1..10}; do
		open_hub
		price SOL 1 >&5
		begin late bnc-tap --wait 0.2 sock
		price SOL 2 >&5
		close_hub
		wait_end late 5
		# it came before the end, or after it; never in between, with nothing
		if [[ -s late.out ]]; then
			[ "$status" -eq 0 ]
			has late "$(price SOL 2)"
			[[ $(tail -n 1 late.out) == *'"state":"end"'* ]]
		else
			[ "$status" -eq 3 ]
		fi
	done
	# a client that has said nothing yet
	open_hub
	price SOL 1 >&5
	files=$(ls "/proc/$hub_pid/fd" | wc -l)
	begin client "$CLIENT" say sock
	soon eval '(($(ls "/proc/$hub_pid/fd" | wc -l) > files))'
	close_hub
	wait_end client 5
	has client "$(price SOL 1)"
	has client 'the stream has ended'
}

@test "a reader that takes nothing at the end is waited for, but not for ever" {
	open_hub
	stuck stuck 3 '\n'
	soon metric_is readers 3
	stream 20000 4 >&5
	local from=${EPOCHREALTIME/./}
	close_hub 9
	[ "$status" -eq 0 ]
	((${EPOCHREALTIME/./} - from > 3000000))
	release
}

@test "--linger: the last state goes on being served" {
	open_hub --linger
	price SOL 7 >&5
	tap one
	exec 5>&-
	soon has one '"state":"end"'
	tap two
	cmp <(head -n 1 two.out) <(price SOL 7)
	[ "$(tail -n 1 two.out | jq -c '[.state, .detail]')" = '["end","the stream has ended: nothing comes any more"]' ]
	goes_on one
	goes_on two
	stop hub
	[ "$status" -eq 0 ]
}

@test "SIGTERM: readers are told, and a stuck one does not hold it up" {
	open_hub
	stuck stuck 5 '\n'
	soon metric_is readers 5
	tap one
	stream 20000 4 >&5
	soon has one '"id":4999'
	local from=${EPOCHREALTIME/./} took
	stop hub
	took=$(((${EPOCHREALTIME/./} - from) / 1000))
	echo "$took ms"
	((took < 2500 * SLOW))
	[ "$status" -eq 0 ]
	wait_end one 5
	[ "$(tail -n 1 one.out | jq -c '[.state, .detail]')" = '["connecting","the hub goes down"]' ]
	[ ! -e sock ]
	# a second one waits for nobody
	exec 5>&-
	open_hub
	stuck more 5 '\n'
	soon metric_is readers 5
	stream 20000 4 >&5
	soon metric_is 'lines_in_total{type="trade_executed"}' 5000
	from=${EPOCHREALTIME/./}
	kill -INT "$hub_pid"
	wait_for 1 test ! -e sock
	stop hub
	((${EPOCHREALTIME/./} - from < 900000))
	[ "$status" -eq 0 ]
	exec 5>&-
}

@test "SIGUSR1: counters, and it goes on; -v: at the end" {
	open_hub -v
	tap one
	price SOL 1 >&5
	trade 1 >&5
	echo x >&5
	soon has one '"id":1'
	kill -USR1 "$hub_pid"
	soon grep -qx 'bnc-hub: in 2 out 3 refused 1 conflated 0 too long 0 readers 1, so far 1, cut off 0' hub.err
	price SOL 2 >&5
	soon has one '"price":"2"'
	close_hub
	[[ $(tail -n 1 hub.err) == "bnc-hub: in 3 out 5 refused 1 conflated 0 too long 0 readers 0, so far 1, cut off 0" ]]
}

@test "--idle: ends when nobody has read for so long, and asking how it is is not reading" {
	open_hub --idle 1.5s
	tap one
	local i from
	# longer than it would wait for somebody
	for i in {1..25}; do
		ended "$hub_pid" && break
		sleep 0.1
	done
	goes_on hub
	stop one
	from=${EPOCHREALTIME/./}
	until ended "$hub_pid"; do
		bnc-tap --health sock >/dev/null 2>&1 || true
		((${EPOCHREALTIME/./} - from < 5000000))
		sleep 0.1
	done
	((${EPOCHREALTIME/./} - from > 1000000))
	wait_end hub 1
	[[ $status -eq 0 && ! -e sock ]]
	exec 5>&-
}

# --- memory ---------------------------------------------------------------------------------------------------------

@test "a thousand readers, twenty of them stopped, and 200 000 lines: memory has a bound, and nothing kept is missing" {
	ulimit -n 4096 || skip "no 1100 descriptors"
	open_hub --linger
	soon answers
	begin crowd "$CLIENT" crowd sock 1000 20 "$hub_pid"
	soon has crowd ready
	stream 200000 200 >&5
	exec 5>&-
	wait_for 60 has crowd '"peak"'
	tail -n 1 crowd.out
	jq -se '.[-1] | .wrong == [] and .kept == [1000]' <(tail -n 1 crowd.out)
	# bnc-hub(1) promises it: also where all of them are behind by all that is kept. Sanitizers have a memory of their own
	[[ -n ${SAN:-} ]] || jq -se '.[-1].peak < 32768' <(tail -n 1 crowd.out)
	stop hub
}
