bats_require_minimum_version 1.5.0
load ../lib

RAW=$ROOT/tests/tools/ws-raw
SUB='{"method":"SUBSCRIBE","params":["solusdt@bookTicker"],"id":1}'

# the mock without TLS, its script on a FIFO that stays open: `fault WORDS...` writes a line
mock() {
	rm -f "$SCRATCH/script" "$SCRATCH/mock.ready"
	mkfifo -m 600 "$SCRATCH/script"
	STDIN=$SCRATCH/script start_fifo "$@"
}

start_fifo() {
	local ready=$SCRATCH/mock.ready
	exec 8<>"$SCRATCH/script"
	start mock bash -c 'exec "$@" 9>"$0"' "$ready" bnc-mock --ready-fd 9 "$@"
	wait_for 5 test -s "$ready" || return 1
	read -r MOCK_PORT <"$SCRATCH/mock.out"
}

fault() { printf '%s\n' "$*" >&8; }

plain() { mock --plain --rate 50 "$@"; }

told() { wait_for 3 grep -q -- "$1" "$SCRATCH/mock.out"; }

raw() { run "$RAW" "$MOCK_PORT" "$@"; }

# a client in the background, what it sees in $SCRATCH/NAME.out
client() { # NAME PATH ARGS...
	local name=$1
	shift
	STDIN=/dev/null start "$name" "$RAW" "$MOCK_PORT" "$@"
}

sees() { grep -q -- "$2" "$SCRATCH/$1.out"; }

# --- options -------------------------------------------------------------------------------------------------------

@test "help and version go to standard output, misuse to standard error" {
	run --separate-stderr bnc-mock --help
	[ "$status" -eq 0 ]
	[[ $output == "usage: bnc-mock"* && -z $stderr ]]
	run --separate-stderr bnc-mock -V
	[[ $status -eq 0 && $output == "bnc-mock "* ]]
	local wrong
	for wrong in "-p 70000" "-p x" "--rate 0" "-x -1" "-m cash" "--walk -1" "--ping-every soon" "--age-cut rst" \
		"--max-messages 65" "--symbols SOL/USDT" "--symbols SOLUSDT,," "--tls one" "--plain --name a.b" "--loop" \
		"--fault explode" "--name a/b" "--odd" "operand" "--listen host.example" "--ready-fd 999"; do
		run --separate-stderr bnc-mock $wrong
		[ "$status" -eq 2 ] || { echo "$wrong: $status"; false; }
		[[ -z $output && $stderr == "bnc-mock: "* ]]
	done
}

@test "what cannot be opened ends it with 3 and says why" {
	plain
	run bnc-mock -p "$MOCK_PORT"
	[[ $status -eq 3 && $output == *"port $MOCK_PORT: Address already in use"* ]]
	run bnc-mock --file nowhere
	[[ $status -eq 3 && $output == "bnc-mock: --file: nowhere: No such file or directory" ]]
	run timeout 5 bash -c 'exec bnc-mock >/dev/full </dev/null'
	[[ $status -eq 3 && $output == "bnc-mock: standard output: No space left on device" ]]
	run bnc-mock --ca-out no/where
	[[ $status -eq 3 && $output == *"No such file or directory" ]]
	run bnc-mock --tls nowhere nowhere
	[ "$status" -eq 3 ]
	run bnc-mock --listen 192.0.2.1
	[ "$status" -eq 3 ]
}

@test "the port is the first line, in the file too, and a signal is a quiet end" {
	plain --port-file port --served /dev/null
	[ "$(cat port)" = "$MOCK_PORT" ]
	client c /public/ws --send "$SUB"
	wait_for 3 sees c bookTicker
	kill -USR1 "$mock_pid"
	wait_for 3 grep -q '^bnc-mock: connections 1 open 1 subscriptions 1 served [1-9][0-9]* queued 0$' mock.err
	told '{"event":"subscribe","conn":1,"id":1,"params":\["solusdt@bookTicker"\],"streams":1}'
	stop mock
	[ "$status" -eq 0 ]
	tail -n 1 mock.out | grep -q '"event":"end","connections":1'
	wait_for 3 sees c 'close 1 1001'
	[ "$(wc -l <mock.err)" -eq 1 ]
}

@test "the end of standard input ends it only when asked" {
	run bash -c 'printf "wait 50ms\nlog" | timeout '$((5 * SLOW))' bnc-mock --plain --stdin-eof-ends'
	[ "$status" -eq 0 ]
	[[ $output == *'"line":"log"'*'"event":"end"'* ]]
	start_mock --plain --rate 50
	raw /public/ws/solusdt@bookTicker -n 1
	[[ ${lines[1]} == *bookTicker* ]]
}

# --- streams -------------------------------------------------------------------------------------------------------

