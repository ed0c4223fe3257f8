load ../lib
load hub

# --- options ------------------------------------------------------------------------------------------------------

@test "help and version go to standard output" {
	run --separate-stderr bnc-hub --help
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[0]} == "usage: bnc-hub "* ]]
	run --separate-stderr bnc-hub -V
	[[ $output =~ ^bnc-hub\ [0-9.]+$ ]]
}

@test "wrong calls say why, make nothing and end with 2" {
	local call
	for call in "" "a b" "-x s" "--nope s" "--history x s" "--history 1/x s" "--history 1000001 s" "--max-clients 0 s" \
		"--max-clients x s" "--queue 4095 s" "--queue x s" "--queue 2G s" "--max-line 1023 s" "--max-line 1048577 s" \
		"--stale 0 s" "--stale x s" "--mode 0600 s" "--mode 8 s" "--mode 689 s" "--mode x s" "--idle 0 s" "--idle x s" \
		"--ready-fd x s" "--ready-fd 77 s" "--www" "--linger=1 s"; do
		run --separate-stderr bnc-hub $call <<<'{}'
		echo "$call: $status $stderr"
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[[ ${stderr_lines[0]} == bnc-hub:* && ${stderr_lines[1]} == "usage: bnc-hub "* ]]
	done
	[ -z "$(find . -name 's*')" ]
	run --separate-stderr bnc-hub --queue 1k s
	[ "${stderr_lines[0]}" = "bnc-hub: --queue: '1k' is not a size from 4k to 1G" ]
}

@test "what stands in the way is told, exit 3" {
	run --separate-stderr bnc-hub none/sock </dev/null
	[[ $status -eq 3 && $stderr == "bnc-hub: none/sock.lock: No such file or directory" ]]
	echo keep >file
	run --separate-stderr bnc-hub file </dev/null
	[[ $status -eq 3 && $stderr == "bnc-hub: file: is there, and is no socket" ]]
	[ "$(<file)" = keep ]
	run --separate-stderr bnc-hub "$(printf 'x%.0s' {1..108})" </dev/null
	[[ $status -eq 3 && $stderr == *": File name too long" ]]
	run --separate-stderr bnc-hub --www none sock </dev/null
	[[ $status -eq 3 && $stderr == "bnc-hub: none: No such file or directory" ]]
	[ ! -e sock ]
	if ! under_valgrind; then
		run --separate-stderr sh -c 'bnc-hub sock <&-'
		[[ $status -eq 3 && $stderr == "bnc-hub: standard input: Bad file descriptor" ]]
	fi
	run --separate-stderr bnc-hub sock <.
	[[ $status -eq 3 && $stderr == "bnc-hub: standard input: Is a directory" ]]
	[ ! -e sock ]
}

# --- the socket -----------------------------------------------------------------------------------------------------

@test "the socket is its owner's alone, or as --mode says, and goes at the end" {
	umask 0
	open_hub
	[ "$(stat -c '%F %a' sock)" = "socket 600" ]
	close_hub
	[[ $status -eq 0 && ! -e sock ]]
	open_hub --mode 660
	[ "$(stat -c '%F %a' sock)" = "socket 660" ]
	stop hub
	[[ $status -eq 0 && ! -e sock ]]
	[ ! -s hub.err ]
}

@test "one hub at a time, also of many that start at once" {
	open_hub
	run --separate-stderr bnc-hub sock </dev/null
	[[ $status -eq 3 && $stderr == "bnc-hub: sock: another hub serves it" ]]
	answers
	close_hub
	local i served=0 refused=0
	for i in {1..12}; do
		begin "many$i" bnc-hub sock
	done
	# those that were refused have ended; /dev/null is the end of the input of the others
	for i in {1..12}; do
		wait_end "many$i" 5
		((status == 3)) && ((refused += 1))
		((status == 0)) && ((served += 1))
	done
	echo "served $served refused $refused"
	((served >= 1 && served + refused == 12))
	mkfifo hold
	exec 6<>hold
	for i in {1..12}; do
		STDIN=hold begin "more$i" bnc-hub sock
	done
	soon answers
	# eleven go, one stays
	soon eval '(($(cat more*.err | grep -c "another hub serves it") == 11))'
	answers
	release
}

