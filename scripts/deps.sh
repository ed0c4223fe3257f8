#!/bin/bash
# deps.sh: installs, from Debian, what is missing to build and, by group, for more. Where nothing is missing it does
# nothing and says nothing.
#
#   usage: deps.sh [serve] [web] [check] [browser] [bench] [lint] [deb]
#
#   serve    to show the stream (make demo, make run)
#   web      to build the page that shows it
#   check    to run the tests (make check)
#   browser  to run those of the page in a browser, too; --web is web and browser
#   bench    what the programs are compared with (make bench)
#   lint     what reads the source without running it (make lint)
#   deb      to build packages of Debian, and to try them (make deb, make check-deb)
set -u

needed=(make libc6-dev libwebsockets-dev libssl-dev libzstd-dev zlib1g-dev libcurl4-openssl-dev)
serve=(websocketd util-linux ca-certificates)
check=(bats jq curl procps libcmocka-dev libjansson-dev libgmp-dev libseccomp-dev mandoc openssl python3 python3-websockets
	python3-prometheus-client zstd strace valgrind faketime iproute2 zsh fish libnats-dev kcat)

# where a package would start its server as soon as it is installed, its test is skipped
[[ -d /run/systemd/system ]] || check+=(nginx-light nats-server)

# node and npm of any origin will do; where there are none they are Debian's
web=()
command -v node >/dev/null || web+=(nodejs)
command -v npm >/dev/null || web+=(npm)
check+=("${web[@]}")
# the font is that of the pictures which the tests compare
browser=(chromium fonts-inter)
bench=(python3-fastapi uvicorn python3-uvloop libsimdjson-dev g++)
deb=(build-essential debhelper dpkg-dev libnats-dev lintian debootstrap systemd-container)
lint=(gcc clang clang-tidy cppcheck shellcheck mandoc libcmocka-dev libjansson-dev libgmp-dev libseccomp-dev)

for group; do
	case $group in
	serve) needed+=("${serve[@]}") ;;
	web) needed+=("${web[@]}") ;;
	check) needed+=("${check[@]}") ;;
	browser) needed+=("${browser[@]}") ;;
	bench) needed+=("${bench[@]}") ;;
	lint) needed+=("${lint[@]}") ;;
	deb) needed+=("${deb[@]}") ;;
	--web) needed+=("${web[@]}" "${browser[@]}") ;;
	*) printf 'usage: deps.sh [serve] [web] [check] [browser] [bench] [lint] [deb]\n' >&2 && exit 2 ;;
	esac
done
# any compiler will do; where there is none it is gcc
compiler=${CC:-cc}
command -v "${compiler%% *}" >/dev/null || needed+=(gcc)

fail() {
	printf 'deps.sh: %s\n' "$1" >&2
	exit 3
}

missing_packages() {
	local name state
	declare -A there=()
	while read -r name state; do
		[[ $state == installed ]] && there[$name]=1
	done < <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${needed[@]}" 2>/dev/null)
	for name in "${needed[@]}"; do
		[[ -n ${there[$name]:-} ]] || printf '%s\n' "$name"
		# of several groups: named once
		there[$name]=1
	done
}

as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 "$@"
	fi
}

# a fresh machine knows no package by name until its lists are fetched
have_lists() { compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; }

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	fail "not a Debian system; please install yourself what Debian calls: ${needed[*]}"
fi

mapfile -t missing < <(missing_packages)
((${#missing[@]})) || exit 0

((EUID == 0)) || command -v sudo >/dev/null ||
	fail "to be installed as root (there is no sudo): apt-get install ${missing[*]}"

echo "deps.sh: installing from Debian: ${missing[*]}"
# an installation is no reason to start a server
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
install=(apt-get install -q -y --no-install-recommends "${missing[@]}")
have_lists || as_root apt-get update -q || fail "the package lists could not be fetched"
# lists that are there may be older than the archive: then once more with fresh ones
as_root "${install[@]}" || { as_root apt-get update -q && as_root "${install[@]}"; } ||
	fail "could not install: ${missing[*]}"
