# bnc-stream and how long it lives: what ends a connection, what replaces it, and what is lost meanwhile

load ../lib
load stream

bats_require_minimum_version 1.5.0

@test "it comes back from every way in which a connection can end, and names what was missed" {
	local end ends=("cut fin" "cut tls" "cut rst" "cut mid-frame" "cut mid-header" "close 1000" "close 1001 bye" "close 1008"
		"close 1012" "close none" "close 4000" "garbage" "rsv" "bad-opcode" "stray" "interleave" "long-control"
		"split-control" "bad-length" "masked" "huge 3M")
	exchange --rate 100
	stream s -s -c book,agg,depth@100ms SOLUSDT
	live s 50
	for end in "${ends[@]}"; do
		order "$end"
		more s 30 || { echo "not after: $end"; return 1; }
	done
	more s 100
	stop s
	[[ $status -eq 0 ]]
	(($(events open) >= 2 + 2 * ${#ends[@]} - 4))
	checked s.out --least 30
}

@test "it comes back from everything that can go wrong while connecting" {
	local fault faults=("tls garbage" "tls close" "tls rst" bad-accept not-http hang-up "headers 20000" extension
		"http 500" "http 200" "http 302 location=https://127.0.0.1:1/")
	exchange --rate 100
	stream s -s SOLUSDT
	live s 20
	for fault in "${faults[@]}"; do
		order "next $fault" "cut rst"
		more s 20 || { echo "not after: $fault"; return 1; }
	done
	stop s
	[[ $(said s 'next attempt in') -ge ${#faults[@]} ]]
	checked s.out --least 100
}

@test "a handshake that is never answered is given up, of TLS as of WebSocket" {
	exchange --rate 100
	order "next no-answer"
	stream s SOLUSDT
	hears s 'next attempt'
	live s 5
	order "next tls silent" "cut rst"
	wait_for $PATIENCE eval '(($(said s "next attempt") >= 3))'
	more s 5
	stop s
}

@test "a peer that is killed and comes back, again and again" {
	local i
	exchange --rate 200 --keep "$SCRATCH/authority"
	stream s -s SOLUSDT
	live s 10
	for ((i = 0; i < 10; i++)); do
		kill -KILL "$mock_pid"
		wait_end mock $PATIENCE
		exchange --rate 200 -p "$MOCK_PORT" --keep "$SCRATCH/authority"
		more s 10 || { echo "not after kill number $i"; return 1; }
	done
	stop s
	[[ $status -eq 0 ]]
	[[ $(states s | grep -c live) -eq 11 ]]
	# ids begin anew with each exchange: what came is in order by time, and each new beginning is told
	jq -es '[.[] | select(.recv).data.E] | . == sort' s.out
	[[ $(states s | grep -c gap) -eq 10 ]]
}

@test "cut hundreds of times: it comes back each time, and names all that was missed" {
	exchange --rate 400
	order "each at 25 cut rst"
	stream s -s -c book,agg SOLUSDT
	wait_for 60 has_events fault 300
	order clear
	more s 100
	stop s
	[[ $status -eq 0 ]]
	checked s.out --least 3000
}

@test "a connection that stalls is asked, dropped and replaced" {
	local fault n=0
	exchange --rate 100
	stream s -s --stale 0.6 SOLUSDT
	live s 20
	for fault in half-open "slow 10s 1"; do
		order "$fault"
		wait_for $PATIENCE eval "((\$(said s 'neither data nor pong for 0\.') > $n))" || { echo "not told: $fault"; return 1; }
		more s 30 || { echo "not after: $fault"; return 1; }
		((++n))
	done
	stop s
	has_state s stale
	checked s.out --least 50
}

@test "silence alone is no death as long as pings are answered; a missing pong is" {
	exchange --rate 50
	stream s --stale 0.6 SOLUSDT
	live s 10
	order silence
	await ping 4 # ours, answered: twice as long as --stale
	[[ $(events open) -eq 1 && ! -s s.err ]]
	order no-pong
	hears s 'neither data nor pong'
	more s
	stop s
}

@test "a stream that is acknowledged and never delivers is named, a quiet one is not" {
	exchange --rate 50
	stream s -s --stale 0.5 SOLUSDT nosuchusdt@aggTrade solusdt@newThing '!contractInfo'
	hears s 'nosuchusdt@aggTrade: acknowledged 0\..*nothing has come'
	hears s 'solusdt@newThing: acknowledged'
	more s
	stop s
	[[ $(said s contractInfo) -eq 0 ]]
	jq -es 'map(select(.state == "stale").stream) | sort == ["nosuchusdt@aggTrade", "solusdt@newThing"]' s.out
}

@test "refused requests are told in both shapes" {
	local shape
	exchange
	stream s -s SOLUSDT
	live s 5
	for shape in bare wrapped; do
		order "error $shape 2 Invalid request: $shape"
		hears s "refuses a request: code 2: Invalid request: $shape"
		more s 5
	done
	stop s
	[[ $(events open) -eq 1 && $(states s | grep -c stale) -eq 2 ]]
}

@test "too many streams: told, and asked for again slowly" {
	exchange --max-streams 1
	BNC_BACKOFF=1ms,60s stream s -s -c book,trade SOLUSDT
	hears s 'code 4: Too many subscriptions'
	sleep 1
	stop s
	[[ $status -eq 0 ]]
	(($(events open) <= 3))
}

@test "no acknowledgement and no data: replaced" {
	exchange --rate 50
	order "#1 subscribe-silence" "#1 silence"
	stream s -s --stale 0.6 SOLUSDT
	live s 10
	stop s
	has_said s 'SUBSCRIBE was not acknowledged for 0\.'
	[[ $(events open) -ge 2 ]]
}

@test "odd frames: split, repeated, out of order, binary, broken: lines stay lines" {
	local fault
	exchange --rate 200
	stream s -s -c book,agg SOLUSDT
	live s 50
	for fault in "split 1" "split 100" heal "dup 5" "reorder 3" "empty" "empty-fragments" "binary" "bad-utf8" "newline 5" \
		"say {broken" "say [1,2]" "say {\"stream\":\"x@y\",\"data\":{}}" "ping 125" "pings 5" "pong" "huge 900k"; do
		order "$fault"
		more s 20 || { echo "not after: $fault"; return 1; }
	done
	kill -s USR1 "$s_pid"
	hears s 'copies [1-9]'
	stop s
	[[ $status -eq 0 ]]
	has_said s 'a message that is no JSON object'
	jq -es 'all(type == "object")' s.out
	[[ -z $(jq -c 'select(.recv).data' s.out | sort | uniq -d) ]]
}

@test "frames of hundreds of kB, whole and split" {
	python3 - >recording <<-'P'
		rows = ",".join('{"e":"markPriceUpdate","E":%%d,"s":"S%dUSDT","p":"1.1"}' % i for i in range(6000))
		for i in range(40):
		    print('%d {"stream":"!markPrice@arr@1s","data":[%s]}' % (1790526538000 + 50 * i, rows.replace("%d", str(i))))
	P
	exchange --file recording
	stream s -s '!markPrice@arr@1s'
	live s 5
	order "split 1000"
	live s 40
	stop s
	[[ $(awk 'length > 300000' s.out | wc -l) -eq 40 ]]
	checked s.out --whole --least 40
}
