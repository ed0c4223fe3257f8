bats_require_minimum_version 1.5.0
load ../lib

KEY=vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A
SECRET=NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j
OTHER=${KEY/vm/mv} # well-formed, and nobody's
ALL=ORDER_TRADE_UPDATE/TRADE_LITE/ACCOUNT_UPDATE/ACCOUNT_CONFIG_UPDATE/MARGIN_CALL/ALGO_UPDATE/listenKeyExpired

# an exchange without TLS whose script stays open: `say WORDS...` writes a line. ACCOUNT: its account, less the key
mock() {
	local ready=$SCRATCH/mock.ready
	rm -f "$SCRATCH/script" "$ready"
	mkfifo -m 600 "$SCRATCH/script"
	exec 8<>"$SCRATCH/script"
	printf '{"apiKey":"%s","secret":"%s"%s}' "$KEY" "$SECRET" "${ACCOUNT:-$USUAL}" >account.json
	STDIN=$SCRATCH/script start mock bash -c 'exec "$@" 9>"$0"' "$ready" \
		bnc-mock --plain --ready-fd 9 --account account.json "$@"
	wait_for 5 test -s "$ready" || return 1
	read -r MOCK_PORT <"$SCRATCH/mock.out"
}

USUAL=',"usdm":{"fee":"0.0004","balances":{"USDT":"1000"},"positions":[{"symbol":"SOLUSDT","positionAmt":"2","entryPrice":"140.1"}]},
	"coinm":{"fee":"0.0005","balances":{"BTC":"0.5"},"positions":[{"symbol":"BTCUSD_PERP","positionAmt":"10","entryPrice":"80000"}]},
	"spot":{"fee":"0.001","balances":{"BTC":"1","USDT":"1000"}}'

say() { printf '%s\n' "$@" >&8; }
told() { wait_for 5 grep -q -- "$1" "$SCRATCH/mock.out"; }
done_with() { told "\"event\":\"order\",\"line\":\"$1"; }

