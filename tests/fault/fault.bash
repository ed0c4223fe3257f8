# What the bats files of tests/fault share:  load fault
#
#   faults GROUP   the cases of that group in tests/fault/table

load ../lib

bats_require_minimum_version 1.5.0

faults() {
	[[ -e $BUILD/fault/fault.so ]]
	"$ROOT/tests/fault/run" "$1" 3>&- >"$SCRATCH/faults.out" || { cat "$SCRATCH/faults.out"; return 1; }
	# it has done something, and says how much
	grep -E ': [1-9][0-9]* runs, 0 broken' "$SCRATCH/faults.out"
}
