# What a program may still do once it is set up. tests/sandbox/trespass.c tries the rest from inside, at a read, write
# or poll of its own; with --no-sandbox the same must go through, or it would prove nothing.
load ../lib
load ../nats

setup() {
	lib_setup
	[[ -z ${SAN:-} && $(<"$BUILD/flags") != *-fsanitize* ]] || skip "under sanitizers nothing is given up"
	[[ -z ${VALGRIND:-} ]] || skip "memcheck needs what is given up"
	grep -q '^Seccomp:' /proc/self/status || skip "this kernel has no seccomp"
	case $(uname -m) in x86_64 | aarch64 | riscv64) ;; *) skip "nothing is given up on this processor" ;; esac
	landlock=$(python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))')
	((landlock > 0)) || landlock=0
	echo '{"type":"heartbeat","ts":1790526540000}' >line
}

calls=(open list make named remove move mkdir chmod chdir truncate socket udp local packet connect bind listen fork kill
	ptrace setuid type uring code recode exec)
# what anybody may who is not confined
plain=(open list make remove move mkdir chmod chdir truncate socket udp local connect bind listen fork kill ptrace
	setuid code recode exec)

# --- what is tried ------------------------------------------------------------------------------------------------

# runs it with an enemy inside, in front of whom a house stands; its report is in ./said
invade() { # WHEN PROGRAM ARGUMENT...
	rm -rf house said && mkdir -p house/sub && touch house/victim && echo mine >house/secret
	env BNC_TRESPASS="$1" BNC_TRESPASS_DIR="$SCRATCH/house" BNC_TRESPASS_SAID="$SCRATCH/said" \
		LD_PRELOAD="$BUILD/sandbox/trespass.so" "${@:2}" 3>&-
}

# the calls of ./said that were refused; where exec was not, there is nothing behind its name
refused_calls() { awk '$2 ~ /^(EPERM|EACCES|ENOSYS)$/ { print $1 }' said; }
allowed_calls() { awk '$2 !~ /^(EPERM|EACCES|ENOSYS)$/ { print $1 }' said; }

# of a list of words, those that are not in another
without() { comm -23 <(tr ' ' '\n' <<<"$1" | sort -u) <(tr ' ' '\n' <<<"$2" | sort -u) | sed '/^$/d'; }

# everything was tried, and all was refused but these; of some the kernel decides
only_allowed() { # ALLOWED EITHER
	local wrong
	paste -s -d' ' said
	[[ $(cut -d' ' -f1 said) == "$(printf '%s\n' "${calls[@]}")" ]] || return 1
	wrong=$(without "$(allowed_calls | xargs)" "$1 $2")
	[[ -z $wrong ]] || { echo "allowed: $wrong"; return 1; }
	wrong=$(without "$1" "$(allowed_calls | xargs)")
	[[ -z $wrong ]] || { echo "refused: $wrong"; return 1; }
	[[ $(<house/secret) == mine && -e house/victim && ! -e house/made && ! -e house/new ]]
}

all_allowed() {
	local wrong
	paste -s -d' ' said
	[[ $(tail -n 1 said) == "exec " ]] || return 1
	wrong=$(without "${plain[*]}" "$(allowed_calls | xargs)")
	[[ -z $wrong ]] || { echo "refused without a sandbox: $wrong"; return 1; }
}

# of a program between two pipes. MAY: what else it may
confined() { # MAY WHEN PROGRAM ARGUMENT...
	local may=$1 when=$2 program=$3
	shift 3
	echo "$program $*"
	invade "$when" "$program" "$@" <line >out 2>err || { cat err; return 1; }
	only_allowed "$may" '' || return 1
	invade "$when" "$program" --no-sandbox "$@" <line >out 2>err || { cat err; return 1; }
	all_allowed
}

# what the kernel can only take away with Landlock, in a program that opens files of its own
by_landlock() { ((landlock >= $1)) || skip "this kernel has no Landlock that could (version $landlock)"; }

# --- programs between pipes ---------------------------------------------------------------------------------------

