# bnc-account and what the exchange refuses: what people are told, what is tried again, and what ends it

load ../lib
load stream
load account

bats_require_minimum_version 1.5.0

# the state of now ends with 3, writes nothing, and says these words
ends_saying() { # WORDS ARGS...
	local words=$1
	shift
	run --separate-stderr state "$@"
	[[ $status -eq 3 && -z $output ]]
	[[ $stderr == *"$words"* ]] || { echo "said: $stderr"; return 1; }
	printf '%s\n' "$stderr" >said.err
	secretless said.err
}

# and it is had all the same
goes_on_saying() { # WORDS ARGS...
	local words=$1
	shift
	run --separate-stderr state "$@"
	[[ $status -eq 0 ]]
	[[ $stderr == *"$words"* ]] || { echo "said: $stderr"; return 1; }
	printf '%s\n' "$output" | jq -es 'length >= 1'
}

@test "a wrong secret, a wrong key, a malformed one" {
	local market
	has "$USDM,\"spot\":{\"balances\":{\"SOL\":\"1\"}}"
	market -m all
	with_key "$API_KEY" "${API_SECRET}x"
	for market in usdm coinm spot; do
		ends_saying "code -1022: Signature for this request is not valid.: the signature does not hold: check that the secret" \
			-m $market
	done
	with_key "${API_KEY%?}x" "$API_SECRET"
	ends_saying "GET /fapi/v3/balance: HTTP 401, code -2015: Invalid API-key, IP, or permissions for action.: check, in this order"
	openssl genpkey -algorithm ed25519 -out ed.pem
	(umask 077 && { printf 'BNC_API_KEY=%s\n' "$API_KEY" && cat ed.pem; } >key)
	ends_saying "code -1022"
	order 'rest 401 path=/fapi/v3/balance code=-2014 API-key format invalid.'
	with_key "$API_KEY" "$API_SECRET"
	ends_saying "code -2014: API-key format invalid.: the API key is not in the form that the exchange makes: copy it again"
}

@test "a wrong key of one that listens: futures by the listen key, spot by the logon" {
	has "$USDM,\"spot\":{\"balances\":{\"SOL\":\"1\"}}"
	market -m all
	with_key "${API_KEY%?}x" "$API_SECRET"
	account a
	wait_end a $PATIENCE
	[[ $status -eq 3 ]]
	has_said a 'POST /fapi/v1/listenKey: HTTP 401, code -2015'
	with_key "$API_KEY" "${API_SECRET}x"
	account b -m spot
	wait_end b $PATIENCE
	[[ $status -eq 3 ]]
	has_said b '/ws-api/v3: HTTP 400, code -1022: .*the signature does not hold'
	[[ $(tail -n 1 b.out | jq -r .state) == end ]]
}

@test "a clock that is an hour off is told, and does not matter" {
	local skew word
	for skew in 1h -1h; do
		[[ $skew == 1h ]] && word=behind || word="ahead of"
		has "$USDM,\"spot\":{\"balances\":{\"SOL\":\"1\"}}"
		market -m all --skew $skew
		goes_on_saying "s $word the exchange's; requests carry the exchange's time"
		[[ $stderr =~ "the clock of this machine is "(3599|360[01])\.[0-9]+" s" ]]
		goes_on_saying "s $word the exchange's" -m spot
		account a -m spot
		is_live a
		order 'transfer spot SOL 1'
		gets a outboundAccountPosition
		same a spot
		stop a
		stop mock
	done
}

@test "a clock that begins to be off: the offset is measured, and the request tried again once" {
	has "$USDM,\"spot\":{\"balances\":{\"SOL\":\"1\"}}"
	market -m all
	account a --check 1s
	account p -m spot --check 1h
	is_live a
	is_live p
	order 'skew -90s' 'fill usdm SOLUSDT BUY 1 141'
	hears a 'GET /fapi/v3/balance: HTTP 400, code -1021: .*have the clock of this machine set by NTP.*measuring'
	hears a 'the clock of this machine is (90.0|89.9)[0-9]* s ahead of the exchange'
	gets a ORDER_TRADE_UPDATE 2
	same a usdm
	[[ $(said a -1021) -eq 1 ]]
	# and by the logon of the WebSocket API
	order 'user cut rst' 'transfer spot SOL 1'
	hears p '/ws-api/v3: HTTP 400, code -1021'
	is_live p 2
	same p spot
	is_live a 2
	same a usdm
	stop a
	stop p
	# where it does not help it is the end: an exchange that is never content
	order 'next 2 rest 400 path=/fapi/v3/balance code=-1021 Timestamp'
	ends_saying "although it was measured just before"
}

