load ../lib
bats_require_minimum_version 1.5.0

@test "killed at 200 random moments: every line is whole, in its place, and there when it has to be" {
	local rounds=200
	[[ -z ${SAN:-} ]] || rounds=40
	"$ROOT/tests/e2e/record-kill-check" "$rounds"
}

# --- replayed through the filters -----------------------------------------------------------------------------------

# what this recording gives, for ever: a change of these bytes is a change of what users see
GOLDEN=431d9bc26d7ea5c735e4cc6ca8c2ed57761220147ddf56e38b901f66019dcdea

pipeline() { # DIRECTORY-OF-PROGRAMS
	"$1/bnc-normalize" | "$1/bnc-equity" -b 10000 -p positions | "$1/bnc-heartbeat" --clock event
}

make_positions() {
	printf '%s\n' '{"type":"position_update","symbol":"SOL","qty":"-12.5","entryPrice":"143.1","ts":0,"pair":"SOLUSDT","market":"usdm"}' \
		'{"type":"position_update","symbol":"BTC","qty":"0.013","entryPrice":"91000.00000000000001","ts":0,"pair":"BTCUSDT","market":"usdm"}'
}

@test "the same recording gives the same bytes: at any speed, in one piece or in ten" {
	make_positions >positions
	"$TOOLS/recording" 1 30000 --step 2000 >lines # a minute
	bnc-record -o one --rotate 0 <lines
	split -n l/10 -d -a 1 lines piece.
	local i
	for i in {0..9}; do
		bnc-record -o ten <piece.$i
	done
	[ "$(find ten -name '*.zst' | wc -l)" -eq 10 ]
	bnc-replay -x max one | pipeline "$BIN" >max
	echo "$(wc -l <max) lines, $(sha256sum <max)"
	[ "$(sha256sum <max)" = "$GOLDEN  -" ]
	bnc-replay -x 50 one | pipeline "$BIN" | cmp - max
	bnc-replay -x max ten | pipeline "$BIN" | cmp - max
	pipeline "$BIN" <lines | cmp - max
}

@test "and by whichever compiler the programs are built" {
	command -v clang >/dev/null || skip "clang is not installed"
	[[ -z ${SAN:-} ]] || skip "once is enough"
	make_positions >positions
	"$TOOLS/recording" 1 30000 --step 2000 >lines
	local name other=$SCRATCH/clang programs=()
	for name in record replay normalize equity heartbeat; do
		programs+=("$other/bin/bnc-$name")
	done
	make -s -C "$ROOT" CC=clang OPT=-O1 BUILD="$other" "${programs[@]}"
	"$other/bin/bnc-record" -o one --rotate 0 <lines
	"$other/bin/bnc-replay" -x max one | pipeline "$other/bin" | sha256sum >sum
	[ "$(<sum)" = "$GOLDEN  -" ]
}
