# common.sh: what feed.sh, pipeline.sh and serve.sh share. Sourced, not run.
# shellcheck shell=bash
shopt -s extglob
umask 077

# what of the environment goes on to the feed, besides BNC_*
# shellcheck disable=SC2034 # pipeline.sh and serve.sh use it
HANDED_ON=(PATH LD_LIBRARY_PATH HOME TMPDIR LANG TZ XDG_RUNTIME_DIR SSL_CERT_FILE SSL_CERT_DIR https_proxy HTTPS_PROXY
	all_proxy ALL_PROXY no_proxy NO_PROXY ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS)

fail() { # STATUS MESSAGE
	printf '%s: %s\n' "${0##*/}" "$2" >&2
	exit "$1"
}

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

# Standard error goes there; a long log begins anew, one old file is kept. False: it cannot be written.
open_log() { # FILE
	! too_long "$1" || mv -f -- "$1" "$1.old"
	{ : >>"$1"; } 2>/dev/null && exec 2>>"$1"
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
	for dir in "$BNC_RUN"/demo.*; do
		pid=${dir##*/demo.}
		[[ ! -d $dir ]] || grep -qs feed.sh "/proc/${pid%%.*}/cmdline" || rm -rf -- "$dir"
	done
}
