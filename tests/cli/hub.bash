# What the bats files about bnc-hub and bnc-tap share:  load hub  (behind  load ../lib)
#
#   open_hub OPTION...      a hub at ./sock, ready, whose input is held open at descriptor 5
#   close_hub [SECONDS]     ends its input, and waits for its end; sets $status
#   begin NAME CMD...       as start, for what is beside the hub: it does not hold the hub's input open
#   tap NAME OPTION...      a bnc-tap in the background that has come to the border;  border NAME  what came behind that
#   stuck NAME N [TEXT]     N clients that say TEXT and take nothing until  release  lets all of them read
#   has NAME TEXT           it stands in NAME.out;  goes_on NAME  it has not ended
#   soon CMD...             waits for a sign, for as long as a loaded machine may need
#   metric NAME             of the hub, now;  metric_is NAME VALUE;  answers  whether there is a hub
#   price SYMBOL PRICE [TS]  trade ID       a record each;  stream COUNT EVERY  many

# shellcheck disable=SC2154 # set by lib.bash
CLIENT=$TOOLS/hub-client

soon() { wait_for 20 "$@"; }

open_hub() { # OPTION...
	[[ -p in ]] || mkfifo in
	rm -f ready
	STDIN=in start hub bash -c 'exec "$@" 9>"$0"' ready bnc-hub --ready-fd 9 "$@" sock 6>&-
	exec 5>in
	soon test -s ready
}

close_hub() { # SECONDS
	exec 5>&-
	wait_end hub "${1:-10}"
}

begin() { start "$@" 5>&- 6>&-; } # NAME CMD...

tap() { # NAME OPTION...
	begin "$1" bnc-tap "${@:2}" sock
	soon grep -qE 'from here on|nothing comes any more' "$1.out"
}

stuck() { # NAME COUNT [TEXT]
	[[ -p hold ]] || mkfifo hold
	exec 6<>hold
	STDIN=hold begin "$1" "$CLIENT" stuck sock "${@:2}"
	soon has "$1" stuck
}
release() { exec 6>&-; }

has() { grep -qF -- "$2" "$1.out"; }
goes_on() { # NAME
	local pid_name=$1_pid
	! ended "${!pid_name}"
}
border() { sed '0,/from here on/d' "$1.out"; }
metric() { bnc-tap --metrics sock | sed -n "s/^bnc_hub_$1 //p"; }
metric_is() { [[ $(metric "$1") == "$2" ]]; }
answers() { [[ $(bnc-tap --metrics sock 2>/dev/null) == "# HELP"* ]]; }

price() {
	printf '{"type":"price_update","symbol":"%s","price":"%s","ts":%s,"pair":"%sUSDT","market":"usdm","source":"book"}\n' \
		"$1" "$2" "${3:-1}" "$1"
}
trade() { printf '{"type":"trade_executed","symbol":"SOL","id":%d}\n' "$1"; }

# prices of three symbols, each line its number; every so many-th is one that may not be left out
stream() { # COUNT EVERY
	awk -v n="$1" -v every="$2" 'BEGIN {
		split("SOL ETH BTC", s)
		for (i = 0; i < n; i++)
			if (i % every == 0)
				printf "{\"type\":\"trade_executed\",\"symbol\":\"SOL\",\"qty\":\"1\",\"id\":%d}\n", kept++
			else
				printf "{\"type\":\"price_update\",\"symbol\":\"%s\",\"price\":\"%d.5\",\"ts\":1790526538940," \
					"\"pair\":\"%sUSDT\",\"market\":\"usdm\",\"source\":\"book\",\"bid\":\"%d\",\"bidQty\":\"2.6\"," \
					"\"ask\":\"%d\",\"askQty\":\"5.3\"}\n", s[1 + i % 3], i, s[1 + i % 3], i, i + 1
	}'
}
