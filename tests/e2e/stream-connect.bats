# bnc-stream and how it connects: tiers, frames, certificates, HTTP answers, proxies

load ../lib
load stream

bats_require_minimum_version 1.5.0

@test "one connection a tier, whatever is asked for in one call" {
	exchange --rate 50
	stream s -s SOLUSDT btcusdt@aggTrade
	live s 20
	stop s
	[[ $status -eq 0 && ! -s s.err ]]
	[[ $(told open | jq -r '.tier + " " + .path' | sort) == $'market /market/stream\npublic /public/stream' ]]
	[[ $(told subscribe | jq -c .params | sort) == $'["btcusdt@aggTrade"]\n["solusdt@bookTicker"]' ]]
	[[ $(jq -r 'select(.recv).stream' s.out | sort -u) == $'btcusdt@aggTrade\nsolusdt@bookTicker' ]]
	checked s.out --whole
}

@test "a frame is the exchange's bytes behind our keys; -r is the bytes alone" {
	local line
	exchange --rate 50
	now -n 3 SOLUSDT >s.out
	[[ $(wc -l <s.out) -eq 3 ]]
	while read -r line; do
		[[ $line =~ ^\{\"recv\":[0-9]{16},\"market\":\"usdm\",\"stream\":\"solusdt@bookTicker\",\"data\":(.*)\}$ ]]
		cut -f3 served | grep -qxF -- "${BASH_REMATCH[1]}"
	done <s.out
	now -r -n 3 SOLUSDT >r.out
	[[ $(wc -l <r.out) -eq 3 ]]
	while read -r line; do
		[[ $line =~ ^\{\"stream\":\"solusdt@bookTicker\",\"data\":(.*)\}$ ]]
		cut -f3 served | grep -qxF -- "${BASH_REMATCH[1]}"
	done <r.out
}

@test "recv is the time of arrival and never goes back" {
	local before=${EPOCHREALTIME/./}
	exchange --rate 200
	stream s -c book,agg,trade,depth@100ms SOLUSDT BTCUSDT
	live s 500
	stop s
	jq -es --argjson a "$before" --argjson b "${EPOCHREALTIME/./}" '[.[].recv] | . == sort and .[0] >= $a and .[-1] <= $b' s.out
}

@test "spot and COIN-M have one endpoint; symbols may be beyond ASCII" {
	exchange -m all --symbols SOLUSDT,BTCUSD_PERP,牛来USDT --rate 50
	now -m spot -c book,agg -n 20 SOLUSDT | jq -es 'length == 20 and all(.market == "spot")'
	now -m coinm -c book,agg -n 20 BTCUSD_PERP | jq -es 'length == 20 and all(.market == "coinm")'
	[[ $(told open | jq -r .path | sort -u) == /stream ]]
	now -c agg -n 2 牛来USDT | jq -es 'length == 2 and all(.stream == "牛来usdt@aggTrade")'
}

@test "status records: connecting, live, end; source is demo" {
	exchange --rate 50
	stream s -s SOLUSDT
	live s 5
	stop s
	[[ $(states s | xargs) == "connecting live end" ]]
	jq -es 'map(select(.type == "status")) | all(.source == "demo" and .ts > 1600000000000)' s.out
	[[ $(tail -n 1 s.out | jq -r '.state + " " + .detail') == "end SIGTERM" ]]
}

@test "readiness is told when everything is subscribed to, and not before" {
	exchange
	order "next subscribe-silence"
	start s bash -c 'exec bnc-stream "$@" 9>ready' - "${url[@]}" --ready-fd 9 --stale 1 -c forceOrder,book SOLUSDT 8>&-
	await subscribe 2
	[[ ! -s ready ]]
	wait_for $PATIENCE test -s ready # the one without an answer has been replaced
	[[ $(wc -c <ready) -eq 1 ]]
	(($(events subscribe) >= 3))
	stop s
}

@test "200 streams share a connection and go out in one message, the rest over another" {
	local names
	mapfile -t names < <(printf 'S%dUSDT\n' {1..230})
	exchange --symbols "$(IFS=,; echo "${names[*]}")" --rate 2
	stream s "${names[@]}"
	live s 400
	stop s
	[[ $(told subscribe | jq '.params | length' | sort -n | xargs) == "30 200" ]]
	[[ $(events open) -eq 2 ]]
	[[ $(jq -r .stream s.out | sort -u | wc -l) -eq 230 ]]
}

@test "wrong certificates: each with its reason, and nothing comes" {
	local kind words failed=0
	exchange
	while IFS='|' read -r kind words; do
		order "cert $kind"
		await order $((++failed))
		start s bnc-stream "${url[@]}" -s SOLUSDT 8>&-
		hears s 'next attempt' || { echo "$kind: nothing said"; return 1; }
		stop s
		has_said s "$words" || { echo "$kind: $(<s.err)"; return 1; }
		[[ $status -eq 0 && $(frames s.out) -eq 0 ]]
		jq -es 'any(.state == "connecting" and (.detail | test("next attempt")))' s.out
	done <<-'E'
		wrong-name|name|match
		expired|certificate.*expired
		not-yet-valid|certificate.*not yet valid
		self-signed|certificate.*self.signed
		unknown-ca|certificate.*authority that is not known
		tls1.1|version|protocol
	E
	[[ $(events open) -eq 0 ]]
	order "cert good"
	now -n 1 SOLUSDT | jq -e .recv
}

@test "a certificate that is mended is accepted at the next attempt" {
	exchange
	order "cert expired"
	stream s SOLUSDT
	hears s expired
	order "cert good"
	live s 1
	hears s '^bnc-stream: live: '
	stop s
}

@test "without its authority the exchange is not trusted" {
	exchange
	start s bnc-stream -u "wss://127.0.0.1:$MOCK_PORT" SOLUSDT 8>&-
	hears s 'certificate.*authority that is not known; next attempt'
	stop s
	[[ ! -s s.out ]]
	SSL_CERT_FILE=$MOCK_CA timeout 60 bnc-stream -u "wss://127.0.0.1:$MOCK_PORT" -n 1 SOLUSDT | jq -e .recv
}

@test "refusals that cannot get better end it with 3 and a plain sentence" {
	local code words
	exchange
	while read -r code words; do
		order "next http $code"
		run --separate-stderr now -s SOLUSDT
		[[ $status -eq 3 ]] || { echo "$code: $status"; return 1; }
		[[ ${#stderr_lines[@]} -eq 1 && $stderr == *"HTTP $code: "*"$words"* ]] || { echo "$code: $stderr"; return 1; }
		[[ $(jq -r .state <<<"$output" | xargs) == "connecting stale end" ]]
	done <<-'E'
		451 legal restriction
		403 forbidden
		401 login
		404 no such path
		400 refuses the request
		410 refuses the request
	E
}

@test "a refusal while the other line still delivers is no end" {
	exchange --rate 100
	stream s -s --lines 2 SOLUSDT
	await subscribe 2
	order "next 2 http 403" "#1 cut rst"
	more s 20
	hears s 'HTTP 403: forbidden'
	more s 20
	await open 3
	more s 20
	stop s
	[[ $status -eq 0 && $(said s 'HTTP 403') -eq 2 ]]
	checked s.out --whole
}

@test "429, 418 and Retry-After are waited out; 5xx is tried again" {
	local code began
	exchange
	order "next 2 http 503"
	now -n 1 SOLUSDT >s.out 2>s.err
	[[ $(said s 'HTTP 503: the server has trouble; next attempt') -eq 2 ]]
	for code in 429 418; do
		order "next http $code retry-after=2"
		began=${EPOCHREALTIME/./}
		now -n 1 SOLUSDT >s.out 2>s.err
		((${EPOCHREALTIME/./} - began >= 2000000))
		has_said s "HTTP $code: .*too many requests.*; next attempt in 2\."
		# not the minute or two that hold where the exchange names no time
		((${EPOCHREALTIME/./} - began < 20000000))
	done
	order "next http 429"
	start s bnc-stream "${url[@]}" SOLUSDT 8>&-
	hears s 'HTTP 429: .*; next attempt in 60\.'
	stop s
}

@test "the wait grows with failures, also where the handshake works, and falls back with the first frame" {
	exchange --rate 200
	# each connection is cut as soon as it is subscribed, for 3 seconds
	order "each at 0 cut rst"
	BNC_BACKOFF=100ms,60s stream s SOLUSDT
	sleep 3
	# ceilings of 0.1, 0.2, 0.4 ...: about six attempts; were a handshake enough, some forty
	(($(said s 'next attempt') >= 2 && $(said s 'next attempt') <= 15)) || { cat s.err; return 1; }
	order clear
	stop s
	BNC_BACKOFF=50ms,60s stream t SOLUSDT
	for _ in {1..10}; do
		live t 1
		more t 5
		order "cut rst"
	done
	more t 5
	# after data each wait is below the first ceiling
	stop t
	run ! grep -vE 'next attempt in 0\.0|: live: |: gap: ' t.err
}

@test "an HTTP proxy, from the environment" {
	exchange
	start proxy "$ROOT/tests/e2e/stream-proxy" "$SCRATCH/proxy.port" "$SCRATCH/proxy.log"
	wait_for $PATIENCE test -s proxy.port
	https_proxy=http://127.0.0.1:$(<proxy.port) now -n 3 SOLUSDT >s.out
	[[ $(frames s.out) -eq 3 && $(<proxy.log) == "http 127.0.0.1:$MOCK_PORT" ]]
	: >proxy.log
	https_proxy=http://127.0.0.1:$(<proxy.port) no_proxy=127.0.0.1 now -n 3 SOLUSDT >s.out
	[[ $(frames s.out) -eq 3 && ! -s proxy.log ]]
	# libwebsockets would take this one by itself
	http_proxy=http://127.0.0.1:$(<proxy.port) now -n 3 SOLUSDT >s.out
	[[ $(frames s.out) -eq 3 && ! -s proxy.log ]]
}

@test "a SOCKS5 proxy, from the environment" {
	exchange
	start proxy "$ROOT/tests/e2e/stream-proxy" "$SCRATCH/proxy.port" "$SCRATCH/proxy.log"
	wait_for $PATIENCE test -s proxy.port
	all_proxy=socks5h://127.0.0.1:$(<proxy.port) now -n 3 SOLUSDT >s.out
	[[ $(frames s.out) -eq 3 && $(<proxy.log) == "socks5 127.0.0.1:$MOCK_PORT" ]]
}

@test "a proxy that is not there, or asks for a login, is told" {
	local login
	exchange
	https_proxy=http://127.0.0.1:$(free_port) start s bnc-stream "${url[@]}" SOLUSDT 8>&-
	hears s 'proxy.*next attempt'
	stop s
	[[ ! -s s.out ]]
	start proxy "$ROOT/tests/e2e/stream-proxy" "$SCRATCH/proxy.port" "$SCRATCH/proxy.log" user:secret
	wait_for $PATIENCE test -s proxy.port
	for login in "" user:wrong@; do
		https_proxy=http://${login}127.0.0.1:$(<proxy.port) start s bnc-stream "${url[@]}" -v SOLUSDT 8>&-
		hears s 'proxy.*(407|login)'
		stop s
		[[ ! -s s.out ]]
		run ! has_said s wrong
	done
	https_proxy=http://user:secret@127.0.0.1:$(<proxy.port) start s bnc-stream "${url[@]}" SOLUSDT 8>&-
	wait_for $PATIENCE test -s s.out
	jq -e .recv <(head -n 1 s.out)
	# a password is in no core file
	grep -q '^Max core file size *0 *0' "/proc/$s_pid/limits"
	stop s
}
