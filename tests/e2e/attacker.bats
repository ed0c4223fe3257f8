# What somebody else on this machine, or a page in a browser, can try: the stream, the hub's socket, the key of an
# account. Users of their own (nobody, daemon) need root; without it those tests are skipped.

load ../lib

WS=$TOOLS/ws
PRICE='{"type":"price_update","symbol":"SOL","price":"142.355","ts":1,"pair":"SOLUSDT","market":"usdm","source":"book"}'

setup() {
	lib_setup
	mkfifo in
}

# bats' own descriptor is nobody else's
as() { # USER CMD...
	local id
	id=$(id -u "$1")
	setpriv --reuid "$id" --regid "$(id -g "$1")" --clear-groups "${@:2}" 3>&-
}

need_users() {
	((EUID == 0)) || skip "other users are needed, and this is not root"
	command -v setpriv >/dev/null || skip "other users are needed, and there is no setpriv"
	id nobody daemon >/dev/null || skip "there is no nobody, or no daemon"
	chmod 755 "$SCRATCH" # its parts have modes of their own
	cp "$BIN"/bnc-{hub,tap,account} "$SCRATCH" # the tree may be closed to others
	chmod 755 bnc-*
	as nobody true || skip "no other user can be taken on here"
	PATH=$SCRATCH:$PATH
}

# a hub of that user, ready, which holds a price
hub_of() { # USER SOCKET OPTION...
	rm -f ready
	: >ready
	chmod 666 ready
	STDIN=in start hub setpriv --reuid "$(id -u "$1")" --regid "$(id -g "$1")" --clear-groups \
		bash -c 'exec "$@" 9>"$0"' "$SCRATCH/ready" bnc-hub --ready-fd 9 "${@:3}" "$2"
	exec 5>in
	wait_for 20 test -s ready
	printf '%s\n' "$PRICE" >&5
}

hub_ends() {
	exec 5>&-
	wait_end hub 10
}

gets_prices() { grep -q '"price":"142.355"' <<<"$(timeout 10 "$@" | grep -m 1 '"price":"142.355"')"; }

# --- the hub's socket -----------------------------------------------------------------------------------------------

@test "another user cannot read the hub's socket, and can with --mode 666" {
	need_users
	mkdir -m 755 room
	chown daemon room
	hub_of daemon room/sock
	[[ $(stat -c '%U %a' room/sock) == "daemon 600" ]]
	run --separate-stderr as nobody bnc-tap --health room/sock
	[[ $status -ne 0 && $stderr == *"Permission denied"* ]]
	run as nobody bnc-tap --wait 0.2 room/sock
	[[ $output != *142.355* ]]
	run as nobody sh -c ': >>room/sock.lock'
	[[ $status -ne 0 ]]
	as daemon bnc-tap --metrics room/sock >/dev/null
	hub_ends
	hub_of daemon room/sock --mode 666
	as nobody bnc-tap --metrics room/sock | grep -q .
	hub_ends
}

@test "what another user has laid where the socket goes is not followed, not written, and not removed" {
	local thing
	need_users
	mkdir -m 1777 open
	chmod 1777 open
	echo precious >precious
	chmod 666 precious
	# a link to a file, a link to nothing, a file, a directory, a FIFO
	as nobody ln -s "$SCRATCH/precious" open/link
	as nobody ln -s "$SCRATCH/made" open/nothing
	as nobody sh -c 'echo x >open/file && mkdir open/directory && mkfifo open/fifo'
	for thing in link nothing file directory fifo; do
		run --separate-stderr as daemon bnc-hub open/$thing </dev/null
		[[ $status -eq 3 && $stderr == "bnc-hub: open/$thing: is there, and is no socket" ]] ||
			{ echo "$thing: $stderr"; return 1; }
	done
	[[ $(<precious) == precious && ! -e made && $(<open/file) == x ]]
	# the lock
	as nobody ln -s "$SCRATCH/precious" open/a.lock
	as nobody ln -s "$SCRATCH/made" open/b.lock
	for thing in a b; do
		run --separate-stderr as daemon bnc-hub open/$thing </dev/null
		[[ $status -eq 3 ]]
		# the kernel is asked first where it looks after links in such directories
		[[ $stderr == "bnc-hub: open/$thing.lock: "@("Too many levels of symbolic links"|"Permission denied") ]]
	done
	[[ $(<precious) == precious && ! -e made ]]
}

