# feed.sh killed with no chance to tidy up: nothing that it has started goes on
load ../lib

streams() { grep -q '"type":"price_update"' "$SCRATCH/feed.out"; }

@test "a feed that is killed takes its client, its filters and its exchange with it" {
	BNC_SOURCE=demo BNC_BIN=$BIN start feed "$ROOT/scripts/feed.sh"
	wait_for 20 streams
	# shellcheck disable=SC2154 # start sets it
	kill -KILL "$feed_pid"
	wait_for 5 nothing_left
}

@test "a feed whose client is killed ends, and says so by its status" {
	local client
	BNC_SOURCE=demo BNC_BIN=$BIN start feed "$ROOT/scripts/feed.sh"
	wait_for 20 streams
	client=$(awk '/bnc-stream/ { print $1; exit }' <<<"$(left_over)")
	kill -KILL "$client"
	wait_end feed 10
	# shellcheck disable=SC2154 # wait_end sets it
	((status != 0))
	wait_for 5 nothing_left
}