@test "the socket of a hub that was killed is replaced, somebody else's is not" {
	open_hub
	price SOL 1 >&5
	stop hub KILL
	exec 5>&-
	[ -S sock ]
	open_hub
	answers
	close_hub
	begin other "$TOOLS/hub-fake" sock stay
	soon has other listens
	run --separate-stderr bnc-hub sock </dev/null
	[[ $status -eq 3 && $stderr == "bnc-hub: sock: another program listens at it" ]]
	[ -S sock ]
	stop other
}

# --- the stream -----------------------------------------------------------------------------------------------------

@test "a reader that keeps up gets every line, in order and to the byte" {
	open_hub
	tap one
	tap two
	stream 6000 7 >all
	printf '%s\n' ' { "a" : [1, 2.50, "\u00e9é"] }	' '{"type":"heartbeat","ts":1}' >>all
	split -l 200 all part.
	local part n=0
	for part in part.*; do
		cat "$part" >&5
		((n += $(wc -l <"$part")))
		soon eval '(($(border one | wc -l) >= n && $(border two | wc -l) >= n))'
	done
	border one | cmp - all
	border two | cmp - all
	[ "$(metric lines_conflated_total)" = 0 ]
	close_hub
}

@test "a single line passes at once" {
	open_hub
	tap one
	local i from
	for i in {1..10}; do
		from=${EPOCHREALTIME/./}
		price SOL "$i" >&5
		wait_for 2 has one "\"price\":\"$i\""
		((${EPOCHREALTIME/./} - from < 500000))
	done
	close_hub
}

@test "a late comer gets the newest of each, the last of equity, a border, and then what comes" {
	open_hub --history 2
	local i
	for i in 1 2 3; do
		price SOL "$i" >&5
		price ETH "$i" >&5
		printf '{"type":"equity_snapshot","equity":"%d","ts":%d,"asset":"USDT"}\n' "$i" "$i" >&5
		printf '{"type":"position_update","symbol":"SOL","positionSide":"LONG","qty":"%d"}\n' "$i" >&5
		printf '{"type":"position_update","symbol":"SOL","positionSide":"SHORT","qty":"-%d"}\n' "$i" >&5
	done
	printf '{"type":"status","state":"live","ts":1,"source":"demo"}\n' >&5
	tap one
	{
		price SOL 3
		price ETH 3
		echo '{"type":"position_update","symbol":"SOL","positionSide":"LONG","qty":"3"}'
		echo '{"type":"position_update","symbol":"SOL","positionSide":"SHORT","qty":"-3"}'
		echo '{"type":"status","state":"live","ts":1,"source":"demo"}'
		echo '{"type":"equity_snapshot","equity":"2","ts":2,"asset":"USDT"}'
		echo '{"type":"equity_snapshot","equity":"3","ts":3,"asset":"USDT"}'
	} | cmp - <(head -n 7 one.out)
	[ "$(sed -n 8p one.out | jq -c '[.type, .state, .source, .detail]')" = \
		'["status","live","demo","from here on as it comes"]' ]
	price SOL 4 >&5
	soon has one '"price":"4"'
	[ "$(wc -l <one.out)" -eq 9 ]
	close_hub
}

@test "history in steps of its own time" {
	open_hub --history 10/1s
	local ts
	for ts in 1000 1400 1900 2000 2999 3100 3200; do
		printf '{"type":"equity_snapshot","ts":%d,"asset":"USDT"}\n' "$ts" >&5
	done
	tap one
	# and the newest, which belongs to no step yet
	[ "$(jq -c 'select(.type == "equity_snapshot").ts' one.out | xargs)" = "1000 2000 3100 3200" ]
	close_hub
}

