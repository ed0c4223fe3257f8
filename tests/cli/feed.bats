# feed.sh: what can be said of it without an exchange. The rest is in e2e/demo.bats.
load ../lib

FEED=$ROOT/scripts/feed.sh

setup() {
	lib_setup
	export BNC_BIN=$BIN BNC_SPEED=max
	cat >recording <<-'E'
		{"recv":1790526538965462,"market":"usdm","stream":"solusdt@bookTicker","data":{"e":"bookTicker","u":1,"s":"SOLUSDT","b":"142.35","B":"2.6","a":"142.36","A":"5.3","T":1790526538940,"E":1790526538940}}
		{"type":"balance_update","asset":"USDT","balance":"20000","ts":1790526538941}
	E
	echo '{"type":"position_update","symbol":"SOL","qty":"2","entryPrice":"142","markPrice":"142","unrealizedPnl":"0","ts":1,"pair":"SOLUSDT","market":"usdm","positionSide":"BOTH"}' >positions
}

types() { jq -r '.type + (if .source then " " + .source else "" end)' | tr '\n' ','; }

@test "a recording: said to be one, then its records, then its end" {
	export BNC_SOURCE=replay:recording BNC_POSITIONS=positions
	"$FEED" >out
	run types <out
	echo "$output"
	[[ ${output//heartbeat,/} == "status replay,price_update book,position_update,equity_snapshot,balance_update,equity_snapshot,status replay," ]]
	[[ $(jq -r 'select(.type == "equity_snapshot").equity' out | tr '\n' ' ') == "10000.71 20000.71 " ]]
	gzip recording
	BNC_SOURCE=replay:recording.gz "$FEED" | jq -c 'select(.type != "heartbeat" and .type != "status")' >zipped
	jq -c 'select(.type != "heartbeat" and .type != "status")' out | diff - zipped
}

@test "whatever a recording holds, each line is valid UTF-8, not empty, and ended" {
	printf '\n{"type":"note","text":"\xff\xfe"}\n{"type":"note","text":"\xed\xa0\x80"}\n\r\n{"type":"note","a":"\0"}\n{"type":"note","last":"é"}' >>recording
	BNC_SOURCE=replay:recording run -1 --separate-stderr "$FEED"
	printf '%s\n' "$output" >out
	iconv -f UTF-8 -t UTF-8 out >/dev/null
	jq -e -s 'all(.[]; type == "object")' out >/dev/null
	[[ $output == *'"last":"é"'*'"state":"end"'* && $(grep -c '"note"' out) == 1 ]]
	[[ $stderr == *"bnc-normalize: "*refused* ]]
	BNC_SOURCE=replay:recording "$FEED" 2>/dev/null | tail -c 1 | od -An -c | grep -qF '\n'
}

@test "a recording that breaks off is not said to have ended" {
	gzip recording && truncate -s -5 recording.gz
	BNC_SOURCE=replay:recording.gz run -1 "$FEED"
	[[ $output == *'"detail":"the recording has ended: it is damaged'* && $output == *"bnc-replay: recording.gz: breaks off at byte"* ]]
}

@test "a recording of the exchange is never said to be the exchange" {
	printf '{"type":"status","state":"%s","ts":1,"source":"%s","detail":"x"}\n' live live connecting demo gap live >>recording
	BNC_SOURCE=replay:recording run "$FEED"
	[[ $status == 0 && $(grep -c '"type":"status"' <<<"$output") == 5 ]]
	[[ $(jq -r 'select(.type == "status").source' <<<"$output" | sort -u) == replay ]]
	# a price's source is another thing
	[[ $(jq -r 'select(.type == "price_update").source' <<<"$output" | sort -u) == book ]]
}

@test "a directory is replayed as it was recorded, at the speed that is asked for" {
	mkdir rec
	printf '{"type":"note","n":%d,"ts":%d}\n' 1 1790526539000 2 1790526540000 | bnc-record -o rec
	cat recording >>rec/a.ndjson
	BNC_SOURCE=replay:rec run "$FEED"
	[[ $(grep -o '"n":[12]\|"type":"price_update"' <<<"$output" | tr '\n' ' ') == '"type":"price_update" "n":1 "n":2 ' ]]
	local from=${EPOCHREALTIME/./}
	BNC_SOURCE=replay:rec BNC_SPEED=2 "$FEED" >out
	((${EPOCHREALTIME/./} - from > 450000)) # a second of events
	BNC_SOURCE=replay:rec BNC_SPEED=fast run "$FEED" --check
	[[ $status == 2 && ${lines[0]} == "bnc-replay: -x: 'fast' is not "* ]]
}

@test "frames are recorded as they come, and give the same records again" {
	BNC_SOURCE=demo BNC_RECORD=rec BNC_RATE=100 "$FEED" | jq --unbuffered -c 'select(.type == "price_update")' | head -n 50 >live
	wait_for 5 nothing_left
	[[ $(echo rec/*) == rec/bnc-*.ndjson.zst ]]
	BNC_SOURCE=replay:rec "$FEED" | jq -c 'select(.type == "price_update")' | head -n 50 | diff live -
}

@test "what keeps it from starting is one line, and the exit status says whose fault it is" {
	while IFS='|' read -r wanted variables text; do
		run env $variables "$FEED" </dev/null
		echo "$variables: $status $output"
		[[ $status == "$wanted" && ${#lines[@]} == 1 && $output == "feed.sh: "*$text* ]]
	done <<-'E'
		2|BNC_SOURCE=paper|live, demo, bus or replay:PATH, not 'paper'
		2|BNC_SOURCE=replay:|live, demo, bus or replay:PATH
		2|BNC_SYMBOLS=,|names no symbol
		3|BNC_SOURCE=replay:none|cannot read the recording 'none'
		3|BNC_SOURCE=replay:/|cannot read the recording '/'
		3|BNC_SOURCE=replay:recording BNC_POSITIONS=none|cannot read the positions in 'none'
	E
	mkdir empty
	BNC_BIN=empty PATH=/usr/bin:/bin run "$FEED"
	[[ $status == 3 && ${#lines[@]} == 1 && $output == *"bnc-stream is not there: "* ]]
}

@test "with --check it only looks, also at what the filters are given" {
	BNC_SOURCE=replay:recording run "$FEED" --check
	[[ $status == 0 && -z $output ]]
	BNC_SOURCE=replay:none run "$FEED" --check
	[[ $status == 3 ]]
	BNC_SOURCE=replay:recording BNC_BALANCE=much run "$FEED" --check
	[[ $status == 2 && ${lines[0]} == "bnc-equity: "*much* ]]
	echo '{"type":"position_update"}' >positions
	BNC_SOURCE=replay:recording BNC_POSITIONS=positions run "$FEED" --check
	[[ $status == 3 && ${#lines[@]} == 1 && $output == "bnc-equity: "*positions* ]]
	BNC_SOURCE=replay:recording BNC_MARKET=moon run "$FEED" --check
	[[ $status == 2 && ${lines[0]} == "bnc-normalize: "*moon* ]]
}

@test "a reader that goes away is a quiet end" {
	yes '{"type":"note"}' | head -n 100000 >>recording
	run --separate-stderr bash -c 'BNC_SOURCE=replay:recording "$0" | head -n 3; exit ${PIPESTATUS[0]}' "$FEED"
	[[ $status == 0 && ${#lines[@]} == 3 && -z $stderr ]]
	wait_for 2 nothing_left
}

@test "the programs are found beside the script, also by way of a link, in a tree with blanks in its name" {
	mkdir -p "a tree/scripts" "a tree/build" "an installed tree/share/bnc"
	cp "$ROOT"/scripts/*.sh "a tree/scripts"
	cp "$ROOT"/scripts/*.sh "an installed tree/share/bnc"
	ln -s "$BIN" "a tree/build/bin"
	ln -s "$BIN" "an installed tree/bin"
	ln -s "a tree/scripts/feed.sh" linked
	unset BNC_BIN
	export BNC_SOURCE=replay:recording PATH=/usr/bin:/bin
	local feed
	for feed in "a tree/scripts/feed.sh" "an installed tree/share/bnc/feed.sh" ./linked; do
		run "$feed"
		[[ $status == 0 && $output == *equity_snapshot* ]]
	done
	"an installed tree/share/bnc/feed.sh" --check
	rm "an installed tree/bin"
	run "an installed tree/share/bnc/feed.sh" --check
	[[ $status == 3 ]]
}
