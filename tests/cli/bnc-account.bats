# bnc-account: options, exit statuses, keys, messages. What needs an exchange is in e2e/account*.bats

load ../lib

bats_require_minimum_version 1.5.0

# nothing listens there, and nothing beyond this machine is asked
setup() {
	lib_setup
	export BNC_BACKOFF=10ms,20ms
	nowhere=(-u "wss://127.0.0.1:$(free_port)")
}

refused() { # MESSAGE ARGS...
	local message=$1
	shift
	run --separate-stderr bnc-account "$@"
	[[ $status -eq 2 ]]
	[[ -z $output ]]
	[[ ${stderr_lines[0]} == "bnc-account: $message" ]] || { echo "said: ${stderr_lines[0]}"; return 1; }
}

# one line, and nothing of the file in it
no_key() { # STATUS MESSAGE ARGS...
	local wanted=$1 message=$2
	shift 2
	run --separate-stderr timeout $((20 * SLOW)) bnc-account "${nowhere[@]}" "$@"
	[[ $status -eq $wanted && -z $output ]]
	[[ $stderr == "bnc-account: $message" ]] || { echo "said: $stderr"; return 1; }
	[[ $stderr != *hushhush* ]]
}

# the key is taken: what fails is the network
taken() {
	start a bnc-account "${nowhere[@]}" "$@"
	wait_for 20 grep -qE 'GET /fapi/v1/time: Failed to connect to 127.0.0.1.*; next attempt in ' a.err
	stop a
	[[ $status -eq 0 && ! -s a.out ]]
}

key_file() { # FILE TEXT
	(umask 077 && printf %b "$2" >"$1")
}

@test "help and version go to standard output" {
	run --separate-stderr bnc-account --help
	[[ $status -eq 0 && -z $stderr ]]
	[[ ${lines[0]} == "usage: bnc-account "* ]]
	run --separate-stderr bnc-account -V
	[[ $status -eq 0 && $output == "bnc-account "* ]]
}

@test "wrong options: one line, usage, exit 2" {
	refused "option '--nope' is not known, or takes no argument" --nope
	refused "'SOLUSDT': no operand is expected" SOLUSDT
	refused "-m: 'paper' is none of usdm, coinm, spot" -m paper
	refused "--form: 'path' is not query or subscribe" --form path
	refused "--check: '0.5' is not a duration from 1s" --check 0.5
	refused "-t: 'soon' is not a duration" -t soon
	refused "--max-age: '0' is not a duration from 100ms" --max-age 0
	refused "--stale: '-1s' is not a duration from 100ms" --stale -1s
	refused "--buffer: '1k' is not a size from 64k to 4G" --buffer 1k
	refused "--ready-fd: '77' is not an open descriptor" --ready-fd 77
	refused "-u: 'paper' is neither live, testnet, demo nor a URL that begins wss://" -u paper
	refused "-u: 'ws://127.0.0.1:80' is not encrypted; keys go over TLS alone: wss://" -u ws://127.0.0.1:80
	refused "-u: 'https://fapi.binance.com' is neither live, testnet, demo nor a URL that begins wss://" \
		-u https://fapi.binance.com
}

@test "wrong environment: exit 2" {
	BNC_BACKOFF=often no_key 2 "BNC_BACKOFF: 'often' is not a duration, or two with a comma between"
	BNC_CONNECT_LIMIT=7 no_key 2 "BNC_CONNECT_LIMIT: '7' is not a number, '/' and a duration"
	BNC_KEEP=1ms no_key 2 "BNC_KEEP: '1ms' is not a duration from 100ms"
}

@test "without a key, or with half of one: exit 2, one line" {
	no_key 2 "no API key: set BNC_API_KEY and BNC_API_SECRET, or name a --key-file"
	BNC_API_KEY=abc no_key 2 "BNC_API_KEY is set, BNC_API_SECRET is not"
	BNC_API_SECRET=hushhush no_key 2 "BNC_API_SECRET is set, BNC_API_KEY is not"
	BNC_API_KEY='' BNC_API_SECRET=hushhush no_key 2 "BNC_API_KEY is empty"
	BNC_API_KEY=abc BNC_API_SECRET=$'hushhush\n' no_key 2 \
		"BNC_API_SECRET has blanks, line ends or other bytes in it that no key has"
	BNC_API_KEY=abc BNC_API_SECRET=$'-----BEGIN PRIVATE KEY-----\nhushhush' no_key 2 \
		"a block of PEM is cut off: its last line is missing"
}

@test "keys of the environment and of files are taken" {
	BNC_API_KEY=abc BNC_API_SECRET=def taken
	key_file key 'BNC_API_KEY=abc\nBNC_API_SECRET=def\n'
	taken --key-file key
	# the file counts, whatever the environment has
	BNC_API_KEY=abc taken --key-file key
	openssl genpkey -algorithm ed25519 -out ed.pem
	(umask 077 && { echo BNC_API_KEY=abc && cat ed.pem; } >edkey)
	taken --key-file edkey
	BNC_API_KEY=abc BNC_API_SECRET=$(<ed.pem) taken
}

