load ../lib
bats_require_minimum_version 1.5.0

trade() { # SYMBOL ID [RECV]
	printf '{"recv":%s,"market":"usdm","stream":"%s@trade","data":{"e":"trade","E":%s,"s":"%s","t":%s}}\n' \
		"${3:-1790526538000000}" "${1,,}" $((${3:-1790526538000000} / 1000)) "${1^^}" "$2"
}

quote() { # SYMBOL ID [RECV]
	printf '{"recv":%s,"market":"usdm","stream":"%s@bookTicker","data":{"e":"bookTicker","u":%s,"s":"%s"}}\n' \
		"${3:-1790526538000000}" "${1,,}" "$2" "${1^^}"
}

# trades and quotes as "a7", gaps as "gap:a@trade:3:6", all else as it is
short() {
	jq -r 'if .state == "gap" then ["gap", .stream, .lastId, .nextId] | join(":")
		elif .data.t then (.data.s | ascii_downcase) + (.data.t | tostring)
		elif .data.u then (.data.s | ascii_downcase) + (.data.u | tostring)
		else tojson end' "$@" | paste -sd ' '
}

# it has said so when asked for its counters
counts() { # TEXT
	kill -USR1 "$m_pid"
	grep -q -- "$1" m.err
}

# it has written, and nothing more since the call before: the pipe behind it is full
stands_still() { # PID
	local before=${written:-none}
	written=$(sed -n 's/^wchar: //p' "/proc/$1/io")
	[[ $written == "$before" && $written -gt 65536 ]]
}

# --- options ------------------------------------------------------------------------------------------------------

@test "help and version go to standard output" {
	run --separate-stderr bnc-merge --help
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[0]} == "usage: bnc-merge "* ]]
	run --separate-stderr bnc-merge -V
	[ "$status" -eq 0 ]
	[[ $output =~ ^bnc-merge\ [0-9.]+$ ]]
}

@test "wrong calls say why, read nothing and end with 2" {
	local call
	touch x
	for call in "-x" "--nope" "-m" "-m paper" "--by-time=1" "--dedupe=" "--dedupe=soon" "--dedupe=-1s" "--dedupe=61m" \
		"--dedupe=1ns" "--strict=1" "- -" "x - x -" "--dedupe x x x x x x x x x" "$(yes x | head -n 65 | paste -sd ' ')"; do
		run --separate-stderr bnc-merge $call <<<'{}'
		echo "$call: $status $stderr"
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[[ ${stderr_lines[0]} == bnc-merge:* && ${stderr_lines[1]} == "usage: bnc-merge "* ]]
	done
	run --separate-stderr bnc-merge --dedupe=soon
	[ "${stderr_lines[0]}" = "bnc-merge: --dedupe: 'soon' is not a duration of an hour at most" ]
	run --separate-stderr bnc-merge --dedupe x x x x x x x x x
	[ "${stderr_lines[0]}" = "bnc-merge: more than 8 files for --dedupe" ]
	# as many as may be are no wrong call
	run -0 bnc-merge --dedupe=1h x x x x x x x x
	run -0 bnc-merge --by-time $(yes x | head -n 64)
}

@test "a pipe that is named twice is a wrong call: its lines would be torn" {
	mkfifo pipe
	ln -s pipe other
	run --separate-stderr bnc-merge pipe x other
	[ "$status" -eq 2 ]
	[ "${stderr_lines[0]}" = "bnc-merge: 'other' is named twice: its lines would be torn" ]
	run --separate-stderr bash -c 'echo x | bnc-merge - /dev/stdin'
	[ "$status" -eq 2 ]
	# a file may be
	echo x >file
	[ "$(bnc-merge file file)" = $'x\nx' ]
}

# --- as they come -------------------------------------------------------------------------------------------------

