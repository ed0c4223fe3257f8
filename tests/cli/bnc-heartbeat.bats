load ../lib
bats_require_minimum_version 1.5.0

STATUS='{"type":"status","state":"live","ts":'

# it has written, and nothing more since the call before: the pipe behind it is full
stands_still() { # PID
	local before=${written:-none}
	written=$(sed -n 's/^wchar: //p' "/proc/$1/io")
	[[ $written == "$before" && $written -gt 65536 ]]
}

# --- options ------------------------------------------------------------------------------------------------------

@test "help and version go to standard output" {
	run --separate-stderr bnc-heartbeat --help
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[0]} == "usage: bnc-heartbeat "* ]]
	run --separate-stderr bnc-heartbeat -V
	[ "$status" -eq 0 ]
	[[ $output =~ ^bnc-heartbeat\ [0-9.]+$ ]]
}

@test "wrong calls say why, read nothing and end with 2" {
	local call
	for call in "-x" "--nope" "-i" "-i abc" "-i 0" "-i -1" "-i 1.5us" "-i 0.5ms" "-i 1ns" "--clock" "--clock sun" "--strict=1"; do
		run --separate-stderr bnc-heartbeat $call <<<"$STATUS 1}"
		echo "$call: $status $stderr"
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[[ ${stderr_lines[0]} == bnc-heartbeat:* && ${stderr_lines[1]} == "usage: bnc-heartbeat "* ]]
	done
	run --separate-stderr bnc-heartbeat -i abc
	[ "${stderr_lines[0]}" = "bnc-heartbeat: -i: 'abc' is not a duration of whole milliseconds" ]
}

# --- the clock on the wall ------------------------------------------------------------------------------------------

@test "records of a book are lines as all others: their times move no clock on the wall, and the other one alike" {
	"$BUILD/bench/frames" -n 2000 --tick --ours | bnc-normalize >records
	[ "$(bnc-heartbeat -i 1h records | grep -c '"type":"heartbeat"')" -eq 1 ]
	bnc-heartbeat -i 1h records | grep -v '"type":"heartbeat"' | cmp - records
	bnc-heartbeat --clock event -i 10ms records >short
	sed 's/^{/{ /' records | bnc-heartbeat --clock event -i 10ms | sed 's/^{ /{/' | cmp - short
	[ "$(grep -c '"type":"heartbeat"' short)" -gt 1 ]
}

@test "the first heartbeat comes at the start, the next on time, without a line" {
	mkfifo in
	STDIN=in start beat bnc-heartbeat -i 0.3
	exec 5>in
	wait_for 1 test -s beat.out
	local first now
	first=$(head -n 1 beat.out | jq .ts)
	now=$(date +%s%3N)
	((now - first >= 0 && now - first < 2000 * SLOW))
	wait_for 3 test "$(wc -l <beat.out)" -ge 1
	wait_for 3 eval '(($(wc -l <beat.out) >= 4))'
	exec 5>&-
	wait_end beat 3
	[ "$status" -eq 0 ]
	# 300 ms apart on the whole, whatever the single ones did; the first one may be late
	jq -se '(.[3].ts - .[0].ts) | . >= 700 and . < 3000' beat.out
	jq -se 'all(.type == "heartbeat" and (keys | length) == 2)' beat.out
}

@test "a trickle passes at once, not with the next heartbeat" {
	mkfifo in out
	STDIN=in start beat sh -c 'exec bnc-heartbeat -i 1h >out'
	exec 5>in 6<out
	local line i
	read -r -t $((5 * SLOW)) line <&6
	[[ $line == '{"type":"heartbeat","ts":'* ]]
	for i in 1 2 3; do
		echo "$STATUS$i}" >&5
		read -r -t $((5 * SLOW)) line <&6
		[ "$line" = "$STATUS$i}" ]
	done
	exec 5>&-
	wait_end beat 3
	[ "$status" -eq 0 ]
}

@test "lines pass unchanged, blanks, escapes and unknown keys included" {
	printf '%s\r\n%s' ' { "a" : [1, 2.50, "\u00e9é\n"] }	' '{"recv":1,"data":{}}' >in
	bnc-heartbeat -i 1h in >out
	{ head -c "$(head -n 1 out | wc -c)" out >first; tail -n +2 out >rest; }
	jq -e '.type == "heartbeat"' first
	{ cat in; echo; } | cmp - rest
}

