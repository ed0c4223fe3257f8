# An exchange that lies, a network that goes away, a clock that jumps: tests/lies/table has the scenarios, and
# tests/lies/run plays them, all at once since they mostly wait; each test here is a group of them

load ../lib

setup_file() {
	"$ROOT/tests/lies/run" 3>&- >"$BATS_FILE_TMPDIR/lies" 2>&1 || true
}

lies() { # GROUP
	local name names said=$BATS_FILE_TMPDIR/lies
	names=$("$ROOT/tests/lies/run" --list "$1" | cut -f2)
	[[ -n $names ]]
	for name in $names; do
		if ! grep -q "^$name: \(ok\|skipped\)" "$said"; then
			grep "^$name: " "$said" || tail -n 20 "$said"
			return 1
		fi
	done
	for name in $names; do
		! grep -q "^$name: skipped" "$said" || skip "$(grep "^$name: skipped" "$said")"
	done
}

@test "below TLS: cut, reset, altered and stalled at each state of the handshake, garbage, alerts" { lies tcp; }

@test "the answer to the upgrade: cut at each byte, altered, dripping, redirects" { lies head; }

@test "frames: cut, close codes, reserved bits, lengths, pings without end, messages that are too long" { lies frames; }

@test "certificates: chains, dates, names, purposes, revoked ones" { lies certs; }

@test "the clock of the host jumps by hours, days and years, forwards and backwards" { lies clock; }

@test "an interface goes down and comes back, and an address changes" { lies network; }

@test "bnc-account: answers that lie, and events that do" { lies account; }

@test "a thousand reconnects" { lies reconnects; }

@test "what takes long" {
	[[ ${LIES:-} == all ]] || skip "LIES=all plays these too, and each byte of all that is cut or altered"
	lies long
}

@test "the README shows each scenario, as the table has it" {
	"$ROOT/tests/lies/run" --markdown >table
	[[ -s table ]]
	diff <(sed -n '/^| scenario | how/,/^$/p' "$ROOT/tests/README.md" | grep .) table
}
