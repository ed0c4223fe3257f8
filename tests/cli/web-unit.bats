# The page without a browser: its types and its tests (web/tests), in the copy that make tests has prepared. Its lint is
# in make lint.
load ../lib

WEB=$BUILD/web-test

setup() {
	lib_setup
	local name why
	for name in node npm; do
		[[ -n $(type -P $name) ]] || skip "there is no $name"
	done
	[[ -e $WEB/npm.log ]] || skip "make tests has installed nothing in $WEB"
	why=$(sed -nE '0,/code/s/^npm (error|ERR!) (code .*)/\2/p' "$WEB/npm.log")
	[[ -e $WEB/installed ]] || skip "npm ci could not install what the page is tested with: ${why:-see $WEB/npm.log}"
	cd "$WEB" || return
	export BNC_ROOT=$ROOT NO_COLOR=1
}

@test "types" {
	npm run --silent types
}

@test "unit tests: decode, state, formats, history, backoff, what may import what" {
	npm test --silent
}