@test "whole lines from three FIFOs whose writers stop in the middle of one" {
	local name
	mkfifo a b c
	start m bnc-merge a b c
	exec 5>a 6>b 7>c
	printf '{"n":"a' >&5
	printf 'line of b\nhalf of b' >&6
	wait_for 3 grep -qx 'line of b' m.out
	printf '1"}\n{"half"' >&5
	wait_for 3 grep -qxF '{"n":"a1"}' m.out
	printf 'line of c\n' >&7
	wait_for 3 grep -qx 'line of c' m.out
	printf ', the rest\n' >&6
	wait_for 3 grep -qx 'half of b, the rest' m.out
	printf '\n' >&5
	wait_for 3 grep -qxF '{"half"' m.out
	[ "$(wc -l <m.out)" -eq 5 ]
	# all at once, in pieces that end anywhere
	seq -f 'a%.0f' 1 20000 | dd obs=97 2>/dev/null >&5 &
	seq -f 'b%.0f' 1 20000 | dd obs=331 2>/dev/null >&6 &
	seq -f 'c%.0f' 1 20000 | dd obs=4099 2>/dev/null >&7 &
	exec 5>&- 6>&- 7>&-
	wait_end m 20
	[ "$status" -eq 0 ]
	[ ! -s m.err ]
	[ "$(wc -l <m.out)" -eq 60005 ]
	for name in a b c; do
		grep "^$name" m.out | cmp - <(seq -f "$name%.0f" 1 20000)
	done
}

@test "a trickle passes at once; it ends when the last source does" {
	local i line
	mkfifo a b out
	start m sh -c 'exec bnc-merge a b >out'
	exec 7<out 5>a 6>b
	for i in 1 2 3; do
		echo "a$i" >&5
		read -r -t $((5 * SLOW)) line <&7
		[ "$line" = "a$i" ]
		echo "b$i" >&6
		read -r -t $((5 * SLOW)) line <&7
		[ "$line" = "b$i" ]
	done
	exec 5>&-
	echo last >&6
	read -r -t $((5 * SLOW)) line <&7
	[ "$line" = last ]
	exec 6>&-
	wait_end m 3
	[ "$status" -eq 0 ]
}

@test "a FIFO is waited for until it has a writer, and keeps nobody waiting" {
	mkfifo late
	echo early >file
	start m bnc-merge late file
	wait_for 3 grep -qx early m.out
	echo now >late
	wait_end m 3
	[ "$status" -eq 0 ]
	[ "$(cat m.out)" = $'early\nnow' ]
}

@test "a source that floods does not starve another" {
	mkfifo flood slow out
	start m sh -c 'exec bnc-merge flood slow >out'
	start flood sh -c 'exec yes flood >flood'
	start reader sh -c 'grep -m 3 -n slow <out >found'
	# not still on its way to the FIFO when all is over
	wait_for 5 eval '[[ $(readlink "/proc/$flood_pid/fd/1") == */flood ]]'
	exec 6>slow
	local i
	for i in 1 2 3; do
		echo "slow $i" >&6
	done
	wait_end reader 10
	[ "$(cut -d: -f2 found)" = $'slow 1\nslow 2\nslow 3' ]
	exec 6>&-
	wait_end m 10 # its reader has gone
	[ "$status" -eq 0 ]
	[ ! -s m.err ]
	wait_end flood 10
}

@test "files share the output in turns" {
	seq -f 'a%.0f' 1 200000 >a
	seq -f 'b%.0f' 1 10 >b
	bnc-merge a b >out
	# none of the second file later than two turns of the first one
	(($(grep -bx b10 out | cut -d: -f1) < 3 * 65536))
	grep ^a out | cmp - a
	grep ^b out | cmp - b
}

@test "a slow reader stops all sources, costs no memory and loses nothing" {
	mkfifo a b out
	start m sh -c 'exec bnc-merge a b >out'
	start wa sh -c 'exec seq -f "a%.0f" 1 1000000 >a'
	start wb sh -c 'exec seq -f "b%.0f" 1 1000000 >b'
	exec 7<out
	wait_for 5 stands_still "$m_pid"
	local peak
	peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$m_pid/status")
	echo "$peak kB"
	[[ -n ${SAN:-} ]] || ((peak < 12000))
	ended "$wa_pid" && false
	ended "$wb_pid" && false
	cat <&7 >got
	wait_end m 5
	[ "$status" -eq 0 ]
	[ "$(wc -l <got)" -eq 2000000 ]
	grep ^a got | cmp - <(seq -f 'a%.0f' 1 1000000)
	grep ^b got | cmp - <(seq -f 'b%.0f' 1 1000000)
}

@test "lines pass unchanged, whatever they are; the last one gets a line end" {
	printf '\n \r\n{"a":\0}\n\377\n\n' >in
	bnc-merge in | cmp - in
	printf 'no end' >>in
	bnc-merge in | cmp - <(cat in; echo)
	bnc-merge <in | cmp - <(cat in; echo)
	bnc-merge - <in | cmp - <(cat in; echo)
}

