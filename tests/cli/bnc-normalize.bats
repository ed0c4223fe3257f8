load ../lib
bats_require_minimum_version 1.5.0

quote() { # SYMBOL BID ASK TIME: a bookTicker of USD-M
	printf '{"e":"bookTicker","u":1,"s":"%s","ps":"%s","b":"%s","B":"3","a":"%s","A":"4","T":%s,"E":%s,"st":1}\n' \
		"$1" "$1" "$2" "$3" "$4" "$4"
}

priced() { # SYMBOL PAIR PRICE BID ASK TIME [MARKET]: the record that it gives
	printf '{"type":"price_update","symbol":"%s","price":"%s","ts":%s,"pair":"%s","market":"%s","source":"book","bid":"%s","bidQty":"3","ask":"%s","askQty":"4"}\n' \
		"$1" "$3" "$6" "$2" "${7:-usdm}" "$4" "$5"
}

# the numbers of the line of counters, from "records" on, without anything between
counted() { sed -n 's/.*: in .* records \(.*\)/\1/p' | tr -dc '0-9'; }

# --- options -------------------------------------------------------------------------------------------------------

@test "help and version go to standard output" {
	run --separate-stderr bnc-normalize -h
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[0]} == "usage: bnc-normalize "* ]]
	help=$output
	for option in -m --market --keep-unknown --strict --symbols -v --verbose -h --help -V --version; do
		grep -qe "$option\>" <<<"$output"
	done
	run --separate-stderr bnc-normalize --help none
	[ "$output" = "$help" ]
	run --separate-stderr bnc-normalize --version
	[ "$status" -eq 0 ]
	[[ $output =~ ^bnc-normalize\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	run --separate-stderr sh -c 'bnc-normalize -V >/dev/full'
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-normalize: standard output: No space left on device" ]
}

@test "wrong calls say why, read nothing and end with 2" {
	local call
	quote SOLUSDT 1 2 3 >in
	for call in "-x" "--nope" "-m" "--market" "-m moon" "-m USDM" "-musdm,spot" "--market=" "--symbols" "--strict=1" \
		"--keep-unknown=no" "-hq" "-q in" "-m moon in"; do
		run --separate-stderr bnc-normalize $call <in
		echo "$call: $status $stderr"
		if [ "$call" = -hq ]; then
			[ "$status" -eq 0 ]
			continue
		fi
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[[ ${stderr_lines[0]} == bnc-normalize:* ]]
		[[ ${stderr_lines[1]} == "usage: bnc-normalize "* ]]
	done
	run --separate-stderr bnc-normalize -m ''
	[ "$status" -eq 2 ]
	run --separate-stderr bnc-normalize -m moon
	[ "${stderr_lines[0]}" = "bnc-normalize: -m: 'moon' is none of usdm, coinm, spot" ]
}

@test "-m names the market of frames that do not say theirs, and of no other" {
	quote SOLUSDT 1 2 3 | sed 's/,"st":1//' >in
	echo '{"recv":1790526538965462,"market":"spot","stream":"x","data":{"u":1,"s":"SOLUSDT","b":"1","B":"3","a":"2","A":"4"}}' >>in
	local market
	for market in usdm coinm spot; do
		diff <(bnc-normalize -m "$market" in) <(
			priced SOL SOLUSDT 1.5 1 2 3 "$market"
			priced SOL SOLUSDT 1.5 1 2 1790526538965 spot
		)
		[ "$(bnc-normalize --market "$market" in)" = "$(bnc-normalize --market=$market <in)" ]
	done
	[ "$(bnc-normalize in)" = "$(bnc-normalize -m coinm -m usdm in)" ]
}

@test "rows of the other futures market give no record, and a run of nothing else says so" {
	quote BTCUSD_PERP 1 2 3 | sed 's/"st":1/"st":2/' >in
	run --separate-stderr bnc-normalize in
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[[ $stderr == "bnc-normalize: no record: 1 "*" usdm (-m)" ]]
	[ "$(bnc-normalize -m coinm in)" = "$(priced BTC BTCUSD_PERP 1.5 1 2 3 coinm)" ]
	quote SOLUSDT 1 2 3 >>in
	run --separate-stderr bnc-normalize in
	[ "$output" = "$(priced SOL SOLUSDT 1.5 1 2 3)" ]
	[ -z "$stderr" ]
}

nothing_for_a_record() {
	cat "$ROOT"/tests/wire/{control,depth,force_order,shutdown}/*.json "$ROOT"/tests/wire/rare/{a,c,e,o}*.json |
		sed 's/^\([0-9]*\) *{/{/'
}

@test "--keep-unknown passes on frames without a record, unchanged, and nothing else" {
	nothing_for_a_record >frames
	[ "$(wc -l <frames)" -gt 30 ]
	run --separate-stderr bnc-normalize frames
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ -z "$stderr" ]
	bnc-normalize --keep-unknown frames | cmp - frames
	quote SOLUSDT 1 2 3 | bnc-normalize --keep-unknown | diff - <(priced SOL SOLUSDT 1.5 1 2 3)
	echo bad | run ! bnc-normalize --keep-unknown
	# a frame some of whose rows give records is not passed on
	printf '[%s,{"e":"unheard"}]\n' "$(quote SOLUSDT 1 2 3)" | bnc-normalize --keep-unknown |
		diff - <(priced SOL SOLUSDT 1.5 1 2 3)
	# a placeholder is a frame without a record too
	quote SOLUSDT 0 2 3 | bnc-normalize --keep-unknown | diff - <(quote SOLUSDT 0 2 3)
}

@test "--strict stops at the first refused line" {
	{ quote SOLUSDT 1 2 3; echo bad; quote SOLUSDT 1 2 4; } >in
	quote SOLUSDT 1 2 5 >more
	run --separate-stderr bnc-normalize --strict in more
	[ "$status" -eq 1 ]
	[ "$output" = "$(priced SOL SOLUSDT 1.5 1 2 3)" ]
	diff <(printf '%s\n' "$stderr") - <<-'E'
		bnc-normalize: in: line 2: byte 0: not a JSON object
		bnc-normalize: 1 line refused
	E
	run --separate-stderr bnc-normalize --strict more
	[ "$status" -eq 0 ]
	# sound rows before and behind the bad one of the same line are kept
	printf '[%s,7,%s]\n' "$(quote SOLUSDT 1 2 3)" "$(quote SOLUSDT 1 2 4)" | bnc-normalize --strict >out 2>err || status=$?
	diff out <(priced SOL SOLUSDT 1.5 1 2 3; priced SOL SOLUSDT 1.5 1 2 4)
	[ "$status" -eq 1 ]
}

@test "--symbols: base assets as the exchange says; a guess for what it does not list" {
	quote XYZUSDT 1 2 3 >in
	quote BTCUSDT_261225 1 2 3 >>in
	quote AUSDU 1 2 3 >>in
	quote SOLUSDT 1 2 3 >>in
	cat >info <<-'E'
		{"timezone":"UTC", "symbols":[
		  {"symbol":"XYZUSDT","pair":"XYZUSDT","baseAsset":"XYZUS","quoteAsset":"DT","filters":[{"symbol":"no"}]},
		  {"symbol":"BTCUSDT_261225","baseAsset":"XBT"},
		  {"baseAsset":"\u725b","symbol":"AUSD\u0055"}
		],"serverTime":1}
	E
	[ "$(bnc-normalize --symbols info in | jq -r .symbol | tr '\n' ' ')" = "XYZUS XBT 牛 SOL " ]
	[ "$(bnc-normalize --symbols <(cat info) in | jq -r .symbol | tr '\n' ' ')" = "XYZUS XBT 牛 SOL " ]
	[ "$(bnc-normalize in | jq -r .symbol | tr '\n' ' ')" = "XYZ BTC AUSD SOL " ]
}

@test "a bad --symbols file ends the program before it has written anything" {
	quote SOLUSDT 1 2 3 >in
	run --separate-stderr bnc-normalize --symbols none in
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-normalize: none: No such file or directory" ]
	run --separate-stderr bnc-normalize --symbols . in
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-normalize: .: Is a directory" ]
	local text
	for text in '' '{' '[]' '{}' '{"symbols":{}}' '{"symbols":[]}' '{"symbols":[{"symbol":"A"}]}' '{"symbols":[]} x' \
		'{"symbols":[{"symbol":"A","baseAsset":5}]}' $'{"symbols":[{"symbol":"\xff","baseAsset":"A"}]}'; do
		printf %s "$text" >info
		run --separate-stderr bnc-normalize --symbols info in
		echo "$text: $status $stderr"
		[ "$status" -eq 3 ]
		[ -z "$output" ]
		[[ $stderr == "bnc-normalize: info: "?* ]]
		[ "${#stderr_lines[@]}" -eq 1 ]
	done
}

@test "-v: one line of counters at the end, each frame in one of them" {
	{
		quote SOLUSDT 1 2 3
		quote SOLUSDT 0 2 3                           # an empty side
		quote BTCUSD_PERP 1 2 3 | sed 's/"st":1/"st":2/' # another market
		echo '{"result":null,"id":1}'
		echo '{"error":{"code":4,"msg":"Too many subscriptions"}}'
		echo '{"e":"depthUpdate","s":"A","u":1,"b":[],"a":[]}'
		echo '{"e":"forceOrder","o":{"s":"A","p":"1","q":"1"}}'
		echo '{"e":"unheard"}'
		echo '{"e":"ORDER_TRADE_UPDATE","E":1,"o":{"x":"NEW"}}'
		for _ in 1 2; do # the second is a copy
			echo '{"e":"executionReport","E":1,"s":"AUSDT","S":"BUY","x":"TRADE","L":"1","l":"1","t":1,"i":1}'
		done
		echo '{"type":"heartbeat","ts":1}'
		echo bad
	} >in
	run --separate-stderr bnc-normalize -v in
	[ "$status" -eq 1 ]
	[ "$(counted <<<"$stderr")" = 21111111111 ]
	run --separate-stderr bnc-normalize --verbose -v </dev/null
	[ "$status" -eq 0 ]
	[ "$(counted <<<"$stderr")" = 00000000000 ]
}

# --- frames and records --------------------------------------------------------------------------------------------

@test "every frame of tests/wire gives the records written beside it" {
	local json name args failed=0 expected
	for json in "$ROOT"/tests/wire/*/*.json; do
		name=${json%.json}
		args=()
		[ ! -e "$name.args" ] || read -ra args <"$name.args"
		expected=0
		[ ! -e "$name.err" ] || expected=1
		status=0
		bnc-normalize "${args[@]}" <"$json" >out 2>err || status=$?
		if ! cmp -s out "$name.ndjson" || [ "$status" -ne "$expected" ] ||
			{ [ "$expected" -eq 1 ] && ! cmp -s err "$name.err"; }; then
			echo "${name#"$ROOT/tests/wire/"}: status $status"
			diff out "$name.ndjson" || true
			cat err
			failed=1
		fi
	done
	[ "$failed" -eq 0 ]
}

# all frames that need no option, in one stream; but not those that may wait for others
wire() { # json|ndjson [FOLDER...]: also without these
	local json suffix=$1 folder
	shift
	for json in "$ROOT"/tests/wire/*/*.json; do
		folder=${json%/*}
		[[ " trade_lite $* " != *" ${folder##*/} "* ]] || continue
		[ -e "${json%.json}.args" ] || cat "${json%.json}.$suffix"
	done
}

