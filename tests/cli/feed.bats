# feed.sh: what can be said of it without an exchange. The rest is in e2e/demo.bats.
load ../lib

FEED=$ROOT/scripts/feed.sh

setup() {
	lib_setup
	export BNC_BIN=$BIN
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
	[[ ${output//heartbeat,/} == "status replay,price_update book,equity_snapshot,balance_update,equity_snapshot,status replay," ]]
	[[ $(jq -r 'select(.type == "equity_snapshot").equity' out | tr '\n' ' ') == "10000.71 20000.71 " ]]
	gzip recording
	BNC_SOURCE=replay:recording.gz "$FEED" | jq -c 'select(.type != "heartbeat" and .type != "status")' >zipped
	jq -c 'select(.type != "heartbeat" and .type != "status")' out | diff - zipped
}

@test "a recording in which a line is too long for one WebSocket frame goes on without it" {
	{ printf '{"type":"note","text":"%4070s"}\n' x && printf '{"type":"note","text":"%40s"}\n' y; } >>recording
	BNC_SOURCE=replay:recording "$FEED" >out 2>err
	(($(awk '{ if (length > n) n = length } END { print n }' out) < 4082))
	grep -q '"note".*y' out
	grep -q '1 lines of 4082 bytes and more left out' err
}

@test "what keeps it from starting is one line, and the exit status says whose fault it is" {
	while IFS='|' read -r wanted variables text; do
		run env $variables "$FEED" </dev/null
		echo "$variables: $status $output"
		[[ $status == "$wanted" && ${#lines[@]} == 1 && $output == "feed.sh: "*$text* ]]
	done <<-'E'
		2|BNC_SOURCE=paper|live, demo or replay:FILE, not 'paper'
		2|BNC_SOURCE=replay:|live, demo or replay:FILE
		2|BNC_SYMBOLS=,|names no symbol
		3|BNC_SOURCE=replay:none|cannot read the recording 'none'
		3|BNC_SOURCE=replay:/|cannot read the recording '/'
		3|BNC_SOURCE=replay:recording BNC_POSITIONS=none|cannot read the positions in 'none'
	E
	mkdir empty
	BNC_BIN=empty PATH=/usr/bin:/bin run "$FEED"
	[[ $status == 3 && ${#lines[@]} == 1 && $output == *"bnc-stream is not there: "* ]]
}

@test "with --check it only looks" {
	BNC_SOURCE=replay:recording run "$FEED" --check
	[[ $status == 0 && -z $output ]]
	BNC_SOURCE=replay:none run "$FEED" --check
	[[ $status == 3 ]]
}
