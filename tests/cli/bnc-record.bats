load ../lib
bats_require_minimum_version 1.5.0

# what stands in the recordings of a directory, in their order
recorded() { bnc-replay -x max "${1:-rec}"; }

files() { find "${1:-rec}" -type f -printf '%f\n' | sort; }

lines() { seq -f '{"n":%.0f}' "$1" "$2"; }

# a recorder with its input held open at descriptor 5
open_recorder() { # OPTION...
	mkfifo in
	STDIN=in start rec bash -c 'exec "$@" 9>"$0"' ready bnc-record -o rec --ready-fd 9 "$@"
	exec 5>in
	wait_for 5 test -s ready
}

shows() { [[ $(zstdcat rec/*.part 2>/dev/null | tail -n 1) == "$1" ]]; }

# a small file system of its own, where that is allowed
on_small_disk() { # SIZE COMMAND...
	unshare -m true 2>/dev/null || skip "no mount namespace can be made here"
	mkdir -p small
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs -o "size=$1" bnc-test small && shift && "$@"' sh "$@"
}

# --- options ------------------------------------------------------------------------------------------------------

@test "help and version go to standard output" {
	run --separate-stderr bnc-record --help
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[0]} == "usage: bnc-record "* ]]
	run --separate-stderr bnc-record -V
	[[ $output =~ ^bnc-record\ [0-9.]+$ ]]
}

@test "wrong calls say why, make no file and end with 2" {
	local call
	for call in "-x" "--nope" "-o" "--name a/b" "--name .a" "--name" "--rotate x" "--rotate 10" "--rotate 1h,2h" \
		"--rotate 0.5s" "--rotate 1k" "--rotate 1h,1G,3G" "--rotate 1h," "--level 0" "--level 20" "--level x" "--sync 9ms" \
		"--sync x" "--ready-fd x" "--ready-fd 77" "file"; do
		[[ $call != "--rotate 10" ]] || continue # ten seconds
		run --separate-stderr bnc-record $call <<<'{}'
		echo "$call: $status $stderr"
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[[ ${stderr_lines[0]} == bnc-record:* && ${stderr_lines[1]} == "usage: bnc-record "* ]]
	done
	run --separate-stderr bnc-record -o '' <<<'{}'
	[ "$status" -eq 2 ]
	[ -z "$(find . -name '*.zst*')" ]
	run --separate-stderr bnc-record --rotate 1y <<<'{}'
	[ "${stderr_lines[0]}" = "bnc-record: --rotate: '1y' is not a duration from 1s, a size from 64k, both with a comma between, or 0" ]
}

# --- what is written ------------------------------------------------------------------------------------------------

@test "lines come back byte for byte, by zstd and by bnc-replay" {
	"$TOOLS/recording" 1 20000 >lines
	bnc-record -o rec <lines
	[[ $(files) =~ ^bnc-20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}Z\.ndjson\.zst$ ]]
	zstd -q -t rec/*
	zstdcat rec/* | cmp - lines
	recorded | cmp - lines
	# any line will do, also one that is no JSON; the last one without an end gets one
	printf 'hello\n\n  {"a":1}  \r\nlast' | bnc-record -o other
	recorded other | cmp - <(printf 'hello\n\n  {"a":1}  \r\nlast\n')
}

@test "the longest line, alone and beside others" {
	python3 -c 'print("a"); print("x" * (1 << 20)); print("b"); print("y" * (1 << 20)); print("z" * (1 << 20))' >lines
	bnc-record -o rec <lines
	recorded | cmp - lines
}

@test "lines that cannot be taken are told, counted, and cost nothing else" {
	python3 -c '
import sys
w = sys.stdout.buffer.write
w(b"first\nnul\0here\n" + b"x" * ((1 << 20) + 1) + b"\nbad \xff\nhalf \xed\xa0\x80\nlast \xe5\xb8\x81\n")' >lines
	run --separate-stderr bnc-record -v -o rec <lines
	[ "$status" -eq 1 ]
	recorded | cmp - <(printf 'first\nlast \xe5\xb8\x81\n')
	[ "${stderr_lines[0]}" = "bnc-record: line 2: byte 3: a NUL byte" ]
	[ "${stderr_lines[1]}" = "bnc-record: line 3: byte 1048576: longer than 1 MiB" ]
	[ "${stderr_lines[2]}" = "bnc-record: line 4: byte 4: invalid UTF-8" ]
	[ "${stderr_lines[3]}" = "bnc-record: line 5: byte 5: invalid UTF-8" ]
	[ "${stderr_lines[4]}" = "bnc-record: 4 lines refused" ]
	[[ ${stderr_lines[5]} == "bnc-record: in 6 recorded 2 refused 4 lost 0 "* ]]
	run --separate-stderr bnc-record --strict -o strict <lines
	[ "$status" -eq 1 ]
	recorded strict | cmp - <(echo first)
}

@test "no lines, no file" {
	bnc-record -o rec </dev/null
	[ -z "$(files)" ]
}

@test "nothing is ever overwritten: a start in the same second takes a new name" {
	local i
	mkdir rec
	for i in {1..12}; do
		echo "{\"start\":$i}" | bnc-record -o rec
	done
	[ "$(files | wc -l)" -eq 12 ]
	# in the order of the starts, although _10 stands before _2 in the alphabet
	recorded | cmp - <(seq -f '{"start":%.0f}' 12)
}

@test "names that were taken before are left alone, with .part and without" {
	local now second
	mkdir rec
	now=$(date +%s)
	for second in {0..5}; do
		echo old >"rec/bnc-$(date -u -d "@$((now + second))" +%Y-%m-%dT%H-%M-%SZ).ndjson.zst"
		echo old >"rec/bnc-$(date -u -d "@$((now + second))" +%Y-%m-%dT%H-%M-%SZ)_1.ndjson.zst.part"
	done
	echo new | bnc-record -o rec
	[ "$(grep -lx old rec/* | wc -l)" -eq 12 ]
	[[ $(files | grep -v '_1\.\|Z\.') == bnc-*Z_2.ndjson.zst ]]
	# somebody takes the name while the file is open
	open_recorder --name x
	echo '{"a":1}' >&5
	wait_for 5 shows '{"a":1}'
	local part
	part=$(cd rec && echo x-*.part)
	echo old >"rec/${part%.part}"
	exec 5>&-
	wait_end rec 5
	[ "$status" -eq 0 ]
	grep -qx old "rec/${part%.part}"
	[ "$(zstdcat "rec/${part%.ndjson*}_1.ndjson.zst")" = '{"a":1}' ]
}

# --- time -----------------------------------------------------------------------------------------------------------

@test "a line is on disk within --sync, in a file that zstd can read at any moment" {
	open_recorder --sync 100ms
	local i
	for i in 1 2 3; do
		echo "{\"n\":$i}" >&5
		wait_for 5 shows "{\"n\":$i}"
		zstd -q -t -c rec/*.part
	done
	[[ $(files) == *.zst.part ]]
	exec 5>&-
	wait_end rec 5
	[[ $status -eq 0 && $(files) == *.zst ]]
	recorded | cmp - <(lines 1 3)
}

@test "SIGHUP closes the file at once and the next line opens another" {
	open_recorder
	lines 1 5 >&5
	wait_for 5 shows '{"n":5}'
	kill -HUP "$rec_pid"
	wait_for 5 eval '[[ $(files) == *.zst ]]'
	lines 6 9 >&5
	wait_for 5 shows '{"n":9}'
	[ "$(files | wc -l)" -eq 2 ]
	# without a line in between there is nothing to close
	kill -HUP "$rec_pid"
	wait_for 5 eval '! compgen -G "rec/*.part"'
	kill -HUP "$rec_pid"
	# a file has its name a moment before it is counted
	wait_for 5 eval 'kill -USR1 "$rec_pid" && grep -q "in 9 recorded 9 refused 0 lost 0 .* files 2 " rec.err'
	exec 5>&-
	wait_end rec 5
	[ "$status" -eq 0 ]
	[ "$(files | wc -l)" -eq 2 ]
	recorded | cmp - <(lines 1 9)
}

@test "files end at a size, on borders of lines" {
	"$TOOLS/recording" 2 60000 >lines
	bnc-record -o rec --rotate 1h,1G --rotate 200k --level 1 <lines
	[ "$(files | wc -l)" -ge 4 ]
	[ "$(find rec -size +600k | wc -l)" -eq 0 ]
	local file
	for file in rec/*; do
		zstdcat "$file" | tail -c 1 | cmp - <(echo)
	done
	recorded | cmp - lines
}

@test "files end with the time on the wall, also when nothing comes" {
	open_recorder --rotate 1s
	echo '{"n":1}' >&5
	wait_for 5 eval '[[ $(files) == *.zst ]]'
	echo '{"n":2}' >&5
	wait_for 5 eval '(($(files | grep -c "zst$") == 2))'
	exec 5>&-
	wait_end rec 5
	[ "$status" -eq 0 ]
	recorded | cmp - <(lines 1 2)
}

# --- the end --------------------------------------------------------------------------------------------------------

@test "SIGTERM takes the rest of a line that has begun, and nothing behind it" {
	open_recorder
	printf '{"n":1}\n{"n":' >&5
	wait_for 5 shows '{"n":1}'
	kill -TERM "$rec_pid"
	printf '2}\n{"n":3}\n' >&5
	wait_end rec 5
	[ "$status" -eq 0 ]
	exec 5>&-
	recorded | cmp - <(lines 1 2)
	[ "$(files | wc -l)" -eq 1 ]
	[[ $(files) == *.zst ]]
}

@test "a line whose end does not come within a second of SIGTERM is told and left out" {
	open_recorder
	printf '{"n":1}\n{"n":' >&5
	wait_for 5 shows '{"n":1}'
	kill -TERM "$rec_pid"
	wait_end rec 5
	exec 5>&-
	[ "$status" -eq 1 ]
	grep -qx 'bnc-record: line 2: byte 0: its end did not come' rec.err
	recorded | cmp - <(lines 1 1)
	[[ $(files) == *.zst ]]
}

@test "SIGINT between two lines ends at once" {
	open_recorder
	echo '{"n":1}' >&5
	wait_for 5 shows '{"n":1}'
	stop rec INT
	exec 5>&-
	[ "$status" -eq 0 ]
	recorded | cmp - <(lines 1 1)
}

# --- the reader of --tee --------------------------------------------------------------------------------------------

@test "--tee passes on the same bytes, a trickle at once" {
	"$TOOLS/recording" 3 50000 >lines
	bnc-record -o rec --tee <lines | cmp - lines
	recorded | cmp - lines
	rm -r rec
	open_recorder --tee
	echo '{"n":1}' >&5
	wait_for 5 grep -q '"n":1' rec.out
	exec 5>&-
	wait_end rec 5
	[ "$status" -eq 0 ]
}

@test "a reader that takes nothing does not hold up the disk before the buffer is full, nor memory ever" {
	"$TOOLS/recording" 4 200000 >lines # some 40 MB
	mkfifo out go
	start reader bash -c 'exec 6<out; read -r <go; cat <&6'
	STDIN=lines start rec bash -c 'exec bnc-record -o rec --tee >out'
	# 12 MiB of lines are on disk although not one has been read
	wait_for 20 eval '(($(zstdcat rec/*.part 2>/dev/null | wc -c) > 10 << 20))'
	local peak
	peak=$(awk '/VmHWM/ { print $2 }' "/proc/$rec_pid/status")
	echo "peak $peak kB"
	[[ -n ${SAN:-} ]] || ((peak < 60000))
	stop reader KILL
	wait_end rec 10
	# a reader that went away is a quiet end
	[ "$status" -eq 0 ]
	[ ! -s rec.err ]
	[[ $(files) == *.zst ]]
	recorded | cmp -n $((10 << 20)) - lines
}

@test "a reader that takes nothing has a second behind SIGTERM, and is told" {
	"$TOOLS/recording" 4 50000 >lines # some 10 MB
	mkfifo out go
	start reader bash -c 'exec 6<out; read -r <go'
	STDIN=lines start rec bash -c 'exec bnc-record -o rec --tee >out'
	wait_for 20 eval '(($(zstdcat rec/*.part 2>/dev/null | wc -c) > 4 << 20))'
	stop rec
	[ "$status" -eq 3 ]
	[ "$(<rec.err)" = "bnc-record: standard output: the reader takes nothing; lines are lost on the way to it" ]
	recorded | cmp -n $((4 << 20)) - lines
}

@test "a disk that hangs does not hold up the reader of --tee" {
	[[ -z ${SAN:-} ]] || skip "sanitizers want to be first"
	cc -shared -fPIC -o slow.so -xc - <<-'C'
		#include <unistd.h>
		int fdatasync(int fd) { (void)fd; usleep(700000); return 0; }
	C
	mkfifo in
	STDIN=in start rec env LD_PRELOAD="$PWD/slow.so" bnc-record -o rec --tee --sync 10ms
	exec 5>in
	local i from
	for i in {1..20}; do
		from=${EPOCHREALTIME/./}
		echo "{\"n\":$i}" >&5
		wait_for 5 grep -q "\"n\":$i}" rec.out
		((${EPOCHREALTIME/./} - from < 600000))
	done
	exec 5>&-
	wait_end rec 10
	[ "$status" -eq 0 ]
	recorded | cmp - <(lines 1 20)
}

# --- when the disk does not want to ---------------------------------------------------------------------------------

@test "what cannot be opened is told at once, exit 3" {
	touch file
	run --separate-stderr bnc-record -o file </dev/null
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-record: file: Not a directory" ]
	run --separate-stderr bnc-record -o none/rec </dev/null
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-record: none/rec: No such file or directory" ]
	on_small_disk 1m sh -c 'mount -o remount,ro small && exec bnc-record -o small </dev/null' 2>said || status=$?
	[ "$status" -eq 3 ]
	grep -qx 'bnc-record: small/bnc-.*\.ndjson\.zst\.part: Read-only file system' said
}

@test "disk full: told with what is missing, exit 3, and what is there is readable to the last byte" {
	"$TOOLS/recording" 5 300000 >lines
	cat >script <<-'SH'
		bnc-record -v -o small <lines 2>said
		status=$?
		cp small/* .
		exit $status
	SH
	on_small_disk 1m sh script || status=$?
	[ "$status" -eq 3 ]
	cat said
	grep -qx 'bnc-record: small/bnc-.*\.ndjson\.zst\.part: write: No space left on device' said
	zstdcat bnc-*.part >got
	cmp -n "$(stat -c %s got)" got lines
	(($(stat -c %s got) > 1 << 20))
	local in recorded lost
	read -r in recorded lost < <(sed -n 's/.*in \([0-9]*\) recorded \([0-9]*\) refused 0 lost \([0-9]*\) .*/\1 \2 \3/p' said)
	((in == recorded + lost && lost > 0))
	[ "$(wc -l <got)" -eq "$recorded" ]
	grep -qx "bnc-record: $lost lines are not recorded" said
	run --separate-stderr bnc-replay -x max bnc-*.part
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
}

@test "a limit to the size of files is an error like another" {
	"$TOOLS/recording" 6 100000 >lines
	run --separate-stderr bash -c 'ulimit -f 400; bnc-record -o rec <lines'
	[ "$status" -eq 3 ]
	[[ ${stderr_lines[0]} == "bnc-record: rec/bnc-"*": write: File too large" ]]
	zstdcat rec/*.part >got
	cmp -n "$(stat -c %s got)" got lines
	(($(stat -c %s got) > 0))
	# not even one frame: then there is no file that nobody could read
	run --separate-stderr bash -c 'ulimit -f 1; bnc-record -o none <lines'
	[ "$status" -eq 3 ]
	[ -z "$(files none)" ]
}

@test "a file or directory that is taken away is noticed" {
	open_recorder --sync 50ms
	echo '{"n":1}' >&5
	wait_for 5 shows '{"n":1}'
	rm -r rec
	echo '{"n":2}' >&5
	wait_end rec 5
	exec 5>&-
	[ "$status" -eq 3 ]
	grep -q 'bnc-record: rec/bnc-.*: the file has been removed while it was being written' rec.err
}
