# What a bats file of the tests in a browser needs besides ../lib: node runs all of SUITE.test.mjs at once, in one browser
# (setup_file), and each @test tells what became of the one that has its name (told).

browser_tests() { # SUITE
	lib_setup
	export WHY='' CHROMIUM SUITE=$ROOT/tests/web/$1.test.mjs RESULTS=$SCRATCH/results
	CHROMIUM=$(type -P chromium || type -P chromium-browser || true)
	WHY=$(missing)
	[[ -z $WHY ]] || return 0
	timeout 230 node --test-reporter="file://$ROOT/tests/web/reporter.mjs" "$SUITE" >"$RESULTS" 2>node.err 3>&- || true
}

missing() {
	if [[ -z $(type -P node) ]]; then
		echo "there is no node"
	elif [[ -z $CHROMIUM ]]; then
		echo "there is no chromium: scripts/deps.sh --web installs it"
	elif [[ ! -e $BUILD/web-test/installed ]]; then
		echo "make tests has installed no playwright-core in $BUILD/web-test"
	elif [[ ! -e $ROOT/web/dist/index.html ]]; then
		echo "the page has not been built"
	fi
}

setup() { [[ -z $WHY ]] || skip "$WHY"; }
teardown() { :; }
teardown_file() { end_all && cd / && rm -rf -- "$SCRATCH"; }

# what it said comes with a failure, behind how long it took; what it has measured, in any case
told() {
	local result said
	result=$(awk -v name="$BATS_TEST_DESCRIPTION" '
		/^(not )?ok / { here = $0 == "ok " name || $0 == "not ok " name }
		here' "$RESULTS")
	said=$(sed -n '2,$p' <<<"$result")
	case $result in
	'ok '*) sed '1d' <<<"$said" >&3 ;;
	'') echo "it has not been run" && tail -n 20 "$SCRATCH/node.err" "$RESULTS" && return 1 ;;
	*) printf '%s\n' "$said" && return 1 ;;
	esac
}

# no test of the suite stands nowhere
all_told() {
	diff <(sed -nE 's/^(not )?ok //p' "$RESULTS" | sort) \
		<(sed -nE 's/^@test "(.*)" \{ told; \}$/\1/p' "$BATS_TEST_FILENAME" | sort)
}
