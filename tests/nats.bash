# What the bats files about bnc-pub and bnc-sub share:  load ../nats  (behind  load ../lib)
#
#   have_nats               skips the test where there is no nats-server, or the programs were built without libnats
#   start_nats [LINE...]    a server with JetStream on a free port, its store in ./nats-store; LINEs more of its
#                           configuration. Sets $NATS, its URL; again after stop nats: the same one
#   pub, sub ARGS...        bnc-pub and bnc-sub at that server
#   open_pub ARGS...        a bnc-pub whose input is held open at descriptor 5, when it is ready; close_pub ends it
#   open_sub ARGS...        a bnc-sub in the background, when it is ready, with its lines in sub.out
#   trades FIRST LAST [N]   frames of aggTrade with those ids, of N symbols in turn (1), $SPACING microseconds apart (1)
#   stream_info FILTER [STREAM]  what jq makes of what the server says of the stream (bnc)
#   shown FILE              the ids in it, with their symbols, in the order of the lines
#   gets NAME COUNT         waits until NAME.out has so many lines

# where Debian has it, which is not in everybody's PATH
PATH=$PATH:/usr/sbin
unset NATS_URL

have_nats() {
	command -v nats-server >/dev/null || skip "nats-server is not installed"
	[[ -x $BIN/bnc-pub ]] || skip "built without libnats"
}

soon() { wait_for 20 "$@"; }

start_nats() { # LINE...
	if [[ -z ${NATS_PORT:-} ]]; then
		NATS_PORT=$(free_port)
		NATS=nats://127.0.0.1:$NATS_PORT
		{
			printf 'listen: 127.0.0.1:%d\njetstream { store_dir: "%s" }\n' "$NATS_PORT" "$SCRATCH/nats-store"
			(($#)) && printf '%s\n' "$@"
		} >nats.conf
	fi
	start nats nats-server -c nats.conf 5>&- 6>&-
	soon grep -q 'Server is ready' nats.err
}

kill_nats() {
	kill -KILL "$nats_pid"
	wait_end nats 5
}

pub() { bnc-pub -s "$NATS" "$@"; }
sub() { timeout 30 bnc-sub -s "$NATS" "$@"; }

open_pub() { # OPTION...
	rm -f pub.ready
	[[ -p pub.in ]] || mkfifo pub.in
	STDIN=pub.in start pub bash -c 'exec "$@" 9>"$0"' pub.ready bnc-pub -s "$NATS" --ready-fd 9 "$@"
	exec 5>pub.in
	soon test -s pub.ready
}

close_pub() { # SECONDS
	exec 5>&-
	wait_end pub "${1:-10}"
}

open_sub() { # OPTION... SUBJECT
	rm -f sub.ready
	start sub bash -c 'exec "$@" 9>"$0"' sub.ready bnc-sub -s "$NATS" --ready-fd 9 "$@" 5>&-
	soon test -s sub.ready
}

trades() { # FIRST LAST SYMBOLS
	awk -v first="$1" -v last="$2" -v n="${3:-1}" -v apart="${SPACING:-1}" 'BEGIN { for (i = first; i <= last; i++) {
		s = "s" i % n "usdt"
		printf "{\"recv\":%.0f,\"market\":\"usdm\",\"stream\":\"%s@aggTrade\",\"data\":{\"e\":\"aggTrade\",\"E\":%.0f,\"s\":\"%s\",\"a\":%d,\"p\":\"142.35\",\"q\":\"1\",\"f\":1,\"l\":1,\"T\":%.0f,\"m\":false}}\n", 1790526538965462 + i * apart, s, 1790526538965 + i, toupper(s), i, 1790526538965 + i
	} }'
}

shown() { sed -nE 's/.*"stream":"(s[0-9]+usdt)@aggTrade".*"a":([0-9]+).*/\1 \2/p' "$@"; }

has_lines() { (($(wc -l <"$1") >= $2)); }
gets() { soon has_lines "$1.out" "$2"; }

# each once, and those of a symbol in their order
all_there() { # FILE LAST SYMBOLS
	diff <(shown "$1" | sort -k1,1 -s) <(trades 1 "$2" "$3" | shown | sort -k1,1 -s) >difference || {
		head -n 20 difference
		return 1
	}
}

# in the server's own words, so that no program of ours is asked about itself
stream_info() { # FILTER STREAM
	exec 7<>"/dev/tcp/127.0.0.1/$NATS_PORT" || return
	printf 'CONNECT {"verbose":false}\r\nSUB me 1\r\nPUB $JS.API.STREAM.INFO.%s me 0\r\n\r\n' "${2:-bnc}" >&7
	timeout 5 sed -u '/^{/q' <&7 | sed -n '/^{/p' | jq -r "$1"
	exec 7>&-
}
