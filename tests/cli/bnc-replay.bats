load ../lib
bats_require_minimum_version 1.5.0

# ten files of one recording, with names an hour apart; the last one not closed
ten_files() { # LINES DIR
	local i n
	n=$((($(wc -l <"$1") + 9) / 10))
	split -l "$n" -d -a 1 "$1" part.
	for i in {0..9}; do
		bnc-record -o "$2" --name tmp <part.$i
		mv "$2"/tmp-* "$2/bnc-2026-11-22T0$i-00-00Z.ndjson.zst"
	done
	mv "$2"/bnc-2026-11-22T09-* "$2/bnc-2026-11-22T09-00-00Z.ndjson.zst.part"
	rm part.?
}

recv() { sed -n 's/^{"recv":\([0-9]*\).*/\1/p'; }

# lines whose own time, or that of the line before, is in the range; by jq
between() { # FROM TO
	jq -c --argjson from "$1" --argjson to "$2" -n '
		foreach inputs as $line ({t: -1}; {t: ($line.recv // (($line.ts // null) | if . then . * 1000 else null end) // .t), line: $line};
			select(.t >= $from and .t < $to) | .line)'
}

# --- options ------------------------------------------------------------------------------------------------------

@test "help and version go to standard output" {
	run --separate-stderr bnc-replay --help
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[0]} == "usage: bnc-replay "* ]]
	run --separate-stderr bnc-replay -V
	[[ $output =~ ^bnc-replay\ [0-9.]+$ ]]
}

@test "wrong calls say why, read nothing and end with 2" {
	local call
	touch file
	for call in "-y" "--nope" "-x" "-x 0" "-x -1" "-x fast" "-x 1.0001" "--from" "--from yesterday" "--to 2026-13-01" \
		"--from 2026-11-22 --to 2026-11-21" "--from 5 --to 5" "--loop" "--loop -" "--loop file -" "-m moon" "--loop --check file"; do
		run --separate-stderr bnc-replay $call <<<'{}'
		echo "$call: $status $stderr"
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[[ ${stderr_lines[0]} == bnc-replay:* && ${stderr_lines[1]} == "usage: bnc-replay "* ]]
	done
}

# --- the same bytes -------------------------------------------------------------------------------------------------

