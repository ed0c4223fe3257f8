# bnc-account and an exchange or a network that is not as it should be; and that no secret is ever anywhere

load ../lib
load stream
load account

bats_require_minimum_version 1.5.0

# the state of now is had, and these words are said
goes_on_saying() { # WORDS ARGS...
	local words=$1
	shift
	run --separate-stderr state "$@"
	[[ $status -eq 0 ]]
	[[ $stderr == *"$words"* ]] || { echo "said: $stderr"; return 1; }
	printf '%s\n' "$output" | jq -es 'length >= 1'
}

@test "answers that are broken are told, and asked for again" {
	local how path
	has "$USDM"
	market
	for path in /fapi/v1/time /fapi/v3/balance /fapi/v3/positionRisk; do
		for how in cut empty html text array; do
			order "rest-bad $how path=$path"
			goes_on_saying "GET $path: an answer that is not what it should be: "
			[[ $(jq -c '[.stream, (.data | length)]' <<<"$output" | xargs) == '[/fapi/v3/balance,2] [/fapi/v3/positionRisk,1]' ]]
		done
	done
	for how in 500 502 503; do
		order "rest $how path=/fapi/v3/balance"
		goes_on_saying "HTTP $how: the exchange has trouble of its own"
	done
	for how in cut empty html text array; do
		order "rest-bad $how path=/fapi/v1/listenKey"
		account a
		is_live a
		has_said a 'POST /fapi/v1/listenKey: an answer that is not what it should be: it has no proper listen key'
		stop a
	done
	account a
	is_live a
	order 'user say rubbish' 'user say [1]' 'user say {"e":' 'user huge' 'fill usdm SOLUSDT BUY 1 141'
	hears a 'a message that is no JSON object'
	is_live a 2
	same a usdm
	stop a
}

@test "certificates are checked by both ways" {
	has "$USDM"
	market
	order 'cert wrong-name'
	account a
	hears a 'GET /fapi/v1/time: .*(certificate|name)'
	order 'cert good'
	is_live a
	order 'cert expired' 'user cut rst'
	hears a '/private/ws: certificate .*has expired'
	order 'cert good'
	stop a
	start b bnc-account -u "wss://127.0.0.1:$MOCK_PORT" --key-file key --once 8>&- # whose authority nobody knows here
	hears b 'GET /fapi/v1/time: .*certificate'
	stop b
	[[ $status -eq 0 && ! -s b.out ]]
}

@test "by way of a proxy, requests and events" {
	has "$USDM"
	market
	start proxy "$ROOT/tests/e2e/stream-proxy" "$SCRATCH/proxy.port" "$SCRATCH/proxy.log"
	wait_for $PATIENCE test -s proxy.port
	https_proxy=http://127.0.0.1:$(<proxy.port) account a
	is_live a
	[[ $(sort proxy.log | uniq -c | xargs) == "2 http 127.0.0.1:$MOCK_PORT" ]]
	stop a
	all_proxy=socks5h://127.0.0.1:$(<proxy.port) account b
	is_live b
	[[ $(grep -c "^socks5 127.0.0.1:$MOCK_PORT$" proxy.log) -eq 2 ]]
	stop b
	stop proxy
}

@test "no key, secret, signature or listen key anywhere: output, messages, the process itself" {
	local form market
	has "$USDM,\"coinm\":{\"balances\":{\"BTC\":\"1\"}},\"spot\":{\"balances\":{\"SOL\":\"1\"}}"
	market -m all
	look() { # NAME: what others may see of the process
		for file in cmdline environ limits; do
			tr '\0' '\n' <"/proc/$a_pid/$file" >"$1.$file"
			[[ -s $1.$file ]]
		done
		secretless "$1.cmdline" "$1.environ"
		grep -q '^Max core file size *0 *0' "$1.limits"
	}
	for market in usdm coinm spot; do
		for form in query subscribe; do
			BNC_API_KEY=$API_KEY BNC_API_SECRET=$API_SECRET start a bnc-account "${url[@]}" -s -vv -m $market --form $form 8>&-
			is_live a
			grep -q '^BNC_API_KEY=$' "/proc/$a_pid/environ" || ! tr '\0' '\n' <"/proc/$a_pid/environ" | grep -q 'BNC_API_KEY=.'
			look "$market-$form"
			order "transfer $market SOL 1" 'rest 500' 'user say {"e":"x","echo":"'"$API_KEY"' is what a server may say"}'
			[[ $market == spot ]] || order "expire-key $market"
			order 'user cut rst'
			is_live a 2
			kill -USR1 "$a_pid"
			hears a 'events [1-9]'
			stop a
			mv a.out "$market-$form.out"
			mv a.err "$market-$form.err"
		done
	done
	secretless ./{usdm,coinm,spot}-*.{out,err}
	grep -q 'a frame with the API key in it is left out' usdm-query.err
	grep -q 'connected to 127.0.0.1' usdm-query.err # -vv says a lot
}