@test "the socket of another user, living or dead, is not replaced" {
	need_users
	mkdir open
	chmod 1777 open
	hub_of nobody open/sock
	run --separate-stderr as daemon bnc-hub open/sock </dev/null
	[[ $status -eq 3 && -n $stderr ]]
	[[ $(stat -c %U open/sock) == nobody ]]
	kill -KILL "$hub_pid"
	wait_end hub 5
	exec 5>&-
	rm open/sock.lock # what stays of the dead one is the socket
	run --separate-stderr as daemon bnc-hub open/sock </dev/null
	[[ $status -eq 3 && $stderr == "bnc-hub: open/sock: "* ]]
	[[ $(stat -c %U open/sock) == nobody ]]
}

# --- the key of an account ------------------------------------------------------------------------------------------

key_of() { # USER FILE
	(umask 077 && printf 'BNC_API_KEY=abc\nBNC_API_SECRET=hushhush\n' >"$2")
	chown "$1" "$2"
}

# exit 3, one line, nothing of the file in it
no_key() { # USER FILE REASON
	run --separate-stderr as "$1" timeout 20 bnc-account -u "wss://127.0.0.1:1" --once --key-file "$2"
	[[ $status -eq 3 && -z $output && ${#stderr_lines[@]} -eq 1 ]]
	[[ $stderr == "bnc-account: $2: $3" ]] || { echo "said: $stderr"; return 1; }
}

@test "a key file of somebody else, or one that somebody else can reach, is refused" {
	local mode
	need_users
	mkdir open
	chmod 1777 open
	key_of daemon key
	no_key nobody key "Permission denied"
	key_of nobody open/theirs
	run --separate-stderr timeout 20 bnc-account -u wss://127.0.0.1:1 --once --key-file open/theirs
	[[ $status -eq 3 && $stderr == "bnc-account: open/theirs: it belongs to another user" ]]
	for mode in 640 620 604 602 610 601; do
		chmod $mode key
		no_key daemon key "others may read or write it; its mode should be 600"
	done
	chmod 600 key
	# a link of theirs to our own key, and to a directory with it
	as nobody ln -s "$SCRATCH/key" open/link
	as nobody ln -s "$SCRATCH" open/dir
	no_key daemon open/link "it is reached through a symbolic link in a directory where everybody may make one"
	no_key daemon open/dir/key "it is reached through a symbolic link in a directory where everybody may make one"
	as nobody mkfifo -m 600 open/fifo
	no_key daemon open/fifo "Permission denied"
	as nobody mkfifo -m 666 open/fifo2
	chmod 666 open/fifo2
	no_key daemon open/fifo2 "not a regular file"
	no_key daemon open "not a regular file"
}

@test "of another file nothing is told, whatever way it is named" {
	local name
	mkdir -m 700 private
	(umask 077 && printf 'root:hushhush:19000\nhushhush\n' >private/other)
	ln private/other hard
	ln -s private/other soft
	for name in private/other hard soft private/../private/other; do
		run --separate-stderr timeout 20 bnc-account -u wss://127.0.0.1:1 --once --key-file $name
		[[ $status -eq 3 && ${#stderr_lines[@]} -eq 1 && $stderr != *hush* && $stderr != *19000* ]]
		[[ $stderr == "bnc-account: $name: line 1 is neither BNC_API_KEY=..., BNC_API_SECRET=... nor the beginning of PEM" ]]
	done
	# a pipe has no owner to look at
	run --separate-stderr timeout 20 bash -c \
		'bnc-account -u wss://127.0.0.1:1 --once --key-file /dev/stdin < <(cat private/other)'
	[[ $status -eq 3 && $stderr == "bnc-account: /dev/stdin: "* && $stderr != *hush* ]]
}

@test "a process of the same user cannot look into the one that has the key" {
	local file
	need_users
	chmod 700 .
	chown nobody .
	chmod 711 .
	key_of nobody key
	start a setpriv --reuid nobody --regid "$(id -g nobody)" --clear-groups \
		bnc-account -u "wss://127.0.0.1:1" --key-file key -s
	wait_for 20 grep -q connecting a.out
	for file in environ mem maps fd/0 cwd exe; do
		run as nobody dd if="/proc/$a_pid/$file" bs=1 count=1 status=none
		[[ $status -ne 0 && $output == *"Permission denied"* ]] || { echo "$file: $output"; return 1; }
	done
	if command -v strace >/dev/null; then
		run as nobody timeout 5 strace -p "$a_pid"
		[[ $status -ne 0 && $output == *"not permitted"* ]]
	fi
	stop a
	[[ $status -eq 0 ]]
}

# --- the stream, by a browser ---------------------------------------------------------------------------------------

listening() { (exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

# the literal command, at a hub that is there already
serve() {
	STDIN=in start hub bnc-hub "$BNC_RUN/hub.sock"
	exec 5>in
	wait_for 20 test -S "$BNC_RUN/hub.sock"
	printf '%s\n' "$PRICE" >&5
	port=$(free_port)
	cp -r "$ROOT/scripts" scripts
	BNC_SERVED=1 BNC_BIN=$BIN start websocketd websocketd --port="$port" \
		--passenv=PATH,BNC_RUN,BNC_SERVED,BNC_BIN ./scripts/pipeline.sh
	wait_for 20 listening
}

let_in() { "$WS" "ws://127.0.0.1:$port/ws" --until '142\.355' "$@" >/dev/null || { echo "not let in: $*"; return 1; }; }

# one record that says so, nothing of the stream, and nothing of what was sent; or websocketd's own refusal
shut_out() { # URL ARG...
	run "$WS" "$@" --seconds 5
	[[ $status -ne 2 || $output != *"HTTP 403" ]] || return 0
	[[ ${#lines[@]} -eq 1 && $output == *'"state":"end"'* && $output != *142.355* && $output != *evil* ]] ||
		{ echo "$*: $output"; return 1; }
}

@test "pages of other origins get nothing: foreign, null, and names that look like ours" {
	local origin
	serve
	let_in
	let_in --origin "http://localhost:$port"
	let_in --origin "http://127.0.0.1:$port"
	for origin in http://evil.com null "http://localhost.evil.com:$port" "http://evil.com/http://localhost:$port" \
		"http://localhost:$port.evil.com" "http://localhost:$port@evil.com" "http://evil.com#localhost:$port" \
		"http://localhost:${port}0" "http://localhost" "http://localhost.:$port" "http://127.0.0.1:$port, http://evil.com" \
		"http://2130706433:$port" "http://[::ffff:127.0.0.1]:$port" "http://localhost:$port/" "http://*:$port"; do
		shut_out "ws://127.0.0.1:$port/ws" --origin "$origin"
	done
	let_in
}

@test "a name that somebody points at this machine (DNS rebinding) gets nothing, with whatever Origin" {
	local name
	serve
	for name in evil.com localhost.evil.com 127.0.0.1.evil.com localhost.localdomain; do
		shut_out "ws://$name:$port/ws" --address 127.0.0.1 --origin "http://$name:$port"
	done
	shut_out "ws://evil.com:$port/ws" --address 127.0.0.1
	shut_out "ws://evil.com:$port/ws" --address 127.0.0.1 --origin "http://localhost:$port"
	let_in
}

@test "headers that say who one is are not believed" {
	local header
	serve
	for header in "X-Forwarded-For: 127.0.0.1" "X-Forwarded-Host: localhost:$port" "Server-Name: localhost"; do
		shut_out "ws://evil.com:$port/ws" --address 127.0.0.1 --header "$header"
	done
	shut_out "ws://127.0.0.1:$port/other" --header "Path-Info: /ws"
	shut_out "ws://127.0.0.1:$port/ws" --origin http://evil.com --header "Http-Origin: http://localhost:$port"
	# two Origins: the good one first, the good one last
	shut_out "ws://127.0.0.1:$port/ws" --origin "http://localhost:$port" --header "Origin: http://evil.com"
	shut_out "ws://127.0.0.1:$port/ws" --origin http://evil.com --header "Origin: http://localhost:$port"
	let_in
}
