# tests/bench/instructions: what a filter costs, as a number that a noisy machine does not change.
load ../lib

INSTRUCTIONS=$ROOT/tests/bench/instructions

# a count for every line of the input
make_believe_valgrind() { # COUNT
	mkdir -p bin
	cat >bin/valgrind <<-E
		#!/bin/bash
		echo "==1== Collected : \$((5000 + $1 * \$(wc -l <"\${!#}")))" >&2
	E
	chmod +x bin/valgrind
}

# as the file of the tree, with one count for all
file_of() { sed -E "s/: [0-9]+\$/: $1/" "$ROOT/tests/bench/instructions.txt"; }

measure() { PATH=$SCRATCH/bin:$PATH run "$INSTRUCTIONS" "$@"; }

@test "no filter takes more instructions for a line than it did" {
	run "$INSTRUCTIONS"
	[[ ${lines[0]} != "1..0 # skip "* ]] || skip "${lines[0]#1..0 # skip }"
	echo "$output"
	grep '^# ' <<<"$output" >&3 || true
	[ "$status" -eq 0 ]
	[ "$(grep -c '^ok' <<<"$output")" -eq "$(grep -c '^bnc-' "$ROOT/tests/bench/instructions.txt")" ]
}

@test "three per cent more are borne, more are told with the way to change the file" {
	make_believe_valgrind 103
	file_of 100 >file
	measure file
	[[ ${lines[0]} != "1..0 # skip "* ]] || skip "${lines[0]#1..0 # skip }"
	[ "$status" -eq 0 ]
	[[ $output == *"ok 1 - bnc-normalize, bookTicker: 103 instructions a line, 100 in the file"* ]]
	make_believe_valgrind 104
	measure file
	[ "$status" -eq 1 ]
	[[ $output == *"not ok 1 - bnc-normalize, bookTicker: 104 instructions a line, more than 100 by over 3 %"* ]]
	[[ $output == *"# if that is as it should be: BUILD=$BUILD tests/bench/instructions --update"* ]]
}

@test "fewer are told, a count that the file lacks fails, and an update makes the file" {
	make_believe_valgrind 90
	file_of 100 >file
	measure file
	[[ ${lines[0]} != "1..0 # skip "* ]] || skip "${lines[0]#1..0 # skip }"
	[ "$status" -eq 0 ]
	[[ $output == *"# fewer than the file says: "* ]]
	sed -i '/^bnc-heartbeat/d' file
	measure file
	[ "$status" -eq 1 ]
	[[ $output == *"not ok 6 - bnc-heartbeat: 90 instructions a line, which the file does not know"* ]]
	measure --update file
	[ "$status" -eq 0 ]
	diff <(file_of 90) file
}

@test "another compiler's counts are nothing to compare with" {
	make_believe_valgrind 100
	file_of 100 | sed 's/^compiler: .*/compiler: another/' >file
	measure file
	[ "$status" -eq 0 ]
	[[ $output == "1..0 # skip "* ]]
}
