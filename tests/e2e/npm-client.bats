load ../lib
bats_require_minimum_version 1.5.0

# A Binance client that knows nothing of this project, "binance" of the npm registry, with the offline exchange in the
# place of Binance: over TLS, its certificate checked, each stream on the tier that carries it. What the client makes of
# an event, written as JSON again, must be what stands in the recording byte by byte: all fields, their kinds, their
# order; and of each stream all events, each once, in their order.

setup() {
	lib_setup
	local name why
	for name in node npm; do
		[[ -n $(type -P $name) ]] || skip "there is no $name"
	done
	[[ -e $BUILD/node/npm.log ]] || skip "make tests has installed no client in $BUILD/node"
	why=$(sed -nE '0,/code/s/^npm (error|ERR!) (code .*)/\2/p' "$BUILD/node/npm.log")
	[[ -e $BUILD/node/installed ]] || skip "npm ci could not install the client: ${why:-see $BUILD/node/npm.log}"
}

# the stream, a tab, the payload: of each book ticker and aggregate trade of the recording on standard input, whatever
# stands around it
expected() {
	sed -nE 's/.*(\{"e":"(bookTicker|aggTrade)"[^}]*"s":"([^"]*)"[^}]*\}).*/\L\3\E@\2\t\1/p'
}

streams_of() { cut -f 1 | sort -u; }

# by stream; the order of two streams, which come by two connections, is nobody's promise
by_stream() { sort -s -t $'\t' -k 1,1; }

exchange() { # ARGS...
	rm -f port
	start mock bnc-mock --port-file port "$@"
	wait_for 5 test -s port
	read -r MOCK_PORT <port
}

client() { # NAME AUTHORITY STREAM...
	local name=$1 authority=$2
	shift 2
	NODE_EXTRA_CA_CERTS=$authority start "$name" node "$BUILD/node/binance-client.mjs" "$MOCK_PORT" "$@"
}

has_lines() { (($(wc -l <"$1") >= $2)); }

# from an exchange with these options, trusting this authority, the client gets what it asks for: the list `wanted`
receives_all() { # AUTHORITY ARGS...
	local authority=$1 streams
	shift
	mapfile -t streams < <(streams_of <wanted)
	exchange --start-after "${#streams[@]}" "$@"
	client c "$authority" "${streams[@]}"
	wait_for 30 grep -q '"event":"recording-end"' mock.out
	wait_for 10 has_lines c.out "$(wc -l <wanted)"
	stop mock
	wait_end c 5
	[ "$status" -eq 0 ]
	diff <(by_stream <wanted) <(by_stream <c.out) | head -n 20
	cmp <(by_stream <wanted) <(by_stream <c.out)
	# by one connection for each tier
	[ "$(sed -nE 's/.*"event":"open".*"tier":"([a-z]*)".*/\1/p' mock.out | sort | tr '\n' ' ')" = "market public " ]
}

@test "book tickers and trades of 200 symbols, from a compressed recording at four times its pace" {
	"$BUILD/bench/frames" --mix --tick -n 4000 >rec
	split -l 1000 --filter='zstd -qc --check' rec >rec.zst
	expected <rec >wanted
	[ "$(streams_of <wanted | wc -l)" -gt 350 ]
	[ "$(wc -l <wanted)" -eq "$(grep -cE '"e":"(bookTicker|aggTrade)"' rec)" ]
	receives_all ca.pem --ca-out ca.pem --file rec.zst -x 4
}

@test "of the walk, recorded by bnc-stream, from an exchange with a certificate of one's own" {
	exchange --ca-out ca.pem --rate 200
	bnc-stream -u "wss://127.0.0.1:$MOCK_PORT" --cacert ca.pem -n 1000 -c bookTicker,aggTrade SOLUSDT BTCUSDT |
		zstd -q >rec.zst
	stop mock
	zstd -qdc rec.zst | expected >wanted
	[ "$(wc -l <wanted)" -eq 1000 ]
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=exchange \
		-addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null
	receives_all cert.pem --tls cert.pem key.pem --file rec.zst -x max
}

@test "of the real exchange" {
	have_shared cryptofeed/BINANCE_FUTURES.ws.1.0.ndjson.gz
	zcat "$SHARED/cryptofeed/BINANCE_FUTURES.ws.1.0.ndjson.gz" | zstd -q >rec.zst
	zstd -qdc rec.zst | expected >wanted
	[ "$(wc -l <wanted)" -eq 704 ]
	[ "$(streams_of <wanted | wc -l)" -eq 8 ]
	receives_all ca.pem --ca-out ca.pem --file rec.zst -x 20
}

@test "a certificate that it has no reason to trust, or that is for somebody else, is refused" {
	exchange --ca-out ca.pem
	client c '' solusdt@bookTicker
	wait_end c 10
	[ "$status" -eq 1 ]
	grep -q 'unable to verify the first certificate' c.err
	stop mock
	exchange --ca-out ca.pem --fault 'cert wrong-name'
	client c ca.pem solusdt@bookTicker
	wait_end c 10
	[ "$status" -eq 1 ]
	grep -q "IP: 127.0.0.1 is not in the cert's list" c.err
	[ ! -s c.out ]
	run ! grep -q '"event":"open"' mock.out
}
