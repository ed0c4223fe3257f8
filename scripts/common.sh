# common.sh: what feed.sh, hub.sh, pipeline.sh and serve.sh share. Sourced, not run, with `here` set to its directory.
# shellcheck shell=bash
shopt -s extglob
umask 077

# what of the environment of websocketd goes on, besides BNC_*
# shellcheck disable=SC2034 # pipeline.sh and serve.sh use it
HANDED_ON=(PATH LD_LIBRARY_PATH HOME TMPDIR LANG TZ XDG_RUNTIME_DIR SSL_CERT_FILE SSL_CERT_DIR https_proxy HTTPS_PROXY
	all_proxy ALL_PROXY no_proxy NO_PROXY ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS TSAN_OPTIONS)

# Where frames come from: with a bus alone, from there.
default_source() {
	export BNC_SOURCE=${BNC_SOURCE:-${BNC_BUS:+bus}}
	BNC_SOURCE=${BNC_SOURCE:-live}
}

fail() { # STATUS MESSAGE
	printf '%s: %s\n' "${0##*/}" "$2" >&2
	exit "$1"
}

# --- secrets -------------------------------------------------------------------------------------------------------
# A secret is for those alone on whose way to bnc-account, or to the bus, it is: in variables of scripts that no child
# inherits. And what a process was started with stands in its /proc/PID/environ while it lives, whatever becomes of its
# variables: so a script that was started with one becomes itself anew, without, and gets it through a pipe.

SECRETS=(BNC_API_KEY BNC_API_SECRET BNC_BUS NATS_URL)

has_secrets() {
	local name
	for name in "${SECRETS[@]}"; do
		[[ -z ${!name:-} ]] || return 0
	done
	return 1
}

# in the subshell of a child that is to know them, as bnc-account, or a feed that may be anybody's
export_secrets() { # NAME...
	local name
	for name; do
		[[ -z ${!name:-} ]] || export "${name?}"
	done
}

# the same for a script of ours, which takes them
pipe_secrets() {
	local name
	has_secrets || return 0
	exec {BNC_SECRETS_FD}< <(for name in "${SECRETS[@]}"; do printf '%s\0' "${!name:-}"; done)
	export BNC_SECRETS_FD
}

take_secrets() {
	local name
	# they stay here, and would stand in a core file
	ulimit -c 0
	for name in "${SECRETS[@]}"; do
		IFS= read -r -d '' "$name" <&"$BNC_SECRETS_FD" || fail 3 "BNC_SECRETS_FD is for the scripts alone to set"
	done
	exec {BNC_SECRETS_FD}<&-
	unset BNC_SECRETS_FD
}

hide_secrets() { # ARGUMENT...
	export -n "${SECRETS[@]}"
	if has_secrets; then
		pipe_secrets
		exec "$BASH" "$0" "$@"
	fi
	[[ -z ${BNC_SECRETS_FD:-} ]] || take_secrets
}

hide_secrets "$@"

words() { # ARRAY TEXT: splits at blanks and commas, without looking for files
	IFS=$' \t\n' read -r -d '' -a "$1" <<<"${2//,/ }"
}

# A record of the scripts' own beside those of the programs. DETAIL is a constant or checked: nothing is escaped here.
status() { # STATE DETAIL [SOURCE]
	local us=${EPOCHREALTIME/[.,]/}
	printf '{"type":"status","state":"%s","ts":%d%s,"detail":"%s"}\n' "$1" $((us / 1000)) "${3:+,\"source\":\"$3\"}" "$2"
}

