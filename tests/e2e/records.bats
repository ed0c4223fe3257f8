# The records of tests/event, as the programs see them. The page reads the same lines (web/tests/decode.test.ts), so
# that both sides of the socket agree on what is a record, what it means, and which key breaks the contract.
load ../lib
bats_require_minimum_version 1.5.0

# a case a line: .case what it is about, .line the line itself, and one of
#   .means    the record: it passes, and the keys named here have these values
#   .other    of a type that nobody here reads: it passes
#   .refused  by the programs .by (the page refuses it in any case), which name this key first; "line": it is no object
cases() { cat "$ROOT"/tests/event/*.ndjson; }

PROGRAMS=(bnc-heartbeat bnc-equity bnc-position)

# of one line alone: sets $status, $output and $stderr
verdict() { # PROGRAM LINE
	run --separate-stderr "$1" --strict <<<"$2"
}

@test "there are cases of every type, and each has one of the three outcomes" {
	local type
	for type in price_update heartbeat position_update trade_executed balance_update equity_snapshot status; do
		(($(cases | jq -c "select(.means.type == \"$type\")" | wc -l) > 0))
	done
	[[ -z $(cases | jq -c 'select([has("means"), has("other"), has("refused")] | map(select(.)) | length != 1)') ]]
	(($(cases | wc -l) > 120))
}

@test "a line that is a record, or of another type, passes every program unchanged" {
	local line program n=0
	while IFS= read -r line; do
		for program in "${PROGRAMS[@]}"; do
			verdict "$program" "$line"
			echo "$program: $line"
			[[ $status == 0 && -z $stderr ]]
			grep -qxF -- "$line" <<<"$output"
			((n += 1))
		done
	done < <(cases | jq -r 'select(has("refused") | not) | .line')
	((n > 150))
}

@test "what breaks the contract is refused by the programs that read it, with the key in front" {
	local name line key by program n=0
	while IFS=$'\x1f' read -r name key by line; do
		for program in "${PROGRAMS[@]}"; do
			verdict "$program" "$line"
			if [[ " $by " == *" $program "* ]]; then
				echo "$program must refuse, because of $key: $name: $line"
				# "program: line 1: byte 12: price is missing or no decimal number"
				[[ $status == 1 && ($key == line || $stderr == *": $key "*) ]]
			else
				echo "$program must pass on: $name: $line"
				[[ $status == 0 && -z $stderr ]]
			fi
			((n += 1))
		done
	done < <(cases | jq -r 'select(has("refused")) | [.case, .refused, (.by | join(" ")), .line] | join("\u001f")')
	((n > 150))
}

# A position of one, bought for nothing, is worth what the price says.
@test "a price means the same number to bnc-equity" {
	local line want got n=0
	echo '{"type":"position_update","symbol":"SOL","qty":"1","entryPrice":"0","ts":0,"pair":"SOLUSDT"}' >position
	while IFS=$'\x1f' read -r want line; do
		got=$(bnc-equity -p position <<<"$line" | jq -r 'select(.type == "equity_snapshot").unrealizedPnl' | tail -n 1)
		echo "$got for $want: $line"
		[[ $got == "$want" ]]
		((n += 1))
	done < <(cases | jq -r 'select(.means.type == "price_update" and .means.price) | select(.line | contains("SOLUSDT"))
		| [.means.price, .line] | join("\u001f")')
	((n > 12))
}

@test "so does a balance" {
	local want got line n=0
	while IFS=$'\x1f' read -r want line; do
		got=$(bnc-equity <<<"$line" | jq -r 'select(.type == "equity_snapshot").balance')
		[[ $got == "$want" ]]
		((n += 1))
	done < <(cases | jq -r 'select(.means.type == "balance_update") | [.means.balance, .line] | join("\u001f")')
	((n >= 2))
}