@test "plain, gzip and zstd, from files, pipes and directories, give the same bytes" {
	"$TOOLS/recording" 1 20000 >lines
	gzip -k lines
	zstd -q lines
	bnc-record -o rec <lines
	ten_files lines ten
	bnc-replay -x max lines | cmp - lines
	bnc-replay -x max lines.gz | cmp - lines
	bnc-replay -x max lines.zst | cmp - lines
	bnc-replay -x max rec/* | cmp - lines
	bnc-replay -x max ten | cmp - lines
	bnc-replay -x max ten/ | cmp - lines
	bnc-replay -x max <lines.zst | cmp - lines
	cat lines.gz | bnc-replay -x max - | cmp - lines
	cat rec/* rec/* | bnc-replay -x max | cmp - <(cat lines lines)
	# files are in order whatever order they are named in; others stay where they are named
	bnc-replay -x max $(printf '%s\n' ten/* | tac) | cmp - lines
	bnc-replay -x max lines.gz rec/* lines | cmp - <(cat lines lines lines)
}

@test "speeds change nothing but the time it takes" {
	"$TOOLS/recording" 2 3000 --step 500 >lines # three seconds
	bnc-record -o rec <lines
	local from=${EPOCHREALTIME/./}
	bnc-replay -x 3 rec | cmp - lines
	local took=$((${EPOCHREALTIME/./} - from))
	echo "$took"
	local span=$((($(tail -n 1 lines | recv) - $(head -n 1 lines | recv)) / 3))
	((took >= span - 10000 && took < span + 2000000 * SLOW))
	bnc-replay -x 50 rec | cmp - lines
	bnc-replay -x 1000000 rec | cmp - lines
}

@test "lines come when they are due: by recv, the time in front, ts, or E" {
	local form
	for form in '{"recv":%d}' '%d {"u":1}' '{"type":"heartbeat","ts":%d}' '{"e":"trade","E":%d}'; do
		local unit=1000 # µs in one
		[[ $form == *ts* || $form == *E* ]] || unit=1
		: >lines
		for i in 0 400000 500000 1200000; do
			# shellcheck disable=SC2059
			printf "$form\n" $(((1790526538000000 + i) / unit)) >>lines
		done
		bnc-replay -x 2 lines | while IFS= read -r line; do echo "${EPOCHREALTIME/./}"; done >times
		mapfile -t at <times
		echo "$form: $((at[1] - at[0])) $((at[2] - at[0])) $((at[3] - at[0]))"
		((at[1] - at[0] > 150000 && at[2] - at[0] > 200000 && at[3] - at[0] > 550000))
		((at[3] - at[0] < 2000000))
	done
}

@test "a time that goes back far is told and begins anew" {
	printf '{"recv":%d000000}\n' 1790000000 1700000000 1700000001 >lines
	run --separate-stderr bnc-replay -x 10 lines
	[ "$status" -eq 0 ]
	[ "$output" = "$(cat lines)" ]
	[ "$stderr" = "bnc-replay: lines: times go back by more than 10 s at line 2: bnc-merge --by-time puts recordings in order" ]
}

@test "lines without a time come with the line before" {
	printf '%s\n' '{"result":null,"id":1}' '{"recv":1790526538000000}' 'no JSON at all' '{"recv":1790526538100000}' >lines
	bnc-replay -x 1 lines | cmp - lines
}

# --- a stretch of time ----------------------------------------------------------------------------------------------

@test "a line whose time is the last that there is is one that --from wants" {
	printf '%s\n' '{"recv":1790526538965462}' '{"recv":9223372036854775807}' >in
	bnc-record -o rec <in
	for file in in rec; do
		bnc-replay -x max --from 0 $file | cmp - in
		[ "$(bnc-replay -x max --from 2100-01-01 $file)" = '{"recv":9223372036854775807}' ]
		[ "$(bnc-replay --check $file | jq .lines)" = 2 ]
	done
}

@test "--from and --to give the same lines with an index and without one" {
	"$TOOLS/recording" 3 60000 --step 30000 >lines # half an hour
	bnc-record -o rec --rotate 0 --sync 20ms <lines
	ten_files lines ten
	local first last from to i
	first=$(head -n 1 lines | recv)
	last=$(tail -n 1 lines | recv)
	for i in 1 2 3 4 5 6; do
		from=$((first + (last - first) * i / 8 + i))
		to=$((from + (last - first) * i / 20))
		between "$from" "$to" <lines >wanted
		bnc-replay -x max --from "$from" --to "$to" lines | cmp - wanted
		bnc-replay -x max --from "$from" --to "$to" rec | cmp - wanted
		bnc-replay -x max --from "$from" --to "$to" ten | cmp - wanted
	done
	# the ends are half open, and both may be left out
	from=$(sed -n 30000p lines | recv)
	[[ $from ]] || from=$(sed -n 30001p lines | recv)
	between "$from" 9999999999999999 <lines | cmp - <(bnc-replay -x max --from "$from" rec)
	between -1 "$from" <lines | cmp - <(bnc-replay -x max --to "$from" rec)
	# people's times
	bnc-replay -x max --from 2026-09-27T16:40:00Z --to '2026-09-27 18:41:00+02:00' rec |
		cmp - <(between 1790527200000000 1790527260000000 <lines)
}

@test "the last minute of a long recording costs its index and the frames it needs" {
	"$TOOLS/recording" 4 200000 --step 20000 >lines # more than an hour
	bnc-record -o rec --rotate 0 <lines
	local last size
	last=$(tail -n 1 lines | recv)
	size=$(stat -c %s rec/*)
	bnc-replay -v -x max --from $((last - 60000000)) rec >got 2>said
	between $((last - 60000000)) 9999999999999999 <lines | cmp - got
	local read
	read=$(sed -n 's/.* read \([0-9]*\) .*/\1/p' said)
	echo "$read of $size bytes"
	((read * 10 < size))
	# what it says of itself is what the kernel says
	command -v strace >/dev/null && [[ -z ${SAN:-} ]] || return 0
	strace -P "$(echo rec/*)" -e trace=read,pread64 -o trace bnc-replay -x max --from $((last - 60000000)) rec >/dev/null
	[ "$(awk -F'= ' '{ n += $NF } END { print n }' trace)" -eq "$read" ]
}

# --- damage ---------------------------------------------------------------------------------------------------------