# --- the clock of the events -----------------------------------------------------------------------------------------

@test "on the clock of the events the output is a function of the input" {
	cat >in <<-E
		${STATUS}14999}
		{"no":"time"}
		${STATUS}15000}
		{"recv":20000123,"market":"usdm","stream":"x","data":{"ts":99999}}
		${STATUS}19000}
		${STATUS}41234}
		${STATUS}44999}
	E
	cat >expected <<-E
		${STATUS}14999}
		{"no":"time"}
		${STATUS}15000}
		{"type":"heartbeat","ts":15000}
		{"recv":20000123,"market":"usdm","stream":"x","data":{"ts":99999}}
		{"type":"heartbeat","ts":20000}
		${STATUS}19000}
		${STATUS}41234}
		{"type":"heartbeat","ts":40000}
		${STATUS}44999}
	E
	bnc-heartbeat --clock event in | cmp - expected
	# however slowly it comes
	while IFS= read -r line; do printf '%s\n' "$line"; sleep 0.02; done <in | bnc-heartbeat --clock event -i 5000ms | cmp - expected
	# and it is idempotent: its own heartbeats have times of the grid
	bnc-heartbeat --clock event expected | grep -vF '"type":"heartbeat"' | cmp - in
}

@test "on the clock of the events no time passes while it waits" {
	mkfifo in
	STDIN=in start beat bnc-heartbeat --clock event -i 1ms
	exec 5>in
	echo "${STATUS}1}" >&5
	wait_for 3 test -s beat.out
	sleep 0.05 # many intervals on the wall
	exec 5>&-
	wait_end beat 3
	[ "$(cat beat.out)" = "${STATUS}1}" ]
}

# --- refusals --------------------------------------------------------------------------------------------------------

@test "what is no line is refused by number and byte, the lines around it are kept" {
	printf '%s\n' "${STATUS}1}" '{"a":' '' '[1]' 'null' '{"a":1}x' "${STATUS}2}" >in
	printf '{"a":"b\0c"}\n{"a":"\377"}\n{"ok":1}' >>in
	run --separate-stderr bnc-heartbeat --clock event in
	[ "$status" -eq 1 ]
	[ "$output" = "${STATUS}1}"$'\n'"${STATUS}2}"$'\n{"ok":1}' ]
	echo "$stderr"
	[[ ${stderr_lines[0]} == "bnc-heartbeat: line 2: byte 5: "* ]]
	[[ ${stderr_lines[1]} == "bnc-heartbeat: line 3: byte 0: an empty line" ]]
	[[ ${stderr_lines[2]} == "bnc-heartbeat: line 4: byte 0: not a JSON object" ]]
	[[ ${stderr_lines[3]} == "bnc-heartbeat: line 5: byte 0: not a JSON object" ]]
	[[ ${stderr_lines[4]} == "bnc-heartbeat: line 6: byte 7: "* ]]
	[[ ${stderr_lines[5]} == "bnc-heartbeat: line 8: byte 7: "* ]]
	[[ ${stderr_lines[6]} == "bnc-heartbeat: line 9: byte 6: "* ]]
	[[ ${stderr_lines[7]} == "bnc-heartbeat: 7 lines refused" ]]
}

@test "a record without a time is refused on the clock of the events alone" {
	echo '{"type":"price_update","ts":"soon"}' >in
	run --separate-stderr bnc-heartbeat --clock event in
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	[ "${stderr_lines[0]}" = "bnc-heartbeat: line 1: byte 29: ts is missing or no time in ms" ]
	bnc-heartbeat in | grep -qxF '{"type":"price_update","ts":"soon"}'
}

@test "a line of more than 1 MiB is refused whole" {
	{ echo "${STATUS}1}"; head -c 1500000 /dev/zero | tr '\0' x; echo; echo "${STATUS}2}"; } >in
	run --separate-stderr bnc-heartbeat --clock event in
	[ "$status" -eq 1 ]
	[ "$output" = "${STATUS}1}"$'\n'"${STATUS}2}" ]
	[ "${stderr_lines[0]}" = "bnc-heartbeat: line 2: byte 1048576: longer than 1 MiB" ]
}

