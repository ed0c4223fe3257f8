# What the bats files about bnc-stream share:  load stream  (behind  load ../lib)
#
#   exchange ARGS...     bnc-mock with a fault script (descriptor 8); what it served is in $SCRATCH/served; sets $url,
#                        what bnc-stream needs to go there
#   order LINE...        gives the exchange a fault
#   stream NAME ARGS...  bnc-stream on that exchange in the background;  now ARGS...  in the foreground
#   live NAME [N]        waits until NAME has written N frames (1);  more NAME [N]  until N more have come (20)
#   frames FILE          how many there are
#   events KIND          how often the exchange has told such an event;  conns TIER  its connections, as they opened
#   has_said NAME WORDS  on standard error;  said NAME WORDS  how often
#   sleeping NAME ARGS   bnc-stream with a reader that does nothing (descriptor 7);  awake FILE  lets it read on
#   checked FILE ARGS    compares what came out with what was served: see stream-check

# shellcheck disable=SC2154 # set by lib.bash
# a loaded machine is slow; whoever waits for a sign can afford to wait
PATIENCE=20

exchange() {
	export BNC_BACKOFF=10ms,100ms
	[[ -p $SCRATCH/script ]] || mkfifo -m 600 "$SCRATCH/script"
	exec 8<>"$SCRATCH/script"
	rm -f "$SCRATCH/mock.ready"
	STDIN=$SCRATCH/script start_mock --served "$SCRATCH/served" "$@" 8>&-
	url=(-u "wss://127.0.0.1:$MOCK_PORT" --cacert "$MOCK_CA")
}

order() { printf '%s\n' "$@" >&8; }

stream() {
	local name=$1
	shift
	start "$name" bnc-stream "${url[@]}" "$@" 8>&-
}

now() { timeout 60 bnc-stream "${url[@]}" "$@" 3>&- 8>&-; }

# --- signs ---------------------------------------------------------------------------------------------------------

frames() { grep -cE '^\{"(recv|stream)"' "$SCRATCH/$1"; }
has_frames() { (($(frames "$1") >= $2)); }
live() { wait_for $PATIENCE has_frames "$1.out" "${2:-1}"; }
more() { live "$1" $(($(frames "$1.out") + ${2:-20})); }

told() { tail -n +2 "$SCRATCH/mock.out" | jq -c --arg kind "$1" 'select(.event == $kind)'; }
events() { told "$1" | wc -l; }
has_events() { (($(events "$1") >= $2)); }
await() { wait_for $PATIENCE has_events "$@"; }
conns() { told open | jq -r --arg tier "$1" 'select(.tier == $tier).conn'; }

states() { jq -r 'select(.type == "status").state' "$SCRATCH/$1.out"; }
has_state() { states "$1" | grep -q "$2"; }

has_said() { grep -qE -- "$2" "$SCRATCH/$1.err"; }
said() { grep -cE -- "$2" "$SCRATCH/$1.err"; }
hears() { wait_for $PATIENCE has_said "$@"; }

# --- readers -------------------------------------------------------------------------------------------------------

sleeping() {
	local name=$1
	shift
	mkfifo "$SCRATCH/$name.pipe"
	start "$name" bash -c 'exec bnc-stream "${@:2}" >"$1"' - "$SCRATCH/$name.pipe" "${url[@]}" "$@" 8>&-
	exec 7<"$SCRATCH/$name.pipe"
}

awake() {
	cat <&7 >"$SCRATCH/$1" 3>&- 8>&- &
	reader_pid=$!
	exec 7<&-
}

checked() { "$ROOT/tests/e2e/stream-check" "$SCRATCH/served" "$SCRATCH/$1" "${@:2}"; }
