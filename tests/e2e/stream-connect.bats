# bnc-stream and how it connects: tiers, frames, certificates, HTTP answers, proxies

load ../lib
load stream

bats_require_minimum_version 1.5.0

@test "one connection a tier, whatever is asked for in one call" {
	exchange --rate 50
	stream s -s SOLUSDT btcusdt@aggTrade
	live s 20
	stop s
	[[ $status -eq 0 ]]
	[[ $(events open) -eq 2 ]]
	[[ $(tail -n +2 mock.out | jq -r 'select(.event == "open") | .tier + " " + .style' | sort) == $'market combined\npublic combined' ]]
	[[ $(tail -n +2 mock.out | jq -c 'select(.event == "subscribe").streams' | sort) == $'["btcusdt@aggTrade"]\n["solusdt@bookTicker"]' ]]
	jq -e 'select(.stream) | select(.type == null) | .stream' s.out | sort -u >streams
	[[ $(<streams) == $'"btcusdt@aggTrade"\n"solusdt@bookTicker"' ]]
	checked s.out --whole
}

@test "a frame is the exchange's bytes behind our keys; -r is the bytes alone" {
	local line payload url
	exchange --rate 50
	url
	bnc-stream "${url[@]}" -n 3 SOLUSDT >s.out
	[[ $(lines s.out) -eq 3 ]]
	while read -r line; do
		[[ $line =~ ^\{\"recv\":[0-9]{16},\"market\":\"usdm\",\"stream\":\"solusdt@bookTicker\",\"data\":(.*)\}$ ]]
		payload=${BASH_REMATCH[1]}
		grep -qF -- "$payload" served
	done <s.out
	bnc-stream "${url[@]}" -r -n 3 SOLUSDT >r.out
	[[ $(lines r.out) -eq 3 ]]
	while read -r line; do
		[[ $line =~ ^\{\"stream\":\"solusdt@bookTicker\",\"data\":(.*)\}$ ]]
		grep -qF -- "${BASH_REMATCH[1]}" served
	done <r.out
}

@test "recv never goes back; every line is one JSON object" {
	exchange --rate 200
	stream s -c book,agg,trade,depth@100ms SOLUSDT BTCUSDT
	live s 500
	stop s
	jq -es '[.[].recv] | . == sort' s.out
}

@test "spot and COIN-M have one endpoint; symbols may be beyond ASCII" {
	local url
	exchange -m all --symbols SOLUSDT,BTCUSD_PERP,牛来USDT --rate 50
	url
	bnc-stream "${url[@]}" -m spot -c book,agg -n 20 SOLUSDT | jq -es 'all(.market == "spot")'
	bnc-stream "${url[@]}" -m coinm -c book,agg -n 20 BTCUSD_PERP | jq -es 'all(.market == "coinm")'
	bnc-stream "${url[@]}" -c agg -n 2 牛来USDT | jq -es 'all(.stream == "牛来usdt@aggTrade")'
}

@test "status records: connecting, live, end; source is demo" {
	exchange --rate 50
	stream s -s SOLUSDT
	live s 5
	stop s
	[[ $(states s | tr '\n' ' ') == "connecting live end " ]]
	jq -es 'map(select(.type == "status")) | all(.source == "demo" and .ts > 1600000000000)' s.out
}

@test "readiness is told when everything is subscribed to" {
	local url
	exchange
	url
	bnc-stream "${url[@]}" --ready-fd 9 -t 2 -c forceOrder,book SOLUSDT 9>ready >/dev/null &
	wait_for 5 test -s ready
	[[ $(events subscribe) -eq 2 ]]
	wait
}

@test "200 streams go out in one message" {
	local i names=()
	for ((i = 0; i < 230; i++)); do
		names+=("S${i}USDT")
	done
	exchange --symbols "$(IFS=,; echo "${names[*]}")" --rate 2
	stream s "${names[@]}"
	live s 300
	stop s
	[[ $(events open) -eq 2 && $(events subscribe) -eq 2 ]]
	[[ $(tail -n +2 mock.out | jq -r 'select(.event == "subscribe").streams | length' | sort -n | tr '\n' ' ') == "30 200 " ]]
}

@test "wrong certificates: each with its reason, and nothing comes" {
	local kind words url
	exchange
	url
	while IFS='|' read -r kind words; do
		order "cert $kind"
		wait_for 2 eval '(($(events order) >= 1)) || sleep 0.1'
		run --separate-stderr bnc-stream "${url[@]}" -t 0.6 SOLUSDT
		[[ $status -eq 0 && -z $output ]]
		grep -qiE -- "$words" <<<"$stderr" || { echo "$kind: $stderr"; return 1; }
	done <<-'E'
		wrong-name|name|match
		expired|expired
		not-yet-valid|not yet valid
		self-signed|self.signed
		unknown-ca|issuer|unknown|authority
		tls1.1|tls|protocol|version
	E
	order "cert good"
	run --separate-stderr bnc-stream "${url[@]}" -n 1 SOLUSDT
	[[ $status -eq 0 && -n $output ]]
}

@test "without its authority the exchange is not trusted" {
	exchange
	run --separate-stderr bnc-stream -u "wss://127.0.0.1:$MOCK_PORT" -s -t 0.5 SOLUSDT
	[[ $status -eq 0 && $stderr == *certificate* ]]
	! grep -q '"recv"' <<<"$output"
	SSL_CERT_FILE=$MOCK_CA run --separate-stderr bnc-stream -u "wss://127.0.0.1:$MOCK_PORT" -n 1 SOLUSDT
	[[ $status -eq 0 && -n $output ]]
}

@test "refusals that cannot get better end it with 3 and a plain sentence" {
	local code words url
	exchange
	url
	while read -r code words; do
		order "next http $code"
		run --separate-stderr timeout 5 bnc-stream "${url[@]}" -s SOLUSDT
		[[ $status -eq 3 ]] || { echo "$code: $status"; return 1; }
		[[ $stderr == *"$code"*"$words"* ]] || { echo "$code: $stderr"; return 1; }
		[[ $(tail -n 1 <<<"$output" | jq -r .state) == end ]]
	done <<-'E'
		451 legal restriction
		403 forbidden
		404 no such path
		400 refuses the request
	E
}

@test "429 and Retry-After are waited out; 5xx is tried again" {
	local before url
	exchange
	url
	order "next 2 http 503"
	bnc-stream "${url[@]}" -n 1 SOLUSDT >s.out 2>s.err
	[[ $(grep -c 'server has trouble; next attempt' s.err) -eq 2 ]]
	order "next http 429 retry-after=2"
	before=$SECONDS
	bnc-stream "${url[@]}" -n 1 SOLUSDT >s.out 2>s.err
	((SECONDS - before >= 2 && SECONDS - before <= 4))
	grep -q 'too many requests from this address; next attempt in 2\.' s.err
}

@test "an HTTP proxy, from the environment" {
	local url
	exchange
	url
	start proxy "$ROOT/tests/e2e/stream-proxy" "$SCRATCH/proxy.port" "$SCRATCH/proxy.log"
	wait_for 5 test -s proxy.port
	https_proxy=http://127.0.0.1:$(<proxy.port) bnc-stream "${url[@]}" -n 3 SOLUSDT >s.out
	[[ $(lines s.out) -eq 3 && $(<proxy.log) == "http 127.0.0.1:$MOCK_PORT" ]]
	: >proxy.log
	https_proxy=http://127.0.0.1:$(<proxy.port) no_proxy=127.0.0.1 bnc-stream "${url[@]}" -n 3 SOLUSDT >s.out
	[[ $(lines s.out) -eq 3 && ! -s proxy.log ]]
	# libwebsockets would take this one by itself
	http_proxy=http://127.0.0.1:$(<proxy.port) bnc-stream "${url[@]}" -n 3 SOLUSDT >s.out
	[[ $(lines s.out) -eq 3 && ! -s proxy.log ]]
}

@test "a SOCKS5 proxy, from the environment" {
	local url
	exchange
	url
	start proxy "$ROOT/tests/e2e/stream-proxy" "$SCRATCH/proxy.port" "$SCRATCH/proxy.log"
	wait_for 5 test -s proxy.port
	all_proxy=socks5h://127.0.0.1:$(<proxy.port) bnc-stream "${url[@]}" -n 3 SOLUSDT >s.out
	[[ $(lines s.out) -eq 3 && $(<proxy.log) == "socks5 127.0.0.1:$MOCK_PORT" ]]
}

@test "a proxy that is not there, or asks for a login, is told" {
	local url
	exchange
	url
	https_proxy=http://127.0.0.1:$(free_port) run --separate-stderr bnc-stream "${url[@]}" -t 0.4 SOLUSDT
	[[ $status -eq 0 && -z $output && $stderr == *"next attempt"* ]]
	start proxy "$ROOT/tests/e2e/stream-proxy" "$SCRATCH/proxy.port" "$SCRATCH/proxy.log" user:secret
	wait_for 5 test -s proxy.port
	https_proxy=http://127.0.0.1:$(<proxy.port) run --separate-stderr timeout 3 bnc-stream "${url[@]}" -t 0.5 SOLUSDT
	[[ -z $output && $stderr == *proxy* && $stderr != *secret* ]]
	https_proxy=http://user:secret@127.0.0.1:$(<proxy.port) run --separate-stderr bnc-stream "${url[@]}" -n 1 SOLUSDT
	[[ $status -eq 0 && -n $output ]]
}