@test "a real client over TLS: the certificate is checked, raw and combined, subscribing by message and by path" {
	start_mock --rate 50 --name stream.test
	cat >client.py <<-'END'
		import asyncio, json, ssl, sys, websockets
		async def main(port, ca):
		    tls = ssl.create_default_context(cafile=ca)
		    async def go(path, subs, n, **more):
		        async with websockets.connect(f"wss://127.0.0.1:{port}{path}", ssl=tls, **more) as ws:
		            if subs:
		                await ws.send(json.dumps({"method": "SUBSCRIBE", "params": subs, "id": 1}))
		            return [json.loads(await asyncio.wait_for(ws.recv(), 5)) for _ in range(n)]
		    a = await go("/public/stream", ["solusdt@bookTicker"], 3)
		    assert a[0] == {"result": None, "id": 1}, a[0]
		    assert a[1]["stream"] == "solusdt@bookTicker" and a[1]["data"]["e"] == "bookTicker", a[1]
		    assert a[2]["data"]["u"] > a[1]["data"]["u"]
		    b = await go("/market/ws/solusdt@aggTrade", [], 2, server_hostname="stream.test")
		    assert b[1]["a"] == b[0]["a"] + 1, b
		    c = await go("/market/stream?streams=solusdt@aggTrade/btcusdt@aggTrade", [], 9)
		    assert {x["stream"] for x in c} == {"solusdt@aggTrade", "btcusdt@aggTrade"}
		    try:
		        await go("/public/ws", [], 0, server_hostname="other.test")
		        assert False
		    except ssl.SSLCertVerificationError:
		        pass
		asyncio.run(main(*sys.argv[1:]))
	END
	run /usr/bin/python3 client.py "$MOCK_PORT" "$MOCK_CA"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "everything is acknowledged, and only what is right is served" {
	plain
	raw /public/ws -t 1 --send '{"method":"SUBSCRIBE","params":["SOLUSDT@bookTicker","solusdt@aggTrade","solusdt@depth@250ms","nosuch@trade","solusdt@booktiker"],"id":7}' \
		--send '{"method":"LIST_SUBSCRIPTIONS","id":8}'
	[ "${lines[1]}" = 'text 1 {"result":null,"id":7}' ]
	[ "${lines[2]}" = 'text 1 {"result":["SOLUSDT@bookTicker","solusdt@aggTrade","solusdt@depth@250ms","nosuch@trade","solusdt@booktiker"],"id":8}' ]
	[ "${lines[3]}" = "end timeout" ]
	raw "/private/ws?listenKey=anything" -t 0.2
	[ "${lines[*]}" = "status 101 end timeout" ]
	raw /ws/solusdt@bookTicker -n 1
	[[ ${lines[1]} == 'text 1 {"e":"bookTicker"'* ]]
	raw /ws/solusdt@aggTrade -t 0.2
	[ "${lines[1]}" = "end timeout" ]
	raw /elsewhere/ws
	[ "${lines[0]}" = "status 404" ]
}

@test "ids are integers, or the short words that the exchange's own connectors send" {
	plain
	raw /public/ws -n 4 --send '{"method":"LIST_SUBSCRIPTIONS","id":"6e0ff5a1-5a8c-4d0d-9d6e-3f1f0c1d2e3f"}' \
		--send '{"method":"LIST_SUBSCRIPTIONS","id":"a b"}' --send '{"method":"LIST_SUBSCRIPTIONS","id":-1}' \
		--send "{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":\"$(printf '%037d' 0)\"}"
	[ "${lines[1]}" = 'text 1 {"result":[],"id":"6e0ff5a1-5a8c-4d0d-9d6e-3f1f0c1d2e3f"}' ]
	[[ ${lines[2]} == *"must be an unsigned integer"* && ${lines[3]} == *"must be an unsigned integer"* ]]
	[[ ${lines[4]} == *"must be an unsigned integer"* ]]
}

@test "properties switch the envelope; errors have the exchange's words, bare or wrapped" {
	plain --max-messages 64
	raw /public/ws -n 10 --cut 300 \
		--send '{"method":"GET_PROPERTY","params":["combined"],"id":1}' --send '{"method":"SET_PROPERTY","params":["combined",true],"id":2}' \
		--send '{"method":"SET_PROPERTY","params":["other",true],"id":3}' --send '{"method":"SET_PROPERTY","params":["combined",1],"id":4}' \
		--send '{"method":"X","id":5}' --send '{"id":6}' --send 'nonsense' --send '{"method":"LIST_SUBSCRIPTIONS"}' --send "$SUB"
	[ "${lines[1]}" = 'text 1 {"result":false,"id":1}' ]
	[ "${lines[2]}" = 'text 1 {"result":null,"id":2}' ]
	[ "${lines[3]}" = 'text 1 {"code":0,"msg":"Unknown property","id":3}' ]
	[ "${lines[4]}" = 'text 1 {"code":1,"msg":"Invalid value type: expected Boolean","id":4}' ]
	[[ ${lines[5]} == 'text 1 {"code":2,"msg":"Invalid request: unknown variant X, expected one of `SUBSCRIBE`, '* ]]
	[ "${lines[6]}" = 'text 1 {"code":2,"msg":"Invalid request: missing field `method` at line 1 column 8"}' ]
	[ "${lines[7]}" = 'text 1 {"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}' ]
	[ "${lines[8]}" = 'text 1 {"code":2,"msg":"Invalid request: request ID must be an unsigned integer"}' ]
	[[ ${lines[10]} == 'text 1 {"stream":"solusdt@bookTicker","data":{"e":"bookTicker"'* ]]
	# nothing, and a name with a NUL inside
	raw /public/ws/%00x/a%00b -n 2 --send '' --send '{"method":"SUBSCRIBE","params":["a\u0000b","\u0000"],"id":9}'
	[ "${lines[1]}" = 'text 1 {"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}' ]
	[ "${lines[2]}" = 'text 1 {"result":null,"id":9}' ]
	stop mock
	[ "$status" -eq 0 ]
	plain --errors wrapped --symbols solusdt,SOLUSDT
	raw /public/ws -n 1 --send nonsense
	[ "${lines[1]}" = 'text 1 {"error":{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}}' ]
}

@test "every connection sees the same events: the same bytes, stream for stream" {
	plain --served served --rate 100 --start-after 3
	client a "/public/stream?streams=solusdt@bookTicker/solusdt@trade" -n 150 --cut 1000
	wait_for 3 told '"event":"open","conn":1'
	client b /public/ws/solusdt@trade -n 60 --cut 1000
	wait_end a 5
	wait_end b 5
	stop mock
	# what was served to the first is what it received
	grep '^text' a.out | sed 's/^text 1 {"stream":"\([^"]*\)","data":\(.*\)}$/\1\t\2/' >received
	[ "$(wc -l <received)" -eq 150 ]
	cut -f 2,3 <(grep -P '^1\t' served) | head -n 150 | cmp - received
	# and the second has the same trades
	grep -P '^1\tsolusdt@trade\t' served | cut -f 3 | head -n 60 | cmp - <(sed -n 's/^text 1 //p' b.out)
}

@test "a seed and an epoch decide every byte" {
	local run
	for run in 1 2; do
		plain --walk 42 --epoch 1790526480000 --rate 200
		client "c$run" "/public/ws/solusdt@bookTicker/btcusdt@depth5@100ms/btcusdt@trade" -n 100 --cut 2000
		wait_end "c$run" 5
		stop mock
	done
	cmp c1.out c2.out
	[[ $(sed -n 2p c1.out) == *'"T":17905264800'* ]]
}

@test "spot and COIN-M have no tiers, and their own frames" {
	plain -m spot
	raw "/ws/solusdt@bookTicker" -n 1
	[[ ${lines[1]} == 'text 1 {"u":'* ]]
	raw /public/ws
	[ "${lines[0]}" = "status 404" ]
	stop mock
	plain -m coinm
	raw "/stream?streams=btcusd_perp@bookTicker/btcusd_perp@aggTrade" -n 2 --cut 500
	[[ $output == *'"ps":"BTCUSD"'*'"st":2}}'* ]]
	stop mock
	plain -m all --symbols '牛来USDT,BTCUSD_PERP'
	raw "/stream?streams=%E7%89%9B%E6%9D%A5usdt@trade/btcusd_perp@trade" -t 1 --cut 500
	[[ $output == *'"s":"牛来USDT"'* && $output == *'"s":"BTCUSD_PERP"'* && $output == *'"M":true'* ]]
	raw "/public/ws/%E7%89%9B%E6%9D%A5usdt@bookTicker" -n 1
	[[ $output == *'"s":"牛来USDT","ps":"牛来USDT"'* ]]
}

@test "REST: time, ping, exchangeInfo, depth and premiumIndex" {
	start_mock -m all --name fapi.test --symbols SOLUSDT,BTCUSDT_261225
	cat >rest.py <<-'END'
		import json, ssl, sys, urllib.request, urllib.error
		def get(path):
		    return urllib.request.urlopen(f"https://127.0.0.1:{sys.argv[1]}{path}", context=ssl.create_default_context(cafile=sys.argv[2]))
		assert json.load(get("/fapi/v1/ping")) == {}
		assert json.load(get("/dapi/v1/time"))["serverTime"] > 1700000000000
		info = json.load(get("/fapi/v1/exchangeInfo"))
		by = {s["symbol"]: s for s in info["symbols"]}
		assert by["SOLUSDT"]["baseAsset"] == "SOL" and by["SOLUSDT"]["quoteAsset"] == "USDT", by
		assert by["BTCUSDT_261225"]["pair"] == "BTCUSDT" and by["BTCUSDT_261225"]["contractType"] == "CURRENT_QUARTER"
		assert json.load(get("/dapi/v1/exchangeInfo"))["symbols"][0]["contractSize"] == 100
		for root in "/fapi/v1", "/dapi/v1", "/api/v3":
		    name = json.load(get(f"{root}/exchangeInfo"))["symbols"][0]["symbol"]
		    book = json.load(get(f"{root}/depth?symbol={name}&limit=5"))
		    bids, asks = ([float(price) for price, quantity in book[side]] for side in ("bids", "asks"))
		    assert len(bids) == len(asks) == 5 and bids == sorted(bids, reverse=True) and asks == sorted(asks), book
		    assert bids[0] < asks[0] and book["lastUpdateId"] > 0 and ("E" in book) == (root != "/api/v3"), book
		mark = json.load(get("/fapi/v1/premiumIndex?symbol=SOLUSDT"))
		assert mark["symbol"] == "SOLUSDT" and float(mark["markPrice"]) > 0 and mark["nextFundingTime"] > mark["time"], mark
		assert {row["symbol"] for row in json.load(get("/fapi/v1/premiumIndex"))} >= {"SOLUSDT", "BTCUSDT_261225"}
		assert [row["symbol"] for row in json.load(get("/dapi/v1/premiumIndex?symbol=BTCUSD_PERP"))] == ["BTCUSD_PERP"]
		for path, status, code in ("/fapi/v1/nothing", 404, None), ("/api/v3/premiumIndex", 404, None), \
		    ("/fapi/v1/depth", 400, -1102), ("/fapi/v1/depth?symbol=NO", 400, -1121), \
		    ("/fapi/v1/depth?symbol=SOLUSDT&limit=x", 400, -1130):
		    try:
		        get(path)
		        assert False, path
		    except urllib.error.HTTPError as e:
		        assert e.code == status, (path, e.code)
		        assert code is None or json.load(e)["code"] == code
	END
	run /usr/bin/python3 rest.py "$MOCK_PORT" "$MOCK_CA"
	echo "$output"
	[ "$status" -eq 0 ]
}

# --- recordings ------------------------------------------------------------------------------------------------------

@test "a recording in every layout, untouched, at its pace" {
	cat >rec <<-'END'
		{"recv":1790526538000000,"market":"usdm","stream":"solusdt@bookTicker","data":{"e":"bookTicker",  "u":1}}
		1790526538100000000 {"stream":"solusdt@bookTicker","data":{"e":"bookTicker","u":2}}
		no frame at all
		1790526538200 {"e":"bookTicker","s":"SOLUSDT","u":3}
		{"e":"bookTicker","s":"SOLUSDT","u":4,"E":1790526538300}
		{"u":5,"s":"SOLUSDT","b":"1","E":1790526538400}
	END
	plain --file rec
	local before=${EPOCHREALTIME/./}
	raw /public/ws/solusdt@bookTicker -n 5
	local took=$((${EPOCHREALTIME/./} - before))
	[ "${lines[1]}" = 'text 1 {"e":"bookTicker",  "u":1}' ]
	[ "${lines[3]}" = 'text 1 {"e":"bookTicker","s":"SOLUSDT","u":3}' ]
	[ "${lines[5]}" = 'text 1 {"u":5,"s":"SOLUSDT","b":"1","E":1790526538400}' ]
	[ "$took" -ge 400000 ]
	wait_for 2 told '"event":"recording-end","frames":5,"bad":1'
	stop mock
	plain --file rec -x max --loop
	raw /public/ws/solusdt@bookTicker -n 23
	[ "${lines[23]}" = 'text 1 {"e":"bookTicker","s":"SOLUSDT","u":3}' ]
}

@test "a recording from a pipe waits for its lines, and starts when told" {
	mkfifo feed
	exec 7<>feed
	STDIN=$SCRATCH/feed start mock bash -c 'exec "$@" 9>mock.ready' - bnc-mock --plain --ready-fd 9 --file - -x max --start-after 2
	wait_for 5 test -s mock.ready
	read -r MOCK_PORT <mock.out
	client c /public/ws/solusdt@trade/btcusdt@trade -n 2
	wait_for 3 told '"streams":2'
	echo '{"e":"trade","s":"SOLUSDT","t":1}' >&7
	wait_for 3 sees c '"t":1'
	echo '{"e":"trade","s":"BTCUSDT","t":2}' >&7
	wait_end c 3
	sees c '"t":2'
}

# 40 quotes and as many trades of two symbols, 20 ms apart, in the layouts there are, on standard output
ticks() {
	local i ms
	for i in {1..40}; do
		ms=$((1790526538000 + i * 20))
		printf '{"recv":%d000,"market":"usdm","stream":"solusdt@bookTicker","data":{"e":"bookTicker",  "u":%d}}\n' $ms "$i"
		printf '%d000000 {"stream":"solusdt@aggTrade","data":{"e":"aggTrade","E":%d,"a":%d}}\n' $ms $ms "$i"
		printf '{"e":"bookTicker","E":%d,"s":"BTCUSDT","u":%d}\n' $ms "$i"
		printf '{"e":"aggTrade","E":%d,"s":"BTCUSDT","a":%d}\n' $ms "$i"
	done
}

# the lines of a file as bnc-record keeps them: independent frames, each with its length and its checksum
frames_of() { # LINES-A-FRAME FILE
	local part
	rm -f part.*
	split -l "$1" "$2" part.
	for part in part.*; do zstd -qc --check "$part"; done
}

# and what it puts at the end
index_frame() { printf '\x5e\x2a\x4d\x18\x05\0\0\0index'; }

@test "compressed recordings: the same bytes as the plain one, raw, combined and by SUBSCRIBE, in both tiers" {
	local file
	ticks >rec
	{ frames_of 7 rec && index_frame; } >rec.zst
	gzip -c rec >rec.gz
	zstd -qc rec >whole # one frame, and the name says nothing
	for file in rec rec.zst rec.gz whole; do
		plain --file "$file" -x max --start-after 6
		client raw_book /public/ws/solusdt@bookTicker -n 40 --cut 1000
		client raw_trades /market/ws/solusdt@aggTrade -n 40 --cut 1000
		client both "/public/stream?streams=solusdt@bookTicker/btcusdt@bookTicker" -n 80 --cut 1000
		client asked /market/stream -n 81 --cut 1000 \
			--send '{"method":"SUBSCRIBE","params":["btcusdt@aggTrade","solusdt@aggTrade"],"id":5}'
		for name in raw_book raw_trades both asked; do wait_end $name 5; done
		cat raw_book.out raw_trades.out both.out asked.out >"seen.${file#rec}"
		wait_for 2 told '"event":"recording-end","frames":160,"bad":0'
		stop mock
	done
	cmp seen. seen..zst
	cmp seen. seen..gz
	cmp seen. seen.whole
	# and the plain one is what stands in the file
	sed -n 's/^text 1 //p' raw_book.out | cmp - <(sed -n 's/.*solusdt@bookTicker.*"data":\(.*\)}$/\1/p' rec)
	sed -n 's/^text 1 //p' both.out | grep btcusdt |
		cmp - <(sed -n 's/^{"e":"bookTicker".*/{"stream":"btcusdt@bookTicker","data":&}/p' rec)
	[ "$(sed -n 2p asked.out)" = 'text 1 {"result":null,"id":5}' ]
	sed -n 's/^text 1 //p' asked.out | grep solusdt | cmp - <(sed -n 's/^[0-9]* \(.*\)/\1/p' rec)
}

@test "a compressed recording keeps its pace, divided by the speed, and begins again" {
	ticks | zstd -qc >rec.zst
	local before took slow
	for speed in 0.5 100; do
		plain --file rec.zst -x "$speed"
		before=${EPOCHREALTIME/./}
		raw /public/ws/btcusdt@bookTicker -n 40
		took=$((${EPOCHREALTIME/./} - before))
		stop mock
		[ "$(grep -c '^text' <<<"$output")" -eq 40 ]
		[ "$speed" = 100 ] || slow=$took
	done
	[ "$slow" -ge 1560000 ] # 39 times 20 ms, twice
	[ "$took" -lt 1560000 ]
	plain --file rec.zst -x max --loop
	raw /market/ws/btcusdt@aggTrade -n 100
	[[ ${lines[1]} == *'"a":1}' && ${lines[40]} == *'"a":40}' ]]
	[[ ${lines[41]} == *'"a":1}' && ${lines[100]} == *'"a":20}' ]]
}

# FILE gives quotes up to number N, and breaks off at byte AT for the reason WHY
breaks() { # FILE N AT WHY OPTION...
	local file=$1 n=$2 at=$3 why=$4
	plain --file "$file" -x max "${@:5}"
	client c /public/ws/btcusdt@bookTicker -t 20
	told "\"event\":\"recording-failed\",\"frames\":[0-9]*,\"bad\":0,\"offset\":$at,\"why\":\"$why\"}"
	wait_for 3 grep -qx "bnc-mock: $file: breaks off at byte $at: $why" mock.err
	wait_for 3 sees c "\"u\":$n}"
	# the exchange goes on, and so does the connection
	raw /public/ws -n 1 --send "$SUB"
	[ "${lines[1]}" = 'text 1 {"result":null,"id":1}' ]
	sed -n 's/^text 1 .*"u":\([0-9]*\)}$/\1/p' c.out | cmp - <(seq "$n")
	[ "$(tail -n 1 c.out)" = "text 1 {\"e\":\"bookTicker\",\"E\":$((1790526538000 + n * 20)),\"s\":\"BTCUSDT\",\"u\":$n}" ]
	stop c
	stop mock
	[ "$status" -eq 0 ]
}

@test "a recording that is damaged or torn is served up to there, then told, and the connections stay" {
	ticks >rec
	frames_of 20 rec >rec.zst
	local fourth eighth
	fourth=$(frames_of 20 <(head -n 60 rec) | wc -c)
	eighth=$(frames_of 20 <(head -n 140 rec) | wc -c)
	cp rec.zst flipped # a byte of the fourth frame, told by its checksum; with --loop it must not begin again
	printf '\xff' | dd of=flipped bs=1 seek=$((fourth + 40)) conv=notrunc status=none
	head -c $((eighth + 30)) rec.zst >torn
	gzip -c rec | head -c -1 >torn.gz # all lines, and not the whole checksum
	breaks flipped 15 "$fourth" '.*' --loop
	breaks torn 35 "$eighth" 'the frame is cut off'
	breaks torn.gz 40 '[0-9]*' 'the gzip data is cut off'
}

@test "a compressed recording from a pipe is served frame by frame, as it comes" {
	ticks >rec
	mkfifo feed
	exec 7<>feed
	STDIN=$SCRATCH/feed start mock bash -c 'exec "$@" 9>mock.ready' - bnc-mock --plain --ready-fd 9 --file - -x max
	wait_for 5 test -s mock.ready
	read -r MOCK_PORT <mock.out
	client c /public/ws/btcusdt@bookTicker -n 40
	wait_for 3 told '"streams":1'
	head -n 40 rec | zstd -qc >&7
	wait_for 3 sees c '"u":10}'
	tail -n +41 rec | zstd -qc >part
	head -c 50 part >&7
	tail -c +51 part >&7
	wait_end c 3
	sees c '"u":40}'
	stop mock
	[ "$status" -eq 0 ]
}

@test "a FIFO may have its writer later, and what one read of it brings is served without another" {
	mkfifo feed
	plain --file feed -x max
	client c /public/ws/btcusdt@bookTicker -n 1500
	wait_for 3 told '"streams":1'
	for i in {1..1500}; do printf '{"e":"bookTicker","s":"BTCUSDT","u":%d}\n' "$i"; done >burst
	exec 7>feed
	cat burst >&7
	wait_end c 5
	sees c '"u":1500}'
}

# --- rules -------------------------------------------------------------------------------------------------------------

@test "limits: streams, messages in a second" {
	plain
	local names many=()
	names=$(printf '"s%d@bookTicker",' {1..1025})
	raw /public/ws --send "{\"method\":\"SUBSCRIBE\",\"params\":[${names%,}],\"id\":1}"
	[ "${lines[1]}" = 'text 1 {"error":{"code":4,"msg":"Too many subscriptions"}}' ]
	[ "${lines[2]}" = 'close 1 1008 Invalid request' ]
	for _ in {1..16}; do many+=(--send '{"method":"LIST_SUBSCRIPTIONS","id":3}'); done
	raw /public/ws "${many[@]}"
	[ "${lines[15]}" = 'text 1 {"result":[],"id":3}' ]
	[ "${lines[16]}" = 'close 1 1008 Too many requests' ]
	stop mock
	plain -m spot
	raw /ws "${many[@]}"
	[ "${lines[6]}" = 'close 1 1008 Too many requests' ]
}

@test "pings carry the time, and who does not answer is closed" {
	plain --ping-every 50ms --pong-within 150ms
	raw /public/ws -n 6
	[[ ${lines[1]} =~ ^ping\ 1\ 1[0-9]{12}$ ]]
	told '"event":"pong","conn":1,"payload":"1[0-9]*","answers":"ping"'
	raw /public/ws --no-pong
	[[ ${lines[-2]} == 'close 1 1008'* ]]
	told '"why":"no pong"'
}

@test "age ends a connection, with a close frame or by dropping it" {
	plain --max-age 100ms
	raw /public/ws
	[ "${lines[1]}" = 'close 1 1001 ' ]
	[ "${lines[2]}" = 'end eof' ]
	stop mock
	plain --max-age 100ms --age-cut drop
	raw /public/ws
	[ "${lines[1]}" = 'end eof' ]
}

@test "a client that takes nothing is cut off before its queue passes 8 MiB" {
	plain --fault 'half-open'
	client c /public/ws -t 20 --send-hex 00
	wait_for 3 told '"event":"open"'
	fault '#1 huge 7M'
	fault '#1 huge 7M'
	wait_for 3 told '"event":"close","conn":1,.*"why":"too much was waiting for it"'
	wait_for 3 sees c 'end reset'
}

# --- faults ----------------------------------------------------------------------------------------------------------------

# FAULT, then lines of which the client sees each (as patterns), in this order
shows() {
	fault "next $1"
	local want at=1 n=$#
	[[ ${!#} != end* ]] || n=0
	raw /public/stream -t "${T:-4}" -n "$n" --cut 60 --send "$SUB"
	for want in "${@:2}"; do
		while [[ $at -lt ${#lines[@]} && ${lines[at]} != $want ]]; do at=$((at + 1)); done
		[[ $at -lt ${#lines[@]} ]] || { printf '%s: no "%s" in\n%s\n' "$1" "$want" "$output"; return 1; }
		at=$((at + 1))
	done
}

@test "ends of a connection" {
	plain
	shows 'cut' 'end eof'
	shows 'at 2 cut rst' '*bookTicker*' '*bookTicker*' 'end reset'
	shows 'cut mid-frame' 'end torn 2[0-9]'
	shows 'cut mid-header' 'end torn 3'
	shows 'close' 'close 1 1000 ' 'end eof'
	shows 'at 1 close 1012 come again' '*bookTicker*' 'close 1 1012 come again' 'end eof'
	shows 'close none' 'close 1 none ' 'end eof'
	shows 'age' 'close 1 1001 ' 'end eof'
}

@test "frames that should not be" {
	plain
	shows 'rsv' 'text+RSV 1 {"e":"rsv"}'
	shows 'bad-opcode' '3 1 *'
	shows 'stray' 'cont 1 *'
	shows 'interleave' 'text 0 *' 'text 1 *inside*' 'cont 1 *'
	shows 'long-control' 'ping 1 126 bytes*'
	shows 'split-control' 'ping 0 half' 'cont 1 half'
	shows 'endless' 'text 1 long 1099511627776'
	shows 'bad-length' 'text 1 long 9223372036854775813'
	shows 'masked' 'text+MASK 1 {"e":"masked"}'
	shows 'binary' 'binary 1 *'
	shows 'raw 8a00810178' 'pong 1 ' 'text 1 x'
}

@test "messages that should not be" {
	plain
	shows 'huge 300k' 'text 1 307200 bytes*'
	shows 'bad-utf8' 'text 1 {"e":"bad\\xff\\xc0utf8"}'
	shows 'empty' 'text 1 '
	shows 'empty-fragments' 'text 0 ' 'cont 0 {"e":"in ' 'cont 0 ' 'cont 0 pieces"}' 'cont 1 '
	shows 'ping 0' 'ping 1 '
	shows 'pings 3' 'ping 1 1' 'ping 1 2' 'ping 1 3'
	shows 'pong' 'pong 1 unasked'
	shows 'say {"a":  1}' 'text 1 {"a":  1}'
	shows 'shutdown' 'text 1 *"stream":"!serverShutdown","data":{"e":"serverShutdown"*' '*bookTicker*'
	shows 'shutdown api' 'text 1 {"event":{"e":"serverShutdown","E":*}}'
	shows 'error wrapped 4 Too many' 'text 1 {"error":{"code":4,"msg":"Too many"}}'
	shows 'error bare -1 Odd' 'text 1 {"code":-1,"msg":"Odd"}'
	fault 'next shutdown'
	raw /public/ws -n 1
	[[ ${lines[1]} == 'text 1 {"e":"serverShutdown","E":'* ]]
}

# the numbers (u) of the messages that a client sees with FAULT on, from a recording that counts
numbers() {
	fault "next $1"
	raw /public/ws/solusdt@bookTicker -n "${2:-6}" -t "${T:-2}"
	fault 'heal'
	echo "$output" | sed -n 's/.*"u":\([0-9]*\).*/\1/p' | tr '\n' ' '
}

@test "messages left out, doubled, out of order, torn" {
	for i in {1..60}; do printf '{"e":"bookTicker","s":"SOLUSDT","u":%d,"E":%d}\n' "$i" $((1790526538000 + i * 20)); done >rec
	local i
	for i in 'drop 2:3 4 5 6 7 8 ' 'at 2 drop 3:1 2 6 7 8 9 ' 'dup 2:1 1 2 2 3 4 ' 'reorder 3:3 2 1 4 5 6 ' \
		'drop 2 other@trade:1 2 3 4 5 6 ' 'hold 150ms:1 2 3 4 5 6 '; do
		plain --file rec
		[ "$(numbers "${i%%:*}")" = "${i#*:}" ] || { echo "$i"; numbers "${i%%:*}"; false; }
		stop mock
	done
	plain --file rec
	fault 'next newline'
	raw /public/ws/solusdt@bookTicker -n 2
	[[ ${lines[1]} == 'text 1 {"e":"bookTicker",\n"s":"SOLUSDT"'* && ${lines[2]} != *'\n'* ]]
}

@test "silence, half-open, slow, split, no acknowledgement, no pong" {
	plain
	T=0.5 shows 'silence' 'text 1 {"result":null,"id":1}' 'end timeout'
	[[ $output != *bookTicker* ]]
	shows 'silence 100ms' '*bookTicker*'
	T=0.5 shows 'half-open' 'end timeout'
	[ "${#lines[@]}" -eq 2 ]
	T=0.5 shows 'slow 10ms 5' 'text 1 {"result":null,"id":1}' 'end timeout'
	# 159 bytes take 320 ms; ws-raw is given up to five times as long
	[[ $(grep -c bookTicker <<<"$output") -le $(((SLOW < 5 ? SLOW : 5) * 5 / 3)) ]]
	shows 'split 70' 'text 0 *' 'ping 1 between' 'cont 0 *' 'cont 1 *'
	shows 'subscribe-silence' '*bookTicker*'
	[[ $output != *result* ]]
	# a masked ping with the payload "hi"
	raw /public/ws -n 1 --send-hex 8982000000006869
	[ "${lines[1]}" = 'pong 1 hi' ]
	fault 'next no-pong'
	raw /public/ws -t 0.3 --send-hex 8982000000006869
	[ "${lines[1]}" = 'end timeout' ]
}

@test "answers to the handshake" {
	plain
	fault 'next 2 http 429 retry-after=3'
	for _ in 1 2; do
		raw /public/ws
		[[ ${lines[0]} == 'status 429' && $output == *'Retry-After: 3'* && $output == *text/html* ]]
	done
	raw /public/ws -t 1
	[ "${lines[0]}" = 'status 101' ]
	fault 'http 302 location=https://evil.example/x'
	raw /public/ws
	[[ ${lines[0]} == 'status 302' && $output == *'Location: https://evil.example/x'* ]]
	local code
	for code in 403 418 451 503; do
		fault "http $code"
		raw /public/ws
		[ "${lines[0]}" = "status $code" ]
	done
	fault 'next /market http 403'
	raw /public/ws -t 1
	[ "${lines[0]}" = 'status 101' ]
	raw /market/ws
	[ "${lines[0]}" = 'status 403' ]
	fault no-answer
	raw /public/ws -t 0.2
	[ "$output" = 'end timeout' ]
	fault hang-up
	raw /public/ws
	[ "$output" = 'end eof' ]
	fault not-http
	raw /public/ws
	[[ ${lines[0]} == not-http* ]]
	fault extension
	raw /public/ws -t 0.1
	[[ ${lines[1]} == 'Sec-WebSocket-Extensions: permessage-deflate' ]]
	fault 'headers 6k'
	raw /public/ws -n 1 --send "$SUB"
	[[ ${lines[1]} == text* ]]
}

@test "a wrong accept value is noticed by a real client" {
	start_mock --plain --fault bad-accept
	run /usr/bin/python3 -c '
import asyncio, websockets, sys
async def main():
    try:
        await websockets.connect("ws://127.0.0.1:%s/public/ws" % sys.argv[1])
    except websockets.exceptions.InvalidHeader as e:
        print(e.name)
asyncio.run(main())' "$MOCK_PORT"
	[ "$output" = "Sec-WebSocket-Accept" ]
}

@test "certificates: each is wrong in its own way, and good again" {
	mock --ca-out ca.pem
	local i
	for i in "wrong-name:*not valid for*" "expired:*certificate has expired" "not-yet-valid:*not yet valid" \
		"self-signed:*self-signed certificate" "unknown-ca:*unable to get local issuer certificate" "tls1.1:tls *"; do
		fault "cert ${i%%:*}"
		wait_for 2 told "\"line\":\"cert ${i%%:*}\""
		raw /public/ws --ca ca.pem
		[[ $output == ${i#*:} ]] || { echo "$i: $output"; false; }
	done
	fault "cert good"
	wait_for 2 told '"line":"cert good"'
	raw /public/ws/solusdt@bookTicker --ca ca.pem -n 1
	[[ ${lines[1]} == *bookTicker* ]]
}

@test "an authority that is kept outlives a kill, and --tls shows the files it is given" {
	mock --ca-out ca.pem --keep ca.key
	[ "$(stat -c %a ca.key)" = 600 ]
	local port=$MOCK_PORT
	kill -KILL "$mock_pid"
	mock --keep ca.key -p "$port"
	raw /public/ws/solusdt@bookTicker --ca ca.pem -n 1
	[[ ${lines[1]} == *bookTicker* ]]
	stop mock
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x \
		-addext subjectAltName=IP:127.0.0.1 -keyout k.pem -out c.pem 2>/dev/null
	mock --tls c.pem k.pem
	raw /public/ws/solusdt@bookTicker --ca c.pem -n 1
	[[ ${lines[1]} == *bookTicker* ]]
	run bnc-mock --tls k.pem c.pem
	[[ $status -eq 3 && $output == "bnc-mock: --tls: k.pem: error:"* ]]
	echo rubbish >ca.key
	run bnc-mock --keep ca.key
	[[ $status -eq 3 && $output == "bnc-mock: --keep: ca.key: error:"* ]]
}

@test "--ca-out writes into a pipe or a device, and leaves it what it is" {
	mkfifo ca
	start reader cat ca
	mock --ca-out ca
	wait_end reader 5
	[ -p ca ]
	raw /public/ws/solusdt@bookTicker --ca reader.out -n 1
	[[ ${lines[1]} == *bookTicker* ]]
	# by a link, which is all that could be lost
	ln -s /dev/full full
	run bnc-mock --ca-out full
	[ "$status" -eq 3 ]
	[ "$output" = "bnc-mock: --ca-out: full: No space left on device" ]
	[ -L full ]
}

@test "instead of TLS: silence, other bytes, the end, a reset; garbage in the middle" {
	mock --ca-out ca.pem --rate 50
	fault tls silent
	raw /public/ws --ca ca.pem -t 0.3
	[ "$output" = 'end timeout' ]
	fault tls garbage
	raw /public/ws --ca ca.pem
	[ "$output" = 'tls WRONG_VERSION_NUMBER' ]
	fault tls close
	raw /public/ws --ca ca.pem
	[[ $output == 'end ragged' || $output == 'end reset' ]]
	fault tls rst
	raw /public/ws --ca ca.pem
	[ "$output" = 'end reset' ]
	fault 'next at 1 garbage'
	raw /public/ws/solusdt@bookTicker --ca ca.pem
	[[ ${lines[1]} == *bookTicker* && ${lines[-1]} == tls* ]]
	local i
	for i in "cut tls:end eof" "cut:end ragged" "cut mid-frame:end torn 2?" "close:end eof"; do
		fault "next ${i%%:*}"
		raw /public/ws --ca ca.pem
		[[ ${lines[-1]} == ${i#*:} ]] || { echo "$i: $output"; false; }
	done
}

@test "refusing, and leaving connections unanswered, for a while" {
	plain
	fault refuse 300ms
	wait_for 2 told '"line":"refuse 300ms"'
	raw /public/ws -t 1
	[ "$output" = refused ]
	answers() { raw /public/ws -t 0.3 && [ "${lines[0]}" = 'status 101' ]; }
	wait_for 3 answers
	fault no-accept
	wait_for 2 told '"line":"no-accept"'
	raw /public/ws -t 0.3
	[ "$output" = 'end timeout' ]
	fault listen
	wait_for 3 answers
}

@test "faults by number, for each, and at a message; a wrong line is told and the rest goes on" {
	plain --fault 'each /market at 3 close 4000 enough'
	raw /market/ws/solusdt@aggTrade
	[ "$(grep -c aggTrade <<<"$output")" -eq 3 ]
	[[ $output == *'close 1 4000 enough'* ]]
	raw /market/ws/solusdt@aggTrade
	[[ $output == *'close 1 4000 enough'* ]]
	fault nonsense
	fault '% a remark'
	fault clear
	fault '#3 say three'
	wait_for 2 told '"event":"refused","line":"nonsense","why":"no such fault"'
	grep -q "bnc-mock: script: 'nonsense': no such fault" mock.err
	raw /market/ws/solusdt@aggTrade -n 5
	[ "${lines[1]}" = 'text 1 three' ]
	[ "$(grep -c aggTrade <<<"$output")" -eq 4 ]
	client a /public/ws -t 3
	client b /public/ws -t 3
	wait_for 2 told '"event":"open","conn":5'
	fault '#5 close'
	wait_for 2 told '"event":"close","conn":5'
	fault log
	wait_for 2 told '"event":"log","conn":4,"served":0'
}

@test "standard output that nobody reads does not hold it up" {
	mkfifo -m 600 out
	exec 6<>out
	head -c 65536 /dev/zero >&6 # what a pipe holds
	start mock bash -c 'exec "$@" >out 9>ready' - bnc-mock --plain --rate 100 --ready-fd 9 --port-file port
	wait_for 5 test -s ready
	read -r MOCK_PORT <port
	raw /public/ws/solusdt@bookTicker -n 50 -t 5
	[ "${lines[-1]}" = 'end enough' ]
}