@test "many refusals are told in part, and counted" {
	yes x | head -n 1000 >in
	run --separate-stderr bnc-heartbeat --clock event in
	[ "$status" -eq 1 ]
	local told hidden
	told=$(grep -c ': line ' <<<"$stderr")
	((told >= 20 && told < 40))
	hidden=$((1000 - told))
	grep -qxF "bnc-heartbeat: 1000 lines refused, $hidden of them not shown" <<<"$stderr"
}

@test "strict stops at the first refused line" {
	printf '%s\n' "${STATUS}1}" x "${STATUS}2}" >in
	run --separate-stderr bnc-heartbeat --strict --clock event in
	[ "$status" -eq 1 ]
	[ "$output" = "${STATUS}1}" ]
}

# --- files, ends, signals ----------------------------------------------------------------------------------------------

@test "files come in order, a missing one is told and the others are read" {
	echo "${STATUS}1}" >a
	printf '%s' "${STATUS}3}" >c
	run --separate-stderr bnc-heartbeat --clock event a none - c <<<"${STATUS}2}"
	[ "$status" -eq 3 ]
	[ "$output" = "${STATUS}1}"$'\n'"${STATUS}2}"$'\n'"${STATUS}3}" ]
	[ "$stderr" = "bnc-heartbeat: none: No such file or directory" ]
}

@test "output that cannot be written is no success" {
	echo "${STATUS}1}" >in
	local log
	run --separate-stderr sh -c 'bnc-heartbeat in >/dev/full'
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-heartbeat: standard output: No space left on device" ]
	if ! under_valgrind; then
		run --separate-stderr sh -c 'bnc-heartbeat in >&-'
		[ "$status" -eq 3 ]
		[ "$stderr" = "bnc-heartbeat: standard output: Bad file descriptor" ]
	fi
	run --separate-stderr sh -c 'ulimit -f 1; yes "{}" | head -n 100000 | bnc-heartbeat >big'
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-heartbeat: standard output: File too large" ]
}

@test "a reader that went away ends it quietly, busy or idle" {
	run --separate-stderr bash -c 'yes "{}" | bnc-heartbeat | head -n 1 >/dev/null; echo "${PIPESTATUS[1]}"'
	[ "$output" = 0 ]
	[ -z "$stderr" ]
	mkfifo in out
	STDIN=in start beat sh -c 'exec bnc-heartbeat -i 1h >out'
	exec 5>in 6<out
	read -r -t $((5 * SLOW)) <&6
	exec 6<&-
	wait_end beat 3
	[ "$status" -eq 0 ]
	[ ! -s beat.err ]
	exec 5>&-
}

@test "SIGTERM and SIGINT end it, SIGUSR1 asks for counters" {
	local signal
	for signal in TERM INT; do
		rm -f in && mkfifo in
		STDIN=in start beat bnc-heartbeat -i 1h
		exec 5>in
		printf '%s\nx\nhalf a line' "${STATUS}1}" >&5
		wait_for 3 grep -q 'line 2' beat.err
		wait_for 3 grep -qxF "${STATUS}1}" beat.out
		kill -USR1 "$beat_pid"
		wait_for 3 grep -qxF 'bnc-heartbeat: in 2 out 2 refused 1 heartbeats 1' beat.err
		stop beat $signal
		[ "$status" -eq 1 ]
		[ "$(wc -l <beat.out)" -eq 2 ]
		exec 5>&-
	done
}

@test "SIGTERM ends it within a second or so of a reader that stands still" {
	mkfifo out
	start beat sh -c 'yes "{}" | { bnc-heartbeat >out; echo $? >ended; }'
	exec 6<out
	wait_for 3 pgrep -s "$beat_pid" -x 'bnc-heartbeat|memcheck.*'
	local pid
	pid=$(pgrep -s "$beat_pid" -x 'bnc-heartbeat|memcheck.*')
	wait_for 3 stands_still "$pid"
	kill -TERM "$pid"
	wait_for 3 test -s ended
	[ "$(cat ended)" -eq 3 ]
	grep -q 'standard output: the reader takes nothing; [0-9]* bytes are lost' beat.err
	exec 6<&-
}