# METHOD PATH [QUERY]: the body in $output, the status in $http, the head in $SCRATCH/head
rest() {
	output=$(curl -s -m 5 -D "$SCRATCH/head" -X "$1" -H "X-MBX-APIKEY: ${API_KEY-$KEY}" "http://127.0.0.1:$MOCK_PORT$2${3:+?$3}")
	http=$(sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$SCRATCH/head")
}

hmac() { printf %s "$1" | openssl dgst -sha256 -hmac "${2:-$SECRET}" | sed 's/.*= //'; }
ms() { local us=${EPOCHREALTIME/./}; echo $((us / 1000 + ${1:-0})); }

# the same, signed
signed() { # PATH [QUERY]
	local query="${2:+$2&}timestamp=$(ms)"
	rest GET "$1" "$query&signature=$(hmac "$query")"
}

is() { # JQ-EXPRESSION WORDS...
	local got
	got=$(jq -c "$1" <<<"$output") || return 1
	[[ $got == "${*:2}" ]] || { echo "$1: $got, not ${*:2}"; return 1; }
}

refused() { # STATUS CODE [TEXT]
	[[ $http == "$1" ]] || { echo "HTTP $http, not $1: $output"; return 1; }
	is .code "$2"
	[[ -z ${3:-} ]] || is .msg "\"$3\""
}

header() { grep -qi -- "^$1" "$SCRATCH/head"; }

listen_key() { # fapi|dapi
	rest POST "/$1/v1/listenKey"
	listen=$(jq -r .listenKey <<<"$output")
	[[ $listen =~ ^[A-Za-z0-9]{64}$ ]]
}

# a client of user data in the background, its messages in $SCRATCH/NAME.out
user() { # NAME PATH
	local opens
	opens=$(grep -c '"event":"open"' "$SCRATCH/mock.out") || true
	start "$1" "$TOOLS/ws" "ws://127.0.0.1:$MOCK_PORT$2" --seconds 30
	wait_for 5 opened $((opens + 1))
}
opened() { (($(grep -c '"event":"open"' "$SCRATCH/mock.out") >= $1)); }
got() { wait_for 5 grep -q -- "$2" "$SCRATCH/$1.out"; }
events() { jq -r '.data.e // .event.e // .e' "$SCRATCH/$1.out" | paste -sd' '; }

# --- the file, the options --------------------------------------------------------------------------------------------

@test "an account that cannot be read ends it with 3, wrong options with 2" {
	local text
	run bnc-mock --plain --account nowhere
	[[ $status -eq 3 && $output == "bnc-mock: --account: nowhere: No such file or directory" ]]
	for text in '' '[]' '{"apiKey":7}' '{"usdm":{"balances":{"USDT":"x"}}}' '{"secret":"s"}' '{"publicKey":"no"}'; do
		printf %s "$text" >odd.json
		run bnc-mock --plain --account odd.json
		[[ $status -eq 3 && ${#lines[@]} -eq 1 && $output == "bnc-mock: --account: odd.json: "* ]] || { echo "$text: $output"; false; }
	done
	head -c 70000 /dev/zero | tr '\0' ' ' >big.json
	run bnc-mock --plain --account big.json
	[[ $status -eq 3 && $output == *"longer than 65536 bytes" ]]
	for text in "--skew soon" "--skew -25h" "--listen-key-age x" "--weight-limit -1" "--ban x"; do
		run --separate-stderr bnc-mock $text
		[[ $status -eq 2 && $stderr == "bnc-mock: ${text% *}: "* ]] || { echo "$text: $stderr"; false; }
	done
}

@test "without an account there is nothing to ask for, and what anybody may ask for is weighed all the same" {
	start_mock --plain
	rest POST /fapi/v1/listenKey
	[ "$http" = 400 ]
	rest GET /fapi/v3/balance timestamp=1
	[ "$http" = 404 ]
	rest GET /fapi/v1/time
	[ "$http" = 200 ]
	header 'x-mbx-used-weight-1m: [0-9]'
	"$TOOLS/ws-raw" "$MOCK_PORT" /ws-api/v3 >odd.out
	[ "$(head -n 1 odd.out)" = "status 404" ]
}

# --- who may ask ------------------------------------------------------------------------------------------------------

@test "a signed call: key, time and signature are held against the rules of the exchange" {
	mock
	signed /fapi/v3/balance
	[ "$http" = 200 ]
	is .[0].balance '"1000.00000000"'
	header 'content-type: application/json'
	# digits of either case
	local query="timestamp=$(ms)&recvWindow=60000"
	rest GET /fapi/v3/balance "$query&signature=$(hmac "$query" | tr a-f A-F)"
	[ "$http" = 200 ]
	# the key
	API_KEY='' signed /fapi/v3/balance
	refused 401 -2014 "API-key format invalid."
	API_KEY=${KEY%?} signed /fapi/v3/balance
	refused 401 -2014
	API_KEY=$OTHER signed /fapi/v3/balance
	refused 401 -2015 "Invalid API-key, IP, or permissions for action."
	# the signature
	rest GET /fapi/v3/balance "$query&signature=$(hmac "$query" wrong)"
	refused 400 -1022 "Signature for this request is not valid."
	rest GET /fapi/v3/balance "recvWindow=60000&${query%%&*}&signature=$(hmac "$query")"
	refused 400 -1022
	rest GET /fapi/v3/balance "$query"
	refused 400 -1102 "Mandatory parameter 'signature' was not sent, was empty/null, or malformed."
	rest GET /fapi/v3/balance "signature=00"
	refused 400 -1102 "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed."
	# the time
	local at
	for at in -5500 -100000; do
		query="timestamp=$(ms $at)"
		rest GET /fapi/v3/balance "$query&signature=$(hmac "$query")"
		refused 400 -1021 "Timestamp for this request is outside of the recvWindow."
	done
	query="timestamp=$(ms -5500)&recvWindow=10000"
	rest GET /fapi/v3/balance "$query&signature=$(hmac "$query")"
	[ "$http" = 200 ]
	query="timestamp=$(ms 2000)"
	rest GET /fapi/v3/balance "$query&signature=$(hmac "$query")"
	refused 400 -1021 "Timestamp for this request was 1000ms ahead of the server's time."
	query="timestamp=$(ms)&recvWindow=60001"
	rest GET /fapi/v3/balance "$query&signature=$(hmac "$query")"
	refused 400 -1131
}

@test "a clock that is off: the exchange's time, its window, and a step on the way" {
	mock --skew -3s
	rest GET /fapi/v1/time
	local off=$(($(ms) - $(jq .serverTime <<<"$output")))
	((off >= 3000 && off < 4500)) || { echo "$off"; false; }
	signed /fapi/v3/balance
	refused 400 -1021 "Timestamp for this request was 1000ms ahead of the server's time."
	say 'skew 8s'
	done_with skew
	signed /fapi/v3/balance
	refused 400 -1021 "Timestamp for this request is outside of the recvWindow."
	rest GET /fapi/v1/time
	((($(jq .serverTime <<<"$output") - $(ms)) > 6500))
	say 'skew 0s'
	wait_for 5 grep -q 'skew 0s' mock.out
	signed /fapi/v3/balance
	[ "$http" = 200 ]
}

@test "an Ed25519 key: base64, percent-encoded" {
	openssl genpkey -algorithm ed25519 -out key.pem 2>/dev/null
	local pem
	pem=$(openssl pkey -in key.pem -pubout | sed ':a;N;$!ba;s/\n/\\n/g')
	ACCOUNT=',"publicKey":"'$pem'\n","usdm":{"balances":{"USDT":"7"}}' mock
	local query="recvWindow=60000&timestamp=$(ms)" signature
	ed() { printf %s "$1" >text; openssl pkeyutl -sign -inkey key.pem -rawin -in text | base64 -w 0; }
	signature=$(ed "$query")
	rest GET /fapi/v2/balance "$query&signature=$(jq -sRr @uri <<<"$signature" | sed 's/%0A$//')"
	[ "$http" = 200 ]
	is .[0].balance '"7.00000000"'
	rest GET /fapi/v2/balance "$query&signature=$(jq -sRr @uri <<<"${signature,,}" | sed 's/%0A$//')"
	refused 400 -1022
	rest GET /fapi/v2/balance "$query&x=1&signature=$(jq -sRr @uri <<<"$signature" | sed 's/%0A$//')"
	refused 400 -1022
}

@test "weight is counted; too much is 429, going on is 418, and both end" {
	mock --weight-limit 100 --ban 1s
	# all of it in one minute of the clock
	(($(date +%-S) < 50)) || wait_for 12 bash -c '(( $(date +%-S) < 50 ))'
	rest GET /fapi/v1/time
	header 'x-mbx-used-weight-1m: 1[[:cntrl:]]'
	signed /dapi/v1/balance
	header 'x-mbx-used-weight-1m: 2[[:cntrl:]]' # one pool of both futures
	signed /api/v3/account
	header 'x-mbx-used-weight-1m: 20[[:cntrl:]]'
	signed /fapi/v1/income
	signed /fapi/v1/income
	signed /fapi/v1/income
	[ "$http" = 200 ]
	header 'x-mbx-used-weight-1m: 92[[:cntrl:]]'
	signed /fapi/v1/income
	refused 429 -1003
	header 'retry-after: [1-6]'
	rest GET /fapi/v1/time
	refused 429 -1003
	rest GET /fapi/v1/time
	refused 429 -1003
	rest GET /fapi/v1/time
	refused 418 -1003
	[[ $output == *"IP banned until 1"* ]]
	header 'retry-after: 1'
	signed /api/v3/account # spot has a pool of its own
	[ "$http" = 200 ]
}

# --- what is held -----------------------------------------------------------------------------------------------------

@test "USD-M: balance, account, positionRisk, accountConfig and income" {
	mock
	say 'mark usdm SOLUSDT 142.5' 'fill usdm SOLUSDT SELL 0.5 141 BOTH BNB=0.00012' 'transfer usdm USDT 12.5' 'funding usdm SOLUSDT -0.25'
	done_with funding
	signed /fapi/v3/balance
	is 'map([.asset,.balance,.crossWalletBalance,.crossUnPnl])' '[["USDT","1012.70000000","1012.70000000","3.60000000"],["BNB","-0.00012000","-0.00012000","0.00000000"]]'
	is '.[0]|keys_unsorted' '["accountAlias","asset","balance","crossWalletBalance","crossUnPnl","availableBalance","maxWithdrawAmount","marginAvailable","updateTime"]'
	signed /fapi/v3/account
	is '[.totalWalletBalance,.totalUnrealizedProfit,.totalMarginBalance]' '["1012.70000000","3.60000000","1016.30000000"]'
	is '.positions|map([.symbol,.positionSide,.positionAmt,.notional,.unrealizedProfit])' '[["SOLUSDT","BOTH","1.5","213.75000000","3.60000000"]]'
	is '.assets|map(.asset)' '["USDT","BNB"]'
	signed /fapi/v3/positionRisk symbol=SOLUSDT
	is '.[0]|[.positionAmt,.entryPrice,.markPrice,.unRealizedProfit,.notional,.marginAsset]' '["1.5","140.1","142.50000000","3.60000000","213.75000000","USDT"]'
	signed /fapi/v3/positionRisk symbol=BTCUSDT
	is . '[]'
	signed /fapi/v3/positionRisk symbol=NOSUCH
	refused 400 -1121
	signed /fapi/v2/positionRisk
	is '.[0]|[.maxNotionalValue,.isAutoAddMargin,.leverage]' '["1.0E8","false","20"]'
	signed /fapi/v1/accountConfig
	is '[.dualSidePosition,.multiAssetsMargin]' '[false,false]'
	signed /fapi/v1/income
	is 'map([.incomeType,.income,.asset,.symbol])' \
		'[["REALIZED_PNL","0.45000000","USDT","SOLUSDT"],["COMMISSION","-0.00012000","BNB","SOLUSDT"],["TRANSFER","12.50000000","USDT",""],["FUNDING_FEE","-0.25000000","USDT","SOLUSDT"]]'
	signed /fapi/v1/income 'incomeType=COMMISSION&limit=1'
	is 'length' 1
	signed /fapi/v1/income limit=1001
	refused 400 -1130
	# a position that is closed is in v2 alone
	say 'fill usdm BTCUSDT BUY 0.001 84000 BOTH USDT=0' 'fill usdm BTCUSDT SELL 0.001 84000 BOTH USDT=0'
	done_with 'fill usdm BTCUSDT SELL'
	signed /fapi/v3/positionRisk
	is 'map(.symbol)' '["SOLUSDT"]'
	signed /fapi/v3/account
	is '.positions|map(.symbol)' '["SOLUSDT"]'
	signed /fapi/v2/positionRisk
	is 'map([.symbol,.positionAmt,.entryPrice])' '[["SOLUSDT","1.5","140.1"],["BTCUSDT","0","0"]]'
	signed /fapi/v1/nothing
	[ "$http" = 404 ]
	# the same in the log
	say ledger
	told '"event":"ledger"'
	output=$(grep '"event":"ledger"' mock.out)
	is .usdm '{"balances":{"USDT":"1012.7","BNB":"-0.00012"},"positions":[{"symbol":"SOLUSDT","positionSide":"BOTH","positionAmt":"1.5","entryPrice":"140.1"}]}'
}

@test "hedge mode and isolated positions" {
	ACCOUNT=',"usdm":{"dual":true,"fee":"0","balances":{"USDT":"1000"},"positions":[{"symbol":"SOLUSDT","positionSide":"LONG","positionAmt":"3","entryPrice":"140","marginType":"isolated","isolatedWallet":"50"},{"symbol":"SOLUSDT","positionSide":"SHORT","positionAmt":"-1","entryPrice":"142"}]},"coinm":{"dual":true,"balances":{"BTC":"1"},"positions":[{"symbol":"BTCUSD_PERP","positionSide":"SHORT","positionAmt":"-5","entryPrice":"80000"}]}' mock
	listen_key fapi
	user u "/private/ws?listenKey=$listen&events=$ALL"
	say 'funding usdm SOLUSDT LONG -0.5' 'fill usdm SOLUSDT BUY 1 141' 'fill usdm SOLUSDT BUY 2 141 SHORT' 'fill usdm SOLUSDT BUY 0.25 141 SHORT' \
		'margin-call usdm SOLUSDT LONG'
	got u MARGIN_CALL
	grep -q '"refused","line":"fill usdm SOLUSDT BUY 1 141","why":"hedge mode: LONG or SHORT"' mock.out
	grep -q '"refused","line":"fill usdm SOLUSDT BUY 2 141 SHORT","why":"there is not so much to reduce"' mock.out
	# funding of an isolated position tells that position, and comes from its wallet
	output=$(grep FUNDING_FEE u.out)
	is '.a|[.B[0].wb,.B[0].cw,.B[0].bc,.S]' '["999.5","950","-0.5","SOLUSDT"]'
	is '.a.P|map([.s,.ps,.pa,.mt,.iw])' '[["SOLUSDT","LONG","3","isolated","49.5"]]'
	output=$(grep '"m":"ORDER"' u.out)
	is '.a|[.B[0].wb,.P[0].ps,.P[0].pa,.P[0].cr]' '["999.75","SHORT","-0.75","0.25"]'
	output=$(grep MARGIN_CALL u.out)
	is '[.cw,.p[0].mt]' '[null,"ISOLATED"]'
	signed /fapi/v3/positionRisk
	is 'map([.positionSide,.positionAmt])' '[["LONG","3"],["SHORT","-0.75"]]'
	signed /fapi/v1/accountConfig
	is .dualSidePosition true
	signed /dapi/v1/account
	is '.positions|map([.positionSide,.positionAmt])' '[["BOTH","0"],["SHORT","-5"]]'
}

@test "COIN-M: contracts, the coin's balance, and no tiers" {
	mock -m coinm
	listen_key dapi
	user u "/ws/$listen"
	say 'mark coinm BTCUSD_PERP 100000' 'fill coinm BTCUSD_PERP SELL 4 88000'
	got u '"x":"TRADE"'
	[ "$(events u)" = "ORDER_TRADE_UPDATE ACCOUNT_UPDATE ORDER_TRADE_UPDATE" ]
	# 4 x 100 x (1/80000 - 1/88000), less 400/88000 x 0.0005
	output=$(grep ACCOUNT_UPDATE u.out)
	is '[.i,.a.B[0].a,.a.B[0].wb,.a.P[0].pa,.a.P[0].up,.a.P[0].ma]' '["SgsR","BTC","0.50045227","6","0.0015","BTC"]'
	is 'keys_unsorted' '["e","T","E","i","a"]'
	output=$(grep '"x":"TRADE"' u.out)
	is '.o|[.rp,.n,.ma,.N]' '["0.00045454","0.00000227","BTC","BTC"]'
	signed /dapi/v1/balance
	is '.[0]|[.asset,.balance,.crossUnPnl]' '["BTC","0.50045227","0.00150000"]'
	signed /dapi/v1/account
	is '.positions[0]|[.symbol,.positionAmt,.entryPrice,.unrealizedProfit]' '["BTCUSD_PERP","6","80000.00000000","0.00150000"]'
	is 'has("totalWalletBalance")' false
	signed /dapi/v1/positionRisk marginAsset=BTC
	is '.[0]|[.positionAmt,.markPrice,.notionalValue]' '["6","100000.00000000","0.00600000"]'
	signed /dapi/v1/positionRisk pair=ETHUSD
	is . '[]'
	say 'expire-key coinm'
	got u listenKeyExpired
	say 'fill coinm BTCUSD_PERP SELL 1 88000'
	done_with 'fill coinm BTCUSD_PERP SELL 1'
	[ "$(events u)" = "ORDER_TRADE_UPDATE ACCOUNT_UPDATE ORDER_TRADE_UPDATE listenKeyExpired" ]
}

# --- user data --------------------------------------------------------------------------------------------------------

@test "a listen key: made, kept, made again, ended; the key of the API alone is asked for" {
	mock --listen-key-age 3s
	rest PUT /fapi/v1/listenKey
	refused 400 -1125 "This listenKey does not exist."
	listen_key fapi
	local first=$listen
	listen_key fapi
	[ "$listen" = "$first" ]
	rest PUT /fapi/v1/listenKey
	is .listenKey "\"$first\""
	listen_key dapi
	[ "$listen" != "$first" ]
	rest DELETE /fapi/v1/listenKey
	is . '{}'
	rest PUT /fapi/v1/listenKey
	refused 400 -1125
	listen_key fapi
	[ "$listen" != "$first" ]
	API_KEY=$OTHER rest POST /fapi/v1/listenKey
	refused 401 -2015
	API_KEY='' rest PUT /fapi/v1/listenKey
	refused 401 -2014
	# it ends by itself, says so and is silent; the socket stays. Asked for again, it lives from then on
	listen_key fapi
	user u "/private/ws?listenKey=$listen&events=$ALL"
	got u "\"e\":\"listenKeyExpired\",\"E\":[0-9]*,\"listenKey\":\"$listen\"}"
	rest PUT /fapi/v1/listenKey
	refused 400 -1125
	say 'transfer usdm USDT 1' 'expire-key usdm'
	told '"refused","line":"expire-key usdm","why":"there is no living listen key"'
	[ "$(events u)" = listenKeyExpired ]
	listen_key fapi
	say 'expire-key usdm string'
	done_with 'expire-key usdm string'
	kill -0 "$u_pid"
}

@test "a fill in the order of the captures, with the keys of the wire" {
	mock
	listen_key fapi
	user u "/private/ws?listenKey=$listen&events=$ALL"
	say 'mark usdm SOLUSDT 142.5' 'fill usdm SOLUSDT BUY 1 143.4 BOTH'
	got u '"x":"TRADE"'
	[ "$(events u)" = "ORDER_TRADE_UPDATE TRADE_LITE ACCOUNT_UPDATE ORDER_TRADE_UPDATE" ]
	output=$(sed -n 1p u.out)
	is '[.o.x,.o.X,.o.q,.o.t,.o.n]' '["NEW","NEW","1",0,"0"]'
	output=$(sed -n 2p u.out)
	is 'keys_unsorted' '["e","E","T","s","q","p","m","c","S","L","l","t","i"]'
	is '[.s,.q,.p,.S]' '["SOLUSDT","1.00","143.40","BUY"]'
	output=$(sed -n 3p u.out)
	is 'keys_unsorted' '["e","T","E","a"]'
	is '.a' '{"B":[{"a":"USDT","wb":"999.94264","cw":"999.94264","bc":"0"}],"P":[{"s":"SOLUSDT","pa":"3","ep":"141.2","cr":"0","up":"3.9","mt":"cross","iw":"0","ps":"BOTH","ma":"USDT","bep":"141.25648"}],"m":"ORDER"}'
	output=$(sed -n 4p u.out)
	is '.o|keys_unsorted|join(" ")' '"s c S o f q p ap sp x X i l z L n N T t b a m R wt ot ps cp rp pP si ss V pm gtd er"'
	is '.o|[.X,.l,.z,.L,.n,.N,.rp,.ps]' '["FILLED","1","1","143.4","0.05736","USDT","0","BOTH"]'
	# an id beyond 2^53, and the same trade in both
	[ "$(grep -o '"t":7[0-9]*' u.out | uniq | wc -l)" -eq 1 ]
	grep -q '"i":8389765739703625592' u.out
}

@test "all that can happen to an account is told" {
	mock
	listen_key fapi
	user u "/private/ws?listenKey=$listen&events=$ALL"
	say 'transfer usdm USDT 5' 'transfer usdm USDT -7.25' 'funding usdm SOLUSDT 0.125' 'leverage usdm SOLUSDT 25' 'multi-assets usdm on' \
		'margin-call usdm SOLUSDT' 'algo usdm SOLUSDT NEW SELL 2 135' 'algo usdm SOLUSDT TRIGGERED SELL 2 135 BOTH' 'algo usdm SOLUSDT REJECTED'
	got u REJECTED
	output=$(jq -sc . u.out)
	is 'map(.a.m//.e)|join(" ")' '"DEPOSIT WITHDRAW FUNDING_FEE ACCOUNT_CONFIG_UPDATE ACCOUNT_CONFIG_UPDATE MARGIN_CALL ALGO_UPDATE ALGO_UPDATE ALGO_UPDATE"'
	is '.[1].a' '{"B":[{"a":"USDT","wb":"997.75","cw":"997.75","bc":"-7.25"}],"P":[],"m":"WITHDRAW"}'
	is '.[2].a|[.B[0].bc,.P,.S]' '["0.125",[],"SOLUSDT"]'
	is '[.[3].ac,.[4].ai]' '[{"s":"SOLUSDT","l":25},{"j":true}]'
	is '.[5].p[0]|[.s,.pa,.mt,.ps]' '["SOLUSDT","2","CROSSED","BOTH"]'
	is '[.[6].o.aid==.[7].o.aid,.[6].o.ai,.[7].o.X,.[8].o.rm]' '[true,"","TRIGGERED","Margin is insufficient."]'
	signed /fapi/v1/accountConfig
	is .multiAssetsMargin true
	signed /fapi/v2/positionRisk
	is .[0].leverage '"25"'
	# and what cannot be is refused
	local line n
	local odd=('fill' 'fill odd' 'fill usdm SOLUSDT BUY' 'fill usdm SOLUSDT HOLD 1 1' 'fill usdm SOLUSDT BUY x 1' 'fill usdm SOLUSDT BUY 0 1'
		'fill usdm SOLUSDT BUY 1 1 LONG' 'fill usdm SOLUSDT BUY 1 1 BOTH BNB=x' 'fill usdm SOLUSDT BUY 1 1 BOTH BNB more' 'fill coinm BTCUSD_PERP BUY 0.5 1'
		'fill spot BTCUSDT BUY 1 1 LONG' 'fill spot BTCUSDT SELL 9 1' 'transfer usdm USDT' 'transfer usdm USDT 0.000000001' 'transfer usdm USDT 1 2'
		'funding usdm NOSUCH 1' 'funding spot BTCUSDT 1' 'leverage usdm SOLUSDT 126' 'leverage spot BTCUSDT 2' 'multi-assets coinm on' 'margin-call usdm X'
		'algo usdm SOLUSDT ODD' 'algo usdm SOLUSDT NEW BUY' 'mark usdm NOSUCH 1' 'mark usdm SOLUSDT 0' 'expire-key usdm odd' 'lock usdm USDT 1' 'lock spot USDT 9999' 'skew x')
	n=$(grep -c '"event":"refused"' mock.out) || true
	say "${odd[@]}"
	wait_for 5 bash -c "[ \$(grep -c '\"event\":\"refused\"' mock.out) -ge $((n + ${#odd[@]})) ]" || { grep order mock.out | tail -n 5; false; }
	for line in "${odd[@]}"; do
		grep -q "\"refused\",\"line\":\"$line\"" mock.out || { echo "$line"; false; }
	done
	signed /fapi/v3/balance
	is .[0].balance '"997.87500000"'
}

@test "the private tier: the events that are named, wrapped or by SUBSCRIBE; every other form is taken and silent" {
	mock -m all
	listen_key fapi
	user a "/private/ws?listenKey=$listen&events=ACCOUNT_UPDATE/TRADE_LITE"
	user b "/private/stream?listenKey=$listen&events=TRADE_LITE&listenKey=${listen//?/x}&events=ACCOUNT_UPDATE"
	user d "/private/ws?listenKey=$listen"
	user e "/private/ws/$listen"
	user f "/ws/$listen"
	user g "/private/ws?listenKey=${listen//?/x}&events=$ALL"
	user h "/private/ws?listenKey=$listen&events=ACCOUNT_UPDATE,TRADE_LITE"
	user m "/public/ws/$listen"
	STDIN=/dev/null start c "$TOOLS/ws-raw" "$MOCK_PORT" /private/stream --cut 5000 -n 5 --send "{\"method\":\"SUBSCRIBE\",\"params\":[\"$listen\"],\"id\":1}"
	told '"event":"subscribe"'
	say 'fill usdm SOLUSDT BUY 1 143'
	got a ACCOUNT_UPDATE
	got b TRADE_LITE
	wait_end c 5
	[ "$(events a)" = "TRADE_LITE ACCOUNT_UPDATE" ]
	output=$(cat b.out)
	is '[.stream,.data.e]' "[\"$listen\",\"TRADE_LITE\"]"
	sed -n 's/^text 1 //p' c.out >all.out
	[ "$(sed -n 1p all.out)" = '{"result":null,"id":1}' ]
	[ "$(sed 1d all.out | jq -r .data.e | paste -sd' ')" = "ORDER_TRADE_UPDATE TRADE_LITE ACCOUNT_UPDATE ORDER_TRADE_UPDATE" ]
	[ "$(sed 1d all.out | jq -r .stream | sort -u)" = "$listen" ]
	local silent
	for silent in d e f g h m; do
		[[ ! -s $silent.out ]] || { echo "$silent: $(head -c 200 $silent.out)"; false; }
	done
	# a side channel tells what is subscribed to
	"$TOOLS/ws-raw" "$MOCK_PORT" "/private/ws?listenKey=$listen&events=$ALL" --cut 5000 -n 1 --send '{"method":"LIST_SUBSCRIPTIONS","id":2}' >list.out
	grep -q "\"result\":\\[\"$listen\"\\]" list.out
}

# --- spot -------------------------------------------------------------------------------------------------------------

api() { # NAME COUNT MESSAGE...: a connection of the WebSocket API
	local name=$1 n=$2 text more=()
	shift 2
	for text in "$@"; do more+=(--send "$text"); done
	STDIN=/dev/null start "$name" "$TOOLS/ws-raw" "$MOCK_PORT" /ws-api/v3 --cut 5000 -n "$n" -t 20 "${more[@]}"
}
api_got() { wait_for 5 grep -q -- "$2" "$SCRATCH/$1.out"; }
answer() { output=$(sed -n 's/^text 1 //p' "$SCRATCH/$1.out" | sed -n "$2p"); }

@test "spot: a subscription by signature, its events, and a second one that is none" {
	mock -m spot
	local params="apiKey=$KEY&recvWindow=9999&timestamp=$(ms)" now
	now=${params##*=}
	local subscribe
	subscribe='{"id":"s1","method":"userDataStream.subscribe.signature","params":{"timestamp":'$now',"signature":"'$(hmac "$params")'","recvWindow":9999,"apiKey":"'$KEY'"}}'
	api a 9 "$subscribe" "$subscribe" '{"id":7,"method":"session.subscriptions"}' '{"id":null,"method":"userDataStream.subscribe"}'
	api_got a '"status":401'
	say 'fill spot BTCUSDT BUY 0.01 50000' 'transfer spot USDT -100'
	api_got a balanceUpdate
	wait_end a 5
	answer a 1
	is '[.id,.status,.result]' '["s1",200,{"subscriptionId":0}]'
	is '.rateLimits[0]|[.rateLimitType,.limit,.count]' '["REQUEST_WEIGHT",6000,4]'
	answer a 2
	is '[.status,.error.code]' '[400,-2035]'
	answer a 3
	is '[.id,.result]' '[7,[{"subscriptionId":0}]]'
	answer a 4
	is '[.id,.status,.error.code]' '[null,401,-1002]'
	answer a 5
	is '[.subscriptionId,.event.e,.event.x,.event.N,.event.t]' '[0,"executionReport","NEW",null,-1]'
	answer a 6
	is '.event|[.x,.X,.l,.L,.n,.N,.Z]' '["TRADE","FILLED","0.01000000","50000.00000000","0.00001000","BTC","500.00000000"]'
	is '.event|keys_unsorted|join(" ")' '"e E s c S o f q p P F g C x X r i l z L n N T t I w m M O Z Y Q W V"'
	answer a 7
	is '.event|[.e,.B]' '["outboundAccountPosition",[{"a":"BTC","f":"1.00999000","l":"0.00000000"},{"a":"USDT","f":"500.00000000","l":"0.00000000"}]]'
	answer a 8
	is '.event|[.e,.a,.d]' '["balanceUpdate","USDT","-100.00000000"]'
	answer a 9
	is '.event.B' '[{"a":"USDT","f":"400.00000000","l":"0.00000000"}]'
	say 'lock spot USDT 150'
	done_with lock
	signed /api/v3/account omitZeroBalances=true
	is .balances '[{"asset":"BTC","free":"1.00999000","locked":"0.00000000"},{"asset":"USDT","free":"250.00000000","locked":"150.00000000"}]'
}

@test "spot: logged on with Ed25519; unsubscribed; the end of a subscription; what is refused" {
	openssl genpkey -algorithm ed25519 -out key.pem 2>/dev/null
	local pem now params signature
	pem=$(openssl pkey -in key.pem -pubout | sed ':a;N;$!ba;s/\n/\\n/g')
	ACCOUNT=',"publicKey":"'$pem'\n","spot":{"balances":{"USDT":"5"}}' mock -m all
	now=$(ms)
	params="apiKey=$KEY&timestamp=$now"
	printf %s "$params" >text
	signature=$(openssl pkeyutl -sign -inkey key.pem -rawin -in text | base64 -w 0)
	api a 9 '{"id":"l","method":"session.logon","params":{"apiKey":"'$KEY'","timestamp":'$now',"signature":"'$signature'"}}' \
		'{"id":1,"method":"userDataStream.subscribe"}' '{"id":2,"method":"userDataStream.unsubscribe","params":{"subscriptionId":4}}' \
		'{"id":3,"method":"userDataStream.unsubscribe"}' '{"id":4,"method":"userDataStream.subscribe"}' '{"id":5,"method":"account.status"}'
	api_got a accountType
	say 'transfer spot USDT 1' 'expire-key spot'
	api_got a eventStreamTerminated
	answer a 1
	is '[.status,.result.apiKey]' "[200,\"$KEY\"]"
	answer a 2
	is .result '{"subscriptionId":0}'
	answer a 3
	is '[.status,.error.code]' '[400,-2036]'
	answer a 4
	is '[.status,.result]' '[200,{}]'
	answer a 5
	is .result '{"subscriptionId":1}'
	answer a 6
	is .result.balances '[{"asset":"USDT","free":"5.00000000","locked":"0.00000000"}]'
	answer a 7
	is '[.subscriptionId,.event.e]' '[1,"balanceUpdate"]'
	local bad='{"apiKey":"'$KEY'","timestamp":'$now',"signature":"'$(hmac "$params")'"}'
	api b 9 '{"id":1,"method":"session.logon","params":'"$bad"'}' \
		'{"id":2,"method":"userDataStream.subscribe.signature","params":'"${bad/$KEY/$OTHER}"'}' \
		'{"id":3,"method":"userDataStream.subscribe.signature","params":'"${bad/$now/$((now - 90000))}"'}' \
		'{"id":4,"method":"userDataStream.subscribe.signature","params":{"apiKey":"'$KEY'"}}' \
		'{"id":5,"method":"userDataStream.subscribe.signature","params":'"${bad%\"*}"'0"}}' \
		'nonsense' '{"id":6,"method":"no.such"}' '{"id":7,"method":"ping"}' '{"id":8,"method":"time"}'
	wait_end b 5
	output=$(sed -n 's/^text 1 //p' b.out | jq -sc .)
	is 'map([.id,.status,.error.code])' \
		'[[1,400,-4056],[2,401,-2015],[3,400,-1021],[4,400,-1102],[5,400,-1022],[null,400,-1000],[6,400,-1100],[7,200,null],[8,200,null]]'
	is '[.[6].result,(.[8].result.serverTime>1700000000000)]' '[null,true]'
}

# --- faults -----------------------------------------------------------------------------------------------------------

@test "a fill while the stream is down is in the next snapshot, and only there" {
	mock
	listen_key fapi
	user u "/private/ws?listenKey=$listen&events=$ALL"
	say 'fill usdm SOLUSDT BUY 1 143' 'user cut' 'fill usdm SOLUSDT SELL 2 144'
	wait_end u 5
	done_with 'fill usdm SOLUSDT SELL 2 144'
	[ "$(events u)" = "ORDER_TRADE_UPDATE TRADE_LITE ACCOUNT_UPDATE ORDER_TRADE_UPDATE" ]
	signed /fapi/v3/positionRisk
	is '.[0].positionAmt' '"1"'
	user v "/private/ws?listenKey=$listen&events=$ALL"
	say 'fill usdm SOLUSDT SELL 0.5 144'
	got v '"x":"TRADE"'
	[ "$(grep -c '"pa":"0.5"' v.out)" -eq 1 ]
}

@test "events that come twice, in another order, late or not at all; market data goes on" {
	mock -m all --rate 50
	listen_key fapi
	user u "/private/ws?listenKey=$listen&events=TRADE_LITE/ACCOUNT_UPDATE"
	user market "/public/ws/solusdt@bookTicker"
	say '/private dup 1 ACCOUNT_UPDATE' 'fill usdm SOLUSDT BUY 1 143'
	done_with 'fill usdm SOLUSDT BUY 1 143'
	got u ACCOUNT_UPDATE
	wait_for 5 bash -c '[ $(wc -l <u.out) -eq 3 ]'
	[ "$(events u)" = "TRADE_LITE ACCOUNT_UPDATE ACCOUNT_UPDATE" ]
	[ "$(sed -n 2p u.out)" = "$(sed -n 3p u.out)" ]
	: >u.out
	say 'user reorder 2' 'fill usdm SOLUSDT BUY 1 143'
	wait_for 5 bash -c '[ $(grep -c . u.out) -eq 2 ]'
	[ "$(tr -d '\0' <u.out >v.out; events v)" = "ACCOUNT_UPDATE TRADE_LITE" ]
	: >u.out
	say 'user silence' 'fill usdm SOLUSDT BUY 1 144' 'user heal' 'user drop 1' 'fill usdm SOLUSDT BUY 1 145'
	wait_for 5 bash -c '[ $(grep -c . u.out) -eq 1 ]'
	[ "$(tr -d '\0' <u.out >v.out; events v)" = ACCOUNT_UPDATE ]
	grep -q '"pa":"6"' v.out
	say 'user half-open' 'fill usdm SOLUSDT BUY 1 146'
	done_with 'fill usdm SOLUSDT BUY 1 146'
	local n
	n=$(wc -l <market.out)
	wait_for 5 bash -c "[ \$(wc -l <market.out) -gt $((n + 5)) ]"
	[ "$(grep -c . u.out)" -eq 1 ]
	[ "$(grep -c '"fault":"half-open"' mock.out)" -eq 1 ]
}

@test "error replies, with HTML or with the exchange's words, for the paths that are meant" {
	mock
	local status
	for status in 403 418 429 451 503; do
		say "rest $status retry-after=3 path=/fapi/v3/"
		done_with "rest $status"
		rest GET /fapi/v1/time
		[ "$http" = 200 ]
		signed /fapi/v3/balance
		[[ $http == "$status" && $output == "<html>"* ]]
		header 'retry-after: 3'
		header 'content-type: text/html'
		signed /fapi/v3/balance
		[ "$http" = 200 ]
	done
	say 'next 2 rest 400 code=-1125 This listenKey does not exist.' 'each rest 503 path=/dapi'
	done_with 'each rest'
	listen_key fapi && false
	refused 400 -1125 "This listenKey does not exist."
	rest PUT /fapi/v1/listenKey
	refused 400 -1125
	listen_key fapi
	signed /dapi/v1/balance
	signed /dapi/v1/balance
	[ "$http" = 503 ]
	say clear
	done_with clear
	signed /dapi/v1/balance
	[ "$http" = 200 ]
}

@test "wrong replies: half of one, none, a page, no JSON, other JSON" {
	mock
	local how
	for how in cut empty html text array; do
		say "rest-bad $how"
		done_with "rest-bad $how"
		signed /fapi/v3/balance
		[ "$http" = 200 ]
		case $how in
		cut) [[ $output == '[{"accountAlias"'* ]] && ! jq . <<<"$output" 2>/dev/null ;;
		empty) [ -z "$output" ] ;;
		html) [[ $output == "<html>"* ]] ;;
		text) [[ $output == "nothing that is JSON" ]] ;;
		array) is '.[0]' 1 ;;
		esac || { echo "$how: $output"; false; }
	done
	signed /fapi/v3/balance
	is .[0].balance '"1000.00000000"'
}

@test "a snapshot that is overtaken, and one that is late" {
	mock
	listen_key fapi
	user u "/private/ws?listenKey=$listen&events=ACCOUNT_UPDATE"
	(signed /fapi/v3/balance; printf %s "$output" >first) &
	local first=$! before
	wait "$first"
	before=$(jq -r .[0].balance first)
	say 'rest-delay 700ms path=/fapi/v3/balance' 'rest-lag 700ms path=/fapi/v3/account'
	done_with 'rest-lag'
	(signed /fapi/v3/balance; printf %s "$output" >early) &
	local early=$!
	(signed /fapi/v3/account; printf %s "$output" >late) &
	local late=$!
	told '"fault":"rest-delay"'
	told '"fault":"rest-lag"'
	say 'transfer usdm USDT 5'
	got u DEPOSIT
	[[ ! -s early && ! -s late ]]
	wait "$early"
	wait "$late"
	[ "$(jq -r .[0].balance early)" = "$before" ]
	[ "$(jq -r .totalWalletBalance late)" = "1005.00000000" ]
}
