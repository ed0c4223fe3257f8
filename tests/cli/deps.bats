# deps.sh against a make-believe Debian: dpkg-query, apt-get, sudo, the compiler, node and npm are scripts of this test.
load ../lib

DEPS=$ROOT/scripts/deps.sh

setup() {
	lib_setup
	mkdir bin
	for tool in bash env cat grep; do ln -s "$(type -P $tool)" bin/; done
	for tool in cc node npm; do fake $tool <<<'exit 0'; done
	# installed.txt: the packages there are; a package that dpkg-query does not know makes it fail
	fake dpkg-query <<-'E'
		for name; do
			case $name in -*|'${'*) continue ;; esac
			grep -qx "$name" installed.txt && echo "$name installed"
			grep -qx "$name" removed.txt && echo "$name config-files"
		done
		exit 1
	E
	fake apt-get <<<'echo "apt-get $*" >>calls; [ ! -e fails ]'
	fake sudo <<<'echo "sudo $*" >>calls; exec "$@"'
	touch removed.txt
	printf '%s\n' make libc6-dev libwebsockets-dev libssl-dev libzstd-dev zlib1g-dev libcurl4-openssl-dev websocketd \
		util-linux ca-certificates bats jq curl procps libcmocka-dev mandoc openssl python3 python3-websockets \
		python3-prometheus-client zstd strace valgrind faketime iproute2 nginx-light zsh fish libjansson-dev \
		libgmp-dev libseccomp-dev libnats-dev kcat nats-server >installed.txt
}

fake() {
	{ echo '#!/bin/bash' && cat; } >"bin/$1"
	chmod +x "bin/$1"
}

# GROUP...; all where none is named
deps() {
	(($#)) || set -- serve web check
	PATH=$SCRATCH/bin run "$BASH" "$DEPS" "$@"
}

@test "where nothing is missing it does nothing and says nothing" {
	deps
	[[ $status == 0 && -z $output && ! -e calls ]]
}

@test "what is missing is said and installed, and nothing else" {
	sed -i '/^jq$/d; /^websocketd$/d' installed.txt
	deps
	echo "$output"
	[[ $status == 0 && ${lines[0]} == "deps.sh: installing from Debian: websocketd jq" ]]
	grep -qE '^(sudo .*)?apt-get install .*-y .*websocketd jq$' calls
}

@test "a group is installed when it is asked for" {
	sed -i '/^jq$/d; /^websocketd$/d; /^zlib1g-dev$/d' installed.txt
	deps serve
	[[ $status == 0 && ${lines[0]} == "deps.sh: installing from Debian: zlib1g-dev websocketd" ]]
	deps check
	[[ ${lines[0]} == "deps.sh: installing from Debian: zlib1g-dev jq" ]]
	PATH=$SCRATCH/bin run "$BASH" "$DEPS"
	[[ ${lines[0]} == "deps.sh: installing from Debian: zlib1g-dev" ]]
	deps tests
	[[ $status == 2 && $output == "usage: deps.sh "* ]]
}

@test "the page is built with node and npm, and tested in a browser where that is asked for" {
	deps web
	[[ $status == 0 && -z $output && ! -e calls ]]
	deps browser
	[[ ${lines[0]} == "deps.sh: installing from Debian: chromium fonts-inter" ]]
	rm bin/npm
	deps web
	[[ ${lines[0]} == "deps.sh: installing from Debian: npm" ]]
	deps --web
	[[ ${lines[0]} == "deps.sh: installing from Debian: npm chromium fonts-inter" ]]
	echo chromium >>installed.txt
	deps serve web check browser
	[[ ${lines[0]} == "deps.sh: installing from Debian: npm fonts-inter" ]]
}

@test "a package that was removed but not purged is missing" {
	sed -i '/^jq$/d' installed.txt
	echo jq >removed.txt
	deps
	[[ ${lines[0]} == "deps.sh: installing from Debian: jq" ]]
}

@test "any compiler will do, where there is none it is gcc" {
	rm bin/cc
	deps
	[[ ${lines[0]} == "deps.sh: installing from Debian: gcc" ]]
	rm calls
	fake clang <<<'exit 0'
	CC="clang -m64" deps
	[[ $status == 0 && -z $output && ! -e calls ]]
}

@test "node and npm of any origin will do, where there are none they are Debian's" {
	rm bin/npm
	deps
	echo "$output"
	[[ ${lines[0]} == "deps.sh: installing from Debian: npm" ]]
	rm bin/node calls
	deps
	[[ $status == 0 && ${lines[0]} == "deps.sh: installing from Debian: nodejs npm" ]]
	grep -q ' nodejs npm$' calls
	rm calls # Debian's, which are there but in no PATH of ours: nothing is to be installed
	printf '%s\n' nodejs npm >>installed.txt
	deps
	[[ $status == 0 && -z $output && ! -e calls ]]
}

@test "an installation that fails is tried again with fresh lists, then told" {
	sed -i '/^jq$/d' installed.txt
	touch fails
	deps
	[[ $status == 3 && $output == *"deps.sh: "*"jq"* ]]
	grep -q 'apt-get update' calls
}

@test "elsewhere than on Debian the packages are named" {
	rm bin/apt-get
	deps
	[[ $status == 3 && ${#lines[@]} == 1 && $output == *"not a Debian system"*libwebsockets-dev*jq* ]]
}
