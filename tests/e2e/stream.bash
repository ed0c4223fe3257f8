# What the bats files about bnc-stream share:  load stream  (behind  load ../lib)
#
#   exchange ARGS...   bnc-mock with a fault script: lines of `order` go there; what it served is in $SCRATCH/served
#   order LINE...      gives the exchange a fault
#   url                -u and --cacert for that exchange
#   live NAME          waits until the bnc-stream that was started as NAME writes frames (-s: or status records)
#   checked [ARGS] OUT compares what came out with what was served: see stream-check
#   events KIND        how often the exchange has told such an event

# shellcheck disable=SC2154 # set by lib.bash
export BNC_BACKOFF=10ms,100ms

exchange() {
	mkfifo "$SCRATCH/script" 2>/dev/null || true
	exec 8<>"$SCRATCH/script"
	STDIN=$SCRATCH/script start_mock --served "$SCRATCH/served" "$@" 8>&-
}

order() {
	local line
	for line; do
		printf '%s\n' "$line" >&8
	done
}

url() { url=(-u "wss://127.0.0.1:$MOCK_PORT" --cacert "$MOCK_CA"); }

# NAME ARGS...
stream() {
	local name=$1 url
	shift
	url
	start "$name" bnc-stream "${url[@]}" "$@" 8>&-
}

lines() { wc -l <"$SCRATCH/$1"; }
has_lines() { (($(lines "$1") >= $2)); } # FILE N

more_than() { # FILE N
	(($(lines "$1") > $2))
}

live() { wait_for 5 has_lines "$1.out" "${2:-1}"; }

goes_on() { # NAME: more comes than there is now
	wait_for 5 more_than "$1.out" "$(($(lines "$1.out") + ${2:-20}))"
}

events() { jq -r --arg kind "$1" 'select(.event == $kind).conn' <(tail -n +2 "$SCRATCH/mock.out") | wc -l; }
has_events() { (($(events "$1") >= $2)); } # KIND N

states() { jq -r 'select(.type == "status").state' "$SCRATCH/$1.out"; }

has_said() { grep -q -- "$2" "$SCRATCH/$1.err"; } # NAME WORDS

checked() { "$ROOT/tests/e2e/stream-check" "$SCRATCH/served" "$@"; }
