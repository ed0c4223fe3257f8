# What every bats file begins with:  load ../lib
#
#   $ROOT $BUILD $BIN        the tree, its build directory, the programs (first in PATH)
#   $SLOW                    how many times longer than elsewhere a program may take here; wait_for knows it
#   $SCRATCH                 a fresh directory per test, removed afterwards; HOME, TMPDIR and BNC_RUN lie in it
#   free_port                prints a port that nobody listens on
#   wait_for SECONDS CMD...  until CMD succeeds; fails, saying so, when it does not within SECONDS
#   start NAME CMD...        in the background with $SCRATCH/NAME.{out,err}, sets $NAME_pid
#   stop NAME [SIGNAL]       ends it and sets $status
#   wait_end NAME SECONDS    waits for its own end and sets $status
#   left_over                lists the processes that this test started and that still run; not into a pipe, whose
#                            other end would be one
#   holders WORD             those of them in whose environment or arguments WORD stands
#   under_valgrind           whether it runs the programs: it opens descriptors 0 to 2 itself where they are closed, and a
#                            program has its name, to pgrep, only as an argument
#   have_shared FILE         skips the test unless $SHARED/FILE, a shared recording, is there
#   start_mock ARGS...       the offline exchange; sets $MOCK_PORT and $MOCK_CA
#
# A file that needs set-up of its own defines setup() with lib_setup as its first line (teardown likewise).
# No test waits for a while where it can wait for a sign; none uses a fixed port or anything beyond loopback.

bats_require_minimum_version 1.5.0

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-build}
[[ $BUILD == /* ]] || BUILD=$ROOT/$BUILD
BIN=$BUILD/bin
TOOLS=$ROOT/tests/tools
SHARED=${BNC_SHARED_DATA:-$ROOT/../shared/data}
SLOW=1
[[ -z ${SAN:-} ]] || SLOW=5
# each program is run by valgrind, which is slow, and has memory and threads of its own as the sanitizers have
[[ -z ${VALGRIND:-} ]] || BIN=$BUILD/valgrind/bin SLOW=20 SAN=valgrind
export BUILD SLOW PATH=$BIN:$PATH LANG=C.UTF-8 LC_ALL=C.UTF-8 TZ=UTC

under_valgrind() { [[ -n ${VALGRIND:-} ]]; }

setup() { lib_setup; }
teardown() { lib_teardown; }

lib_setup() {
	local name
	for name in $(compgen -e | grep -Ei '^(BNC_.*|https?_proxy|all_proxy|no_proxy)$'); do
		[[ $name == BNC_SHARED_DATA ]] || unset "$name"
	done
	SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/bnc-test.XXXXXX")
	mkdir -m 700 "$SCRATCH/run"
	export SCRATCH HOME=$SCRATCH TMPDIR=$SCRATCH XDG_RUNTIME_DIR=$SCRATCH/run BNC_RUN=$SCRATCH/run
	cd "$SCRATCH" || return 1
}

lib_teardown() {
	[[ -n ${SCRATCH:-} ]] || return 0
	if [[ -z ${BATS_TEST_COMPLETED:-} && -z ${BATS_TEST_SKIPPED:-} ]]; then
		show_logs
	fi
	end_all
	cd / && rm -rf -- "$SCRATCH"
	! under_valgrind || nothing_said
}

# a test in which valgrind has found something has failed, whatever it was that the program did then
nothing_said() {
	local log found=0
	for log in "$BUILD/valgrind/log/${SCRATCH##*/}".*; do
		[[ ! -s $log ]] || { head -n 60 "$log" && found=1; }
	done
	return $found
}

# what a failed test leaves for its reader
show_logs() {
	local log
	for log in "$SCRATCH"/*.out "$SCRATCH"/*.err "$SCRATCH"/run/*.log; do
		[[ -s $log ]] || continue
		echo "--- ${log#"$SCRATCH/"} (last lines)"
		tail -n 10 "$log" | cut -c1-200
	done
}

# --- processes ---------------------------------------------------------------------------------------------------

left_over() { "$TOOLS/left-over" "$SCRATCH"; }

holders() { # WORD
	local pid command
	while read -r pid command; do
		! grep -aqsF -- "$1" "/proc/$pid/environ" "/proc/$pid/cmdline" || printf '%s %s\n' "$pid" "$command"
	done <<<"$(left_over)"
}

# fd 3 is bats' own: a process that keeps it keeps bats waiting. A background job of a script ignores SIGINT and
# SIGQUIT; a program under test must not.
start() { # NAME CMD...
	local name=$1
	shift
	# of one of the same name before there is nothing left to be taken for a sign of this one
	: >"$SCRATCH/$name.out" 2>"$SCRATCH/$name.err"
	env --default-signal=INT,QUIT setsid "$@" <"${STDIN:-/dev/null}" >"$SCRATCH/$name.out" 2>"$SCRATCH/$name.err" 3>&- &
	printf -v "${name}_pid" %s $!
}

stop() { # NAME [SIGNAL]
	local pid_name=$1_pid
	kill -s "${2:-TERM}" "${!pid_name}" 2>/dev/null || true
	wait_end "$1" 5
}

wait_end() { # NAME SECONDS
	local pid_name=$1_pid
	local pid=${!pid_name}
	if ! wait_for "$2" ended "$pid"; then
		echo "$1 (pid $pid) has not ended"
		kill -KILL -- "-$pid" 2>/dev/null
		return 1
	fi
	status=0
	wait "$pid" || status=$?
	printf -v "$pid_name" %s ''
}

# a zombie has ended; its status is kept for wait
ended() {
	local stat
	read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
	stat=${stat##*) }
	[[ ${stat%% *} == [ZX] ]]
}

end_all() {
	[[ -n $(left_over) ]] || return 0
	"$TOOLS/left-over" "$SCRATCH" TERM >/dev/null
	wait_for 2 nothing_left >/dev/null || "$TOOLS/left-over" "$SCRATCH" KILL >/dev/null
}

nothing_left() { [[ -z $(left_over) ]]; }

# --- waiting -----------------------------------------------------------------------------------------------------

wait_for() { # SECONDS CMD...
	local seconds=$1 end now
	shift
	now=${EPOCHREALTIME/./}
	end=$((now + $(awk "BEGIN { printf \"%d\", $seconds * $SLOW * 1000000 }")))
	until "$@"; do
		now=${EPOCHREALTIME/./}
		if ((now >= end)); then
			echo "waited $seconds s in vain for: $*"
			return 1
		fi
		sleep 0.05
	done
}

# below the range that the kernel gives to clients, so that no parallel test connects from it
free_port() { "$TOOLS/free-port"; }

# --- what tests stand on -----------------------------------------------------------------------------------------

have_shared() { # FILE
	[[ -e $SHARED/$1 ]] || skip "no $1 in the shared recordings"
}

start_mock() {
	local ready=$SCRATCH/mock.ready
	MOCK_CA=$SCRATCH/mock-ca.pem
	start mock bash -c 'exec "$@" 9>"$0"' "$ready" bnc-mock -p 0 --ca-out "$MOCK_CA" --ready-fd 9 "$@"
	wait_for 5 test -s "$ready" || return 1
	read -r MOCK_PORT <"$SCRATCH/mock.out"
	export MOCK_PORT MOCK_CA
}