@test "lines that are no JSON objects are refused, told, and 1 at the end" {
	open_hub
	tap one
	python3 -c '
import sys
w = sys.stdout.buffer.write
w(b"{\"n\":1}\nhello\n\n[1]\n{\"a\":\"\xff\"}\n{\"a\":\"\0\"}\n")
w(b"{\"x\":\"" + b"y" * (1 << 20) + b"\"}\n{\"n\":2}\n{\"n\":3}{\n")' >&5
	soon has one '{"n":2}'
	soon metric_is lines_refused_total 7
	close_hub
	[ "$status" -eq 1 ]
	[ "$(head -n 2 <(border one))" = $'{"n":1}\n{"n":2}' ]
	[ "$(border one | wc -l)" -eq 3 ]
	diff - hub.err <<-'E'
		bnc-hub: line 2: byte 0: not a JSON object
		bnc-hub: line 3: byte 0: not a JSON object
		bnc-hub: line 4: byte 0: not a JSON object
		bnc-hub: line 5: byte 6: invalid UTF-8
		bnc-hub: line 6: byte 6: control character in a string
		bnc-hub: line 7: byte 1048576: longer than 1 MiB
		bnc-hub: line 9: byte 7: more behind the object
		bnc-hub: 7 lines refused
	E
	run --separate-stderr bnc-hub --strict sock <<<$'{}\nx\n{}\ny'
	[[ $status -eq 1 && $stderr == $'bnc-hub: line 2: byte 0: not a JSON object\nbnc-hub: 1 line refused' ]]
}

@test "--max-line: a status record in the place of a longer line" {
	open_hub --max-line 4081
	tap one
	tap two --rate 1
	local x
	x=$(printf '%04081d' 0)
	echo "{\"type\":\"trade_executed\",\"x\":\"${x:32}\"}" >&5
	echo "{\"type\":\"trade_executed\",\"x\":\"${x:31}\"}" >&5
	echo '{"n":3}' >&5
	soon has one '{"n":3}'
	soon has two '{"n":3}'
	cmp <(border one) <(border two)
	[ "$(border one | sed -n 1p | wc -c)" -eq 4082 ]
	[ "$(border one | sed -n 2p | jq -c '[.type, .state, .detail]')" = \
		'["status","gap","a record of 4082 bytes (trade_executed) is left out: longer than 4081"]' ]
	metric_is lines_too_long_total 1
	close_hub
	[ "$status" -eq 0 ]
}

# --- what clients may ask -------------------------------------------------------------------------------------------

@test "requests: in pieces, with blanks, none at all, and what is none" {
	open_hub --linger
	price SOL 1 >&5
	exec 5>&-
	soon eval 'bnc-tap --health sock | grep -q "\"status\":\"down\""'
	local request texts
	for request in 'rate 20\n' ' rate 0 \r\n' 'ra|wait|te 1\n' close '\n' 'rate 1000\nmore\nand more' ''; do
		IFS='|' read -r -a texts <<<"$request"
		begin client "$CLIENT" say sock "${texts[@]}"
		echo "request: $request"
		soon has client "$(price SOL 1)"
		soon has client 'nothing comes any more'
		stop client
	done
	for request in 'rate\n' 'rate x\n' 'rate 1001\n' 'rate -1\n' 'rate 1 2\n' 'nothing\n' '\0\n' \
		"$(printf 'x%.0s' {1..64})"; do
		run "$CLIENT" say sock "$request"
		echo "request: $request: $output"
		[ "$(jq -c '[.type, .state, .detail]' <<<"$output")" = \
			'["status","end","refused: not a request: rate HZ, health or metrics"]' ]
	done
	[ "$("$CLIENT" say sock 'health\n' | jq -c '[keys, .status]')" = \
		'[["ageMs","readers","source","status","streams","uptime"],"down"]' ]
	[[ $("$CLIENT" say sock 'metrics\n' | head -n 1) == "# HELP bnc_hub_up "* ]]
	stop hub
}

@test "as many readers as --max-clients: others are told, and may still ask how it is" {
	open_hub --max-clients 2
	tap one
	tap two
	run --separate-stderr bnc-tap sock
	[ "$status" -eq 3 ]
	[ "$(jq -r .detail <<<"$output")" = "refused: there are as many readers as there may be" ]
	[ "$stderr" = "bnc-tap: sock: the hub does not serve one more like this" ]
	answers
	stop two
	soon metric_is readers 1
	tap two
	# those that ask are not without number either
	stuck stuck 40
	soon metric_is readers 2
	close_hub
}

