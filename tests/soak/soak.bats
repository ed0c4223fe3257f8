# The short form of `make soak`, and that it sees what it looks for
load ../lib

ledger() { /usr/bin/python3 -B "$ROOT/tests/soak/ledger.py" "$@"; }

# three trades of one stream as they are served, and as they are recorded
E=1790526538940
event() { printf '{"e":"aggTrade","E":%s,"a":%s,"s":"SOLUSDT","p":"143.07"}' "$((E + $1 * 1000))" "$1"; }
served() { for n; do printf '1\tsolusdt@aggTrade\t%s\n' "$(event "$n")"; done >served; }
frame() { printf '{"recv":%s000,"market":"usdm","stream":"solusdt@aggTrade","data":%s}\n' "$((E + $1 * 1000))" "$(event "$1")"; }
gap() { printf '{"type":"status","state":"gap","ts":1,"stream":"solusdt@aggTrade","lastId":"%s","nextId":"%s"}\n' "$1" "$2"; }

setup() {
	lib_setup
	mkdir -p rec/1
	served 1 2 3
}

@test "what is served is recorded, or named, or was under way at a kill; else it is lost" {
	{ frame 1 && frame 2 && frame 3; } >rec/1/a.ndjson
	run -0 ledger served rec
	[[ $output == "3 served, 3 recorded, 0 named, 0 at kills" ]]
	{ frame 1 && gap 1 3 && frame 3; } >rec/1/a.ndjson
	run -0 ledger served rec
	[[ $output == "3 served, 2 recorded, 1 named, 0 at kills" ]]
	{ frame 1 && frame 2; } >rec/1/a.ndjson
	run -0 ledger served rec $((E / 1000 + 5))
	[[ $output == "3 served, 2 recorded, 0 named, 1 at kills" ]]
	run -1 ledger served rec $((E / 1000 + 60))
	[[ $output == *"lost, and nothing names it: solusdt@aggTrade"*'"a":3'* ]]
	{ frame 1 && gap 2 3 && frame 3; } >rec/1/a.ndjson
	run -1 ledger served rec
	[[ $output == *'"a":2'* ]]
}

@test "a frame that comes twice, or was never served, is seen" {
	{ frame 1 && frame 2 && frame 2 && frame 3; } >rec/1/a.ndjson
	run -1 ledger served rec
	[[ $output == *"recorded twice"* ]]
	{ frame 1 && frame 2 && frame 3 && frame 4; } >rec/1/a.ndjson
	run -1 ledger served rec
	[[ $output == *"recorded, and not served"* ]]
}

@test "what grows is seen, and what only settles is not" {
	run -0 /usr/bin/python3 -B - <<-E
		import sys
		sys.path.insert(0, "$ROOT/tests/soak")
		from watch import gained, Watch
		import io
		flat = [(t, 2000 if t < 20 else 3000, 5, 1) for t in range(100)]
		grows = [(t, 2000 + 40 * t, 5 + t // 20, 1) for t in range(100)]
		assert gained(flat) == (0, 0, 0), gained(flat)
		assert gained(flat[:30]) is None
		watch = Watch(io.StringIO())
		watch.lives = {1: ["bnc-hub", flat], 2: ["bnc-tap", grows]}
		assert [w.split(" (")[0] + w.split("gained")[1] for w in watch.judge()[1]] == \
			["bnc-tap 2100 KiB in 99 s", "bnc-tap 3 descriptors in 99 s"] or print(watch.judge()[1]) or sys.exit(1)
	E
}

@test "a client that misses a trade, gets one again, or one behind a newer one is seen" {
	run -0 /usr/bin/python3 -B - <<-'E' "$ROOT/tests/soak"
		import sys
		sys.path.insert(0, sys.argv[1])
		from clients import Client, Crowd
		crowd = Crowd(1, 1)
		def trade(n):
		    crowd.line(crowd.all[0], b'{"type":"price_update","pair":"SOLUSDT","source":"trade","id":"%d"}' % n)
		def status(text):
		    crowd.line(crowd.all[0], b'{"type":"status","state":"connecting"%s}' % text)
		for n in 1, 2, 5:
		    trade(n)
		assert crowd.left_out == [("SOLUSDT", 2, 5)] and not crowd.wrong
		status(b'')
		trade(5)
		status(b'')
		trade(9)
		assert len(crowd.left_out) == 1 and not crowd.wrong
		status(b',"source":"demo"')
		trade(11)
		assert len(crowd.left_out) == 2 and not crowd.wrong
		trade(11)
		trade(10)
		assert len(crowd.wrong) == 2
	E
}

@test "a week of cuts and kills in five minutes: all is flat, every frame accounted for" {
	command -v websocketd >/dev/null || skip "websocketd is not installed"
	run -0 "$ROOT/tests/soak/run" 280
	echo "$output"
	[[ ${lines[-1]} == "all is flat, and every frame accounted for" ]]
}