# Sets BNC_RUN, the directory of logs, locks and the page. In /tmp somebody may have been first: it must be a directory
# of ours, no link to one, where nobody else may write.
run_dir() {
	local parent mode
	if [[ -z ${BNC_RUN:-} ]]; then
		for parent in "${XDG_RUNTIME_DIR:-/run/user/$UID}" "/run/user/$UID" ''; do
			[[ -d $parent && -O $parent && -w $parent ]] && break
		done
		BNC_RUN=${parent:+$parent/bnc}
	fi
	BNC_RUN=${BNC_RUN:-/tmp/bnc-$UID}
	# behind a slash a link would pass for what it points to
	export BNC_RUN=${BNC_RUN%%+(/)}
	[[ -d $BNC_RUN ]] || mkdir -p -- "$BNC_RUN" 2>/dev/null
	[[ -d $BNC_RUN && ! -L $BNC_RUN && -O $BNC_RUN && -w $BNC_RUN ]] || return
	mode=$(stat -c %a -- "$BNC_RUN") && ((!(8#$mode & 8#22)))
}

LOG_MAX=$((8 << 20))

too_long() { # FILE
	local size
	size=$(stat -c %s -- "$1" 2>/dev/null) && ((size >= LOG_MAX))
}

# Standard error goes there, unless BNC_LOG says that it is the log; a long log begins anew, one old file is kept.
# False: it cannot be written.
open_log() { # FILE
	[[ ${BNC_LOG:-} != stderr ]] || return 0
	! too_long "$1" || mv -f -- "$1" "$1.old"
	{ : >>"$1"; } 2>/dev/null && exec 2>>"$1"
}

# beside this script, or installed
# shellcheck disable=SC2154 # whoever reads this file has set $here
find_programs() {
	local dir
	for dir in "$here/../build/bin" "$here/../../bin"; do
		[[ ! -x $dir/bnc-heartbeat ]] || break
	done
	PATH=${BNC_BIN:-$dir}:$PATH
}

# for `trap tidy EXIT`: whichever way a script ends, nothing that it started goes on, and its scratch directory goes
tidy() {
	local children=()
	trap '' TERM INT HUP
	read -r -a children <"/proc/$$/task/$$/children"
	((${#children[@]})) && kill -TERM "${children[@]}" 2>/dev/null
	wait
	[[ -z $scratch ]] || rm -rf -- "$scratch"
}

need() { # PROGRAM...
	local program
	for program; do
		command -v "$program" >/dev/null || fail 3 "$program is not there: make builds it, make install installs it"
	done
}

# --- what is kept running ------------------------------------------------------------------------------------------
# Of a child NAME: pid[NAME]; start_NAME starts it and sets that; child_ended NAME STATUS SECONDS is called when it has
# ended, and is started again after so long. Times are in microseconds.

declare -A pid=() began=() wait_before=() due=()
declare -A MICROSECONDS=([us]=1 [ms]=1000 [s]=1000000 [m]=60000000 [h]=3600000000 [d]=86400000000)
backoff_base=1000000
backoff_cap=30000000

# BNC_BACKOFF as the programs read it: the first wait, or that and the longest one
read_backoff() {
	local text=${BNC_BACKOFF:-}
	[[ -n $text ]] || return 0
	if ! microseconds backoff_base "${text%%,*}" || { [[ $text == *,* ]] && ! microseconds backoff_cap "${text#*,}"; }; then
		fail 2 "BNC_BACKOFF: '$text' is not a duration, or two with a comma between"
	fi
	((backoff_cap >= backoff_base)) || backoff_cap=$backoff_base
}

microseconds() { # VARIABLE DURATION
	[[ $2 =~ ^([0-9]{1,8})(\.([0-9]{1,6}))?(us|ms|s|m|h|d)?$ ]] || return
	local part=${BASH_REMATCH[3]}000000 unit=${MICROSECONDS[${BASH_REMATCH[4]:-s}]}
	printf -v "$1" %d $((10#${BASH_REMATCH[1]} * unit + 10#${part:0:6} * unit / 1000000))
}

clock() { printf -v "$1" %s "${EPOCHREALTIME/[.,]/}"; } # VARIABLE

seconds() { # VARIABLE MICROSECONDS: 0.05, 1, 30
	local text
	printf -v text '%d.%06d' $(($2 / 1000000)) $(($2 % 1000000))
	text=${text%%+(0)}
	printf -v "$1" %s "${text%.}"
}

running() { # NAME
	[[ -n ${pid[$1]:-} ]] && kill -0 "${pid[$1]}" 2>/dev/null
}

start() { # NAME
	unset "due[$1]"
	clock "began[$1]"
	"start_$1"
}

# What has ended is started again, after the first wait, and twice as much each time, up to the longest, while it does not
# live for a minute.
look_after() { # NAME
	local status=0 back=${wait_before[$1]:-0} now
	running "$1" && return
	clock now
	if [[ -z ${due[$1]:-} ]]; then
		wait "${pid[$1]}" 2>/dev/null || status=$?
		back=$((now - began[$1] >= MICROSECONDS[m] || back == 0 ? backoff_base : back * 2))
		((back <= backoff_cap)) || back=$backoff_cap
		wait_before[$1]=$back
		due[$1]=$((now + back))
		seconds back "$back"
		child_ended "$1" "$status" "$back"
	fi
	((now < due[$1])) || start "$1"
}

# waits without a process; a signal ends it
nap() { # SECONDS
	[[ -n ${quiet:-} ]] || exec {quiet}<> <(:)
	read -r -t "$1" -u "$quiet"
}

# no descriptor that the caller happened to have open goes on to children that live for hours
close_others() { # [FD to keep]
	local fd
	for fd in /proc/"$BASHPID"/fd/*; do
		fd=${fd##*/}
		((fd <= 2 || fd == 255 || fd == ${1:--1})) || eval "exec $fd>&-"
	done
}

# a feed that was killed could not tidy up, and its number may be another process' by now
remove_left_overs() {
	local dir pid
	for dir in "$BNC_RUN"/{demo,account}.*; do
		pid=${dir##*/@(demo|account).}
		[[ ! -d $dir ]] || grep -qsE 'feed\.sh|account\.sh' "/proc/${pid%%.*}/cmdline" || rm -rf -- "$dir"
	done
}