@test "too many different rates: told; one that asks for none is served" {
	open_hub
	local i
	for i in {1..16}; do
		begin "rate$i" bnc-tap --rate "$i" sock
	done
	soon metric_is readers 16
	run --separate-stderr bnc-tap --rate 17 sock
	[ "$status" -eq 3 ]
	[[ $output == *"one more rate than there may be"* ]]
	tap plain
	begin again bnc-tap --rate 16 sock
	soon has again 'from here on'
	close_hub
}

@test "with a full table of descriptors clients wait, are served later, and www goes on" {
	local most=20
	! under_valgrind || most=32 # of which it keeps twelve
	mkfifo in
	mkdir www
	STDIN=in start hub bash -c 'ulimit -n "$0" && exec bnc-hub --www www sock' $most
	exec 5>in
	soon answers
	price SOL 1 >&5
	soon test -e www/health
	stuck stuck 30 '\n'
	soon grep -q 'bnc-hub: accept: Too many open files' hub.err
	begin late bnc-tap sock
	# the hub lives, and says so
	touch -d '1 minute ago' www/health
	price SOL 2 >&5
	soon eval '(($(date +%s) - $(stat -c %Y www/health) < 30))'
	[ ! -s late.out ]
	stop stuck
	soon has late 'from here on'
	answers
	grep -qx 'bnc-hub: there may be 20 descriptors, too few for 1024 readers' hub.err
	close_hub
	[ "$status" -eq 0 ]
}

# --- rates ----------------------------------------------------------------------------------------------------------

@test "--rate: the newest of each so many times a second, all else at once" {
	open_hub
	tap one --rate 10
	tap all
	local i from now n
	from=${EPOCHREALTIME/./}
	for i in {1..150}; do
		price SOL "$i" >&5
		price ETH "$i" >&5
		trade "$i" >&5
		sleep 0.01
	done
	soon has one '"price":"150","ts":1,"pair":"ETHUSDT"'
	now=${EPOCHREALTIME/./}
	n=$(border one | grep -c SOLUSDT)
	echo "$n of 150 in $((now - from)) us"
	((n <= (now - from) / 100000 + 1 && n >= 5))
	jq -c 'select(.type == "trade_executed").id' one.out | cmp - <(seq 1 150)
	[ "$(border one | jq -r 'select(.symbol == "SOL" and .price).price' | tail -n 1)" = 150 ]
	[ "$(border all | grep -c SOLUSDT)" -eq 150 ]
	close_hub
	# at the end what was held back comes before the last word
	[[ $(tail -n 1 one.out) == *'"state":"end"'* ]]
}

# --- what it says of itself -----------------------------------------------------------------------------------------

@test "www: health is there while prices are fresh, and no longer" {
	mkdir www
	echo ok >www/health # of one that was killed
	open_hub --www www --stale 1s
	soon test -s www/metrics
	[ ! -e www/health ]
	[ "$(jq -r .status www/health.json)" = down ]
	price SOL 1 "$(date +%s%3N)" >&5
	wait_for 3 test -e www/health
	local from=${EPOCHREALTIME/./} took
	[ "$(<www/health)" = ok ]
	wait_for 3 eval '[[ $(jq -r .status www/health.json) == ok ]]'
	wait_for 4 test ! -e www/health
	took=$(((${EPOCHREALTIME/./} - from) / 1000))
	echo "gone after $took ms"
	((took < 2300 * SLOW))
	[ "$(jq -r .status www/health.json)" = stale ]
	price SOL 2 >&5
	wait_for 3 test -e www/health
	stop hub
	exec 5>&-
	[ ! -e www/health ]
	[ "$(ls www)" = $'health.json\nmetrics' ]
	# a new file each time, never one that is half written; as others may read them
	rm www/metrics
	open_hub --www www
	soon test -s www/metrics
	[ "$(stat -c %a www/metrics)" = "$(printf %o $((0666 & ~$(umask) & 0644)))" ]
	exec 7<www/metrics
	local inode
	inode=$(stat -c %i www/metrics)
	soon eval '(($(stat -c %i www/metrics) != inode))'
	tail -n 1 <&7 | grep -q '^bnc_hub_exchange_latency_seconds_count 0$'
	exec 7<&-
	close_hub
}