@test "zstd and gzip are undone, also from pipes; a directory is one source" {
	local name
	mkdir rec
	seq 1 1000 | zstd -q >rec/tmp-2026-11-22T10-00-00Z.ndjson.zst
	seq 1001 2000 >rec/tmp-2026-11-22T11-00-00Z.ndjson
	seq 2001 3000 | gzip >rec/tmp-2026-11-22T12-00-00Z.ndjson.gz
	touch rec/other
	bnc-merge rec | cmp - <(seq 1 3000)
	bnc-merge rec/ <(seq 5000 6000 | gzip) >out
	awk '$1 <= 3000' out | cmp - <(seq 1 3000)
	awk '$1 > 3000' out | cmp - <(seq 5000 6000)
}

# --- what goes wrong ----------------------------------------------------------------------------------------------

@test "what cannot be read is told with its name, and the others are read" {
	echo a >a
	echo c >c
	run --separate-stderr bnc-merge a none c
	[ "$status" -eq 3 ]
	[ "$output" = $'a\nc' ]
	[ "$stderr" = "bnc-merge: none: No such file or directory" ]
	mkdir empty
	run --separate-stderr bnc-merge --by-time none empty a
	[ "$status" -eq 3 ]
	[ "$output" = a ]
	[ "$stderr" = $'bnc-merge: none: No such file or directory\nbnc-merge: empty: no recordings are there' ]
	run --separate-stderr bnc-merge --dedupe a none a
	[ "$status" -eq 3 ]
	[ "$output" = a ]
	under_valgrind && return
	run --separate-stderr sh -c 'bnc-merge - a <&-'
	[ "$status" -eq 3 ]
	[ "$output" = a ]
	[ "$stderr" = "bnc-merge: standard input: Bad file descriptor" ]
}

