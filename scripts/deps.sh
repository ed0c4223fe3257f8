#!/bin/bash
# deps.sh: installs, from Debian, what is missing to build, to show (make demo) and to test (make check).
# Where nothing is missing it does nothing and says nothing.
set -u

build=(make libc6-dev libwebsockets-dev libssl-dev)
serve=(websocketd util-linux ca-certificates)
check=(bats jq curl procps libcmocka-dev mandoc openssl python3 python3-websockets)

needed=("${build[@]}" "${serve[@]}" "${check[@]}")
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
	done
}

as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo env DEBIAN_FRONTEND=noninteractive "$@"
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
export DEBIAN_FRONTEND=noninteractive
install=(apt-get install -q -y --no-install-recommends "${missing[@]}")
have_lists || as_root apt-get update -q || fail "the package lists could not be fetched"
# lists that are there may be older than the archive: then once more with fresh ones
as_root "${install[@]}" || { as_root apt-get update -q && as_root "${install[@]}"; } ||
	fail "could not install: ${missing[*]}"
