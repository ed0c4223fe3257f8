# Programs between two pipes whose calls fail, one by one: tests/fault/table has the cases, tests/fault/run the rules

load fault

@test "filters: each call of each kind fails once" { faults filters; }

@test "output that ends at each byte: a full disk, and a reader that hangs up" { faults borders; }

@test "replay: each call of each kind fails once" { faults replay; }

@test "an output that takes nothing, as the kernel has it" {
	local program
	seq 3 | sed 's/.*/{"type":"heartbeat","ts":&}/' >in
	for program in normalize paper position equity heartbeat merge "replay -x max"; do
		# shellcheck disable=SC2086,SC2016 # a program and its options; the inner shell has $0
		run --separate-stderr bash -c 'bnc-$0 "$@" in >/dev/full' $program
		# shellcheck disable=SC2154 # run sets it
		echo "$program: $status $stderr"
		[[ $status -eq 3 && $stderr == "bnc-${program%% *}: "*"No space left on device" ]]
	done
}