@test "a torn file is told with the byte, what stood before is passed, the others go on" {
	local frame option
	seq 1 100000 | zstd -q --no-check >frame
	seq 1 5 >five
	frame=$(stat -c %s frame)
	{ zstd -qc five; zstd -qc five; } >two
	truncate -s $(($(stat -c %s two) - 3)) two
	for option in "" --by-time --dedupe; do
		run --separate-stderr bnc-merge $option two five
		echo "$option: $status $stderr"
		[ "$status" -eq 1 ]
		[ "$(sort -u <<<"$output")" = "$(cat five)" ]
		[[ $stderr == "bnc-merge: two: breaks off at byte $(zstd -qc five | wc -c): "* ]]
	done
	head -c $((frame / 2)) frame >half
	run --separate-stderr bnc-merge - five <half
	[ "$status" -eq 1 ]
	[[ $stderr == "bnc-merge: standard input: breaks off at byte "* ]]
	# with a file that cannot be read as well it is that which counts
	run --separate-stderr bnc-merge two none
	[ "$status" -eq 3 ]
	# and damage is an end for who wants it so
	seq 1 300000 >many
	run --separate-stderr bnc-merge --strict two many
	[ "$status" -eq 1 ]
	((${#lines[@]} < 100000))
}

@test "a line of more than 1 MiB is refused whole, by file and number" {
	local option
	{ echo a1; head -c 1500000 /dev/zero | tr '\0' x; echo; echo a2; } >a
	{ head -c 1048576 /dev/zero | tr '\0' y; echo; } >b
	for option in "" --by-time --dedupe; do
		run --separate-stderr bnc-merge $option a b
		[ "$status" -eq 1 ]
		[ "$(cut -c 1-2 <<<"$output" | sort)" = $'a1\na2\nyy' ]
		[ "${stderr_lines[0]}" = "bnc-merge: a: line 2: byte 1048576: longer than 1 MiB" ]
		[ "${stderr_lines[1]}" = "bnc-merge: 1 line refused" ]
		run --separate-stderr bnc-merge $option --strict a
		[ "$status" -eq 1 ]
		[ "$output" = a1 ]
		[ "${stderr_lines[0]}" = "bnc-merge: line 2: byte 1048576: longer than 1 MiB" ]
	done
}

@test "output that cannot be written is no success" {
	echo x >in
	run --separate-stderr sh -c 'bnc-merge in >/dev/full'
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-merge: standard output: No space left on device" ]
	run --separate-stderr sh -c 'yes | head -n 1000000 | bnc-merge --dedupe >/dev/full'
	[ "$status" -eq 3 ]
	under_valgrind && return
	run --separate-stderr sh -c 'bnc-merge in >&-'
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-merge: standard output: Bad file descriptor" ]
}

@test "a reader that went away ends it quietly, busy or idle" {
	local option
	for option in "" --by-time --dedupe; do
		seq 1 1000000 >in
		run --separate-stderr bash -c 'bnc-merge '"$option"' in | head -n 1 >/dev/null; echo "${PIPESTATUS[0]}"'
		[ "$output" = 0 ]
		[ -z "$stderr" ]
		rm -f a out && mkfifo a out
		start m sh -c "exec bnc-merge $option a >out"
		exec 6<out 5>a
		exec 6<&-
		wait_end m 3
		[ "$status" -eq 0 ]
		[ ! -s m.err ]
		exec 5>&-
	done
}

@test "SIGTERM and SIGINT end it, SIGUSR1 asks for counters" {
	local signal
	for signal in TERM INT; do
		rm -f a b && mkfifo a b
		start m bnc-merge a b
		exec 5>a 6>b
		printf 'x\nhalf a line' >&5
		wait_for 3 grep -qx x m.out
		kill -USR1 "$m_pid"
		wait_for 3 grep -qxF 'bnc-merge: in 1 out 1 refused 0 damaged 0' m.err
		stop m $signal
		[ "$status" -eq 0 ]
		[ "$(cat m.out)" = x ]
		exec 5>&- 6>&-
	done
	run --separate-stderr -0 bnc-merge -v - <<<x
	[ "$stderr" = 'bnc-merge: in 1 out 1 refused 0 damaged 0' ]
}

@test "SIGTERM gives out what is held back, in order" {
	local option
	for option in --dedupe=1h "--dedupe=1h --by-time"; do
		rm -f a b && mkfifo a b
		start m bnc-merge $option a b
		exec 5>a 6>b
		{ trade a 1 1790526538000000; trade a 3 1790526538000009; trade a 4 1790526538000010; } >&5
		trade a 1 1790526538000000 >&6
		wait_for 3 counts 'in 4 '
		stop m
		[ "$status" -eq 0 ]
		[ "$(short m.out)" = "a1 gap:a@trade:1:3 a3 a4" ]
		exec 5>&- 6>&-
	done
	# and without copies the lines that are first
	rm -f a b && mkfifo a b
	start m bnc-merge --by-time a b
	exec 5>a 6>b
	trade a 1 >&5
	wait_for 3 counts 'in 1 '
	stop m
	[ "$(short m.out)" = a1 ]
	exec 5>&- 6>&-
}

@test "SIGTERM ends it within a second or so of a reader that stands still" {
	mkfifo out
	start m sh -c 'yes | { bnc-merge >out; echo $? >ended; }'
	exec 6<out
	wait_for 3 pgrep -s "$m_pid" -x 'bnc-merge|memcheck.*'
	local pid
	pid=$(pgrep -s "$m_pid" -x 'bnc-merge|memcheck.*')
	wait_for 3 stands_still "$pid"
	kill -TERM "$pid"
	wait_for 3 test -s ended
	[ "$(cat ended)" -eq 3 ]
	grep -q 'standard output: the reader takes nothing; [0-9]* bytes are lost' m.err
	exec 6<&-
}

# --- by time ------------------------------------------------------------------------------------------------------

# what the page says, by other means: lines sorted by the highest time so far in their file, equal ones by file
by_time() { # FILE...
	/usr/bin/python3 - "$@" <<-'E'
		import gzip, json, re, subprocess, sys
		lines = []
		for number, name in enumerate(sys.argv[1:]):
		    data = gzip.open(name).read() if name.endswith(".gz") else (
		        subprocess.run(["zstd", "-dcq", name], stdout=subprocess.PIPE, check=True).stdout if name.endswith(".zst")
		        else open(name, "rb").read())
		    high = -1
		    for place, line in enumerate(data.splitlines()):
		        front = re.match(rb"(\d{13}|\d{16}|\d{19}) ", line)
		        try:
		            o = json.loads(line) if not front else None
		        except ValueError:
		            o = None
		        if front:
		            when = int(front[1]) * 10 ** (19 - len(front[1]))
		        elif isinstance(o, dict) and "recv" in o:
		            when = o["recv"] * 1000
		        elif isinstance(o, dict) and "ts" in o:
		            when = o["ts"] * 1000000
		        elif isinstance(o, dict) and "E" in o:
		            when = o["E"] * 1000000
		        else:
		            when = -1
		        high = max(high, when)
		        lines.append((high, number, place, line))
		sys.stdout.buffer.write(b"".join(line + b"\n" for *_, line in sorted(lines)))
	E
}

@test "by time: three files, compressed and not, are as if sorted" {
	"$TOOLS/recording" 1 5000 --step 3000 >one
	"$TOOLS/recording" 2 3000 --step 5000 | gzip >two.gz
	# times of every kind, and none; many are equal, some go back
	awk 'BEGIN { srand(3); t = 1790526538000; for (i = 0; i < 4000; i++) {
		t += int(rand() * 8) - 2
		k = int(rand() * 7)
		if (k == 0) printf "{\"recv\":%d000,\"n\":%d}\n", t, i
		if (k == 1) printf "{\"ts\":%d,\"n\":%d}\n", t, i
		if (k == 2) printf "{\"E\":%d,\"n\":%d}\n", t, i
		if (k == 3) printf "%d {\"n\":%d}\n", t, i
		if (k == 4) printf "%d%06d {\"n\":%d}\n", t, rand() * 1000000, i
		if (k == 5) printf "{\"result\":null,\"id\":%d}\n", i
		if (k == 6) printf "no JSON %d\n", i
	} }' | zstd -q >three.zst
	by_time three.zst one two.gz >expected
	bnc-merge --by-time three.zst one two.gz | cmp - expected
	[ "$(wc -l <expected)" -eq 12000 ]
	# the order in which files are named decides among equal times alone
	by_time two.gz three.zst one >expected
	bnc-merge --by-time two.gz three.zst one | cmp - expected
}

@test "by time: the output is a function of the input, however slowly it comes" {
	local name
	for name in a b c; do
		"$TOOLS/recording" $((1 + 0x$name)) 200 --step 3000 >$name
		mkfifo $name.pipe
	done
	bnc-merge --by-time a b c >expected
	start m bnc-merge --by-time a.pipe b.pipe c.pipe
	start wa sh -c 'dd if=a ibs=1000 obs=777 status=none >a.pipe'
	start wb sh -c 'exec cat b >b.pipe'
	exec 7>c.pipe
	while IFS= read -r line; do printf '%s\n' "$line" >&7; done <c
	exec 7>&-
	wait_end m 10
	[ "$status" -eq 0 ]
	cmp m.out expected
}

@test "by time: the slowest is waited for, and nobody longer than that" {
	mkfifo a b
	start m bnc-merge --by-time a b
	exec 5>a 6>b
	echo '{"ts":1}' >&5
	echo '{"ts":2}' >&5
	wait_for 3 counts 'in 1 out 0' # one line ahead is read
	echo '{"ts":3}' >&6
	wait_for 3 grep -qx '{"ts":2}' m.out
	[ "$(cat m.out)" = $'{"ts":1}\n{"ts":2}' ]
	exec 5>&-
	wait_for 3 grep -qx '{"ts":3}' m.out
	exec 6>&-
	wait_end m 3
	[ "$status" -eq 0 ]
}

@test "by time: a source that is far behind costs no memory" {
	mkfifo a b
	seq -f '{"ts":%.0f}' 1 2000000 >many
	start m bnc-merge --by-time a b
	start wa sh -c 'exec cat many >a'
	exec 6>b
	echo '{"ts":1}' >&6
	wait_for 3 counts 'in 3 out 2 '
	ended "$wa_pid" && false
	local peak
	peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$m_pid/status")
	echo "$peak kB"
	[[ -n ${SAN:-} ]] || ((peak < 12000))
	exec 6>&-
	wait_end m 60
	[ "$(wc -l <m.out)" -eq 2000001 ]
}

# --- copies of one feed -------------------------------------------------------------------------------------------

@test "two copies of a recording with holes, one in disorder, give the recording" {
	local seed rounds=60
	[[ -z ${SAN:-} ]] || rounds=15
	for ((seed = 1; seed <= rounds; seed++)); do
		"$TOOLS/recording" $seed 500 >recording
		"$TOOLS/copies" $seed recording --holes 0.$((seed % 5 + 1)) --disorder 240000
		bnc-merge --dedupe a b >got 2>said || { cat said; return 1; }
		cmp got recording || { echo "seed $seed"; return 1; }
		[ ! -s said ]
	done
}

@test "so they do with a time in front of frames, and through pipes" {
	local seed
	for ((seed = 101; seed <= 120; seed++)); do
		"$TOOLS/recording" $seed 500 | grep '^{"recv"' | sed -E 's/^\{"recv":([0-9]+),"market":"[a-z]+",/\1789 {/' >recording
		"$TOOLS/copies" $seed recording --holes 0.3 --disorder 240000
		bnc-merge --dedupe a b | cmp - recording
		bnc-merge --dedupe --by-time <(zstd -q <a) <(cat b) | cmp - recording
	done
}

@test "what both copies lack is told in its place, and only that" {
	local seed
	for ((seed = 201; seed <= 210; seed++)); do
		"$TOOLS/recording" $seed 500 >recording
		"$TOOLS/copies" $seed recording --holes 0.3 --both 0.1 --disorder 240000
		bnc-merge --dedupe a b >got 2>said
		grep -v '"state":"gap"' got | cmp - all
		# each gap stands right before the line that is its next one, and what lies between its ids is not in the recording
		jq -es '. as $l | [range(0; length)] | all(. as $i | $l[$i] | .state != "gap" or
			($l[$i + 1].data | .t // .u // .a | tostring) == .nextId and .ts == ($l[$i + 1].recv / 1000 | floor)
			and .stream == $l[$i + 1].stream and (has("source") | not))' got
		[ "$(grep -c '"state":"gap"' got)" -eq "$(grep -c '^bnc-merge: gap: ' said)" ]
		# as many events of a stream that counts as there were, those of gaps included
		jq -s '[.[] | select(.stream // "" | endswith("@trade")) | select(.state == "gap") | (.nextId | tonumber) - (.lastId | tonumber) - 1] | add // 0' got >told
		diff <(jq -c 'select(.stream // "" | endswith("@trade")) | [.stream, .data.t]' recording) \
			<(jq -c 'select(.stream // "" | endswith("@trade")) | [.stream, .data.t]' all) | grep -c '^<' >lacking || true
		# at the beginning and the end nothing proves a hole
		(($(cat told) <= $(cat lacking) && $(cat told) + 12 >= $(cat lacking)))
	done
}

@test "two collectors whose times are apart lose nothing that one of them has" {
	local seed
	for ((seed = 301; seed <= 310; seed++)); do
		"$TOOLS/recording" $seed 500 | grep '^{"recv"' >recording
		"$TOOLS/copies" $seed recording --holes 0.3 --lag 60000
		bnc-merge --dedupe a b >got 2>said
		[ ! -s said ]
		diff <(jq -c '[.stream, .data]' got | sort) <(jq -c '[.stream, .data]' recording | sort)
		# and each stream is in order
		jq -es '[group_by(.stream)[] | [.[].data | .t // .u // .a // empty] | . == sort] | all' got
	done
}

@test "copies of a real recording give it back" {
	have_shared hftbacktest/spot_btcusdt_20240809.gz
	zcat "$SHARED/hftbacktest/spot_btcusdt_20240809.gz" | head -n 30000 >recording
	bnc-merge --dedupe -m spot recording | cmp - recording
	"$TOOLS/copies" 7 recording --holes 0.3 --disorder 240000
	bnc-merge --dedupe -m spot a b | cmp - recording
	bnc-merge --dedupe -m spot <(zstd -q <a) b --by-time | cmp - recording
}

@test "raw frames, which do not say when they came, are all there, each stream in order" {
	"$TOOLS/recording" 5 3000 | grep '^{"recv"' >recording
	"$TOOLS/copies" 5 recording --holes 0.3
	local name
	for name in a b recording; do
		jq -c .data $name >$name.raw
	done
	bnc-merge --dedupe a.raw b.raw >got
	diff <(sort got) <(sort recording.raw)
	jq -es '[group_by([.e, .s])[] | [.[] | .t // .u // .a // empty] | . == sort] | all' got
}

@test "live: each of two sources fills the holes of the other" {
	mkfifo a b
	start m bnc-merge --dedupe=1m -v a b
	exec 5>a 6>b
	{ trade s 1; trade s 3; quote q 10; } >&5
	wait_for 3 counts 'in 3 out 2 .* held 1 '
	{ trade s 1; trade s 2; trade s 3; trade s 4; trade s 6; quote q 10; quote q 20; } >&6
	wait_for 3 counts 'in 10 out 6 .* held 1 '
	{ trade s 4; trade s 5; trade s 6; quote q 20; } >&5
	wait_for 3 counts 'in 14 out 8 .* held 0 '
	exec 5>&- 6>&-
	wait_end m 3
	[ "$status" -eq 0 ]
	[ "$(short m.out)" = "s1 q10 s2 s3 s4 q20 s5 s6" ]
	grep -qxF 'bnc-merge: in 14 out 8 refused 0 damaged 0 copies 6 obsolete 0 fills 2 gaps 0 held 0 untracked 0 won1 4 won2 4' m.err
}

@test "live: a hole in both is told when the window is over, although nothing more comes" {
	mkfifo a b
	start m bnc-merge --dedupe=200ms a b
	exec 5>a 6>b
	trade s 1 1790526538000000 >&5
	trade s 1 1790526538000007 >&6
	wait_for 3 counts 'in 2 '
	trade s 4 1790526539000999 >&6
	wait_for 3 grep -q '"t":4' m.out
	[ "$(short m.out)" = "s1 gap:s@trade:1:4 s4" ]
	jq -es '.[1] | .ts == 1790526539000 and .type == "status" and (has("source") | not) and
		.detail == "2 events missing between 2026-09-27T16:28:58.000Z and 2026-09-27T16:28:59.000Z"' m.out
	grep -qxF 'bnc-merge: gap: s@trade: last id 1, next id 4: 2 events missing between 2026-09-27T16:28:58.000Z and 2026-09-27T16:28:59.000Z' m.err
	# who has no more is not waited for
	exec 5>&-
	trade s 7 >&6
	wait_for 3 grep -q '"t":7' m.out
	exec 6>&-
	wait_end m 3
	[ "$status" -eq 0 ]
	[ "$(short m.out)" = "s1 gap:s@trade:1:4 s4 gap:s@trade:4:7 s7" ]
}

@test "live: a reader that is slower than the window makes no gaps" {
	local window=1s pause=0.1
	# more than it takes to read all of it
	[[ -z ${SAN:-} ]] || window=6s pause=0.5
	! under_valgrind || window=30s pause=2
	mkfifo a b out
	# the second source has the missing trade behind much else
	{ trade s 1; trade s 3; seq -f '{"a":%.0f}' 1 60000; } >in.a
	{ trade s 1; seq -f '{"b":%.0f}' 1 60000; trade s 2; trade s 3; } >in.b
	start m sh -c 'exec bnc-merge --dedupe="$1" a b >out' sh "$window"
	start wa sh -c 'exec cat in.a >a'
	start wb sh -c 'exec cat in.b >b'
	/usr/bin/python3 - "$pause" <<-'E' >got
		import os, sys, time
		fd = os.open("out", os.O_RDONLY)
		while True:
		    data = os.read(fd, 65536)
		    if not data:
		        break
		    sys.stdout.buffer.write(data)
		    time.sleep(float(sys.argv[1]))
	E
	wait_end m 3
	[ ! -s m.err ]
	[ "$(wc -l <got)" -eq 120003 ]
	[ "$(grep trade got | short)" = "s1 s2 s3" ]
}

@test "live: many gaps are told in part on standard error, and all in records" {
	local i said more
	for ((i = 1; i <= 301; i += 3)); do trade s $i; done >lines
	mkfifo a
	start m bnc-merge --dedupe a
	cat lines >a
	wait_end m 3
	[ "$status" -eq 0 ]
	[ "$(grep -c '"state":"gap"' m.out)" -eq 100 ]
	# how many of them in full depends on how long it takes
	said=$(grep -c 'gap: s@trade' m.err)
	more=$(sed -n 's/^bnc-merge: gap: \([0-9]*\) more, not shown$/\1/p' m.err | awk '{ n += $1 } END { print n + 0 }')
	((said >= 50 && said < 100 && said + more == 100))
}

@test "gaps that a source tells of itself are told anew where none covers them" {
	gap() { printf '{"type":"status","state":"gap","ts":1790526538001,"source":"live","stream":"%s@bookTicker","lastId":"1","nextId":"2"}\n' "$1"; }
	{ quote q 10 1790526538000000; gap q; quote q 30 1790526538030000; } >a
	{ quote q 10 1790526538000000; quote q 20 1790526538010000; quote q 30 1790526538030000; } >b
	[ "$(bnc-merge --dedupe a b | short)" = "q10 q20 q30" ]
	[ "$(bnc-merge --dedupe a a 2>said | short)" = "q10 gap:q@bookTicker:10:30 q30" ]
	grep -q 'gap: q@bookTicker: last id 10, next id 30: events may be missing' said
	# of a stream that is not here it is passed on, once
	{ gap x; echo '{"type":"price_update","ts":1790526538002}'; } >c
	bnc-merge --dedupe c c | cmp - c
	# live as well
	[ "$(bnc-merge --dedupe <(cat a) <(cat a) 2>/dev/null | short)" = "q10 gap:q@bookTicker:10:30 q30" ]
}

@test "records and replies are copies when all their bytes are" {
	printf '%s\n' '{"type":"heartbeat","ts":1}' '{"result":null,"id":1}' 'rubbish' '{"type":"heartbeat","ts":2}' >a
	sed 's/rubbish/rubbisH/' a >b
	bnc-merge --dedupe a b >got
	[ "$(sort got)" = "$(cat a b | sort -u)" ]
	bnc-merge --dedupe <(cat a) <(cat a) | cmp - a
	[ "$(cat a a | bnc-merge --dedupe)" = "$(cat a)" ]
}

@test "the market of bare frames is that of -m" {
	# spot: U is one more than u before; futures: pu
	printf '%s\n' '{"e":"depthUpdate","E":1,"s":"A","U":1,"u":5}' '{"e":"depthUpdate","E":2,"s":"A","U":9,"u":12}' >spot
	run --separate-stderr -0 bnc-merge --dedupe -m spot spot
	[ "$(short <<<"${lines[1]}")" = "gap:a@depth:5:12" ]
	run --separate-stderr -0 bnc-merge --dedupe spot
	[ "${#lines[@]}" -eq 2 ]
}

@test "the window says how late a source may be" {
	{ trade s 1 1790526538000000; trade s 3 1790526538010000; trade s 4 1790526539000000; } >a
	{ trade s 1 1790526538000000; trade s 2 1790526538110000; trade s 4 1790526539000000; } >b
	[ "$(bnc-merge --dedupe a b | short)" = "s1 s2 s3 s4" ]
	[ "$(bnc-merge --dedupe=100ms a b | short)" = "s1 s2 s3 s4" ]
	[ "$(bnc-merge --dedupe=99.999ms a b 2>/dev/null | short)" = "s1 gap:s@trade:1:3 s3 s4" ]
	[ "$(bnc-merge --dedupe=0 a b 2>/dev/null | short)" = "s1 gap:s@trade:1:3 s3 s4" ]
	# and how late a line
	{ quote q 1 1790526538000000; quote r 1 1790526538100000; quote q 2 1790526538050000; } >c
	[ "$(bnc-merge --dedupe=50ms c | short)" = "q1 q2 r1" ]
	[ "$(bnc-merge --dedupe=49ms c | short)" = "q1 r1 q2" ]
}

@test "looking ahead is capped, and told" {
	# one moment, and much of it; the line that is out of place comes too late to find it
	moment() { quote q 1 1790526538000000; seq -f '1790526538000001000 {"n":%.0f}' 1 "$1"; trade s 1 1790526538000000; }
	moment 10000 >a
	bnc-merge --dedupe -v a 2>said >got
	[ "$(sed -n 2p got | short)" = s1 ]
	[[ $(cat said) == *' late 1 early 0' ]]
	moment 20000 >a
	bnc-merge --dedupe -v a 2>said >got
	[ "$(tail -n 1 got | short)" = s1 ]
	[ "$(wc -l <got)" -eq 20002 ]
	[[ $(cat said) =~ ' late 1 early '([0-9]+)$ ]]
	((BASH_REMATCH[1] > 20000 - 16384))
	local peak
	seq -f '1790526538000001000 {"n":%.0f}' 1 1000000 >big
	mkfifo pipe
	start m bnc-merge --dedupe --by-time pipe
	exec 5>pipe
	cat big >&5
	peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$m_pid/status")
	echo "$peak kB"
	exec 5>&-
	wait_end m 10
	[[ -n ${SAN:-} ]] || ((peak < 24000))
	[ "$(wc -l <m.out)" -eq 1000000 ]
}