@test "www: what cannot be written is told once, and nobody is told that all is well" {
	mkdir www
	open_hub --www www
	price SOL 1 >&5
	wait_for 3 test -e www/health
	rm -f www/metrics
	mkdir -p www/metrics/in-the-way
	soon grep -q '^bnc-hub: www: ' hub.err
	wait_for 2 test ! -e www/health
	price SOL 2 >&5
	sleep 1.5
	[ "$(wc -l <hub.err)" -eq 1 ]
	rm -r www/metrics
	soon test -e www/health
	mkdir www/other
	# and where health itself cannot be
	rm www/health
	mkdir -p www/health/in-the-way
	soon eval '(($(wc -l <hub.err) == 2))'
	rm -r www/health
	price SOL 3 >&5
	soon test -e www/health
	close_hub
	[ "$status" -eq 0 ]
}

@test "metrics: as a public parser of Prometheus' text reads them" {
	open_hub --queue 4k --max-line 1k
	tap one
	tap rated --rate 5
	local i now
	now=$(date +%s%3N)
	for i in 1 2 3; do price SOL "$i" "$now" >&5; done
	printf '{"type":"price_update","pair":"SOLUSDT","market":"usdm","source":"kline","interval":"%s","ts":%s}\n' \
		1m "$now" 5m 0 >&5
	printf '{"type":"status","state":"%s","source":"demo"}\n' gap gap connecting stale live >&5
	printf '{"type":"%s"}\n' trade_executed heartbeat position_update balance_update equity_snapshot other >&5
	echo "{\"type\":\"trade_executed\",\"x\":\"$(printf '%01024d' 0)\"}" >&5
	echo x >&5
	soon has one 'is left out'
	bnc-tap --metrics sock >metrics
	/usr/bin/python3 - <<-'P'
		from prometheus_client.parser import text_string_to_metric_families
		families = {f.name: f for f in text_string_to_metric_families(open("metrics").read())}
		samples = {}
		for f in families.values():
		    assert f.name.startswith("bnc_hub_") and f.documentation and f.type != "unknown", f
		    for s in f.samples:
		        key = (s.name, tuple(sorted(s.labels.items())))
		        assert key not in samples, f"twice: {key}"
		        samples[key] = s.value
		def value(name, **labels):
		    return samples["bnc_hub_" + name, tuple(sorted(labels.items()))]
		for kind, n in dict(price_update=5, status=5, trade_executed=2, heartbeat=1, position_update=1, balance_update=1,
		                    equity_snapshot=1, other=1).items():
		    assert value("lines_in_total", type=kind) == n, kind
		assert value("lines_out_total", type="other") == 2
		assert value("lines_out_total", type="price_update") >= 6
		assert value("lines_conflated_total") >= 1
		assert value("lines_refused_total") == 1 and value("lines_too_long_total") == 1
		assert value("gaps_total") == 2 and value("reconnects_total") == 1 and value("stales_total") == 1
		assert value("readers") == 2 and value("readers_served_total") == 2 and value("readers_cut_total") == 0
		assert value("up") == 1 and 0 <= value("price_age_seconds") < 5 and 0 <= value("uptime_seconds") < 60
		for labels in dict(source="book"), dict(source="kline", interval="1m"), dict(source="kline", interval="5m"):
		    assert 0 <= value("stream_age_seconds", market="usdm", pair="SOLUSDT", **labels) < 5
		assert len(families["bnc_hub_stream_age_seconds"].samples) == 3
		latency = families["bnc_hub_exchange_latency_seconds"]
		assert latency.type == "histogram"
		buckets = [(float(s.labels["le"]), s.value) for s in latency.samples if s.name.endswith("_bucket")]
		assert buckets == sorted(buckets) and len(buckets) == 13 and buckets[-1][0] == float("inf")
		assert buckets[-1][1] == value("exchange_latency_seconds_count") == 5
		assert buckets[-2][1] == 4 and value("exchange_latency_seconds_sum") > 1.7e9
	P
	close_hub
	[ "$status" -eq 1 ]
}