@test "the same frames as one stream, however it is cut" {
	wire json >in
	wire ndjson >expected
	bnc-normalize in 2>err | cmp - expected || true
	run -1 --separate-stderr bnc-normalize in
	local size
	for size in 1 7 4093; do
		/usr/bin/python3 -c 'import os, sys
size = int(sys.argv[1])
text = sys.stdin.buffer.read()
for i in range(0, len(text), size): os.write(1, text[i:i + size])' $size <in | bnc-normalize 2>/dev/null >out || true
		cmp out expected
	done
	bnc-normalize expected | cmp - expected # records are a fixed point
}

@test "records, and lines of types of tomorrow, pass unchanged" {
	{
		cat "$ROOT"/tests/wire/records/*.json
		printf '\t{ "type" : "price_update" , "price":1.50E+2, "x":"\\u0041\\/" }  \r\n'
		echo '{"e":"trade","type":"order","s":5}'
		echo '{"type":"","data":"text"}'
		printf '{"type":"no line end"}'
	} >in
	bnc-normalize in >out
	cmp out <(cat in; echo)
	bnc-normalize --strict -m spot --keep-unknown <in | cmp - out
	# type must be a string, and stand outside
	echo '{"type":5,"result":null,"id":1}' | bnc-normalize >out
	[ ! -s out ]
	echo '{"data":{"type":"price_update"}}' | bnc-normalize >out
	[ ! -s out ]
}

@test "rows of an array: a record each, in their order" {
	/usr/bin/python3 - >in <<-'E'
		rows = ['{"e":"bookTicker","s":"A%dUSDT","b":"1","B":"3","a":"2","A":"4","E":%d}' % (i, i) for i in range(12000)]
		print("[" + ",".join(rows) + "]")
		print('{"stream":"!bookTicker@arr","data":[ ' + " , ".join(rows[:3]) + " ]}")
		print('1723161600001 [' + rows[5] + ',' + rows[4] + "]")
	E
	bnc-normalize in | jq -r '.symbol + " " + (.ts | tostring)' >out
	diff <(seq 0 11999 | sed 's/.*/A& &/'; seq 0 2 | sed 's/.*/A& &/'; printf 'A5 5\nA4 4\n') out
	echo '[]' | run -0 bnc-normalize
	[ -z "$output" ]
	# rows take their time from the envelope where they have none
	echo '1723161600001692584 [{"u":1,"s":"AUSDT","b":"1","B":"3","a":"2","A":"4"}]' | bnc-normalize -m spot |
		diff - <(priced A AUSDT 1.5 1 2 1723161600001 spot)
}

# Generated lines, sound and spoiled, against another program's decimals: records byte by byte, every counter, refusals.
@test "thousands of generated frames give what python's decimals give" {
	local seed market
	for seed in 1 2; do
		"$TOOLS/frames.py" $seed 8000 >in
		for market in usdm coinm spot; do
			bnc-normalize -v -m $market in >out 2>err || true
			"$TOOLS/normalize.py" -m $market in >expected 2>expected.err
			cmp out expected
			[ "$(wc -l <out)" -gt 2000 ]
			[ "$(sed -n "s/.*\(records [0-9]\)/\1/p" err)" = "$(tail -n 1 expected.err)" ]
			[ "$(sed -n 's/^bnc-normalize: \([0-9]*\) lines refused.*/\1/p' err)" -eq "$(grep -c '^refused' expected.err)" ]
			# the lines that are told at once, before the flood
			diff <(sed -n 's/^bnc-normalize: line \([0-9]*\): .*/refused \1/p' err | head -n 20) \
				<(grep '^refused' expected.err | head -n 20)
		done
	done
}

# --- refusals --------------------------------------------------------------------------------------------------------

# Each bad line of tests/hostile between two good ones, a file each. Twenty files a run: no more refusals than that are
# told at once.
@test "every line of tests/hostile is refused by number, byte and reason, the lines around it are kept" {
	local name why rest=()
	quote SOLUSDT 1 2 3 >before
	quote SOLUSDT 1 2 4 >behind
	mkdir files
	while IFS=$'\t' read -r name why; do
		{ cat before "$ROOT/tests/hostile/$name.line"; echo; cat behind; } >"files/$name"
		echo "bnc-normalize: $name: line 2: $why" >>expected
	done <"$ROOT/tests/hostile/refused"
	[ "$(find files -type f | wc -l)" -gt 250 ]
	cd files
	cut -f 1 "$ROOT/tests/hostile/refused" | xargs -n 19 sh -c 'bnc-normalize "$@" none; test $? -eq 3' sh >../out 2>../err
	cd ..
	grep -v -e ': none: No such' -e ' refused$' err | diff expected -
	priced SOL SOLUSDT 1.5 1 2 3 >records
	priced SOL SOLUSDT 1.5 1 2 4 >>records
	cut -f 1 "$ROOT/tests/hostile/refused" | while read -r _; do cat records; done | cmp - out
	# and no line lies there unused
	diff <(cd "$ROOT/tests/hostile" && ls -- *.line) <(cut -f 1 "$ROOT/tests/hostile/refused" | sed 's/$/.line/' | sort)
}

# The texts of tests/json as a value inside a frame: accepted, the frame gives its record; refused, the line is refused.
# Line ends, which a line cannot hold, become carriage returns: the same to the grammar.
inside_frames() { # y|n: the lines for that verdict
	/usr/bin/python3 - "$ROOT/tests/json" "$1" <<-'E'
		import pathlib, sys
		folder = pathlib.Path(sys.argv[1])
		decided = dict(row.split("\t")[:2] for row in (folder / "decided").read_text().splitlines())
		quote = b'"e":"bookTicker","s":"SOLUSDT","b":"1","B":"3","a":"2","A":"4","E":5'
		for path in sorted(folder.glob("*.json")):
		    verdict = {"accepted": "y", "refused": "n"}.get(decided.get(path.stem), path.stem[0])
		    if verdict != sys.argv[2] or path.stem.startswith("i_nested"):
		        continue # one deeper, another verdict
		    text = path.read_bytes().replace(b"\n", b"\r")
		    sys.stdout.buffer.write(b'{"zz":' + text + b"," + quote + b"}\n{" + quote + b',"zz":' + text + b"}\n")
	E
}

@test "the conformance texts of tests/json inside frames" {
	local n
	inside_frames y >in
	n=$(wc -l <in)
	[ "$n" -gt 300 ]
	run --separate-stderr bnc-normalize in
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "${#lines[@]}" -eq "$n" ]
	[ "$(printf '%s\n' "$output" | sort -u)" = "$(priced SOL SOLUSDT 1.5 1 2 5)" ]
	inside_frames n >in
	n=$(wc -l <in)
	[ "$n" -gt 600 ]
	run --separate-stderr bnc-normalize in
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[[ ${stderr_lines[-1]} == "bnc-normalize: $n lines refused"* ]]
}