@test "key files that are refused: exit 3, one line, nothing of them in it" {
	no_key 3 "missing: No such file or directory" --key-file missing
	key_file key 'BNC_API_KEY=abc\nBNC_API_SECRET=hushhush\n'
	chmod 640 key
	no_key 3 "key: others may read or write it; its mode should be 600" --key-file key
	chmod 604 key
	no_key 3 "key: others may read or write it; its mode should be 600" --key-file key
	chmod 600 key
	mkdir open && chmod 1777 open && ln -s "$PWD/key" open/link
	no_key 3 "open/link: it is reached through a symbolic link in a directory where everybody may make one" \
		--key-file open/link
	ln -s key link # nobody else can do that here
	taken --key-file link
	mkfifo -m 600 fifo
	no_key 3 "fifo: not a regular file" --key-file fifo
	key_file key 'BNC_API_KEY=abc\nBNC_API_SECRET=hush hush\n'
	no_key 3 "key: BNC_API_SECRET has blanks, line ends or other bytes in it that no key has" --key-file key
	key_file key 'BNC_API_KEY=abc\nBNC_API_SECRET=hushhush\r\n'
	no_key 3 "key: BNC_API_SECRET has blanks, line ends or other bytes in it that no key has" --key-file key
	key_file key 'BNC_API_KEY=abc\nBNC_API_SECRET=hushhush\nhushhush\n'
	no_key 3 "key: line 3 is neither BNC_API_KEY=..., BNC_API_SECRET=... nor the beginning of PEM" --key-file key
	key_file key 'BNC_API_KEY=hushhush\n'
	no_key 3 "key: BNC_API_SECRET, or a private key in PEM, is missing" --key-file key
	key_file key ''
	no_key 3 "key: BNC_API_KEY is missing" --key-file key
}

@test "private keys of another kind, cut off, or with a pass phrase: exit 3, one line" {
	local kind
	pem() { (umask 077 && { echo BNC_API_KEY=abc && cat; } >key); }
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null | pem
	no_key 3 "key: an RSA key: only Ed25519 keys and HMAC secrets are supported" --key-file key
	for kind in X25519 ED448; do
		openssl genpkey -algorithm $kind | pem
		no_key 3 "key: not an Ed25519 key: only these and HMAC secrets are supported" --key-file key
	done
	openssl genpkey -algorithm ed25519 | sed '2s/.....$//' | pem
	no_key 3 "key: no whole private key in PEM: is it cut off, or a public key?" --key-file key
	openssl genpkey -algorithm ed25519 | head -n 2 | pem
	no_key 3 "key: a block of PEM is cut off: its last line is missing" --key-file key
	openssl genpkey -algorithm ed25519 | openssl pkey -pubout | pem
	no_key 3 "key: no whole private key in PEM: is it cut off, or a public key?" --key-file key
	openssl genpkey -algorithm ed25519 -aes128 -pass pass:hushhush | pem
	no_key 3 "key: the private key is encrypted: a key without a pass phrase is needed" --key-file key
}

@test "a file of authorities that cannot be read: exit 3" {
	key_file key 'BNC_API_KEY=abc\nBNC_API_SECRET=hushhush\n'
	run --separate-stderr bnc-account "${nowhere[@]}" --key-file key --cacert missing.pem
	[[ $status -eq 3 && $stderr == "bnc-account: "*missing.pem* ]]
	echo rubbish >rubbish.pem
	run --separate-stderr bnc-account "${nowhere[@]}" --key-file key --cacert rubbish.pem
	[[ $status -eq 3 && $stderr == "bnc-account: "*rubbish.pem* ]]
}

@test "the time is over before there is a snapshot: 0 when it was to listen, 3 with --once" {
	key_file key 'BNC_API_KEY=abc\nBNC_API_SECRET=hushhush\n'
	run --separate-stderr timeout $((20 * SLOW)) bnc-account "${nowhere[@]}" --key-file key -t 0.3
	[[ $status -eq 0 && -z $output ]]
	run --separate-stderr timeout $((20 * SLOW)) bnc-account "${nowhere[@]}" --key-file key --once -t 0.3
	[[ $status -eq 3 && -z $output ]]
}

@test "SIGTERM ends it while nothing answers" {
	local name
	key_file key 'BNC_API_KEY=abc\nBNC_API_SECRET=hushhush\n'
	for name in TERM INT; do
		start a bnc-account "${nowhere[@]}" --key-file key -s
		wait_for 10 grep -q connecting a.out
		stop a $name
		[[ $status -eq 0 ]]
		[[ $(tail -n 1 a.out | jq -r '.state + " " + .detail') == "end SIG$name" ]]
	done
}

@test "a reader that goes away is the end, without a message" {
	key_file key 'BNC_API_KEY=abc\nBNC_API_SECRET=hushhush\n'
	run --separate-stderr timeout $((20 * SLOW)) bash -c 'bnc-account "$@" 2>err | head -n 1; echo "${PIPESTATUS[0]}"' - \
		"${nowhere[@]}" --key-file key -s
	[[ ${lines[1]} == 0 ]]
	run grep -vE 'next attempt in' err
	[[ $status -eq 1 ]]
}

# what the exchange's documents call the ways to trade, to move and to change something
@test "the program has no word for an order, a transfer or a setting" {
	local words='/order|batchOrders|allOpenOrders|countdownCancel|/leverage|marginType|positionMargin|order\.(place|cancel|modify|test)|sor\.order|/transfer|/withdraw|/sapi/|algoOrder|positionSide/dual|multiAssetsMargin|DELETE /'
	strings -a "$BUILD/bin/bnc-account" >words
	grep -q '^/fapi/v3/balance$' words # it would be found
	run grep -E "$words" words
	[[ $status -eq 1 ]]
	# and these are all the paths there are
	[[ $(grep -oE '^/[a-z]*api/[A-Za-z0-9/-]+' words | sort -u | xargs) == \
		"/api/v3/account /api/v3/time /dapi/v1/balance /dapi/v1/listenKey /dapi/v1/positionRisk /dapi/v1/time /fapi/v1/listenKey /fapi/v1/time /fapi/v3/balance /fapi/v3/positionRisk" ]]
}