@test "a torn tail is told with its offset; all before it is given, exit 1" {
	"$TOOLS/recording" 5 30000 >lines
	bnc-record -o rec --rotate 0 <lines
	mv rec/* whole.zst
	head -c 500000 whole.zst >torn.ndjson.zst
	run --separate-stderr bash -c 'bnc-replay -x max torn.ndjson.zst >got'
	[ "$status" -eq 1 ]
	[[ $stderr =~ ^bnc-replay:\ torn.ndjson.zst:\ breaks\ off\ at\ byte\ ([0-9]+):\ the\ frame\ is\ cut\ off$ ]]
	((BASH_REMATCH[1] > 0 && BASH_REMATCH[1] < 500000))
	cmp -n "$(stat -c %s got)" got lines
	tail -c 1 got | cmp - <(echo)
	zstdcat whole.zst | cmp -n "$(stat -c %s got)" - got
	# what comes after it is read all the same
	run --separate-stderr bash -c 'bnc-replay -x max torn.ndjson.zst whole.zst >got2'
	[ "$status" -eq 1 ]
	cmp got2 <(cat got lines)
	# or not
	run --separate-stderr bash -c 'bnc-replay --strict -x max torn.ndjson.zst whole.zst >got2'
	[ "$status" -eq 1 ]
	cmp got2 got
}

@test "a byte that has changed: no line of its frame is given" {
	"$TOOLS/recording" 6 30000 >lines
	bnc-record -o rec --rotate 0 <lines
	python3 - rec/* <<-'P'
		import sys
		with open(sys.argv[1], "r+b") as f:
		    f.seek(400000)
		    b = f.read(1)
		    f.seek(400000)
		    f.write(bytes([b[0] ^ 1]))
	P
	run --separate-stderr bash -c 'bnc-replay -x max rec >got'
	[ "$status" -eq 1 ]
	[[ $stderr == "bnc-replay: rec/bnc-"*" breaks off at byte "* ]]
	cmp -n "$(stat -c %s got)" got lines
	tail -c 1 got | cmp - <(echo)
}

@test "what cannot be read is told, the other files are, exit 3" {
	echo '{"a":1}' >good
	mkdir empty
	run --separate-stderr bnc-replay -x max good none
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-replay: none: No such file or directory" ]
	run --separate-stderr bnc-replay -x max empty
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-replay: empty: no recordings are there" ]
	python3 -c 'print("a"); print("x" * ((1 << 20) + 1)); print("b")' >long
	run --separate-stderr bnc-replay -x max long
	[ "$status" -eq 1 ]
	[ "$output" = $'a\nb' ]
	[ "${stderr_lines[0]}" = "bnc-replay: line 2: byte 1048576: longer than 1 MiB" ]
}

# --- checking -------------------------------------------------------------------------------------------------------

@test "--check tells lines, span, streams, and every hole in the ids, across files" {
	"$TOOLS/recording" 8 6000 >lines
	ten_files lines whole
	bnc-replay --check whole >said
	jq -es 'length == 10 and all(.type == "recording" and .gaps == 0 and .copies == 0 and (has("why") | not)) and
		(map(.lines) | add) == 6000 and .[9].streams == 18' said
	jq -es --arg from "$(date -u -d "@1790526538" +%Y-%m-%dT%H:%M:%S)" '(.[0].from | startswith($from)) and .[0].to <= .[1].from' said
	[ "$(jq -rs '.[3].bytes' said)" -eq "$(stat -c %s whole/*T03*)" ]
	# a trade in the middle of a file, and all that one file held
	grep -n '"solusdt@trade"' lines | sed -n '20s/:.*//p' >at
	sed "$(<at)d" lines >less
	ten_files less holes
	rm holes/*T04*
	bnc-replay --check holes >said
	python3 - less lines <<-'P' >wanted
		import json, sys
		def ids(path, drop):
		    n = -(-len(open(path).readlines()) // 10)
		    for i, line in enumerate(open(path)):
		        if i // n != drop and '"stream":"' in line and '"type"' not in line:
		            f = json.loads(line)
		            kind = f["stream"].split("@")[1].split("@")[0]
		            d = f["data"]
		            if kind in ("trade", "aggTrade"):
		                yield f["stream"], d["t" if kind == "trade" else "a"], None
		            elif kind == "depth":
		                yield f["stream"], d["u"], d["pu"]
		last = {}
		for stream, id, before in ids(sys.argv[1], 4):
		    if stream in last and (id - 1 if before is None else before) > last[stream]:
		        print(stream, last[stream], id)
		    last[stream] = id
	P
	jq -r 'select(.state == "gap") | .stream + " " + .lastId + " " + .nextId' said | diff wanted -
	(($(wc -l <wanted) >= 8))
	[ "$(jq -s 'map(.gaps // 0) | add' said)" -eq "$(wc -l <wanted)" ]
}

@test "--check believes a recording that says that something may be missing" {
	local book='{"recv":%d,"market":"usdm","stream":"solusdt@bookTicker","data":{"e":"bookTicker","u":%d,"s":"SOLUSDT","b":"1","B":"1","a":"2","A":"1","E":1}}\n'
	{
		printf "$book" 1790526538000000 10
		echo '{"type":"status","state":"connecting","ts":1790526538001,"source":"live"}'
		printf "$book" 1790526539000000 20
		printf "$book" 1790526539000001 21
		printf "$book" 1790526539000001 21
	} >lines
	bnc-replay --check lines >said
	[ "$(jq -r 'select(.state == "gap") | .stream + " " + .lastId + " " + .nextId + " " + .detail' said)" = \
		"solusdt@bookTicker 10 20 events may be missing between 2026-09-27T16:28:58.000Z and 2026-09-27T16:28:59.000Z" ]
	[ "$(jq -c 'select(.type == "recording") | [.lines, .gaps, .copies]' said)" = '[5,1,1]' ]
}

@test "--check says where a file breaks off, exit 1" {
	"$TOOLS/recording" 9 30000 >lines
	bnc-record -o rec --rotate 0 <lines
	head -c 300000 rec/* >torn.ndjson.zst.part
	run --separate-stderr bnc-replay --check torn.ndjson.zst.part rec
	[ "$status" -eq 1 ]
	[ "$(jq -r 'select(.why) | .why' <<<"$output")" = "the frame is cut off" ]
	local at
	at=$(jq 'select(.why) | .breaksAt' <<<"$output")
	[ "$stderr" = "bnc-replay: torn.ndjson.zst.part: breaks off at byte $at: the frame is cut off" ]
	[ "$(head -c "$at" torn.ndjson.zst.part | zstdcat | wc -l)" -eq "$(jq 'select(.why) | .lines' <<<"$output")" ]
	# of a stretch of time alone
	local from
	from=$(sed -n 10001p lines | recv)
	bnc-replay --check --from "${from:-1}" rec | jq -e '.lines < 30000'
}

# --- going on and ending --------------------------------------------------------------------------------------------

@test "--loop begins anew until its reader has enough" {
	"$TOOLS/recording" 7 100 >lines
	bnc-replay -x max --loop lines | head -n 250 | cmp - <(cat lines lines lines | head -n 250)
	bnc-replay -x 1000 --loop lines | head -n 250 | cmp - <(cat lines lines lines | head -n 250)
	# nothing to give is no reason to go round for ever
	: >empty.ndjson
	bnc-replay -x max --loop empty.ndjson
}

@test "signals end a wait at once; SIGUSR1 tells counters" {
	printf '{"recv":%d000000}\n' 1790000000 1790090000 >lines
	start replay bnc-replay lines
	wait_for 5 grep -q recv replay.out
	kill -USR1 "$replay_pid"
	wait_for 5 grep -q 'bnc-replay: files 1 read 52 out 1 refused 0 damaged 0' replay.err
	stop replay
	[ "$status" -eq 0 ]
	start replay bnc-replay lines
	wait_for 5 grep -q recv replay.out
	stop replay INT
	[ "$status" -eq 0 ]
}

@test "a reader that goes away ends it quietly, also while it waits" {
	printf '{"recv":%d000000}\n' 1790000000 1790090000 >lines
	mkfifo out
	start reader bash -c 'exec 6<out; read -r line <&6; exec 6<&-; echo done'
	start replay bash -c 'exec bnc-replay lines >out'
	wait_end replay 5
	[ "$status" -eq 0 ]
	[ ! -s replay.err ]
}

@test "a pipe that is slow is waited for" {
	mkfifo in
	start replay bnc-replay -x max in
	exec 5>in
	echo '{"a":1}' >&5
	wait_for 5 grep -q '"a":1' replay.out
	echo '{"a":2}' >&5
	wait_for 5 grep -q '"a":2' replay.out
	exec 5>&-
	wait_end replay 5
	[ "$status" -eq 0 ]
}