@test "the conformance texts of tests/json as lines: an object is a frame, or no JSON and refused" {
	local path
	for path in "$ROOT"/tests/json/y_object_*.json "$ROOT"/tests/json/y_array_of_objects.json; do
		tr '\n' '\r' <"$path"
		echo
	done >in
	run --separate-stderr bnc-normalize --keep-unknown in
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	bnc-normalize --keep-unknown in | cmp - in
	for path in "$ROOT"/tests/json/{n_,y_top_}*.json; do # a scalar is JSON, but no frame
		tr '\n' '\r' <"$path"
		echo
	done >in
	run --separate-stderr bnc-normalize --keep-unknown in
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[[ ${stderr_lines[-1]} == "bnc-normalize: $(wc -l <in) lines refused"* ]]
}

@test "refusals are told by line and byte; --strict and exit status" {
	{ quote SOLUSDT 1 2 3; echo; echo '{"e":'; printf '\r\n'; quote SOLUSDT 1 2 4; } >in
	run --separate-stderr bnc-normalize in
	[ "$status" -eq 1 ]
	[ "$output" = "$(priced SOL SOLUSDT 1.5 1 2 3; priced SOL SOLUSDT 1.5 1 2 4)" ]
	diff <(printf '%s\n' "$stderr") - <<-'E'
		bnc-normalize: line 2: byte 0: an empty line
		bnc-normalize: line 3: byte 5: unexpected end
		bnc-normalize: line 4: byte 1: not a JSON object
		bnc-normalize: 3 lines refused
	E
}