@test "a filter may do nothing but read, write and exit" {
	local program
	for program in normalize paper position equity heartbeat; do
		confined '' read:0:1 "bnc-$program" || return 1
		[[ $program == heartbeat ]] || confined '' write:1:1 "bnc-$program" || return 1
	done
	confined '' read:0:1 bnc-merge
	confined '' read:0:1 bnc-replay -x max
}

@test "its file is open before; of several files those that are named can be read, and nothing else" {
	local program
	cp line second
	confined '' read:-1:1 bnc-normalize line
	by_landlock 1
	# shellcheck disable=SC2086 # a program and its options
	for program in normalize paper position equity "heartbeat --clock event" merge "replay -x max"; do
		BNC_TRESPASS_FILE=$SCRATCH/second confined '' read:-1:1 bnc-$program line second || return 1
		# the third read is of the second file: then there is no more to open
		BNC_TRESPASS_FILE=$SCRATCH/second invade read:-1:3 bnc-$program line second >out 2>err
		only_allowed '' ''
		[[ $(wc -l <out) -eq 2 ]]
	done
	grep -q '^open EACCES' said # merge and replay go on opening
}

@test "the last file of a filter is the end of all opening, by the calls themselves" {
	cp line second
	BNC_TRESPASS_FILE=$SCRATCH/second invade read:-1:3 bnc-equity line second >out
	grep -x 'open EPERM' said
	only_allowed '' ''
}

@test "start files and orders are open or read before" {
	echo '{"type":"position_update","symbol":"SOL","qty":"2","entryPrice":"100","ts":1}' >positions
	mkfifo orders
	confined '' read:0:1 bnc-equity -p positions
	confined '' read:0:1 bnc-position -p positions
	confined '' read:0:1 bnc-paper -o orders
}

@test "a recorder makes files in its directory alone" {
	by_landlock 1
	confined '' read:0:1 bnc-record -o rec
	confined '' read:0:1 bnc-record -o rec --tee
	[[ $(bnc-replay -x max rec | sort -u) == "$(<line)" ]]
}

@test "recordings are read beneath what is named" {
	by_landlock 1
	bnc-record -o rec <line
	confined '' read:-1:1 bnc-replay -x max rec
	confined '' read:-1:1 bnc-merge rec line
}

# --- programs with sockets ----------------------------------------------------------------------------------------

@test "a hub serves its socket, and has no other" {
	by_landlock 1
	mkdir www
	confined '' read:0:1 bnc-hub run/sock
	confined '' read:0:1 bnc-hub --www www run/sock
	# it has removed what it had made
	bnc-hub --www www run/sock <line
	[[ ! -e run/sock && ! -e www/health ]]
}

@test "a tap connects to local sockets, and nothing else" {
	mkfifo in
	exec 5<>in
	STDIN=in start hub bnc-hub run/sock 5>&-
	wait_for 10 test -S run/sock
	invade poll:-1:1 bnc-tap --health run/sock >out 2>err || [[ $? -eq 1 ]]
	only_allowed local ''
	[[ $(jq -r .readers out) == 0 ]]
	invade poll:-1:1 bnc-tap --no-sandbox --health run/sock >out 2>err
	all_allowed
	(invade write:1:1 bnc-tap --wait 5 run/sock </dev/null >out 2>err 5>&- &)
	wait_for 10 grep -q '^exec E' said
	only_allowed local ''
	exec 5>&-
	wait_end hub 10
}

# lookups and connections are what these are for; ports and files are Landlock's
with_net='socket udp local'

@test "a client of the exchange connects to the exchange alone, and opens no file of the user's" {
	by_landlock 4
	start_mock
	export SSL_CERT_FILE=none SSL_CERT_DIR=none
	local exchange=(-u "wss://127.0.0.1:$MOCK_PORT" --cacert "$MOCK_CA" -n 2 SOLUSDT)
	invade write:1:1 bnc-stream "${exchange[@]}" >out 2>err
	only_allowed "$with_net" ''
	[[ $(wc -l <out) -eq 2 ]]
	invade write:1:1 bnc-stream --no-sandbox "${exchange[@]}" >out 2>err
	all_allowed
}

