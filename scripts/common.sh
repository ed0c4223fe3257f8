# common.sh: what feed.sh, pipeline.sh and serve.sh share. Sourced, not run.
# shellcheck shell=bash
shopt -s extglob

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

# Sets BNC_RUN, the directory of logs, locks and the page: ours alone, since in /tmp somebody may have been first.
run_dir() {
	local parent
	if [[ -z ${BNC_RUN:-} ]]; then
		for parent in "${XDG_RUNTIME_DIR:-/run/user/$UID}" "/run/user/$UID" ''; do
			[[ -d $parent && -O $parent && -w $parent ]] && break
		done
		BNC_RUN=${parent:+$parent/bnc}
	fi
	export BNC_RUN=${BNC_RUN:-/tmp/bnc-$UID}
	[[ -d $BNC_RUN ]] || (umask 077 && mkdir -p -- "$BNC_RUN") 2>/dev/null
	[[ -d $BNC_RUN && -O $BNC_RUN && ! -L $BNC_RUN ]] && chmod 700 -- "$BNC_RUN"
}

# a log over 8 MiB begins anew; one old file is kept
open_log() { # FILE
	(($(stat -c %s -- "$1" 2>/dev/null || echo 0) < 8 << 20)) || mv -f -- "$1" "$1.old"
	exec 2>>"$1"
}

# no descriptor that the caller happened to have open goes on to children that live for hours
close_others() { # [FD to keep]
	local fd
	for fd in /proc/"$BASHPID"/fd/*; do
		fd=${fd##*/}
		((fd <= 2 || fd == 255 || fd == ${1:--1})) || eval "exec $fd>&-"
	done
}