@test "a flood of refusals is told in part, the total in full" {
	{ yes bad | head -n 5000; quote SOLUSDT 1 2 3; } >in
	run --separate-stderr bnc-normalize in
	[ "$status" -eq 1 ]
	[ "$output" = "$(priced SOL SOLUSDT 1.5 1 2 3)" ]
	local told=$((${#stderr_lines[@]} - 1))
	[ "$told" -ge 20 ]
	[ "$told" -lt 100 ]
	[ "${stderr_lines[-1]}" = "bnc-normalize: 5000 lines refused, $((5000 - told)) of them not shown" ]
}

padded() { # BYTES: a good line of that length, without line end
	local frame
	frame=$(quote SOLUSDT 1 2 3)
	printf '%s%*s' "$frame" $(($1 - ${#frame})) ''
}

@test "a line may have 1 MiB, not a byte more" {
	{ padded 1048575; echo; padded 1048576; echo; padded 1048577; echo; quote SOLUSDT 1 2 3; } >in
	run --separate-stderr bnc-normalize in
	[ "$status" -eq 1 ]
	[ "$output" = "$(for _ in 1 2 3; do priced SOL SOLUSDT 1.5 1 2 3; done)" ]
	[ "${stderr_lines[0]}" = "bnc-normalize: line 3: byte 1048576: longer than 1 MiB" ]
	[ "${#stderr_lines[@]}" -eq 2 ]
	# by pipe, and at the end of the input without a line end
	{ padded 1048577; echo; padded 1048576; } | bnc-normalize >out 2>err || true
	[ "$(cat out)" = "$(priced SOL SOLUSDT 1.5 1 2 3)" ]
	[ "$(head -n 1 err)" = "bnc-normalize: line 1: byte 1048576: longer than 1 MiB" ]
	padded 1048577 | run -1 bnc-normalize
	# a record of that length goes through unchanged
	printf '{"type":"x","y":"%*s"}\n' 1048557 '' >in
	[ "$(wc -c <in)" -eq 1048577 ]
	bnc-normalize in | cmp - in
}

@test "a line without end is refused in constant memory" {
	[ -z "${SAN:-}" ] || skip "the sanitizers reserve more"
	{ head -c 300M /dev/zero | tr '\0' 7; echo; quote SOLUSDT 1 2 3; } |
		(ulimit -v 40000 && bnc-normalize) >out 2>err || status=$?
	[ "$status" -eq 1 ]
	[ "$(cat out)" = "$(priced SOL SOLUSDT 1.5 1 2 3)" ]
	[ "$(wc -l <err)" -eq 2 ]
}

# --- inputs ----------------------------------------------------------------------------------------------------------

@test "files and standard input, in the order of the call" {
	quote AUSDT 1 2 1 >a
	quote BUSDT 1 2 2 | tr -d '\n' >b
	quote CUSDT 1 2 3 >c
	symbols() { jq -r .symbol | tr -d '\n'; }
	[ "$(bnc-normalize a - c <b | symbols)" = ABC ]
	[ "$(bnc-normalize - a <c | symbols)" = CA ]
	[ "$(bnc-normalize <b | symbols)" = B ]
	[ "$(bnc-normalize b b a | symbols)" = BBA ]
	[ "$(bnc-normalize a /dev/null c | symbols)" = AC ]
	[ "$(bnc-normalize -- a | symbols)" = A ]
	cp a ./-m
	[ "$(bnc-normalize -- -m | symbols)" = A ]
	[ "$(bnc-normalize a -m spot | symbols)" = A ] # options may stand behind
	mkfifo f
	cat c >f &
	[ "$(bnc-normalize a f | symbols)" = AC ]
	wait
}

@test "what cannot be read is named; the other files are read; the status is 3" {
	quote AUSDT 1 2 1 >a
	quote BUSDT 1 2 1 >b
	mkdir dir
	ln -s loop loop
	: >locked
	chmod 000 locked
	drop=()
	[ "$(id -u)" -ne 0 ] || drop=(setpriv --bounding-set=-dac_override,-dac_read_search)
	run --separate-stderr "${drop[@]}" "$BIN/bnc-normalize" a none dir loop locked a/x b
	[ "$status" -eq 3 ]
	[ "$(jq -r .symbol <<<"$output" | tr -d '\n')" = AB ]
	diff <(printf '%s\n' "$stderr") - <<-'E'
		bnc-normalize: none: No such file or directory
		bnc-normalize: dir: Is a directory
		bnc-normalize: loop: Too many levels of symbolic links
		bnc-normalize: locked: Permission denied
		bnc-normalize: a/x: Not a directory
	E
	# broken input outranks refused lines
	echo bad >bad
	run --separate-stderr bnc-normalize bad none
	[ "$status" -eq 3 ]
	[ "${stderr_lines[0]}" = "bnc-normalize: bad: line 1: byte 0: not a JSON object" ]
	[ "${stderr_lines[2]}" = "bnc-normalize: 1 line refused" ]
	run --separate-stderr bnc-normalize ''
	[ "$status" -eq 3 ]
}

@test "several files: messages name the file, line numbers start anew" {
	{ quote AUSDT 1 2 1; echo bad; } >a
	echo bad >b
	run --separate-stderr bnc-normalize a b - <a
	[ "$status" -eq 1 ]
	diff <(printf '%s\n' "$stderr") - <<-'E'
		bnc-normalize: a: line 2: byte 0: not a JSON object
		bnc-normalize: b: line 1: byte 0: not a JSON object
		bnc-normalize: standard input: line 2: byte 0: not a JSON object
		bnc-normalize: 3 lines refused
	E
}

@test "names with control characters cannot forge a message" {
	run --separate-stderr bnc-normalize $'no\nbnc-normalize: all is well\e[2J'
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-normalize: no?bnc-normalize: all is well?[2J: No such file or directory" ]
}

# --- output and ends -------------------------------------------------------------------------------------------------

@test "output that cannot be written is no success" {
	quote SOLUSDT 1 2 3 >in
	run --separate-stderr sh -c 'bnc-normalize in >/dev/full'
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-normalize: standard output: No space left on device" ]
	if ! under_valgrind; then
		run --separate-stderr sh -c 'bnc-normalize in >&-'
		[ "$status" -eq 3 ]
		[ "$stderr" = "bnc-normalize: standard output: Bad file descriptor" ]
	fi
	yes "$(cat in)" | head -n 100000 >many
	run --separate-stderr sh -c 'ulimit -f 100; bnc-normalize many >out'
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-normalize: standard output: File too large" ]
	# what was written is whole records but for the last
	head -n -1 out | sort -u | diff - <(priced SOL SOLUSDT 1.5 1 2 3)
}

@test "closed descriptors: standard input is an error, standard error only a silence" {
	! under_valgrind || skip "valgrind opens them"
	{ quote SOLUSDT 1 2 3; echo bad; } >in
	run --separate-stderr sh -c 'bnc-normalize <&-'
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-normalize: standard input: Bad file descriptor" ]
	run --separate-stderr sh -c 'bnc-normalize in 2>&-'
	[ "$status" -eq 1 ]
	[ "$output" = "$(priced SOL SOLUSDT 1.5 1 2 3)" ]
	run --separate-stderr sh -c 'bnc-normalize in <&- 2>&-'
	[ "$output" = "$(priced SOL SOLUSDT 1.5 1 2 3)" ]
	run sh -c 'bnc-normalize in 2>/dev/full'
	[ "$status" -eq 1 ]
}

@test "a reader that went away ends it quietly" {
	quote SOLUSDT 1 2 3 >in
	run --separate-stderr bash -c 'yes "$(cat in)" | bnc-normalize | head -n 1 >/dev/null; echo "${PIPESTATUS[1]}"'
	[ "$output" = 0 ]
	[ -z "$stderr" ]
	# also while it waits for input, of which nothing comes
	mkfifo in-fifo
	STDIN=in-fifo start normalize bash -c 'bnc-normalize | true; exit "${PIPESTATUS[0]}"'
	exec 5>in-fifo
	wait_end normalize 5
	[ "$status" -eq 0 ]
	exec 5>&-
}

# through FIFOs on descriptors 5 (input) and 6 (output)
start_piped() {
	mkfifo in.fifo out.fifo
	STDIN=in.fifo start normalize sh -c 'exec bnc-normalize "$@" >out.fifo' sh "$@"
	exec 5>in.fifo 6<out.fifo
}

@test "a trickle is passed on at once, half a line waits for its end" {
	local line
	start_piped
	quote SOLUSDT 1 2 3 >&5
	read -r -t $((5 * SLOW)) line <&6
	[ "$line" = "$(priced SOL SOLUSDT 1.5 1 2 3)" ]
	quote SOLUSDT 1 2 4 | head -c 40 >&5
	quote SOLUSDT 1 2 4 | tail -c +41 | tr -d '\n' >&5
	run ! read -r -t 0.2 line <&6
	echo >&5
	read -r -t $((5 * SLOW)) line <&6
	[ "$line" = "$(priced SOL SOLUSDT 1.5 1 2 4)" ]
	echo '{"type":"heartbeat","ts":1}' >&5
	read -r -t $((5 * SLOW)) line <&6
	[ "$line" = '{"type":"heartbeat","ts":1}' ]
	quote SOLUSDT 1 2 5 | tr -d '\n' >&5
	exec 5>&-
	read -r -t $((5 * SLOW)) line <&6 # the last line may lack its end
	[ "$line" = "$(priced SOL SOLUSDT 1.5 1 2 5)" ]
	wait_end normalize 5
	[ "$status" -eq 0 ]
	exec 6<&-
}

@test "a burst goes out in batches" {
	yes "$(quote SOLUSDT 1 2 3)" | head -n 20000 >burst
	start_piped
	cat burst >&5 &
	head -n 20000 <&6 >out
	wait $!
	local writes
	writes=$(sed -n 's/^syscw: //p' "/proc/$normalize_pid/io")
	echo "$writes writes"
	[ "$writes" -lt 1000 ]
	stop normalize
	[ "$status" -eq 0 ]
	exec 5>&- 6<&-
}

@test "SIGUSR1 counts and goes on; SIGTERM and SIGINT end with what was read" {
	local line signal
	for signal in TERM INT; do
		rm -f in.fifo out.fifo
		start_piped
		{ quote SOLUSDT 1 2 3; echo bad; echo '{"result":null,"id":1}'; echo '{"type":"x"}'; } >&5
		read -r -t $((5 * SLOW)) line <&6
		read -r -t $((5 * SLOW)) line <&6
		[ "$line" = '{"type":"x"}' ]
		kill -USR1 "$normalize_pid"
		wait_for 5 grep -q records normalize.err
		sed -n 2p normalize.err | diff - <(echo "bnc-normalize: in 4 out 2 refused 1 records 1 passed 1 control 1 errors 0 depth 0 liquidations 0 placeholders 0 orders 0 copies 0 othermarket 0 unknown 0")
		quote SOLUSDT 1 2 4 >&5
		read -r -t $((5 * SLOW)) line <&6
		[ "$line" = "$(priced SOL SOLUSDT 1.5 1 2 4)" ]
		stop normalize "$signal"
		[ "$status" -eq 1 ] # a line was refused
		[ "$(tail -n 1 normalize.err)" = "bnc-normalize: 1 line refused" ]
		exec 5>&- 6<&-
	done
}

@test "SIGTERM in the middle of a stream without end: whole records, status 0" {
	quote SOLUSDT 1 2 3 >in
	mkfifo f
	start feeder sh -c 'exec yes "$(cat in)" >f'
	STDIN=f start normalize bnc-normalize
	wait_for 5 test -s normalize.out
	stop normalize
	[ "$status" -eq 0 ]
	[ ! -s normalize.err ]
	wait_end feeder 5
	sort -u normalize.out | diff - <(priced SOL SOLUSDT 1.5 1 2 3)
	[ "$(tail -n 1 normalize.out | wc -c)" -eq "$(head -n 1 normalize.out | wc -c)" ]
	rm normalize.out
}

# --- the same bytes, whatever came before ----------------------------------------------------------------------------

@test "a frame gives the same, fresh or behind any other" {
	# every line of tests/wire behind every tenth of the others, in one run: equal to its own run. Fills, which are told
	# once, are another matter.
	wire json order_trade_update execution_report >in
	/usr/bin/python3 - <<-'E' >mixed
		lines = [line for line in open("in", "rb").read().split(b"\n") if line]
		import sys
		for i, first in enumerate(lines):
		    for second in lines[i % 10::10]:
		        sys.stdout.buffer.write(first + b"\n" + second + b"\n")
	E
	/usr/bin/python3 - "$BIN/bnc-normalize" <<-'E' >expected
		import subprocess, sys
		alone = {}
		for line in open("mixed", "rb"):
		    if line not in alone:
		        alone[line] = subprocess.run([sys.argv[1]], input=line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
		    sys.stdout.buffer.write(alone[line])
	E
	bnc-normalize mixed >out 2>/dev/null || true
	cmp out expected
}