@test "so does an account's, with its thread for requests" {
	by_landlock 4
	local key=vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A
	local secret=NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j
	printf '{"apiKey":"%s","secret":"%s","usdm":{"balances":{"USDT":"1000"}}}\n' $key $secret >account.json
	(umask 077 && printf 'BNC_API_KEY=%s\nBNC_API_SECRET=%s\n' $key $secret >key)
	start_mock --account account.json
	local exchange=(-u "wss://127.0.0.1:$MOCK_PORT" --cacert "$MOCK_CA" --key-file key --once -t 20)
	invade write:1:1 bnc-account "${exchange[@]}" >out 2>err
	only_allowed "$with_net" ''
	grep -q '"USDT"' out
	invade write:1:1 bnc-account --no-sandbox "${exchange[@]}" >out 2>err
	all_allowed
}

@test "what talks to a bus connects to any port, and makes no file but those that wait for it" {
	have_nats
	by_landlock 4
	start_nats
	trades 1 3 >frames
	invade read:0:1 bnc-pub -s "$NATS" --stream bnc <frames >out 2>err
	only_allowed "$with_net connect" ''
	invade read:0:1 bnc-pub -s "$NATS" --spill spill <frames >out 2>err
	only_allowed "$with_net connect" ''
	invade write:1:1 bnc-sub -s "$NATS" --from all -e 'bnc.>' >out 2>err
	only_allowed "$with_net connect" ''
	[[ $(wc -l <out) -eq 6 ]]
	invade read:0:1 bnc-pub -s "$NATS" --no-sandbox <frames >out 2>err
	all_allowed
	invade write:1:1 bnc-sub -s "$NATS" --from all -e --no-sandbox 'bnc.>' >out 2>err
	all_allowed
}

@test "the offline exchange has its port alone" {
	by_landlock 4
	local way
	for way in --plain ""; do
		# shellcheck disable=SC2086 # an option or none
		invade write:1:1 bnc-mock $way --stdin-eof-ends </dev/null >out 2>err
		# a port that nobody chose is not one that is bound
		only_allowed 'socket udp' listen
	done
	invade write:1:1 bnc-mock --plain --no-sandbox --stdin-eof-ends </dev/null >out 2>err
	all_allowed
}

# --- what becomes of it -------------------------------------------------------------------------------------------

@test "a call that is refused is told, and nothing is lost that was there" {
	by_landlock 1
	mkfifo first
	cp line second
	start equity bnc-equity first second
	exec 5>first
	cat line >&5
	wait_for 10 test -s equity.out
	# another file by that name, which nobody has named
	cp line other && mv other second
	exec 5>&-
	wait_end equity 10
	[[ $status -eq 3 && $(<equity.err) == "bnc-equity: second: Permission denied" ]]
	[[ $(<equity.out) == "$(<line)" ]]
}

is_confined() { # PID
	[[ $(grep -cE '^(NoNewPrivs:\s1|Seccomp:\s2)$' "/proc/$1/status") -eq 2 ]]
}

@test "the kernel says so of each: a filter of calls, and no new privileges" {
	local program pid_name
	mkfifo in
	exec 5<>in
	for program in normalize paper position equity heartbeat merge replay record; do
		STDIN=in start "$program" "bnc-$program" 5>&-
	done
	STDIN=in start hub bnc-hub sock 5>&-
	start_mock
	start stream bnc-stream -u "wss://127.0.0.1:$MOCK_PORT" --cacert "$MOCK_CA" SOLUSDT 5>&-
	start tap bnc-tap --wait 20 sock 5>&-
	for program in normalize paper position equity heartbeat merge replay record hub stream tap; do
		pid_name=${program}_pid
		wait_for 10 is_confined "${!pid_name}" || { echo "$program"; return 1; }
	done
	# the mock is started by a shell that has become it
	# shellcheck disable=SC2154 # lib.bash sets it
	wait_for 10 is_confined "$mock_pid"
	exec 5>&-
}

@test "without a sandbox there is none" {
	mkfifo in
	exec 5<>in
	STDIN=in start equity bnc-equity --no-sandbox 5>&-
	cat line >&5
	wait_for 10 test -s equity.out
	# shellcheck disable=SC2154 # start sets it
	run is_confined "$equity_pid"
	[[ $status -ne 0 ]]
	exec 5>&-
}