@test "429 and 418 are waited out, and nothing is asked meanwhile" {
	local before wait
	has "$USDM"
	market
	order 'rest 429 retry-after=1 path=/fapi/v3/balance code=-1003 Too many requests'
	before=${EPOCHREALTIME/./}
	goes_on_saying "HTTP 429, code -1003: Too many requests: too many requests from this address: stop other programs"
	((${EPOCHREALTIME/./} - before >= 1000000))
	[[ $stderr == *"; nothing is asked for 1."*" s"* ]]
	order 'rest 418 retry-after=1 path=/fapi/v3/positionRisk'
	goes_on_saying "HTTP 418: this address is banned for a while"
	# a check, too; and no connection is opened
	account a --check 1s
	is_live a
	order 'rest 429 retry-after=3 path=/fapi/v3/balance'
	hears a 'HTTP 429: .*nothing is asked for 3.0'
	order 'user cut rst'
	hears a 'next attempt in'
	is_live a 2
	# from the refusal to the next answer, and to the next connection, in ms
	wait=$(jq -s '(map(.state == "stale") | rindex(true)) as $i | .[$i].ts as $t | .[$i:] |
		(map(select(.recv))[0].recv / 1000 | floor) - $t, map(select(.state == "gap"))[0].ts - $t' a.out)
	echo "waited ${wait//$'\n'/ and } ms"
	[[ $(sort -n <<<"$wait" | head -n 1) -ge 2950 ]]
	same a usdm
	stop a
	# at the door of the stream
	order '/private http 429 retry-after=1'
	account b
	is_live b
	has_said b 'HTTP 429.*next attempt in 1\.'
	stop b
}

@test "451, 403 and 404 are told as what they are, and the end" {
	has "$USDM"
	market
	order 'rest 451'
	ends_saying "HTTP 451: not offered where this address is: a legal restriction, not a fault of the network or of the key"
	order 'rest 403'
	ends_saying "HTTP 403: the exchange's firewall refuses this address"
	order 'rest 404'
	ends_saying "HTTP 404: there is no such path on that server: check -u"
	order '/private http 451'
	account a
	wait_end a $PATIENCE
	[[ $status -eq 3 ]]
	has_said a '/private/ws: .*a legal restriction'
	# one that listens, when it checks
	account b --check 1s
	is_live b
	order 'rest 451 path=/fapi/v3/balance'
	wait_end b $PATIENCE
	[[ $status -eq 3 && $(tail -n 1 b.out | jq -r .state) == end ]]
}

@test "every code that is documented comes with a sentence" {
	local code words
	has "$USDM"
	market
	while IFS='|' read -r code words; do
		order "rest 400 path=/fapi/v3/balance code=$code Its own words."
		run --separate-stderr state
		[[ $stderr == *"HTTP 400, code $code: Its own words.: "*"$words"* ]] || { echo "$code: $stderr"; return 1; }
		case $code in
		-1000 | -1001 | -1006 | -1007 | -1008 | -1021 | -1125) [[ $status -eq 0 && -n $output ]] ;;
		*) [[ $status -eq 3 && -z $output ]] ;;
		esac
	done <<-'END'
		-1000|it is tried again; next attempt in
		-1001|it is tried again; next attempt in
		-1006|it is tried again; next attempt in
		-1007|it is tried again; next attempt in
		-1008|it is tried again; next attempt in
		-1021|have the clock of this machine set by NTP
		-1022|check that the secret is the one of this API key
		-1100|compare this program's version
		-1102|compare this program's version
		-1120|use one of 1m 3m
		-1121|check its name
		-1125|a new one is asked for
		-1130|compare this program's version
		-2014|copy it again
		-2015|that it may be used from this address
		-4021|use 5, 10, 20
		-4109|open it on the exchange's site
		-4166|ask for a later time
	END
	order 'rest 400 path=/fapi/v3/balance code=-9876 Nobody knows this one.'
	ends_saying "HTTP 400, code -9876: Nobody knows this one."
}
